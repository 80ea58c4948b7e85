//! Feeds that somebody else has written to, and input that is meant to do harm: no command hangs, crashes, follows what
//! leads out of the feed, or shows what it has not verified.

// These tests play whoever damages a feed.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod planted;
mod support;
