//! JSON Schema: the official test suite, a second opinion, and what real generators write.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod conversion;
mod cost;
mod engine;
mod generated;
mod generators;
mod numbers;
mod official_suite;
mod reading;
mod references;
mod refusals;
mod second_opinion;
mod texts;
mod violations;
