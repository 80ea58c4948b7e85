//! `cargo xtask bench`: figures, as ratios measured side by side in one run.

mod reader;

use anyhow::Result;
use clap::Subcommand;

use crate::{process, setup, workspace};

/// Measure, side by side with what it replaces; nothing here is a test
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Publishing: against a bare durable replacement, Python and npm, in bulk, from many processes, in large feeds
    Writer {
        /// Only these: publish, process, marker, writers, many, verify, large, csv [default: all]
        names: Vec<String>,
        /// How many rounds, instead of as many as each needs to be steady
        #[arg(long)]
        rounds: Option<usize>,
    },
    /// Reading, in real browsers: against fetch, hand-written verification, query libraries and a hand-written script
    Reader(reader::Args),
}

/// Runs the benchmarks and prints their tables.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.part {
        Part::Writer { names, rounds } => writer(names, *rounds),
        Part::Reader(args) => reader::run(args),
    }
}

fn writer(names: &[String], rounds: Option<usize>) -> Result<()> {
    // npm's write-file-atomic and Python are among the contestants.
    setup::node()?;
    setup::python(setup::Install::Allowed)?;
    let rounds = rounds.map(|rounds| rounds.to_string());
    let mut bench = workspace::cargo();
    bench.args(["bench", "--package", "lastgood", "--bench", "writer", "--"]).args(names).args(rounds);
    Ok(process::run(&mut bench)?)
}
