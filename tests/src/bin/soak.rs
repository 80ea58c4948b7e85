//! `cargo xtask soak`: runs one part and says what it has found.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lastgood_tests::soak::races;

/// Look for what seldom happens, for as long as you like; prints what was done and the seed
#[derive(Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Cli {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    Races(races::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().part {
        Part::Races(args) => races::run(&args).map(|report| report.to_string()),
    };
    match done {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}
