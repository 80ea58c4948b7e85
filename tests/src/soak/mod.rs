//! Long runs that look for what seldom happens: the programs behind `cargo xtask soak`, a bounded share of which are tests.

pub mod races;
