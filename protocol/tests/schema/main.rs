//! JSON Schema: the official test suite, a second opinion, and what real generators write.

#![allow(clippy::unwrap_used)]

mod engine;
mod official_suite;
