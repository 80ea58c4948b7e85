//! Feeds on real web servers and in buckets, with the configurations and scripts of `docs/operations.md`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

mod bucket;
mod contract;
mod reading;
mod www;
