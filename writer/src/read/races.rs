//! Threads that share a reader while others publish, in orders that a scheduler chooses: every access to what is shared,
//! and every call of the storage, is a point where another thread may go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lastgood_protocol::layout;
use lastgood_protocol::name::DatasetName;
use shuttle::thread;

use super::Reader;
use crate::compress::Compression;
use crate::feed::{Feed, Settings};
use crate::prepare::Item;
use crate::storage::{MemoryStorage, Storage};
use crate::sync::model::many_orders;

/// How many orders of each kind are tried.
const ORDERS: usize = 1000;

fn names() -> [DatasetName; 2] {
    ["a", "b"].map(|name| DatasetName::parse(name).unwrap())
}

/// A feed whose two datasets are always of one round.
#[derive(Clone)]
struct Rounds {
    storage: MemoryStorage,
    feed: Feed<MemoryStorage>,
    /// The last one whose success was reported.
    reported: Arc<AtomicU64>,
}

impl Rounds {
    fn new() -> Self {
        let storage = MemoryStorage::new();
        // Threads of the compression are not those that are looked at here.
        let settings = Settings { compression: Compression::OFF, ..Settings::default() };
        let feed = Feed::on(storage.clone()).with_settings(settings);
        let rounds = Self { storage, feed, reported: Arc::default() };
        rounds.publish(1);
        rounds
    }

    fn publish(&self, round: u64) {
        let payload = [round as u8 + b'0'; 8];
        let item = |name| Item::new(name, &payload[..]);
        self.feed.publish(names().map(item).into()).unwrap();
        self.reported.store(round, Ordering::SeqCst);
    }

    fn reader(&self) -> Arc<Reader<MemoryStorage>> {
        Arc::new(Reader::of(self.feed.clone()))
    }
}

/// The round that a whole payload is of.
fn round_of(payload: &[u8]) -> u64 {
    assert!(payload.len() == 8 && payload.iter().all(|byte| *byte == payload[0]), "{payload:?}");
    u64::from(payload[0] - b'0')
}

/// A thread that reads: whole rounds, none before one that was reported when the read began, never backwards.
fn read(rounds: &Rounds, reader: &Reader<MemoryStorage>, datasets: &[DatasetName], times: usize) {
    let mut last = 0;
    for _ in 0..times {
        let reported = rounds.reported.load(Ordering::SeqCst);
        let readings = reader.snapshot(datasets).unwrap();
        for reading in &readings {
            assert!(reading.fresh(), "{:?}", reading.reason);
            assert_eq!(round_of(&reading.value), reading.generation.get());
            assert_eq!(reading.generation, readings[0].generation, "of two generations");
            assert!(reading.generation.get() >= reported.max(last), "{reading:?} after {reported} and {last}");
        }
        last = readings[0].generation.get();
    }
}

#[test]
fn no_thread_waits_for_ever_or_gets_what_is_stale() {
    let body = || {
        let rounds = Rounds::new();
        let reader = rounds.reader();
        let reading: Vec<_> = [&[0, 1][..], &[0], &[1, 0]]
            .into_iter()
            .map(|datasets| {
                let (rounds, reader) = (rounds.clone(), Arc::clone(&reader));
                let datasets: Vec<DatasetName> = datasets.iter().map(|index| names()[*index].clone()).collect();
                thread::spawn(move || read(&rounds, &reader, &datasets, 2))
            })
            .collect();
        rounds.publish(2);
        rounds.publish(3);
        reading.into_iter().for_each(|thread| thread.join().unwrap());
        let last = reader.read(&names()[0]).unwrap();
        assert_eq!((round_of(&last.value), last.fresh()), (3, true));
    };
    many_orders(ORDERS, body);
}

/// With room for one payload, those that two threads want drive each other out.
#[test]
fn a_cache_that_is_too_small_is_only_slower() {
    let body = || {
        let rounds = Rounds::new();
        let reader = Arc::new(Reader::of(rounds.feed.clone()).with_capacity(8));
        let reading: Vec<_> = names()
            .into_iter()
            .map(|name| {
                let (rounds, reader) = (rounds.clone(), Arc::clone(&reader));
                thread::spawn(move || read(&rounds, &reader, &[name], 2))
            })
            .collect();
        rounds.publish(2);
        reading.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(reader.cached_bytes() <= 8);
    };
    many_orders(ORDERS, body);
}

/// The feed is lost between two reads: whoever has read gets the copy and the reason, whoever has not the failure. Nobody
/// waits for a flight that has failed.
#[test]
fn a_feed_that_is_lost_is_told_to_each() {
    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    let body = move || {
        let rounds = Rounds::new();
        let reader = rounds.reader();
        let reading: Vec<_> = (0..2)
            .map(|_| {
                let (reader, told) = (Arc::clone(&reader), Arc::clone(&counted));
                thread::spawn(move || {
                    let mut had = false;
                    for _ in 0..2 {
                        match reader.snapshot(&names()) {
                            Ok(readings) => {
                                readings.iter().for_each(|reading| assert_eq!(round_of(&reading.value), 1));
                                told.fetch_add(usize::from(!readings[0].fresh()), Ordering::Relaxed);
                                had = true;
                            }
                            Err(error) => assert!(!had, "the copy was lost: {error}"),
                        }
                    }
                })
            })
            .collect();
        rounds.storage.remove(&layout::manifest()).unwrap();
        reading.into_iter().for_each(|thread| thread.join().unwrap());
    };
    many_orders(ORDERS, body);
    assert!(told.load(Ordering::Relaxed) > 0, "no order had the feed lost after a read");
}
