//! `lastgood recover`

use std::fmt;

use clap::Args;
use lastgood::Recovery;
use lastgood::protocol::layout::FeedPath;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::{Session, output, progress};

const EXAMPLES: &str = "\
Examples:
  lastgood recover
  lastgood recover --new-feed   (after the directory was restored from an old copy)

Readers refuse a generation below the highest that they have seen of a feed: it may be a replay. A feed that was restored
from an old copy would look like one until it has caught up. --new-feed draws a new feed id in a generation of its own,
which changes no dataset; readers then take it for another feed and begin anew. Publish afterwards what is out of date.";

/// Put the feed in order after a crash, or after someone has changed its files
///
/// Rebuilds plain copies, backups, last_update.txt and the history from the manifest, removes the lock markers and the
/// staging of dead publishers, and puts a missing or damaged manifest back from the history. Every publish does what is
/// needed of this by itself. May be interrupted and repeated at any point.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Recover {
    /// Give the feed a new identity, after it was restored from an old copy
    #[arg(long)]
    new_feed: bool,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_feed: Option<String>,
    manifest_restored: bool,
    rebuilt: Vec<&'a str>,
    markers_removed: bool,
    staging_removed: usize,
    purged: Vec<&'a str>,
}

impl Recover {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = session.feed().with_cancellation(interrupt.check());
        if !self.new_feed {
            let recovery = self.metrics.measured(session, "recover", || {
                Ok(progress::spinning(session.watched, "putting the feed in order", || feed.recover())?)
            })?;
            session.output.report(&Report::new(session, &recovery));
            return Ok(Exit::Done);
        }
        let mut recovery = Recovery::default();
        let publication = self.metrics.measured(session, "recover", || {
            let (found, publication) =
                progress::spinning(session.watched, "putting the feed in order", || feed.recover_as_new_feed())?;
            recovery = found;
            Ok(publication)
        })?;
        for warning in &publication.warnings {
            output::warn(warning);
        }
        let report = Report::new(session, &recovery);
        let generation = Some(publication.generation.get());
        session.output.report(&Report { generation, new_feed: Some(publication.feed.to_string()), ..report });
        Ok(Exit::Done)
    }
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, recovery: &'a Recovery) -> Self {
        Self {
            dir: session.dir.path.display().to_string(),
            generation: recovery.generation.map(|generation| generation.get()),
            new_feed: None,
            manifest_restored: recovery.manifest_restored,
            rebuilt: recovery.rebuilt.iter().map(FeedPath::as_str).collect(),
            markers_removed: recovery.markers_removed,
            staging_removed: recovery.staging_removed,
            purged: recovery.purged.iter().map(FeedPath::as_str).collect(),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done = Vec::new();
        if self.manifest_restored {
            done.push("put manifest.json back from the history".to_owned());
        }
        done.extend(self.purged.iter().map(|path| format!("removed {path}, which was purged")));
        done.extend(self.rebuilt.iter().map(|path| format!("rebuilt {path}")));
        if self.markers_removed {
            done.push("removed the lock markers of a dead publisher".to_owned());
        }
        if self.staging_removed > 0 {
            done.push(format!("removed the staging of {} dead publisher(s)", self.staging_removed));
        }
        if let Some(feed) = &self.new_feed {
            done.push(format!("drew the new feed id {feed}"));
        }
        if done.is_empty() {
            done.push("nothing was to be put in order".to_owned());
        }
        writeln!(f, "{}", done.join("\n"))?;
        match self.generation {
            Some(generation) => writeln!(f, "{} has generation {generation}", self.dir),
            None => writeln!(f, "{} has no generation yet", self.dir),
        }
    }
}
