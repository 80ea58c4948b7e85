//! The core of the npm package `lastgood`: what must be the same in the browser as in the writer, and waits for nothing.
//!
//! The package's TypeScript (`npm/src/`) fetches, stores and waits; this module decides what to fetch, verifies what came, and
//! says what to hand out. They talk in JSON texts, which both sides have a reader for; payloads stay on the
//! JavaScript side, where the engine hashes them and makes their values.
//!
//! | module | what it does |
//! | --- | --- |
//! | `chain` | one read: [`lastgood_protocol::read`] with its steps and answers as texts |
//! | `read` | the same for JavaScript |
//! | `answer` | texts into plans and answers |
//! | `step` | steps into texts |
//! | `schema` | payloads against the schema that they were published with |
//! | `hash` | SHA-256 where the browser has none |

// Without the standard library, so that a panic is nothing but a trap: its messages, and where in the source it happened, would
// be a part of what every page downloads, and reach nobody.
#![cfg_attr(all(target_family = "wasm", not(test)), no_std)]

extern crate alloc;

mod answer;
mod chain;
mod hash;
mod read;
mod schema;
mod step;

/// A panic is a defect; to JavaScript it is a `WebAssembly.RuntimeError`.
#[cfg(all(target_family = "wasm", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Half the size of the default allocator, and still no list to search through.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
