//! Garbage collection: what goes, what stays (I7), and that it can be interrupted anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::{Generation, Manifest};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Collection, Error, Feed, Item, Retention};

use crate::faulty::{Call, Death, Died, Fate, Faulty};
use crate::site::{
    ARTIFACT, Payloads, Round, Site, after, feed, files, memory, name, payload, plant, posix, publish, write,
};

/// Everything that is not the newest generation or the source of a backup, at once.
const ALL: Retention = Retention { keep: 1, grace: Duration::ZERO };

const ROUNDS: [Round<'static>; 6] =
    [&[("a", 1), ("b", 1)], &[("a", 2), ("c", ARTIFACT)], &[("a", 3)], &[("b", 2)], &[("a", 1)], &[("a", 4)]];

fn published<S: Storage + Clone>(site: &Site<S>) -> Payloads {
    ROUNDS.iter().fold(Payloads::new(), |payloads, round| {
        publish(site.storage.clone(), round).unwrap();
        after(&payloads, round)
    })
}

/// The retained generations and what they name.
fn retained(storage: &impl Storage) -> BTreeMap<Generation, Manifest> {
    let names = storage.list(Dir::History).unwrap();
    let manifest = |name: &String| {
        let generation = layout::parse_history(name).unwrap();
        let bytes = storage.read(&layout::history(generation), 99_999).unwrap().unwrap();
        (generation, Manifest::verify(&bytes).unwrap())
    };
    names.iter().map(manifest).collect()
}

fn objects(manifests: &BTreeMap<Generation, Manifest>) -> BTreeSet<FeedPath> {
    let entries = manifests.values().flat_map(|manifest| manifest.datasets.values());
    entries.map(|entry| layout::object(&entry.sha256, &entry.ext)).collect()
}

/// Every object that is there, without siblings.
fn objects_there(storage: &impl Storage) -> BTreeSet<FeedPath> {
    let names = storage.list(Dir::Objects).unwrap();
    let parsed = names.iter().filter_map(|name| layout::parse_object(name));
    parsed.map(|(sha256, ext)| layout::object(&sha256, &ext)).collect()
}

fn numbers(generations: &[Generation]) -> Vec<u64> {
    generations.iter().map(|generation| generation.get()).collect()
}

#[test]
fn what_is_retained_can_be_read_and_the_rest_is_gone() {
    for keep in 0..9 {
        let site = memory();
        let payloads = published(&site);
        let before = files(&site.storage);
        let retention = Retention { keep, ..ALL };
        let foretold = site.feed().gc_dry_run(&retention).unwrap();
        assert!(files(&site.storage) == before, "a dry run has changed something");
        let collection = site.feed().gc(&retention).unwrap();
        assert_eq!(foretold, collection);

        let context = format!("keep {keep}");
        site.expect_readable(&payloads, &context);
        let left = retained(&site.storage);
        assert!(left.keys().eq(&collection.retained), "{context}");
        let newest: Vec<u64> = (1..=6).rev().take(keep.max(1)).collect();
        assert!(newest.iter().all(|generation| numbers(&collection.retained).contains(generation)), "{context}");
        assert_eq!(objects_there(&site.storage), objects(&left), "{context}: neither more nor less");
        let now = files(&site.storage);
        let gone: usize =
            before.iter().filter(|(path, _)| !now.contains_key(*path)).map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(collection.bytes, gone as u64, "{context}");
        assert!(now.iter().all(|(path, bytes)| before[path] == *bytes), "{context}: something else has changed");
        let again = site.feed().gc(&retention).unwrap();
        assert_eq!((again.generations.len(), again.objects.len(), again.bytes), (0, 0, 0), "{context}: once is enough");
    }
}

/// The payload before the current one can be published again, however long ago it was replaced.
#[test]
fn the_sources_of_backups_stay() {
    let site = memory();
    published(&site);
    // a: generation 5; b: 3; c came with 2.
    let collection = site.feed().gc(&Retention { keep: 3, ..ALL }).unwrap();
    assert_eq!(numbers(&collection.retained), [3, 4, 5, 6]);
    site.expect_clean("collected");
    let collection = site.feed().gc(&ALL).unwrap();
    assert_eq!(numbers(&collection.retained), [5, 6], "one generation, and as many sources");
    feed(site.storage.clone(), true).rollback(&[name("a")], None).unwrap();
    let value = site.feed().read(&name("a")).unwrap().value;
    assert_eq!(value, payload("a", 1).into_bytes());
}

/// A feed in memory whose two clocks, that of the publisher and that of the files, are set by the test.
struct Clocks {
    site: Site<MemoryStorage>,
    publisher: Arc<AtomicI64>,
    files: Arc<AtomicI64>,
}

/// The hour that everything begins at.
const BEGIN: i64 = 500_000;

impl Clocks {
    fn new() -> Self {
        let hour = |clock: &Arc<AtomicI64>| {
            let clock = Arc::clone(clock);
            move || Timestamp::from_ms(clock.load(Ordering::Relaxed) * 3_600_000)
        };
        let (publisher, files) = (Arc::new(AtomicI64::new(BEGIN)), Arc::new(AtomicI64::new(BEGIN)));
        let site = Site { storage: MemoryStorage::with_clock(hour(&files)), dir: None };
        Self { site, publisher, files }
    }

    fn set(&self, hours: i64) {
        self.publisher.store(BEGIN + hours, Ordering::Relaxed);
        self.files.store(BEGIN + hours, Ordering::Relaxed);
    }

    fn feed(&self) -> Feed<MemoryStorage> {
        let clock = Arc::clone(&self.publisher);
        Feed::on(self.site.storage.clone())
            .with_clock(move || Timestamp::from_ms(clock.load(Ordering::Relaxed) * 3_600_000))
    }

    fn publish(&self, round: u32) {
        self.feed().publish(vec![Item::new(name("a"), payload("a", round).as_bytes())]).unwrap();
    }

    fn gc(&self, keep: usize, grace_hours: u64) -> Collection {
        self.feed().gc(&Retention { keep, grace: Duration::from_secs(grace_hours * 3600) }).unwrap()
    }
}

#[test]
fn a_generation_stays_for_the_grace_period_after_the_next_one() {
    let clocks = Clocks::new();
    for round in 1..=4 {
        clocks.set(10 * i64::from(round));
        clocks.publish(round);
    }
    // Generation 2 was replaced at hour 30, generation 3 at hour 40; 3 is the source of the backup.
    clocks.set(49);
    assert_eq!(numbers(&clocks.gc(1, 20).generations), [1]);
    clocks.set(50);
    assert_eq!(numbers(&clocks.gc(1, 20).generations), [2]);
    // 4 becomes the source, and was replaced just now.
    clocks.publish(5);
    assert_eq!(numbers(&clocks.gc(1, 20).generations), [0; 0]);
    clocks.set(60);
    assert_eq!(numbers(&clocks.gc(1, 20).generations), [3]);
    clocks.site.expect_readable(&Payloads::from([("a", payload("a", 5))]), "the published generation stays");
}

#[test]
fn an_object_that_nothing_names_stays_for_the_grace_period() {
    let clocks = Clocks::new();
    clocks.publish(1);
    clocks.set(10);
    // The leftover of a publisher that was killed.
    let orphan = plant(&clocks.site.storage, b"[\"orphan\"]");
    clocks.set(29);
    assert_eq!(clocks.gc(1, 20).objects, []);
    clocks.set(30);
    assert_eq!(clocks.gc(1, 20).objects, [orphan]);
}

/// Whichever clock is wrong, and whichever way: nothing that was replaced within the grace period goes.
#[test]
fn a_clock_that_was_set_back_makes_nothing_older() {
    for wrong in [-1000, -21, -1] {
        for which in 0..3 {
            let clocks = Clocks::new();
            clocks.set(100);
            clocks.publish(1);
            clocks.publish(2);
            // Set back for one publish, and right again when garbage is collected.
            let set = |clock: &AtomicI64, hour: i64| clock.store(BEGIN + hour, Ordering::Relaxed);
            if which != 1 {
                set(&clocks.publisher, 100 + wrong);
            }
            if which != 2 {
                set(&clocks.files, 100 + wrong);
            }
            clocks.publish(3);
            clocks.set(119);
            assert_eq!(clocks.gc(1, 20).generations, [], "set back by {wrong}, {which}");
            clocks.set(120);
            assert_eq!(numbers(&clocks.gc(1, 20).generations), [1], "2 is the source of the backup");
            // Set back while garbage is collected.
            clocks.publish(4);
            clocks.set(120 + wrong);
            assert_eq!(clocks.gc(1, 20).generations, []);
        }
    }
}

/// A manifest that cannot be read just now does not say when the one before it was replaced.
#[test]
fn a_medium_that_fails_makes_nothing_older() {
    let clocks = Clocks::new();
    // Files as they are after they were copied with an old date.
    clocks.publisher.store(BEGIN + 100, Ordering::Relaxed);
    (1..=4).for_each(|round| clocks.publish(round));
    let second = layout::history(Generation::new(2).unwrap());
    let failing = Faulty::new(clocks.site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        if call.is("open", &second) { Fate::Fails } else { Fate::Works }
    });
    let clock = || Timestamp::from_ms((BEGIN + 110) * 3_600_000);
    let retention = Retention { keep: 1, grace: Duration::from_secs(20 * 3600) };
    let error = Feed::on(failing).with_clock(clock).gc(&retention).unwrap_err();
    assert!(error.to_string().contains("history/2.json"), "{error}");
    assert_eq!(retained(&clocks.site.storage).len(), 4);
}

