//! `lastgood verify`

use std::collections::BTreeSet;
use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::protocol::layout::FeedPath;
use lastgood::protocol::name::DatasetName;
use lastgood::{Problem as FeedProblem, Progress, Repair, Verification};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::metrics::MetricsOptions;
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
struct Repaired<'a> {
    manifest_restored: bool,
    objects: Vec<&'a str>,
    siblings: Vec<&'a str>,
    siblings_removed: Vec<&'a str>,
    derived: Vec<&'a str>,
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
        let exit = if report.problems.is_empty() { Exit::Done } else { Exit::Damaged };
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
            way_out: way_out(found, repaired.is_some()),
            repaired,
        }
    }
}

/// What can be done about the problems.
fn way_out(found: &Verification, repaired: bool) -> Vec<String> {
    let mut ways = Vec::new();
    if found.problems.is_empty() {
        return ways;
    }
    if !repaired {
        ways.push("`lastgood verify --repair` rebuilds what can be rebuilt".to_owned());
    }
    let needs = |problem: &&FeedProblem| !problem.datasets.is_empty();
    let damaged: BTreeSet<&DatasetName> =
        found.problems.iter().filter(needs).flat_map(|problem| &problem.datasets).collect();
    if damaged.is_empty() {
        return ways;
    }
    let names: Vec<&str> = damaged.into_iter().map(DatasetName::as_str).collect();
    ways.push(format!("publish again what is damaged: {}", names.join(", ")));
    if let Some(intact) = found.intact.filter(|intact| *intact != found.generation) {
        ways.push(format!(
            "go back to generation {intact}, the newest that is intact: `lastgood rollback {} --to {intact}`",
            names.join(" ")
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
            manifest_restored: repair.recovery.manifest_restored,
            objects: texts(&repair.objects),
            siblings: texts(&repair.siblings),
            siblings_removed: texts(&repair.siblings_removed),
            derived: texts(&repair.recovery.rebuilt),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, generation, intact, files, bytes, problems, repaired, way_out } = self;
        if let Some(repaired) = repaired {
            write!(f, "{repaired}")?;
        }
        let read = format!("read {files} files, {}", HumanBytes(*bytes));
        if problems.is_empty() {
            return writeln!(f, "{dir} is intact: generation {generation}; {read}");
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
        way_out.iter().try_for_each(|way| writeln!(f, "way out: {way}"))
    }
}

impl fmt::Display for Repaired<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.manifest_restored {
            writeln!(f, "put manifest.json back from the history")?;
        }
        let mut list = |done: &str, paths: &[&str]| paths.iter().try_for_each(|path| writeln!(f, "{done} {path}"));
        list("put back", &self.objects)?;
        list("made again", &self.siblings)?;
        list("removed", &self.siblings_removed)?;
        list("rebuilt", &self.derived)
    }
}
