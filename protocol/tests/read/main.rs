//! The read algorithm, driven through its public steps by scripted hosts.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod again;
mod age;
mod artifact;
mod choices;
mod every_answer;
mod every_shape;
mod expiry;
mod lock;
mod manifest;
mod objects;
mod publisher;
mod schema;
mod site;
mod snapshot;
mod taken_back;
