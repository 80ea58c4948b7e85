//! What a publisher and a reader of a lastgood feed must agree on.
//!
//! Names, layout, checksum, manifest, lock marker, payload rules, cache entries and the read algorithm. Nothing here
//! does I/O, reads a clock or knows a platform: time comes in as an argument, bytes come in as slices, and what is to
//! be done next comes out as a value. The same code therefore runs in the native writer, in the native reader and, as
//! WebAssembly, in the browser.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`name`] | [`DatasetName`](name::DatasetName) and [`Ext`](name::Ext): the only inputs that ever become part of a path |
//! | [`layout`] | every path of a feed |
//! | [`digest`] | [`Sha256`](digest::Sha256) and hashing |
//! | [`id`] | feed ids and commit ids |
//! | [`time`] | [`Timestamp`](time::Timestamp), RFC 3339 |
//! | [`manifest`] | encode and verify `manifest.json` |
//! | [`marker`] | the lock marker |
//! | [`payload`] | what a payload must be |
//! | [`cache`] | what a reader keeps between visits |
//! | [`failure`] | why a reading is not fresh: stable codes |
//! | [`read`] | the read algorithm as owned steps |
//! | [`schema`] | JSON Schema: whether a payload has the shape that was promised |

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod cache;
pub mod digest;
pub mod failure;
pub mod id;
pub mod json;
pub mod layout;
pub mod manifest;
pub mod marker;
pub mod name;
#[cfg(feature = "std")]
pub mod payload;
pub mod read;
mod scalar;
pub mod schema;
mod text;
pub mod time;

/// The format that this version writes, and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The largest integer that JavaScript holds exactly, 2^53 − 1: the limit of every integer in the protocol.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
