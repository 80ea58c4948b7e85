//! Feeds that somebody else has written to, and input that is meant to do harm: no command hangs, crashes, follows what
//! leads out of the feed, obeys what it prints, or takes more memory than the limits of the format allow.

// These tests play whoever damages a feed.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod bombs;
mod deep;
mod manifests;
mod many;
mod names;
mod planted;
mod support;
mod terminal;
