//! Where things are in this repository.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// The version that everything in this repository is released under.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The target of the reader.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Platforms that the writer is compiled for in every check, beside the one that it is tested on.
pub(crate) const OTHER_PLATFORMS: [&str; 2] = ["x86_64-apple-darwin", "x86_64-pc-windows-gnu"];

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is a directory of the repository")
}

/// A path in the repository.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A path in the build directory, which `CARGO_TARGET_DIR` may have moved.
pub(crate) fn target(relative: &str) -> PathBuf {
    let directory = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
    root().join(directory).join(relative)
}

/// `cargo` of the toolchain that runs this task, started in the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Cargo says in these that this task is running. A build script that looks at them (ring's does) would run again.
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// `path` as people write it: relative to the root of the repository where it is inside.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
