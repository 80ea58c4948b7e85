//! JSON Schema: the official test suite, a second opinion, and what real generators write.

mod engine;
mod official_suite;
