//! The `lastgood` command: one file per command; this one glues them together.

mod adopt;
mod args;
mod cat;
mod completions;
mod defect;
mod diff;
mod dir;
mod doctor;
mod exit;
mod files;
mod gc;
mod history;
mod init;
mod input;
mod interrupt;
#[cfg(unix)]
mod lock;
mod log;
mod man;
mod metrics;
mod output;
mod progress;
mod publish;
mod purge;
mod recover;
mod remote;
mod remove;
mod rollback;
mod serve;
mod status;
mod text;
mod types;
mod unknown;
mod verify;
mod waits;

use std::process::ExitCode;

use clap::Parser;
use lastgood::Feed;
use lastgood::config::Config;
use lastgood::storage::PosixStorage;

use crate::args::{AnyCommand, Cli, Command};
use crate::dir::FeedDir;
use crate::exit::Failure;
use crate::output::Output;

/// Under whose lock this process runs, if it does: `lastgood lock` tells the commands that it runs.
const LOCK_VARIABLE: &str = "LASTGOOD_LOCK";

/// What every command works with.
struct Session {
    dir: FeedDir,
    config: Config,
    output: Output,
    /// Whether progress may be drawn: a person watches, and no log lines get in between.
    watched: bool,
}

impl Session {
    /// The feed as the configuration has it. A command puts its own options on top of these settings.
    fn feed(&self) -> Feed {
        let storage = PosixStorage::new(&self.dir.path, self.config.modes);
        Feed::on(storage).with_settings(self.config.settings.clone())
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return output::usage(&answer).into(),
    };
    let output = Output { json: cli.global.json };
    defect::told(|| run(cli, output)).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit().into()
    })
}

fn run(cli: Cli, output: Output) -> Result<ExitCode, Failure> {
    let Cli { global, command } = cli;
    log::start(global.verbose, global.log_format);
    let command = match command {
        AnyCommand::OnFeed(command) => command,
        AnyCommand::Init(init) => return init.run(&global, output).map(ExitCode::from),
        AnyCommand::Completions(completions) => return completions.run(output).map(ExitCode::from),
        AnyCommand::Man(man) => return man.run(output).map(ExitCode::from),
    };
    let mut config = dir::config(global.config.as_deref())?;
    // The holder's token has only digits and letters; another text is that of no holder.
    config.settings.under_lock = dir::variable(LOCK_VARIABLE)?.map(|token| token.to_string_lossy().into_owned());
    let dir = FeedDir::find(global.dir, &config)?;
    tracing::info!(dir = %dir.path.display(), "the feed directory, {}", dir.origin);
    if let Some(file) = &config.file {
        let (keys, options) = (config.given.join(" "), given_options());
        tracing::info!(file = %file.display(), keys, options, "the configuration; options win over it");
    }
    // The doctor tells of it as one of its findings; what is read at an address has nothing to do with it.
    let elsewhere = match &command {
        Command::Doctor(_) => true,
        Command::Cat(cat) => cat.is_remote(),
        Command::Status(status) => status.is_remote(),
        Command::Types(types) => types.is_remote(),
        _ => false,
    };
    if !elsewhere {
        dir.check()?;
    }
    let session = Session { dir, config, output, watched: global.verbose == 0 && !global.json };
    let ended = match command {
        #[cfg(unix)]
        Command::Lock(lock) => return lock.run(&session).map_err(|failure| failure.in_dir(&session.dir)),
        Command::Publish(publish) => publish.run(&session),
        Command::Rollback(rollback) => rollback.run(&session),
        Command::Remove(remove) => remove.run(&session),
        Command::Purge(purge) => purge.run(&session),
        Command::History(history) => history.run(&session),
        Command::Cat(cat) => cat.run(&session),
        Command::Diff(diff) => diff.run(&session),
        Command::Status(status) => status.run(&session),
        Command::Types(types) => types.run(&session),
        Command::Verify(verify) => verify.run(&session),
        Command::Recover(recover) => recover.run(&session),
        Command::Adopt(adopt) => adopt.run(&session),
        Command::Doctor(doctor) => doctor.run(&session),
        Command::Gc(gc) => gc.run(&session),
        Command::Serve(serve) => serve.run(&session),
    };
    ended.map(ExitCode::from).map_err(|failure| failure.in_dir(&session.dir))
}

/// The names of the options on the command line, for the log.
fn given_options() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments = arguments.take_while(|argument| argument != "--");
    let names = arguments.filter(|argument| argument.starts_with("--"));
    names.map(|name| name.split('=').next().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
}
