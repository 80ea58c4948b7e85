//! The native reader with its cache.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![allow(clippy::disallowed_methods, reason = "the tests damage a feed")]

#[allow(dead_code, reason = "shared with the tests of publishing, which need more of it")]
#[path = "../publish/faulty.rs"]
mod faulty;
mod model;
mod races;
mod schemas;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastgood::protocol::failure::Code;
use lastgood::protocol::layout;
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Reading, Source};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Compression, Error, Feed, Item, Purge, Reader, Settings};

use crate::faulty::{Call, Death, Fate, Faulty};

/// A feed in memory and a reader of it, which sees it through a storage that counts and can fail.
struct World {
    storage: MemoryStorage,
    reader: Reader<Faulty<MemoryStorage>>,
    down: Arc<AtomicBool>,
    opened: Arc<Mutex<Vec<String>>>,
    now: Arc<AtomicI64>,
    /// What happens when the next object is opened.
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

type Meanwhile = Box<dyn FnOnce() + Send>;

impl World {
    fn new() -> Self {
        let (down, opened, now) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::default()), Arc::default());
        let storage = MemoryStorage::new();
        let meanwhile: Arc<Mutex<Option<Meanwhile>>> = Arc::default();
        let next = Arc::clone(&meanwhile);
        let (is_down, log) = (Arc::clone(&down), Arc::clone(&opened));
        let log: Arc<Mutex<Vec<String>>> = log;
        let faulty = Faulty::new(storage.clone(), Death::Unwind, move |call: &Call<'_>| {
            if let Some(path) = call.path.filter(|_| call.operation == "open") {
                log.lock().unwrap().push(path.to_string());
                let happens = if path.as_str().starts_with("objects/") { next.lock().unwrap().take() } else { None };
                if let Some(happens) = happens {
                    happens();
                }
            }
            if is_down.load(Ordering::Relaxed) { Fate::Fails } else { Fate::Works }
        });
        let time: Arc<AtomicI64> = Arc::clone(&now);
        let feed = Feed::on(faulty).with_clock(move || Timestamp::from_ms(time.load(Ordering::Relaxed)));
        Self { storage, reader: Reader::of(feed), down, opened, now, meanwhile }
    }

    fn publish(&self, payloads: &[(&str, &str)]) -> u64 {
        self.publish_as(payloads, Settings::default())
    }

    fn publish_as(&self, payloads: &[(&str, &str)], settings: Settings) -> u64 {
        let items =
            payloads.iter().map(|&(dataset, payload)| Item::new(name(dataset), io::Cursor::new(payload.to_owned())));
        self.feed_as(settings).publish(items.collect()).unwrap().generation.get()
    }

    /// The feed as its publisher has it.
    fn feed(&self) -> Feed<MemoryStorage> {
        self.feed_as(Settings::default())
    }

    fn feed_as(&self, settings: Settings) -> Feed<MemoryStorage> {
        let now = Arc::clone(&self.now);
        Feed::on(self.storage.clone())
            .with_settings(Settings { compression: Compression::OFF, operation_log: false, ..settings })
            .with_clock(move || Timestamp::from_ms(now.load(Ordering::Relaxed)))
    }

    fn read(&self, dataset: &str) -> Result<Reading<Arc<[u8]>>, Error> {
        self.reader.read(&name(dataset))
    }

    /// What was opened since the last call.
    fn opened(&self) -> Vec<String> {
        std::mem::take(&mut self.opened.lock().unwrap())
    }

    fn manifest_bytes(&self) -> Vec<u8> {
        self.storage.read(&layout::manifest(), 1 << 20).unwrap().unwrap()
    }

    fn put_manifest(&self, bytes: &[u8]) {
        use lastgood::storage::{Kind, StagedFile, Staging};
        use std::io::Write;
        let staging = self.storage.stage().unwrap();
        let mut file = staging.create(Kind::Published).unwrap();
        file.write_all(bytes).unwrap();
        self.storage.place(file.finish().unwrap(), &layout::manifest()).unwrap();
    }
}

fn name(dataset: &str) -> DatasetName {
    DatasetName::parse(dataset).unwrap()
}

fn reason(reading: &Reading<Arc<[u8]>>) -> Option<Code> {
    reading.reason.as_ref().map(|failure| failure.code)
}

#[test]
fn an_unchanged_feed_costs_a_look_at_the_manifest_and_no_copy() {
    let world = World::new();
    world.publish(&[("a", "[1]"), ("b", "[2]")]);
    let first = world.read("a").unwrap();
    assert_eq!((first.source, reason(&first), first.generation.get()), (Source::Network, None, 1));
    world.opened();
    world.now.store(5000, Ordering::Relaxed);
    let second = world.read("a").unwrap();
    assert_eq!(world.opened(), ["manifest.json"]);
    assert!(Arc::ptr_eq(&first.value, &second.value));
    assert_eq!((second.source, reason(&second), second.age_ms), (Source::Cache, None, 5000));
    assert_eq!(second.head.checked_at.ms(), 5000);
}

