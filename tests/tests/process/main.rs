//! Publishers as processes: killed, stopped, racing each other, while others read.

#![allow(clippy::disallowed_methods, reason = "tests prepare feeds by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod concurrent;
mod gc;
mod kill;
mod many;
mod memory;
mod random;
mod reading;
mod signals;
