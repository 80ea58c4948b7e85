//! The package's TypeScript: bundled into the files that sites import, and the declarations beside them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::wasm::MODULES;
use crate::{npm, process, workspace};

/// What can be imported, each a file of its own.
pub(super) const ENTRIES: [&str; 7] = ["lastgood", "inline", "react", "react-status", "tanstack", "testing", "vite"];
/// What validates, as a script of its own, which the entries import when a manifest names a schema.
pub(super) const VALIDATOR_SCRIPT: &str = "validator";
/// The modules that declarations of entries refer to.
const DECLARED: [&str; 2] = ["errors", "types"];

/// Checks the types of the sources and of their tests.
pub(super) fn check() -> Result<()> {
    npm::install(&sources())?;
    Ok(process::run(tsc().arg("--noEmit"))?)
}

/// Bundles the entries into `directory`, where the modules and their glue are. What they have in common becomes files of its own, so
/// that a page that imports two entries loads it once.
pub(super) fn bundle(directory: &Path) -> Result<()> {
    let alias = |name: &str, path: &Path| format!("--alias:{name}={}", path.display());
    let mut esbuild = npm::tool("esbuild");
    let scripts = MODULES.iter().map(|module| module.script).chain([VALIDATOR_SCRIPT]);
    esbuild
        .current_dir(sources())
        .args(ENTRIES.into_iter().chain(scripts).map(|entry| format!("src/{entry}.ts")))
        .args(["--bundle", "--splitting", "--format=esm", "--target=es2022", "--log-level=warning"])
        .args(["--chunk-names=chunk-[hash]", "--loader:.wasm=base64"])
        .args(["--external:react", "--external:node:*"]);
    for module in MODULES {
        esbuild
            .arg(alias(module.glue.trim_end_matches(".js"), &directory.join(module.glue)))
            .arg(alias(module.file, &directory.join(module.file)));
    }
    process::run(esbuild.arg(format!("--outdir={}", directory.display())))?;
    // It is in the bundles now.
    for glue in MODULES.map(|module| directory.join(module.glue)) {
        fs::remove_file(&glue).with_context(|| format!("cannot remove {}", glue.display()))?;
    }
    Ok(())
}

/// Writes the declarations of the entries, and of what they refer to, into `directory`.
pub(super) fn declare(directory: &Path) -> Result<()> {
    let all = workspace::target("npm.declarations");
    process::run(tsc().args(["--noEmit", "false", "--emitDeclarationOnly", "--rootDir", ".", "--outDir"]).arg(&all))?;
    for name in ENTRIES.iter().chain(&DECLARED) {
        super::copy(&all.join("src"), directory, &format!("{name}.d.ts"))?;
    }
    Ok(())
}

fn tsc() -> std::process::Command {
    let mut tsc = std::process::Command::new(sources().join("node_modules/.bin/tsc"));
    tsc.current_dir(sources());
    tsc
}

/// Where the sources are.
pub(super) fn sources() -> PathBuf {
    workspace::path("reader-wasm/npm")
}
