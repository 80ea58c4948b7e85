//! `lastgood verify`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::protocol::layout::{self, FeedPath};
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::DatasetName;
use lastgood::{Problem as FeedProblem, Progress, Repair, Verification};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
use crate::recover::old_copy_ways;
use crate::waits::WaitOptions;
use crate::{Session, progress};

const EXAMPLES: &str = "\
Examples:
  lastgood verify             (exit code 5 when something is damaged)
  lastgood verify --repair    (exit code 5 when something still is)

--repair rebuilds plain copies, backups, last_update.txt, the history's copy of the published manifest and compressed
siblings, puts a lost manifest back from the history, and damaged objects from a plain copy, a backup or a sibling that is
intact. Nothing is put in place that does not have the SHA-256 that a manifest asks for.";

/// Read everything that is published and compare it with what it should be
///
/// Reads the manifest, the retained manifests, every object that they name with its compressed siblings, and every plain
/// copy. Without --repair it changes nothing and needs no lock. Lists each problem, and what can be done.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// Put in order what can be, under the writer's lock
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    generation: u64,
    intact: Option<u64>,
    files: u64,
    bytes: u64,
    problems: Vec<Problem<'a>>,
    /// The published datasets whose payload or schema is not intact.
    lost: Vec<Lost<'a>>,
    /// The generation that is known to have been published, where a lower one is now.
    old_copy_of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<Repaired<'a>>,
    /// What can be done, in words.
    way_out: Vec<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    path: &'a str,
    problem: String,
    generations: Vec<u64>,
    datasets: Vec<&'a str>,
}

#[derive(Serialize)]
struct Lost<'a> {
    dataset: &'a str,
    /// The newest retained generation in which it is intact.
    intact: Option<u64>,
}

#[derive(Serialize)]
struct Repaired<'a> {
    made: Vec<&'a str>,
    manifest_restored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_feed: Option<String>,
    objects: Vec<&'a str>,
    siblings: Vec<&'a str>,
    siblings_removed: Vec<&'a str>,
    derived: Vec<&'a str>,
    purged: Vec<&'a str>,
}

impl Verify {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let setup = |source| Failure::Setup { what: "the handling of signals", source };
        let feed = session.feed();
        let (repair, verification);
        let report = if self.repair {
            let interrupt = Interrupt::watch().map_err(setup)?;
            let settings = self.waits.over(session.config.settings.clone());
            let feed = feed.with_settings(settings).with_cancellation(interrupt.check());
            let work = || Ok(shown(session, |watch| feed.repair(watch))?);
            repair = self.metrics.measured(session, "verify", work)?;
            Report::new(session, &repair.verification, Some(Repaired::new(&repair)))
        } else {
            let work = || Ok(shown(session, |watch| feed.verify_watched(watch))?);
            verification = self.metrics.measured(session, "verify", work)?;
            Report::new(session, &verification, None)
        };
        let exit = if report.is_intact() { Exit::Done } else { Exit::Damaged };
        session.output.answer(&report, exit)
    }
}

fn shown<T>(session: &Session, work: impl FnOnce(&(dyn Fn(Progress) + Sync)) -> T) -> T {
    progress::shown(session.watched, "verifying", Some(0), |bar| {
        work(&|Progress { bytes, total }| bar.reached(bytes, total))
    })
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, found: &'a Verification, repaired: Option<Repaired<'a>>) -> Self {
        let problems = found.problems.iter().map(|problem| Problem {
            path: problem.path.as_str(),
            problem: problem.kind.to_string(),
            generations: problem.generations.iter().map(|generation| generation.get()).collect(),
            datasets: problem.datasets.iter().map(DatasetName::as_str).collect(),
        });
        Self {
            dir: session.dir.path.display().to_string(),
            generation: found.generation.get(),
            intact: found.intact.map(|generation| generation.get()),
            files: found.files,
            bytes: found.bytes,
            problems: problems.collect(),
            lost: found.lost.iter().map(|(dataset, intact)| Lost::new(dataset, *intact)).collect(),
            old_copy_of: found.old_copy.map(|old_copy| old_copy.known.get()),
            way_out: way_out(session, found, repaired.is_some()),
            repaired,
        }
    }

    fn is_intact(&self) -> bool {
        self.problems.is_empty() && self.old_copy_of.is_none()
    }
}

impl<'a> Lost<'a> {
    fn new(dataset: &'a DatasetName, intact: Option<Generation>) -> Self {
        Self { dataset: dataset.as_str(), intact: intact.map(Generation::get) }
    }
}

