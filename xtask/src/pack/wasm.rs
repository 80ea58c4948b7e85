//! The wasm module and its bindings.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use super::names::Renamed;
use crate::{npm, process, workspace};

/// What wasm-bindgen names its files after.
pub(super) const OUT_NAME: &str = "lastgood_reader";
/// The module, as the glue and `exports` of the package name it.
pub(super) const MODULE: &str = "lastgood_reader_bg.wasm";
/// The glue, before it is bundled.
pub(super) const GLUE: &str = "lastgood_reader.js";

/// Builds the reader and returns where the module is.
pub(super) fn build() -> Result<PathBuf> {
    // Alone and in a directory of its own: a build together with the native
    // crates would unify features and inflate the module.
    let target = workspace::target("wasm");
    let mut flags = remapped_paths()?;
    // Loops instead of unrolled rounds: most pages never hash here, see reader-wasm/src/hash.rs.
    flags.push("--cfg=sha2_backend_soft=\"compact\"".to_owned());
    let mut cargo = workspace::cargo();
    cargo
        .args(["build", "--package", "lastgood-reader", "--profile", "wasm"])
        .args(["--target", workspace::WASM_TARGET, "--target-dir"])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    process::run(&mut cargo)?;
    Ok(target.join(workspace::WASM_TARGET).join("wasm").join(OUT_NAME).with_extension("wasm"))
}

/// Generates the glue and the module that goes with it.
pub(super) fn bind(module: &Path, directory: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name(OUT_NAME)
        .web(true)?
        // The types are written by hand, for people.
        .typescript(false)
        // The entries of the package say where the module is, each in its own way.
        .omit_default_module_path(true)
        // Not by `strip` in Cargo.toml, which would take the target_features
        // section along that wasm-opt goes by.
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.generate(directory).context("wasm-bindgen refused the module")
}

/// Makes the module smaller, in place, and its names shorter, in the glue too.
///
/// The binaryen is npm's, pinned in xtask/npm/, not the distribution's: it is the same on every machine, so the sizes
/// are too, and Debian's (version 108) produced modules that fail at start-up with `WebAssembly.Table.set()`.
///
/// No feature flags: the module's target_features section says which features rustc used, and wasm-opt goes by it.
/// `--all-features` would let it use some that browsers reject.
pub(super) fn optimise(directory: &Path) -> Result<()> {
    let module = directory.join(MODULE);
    let mut wasm_opt = npm::tool("wasm-opt");
    // The first KiB of the memory is the very end of the stack, which grows downwards to it: no address in it is calculated with.
    wasm_opt.args(["-O3", "--low-memory-unused", "--minify-imports-and-exports-and-modules"]);
    wasm_opt.arg(&module).arg("-o").arg(&module);
    let renamed = Renamed::parse(&process::capture(&mut wasm_opt)?)?;
    let glue = directory.join(OUT_NAME).with_extension("js");
    let text = fs::read_to_string(&glue).with_context(|| format!("cannot read {}", glue.display()))?;
    let text = renamed.rename_in(&text)?;
    fs::write(&glue, text).with_context(|| format!("cannot write {}", glue.display()))
}

/// Refuses a module that names directories of the machine it was built on.
pub(super) fn check_paths(directory: &Path) -> Result<()> {
    let module = fs::read(directory.join(MODULE))?;
    for path in [workspace::root().to_owned(), cargo_home()?] {
        let path = path.as_os_str().as_encoded_bytes();
        ensure!(
            !module.windows(path.len()).any(|window| window == path),
            "the module contains the path {} of this machine; see remapped_paths",
            String::from_utf8_lossy(path)
        );
    }
    Ok(())
}

/// Panic messages carry the paths of their sources: the same short ones wherever the module is built.
fn remapped_paths() -> Result<Vec<String>> {
    let remap = |path: &Path, to: &str| match path.to_str() {
        Some(path) => Ok(format!("--remap-path-prefix={path}={to}")),
        None => bail!("the path {} is not UTF-8: use another", path.display()),
    };
    let cargo_home = cargo_home()?;
    // The directories in here are named after the registry, which may be somebody's mirror.
    let mut registries = match fs::read_dir(cargo_home.join("registry/src")) {
        Ok(entries) => entries.map(|entry| remap(&entry?.path(), "crates")).collect::<Result<Vec<_>>>()?,
        Err(_) => Vec::new(),
    };
    // Always in the same order: other flags mean another build.
    registries.sort();
    // The last prefix that matches counts.
    let mut flags = vec![remap(workspace::root(), "lastgood")?, remap(&cargo_home, "cargo")?];
    flags.append(&mut registries);
    Ok(flags)
}

fn cargo_home() -> Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .context("neither CARGO_HOME nor a home directory is known")
}
