//! What every storage guarantees, run against each implementation, and what the POSIX one guarantees beyond that.

#![allow(clippy::disallowed_methods, reason = "the tests look at the files themselves, and plant some")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[cfg(unix)]
mod child;
mod contract;
mod memory;
#[cfg(unix)]
mod posix;
