//! What one task does, what everyone has seen, and what must be true of it.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::id::CommitId;
use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::{Generation, Manifest};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Compression, Error, Feed, Item, NoPurge, NoRollback, Publication, Purge, Retention, Settings};

use crate::stepped::{Died, Stepped, World};

/// Datasets with the rounds that their payloads are of.
pub(crate) type Round = &'static [(&'static str, u32)];

/// What a task does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Publish(Round),
    /// Dies before the step of this number, if there are so many.
    PublishAndDie(Round, usize),
    /// Publishes under the lock of the [`Hold`](Act::Hold), if that is there, else as anyone.
    PublishUnderLock(Round),
    /// To the payload before, or that of a generation.
    Rollback(&'static str, Option<u64>),
    /// Keeps one generation, and nothing for a while.
    Gc,
    /// Keeps one generation, and whatever a read that goes on may hold.
    GcPastReads,
    GcDryRun,
    Recover,
    Repair,
    Verify,
    /// Looks whether the feed was restored from an old copy, which it never was.
    Look,
    Remove(&'static str),
    /// What a dataset had in a generation.
    Purge(&'static str, u64),
    /// Reads a dataset of a generation that may be collected meanwhile.
    ReadOld(&'static str, u64),
    /// Holds the lock on these datasets, and gives it back.
    Hold(&'static [&'static str]),
    /// Reads datasets of one generation, this often.
    Read(&'static [&'static str], usize),
}

/// The payloads of a generation.
type State = BTreeMap<DatasetName, Sha256>;

/// What a commit has changed: a payload, or none any more.
type Changes = BTreeMap<DatasetName, Option<Sha256>>;

/// What was reported, by whom it may concern.
pub(crate) struct Log {
    world: Arc<World>,
    commits: Mutex<BTreeMap<u64, Changes>>,
    /// The digests whose purge was reported.
    purged: Mutex<Vec<Sha256>>,
    readings: Mutex<Vec<(u64, State)>>,
    /// The last generation whose success was reported.
    reported: AtomicU64,
    /// The token of the lock that is held, once it is.
    token: Mutex<Token>,
}

#[derive(Clone)]
enum Token {
    ToCome,
    There(String),
    Over,
}

impl Log {
    pub(crate) fn new(world: &Arc<World>, before: &[Round]) -> Self {
        let log = Self {
            world: Arc::clone(world),
            commits: Mutex::default(),
            purged: Mutex::default(),
            readings: Mutex::default(),
            reported: AtomicU64::new(0),
            token: Mutex::new(Token::ToCome),
        };
        let feed = feed(world.storage.clone(), world, None);
        before.iter().for_each(|round| log.committed(feed.publish(items(round)).unwrap()));
        log
    }

    fn committed(&self, publication: Publication) {
        self.committed_without(publication, None);
    }

    fn committed_without(&self, publication: Publication, withdrawn: Option<DatasetName>) {
        let changed = publication.datasets.into_iter().map(|dataset| (dataset.dataset, Some(dataset.sha256)));
        let changed = changed.chain(withdrawn.map(|dataset| (dataset, None))).collect();
        let generation = publication.generation.get();
        let twice = self.commits.lock().unwrap().insert(generation, changed);
        assert!(twice.is_none(), "generation {generation} was given twice");
        self.reported.fetch_max(generation, Ordering::Relaxed);
    }

    /// What must be true when all tasks have ended. One of them may have died over `left`.
    pub(crate) fn check(&self, died: Option<Round>, observer: &Observer) {
        let storage = &self.world.storage;
        let feed = feed(storage.clone(), &self.world, None);
        if died.is_some() {
            feed.recover().unwrap();
        }
        let recovery = feed.recover().unwrap();
        assert!(!recovery.did_something(), "left behind: {recovery:?}");
        let last = feed.manifest().unwrap();
        let mut commits = std::mem::take(&mut *self.commits.lock().unwrap());
        let mut left_out = 0;
        let missing: Vec<u64> =
            (1..=last.generation.get()).filter(|generation| !commits.contains_key(generation)).collect();
        match (missing.as_slice(), died) {
            ([], _) => {}
            // It died before its commit, and its number is not given again (I5).
            (&[generation], Some(_)) if !observer.has_seen(generation) => left_out = 1,
            // It died after its commit.
            (&[generation], Some(round)) => {
                let of = |&(dataset, round): &(&str, u32)| {
                    (name(dataset), Some(Sha256::of(payload(dataset, round).as_bytes())))
                };
                commits.insert(generation, round.iter().map(of).collect());
            }
            _ => panic!("generations {missing:?} are nobody's"),
        }
        assert_eq!(
            commits.len() as u64 + left_out,
            last.generation.get(),
            "a reported generation is not there: {commits:?}"
        );
        let mut states: BTreeMap<u64, State> = BTreeMap::new();
        let mut state = State::new();
        for (generation, changed) in commits {
            for (dataset, payload) in changed {
                match payload {
                    Some(sha256) => _ = state.insert(dataset, sha256),
                    None => _ = state.remove(&dataset),
                }
            }
            states.insert(generation, state.clone());
        }
        assert_eq!(state_of(&last), state, "a commit was lost");
        for name in storage.list(Dir::History).unwrap() {
            let bytes =
                storage.read(&layout::history(layout::parse_history(&name).unwrap()), 1 << 20).unwrap().unwrap();
            let manifest = Manifest::verify(&bytes).unwrap();
            assert_eq!(state_of(&manifest), states[&manifest.generation.get()], "{name}");
        }
        for (generation, read) in &*self.readings.lock().unwrap() {
            let state = &states[generation];
            assert!(read.iter().all(|(dataset, sha256)| state[dataset] == *sha256), "a mixture: {read:?}");
        }
        observer.observe(storage);
        for sha256 in &*self.purged.lock().unwrap() {
            let is_named = last.datasets.values().any(|entry| entry.sha256 == *sha256);
            assert!(is_named != last.purged.get(sha256).is_some(), "published again, or purged still");
            for path in files(storage).into_iter().filter(|_| !is_named) {
                let bytes = storage.read(&path, 1 << 20).unwrap().unwrap();
                assert_ne!(Sha256::of(&bytes), *sha256, "{path} has what was purged");
            }
        }
        let left = storage.list(Dir::Root).unwrap();
        assert!(!left.iter().any(|name| name.ends_with("lock")), "markers are left: {left:?}");
        assert!(storage.try_lock("the end").unwrap().is_some(), "the lock is left");
    }
}

/// What must be true at every instant: the published manifest is whole, all that it names is there (I1, I2), and what
/// retained generations name is there as long as they are (I7). Generations rise, and none comes again (I5).
#[derive(Default)]
pub(crate) struct Observer {
    /// The manifests that were verified, with the objects that they name.
    known: Mutex<HashMap<Vec<u8>, Named>>,
    /// Everything that a reader could have seen: the commit of each generation.
    seen: Mutex<BTreeMap<u64, CommitId>>,
}

/// A manifest: which it is, and the objects that it names.
#[derive(Clone)]
struct Named {
    generation: u64,
    commit: CommitId,
    objects: Vec<ObjectPath>,
}

type ObjectPath = (Sha256, FeedPath);

impl Observer {
    pub(crate) fn observe(&self, storage: &MemoryStorage) {
        let history = storage.list(Dir::History).unwrap();
        let retained = history.iter().map(|name| layout::history(layout::parse_history(name).unwrap()));
        let mut known = self.known.lock().unwrap();
        // What was purged may be there still, or not.
        let published = storage.read(&layout::manifest(), 1 << 20).unwrap();
        let published = published.map(|bytes| Manifest::verify(&bytes).expect("whole"));
        let is_purged =
            |sha256: &Sha256| published.as_ref().is_some_and(|manifest| manifest.purged.get(sha256).is_some());
        for path in retained.chain([layout::manifest()]) {
            let Some(bytes) = storage.read(&path, 1 << 20).unwrap() else { continue };
            let Named { generation, commit, objects } = known.entry(bytes).or_insert_with_key(|bytes| named(bytes));
            for (sha256, object) in objects {
                if path != layout::manifest() && is_purged(sha256) {
                    continue;
                }
                let bytes = storage.read(object, 1 << 20).unwrap();
                assert!(bytes.is_some_and(|bytes| Sha256::of(&bytes) == *sha256), "{path} names {object}");
            }
            if path == layout::manifest() {
                let mut seen = self.seen.lock().unwrap();
                assert!(seen.keys().all(|other| other <= generation), "generation {generation} after {seen:?}");
                let same = seen.entry(*generation).or_insert(*commit);
                assert_eq!(same, commit, "generation {generation} came again with another commit (I5)");
            }
        }
    }

    /// Whether a generation was ever published.
    fn has_seen(&self, generation: u64) -> bool {
        self.seen.lock().unwrap().contains_key(&generation)
    }
}

/// Everything that may have a payload.
fn files(storage: &MemoryStorage) -> Vec<FeedPath> {
    let objects = storage.list(Dir::Objects).unwrap();
    let objects = objects.iter().filter_map(|name| layout::parse_object(name));
    let names = storage.list(Dir::Root).unwrap();
    let backups = names.iter().filter_map(|name| layout::parse_backup(name));
    let copies = names.iter().filter_map(|name| layout::parse_plain_copy(name));
    let mut files: Vec<FeedPath> = objects.map(|(sha256, ext)| layout::object(&sha256, &ext)).collect();
    files.extend(backups.map(|(dataset, ext)| layout::backup(&dataset, &ext)));
    files.extend(copies.map(|(dataset, ext)| layout::plain_copy(&dataset, &ext)));
    files
}

fn named(manifest: &[u8]) -> Named {
    let manifest = Manifest::verify(manifest).expect("whole");
    let path = |(sha256, ext)| (sha256, layout::object(&sha256, &Ext::parse(ext).unwrap()));
    let objects = manifest.objects().map(path).collect();
    Named { generation: manifest.generation.get(), commit: manifest.commit, objects }
}

impl Act {
    /// The storage of this one of several.
    pub(crate) fn storage(self, world: &Arc<World>, all: &[Self]) -> Stepped {
        let looks = |act: &&Self| matches!(act, Act::Verify | Act::Look);
        match self {
            Act::PublishAndDie(_, before) => Stepped::dying(world, before),
            Act::PublishUnderLock(_) => Stepped::joining(world),
            _ if all.iter().filter(looks).count() + 1 == all.len() && !looks(&&self) => Stepped::beside_lookers(world),
            _ => Stepped::new(world),
        }
    }

    /// What it may leave half done.
    pub(crate) fn may_die_over(self) -> Option<Round> {
        if let Act::PublishAndDie(round, _) = self { Some(round) } else { None }
    }

    /// Does it; false when it died.
    pub(crate) fn run(self, storage: Stepped, log: &Log) -> bool {
        let act = AssertUnwindSafe(|| self.go(storage, log));
        match catch_unwind(act) {
            Ok(()) => true,
            Err(panic) if panic.is::<Died>() => false,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn go(self, storage: Stepped, log: &Log) {
        let world = Arc::clone(&log.world);
        let feed = |token| feed(storage.clone(), &world, token);
        let all = Retention { keep: 1, grace: Duration::ZERO };
        match self {
            Act::Publish(round) | Act::PublishAndDie(round, _) => {
                log.committed(feed(None).publish(items(round)).unwrap())
            }
            Act::PublishUnderLock(round) => {
                let token = loop {
                    match log.token.lock().unwrap().clone() {
                        Token::There(token) => break Some(token),
                        Token::Over => break None,
                        Token::ToCome => {}
                    }
                    world.wait();
                };
                log.committed(feed(token).publish(items(round)).unwrap());
            }
            Act::Rollback(dataset, to) => {
                match feed(None).rollback(&[name(dataset)], to.and_then(|to| Generation::new(to).ok())) {
                    Ok(rollback) => log.committed(rollback.publication),
                    // Another commit, or collection, came in between, and it says so.
                    Err(
                        Error::Conflict { .. }
                        | Error::NoRollback {
                            reason:
                                NoRollback::NotRetained { .. }
                                | NoRollback::Purged { .. }
                                | NoRollback::Withdrawn { .. }
                                | NoRollback::NothingBefore { .. },
                            ..
                        },
                    ) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Act::Gc => drop(feed(None).gc(&all).unwrap()),
            Act::GcPastReads => {
                let clock = Arc::clone(&world);
                let oldest = move || {
                    let reads = clock.reads.lock().unwrap();
                    Timestamp::from_ms(reads.iter().copied().min().unwrap_or_else(|| clock.now()))
                };
                drop(feed(None).with_clock(oldest).gc(&all).unwrap());
            }
            Act::GcDryRun => drop(feed(None).gc_dry_run(&all).unwrap()),
            Act::Recover => drop(feed(None).recover().unwrap()),
            Act::Repair => assert_eq!(feed(None).repair(&|_| {}).unwrap().verification.problems, []),
            Act::Remove(dataset) => match feed(None).remove(&[name(dataset)]) {
                Ok(withdrawal) => log.committed_without(withdrawal.publication, Some(name(dataset))),
                Err(error) => assert_eq!(error.code(), "not-found", "{error}"),
            },
            Act::Purge(dataset, generation) => {
                let what = Purge::Generation(Generation::new(generation).unwrap());
                match feed(None).purge(&name(dataset), what) {
                    Ok(purged) => {
                        assert_eq!(purged.removal.left, [""; 0]);
                        log.purged.lock().unwrap().extend(purged.digests);
                        purged.publication.into_iter().for_each(|publication| log.committed(publication));
                    }
                    Err(Error::NoPurge { reason: NoPurge::NotRetained { .. } | NoPurge::Published { .. }, .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Act::Verify => {
                // It waits for a commit that is on its way, and what that has not done yet is no problem.
                assert_eq!(feed(None).verify().unwrap().problems, []);
            }
            Act::Look => assert_eq!(feed(None).old_copy().unwrap(), None, "a commit on its way"),
            Act::ReadOld(dataset, generation) => {
                match feed(None).read_generation(&name(dataset), Generation::new(generation).unwrap()) {
                    Ok(bytes) => assert_eq!(bytes, payload(dataset, u32::try_from(generation).unwrap()).as_bytes()),
                    Err(error) => assert_eq!(error.code(), "not-found", "{error}"),
                }
            }
            Act::Hold(datasets) => {
                let datasets: Vec<DatasetName> = datasets.iter().map(|dataset| name(dataset)).collect();
                let feed = feed(None);
                let hold = feed.hold(&datasets).unwrap();
                *log.token.lock().unwrap() = Token::There(hold.token().to_owned());
                world.wake();
                hold.renew().unwrap();
                hold.release().unwrap();
                *log.token.lock().unwrap() = Token::Over;
            }
            Act::Read(datasets, times) => {
                let datasets: Vec<DatasetName> = datasets.iter().map(|dataset| name(dataset)).collect();
                let mut last = 0;
                for _ in 0..times {
                    let reported = log.reported.load(Ordering::Relaxed);
                    let began = world.now();
                    world.reads.lock().unwrap().push(began);
                    let readings = feed(None).snapshot(&datasets).unwrap();
                    world.reads.lock().unwrap().retain(|&other| other != began);
                    let generation = readings[0].generation.get();
                    assert!(generation >= reported.max(last), "{generation} after {reported} and {last}");
                    assert_eq!(storage.missed(), 0, "an object was collected that it could still ask for");
                    assert!(readings.iter().all(|reading| reading.fresh() && reading.generation.get() == generation));
                    let read = readings.iter().map(|reading| {
                        assert_eq!(Sha256::of(&reading.value), reading.head.sha256);
                        (reading.dataset.clone(), reading.head.sha256)
                    });
                    log.readings.lock().unwrap().push((generation, read.collect()));
                    last = generation;
                }
            }
        }
    }
}

fn feed<S: Storage>(storage: S, world: &Arc<World>, under_lock: Option<String>) -> Feed<S> {
    let settings = Settings {
        // In virtual time nobody waits in vain; who would is found by the scheduler.
        lock_wait: Duration::from_secs(3600),
        under_lock,
        // For what is large enough alone: it takes more steps.
        compression: Compression { gzip: Some(1), brotli: None, min_size: 256 },
        operation_log: false,
        ..Settings::default()
    };
    let clock = Arc::clone(world);
    Feed::on(storage).with_settings(settings).with_clock(move || Timestamp::from_ms(clock.now()))
}

fn items(round: Round) -> Vec<Item<'static>> {
    let item =
        |&(dataset, round): &(&str, u32)| Item::new(name(dataset), std::io::Cursor::new(payload(dataset, round)));
    round.iter().map(item).collect()
}

/// Rounds from here on are large enough to have siblings.
pub(crate) const PACKED: u32 = 50;

fn payload(dataset: &str, round: u32) -> String {
    let rows = if round < PACKED { 1 } else { 20 };
    format!("[{}]", vec![format!(r#"{{"dataset":"{dataset}","round":{round}}}"#); rows].join(","))
}

fn name(dataset: &str) -> DatasetName {
    DatasetName::parse(dataset).unwrap()
}

fn state_of(manifest: &Manifest) -> State {
    manifest.datasets.iter().map(|(dataset, entry)| (dataset.clone(), entry.sha256)).collect()
}
