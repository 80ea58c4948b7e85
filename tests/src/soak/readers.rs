//! Readers of every kind, each of which holds what it gets against the ledger.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lastgood::protocol::failure::Failure;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{LockPolicy, Reading};
use lastgood::{Error, Feed, Reader};
use serde::Deserialize;

use super::chance::Chance;
use super::ledger::{Had, Seen, SeenDataset, Violation, moment};
use super::payload::Id;
use super::races::{DATASETS, Run};
use crate::origin::HttpOrigin;

/// What a reader is doing, for those who must not take away what it holds.
#[derive(Debug, Default)]
pub(super) struct Busy {
    /// Since when it may hold a manifest, in milliseconds since 1970.
    since: AtomicI64,
}

impl Busy {
    /// A reader that begins now.
    #[must_use]
    pub(super) fn now() -> Arc<Self> {
        let busy = Self::default();
        busy.begin();
        Arc::new(busy)
    }

    fn begin(&self) {
        self.since.store(now_ms(), Ordering::SeqCst);
    }

    /// Since when it may hold a manifest.
    #[must_use]
    pub(super) fn since(&self) -> i64 {
        self.since.load(Ordering::SeqCst)
    }
}

/// The time that files are dated by.
#[must_use]
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_millis()).expect("the clock is before the year 292 million")
}

/// How many readings a kind of reader has made, and how many of them were not fresh.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// All of them.
    pub(super) readings: AtomicU64,
    /// Those that were copies from before, because the dataset was locked.
    pub(super) locked: AtomicU64,
}

/// From one to all of the datasets.
fn some(chance: &mut Chance) -> Vec<DatasetName> {
    let from = chance.below(DATASETS.len() as u64) as usize;
    let count = 1 + chance.below(DATASETS.len() as u64) as usize;
    let names = DATASETS.iter().cycle().skip(from).take(count);
    names.map(|name| DatasetName::parse(name).expect("they are valid")).collect()
}

/// Notes readings and checks them; stops everything if they are wrong.
struct Desk<'a> {
    run: &'a Run,
    who: String,
    count: &'a Count,
    had: Had,
}

impl<'a> Desk<'a> {
    fn new(run: &'a Run, who: String, count: &'a Count) -> Self {
        Self { run, who, count, had: Had::default() }
    }

    fn check(&mut self, seen: Result<Seen, Violation>) {
        let checked = seen.and_then(|seen| {
            self.run.ledger.check(&self.who, &mut self.had, &seen)?;
            Ok(seen)
        });
        match checked {
            Ok(seen) => {
                let locked = seen.datasets.iter().filter(|dataset| dataset.reason.is_some()).count();
                self.count.locked.fetch_add(locked as u64, Ordering::Relaxed);
                let readings = seen.datasets.len() as u64;
                self.count.readings.fetch_add(readings, Ordering::Relaxed);
                self.run.read(readings);
            }
            Err(violation) => self.run.stop_because(violation),
        }
    }

    fn readings<V: AsRef<[u8]>>(
        &self,
        began: u64,
        readings: Result<Vec<Reading<V>>, String>,
    ) -> Result<Seen, Violation> {
        let wrong = |what: String| Violation(format!("{}: {what}", self.who));
        let readings = readings.map_err(|error| wrong(format!("nothing was wrong, but: {error}")))?;
        let seen = |reading: Reading<V>| {
            let dataset = reading.dataset.to_string();
            let id = Id::of(reading.value.as_ref()).ok_or_else(|| {
                let start = String::from_utf8_lossy(&reading.value.as_ref()[..reading.value.as_ref().len().min(200)])
                    .into_owned();
                wrong(format!("{dataset} of generation {} is not whole: {start}", reading.generation))
            })?;
            Ok(SeenDataset {
                name: dataset,
                generation: reading.generation.get(),
                reason: reading.reason.map(|reason| reason.code.as_str().to_owned()),
                sha256: reading.head.sha256.to_string(),
                id,
            })
        };
        Ok(Seen { began, datasets: readings.into_iter().map(seen).collect::<Result<_, _>>()? })
    }
}

