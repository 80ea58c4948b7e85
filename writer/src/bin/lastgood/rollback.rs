//! `lastgood rollback`

use std::fmt;

use clap::Args;
use lastgood::config::value::{self, Limit};
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::DatasetName;
use lastgood::{Rollback as Done, RollbackExpiry, Settings};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::publish::compression::CompressionOptions;
use crate::publish::report::Report as Published;
use crate::waits::WaitOptions;
use crate::{Session, output, progress, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood rollback performance                     (to the payload before the current one)
  lastgood rollback performance transactions --to 41   (both as they were in generation 41)
  lastgood history performance                      (what there is to go back to)

A rollback is a publish: it makes a new generation, and all datasets change together or
none. When someone publishes one of them meanwhile, nothing changes (exit code 1).";

/// Publish old payloads again, under a new generation
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Rollback {
    /// The datasets
    #[arg(required = true, value_name = "NAME")]
    names: Vec<DatasetName>,
    /// To what they were in this generation [default: the payload of each before its current one]
    #[arg(long, value_name = "GENERATION")]
    to: Option<Generation>,

    /// How long readers may take these datasets for current, such as 26h, or never [default: until the end that they had]
    #[arg(long, value_name = "TIME", value_parser = value::lifetime)]
    expires_in: Option<Limit>,

    #[command(flatten)]
    waits: WaitOptions,

    /// No plain copies (NAME.json, NAME_backup.json) of these datasets; those that are there are removed
    #[arg(long)]
    no_plain_copies: bool,
    #[command(flatten)]
    compression: CompressionOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    published: Published<'a>,
    restored: Vec<Restored<'a>>,
}

#[derive(Serialize)]
struct Restored<'a> {
    dataset: &'a str,
    generation: u64,
    published_at: String,
}

impl Rollback {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = session
            .feed()
            .with_settings(self.over(session.config.settings.clone()))
            .with_cancellation(interrupt.check());
        let done = self.metrics.measured(session, "rollback", || {
            let done = progress::spinning(session.watched, "rolling back", || feed.rollback(&self.names, self.to));
            done.map_err(|error| unknown::explained(&feed, error))
        })?;
        for warning in &done.publication.warnings {
            output::warn(warning);
        }
        session.output.report(&Report::new(session, &done));
        Ok(Exit::Done)
    }

    /// The options where they are given, else what is configured.
    fn over(&self, configured: Settings) -> Settings {
        let waiting = self.waits.over(configured);
        Settings {
            compression: self.compression.over(waiting.compression),
            plain_copies: waiting.plain_copies && !self.no_plain_copies,
            rollback_expiry: self.expires_in.map_or(RollbackExpiry::AsItWas, |limit| RollbackExpiry::In(limit.0)),
            ..waiting
        }
    }
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, done: &'a Done) -> Self {
        let restored = done.restored.iter().map(|restored| Restored {
            dataset: restored.dataset.as_str(),
            generation: restored.generation.get(),
            published_at: restored.published_at.to_string(),
        });
        Self { published: Published::new(&session.dir, &done.publication), restored: restored.collect() }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.published.fmt(f)?;
        for Restored { dataset, generation, published_at } in &self.restored {
            writeln!(f, "{dataset} is again what it was in generation {generation} (published at {published_at})")?;
        }
        Ok(())
    }
}
