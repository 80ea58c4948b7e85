//! The read algorithm, driven through its public steps by scripted hosts.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod age;
mod choices;
mod every_answer;
mod lock;
mod manifest;
mod objects;
mod publisher;
mod site;
mod snapshot;
