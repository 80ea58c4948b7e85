//! `cargo xtask soak`: long runs against what is built for release, looking for what seldom happens.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    pack, process,
    progress::step,
    setup::{self, Install},
    workspace,
};

/// Look for what seldom happens, for as long as you like; prints what was done and the seed
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What to run and how; `help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds everything for release and hands the arguments on to the `soak` program of `lastgood-tests`.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::node()?;
    let programs = setup::programs(Install::Allowed)?;
    let package = pack::run(&pack::Args { check: false })?;
    step("build for release", || {
        process::run(workspace::cargo().args(["build", "--release", "--package", "lastgood"]))?;
        Ok(process::run(workspace::cargo().args([
            "build",
            "--release",
            "--package",
            "lastgood-tests",
            "--bin",
            "soak",
        ]))?)
    })?;
    let mut soak = std::process::Command::new(workspace::target("release/soak"));
    soak.args(&args.arguments)
        .env("LASTGOOD_TEST_BINARY", workspace::target("release/lastgood"))
        .env("LASTGOOD_TEST_PACKAGE", &package.directory)
        .envs(programs);
    Ok(process::run(&mut soak)?)
}
