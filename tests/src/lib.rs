//! Helpers shared by the tests that cross crates: the real binary, feeds in temporary directories, and what is in them.

#![allow(clippy::disallowed_methods, reason = "tests prepare and damage feeds by hand")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails the test")]

pub mod browser;
pub mod docs;
mod feed;
pub mod origin;
pub mod sample;
pub mod server;
pub mod site;
pub mod soak;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use feed::{Ran, TestFeed};
pub use tree::{FileState, tree};

/// The `lastgood` binary, built as the tests themselves were.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(built) = std::env::var_os("LASTGOOD_TEST_BINARY") {
            return built.into();
        }
        let build = escargot::CargoBuild::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .package("lastgood")
            .bin("lastgood");
        // Cargo says in these whose test is running. A build script that looks at them (ring's does) would run again.
        let ours = std::env::vars_os().map(|(name, _)| name);
        let ours =
            ours.filter(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|p| name.to_string_lossy().starts_with(p)));
        let build = ours.fold(build, escargot::CargoBuild::env_remove);
        let build = if cfg!(debug_assertions) { build } else { build.release() };
        build.run().expect("the binary builds").path().to_owned()
    })
}

/// Waits for something that another process is about to do.
///
/// # Panics
/// When it does not do it within a minute.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::yield_now();
    }
}
