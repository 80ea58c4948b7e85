//! Several writers and readers of one feed, in every order of their storage calls.

#![allow(clippy::unwrap_used, reason = "tests")]

mod actor;
mod orders;
mod scenarios;
mod stepped;
