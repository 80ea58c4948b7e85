//! CSV and JSON Lines through the library: what is published, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

mod agree;
mod any;
mod csv;
mod jsonl;
mod refusals;
mod site;
