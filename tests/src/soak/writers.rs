//! Everything that changes the feed, or puts it in order.

use std::os::unix::process::CommandExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout;
use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::time::Timestamp;
use lastgood::{Error, Feed, Item, NoPurge, NoRollback, Purge, Retention};
use rustix::process::{Pid, Signal, kill_process_group};

use super::chance::Chance;
use super::ledger::Violation;
use super::payload::Id;
use super::races::{DATASETS, Run};
use super::readers::now_ms;
use crate::{Ran, binary};

/// What has been done.
#[derive(Debug, Default)]
pub struct Done {
    /// Processes that were killed.
    pub kills: AtomicU64,
    /// Rollbacks.
    pub rollbacks: AtomicU64,
    /// Datasets that were removed, and payloads that were purged.
    pub taken_back: AtomicU64,
    /// Collections that have removed something.
    pub collections: AtomicU64,
    /// Objects that they have removed.
    pub objects: AtomicU64,
    /// `verify`, `verify --repair`, `recover` and `lock`.
    pub maintenance: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a publish brings: from one to all of the datasets.
fn publication(chance: &mut Chance, writer: u32, round: u64) -> Vec<Id> {
    let from = chance.below(DATASETS.len() as u64) as usize;
    let count = 1 + chance.below(DATASETS.len() as u64) as usize;
    let id = |dataset: &&str| Id {
        dataset: (*dataset).to_owned(),
        writer,
        // Some come back again and again, so that objects lose their last name and get one again.
        round: if *dataset == "middle" { round % 4 } else { round },
    };
    DATASETS.iter().cycle().skip(from).take(count).map(id).collect()
}

/// Publishes through the library.
pub(super) fn library(run: &Run, writer: u32) {
    let mut chance = Chance::new(run.seed, 1000 + u64::from(writer));
    let feed = Feed::open(run.dir());
    for round in 0.. {
        if !run.goes_on() {
            return;
        }
        let items = publication(&mut chance, writer, round).into_iter().map(|id| {
            let dataset = DatasetName::parse(&id.dataset).expect("it is valid");
            Item::new(dataset, std::io::Cursor::new(id.payload()))
        });
        match feed.publish(items.collect()) {
            Ok(publication) => run.hold_against(run.ledger.report(&publication)),
            Err(error) => run.stop_because(Violation(format!("publisher {writer}: {error}"))),
        }
        std::thread::sleep(Duration::from_millis(chance.below(20)));
    }
}

/// The arguments of a publish by a process, whose inputs are now there.
fn arguments(run: &Run, ids: &[Id]) -> Vec<String> {
    let input = |id: &Id| {
        let path = run.feed.root().join(format!("{}-{}.in", id.writer, id.dataset));
        std::fs::write(&path, id.payload()).expect("an input can be written");
        format!("{}={}", id.dataset, path.display())
    };
    ["publish".to_owned()].into_iter().chain(ids.iter().map(input)).collect()
}

/// Publishes through processes.
pub(super) fn processes(run: &Run, writer: u32) {
    let mut chance = Chance::new(run.seed, 1000 + u64::from(writer));
    for round in 0.. {
        if !run.goes_on() {
            return;
        }
        let ids = publication(&mut chance, writer, round);
        let mut arguments = arguments(run, &ids);
        arguments.push("--json".to_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Some(report) = expect(run, &arguments) else { return };
        let datasets = ids.iter().map(|id| (id.dataset.clone(), Sha256::of(id.payload().as_bytes()).to_string()));
        let generation = report["generation"].as_u64().expect("a publish says its generation");
        let commit = report["commit"].as_str().expect("and its commit").to_owned();
        run.hold_against(run.ledger.reported(generation, commit, datasets));
        std::thread::sleep(Duration::from_millis(chance.below(40)));
    }
}

/// Runs a command that must succeed, and returns what it reports.
fn expect(run: &Run, arguments: &[&str]) -> Option<serde_json::Value> {
    let Ran { code, stdout, stderr } = run.feed.run(arguments);
    if code != Some(0) {
        let stdout = String::from_utf8_lossy(&stdout);
        run.stop_because(Violation(format!("{arguments:?} ended with {code:?}\n{stdout}\n{stderr}")));
        return None;
    }
    Some(serde_json::from_slice(&stdout).unwrap_or_default())
}

/// Starts all kinds of commands and kills each at a random moment.
pub(super) fn killed(run: &Run, writer: u32, done: &Done) {
    let mut chance = Chance::new(run.seed, 1000 + u64::from(writer));
    let dir = run.dir().display().to_string();
    for round in 0.. {
        if !run.goes_on() {
            return;
        }
        let publish = arguments(run, &publication(&mut chance, writer, round));
        let arguments: Vec<String> = match chance.below(8) {
            0 => ["rollback", "small"].map(str::to_owned).into(),
            1 => ["gc", "--keep", "3", "--grace", "10m"].map(str::to_owned).into(),
            2 => ["recover"].map(str::to_owned).into(),
            3 => ["verify", "--repair"].map(str::to_owned).into(),
            4 => {
                let lock = ["lock", "small", "middle", "large", "--"].map(str::to_owned).into_iter();
                let within = [binary().display().to_string()].into_iter().chain(publish);
                lock.chain(within).chain(["--dir".to_owned(), dir.clone()]).collect()
            }
            _ => publish,
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = run.feed.command(&arguments);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        // In a group of its own: what runs under a lock dies with it.
        let mut child = command.process_group(0).spawn().expect("it can be started");
        std::thread::sleep(Duration::from_micros(chance.below(60_000)));
        let ended = child.try_wait().expect("it was started").is_some();
        if !ended {
            kill_process_group(Pid::from_child(&child), Signal::KILL).expect("it is not waited for yet");
            child.wait().expect("it was started");
            count(&done.kills);
        }
    }
}

/// Rolls back.
pub(super) fn rollbacks(run: &Run, number: u64, done: &Done) {
    let mut chance = Chance::new(run.seed, number);
    let feed = Feed::open(run.dir());
    while run.goes_on() {
        let dataset = DATASETS[chance.below(DATASETS.len() as u64) as usize];
        match feed.rollback(&[DatasetName::parse(dataset).expect("it is valid")], None) {
            Ok(rollback) => {
                count(&done.rollbacks);
                run.hold_against(run.ledger.report(&rollback.publication));
            }
            // Somebody else has published it, or what it had before was collected.
            Err(Error::Conflict { .. }) => {}
            Err(Error::NoRollback {
                reason:
                    NoRollback::NotRetained { .. } | NoRollback::NothingBefore { .. } | NoRollback::AlreadyCurrent { .. },
                ..
            }) => {}
            Err(error) => run.stop_because(Violation(format!("rollback of {dataset}: {error}"))),
        }
        std::thread::sleep(Duration::from_millis(20 + chance.below(60)));
    }
}

/// Publishes a dataset that nobody reads, and takes it back: purges what it had, and removes it.
pub(super) fn taking_back(run: &Run, writer: u32, done: &Done) {
    let mut chance = Chance::new(run.seed, 1000 + u64::from(writer));
    let feed = Feed::open(run.dir());
    let name = DatasetName::parse("passing").expect("it is valid");
    let mut before = None;
    for round in 0.. {
        if !run.goes_on() {
            return;
        }
        // Some come again although they were purged.
        let id = Id { dataset: name.to_string(), writer, round: round % 5 };
        let published = feed.publish(vec![Item::new(name.clone(), std::io::Cursor::new(id.payload()))]);
        let publication = match published {
            Ok(publication) => publication,
            Err(error) => return run.stop_because(Violation(format!("publish of {name}: {error}"))),
        };
        run.hold_against(run.ledger.report(&publication));
        match before.replace(publication.generation).map(|before| feed.purge(&name, Purge::Generation(before))) {
            None => {}
            Some(Ok(purged)) => {
                count(&done.taken_back);
                if !purged.removal.left.is_empty() {
                    run.stop_because(Violation(format!("purge: {:?} is left", purged.removal.left)));
                }
                let said = purged.publication.iter().try_for_each(|publication| run.ledger.report(publication));
                run.hold_against(said);
            }
            // It was collected.
            Some(Err(Error::NoPurge { reason: NoPurge::NotRetained { .. }, .. })) => {}
            Some(Err(error)) => run.stop_because(Violation(format!("purge of {name}: {error}"))),
        }
        if chance.below(3) == 0 {
            match feed.remove(std::slice::from_ref(&name)) {
                Ok(withdrawal) => {
                    count(&done.taken_back);
                    run.hold_against(run.ledger.report(&withdrawal.publication));
                }
                Err(error) => run.stop_because(Violation(format!("removal of {name}: {error}"))),
            }
        }
        std::thread::sleep(Duration::from_millis(20 + chance.below(60)));
    }
}

/// Puts the feed in order and looks after it, in processes.
pub(super) fn maintenance(run: &Run, writer: u32, done: &Done) {
    let mut chance = Chance::new(run.seed, 1000 + u64::from(writer));
    let dir = run.dir().display().to_string();
    for round in 0.. {
        if !run.goes_on() {
            return;
        }
        match chance.below(5) {
            0 => drop(expect(run, &["recover"])),
            1 => verify(run),
            2 => {
                if let Some(report) = expect(run, &["verify", "--repair", "--json"])
                    && report["objects"].as_array().is_some_and(|repaired| !repaired.is_empty())
                {
                    run.stop_because(Violation(format!("something was damaged: {report}")));
                }
            }
            3 => drop(expect(run, &["status"])),
            _ => {
                let id = Id { dataset: "small".to_owned(), writer, round };
                let publish = arguments(run, &[id]);
                let program = binary().display().to_string();
                let (publish, within) = (publish.iter().map(String::as_str), [program.as_str()]);
                let lock = ["lock", "small", "--"].into_iter().chain(within).chain(publish);
                drop(expect(run, &lock.chain(["--dir", &dir]).collect::<Vec<_>>()));
            }
        }
        count(&done.maintenance);
        std::thread::sleep(Duration::from_millis(chance.below(200)));
    }
}

/// Everything is intact, but for derived files that a killed publisher has left behind its commit, until the next writer comes.
fn verify(run: &Run) {
    let Ran { code, stderr, .. } = run.feed.run(&["verify"]);
    let left_by_the_dead = |line: &str| {
        line.ends_with("does not agree with the manifest; `lastgood recover` rebuilds it")
            || line.ends_with("was purged and is there all the same; `lastgood recover` removes it")
    };
    let mut problems = stderr.lines().filter(|line| line.starts_with("  "));
    if code != Some(0) && !(code == Some(5) && problems.all(left_by_the_dead)) {
        run.stop_because(Violation(format!("verify ended with {code:?}\n{stderr}")));
    }
}

/// For how long a commit may take from its date to its rename, which is when readers see it. The grace period counts from the
/// date.
const COMMIT_MS: i64 = 3000;

/// Notes every generation, and collects garbage with a grace period that is as short as it may be: whatever a reader may
/// hold, and whatever has not been noted, is left alone.
pub(super) fn collector(run: &Run, number: u64, done: &Done) {
    let mut chance = Chance::new(run.seed, number);
    while run.goes_on() {
        let pass = now_ms();
        run.hold_against(archive(run));
        if chance.below(4) > 0 {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        }
        let oldest = run.busy.iter().map(|busy| busy.since()).min().unwrap_or(pass).min(pass) - COMMIT_MS;
        // A clock that says just what makes everything before `oldest` old enough, whenever the lock is free.
        let grace = Duration::from_secs(1);
        let clock = move || Timestamp::from_ms(oldest).plus_ms(1000);
        let keep = 1 + chance.below(4) as usize;
        match Feed::open(run.dir()).with_clock(clock).gc(&Retention { keep, grace }) {
            Ok(collection) => {
                if !collection.generations.is_empty() || !collection.objects.is_empty() {
                    count(&done.collections);
                    done.objects.fetch_add(collection.objects.len() as u64, Ordering::Relaxed);
                }
            }
            Err(error) => run.stop_because(Violation(format!("gc: {error}"))),
        }
    }
}

/// Notes the manifests of the history that are not known yet.
///
/// # Errors
/// When one does not go with what was reported and read.
pub(super) fn archive(run: &Run) -> Result<(), Violation> {
    for name in run.feed.names("history") {
        let Some(generation) = layout::parse_history(&name).filter(|generation| !run.ledger.knows(generation.get()))
        else {
            continue;
        };
        let path = run.dir().join("history").join(&name);
        let bytes = std::fs::read(&path).map_err(|error| Violation(format!("{}: {error}", path.display())))?;
        let manifest = Manifest::verify(&bytes).map_err(|error| Violation(format!("{name}: {error}")))?;
        if manifest.generation != generation {
            return Err(Violation(format!("{name} is of generation {}", manifest.generation)));
        }
        run.ledger.archive(&manifest)?;
    }
    Ok(())
}