#[test]
fn only_what_has_changed_is_read_again() {
    let world = World::new();
    let ab = [name("a"), name("b")];
    world.publish(&[("a", "[1]"), ("b", "[2]")]);
    world.reader.snapshot(&ab).unwrap();
    world.publish(&[("b", "[3]")]);
    world.opened();
    let readings = world.reader.snapshot(&ab).unwrap();
    let opened = world.opened();
    assert_eq!((opened.len(), opened[0].as_str()), (2, "manifest.json"), "{opened:?}");
    assert_eq!(opened[1], format!("objects/{}.json", readings[1].head.sha256));
    assert_eq!((&*readings[0].value, &*readings[1].value), (&b"[1]"[..], &b"[3]"[..]));
    assert!(readings.iter().all(|reading| reading.fresh() && reading.generation.get() == 2));
    // The same content again is another generation of the same object.
    world.publish(&[("a", "[1]")]);
    world.opened();
    assert_eq!(world.read("a").unwrap().generation.get(), 3);
    assert_eq!(world.opened(), ["manifest.json"]);
}

#[test]
fn when_the_feed_is_gone_the_last_good_copy_comes_with_reason_and_age() {
    let world = World::new();
    world.publish(&[("a", "[1]")]);
    world.read("a").unwrap();
    world.down.store(true, Ordering::Relaxed);
    world.now.store(60_000, Ordering::Relaxed);
    let reading = world.read("a").unwrap();
    assert_eq!(
        (&*reading.value, reading.source, reason(&reading)),
        (&b"[1]"[..], Source::Fallback, Some(Code::Offline))
    );
    assert_eq!(reading.age_ms, 60_000);
    let Err(Error::Read(failure)) = world.read("b") else { panic!("there is no copy") };
    assert_eq!(failure.code, Code::Offline);
    world.down.store(false, Ordering::Relaxed);
    assert!(world.read("a").unwrap().fresh());
}

#[test]
fn a_damaged_manifest_or_object_is_never_handed_out() {
    let world = World::new();
    world.publish(&[("a", "[1]")]);
    world.read("a").unwrap();
    let good = world.manifest_bytes();
    world.put_manifest(&good[..good.len() / 2]);
    assert_eq!(reason(&world.read("a").unwrap()), Some(Code::ManifestInvalid));
    world.put_manifest(&good);
    assert!(world.read("a").unwrap().fresh());
    world.publish(&[("a", "[2]")]);
    let sha256 = lastgood::protocol::digest::Sha256::of(b"[2]");
    let object = layout::object(&sha256, &lastgood::protocol::name::Ext::json());
    world.storage.remove(&object).unwrap();
    let reading = world.read("a").unwrap();
    assert_eq!((&*reading.value, reason(&reading)), (&b"[1]"[..], Some(Code::Http)));
}

#[test]
fn a_generation_below_one_that_was_seen_is_refused() {
    let world = World::new();
    world.publish(&[("a", "[1]")]);
    world.read("a").unwrap();
    let first = world.manifest_bytes();
    world.publish(&[("a", "[2]")]);
    world.read("a").unwrap();
    world.put_manifest(&first);
    let reading = world.read("a").unwrap();
    assert_eq!((&*reading.value, reason(&reading)), (&b"[2]"[..], Some(Code::Regressed)));
}

/// The later generation was seen, but nothing could be read of it: the manifest that is known stays outdated all the same.
#[test]
fn the_known_manifest_is_no_short_cut_back() {
    let world = World::new();
    world.publish(&[("a", "[1]")]);
    world.read("a").unwrap();
    let first = world.manifest_bytes();
    world.publish(&[("a", "[2]")]);
    let object =
        layout::object(&lastgood::protocol::digest::Sha256::of(b"[2]"), &lastgood::protocol::name::Ext::json());
    world.storage.remove(&object).unwrap();
    assert_eq!(reason(&world.read("a").unwrap()), Some(Code::Http));
    world.put_manifest(&first);
    assert_eq!(reason(&world.read("a").unwrap()), Some(Code::Regressed));
}