/// The copy of the published manifest is missing, as a crash may leave it; a dry run does not put it back.
#[test]
fn a_dry_run_knows_what_is_published_without_its_copy() {
    let site = memory();
    published(&site);
    site.storage.remove(&layout::history(Generation::new(6).unwrap())).unwrap();
    let collection = site.feed().gc_dry_run(&ALL).unwrap();
    let named = site.feed().manifest().unwrap().datasets.into_iter().map(|(_, entry)| entry);
    let named: Vec<FeedPath> = named.map(|entry| layout::object(&entry.sha256, &entry.ext)).collect();
    assert!(!collection.objects.is_empty() && named.iter().all(|path| !collection.objects.contains(path)));
}

#[test]
fn what_cannot_be_read_stops_it_before_anything_goes() {
    let site = memory();
    published(&site);
    let path = layout::history(Generation::new(5).unwrap());
    let intact = site.storage.read(&path, 99_999).unwrap().unwrap();
    for damaged in [&intact[..intact.len() / 2], b"", b"<html>"] {
        write(&site.storage, &path, damaged);
        let before = files(&site.storage);
        let error = site.feed().gc(&Retention { keep: 3, ..ALL }).unwrap_err();
        assert!(matches!(&error, Error::Damaged { problem, .. } if problem.contains("history/5.json")), "{error}");
        assert!(site.feed().gc_dry_run(&Retention { keep: 3, ..ALL }).is_err());
        assert!(files(&site.storage) == before, "something has changed");
    }
    // That of another generation says nothing about this one.
    let other = site.storage.read(&layout::history(Generation::FIRST), 99_999).unwrap().unwrap();
    write(&site.storage, &path, &other);
    site.feed().gc(&Retention { keep: 3, ..ALL }).unwrap_err();
    // One that is to go anyway is in nobody's way.
    write(&site.storage, &path, &intact);
    write(&site.storage, &layout::history(Generation::new(4).unwrap()), b"");
    site.feed().gc(&ALL).unwrap();
    site.expect_clean("collected");
}

