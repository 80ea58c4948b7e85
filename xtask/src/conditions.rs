//! `cargo xtask conditions`: the real binary where things go wrong, tried thoroughly.
//!
//! `cargo xtask test` runs the same tests on a share of the points, another one each time.

use std::process::Command;

use anyhow::Result;

use crate::{
    demo, process,
    setup::{self, Install},
    workspace,
};

/// Let each system call of the binary fail or be its last, and kill it at random moments while others read
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many kills at random moments
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// How many points (a system call and what becomes of it) of each command are tried, or "all"
    #[arg(long, default_value = "all")]
    points: String,
    /// Choose the same moments and points again
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs both and prints what was tried.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::conditions(Install::Allowed)?;
    let binary = demo::build_binary()?;
    let seed = args.seed.map(|seed| ("LASTGOOD_TEST_SEED", seed.to_string()));
    let common = |command: &mut Command| {
        command.env("LASTGOOD_TEST_BINARY", &binary).envs(seed.clone());
        Ok(process::run(command)?)
    };
    let mut kills = test("process", &["random", "--", "--show-output"]);
    common(kills.env("LASTGOOD_TEST_KILLS", args.kills.to_string()))?;
    let mut points = test("conditions", &["--", "--show-output"]);
    common(points.env("LASTGOOD_TEST_POINTS", &args.points))
}

/// The same tests on a share of the points.
pub(crate) fn sample(binary: &std::path::Path) -> Result<()> {
    Ok(process::run(test("conditions", &[]).env("LASTGOOD_TEST_BINARY", binary))?)
}

fn test(target: &str, arguments: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(["test", "--package", "lastgood-tests", "--test", target]).args(arguments);
    command
}
