//! What those who install the package would run into, as far as it shows without installing it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{npm, process};

/// Checks that every import of the package resolves, to a script and to its types, whatever the bundler or compiler.
pub(super) fn check(tarball: &Path) -> Result<()> {
    process::run(npm::tool("publint").args(["run", "--strict"]).arg(tarball))
        .context("see https://publint.dev/rules about what publint says above")?;
    let mut types = npm::tool("attw");
    // CommonJS gets the package with `import()`, and with `require` from Node 20.19 on.
    types.arg(tarball).args(["--profile", "esm-only", "--format", "ascii"]);
    // Not a script: each bundler has its own way and its own types for it.
    types.args(["--exclude-entrypoints", "./lastgood_reader_bg.wasm", "./lastgood_validator_bg.wasm"]);
    process::run(&mut types).context("see above which types of the package do not resolve")
}
