//! The `lastgood` command: one file per command; this one glues them together.

mod args;
mod cat;
mod dir;
mod doctor;
mod exit;
mod gc;
mod history;
mod input;
mod interrupt;
mod log;
mod metrics;
mod output;
mod progress;
mod publish;
mod recover;
mod rollback;
mod serve;
mod status;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::dir::FeedDir;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What every command works with.
struct Session {
    dir: FeedDir,
    output: Output,
    /// Whether progress may be drawn: a person watches, and no log lines get in between.
    watched: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return output::usage(&answer).into(),
    };
    let output = Output { json: cli.global.json };
    let exit = run(cli, output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit()
    });
    exit.into()
}

fn run(cli: Cli, output: Output) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    log::start(global.verbose, global.log_format);
    let dir = FeedDir::find(global.dir)?;
    tracing::info!(dir = %dir.path.display(), "the feed directory, {}", dir.origin);
    let session = Session { dir, output, watched: global.verbose == 0 && !global.json };
    let ended = match command {
        Command::Publish(publish) => publish.run(&session),
        Command::Rollback(rollback) => rollback.run(&session),
        Command::History(history) => history.run(&session),
        Command::Cat(cat) => cat.run(&session),
        Command::Status(status) => status.run(&session),
        Command::Verify(verify) => verify.run(&session),
        Command::Recover(recover) => recover.run(&session),
        Command::Doctor(doctor) => doctor.run(&session),
        Command::Gc(gc) => gc.run(&session),
        Command::Serve(serve) => serve.run(&session),
    };
    ended.map_err(|failure| failure.in_dir(&session.dir))
}
