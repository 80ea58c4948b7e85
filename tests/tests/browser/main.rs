//! Pages in real browsers, over real HTTP. In each test, what a page gets has been published: nothing unverified is ever
//! handed out.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

mod cached_first;
mod dashboard;
mod failures;
mod fixtures;
mod network;
mod reading;
mod rules;
mod storage;
mod surroundings;
mod tabs;
mod versions;
mod watching;
