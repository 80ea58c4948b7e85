//! `lastgood gc`

use std::fmt;
use std::time::Duration;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::config::value;
use lastgood::protocol::layout::FeedPath;
use lastgood::protocol::manifest::Generation;
use lastgood::{Collection, Retention};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::text::one_line;
use crate::waits::WaitOptions;
use crate::{Session, progress};

/// How many names that are none of ours are told.
const SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  lastgood gc --dry-run             (what would go, and how many bytes; changes nothing)
  lastgood gc --keep 100
  lastgood gc --keep 1 --grace 0s   (all that can go: only when nobody reads the feed)

What stays: the published generation; the --keep newest; as many again of those that the backups come
from, so that every dataset can be rolled back; those that were published within the --grace; all that
these name; and every object written within the --grace. May be interrupted and repeated at any point.";

/// Remove old generations and the objects that no other generation needs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Gc {
    /// How many of the newest generations stay [default: 20]
    #[arg(long, value_name = "N", value_parser = value::keep)]
    keep: Option<usize>,
    /// For how long readers and caches may hold what has been replaced [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    grace: Option<Duration>,
    /// Say what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    dry_run: bool,
    generation: u64,
    retained: Vec<u64>,
    generations: Vec<u64>,
    objects: Vec<&'a str>,
    bytes: u64,
    staging_removed: usize,
    unknown: &'a [String],
}

impl Gc {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let settings = self.waits.over(session.config.settings.clone());
        let feed = session.feed().with_settings(settings).with_cancellation(interrupt.check());
        let retention = self.over(session.config.retention);
        let collection = match self.dry_run {
            true => feed.gc_dry_run(&retention)?,
            false => self.metrics.measured(session, "gc", || {
                Ok(progress::spinning(session.watched, "collecting garbage", || feed.gc(&retention))?)
            })?,
        };
        let report = self.report(session, &collection);
        if self.dry_run {
            return session.output.answer(&report, Exit::Done);
        }
        session.output.report(&report);
        Ok(Exit::Done)
    }

    /// The options where they are given, else what is configured.
    fn over(&self, configured: Retention) -> Retention {
        Retention { keep: self.keep.unwrap_or(configured.keep), grace: self.grace.unwrap_or(configured.grace) }
    }

    fn report<'a>(&self, session: &Session, collection: &'a Collection) -> Report<'a> {
        let numbers = |generations: &[Generation]| generations.iter().map(|generation| generation.get()).collect();
        Report {
            dir: session.dir.path.display().to_string(),
            dry_run: self.dry_run,
            generation: collection.generation.get(),
            retained: numbers(&collection.retained),
            generations: numbers(&collection.generations),
            objects: collection.objects.iter().map(FeedPath::as_str).collect(),
            bytes: collection.bytes,
            staging_removed: collection.staging_removed,
            unknown: &collection.unknown,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (generations, objects, bytes) = (self.generations.len(), self.objects.len(), HumanBytes(self.bytes));
        let verb = if self.dry_run { "would remove" } else { "removed" };
        writeln!(f, "{verb} {generations} generation(s) and {objects} object(s), {bytes}")?;
        if self.dry_run {
            for generation in &self.generations {
                writeln!(f, "  history/{generation}.json")?;
            }
            for object in &self.objects {
                writeln!(f, "  {object}")?;
            }
        }
        if self.staging_removed > 0 {
            writeln!(f, "removed the staging of {} dead publisher(s)", self.staging_removed)?;
        }
        let retained = self.retained.len();
        writeln!(f, "{} retains {retained} generation(s); generation {} is published", self.dir, self.generation)?;
        for name in self.unknown.iter().take(SHOWN) {
            writeln!(f, "left alone: objects/{}, which is none of lastgood's", one_line(name))?;
        }
        match self.unknown.len().saturating_sub(SHOWN) {
            0 => {}
            more => writeln!(f, "left alone: {more} more, which --json lists")?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{AnyCommand, Cli, Command};

    #[test]
    fn without_options_what_is_configured_holds() {
        let parse = |arguments: &[&str]| match Cli::parse_from(arguments).command {
            AnyCommand::OnFeed(Command::Gc(gc)) => gc,
            _ => panic!("another command"),
        };
        let configured = Retention { keep: 3, grace: Duration::from_secs(5) };
        assert_eq!(parse(&["lastgood", "gc"]).over(configured), configured);
        let given = parse(&["lastgood", "gc", "--keep", "7", "--grace", "2s"]).over(configured);
        assert_eq!(given, Retention { keep: 7, grace: Duration::from_secs(2) });
    }
}
