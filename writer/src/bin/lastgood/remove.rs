//! `lastgood remove`

use std::fmt;

use clap::Args;
use lastgood::protocol::name::DatasetName;
use lastgood::{Settings, Withdrawal};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::publish::report::Report as Published;
use crate::waits::WaitOptions;
use crate::{Session, output, progress, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood remove forecast
  lastgood remove forecast chart            (both, or neither)
  lastgood rollback forecast --to 41        (publish again what it was)

Readers say that it was withdrawn (`not-found`). What it had stays in objects/ and history/, where it can be rolled back to,
until `lastgood gc` collects it. What nobody may have any more: `lastgood purge`.";

/// Take datasets out of the feed: all of them in one generation, or none
///
/// Their plain copies, backups and lock markers go. A publish under the name brings a dataset back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Remove {
    /// The datasets
    #[arg(required = true, value_name = "NAME")]
    names: Vec<DatasetName>,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    published: Published<'a>,
    withdrawn: Vec<&'a str>,
}

impl Remove {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let settings: Settings = self.waits.over(session.config.settings.clone());
        let feed = session.feed().with_settings(settings).with_cancellation(interrupt.check());
        let done = self.metrics.measured(session, "remove", || {
            let done = progress::spinning(session.watched, "removing", || feed.remove(&self.names));
            done.map_err(|error| unknown::explained(&feed, error))
        })?;
        for warning in &done.publication.warnings {
            output::warn(warning);
        }
        session.output.report(&Report::new(session, &done));
        Ok(Exit::Done)
    }
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, done: &'a Withdrawal) -> Self {
        let withdrawn = done.datasets.iter().map(DatasetName::as_str).collect();
        Self { published: Published::new(&session.dir, &done.publication), withdrawn }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.published.fmt(f)?;
        self.withdrawn.iter().try_for_each(|name| writeln!(f, "  {name} is withdrawn"))
    }
}