/// What can be done about the problems, in the order in which it is to be done.
fn way_out(session: &Session, found: &Verification, repaired: bool) -> Vec<String> {
    let mut ways = Vec::new();
    if !repaired && !found.problems.is_empty() {
        ways.push("`lastgood verify --repair` rebuilds what can be rebuilt, and says what cannot".to_owned());
    }
    if let Some(old_copy) = &found.old_copy {
        ways.extend(old_copy_ways(old_copy, session));
    }
    if !found.lost.is_empty() {
        let names: Vec<String> = found.lost.iter().map(|(dataset, _)| dataset.to_string()).collect();
        let what = if repaired { "what is lost" } else { "what it cannot rebuild" };
        ways.push(format!("publish {what} again: {}", names.join(", ")));
    }
    // Those that go back together are told together.
    let mut back: BTreeMap<Generation, Vec<&str>> = BTreeMap::new();
    for (dataset, intact) in &found.lost {
        if let Some(intact) = intact {
            back.entry(*intact).or_default().push(dataset.as_str());
        }
    }
    for (intact, names) in back {
        let names = names.join(" ");
        ways.push(format!(
            "go back to generation {intact}, the newest in which it is intact: `lastgood rollback {names} --to {intact}`"
        ));
    }
    let of_the_past = |problem: &&FeedProblem| {
        let is_sibling = layout::parse_sibling(problem.path.file_name()).is_some();
        problem.datasets.is_empty() && !is_sibling
    };
    let past: BTreeSet<Generation> =
        found.problems.iter().filter(of_the_past).flat_map(|problem| problem.generations.clone()).collect();
    if repaired && !past.is_empty() {
        let past: Vec<String> = past.iter().map(Generation::to_string).collect();
        ways.push(format!(
            "what else is named above only the past needs (generations {}): nothing here has it any more; put it back from a \
             backup of the feed, or do without going back there",
            past.join(", ")
        ));
    }
    ways
}

impl<'a> Repaired<'a> {
    fn new(repair: &'a Repair) -> Self {
        fn texts(paths: &[FeedPath]) -> Vec<&str> {
            paths.iter().map(FeedPath::as_str).collect()
        }
        Self {
            made: repair.recovery.made.iter().map(String::as_str).collect(),
            manifest_restored: repair.recovery.manifest_restored,
            new_feed: repair.recovery.new_feed.map(|feed| feed.to_string()),
            objects: texts(&repair.objects),
            siblings: texts(&repair.siblings),
            siblings_removed: texts(&repair.siblings_removed),
            derived: texts(&repair.recovery.rebuilt),
            purged: texts(&repair.recovery.purged),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, generation, intact, files, bytes, problems, lost, old_copy_of, repaired, way_out } = self;
        if let Some(repaired) = repaired {
            write!(f, "{repaired}")?;
        }
        let read = format!("read {files} files, {}", HumanBytes(*bytes));
        if let Some(known) = old_copy_of {
            writeln!(
                f,
                "{dir} was restored from an old copy: it has generation {generation}, and generation {known} has been published"
            )?;
        }
        if problems.is_empty() {
            writeln!(f, "{dir} is intact: generation {generation}; {read}")?;
            return way_out.iter().try_for_each(|way| writeln!(f, "way out: {way}"));
        }
        writeln!(f, "{dir} is damaged: generation {generation}; {read}; {} problem(s):", problems.len())?;
        for Problem { path, problem, generations, .. } in problems {
            write!(f, "  {path} {problem}")?;
            match generations[..] {
                [] => writeln!(f)?,
                [only] => writeln!(f, " (needed by generation {only})")?,
                [first, .., last] => writeln!(f, " (needed by generations {first} to {last})")?,
            }
        }
        match intact {
            Some(intact) => writeln!(f, "the newest intact generation is {intact}")?,
            None => writeln!(f, "no retained generation is intact")?,
        }
        for Lost { dataset, intact } in lost {
            match intact {
                Some(intact) => writeln!(f, "{dataset} is not intact as published; it is in generation {intact}")?,
                None => writeln!(f, "{dataset} is not intact as published, nor in any retained generation")?,
            }
        }
        way_out.iter().try_for_each(|way| writeln!(f, "way out: {way}"))
    }
}

impl fmt::Display for Repaired<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.made.iter().try_for_each(|path| writeln!(f, "made {path} again"))?;
        if self.manifest_restored {
            writeln!(f, "put manifest.json back from the history")?;
        }
        if let Some(feed) = &self.new_feed {
            writeln!(f, "drew the new feed id {feed}: nothing tells whether there were later generations")?;
        }
        let mut list = |done: &str, paths: &[&str]| paths.iter().try_for_each(|path| writeln!(f, "{done} {path}"));
        list("put back", &self.objects)?;
        list("made again", &self.siblings)?;
        list("removed", &self.siblings_removed)?;
        list("rebuilt", &self.derived)?;
        self.purged.iter().try_for_each(|path| writeln!(f, "removed {path}, which was purged"))
    }
}
