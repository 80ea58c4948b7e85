//! `cargo xtask bench reader`: builds the pages, with everything that is compared in them, and runs them in browsers.

use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    npm,
    pack::{self, Package},
    process,
    progress::step,
    setup,
    workspace::{self, WASM_TARGET},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only these: read1m, read10m, refresh, cache, first-cold, first-warm, validate, many [default: all]
    names: Vec<String>,
    /// Only these browsers: chromium, firefox, webkit [default: all]
    #[arg(long)]
    browser: Vec<String>,
    /// How many rounds, instead of as many as each needs to be steady
    #[arg(long)]
    rounds: Option<usize>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let package = pack::run(&pack::Args { check: false })?;
    let jsonschema = step("build jsonschema for wasm", jsonschema)?;
    let pages = step("build the pages", || pages(&package, jsonschema))?;
    let binary = step("build the lastgood binary", || {
        process::run(workspace::cargo().args(["build", "--release", "--package", "lastgood"]))?;
        Ok(workspace::target("release/lastgood"))
    })?;
    let mut bench = workspace::cargo();
    bench.args(["bench", "--package", "lastgood-tests", "--bench", "reader", "--"]).args(&args.names);
    bench.args(args.browser.iter().map(|browser| format!("--browser={browser}")));
    bench.args(args.rounds.map(|rounds| format!("--rounds={rounds}")));
    bench.env("LASTGOOD_TEST_BINARY", binary).env("LASTGOOD_BENCH_PAGES", pages);
    Ok(process::run(&mut bench)?)
}

/// Builds the pages on the packed npm package, as any site would, and returns where they are.
fn pages(package: &Package, jsonschema: PathBuf) -> Result<PathBuf> {
    setup::node()?;
    let directory = workspace::path("tests/benches/reader/page");
    let out = workspace::target("bench/reader");
    npm::install_site(&directory, &package.tarball)?;
    let mut build = npm::npm(&directory);
    build.args(["run", "build", "--", "--emptyOutDir", "--outDir"]).arg(&out);
    process::run(build.env("LASTGOOD_BENCH_JSONSCHEMA", jsonschema))?;
    Ok(out)
}

/// Builds what lastgood's validator is compared with and returns the directory of the module: optimised for speed, in
/// a workspace of its own, since nothing else here uses it.
fn jsonschema() -> Result<PathBuf> {
    setup::wasm_target(setup::Install::Allowed)?;
    let out = workspace::target("bench/jsonschema");
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "--target", WASM_TARGET, "--manifest-path"]);
    build.arg(workspace::path("tests/benches/reader/jsonschema/Cargo.toml")).arg("--target-dir").arg(&out);
    process::run(&mut build)?;
    let module = out.join(WASM_TARGET).join("release/bench_jsonschema.wasm");
    let package = out.join("package");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&module).web(true)?.omit_default_module_path(false);
    bindgen.generate(&package).context("wasm-bindgen refused the module of jsonschema")?;
    Ok(package)
}
