//! The static server, over real sockets.

// The library changes files through its storage alone. These tests play the
// publisher, the old script and the attacker beside it.
#![allow(clippy::disallowed_methods)]
// A failure anywhere in here is the failure of a test.
#![allow(clippy::unwrap_used)]

mod caching;
mod conditional;
mod cors;
mod feed;
mod hostile;
mod lifecycle;
mod load;
mod negotiation;
mod paths;
mod site;
mod support;
