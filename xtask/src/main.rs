//! The tasks of this repository: `cargo xtask demo | test | conditions | power | mutants | soak | fuzz | bench | pack | packaging | dist | lint | audit`.

// `clippy.toml` keeps file-system mutation out of everything but the writer's
// storage module, because published bytes must be durable. What is written
// here (`target/`, tool stamps, a table in a README) may be lost at any time
// and made again.
#![allow(clippy::disallowed_methods)]

mod audit;
mod bench;
mod conditions;
mod demo;
mod dist;
mod fuzz;
mod lint;
mod mutants;
mod npm;
mod pack;
mod packaging;
mod power;
mod process;
mod progress;
mod setup;
mod soak;
mod test;
mod workspace;
mod www;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::ProcessError;

/// The tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Demo(demo::Args),
    Test(test::Args),
    Bench(bench::Args),
    Conditions(conditions::Args),
    Power(power::Args),
    Mutants(mutants::Args),
    Soak(soak::Args),
    Fuzz(fuzz::Args),
    Pack(pack::Args),
    Packaging(packaging::Args),
    Dist(dist::Args),
    Lint(lint::Args),
    Audit(audit::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = process::forward_interrupts().and_then(|()| match cli.task {
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Conditions(args) => conditions::run(&args),
        Task::Power(args) => power::run(&args),
        Task::Mutants(args) => mutants::run(&args),
        Task::Soak(args) => soak::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Pack(args) => pack::run(&args).map(drop),
        Task::Packaging(args) => packaging::run(&args),
        Task::Dist(args) => dist::run(&args),
        Task::Lint(args) => lint::run(&args),
        Task::Audit(args) => audit::run(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_interruption(&error) => {
            eprintln!("interrupted");
            // 128 + SIGINT, what a shell reports for a command ended by Ctrl-C.
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_interruption(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<ProcessError>(), Some(ProcessError::Interrupted)))
}
