//! The WebAssembly modules of the npm package `lastgood`.
//!
//! The reader carries one read from its plan to its readings: it fetches, verifies, judges, falls back to the copies that it keeps in
//! localStorage and Cache Storage, and tells what happens. The package's TypeScript (`npm/src/`) decides when to read, and calls the page's
//! functions. The validator judges payloads by their published schemas; it is a module of its own, because most feeds have none.
//!
//! | module | what it does |
//! | --- | --- |
//! | `reader` | what TypeScript calls |
//! | `drive` | the steps of [`lastgood_protocol::read`] to completion |
//! | `page` | what TypeScript provides |
//! | `fetch` | one request, within its limits of size and time |
//! | `inflight` | requests that several reads share |
//! | `payload` | bytes, hashed and made into a value |
//! | `schemas` | published schemas, and the validator that is asked about them |
//! | `cache` | copies between visits |
//! | `reading`, `event` | what is handed out and told |
//! | `task` | futures that can be ended |
//! | `validator` | payloads against their published schema, in the module of its own |

// The validator has no use for the standard library: without it a panic is nothing but a trap, and its messages are no part of what
// pages download. What the reader builds on needs it; `cargo xtask pack` takes the messages out there.
#![cfg_attr(all(target_family = "wasm", not(test), not(feature = "reader")), no_std)]

extern crate alloc;

#[cfg(feature = "reader")]
mod cache;
#[cfg(feature = "reader")]
mod drive;
#[cfg(feature = "reader")]
mod event;
#[cfg(feature = "reader")]
mod fetch;
#[cfg(feature = "reader")]
mod inflight;
#[cfg(feature = "reader")]
mod page;
#[cfg(feature = "reader")]
mod payload;
#[cfg(feature = "reader")]
mod reader;
#[cfg(feature = "reader")]
mod reading;
#[cfg(feature = "reader")]
mod schemas;
#[cfg(feature = "reader")]
mod task;
#[cfg(feature = "validator")]
mod validator;

/// A panic is a defect; to JavaScript it is a `WebAssembly.RuntimeError`.
#[cfg(all(target_family = "wasm", not(test), not(feature = "reader")))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Half the size of the default allocator, and still no list to search through.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
