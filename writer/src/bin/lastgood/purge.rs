//! `lastgood purge`

use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout::FeedPath;
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::DatasetName;
use lastgood::{Purge as Wanted, Purged, Settings};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::waits::WaitOptions;
use crate::{Session, output, progress, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood purge customers --generation 41     (the payload that it had then)
  lastgood purge customers --all-before 41     (all that it had before, and has not had since)
  lastgood purge customers --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  lastgood history customers                   (which generations had what)

What is published cannot be purged: replace it first (`lastgood publish`, `lastgood rollback`), or `lastgood remove` it.
Readers drop their copies at their next look. What CDNs, browsers' own caches and backups still hold, and what to do about it:
docs/operate/personal-data.md.";

/// Take payloads that were published before off the server, now
///
/// Objects, compressed files, plain copies and backups go at once, whatever retains them. A new generation says that they were
/// purged: `verify` does not miss them, `rollback` does not bring them back, and readers drop their copies. The operation log says
/// who did it. May be interrupted and repeated at any point.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Purge {
    /// The dataset
    name: DatasetName,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The payload that it had in this generation, which must be retained
    #[arg(long, value_name = "N")]
    generation: Option<Generation>,
    /// The payload with this SHA-256, also if nothing retained has it: so that readers drop it
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256>,
    /// All payloads that it had in retained generations before this one, and in none since
    #[arg(long, value_name = "N")]
    all_before: Option<Generation>,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    dataset: &'a str,
    generation: u64,
    /// The commit that says so; none when a manifest said so already.
    commit: Option<String>,
    purged: Vec<String>,
    removed: Vec<&'a str>,
    bytes: u64,
    left: &'a [String],
    recovered: bool,
}

impl Purge {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let interrupt = Interrupt::watch().map_err(setup)?;
        let settings: Settings = self.waits.over(session.config.settings.clone());
        let feed = session.feed().with_settings(settings).with_cancellation(interrupt.check());
        let done = self.metrics.measured(session, "purge", || {
            let done = progress::spinning(session.watched, "purging", || feed.purge(&self.name, self.what.wanted()));
            done.map_err(|error| unknown::explained(&feed, error))
        })?;
        for warning in done.publication.iter().flat_map(|publication| &publication.warnings) {
            output::warn(warning);
        }
        for problem in &done.removal.left {
            output::warn(&format_args!("not everything is gone: {problem}; `lastgood recover` removes what is left"));
        }
        if self.what.sha256.is_some() && done.publication.is_some() && done.removal.removed.is_empty() {
            output::warn(&format_args!(
                "no file of the feed had this SHA-256; readers that have it drop it; if it is mistyped, `lastgood history {} \
                 --json` has the right one",
                self.name
            ));
        }
        session.output.report(&self.report(session, &done));
        Ok(if done.removal.left.is_empty() { Exit::Done } else { Exit::Failed })
    }

    fn report<'a>(&'a self, session: &Session, done: &'a Purged) -> Report<'a> {
        Report {
            dir: session.dir.path.display().to_string(),
            dataset: self.name.as_str(),
            generation: done.generation.get(),
            commit: done.publication.as_ref().map(|publication| publication.commit.to_string()),
            purged: done.digests.iter().map(Sha256::to_string).collect(),
            removed: done.removal.removed.iter().map(FeedPath::as_str).collect(),
            bytes: done.removal.bytes,
            left: &done.removal.left,
            recovered: done.recovery.did_something(),
        }
    }
}

impl What {
    fn wanted(&self) -> Wanted {
        let generation = self.generation.map(Wanted::Generation);
        let sha256 = self.sha256.map(Wanted::Sha256);
        let all_before = self.all_before.map(Wanted::AllBefore);
        generation.or(sha256).or(all_before).expect("one of the three is required")
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, dataset, generation, commit, purged, removed, bytes, .. } = self;
        if self.recovered {
            writeln!(f, "put in order what an interrupted publish had left")?;
        }
        match (commit, purged.len()) {
            (_, 0) => writeln!(f, "there is nothing to be purged of {dataset}")?,
            (Some(_), count) => writeln!(
                f,
                "published generation {generation} in {dir}, which says that {count} payload(s) of {dataset} are purged"
            )?,
            (None, count) => writeln!(f, "{dir} has said before that {count} payload(s) of {dataset} are purged")?,
        }
        writeln!(f, "removed {} file(s), {}", removed.len(), HumanBytes(*bytes))?;
        removed.iter().try_for_each(|path| writeln!(f, "  {path}"))
    }
}
