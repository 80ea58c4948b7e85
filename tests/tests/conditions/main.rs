//! The real binary where things go wrong: system calls that fail, disks that are full, mounts that change, processes that
//! are stopped or killed.
//!
//! The conditions are made with `mount` and `strace`, so these tests need Linux, root and strace. What cannot be set up
//! fails: a condition that was not there has not been tested.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests prepare feeds by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod calls;
mod defect;
mod disk;
mod drills;
mod groups;
mod limits;
mod members;
mod mount;
mod mounts;
mod moved;
mod owner;
mod scenario;
mod stopped;
mod strace;
mod strangers;
mod unknown;
