//! `lastgood recover`

use std::fmt;

use clap::Args;
use lastgood::protocol::layout::FeedPath;
use lastgood::{OldCopy, Publication, Recovery};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::{Session, output, progress};

const EXAMPLES: &str = "\
Examples:
  lastgood recover
  lastgood recover --accept-older   (after the directory was restored from an old copy: go on with it)
  lastgood recover --new-feed       (the same as another feed, with which readers begin anew)

Readers refuse a generation below the highest that they have seen of a feed: it may be a replay. So nothing is published into
a feed that was restored from an old copy before someone decides. --accept-older publishes what it has once more, in a
generation of its own above all that there have been: readers take it for the newest. --new-feed does the same under a new
feed id: readers take it for another feed, and forget what they have of the old one. Where nothing says any more what was
published, it begins an empty feed. Both change no dataset. Publish afterwards what is out of date.

The exit code is 5 when the feed is in order, but was restored from an old copy, and neither option was given.";

/// Put the feed in order after a crash, or after someone has changed its files
///
/// Rebuilds plain copies, backups, last_update.txt and the history from the manifest, removes the lock markers and the
/// staging of dead publishers, puts a missing or damaged manifest back from the history, missing objects from plain copies
/// and backups, and makes directories that are missing. Every publish does what is needed of this by itself. May be
/// interrupted and repeated at any point.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Recover {
    /// Give the feed a new identity, after it was restored from an old copy
    #[arg(long, conflicts_with = "accept_older")]
    new_feed: bool,
    /// Go on with a feed that was restored from an old copy, above all generations that it has had
    #[arg(long)]
    accept_older: bool,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    generation: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_feed: Option<String>,
    /// Whether a generation of its own has made an old copy the newest.
    accepted: bool,
    made: Vec<&'a str>,
    manifest_restored: bool,
    objects: Vec<&'a str>,
    rebuilt: Vec<&'a str>,
    markers_removed: bool,
    staging_removed: usize,
    purged: Vec<&'a str>,
    /// The generation that is known to have been published, where a lower one is now.
    old_copy_of: Option<u64>,
    /// What can be done about that, in words.
    way_out: Vec<String>,
}

impl Recover {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let feed = session.feed().with_cancellation(interrupt.check());
        let work = "putting the feed in order";
        if self.new_feed {
            let mut recovery = Recovery::default();
            let publication = self.metrics.measured(session, "recover", || {
                let (found, publication) = progress::spinning(session.watched, work, || feed.recover_as_new_feed())?;
                recovery = found;
                Ok(publication)
            })?;
            publication.warnings.iter().for_each(|warning| output::warn(warning));
            let report = Report::new(session, &recovery).committed(&publication);
            session.output.report(&Report { new_feed: Some(publication.feed.to_string()), ..report });
            return Ok(Exit::Done);
        }
        let mut accepted = None;
        let recovery = self.metrics.measured(session, "recover", || {
            if !self.accept_older {
                return Ok(progress::spinning(session.watched, work, || feed.recover())?);
            }
            let (found, publication) = progress::spinning(session.watched, work, || feed.recover_accepting_older())?;
            accepted = publication;
            Ok(found)
        })?;
        let report = Report::new(session, &recovery);
        if let Some(publication) = accepted {
            publication.warnings.iter().for_each(|warning| output::warn(warning));
            session.output.report(&Report { accepted: true, ..report.committed(&publication) });
            return Ok(Exit::Done);
        }
        if self.accept_older {
            output::warn(&"the feed was not restored from an old copy: nothing was to be accepted");
        }
        if report.old_copy_of.is_some() {
            return session.output.answer(&report, Exit::Damaged);
        }
        session.output.report(&report);
        Ok(Exit::Done)
    }
}

impl<'a> Report<'a> {
    /// After a commit that has settled what was to be decided.
    fn committed(self, publication: &Publication) -> Self {
        Self { generation: Some(publication.generation.get()), old_copy_of: None, way_out: Vec::new(), ..self }
    }

    fn new(session: &'a Session, recovery: &'a Recovery) -> Self {
        Self {
            dir: session.dir.path.display().to_string(),
            generation: recovery.generation.map(|generation| generation.get()),
            new_feed: recovery.new_feed.map(|feed| feed.to_string()),
            accepted: false,
            made: recovery.made.iter().map(String::as_str).collect(),
            objects: recovery.objects.iter().map(FeedPath::as_str).collect(),
            old_copy_of: recovery.old_copy.map(|old_copy| old_copy.known.get()),
            way_out: recovery.old_copy.map_or_else(Vec::new, |old_copy| old_copy_ways(&old_copy, session)),
            manifest_restored: recovery.manifest_restored,
            rebuilt: recovery.rebuilt.iter().map(FeedPath::as_str).collect(),
            markers_removed: recovery.markers_removed,
            staging_removed: recovery.staging_removed,
            purged: recovery.purged.iter().map(FeedPath::as_str).collect(),
        }
    }
}

/// What can be done about an old copy, in words.
pub(crate) fn old_copy_ways(old_copy: &OldCopy, session: &Session) -> Vec<String> {
    let dir = session.dir.path.display().to_string();
    vec![
        "put the later files back".to_owned(),
        format!("go on with the old copy as the next generation: `{}`", old_copy.accept(&dir)),
        format!("make it another feed, with which readers begin anew: `{}`", old_copy.renew(&dir)),
    ]
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done: Vec<String> = self.made.iter().map(|path| format!("made {path} again")).collect();
        if self.manifest_restored {
            done.push("put manifest.json back from the history".to_owned());
        }
        done.extend(self.purged.iter().map(|path| format!("removed {path}, which was purged")));
        done.extend(self.objects.iter().map(|path| format!("put back {path}")));
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
        if self.accepted {
            done.push("published the old copy once more, above all generations that there have been".to_owned());
        }
        if done.is_empty() {
            done.push("nothing was to be put in order".to_owned());
        }
        writeln!(f, "{}", done.join("\n"))?;
        match self.generation {
            Some(generation) => writeln!(f, "{} has generation {generation}", self.dir)?,
            None => writeln!(f, "{} has no generation yet", self.dir)?,
        }
        if let Some(known) = self.old_copy_of {
            writeln!(
                f,
                "generation {known} has been published: this is an old copy, and nothing can be published before that is decided"
            )?;
        }
        self.way_out.iter().try_for_each(|way| writeln!(f, "way out: {way}"))
    }
}