/// A read that takes long ends after another one that has seen a later generation.
#[test]
fn a_slow_read_does_not_make_forgotten_what_another_has_seen() {
    let world = Arc::new(World::new());
    world.publish(&[("a", "[1]"), ("b", "[1]")]);
    world.reader.snapshot(&[name("a"), name("b")]).unwrap();
    world.publish(&[("a", "[2]")]);
    let second = world.manifest_bytes();
    let other = Arc::clone(&world);
    *world.meanwhile.lock().unwrap() = Some(Box::new(move || {
        other.publish(&[("b", "[3]")]);
        assert_eq!(other.read("b").unwrap().generation.get(), 3);
    }));
    assert_eq!(world.read("a").unwrap().generation.get(), 2);
    assert!(world.meanwhile.lock().unwrap().is_none());
    world.put_manifest(&second);
    let reading = world.read("b").unwrap();
    assert_eq!((&*reading.value, reason(&reading)), (&b"[3]"[..], Some(Code::Regressed)));
}

#[test]
fn an_expired_dataset_is_handed_out_with_the_reason_also_when_it_is_known() {
    let world = World::new();
    world.publish(&[("b", "[2]")]);
    let settings = Settings { expires_in: Some(Duration::from_secs(60)), ..Settings::default() };
    world.publish_as(&[("a", "[1]")], settings);
    for (now, expected) in [(0, None), (59_999, None), (60_000, Some(Code::Expired)), (60_001, Some(Code::Expired))] {
        world.now.store(now, Ordering::Relaxed);
        let readings = world.reader.snapshot(&[name("a"), name("b")]).unwrap();
        assert_eq!((reason(&readings[0]), reason(&readings[1])), (expected, None), "{now}");
        assert_eq!(&*readings[0].value, b"[1]");
        assert_eq!(readings[0].source, if now == 0 { Source::Network } else { Source::Cache });
    }
    // Should the feed be lost, they were of one manifest.
    world.down.store(true, Ordering::Relaxed);
    assert_eq!(world.reader.snapshot(&[name("a"), name("b")]).unwrap().len(), 2);
}

/// A look at any dataset is enough to drop what was purged, of whichever.
#[test]
fn what_was_purged_is_dropped_and_never_handed_out_again() {
    let world = World::new();
    world.publish(&[("a", "[4111]"), ("b", "[2]")]);
    world.reader.snapshot(&[name("a"), name("b")]).unwrap();
    let feed = world.feed();
    feed.remove(&[name("a")]).unwrap();
    assert_eq!(world.read("a").unwrap().source, Source::Fallback, "withdrawn, it is the last good copy");
    let before = world.reader.cached_bytes();
    feed.purge(&name("a"), Purge::Generation(Generation::FIRST)).unwrap();
    assert_eq!(reason(&world.read("b").unwrap()), None);
    assert_eq!(world.reader.cached_bytes(), before - 6);
    world.down.store(true, Ordering::Relaxed);
    let Err(Error::Read(failure)) = world.read("a") else { panic!("it is handed out") };
    assert_eq!(failure.code, Code::Offline);
    assert_eq!(&*world.read("b").unwrap().value, b"[2]");
}

#[test]
fn an_expired_manifest_is_a_reason_also_when_it_is_known() {
    let world = World::new();
    let settings = Settings { generation_expires_in: Some(Duration::from_secs(60)), ..Settings::default() };
    world.publish_as(&[("a", "[1]")], settings);
    for (now, expected) in [(0, None), (59_999, None), (60_000, Some(Code::Expired))] {
        world.now.store(now, Ordering::Relaxed);
        assert_eq!(reason(&world.read("a").unwrap()), expected, "{now}");
    }
}

/// One manifest vouches for all that is cached, also for what was not asked for along with it.
#[test]
fn copies_that_one_manifest_has_named_belong_together() {
    let world = World::new();
    let ab = [name("a"), name("b")];
    world.publish(&[("a", "[1]"), ("b", "[2]")]);
    world.read("a").unwrap();
    world.publish(&[("b", "[3]")]);
    world.read("b").unwrap();
    world.down.store(true, Ordering::Relaxed);
    let readings = world.reader.snapshot(&ab).unwrap();
    assert_eq!((&*readings[0].value, &*readings[1].value), (&b"[1]"[..], &b"[3]"[..]));
    // And where none has, they do not.
    world.down.store(false, Ordering::Relaxed);
    world.publish(&[("a", "[4]"), ("b", "[5]")]);
    world.read("b").unwrap();
    world.down.store(true, Ordering::Relaxed);
    let Err(Error::Read(failure)) = world.reader.snapshot(&ab) else { panic!("of two generations") };
    assert_eq!(failure.code, Code::Inconsistent);
}

#[test]
fn without_capacity_nothing_is_kept() {
    let world = World::new();
    world.publish(&[("a", "[1]")]);
    let World { reader, .. } = world;
    let reader = reader.with_capacity(0);
    for _ in 0..3 {
        assert_eq!(reader.read(&name("a")).unwrap().source, Source::Network);
        assert_eq!(reader.cached_bytes(), 0);
    }
}
