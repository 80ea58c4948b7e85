//! `cargo xtask bench reader`: builds the pages, with everything that is compared in them, and runs them in browsers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    npm,
    pack::{self, Package},
    process,
    progress::step,
    setup::{self, Install},
    workspace::{self, WASM_TARGET},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only these: read1m, thread1m, read10m, line1m, refresh, cache, first-cold, first-warm, line-cold, line-warm, validate, many,
    /// endurance [default: all]
    names: Vec<String>,
    /// Only these browsers: chromium, firefox, webkit [default: all]
    #[arg(long)]
    browser: Vec<String>,
    /// How many rounds, instead of as many as each needs to be steady
    #[arg(long)]
    rounds: Option<usize>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    // Before minutes of building, not after.
    let programs = setup::programs(Install::Allowed)?;
    let package = pack::run(&pack::Args { check: false })?;
    let modules = workspace::target("bench/modules");
    // Of the package only the entries can be imported, and what is compared is the validator alone.
    pack::modules(&modules)?;
    step("build jsonschema for wasm", || jsonschema(&modules))?;
    let pages = step("build the pages", || pages(&package, &modules))?;
    let mut bench = workspace::cargo();
    bench.args(["bench", "--package", "lastgood-tests", "--bench", "reader", "--"]).args(&args.names);
    bench.args(args.browser.iter().map(|browser| format!("--browser={browser}")));
    bench.args(args.rounds.map(|rounds| format!("--rounds={rounds}")));
    Ok(process::run(bench.env("LASTGOOD_BENCH_PAGES", pages).envs(programs))?)
}

/// Builds the pages on the packed npm package, as any site would, and returns where they are.
fn pages(package: &Package, modules: &Path) -> Result<PathBuf> {
    setup::node()?;
    let directory = workspace::path("tests/benches/reader/page");
    let out = workspace::target("bench/reader");
    npm::install_site(&directory, &package.tarball)?;
    let mut build = npm::npm(&directory);
    build.args(["run", "build", "--", "--emptyOutDir", "--outDir"]).arg(&out);
    process::run(build.env("LASTGOOD_BENCH_MODULES", modules))?;
    Ok(out)
}

/// Puts what lastgood's validator is compared with beside it: optimised for speed, out of a workspace of its own, since
/// nothing else here uses it.
fn jsonschema(directory: &Path) -> Result<()> {
    let target = workspace::target("bench/jsonschema");
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--locked", "--target", WASM_TARGET, "--manifest-path"]);
    build.arg(workspace::path("tests/benches/reader/jsonschema/Cargo.toml")).arg("--target-dir").arg(&target);
    process::run(&mut build)?;
    let module = target.join(WASM_TARGET).join("release/bench_jsonschema.wasm");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&module).out_name("jsonschema").web(true)?.omit_default_module_path(false);
    bindgen.generate(directory).context("wasm-bindgen refused the module of jsonschema")
}
