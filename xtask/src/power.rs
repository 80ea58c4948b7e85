//! `cargo xtask power`: the power is cut, in simulation, at every moment of every operation, and every system call fails.
//!
//! `cargo xtask test` goes through part of it each time.

use anyhow::Result;

use crate::{process, workspace};

/// Cut the power at every moment, in simulation, with everything that a file system may then have kept; takes hours
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only one part: one_cut, two_cuts, cuts_by_chance or every_call_fails
    part: Option<String>,
    /// Only cuts of operations and models with this in their names, as they are printed
    #[arg(long)]
    only: Option<String>,
    /// How many series of cuts by chance
    #[arg(long, default_value_t = 100_000)]
    samples: u64,
    /// Begin the chances with this seed
    #[arg(long)]
    seed: Option<u64>,
}

/// Goes through all of it and prints what was gone through.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut test = workspace::cargo();
    test.args(["test", "--release", "--package", "lastgood", "--test", "power", "--"]);
    test.args(&args.part).arg("--show-output");
    test.env("LASTGOOD_TEST_POWER", "all").env("LASTGOOD_TEST_POWER_SAMPLES", args.samples.to_string());
    test.envs(args.only.as_ref().map(|only| ("LASTGOOD_TEST_POWER_ONLY", only)));
    test.envs(args.seed.map(|seed| ("LASTGOOD_TEST_POWER_SEED", seed.to_string())));
    Ok(process::run(&mut test)?)
}