/// A manifest that was put back from an old copy of the feed: what came after it is not lost by collecting garbage, and until
/// somebody has decided, nothing is collected at all.
#[test]
fn later_generations_than_the_published_one_stay() {
    let site = memory();
    published(&site);
    let old = site.storage.read(&layout::history(Generation::new(2).unwrap()), 99_999).unwrap().unwrap();
    write(&site.storage, &layout::manifest(), &old);
    assert_eq!(numbers(&site.feed().gc_dry_run(&ALL).unwrap().retained), [1, 2, 3, 4, 5, 6]);
    assert_eq!(site.feed().gc(&ALL).unwrap_err().code(), "restored");
    assert_eq!(numbers(&retained(&site.storage).into_keys().collect::<Vec<_>>()), [1, 2, 3, 4, 5, 6]);
    site.feed().recover_accepting_older().unwrap();
    let collection = site.feed().gc(&Retention { keep: 6, ..ALL }).unwrap();
    assert_eq!(numbers(&collection.retained), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(objects_there(&site.storage), objects(&retained(&site.storage)));
}

/// What must hold whenever it was interrupted: what is retained is whole, and the next one does the rest.
fn expect_interruptible<S: Storage + Clone>(site: &Site<S>, payloads: &Payloads, context: &str) {
    assert_eq!(site.feed().verify().unwrap().problems, [], "{context}");
    site.expect_readable(payloads, context);
    site.feed().gc(&ALL).unwrap();
    assert_eq!(numbers(&retained(&site.storage).into_keys().collect::<Vec<_>>()), [5, 6], "{context}");
    assert_eq!(objects_there(&site.storage), objects(&retained(&site.storage)), "{context}");
    site.expect_clean(context);
}

#[test]
fn dying_at_every_call() {
    let mut number = 0;
    loop {
        let site = memory();
        let payloads = published(&site);
        let dies = move |call: &Call<'_>| if call.number == number { Fate::Dies } else { Fate::Works };
        let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies);
        match catch_unwind(AssertUnwindSafe(|| Feed::on(faulty).gc(&ALL))) {
            Ok(collection) => {
                collection.unwrap();
                assert!(number > 40, "only {number} calls");
                return;
            }
            Err(panic) => assert!(panic.is::<Died>(), "another panic"),
        }
        expect_interruptible(&site, &payloads, &format!("died at {number}"));
        number += 1;
    }
}