/// Reads the directory, through a reader that keeps what it has read and that others may share, or else with nothing kept.
pub(super) fn directory(run: &Run, number: u64, reader: Option<&Reader>, busy: &Busy, count: &Count) {
    let mut chance = Chance::new(run.seed, number);
    let feed = Feed::open(run.dir());
    let mut desk = Desk::new(run, format!("directory reader {number}"), count);
    while run.goes_on() {
        // The others are to have their share.
        if count.readings.load(Ordering::Relaxed) * 5 > run.readings() * 3 + 3000 {
            busy.begin();
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let datasets = some(&mut chance);
        busy.begin();
        let began = moment();
        let text = |error: Error| error.to_string();
        let seen = match reader {
            Some(reader) => desk.readings(began, reader.snapshot(&datasets).map_err(text)),
            None => desk.readings(began, feed.snapshot(&datasets).map_err(text)),
        };
        desk.check(seen);
    }
}

/// Reads over HTTP with the native algorithm.
pub(super) fn http(run: &Run, number: u64, address: &str, busy: &Busy, count: &Count) {
    let mut chance = Chance::new(run.seed, number);
    let mut origins =
        [LockPolicy::Ignore, LockPolicy::Wait].map(|lock| HttpOrigin::new(address).with_lock_policy(lock));
    let mut desk = Desk::new(run, format!("HTTP reader {number} of {address}"), count);
    while run.goes_on() {
        let datasets = some(&mut chance);
        let origin = &mut origins[usize::from(chance.below(8) == 0)];
        busy.begin();
        let began = moment();
        let readings = origin.snapshot(&datasets).map_err(|failure: Failure| failure.to_string());
        let seen = desk.readings(began, readings);
        let seen = match origin.missing_objects() {
            0 => seen,
            _ => Err(Violation(format!("{}: an object was taken away that it could still ask for", desk.who))),
        };
        desk.check(seen);
    }
}

/// Reads over HTTP with the npm package, in a process of its own.
pub(super) fn node(run: &Run, number: u64, address: &str, busy: &Busy, count: &Count) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/soak/reading.mjs");
    let seed = Chance::new(run.seed, number).below(1 << 31).max(1);
    let mut command = Command::new("node");
    command.arg(script).arg(address).arg(seed.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut node = Node(command.spawn().expect("node is installed"));
    let stdout = BufReader::new(node.0.stdout.take().expect("it has a pipe"));
    let mut desk = Desk::new(run, format!("node {number} of {address}"), count);
    for line in stdout.lines() {
        let line = line.expect("it can be read");
        let seen = match serde_json::from_str::<Line>(&line) {
            Ok(Line::Seen { began, ended, datasets }) => {
                // The next one began after this one ended.
                busy.since.store(ended, Ordering::SeqCst);
                let seen = |dataset: Said| SeenDataset {
                    name: dataset.name,
                    generation: dataset.generation,
                    reason: dataset.reason,
                    sha256: dataset.sha256,
                    id: dataset.id,
                };
                Ok(Seen { began, datasets: datasets.into_iter().map(seen).collect() })
            }
            Ok(Line::Failed { failed }) => Err(Violation(format!("{}: nothing was wrong, but: {failed}", desk.who))),
            Err(error) => Err(Violation(format!("{}: {error}: {line}", desk.who))),
        };
        desk.check(seen);
        if !run.goes_on() {
            drop(node.0.stdin.take());
        }
    }
    if !node.0.wait().expect("it was started").success() || run.goes_on() {
        run.stop_because(Violation(format!("{} has ended; what it says is above", desk.who)));
    }
}

/// One line of `reading.mjs`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Seen { began: u64, ended: i64, datasets: Vec<Said> },
    Failed { failed: String },
}

#[derive(Deserialize)]
struct Said {
    name: String,
    generation: u64,
    reason: Option<String>,
    sha256: String,
    id: Id,
}

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
