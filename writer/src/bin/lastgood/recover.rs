//! `lastgood recover`

use std::fmt;

use clap::Args;
use lastgood::Recovery;
use lastgood::protocol::layout::FeedPath;
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::{Session, progress};

/// Put the feed in order after a crash, or after someone has changed its files
///
/// Rebuilds plain copies, backups, last_update.txt and the history from the manifest, removes the lock markers and the
/// staging of dead publishers, and puts a missing or damaged manifest back from the history. Every publish does what is
/// needed of this by itself. May be interrupted and repeated at any point.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    generation: Option<u64>,
    manifest_restored: bool,
    rebuilt: Vec<&'a str>,
    markers_removed: bool,
    staging_removed: usize,
}

impl Recover {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let recovery = self.metrics.measured(session, "recover", || {
            let setup = |source| Failure::Setup { what: "the handling of signals", source };
            let interrupt = Interrupt::watch().map_err(setup)?;
            let feed = session.feed().with_cancellation(interrupt.check());
            Ok(progress::spinning(session.watched, "putting the feed in order", || feed.recover())?)
        })?;
        session.output.report(&Report::new(session, &recovery));
        Ok(Exit::Done)
    }
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, recovery: &'a Recovery) -> Self {
        Self {
            dir: session.dir.path.display().to_string(),
            generation: recovery.generation.map(|generation| generation.get()),
            manifest_restored: recovery.manifest_restored,
            rebuilt: recovery.rebuilt.iter().map(FeedPath::as_str).collect(),
            markers_removed: recovery.markers_removed,
            staging_removed: recovery.staging_removed,
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done = Vec::new();
        if self.manifest_restored {
            done.push("put manifest.json back from the history".to_owned());
        }
        done.extend(self.rebuilt.iter().map(|path| format!("rebuilt {path}")));
        if self.markers_removed {
            done.push("removed the lock markers of a dead publisher".to_owned());
        }
        if self.staging_removed > 0 {
            done.push(format!("removed the staging of {} dead publisher(s)", self.staging_removed));
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