#[test]
fn failing_at_every_call() {
    every_call_fails(memory, 1);
    // Each commit waits for the disk.
    every_call_fails(posix, 7);
}

fn every_call_fails<S: Storage + Clone>(site: impl Fn() -> Site<S>, step: usize) {
    for fate in [Fate::Fails, Fate::FailsAfterwards] {
        let mut number = 0;
        loop {
            let site = site();
            let payloads = published(&site);
            let fails = move |call: &Call<'_>| if call.number == number { fate } else { Fate::Works };
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, fails);
            let result = Feed::on(faulty.clone()).gc(&ALL);
            let context = format!("call {number} {fate:?}: {result:?}");
            if !faulty.struck() {
                result.unwrap();
                break;
            }
            // A manifest that could not be read stops it only when it is to stay.
            expect_interruptible(&site, &payloads, &context);
            number += step;
        }
        assert!(number > 40, "only {number} calls");
    }
}

/// A power cut must not bring a generation back without its objects, nor an older manifest.
#[test]
fn generations_are_gone_for_good_before_the_first_object_goes() {
    let site = memory();
    published(&site);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        log.lock().unwrap().push((call.operation, call.path.map(FeedPath::dir)));
        Fate::Works
    });
    Feed::on(faulty).gc(&ALL).unwrap();
    let changes: Vec<_> =
        calls.lock().unwrap().iter().copied().filter(|(call, _)| ["remove", "sync"].contains(call)).collect();
    let (generations, rest): (Vec<_>, Vec<_>) = changes.iter().partition(|(_, dir)| *dir == Some(Dir::History));
    assert_eq!(changes[..generations.len()], generations[..]);
    assert_eq!(rest[0], ("sync", None));
    assert!(rest.len() > 1 && rest[1..].iter().all(|change| *change == ("remove", Some(Dir::Objects))), "{rest:?}");
}

/// Whenever garbage is collected while a feed is verified: nothing that went is taken for damage.
#[test]
fn verifying_meanwhile_finds_no_damage() {
    let mut number = 0;
    loop {
        let site = memory();
        published(&site);
        let inner = site.storage.clone();
        let collecting = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
            if call.number == number {
                Feed::on(inner.clone()).gc(&ALL).unwrap();
            }
            Fate::Works
        });
        assert_eq!(Feed::on(collecting).verify().unwrap().problems, [], "collected at call {number}");
        if retained(&site.storage).len() == ROUNDS.len() {
            assert!(number > 30, "only {number} calls");
            return;
        }
        number += 1;
    }
}

#[test]
fn names_of_others_are_left_alone() {
    let site = posix();
    let payloads = published(&site);
    let dir = site.dir.as_ref().unwrap().path().join("objects");
    for name in ["README", "abc.json", "x.json.gz"] {
        std::fs::copy(dir.join("../manifest.json"), dir.join(name)).unwrap();
    }
    let collection = site.feed().gc(&ALL).unwrap();
    assert_eq!(collection.unknown, ["README", "abc.json", "x.json.gz"]);
    assert!(dir.join("README").exists() && dir.join("x.json.gz").exists());
    site.expect_readable(&payloads, "collected");
}

/// Payloads that come and go, so that objects lose their last name and get one again all the time.
#[test]
fn racing_publishes_of_the_same_payloads() {
    const PUBLISHERS: u32 = 3;
    const EACH: u32 = 25;
    let site = posix();
    let patient = || {
        let lock_wait = std::time::Duration::from_secs(600);
        let settings = lastgood::Settings { compression: lastgood::Compression::OFF, lock_wait, ..Default::default() };
        Feed::on(site.storage.clone()).with_settings(settings)
    };
    // Without siblings, as all the others: an object that is there keeps those that it has, and a plain copy has those of its publish.
    patient().publish(vec![Item::new(name("a"), payload("a", 0).as_bytes())]).unwrap();
    let collected: usize = thread::scope(|scope| {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                scope.spawn(move || {
                    for round in 0..EACH {
                        let payload = payload("a", (round + publisher) % 3);
                        patient().publish(vec![Item::new(name("a"), payload.as_bytes())]).unwrap();
                    }
                })
            })
            .collect();
        let mut collected = 0;
        while publishers.iter().any(|publisher| !publisher.is_finished()) {
            let collection = patient().gc(&ALL).unwrap();
            collected += collection.objects.len();
            // Under the lock nothing changes: what is published now is whole.
            let _lock = loop {
                match site.storage.try_lock("the test").unwrap() {
                    Some(lock) => break lock,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(site.feed().verify().unwrap().problems, []);
        }
        collected
    });
    assert!(collected > 0, "it was never in anyone's way");
    assert_eq!(site.generation(), u64::from(PUBLISHERS * EACH + 1));
    site.expect_clean("after the race");
}
