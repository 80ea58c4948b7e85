//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::adopt::Adopt;
use crate::cat::Cat;
use crate::completions::Completions;
use crate::diff::Diff;
use crate::doctor::Doctor;
use crate::gc::Gc;
use crate::history::History;
use crate::init::Init;
#[cfg(unix)]
use crate::lock::Lock;
use crate::man::Man;
use crate::publish::Publish;
use crate::purge::Purge;
use crate::recover::Recover;
use crate::remove::Remove;
use crate::rollback::Rollback;
use crate::serve::Serve;
use crate::status::Status;
use crate::types::Types;
use crate::verify::Verify;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, nothing changed
  2  usage: the command line or lastgood.toml is at fault
  3  input refused: a payload is missing, unreadable or breaks a rule; nothing changed
  4  locked: another publisher, or the marker of an older script; nothing changed
  5  feed damaged
  6  outcome unknown: `lastgood status` shows which commit is published
 70  a defect in lastgood: `lastgood status` shows which commit is published; please report it

The feed directory is --dir, else LASTGOOD_DIR, else `dir` in lastgood.toml, else ./data.
`lastgood status` and -v say which, and why. Options win over lastgood.toml; -v says what it sets.

The operation log of a feed, .lastgood/operations.jsonl, says who did what: LASTGOOD_WHO, else the user.

With --json, stdout has one JSON document, also for an error: {\"error\":{\"code\":…,\"message\":…,\"exit\":…}}.
Messages for people, warnings and logs go to stderr.";

/// Publish JSON datasets that a website reads straight from static hosting.
#[derive(Debug, Parser)]
#[command(name = "lastgood", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: AnyCommand,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The feed directory [default: LASTGOOD_DIR, else `dir` in lastgood.toml, else ./data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) dir: Option<PathBuf>,
    /// The configuration [default: LASTGOOD_CONFIG, else the nearest lastgood.toml at or above the working directory]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document on stdout instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// Log what is done on stderr; twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
    /// The form of log lines
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", help_heading = "Global options")]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line each, for people
    Text,
    /// One JSON object each, for machines
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnyCommand {
    #[command(flatten)]
    OnFeed(Command),
    Init(Init),
    Completions(Completions),
    Man(Man),
}

/// The commands that work on a feed, as the configuration has it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Publish(Box<Publish>),
    Rollback(Rollback),
    Remove(Remove),
    Purge(Purge),
    History(History),
    Cat(Cat),
    Diff(Diff),
    Status(Status),
    Types(Types),
    Verify(Verify),
    Recover(Recover),
    #[cfg(unix)]
    Lock(Lock),
    Adopt(Adopt),
    Doctor(Doctor),
    Gc(Gc),
    Serve(Serve),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
