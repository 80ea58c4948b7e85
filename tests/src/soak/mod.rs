//! Long runs that look for what seldom happens: the programs behind `cargo xtask soak`, a bounded share of which are tests.

mod chance;
pub mod ledger;
pub mod payload;
pub mod races;
mod readers;
pub mod writers;
