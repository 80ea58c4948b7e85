//! `cargo xtask packaging`: the packed npm package in projects as its users have them, with their bundlers, frameworks and runtimes.

use std::path::PathBuf;

use anyhow::Result;

use crate::{pack, process, setup, workspace};

/// Build the npm package, then install it in small projects, build them, start them, and read with them in a browser
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also those that `cargo xtask test` leaves out: older versions, and frameworks around a bundler that is tried anyway
    #[arg(long)]
    all: bool,
    /// Only tests whose names contain one of these: vite, angular, bun … [default: all]
    names: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let programs = setup::programs(setup::Install::Allowed)?;
    let package = pack::run(&pack::Args { check: false })?;
    tests(&package, &programs, args)
}

/// The share of it that `cargo xtask test` does.
pub(crate) fn share(package: &pack::Package, programs: &[(&'static str, PathBuf)]) -> Result<()> {
    tests(package, programs, &Args { all: false, names: Vec::new() })
}

fn tests(package: &pack::Package, programs: &[(&'static str, PathBuf)], args: &Args) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["test", "--package", "lastgood-tests", "--test", "packaging", "--"])
        .args(args.all.then_some("--include-ignored"))
        .args(&args.names)
        .env("LASTGOOD_TEST_PACKAGE", &package.directory)
        .env("LASTGOOD_TEST_TARBALL", &package.tarball)
        .envs(programs.iter().map(|(name, program)| (name, program)));
    Ok(process::run(&mut cargo)?)
}
