//! The wasm modules and their bindings.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use super::{names::Renamed, panics};
use crate::{npm, process, workspace};

/// A module of the crate of the reader. Each is built with a feature of its own.
pub(crate) struct Module {
    /// The feature, and a part of every name.
    name: &'static str,
    /// The file, as the glue and `exports` of the package name it.
    pub(super) file: &'static str,
    /// The glue, before it is bundled; also the name by which the package's TypeScript imports it, with `.js` at its end.
    pub(super) glue: &'static str,
    /// The file as a script, which the entries of the package import, and nobody else.
    pub(super) script: &'static str,
}

/// What reads.
pub(crate) const READER: Module =
    Module { name: "reader", file: "lastgood_reader_bg.wasm", glue: "lastgood_reader.js", script: "inline-reader" };
/// What validates, which a page loads when a manifest names a schema.
pub(crate) const VALIDATOR: Module = Module {
    name: "validator",
    file: "lastgood_validator_bg.wasm",
    glue: "lastgood_validator.js",
    script: "inline-validator",
};
/// Both.
pub(crate) const MODULES: [&Module; 2] = [&READER, &VALIDATOR];

impl Module {
    /// Builds the module and its glue into a directory.
    pub(super) fn make(&self, directory: &Path) -> Result<()> {
        let module = self.build()?;
        self.bind(&module, directory)?;
        self.optimise(directory)
    }

    /// Compiles it and returns where it is.
    fn build(&self) -> Result<PathBuf> {
        // Alone and in a directory of its own: a build together with others would unify features and inflate the module.
        let target = workspace::target("wasm").join(self.name);
        let mut flags = remapped_paths()?;
        // Loops instead of unrolled rounds: most pages never hash here, see reader-wasm/src/payload.rs.
        flags.push("--cfg=sha2_backend_soft=\"compact\"".to_owned());
        let mut cargo = workspace::cargo();
        cargo
            .args(["build", "--package", "lastgood-reader", "--profile", "wasm", "--no-default-features", "--features"])
            .args([self.name, "--target", workspace::WASM_TARGET, "--target-dir"])
            .arg(&target)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        process::run(&mut cargo)?;
        Ok(target.join(workspace::WASM_TARGET).join("wasm/lastgood_reader.wasm"))
    }

    /// Generates the glue and the module that goes with it.
    fn bind(&self, module: &Path, directory: &Path) -> Result<()> {
        let mut module = walrus::Module::from_file(module).context("this is no module")?;
        panics::silence(&mut module);
        let mut bindgen = Bindgen::new();
        bindgen
            .input_module(self.glue.trim_end_matches(".js"), module)
            .web(true)?
            // The types are written by hand, for people.
            .typescript(false)
            // The entries of the package say where the module is, each in its own way.
            .omit_default_module_path(true)
            // A module that has trapped is replaced by a fresh instance.
            .reset_state_function(self.name == READER.name)
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
    fn optimise(&self, directory: &Path) -> Result<()> {
        let module = directory.join(self.file);
        let mut wasm_opt = npm::tool("wasm-opt");
        // The first KiB of the memory is the very end of the stack, which grows downwards to it: no address in it is calculated with.
        wasm_opt.args(["-O3", "--low-memory-unused", "--minify-imports-and-exports-and-modules"]);
        wasm_opt.arg(&module).arg("-o").arg(&module);
        let renamed = Renamed::parse(&process::capture(&mut wasm_opt)?)?;
        let glue = directory.join(self.glue);
        let text = fs::read_to_string(&glue).with_context(|| format!("cannot read {}", glue.display()))?;
        let text = forget_stale_closures(renamed.rename_in(&text)?);
        fs::write(&glue, text).with_context(|| format!("cannot write {}", glue.display()))
    }

    /// Refuses a module that names directories of the machine it was built on.
    pub(super) fn check_paths(&self, directory: &Path) -> Result<()> {
        let module = fs::read(directory.join(self.file))?;
        for path in [workspace::root().to_owned(), cargo_home()?] {
            let path = path.as_os_str().as_encoded_bytes();
            ensure!(
                !module.windows(path.len()).any(|window| window == path),
                "{} contains the path {} of this machine; see remapped_paths",
                self.file,
                String::from_utf8_lossy(path)
            );
        }
        Ok(())
    }
}

/// What the page has under way for an instance that has trapped ends without a word: the calls that waited for it have ended before.
fn forget_stale_closures(glue: String) -> String {
    glue.replace("throw new Error('Cannot invoke closure from previous WASM instance');", "return;")
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
