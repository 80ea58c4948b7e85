//! Publishing and recovery through the library: the same suites against the memory and the file system.

#![allow(clippy::unwrap_used, reason = "tests")]

mod crashes;
mod failures;
mod faulty;
mod hold;
mod operations;
mod site;
