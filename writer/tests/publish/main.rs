//! Publishing and recovery through the library: the same suites against the memory and the file system.

#![allow(clippy::disallowed_methods, reason = "the tests plant files by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod busy;
mod crashes;
mod expiry;
mod failures;
mod faulty;
mod gc;
mod generations;
mod history;
mod hold;
#[allow(dead_code, reason = "shared with the tests of power cuts, which use more of it")]
mod moment;
mod new_feed;
mod operations;
mod repair;
mod rollback;
mod site;
mod taking;
