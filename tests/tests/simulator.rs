//! The real writer publishes a new generation before every single request of the read algorithm: readers never get a
//! mixture, nothing unverified, and generations never go back.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::Cursor;

use lastgood::protocol::cache::CacheHead;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::layout::FeedPath;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Document, Known, LockPolicy, Outcome, Payload, Plan, Request, Source, Wanted};
use lastgood::protocol::time::Timestamp;
use lastgood::read::{Origin, drive};
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Compression, Feed, Item, Schema, Settings};
use serde_json::{Value, json};

const NAMES: [&str; 2] = ["performance", "transactions"];

fn name(dataset: &str) -> DatasetName {
    DatasetName::parse(dataset).unwrap()
}

/// A payload says what it is, so that any mixture shows.
fn payload(dataset: &DatasetName, generation: u64) -> Vec<u8> {
    json!([{"dataset": dataset.as_str(), "generation": generation}, {"of": generation}]).to_string().into_bytes()
}

/// A schema that only this payload satisfies, so that the payload of one generation with the schema of another shows, too.
fn schema(generation: u64) -> Schema {
    let row = json!({"properties": {"generation": {"const": generation}, "of": {"const": generation}}});
    Schema { version: u32::try_from(generation).unwrap(), json: json!({ "items": row }).to_string().into_bytes() }
}

/// How much goes on while one reads.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// A generation of both datasets before every request.
    EveryRequest,
    /// A generation before some requests, of one dataset or of both.
    Some,
}

/// What goes wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Answers are torn, replaced by other versions of the file, missing or not there at all.
    Foul,
}

/// The world of one reader: a feed that is being published, the network before it, and the reader's cache.
struct World {
    storage: MemoryStorage,
    feed: Feed<MemoryStorage>,
    pace: Pace,
    weather: Weather,
    random: u64,
    now: i64,
    /// What was ever served under a path, for stale answers.
    served: BTreeMap<FeedPath, Vec<Vec<u8>>>,
    cache: BTreeMap<DatasetName, (CacheHead, Vec<u8>)>,
    requests: usize,
}

impl World {
    fn new(pace: Pace, weather: Weather, seed: u64) -> Self {
        let storage = MemoryStorage::new();
        let settings = Settings { compression: Compression::OFF, ..Settings::default() };
        let feed = Feed::on(storage.clone()).with_settings(settings);
        let (served, cache) = (BTreeMap::new(), BTreeMap::new());
        let world = Self { storage, feed, pace, weather, random: seed, now: 0, served, cache, requests: 0 };
        world.publish(&NAMES);
        world
    }

    /// A number below `end`: splitmix64, the same in every run.
    fn draw(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn generation(&self) -> u64 {
        self.feed.manifest().map_or(0, |manifest| manifest.generation.get())
    }

    fn publish(&self, datasets: &[&str]) {
        let next = self.generation() + 1;
        let item =
            |dataset: &&str| Item::new(name(dataset), Cursor::new(payload(&name(dataset), next))).schema(schema(next));
        let publication = self.feed.publish(datasets.iter().map(item).collect()).unwrap();
        assert_eq!(publication.generation.get(), next);
    }

    fn request(&mut self, request: &Request) -> Result<Vec<u8>, Failure> {
        self.requests += 1;
        match self.pace {
            Pace::EveryRequest => self.publish(&NAMES),
            Pace::Some => match self.draw(4) {
                0 => self.publish(&NAMES),
                1 => self.publish(&NAMES[..1]),
                2 => self.publish(&NAMES[1..]),
                _ => {}
            },
        }
        let path = request.path.as_str();
        let bytes = self.storage.read(&request.path, 1 << 30).unwrap();
        let Some(mut bytes) = bytes else { return Err(Failure::http(path, 404)) };
        let versions = self.served.entry(request.path.clone()).or_default();
        versions.push(bytes.clone());
        if self.weather == Weather::Foul {
            let versions = versions.clone();
            match self.draw(12) {
                0 => bytes.truncate(bytes.len() / 2),
                1 => bytes = versions[usize::try_from(self.draw(versions.len() as u64)).unwrap()].clone(),
                2 => bytes = b"<!doctype html>".to_vec(),
                3 => bytes[0] ^= 1,
                4 => return Err(Failure::http(path, 404)),
                5 => return Err(Failure::new(Code::Offline, "no network")),
                6 => return Err(Failure::new(Code::Truncated, "the connection broke")),
                _ => {}
            }
        }
        if bytes.len() as u64 > request.limit {
            return Err(Failure::too_large(path, request.limit));
        }
        Ok(bytes)
    }

    /// Reads as a visitor does, with the cache as it is, and keeps what is to be kept.
    fn read(&mut self, datasets: &[DatasetName], known: Known) -> Outcome<Vec<u8>> {
        let datasets = datasets.iter().cloned().map(Wanted::json).collect();
        let (lock, lock_wait_ms, max_bytes) = (LockPolicy::Cache, 1000, 1 << 20);
        let plan = Plan { datasets, lock, lock_wait_ms, max_bytes, max_age_ms: None, again: false };
        drive(self, plan, known)
    }
}

fn hashed(bytes: Vec<u8>) -> Payload<Vec<u8>> {
    let value = match serde_json::from_slice::<Value>(&bytes) {
        Ok(_) => Ok(bytes.clone()),
        Err(error) => Err(error.to_string()),
    };
    Payload { sha256: Sha256::of(&bytes), size: bytes.len() as u64, value }
}

impl Origin for World {
    type Value = Vec<u8>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        Ok(Document { bytes: self.request(request)?, server_time: Some(self.now()) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Vec<u8>>, Failure> {
        self.request(request).map(hashed)
    }

    fn cached(&mut self, dataset: &DatasetName) -> Option<Payload<Vec<u8>>> {
        self.cache.get(dataset).map(|(_, bytes)| hashed(bytes.clone()))
    }

    fn wait(&mut self, ms: u64) {
        self.now += i64::try_from(ms).unwrap();
    }

    fn now(&mut self) -> Timestamp {
        self.now += 1;
        Timestamp::from_ms(self.now)
    }
}

/// What came of many reads.
#[derive(Debug, Default)]
struct Seen {
    fresh: usize,
    from_cache: usize,
    fallen_back: usize,
    failed: usize,
}

/// Reads again and again, one dataset or both, and checks every value that is handed out.
fn visit(mut world: World, rounds: usize, keeps_cache: bool) -> Seen {
    let mut seen = Seen::default();
    let mut memory = None;
    for round in 0..rounds {
        let datasets: Vec<DatasetName> = match round % 4 {
            0 => vec![name(NAMES[0])],
            1 => vec![name(NAMES[1])],
            2 => vec![name(NAMES[0]), name(NAMES[1])],
            _ => vec![name(NAMES[1]), name(NAMES[0])],
        };
        if keeps_cache && world.weather == Weather::Foul && world.draw(5) == 0 {
            tamper(&mut world);
        }
        let heads = datasets.iter().map(|dataset| world.cache.get(dataset).map(|(head, _)| head.clone())).collect();
        let Outcome { result, memory: remembered, .. } =
            world.read(&datasets, Known { memory: memory.clone(), heads, set: None });
        if keeps_cache {
            let generation = |memory: &Option<lastgood::protocol::cache::FeedMemory>| {
                memory.as_ref().map_or(0, |memory| memory.generation.get())
            };
            assert!(generation(&remembered) >= generation(&memory), "round {round}: the highest generation went back");
            memory = remembered;
        }
        let Ok(readings) = result else {
            seen.failed += 1;
            continue;
        };
        assert!(readings.iter().map(|reading| &reading.dataset).eq(&datasets), "round {round}: other datasets");
        for reading in &readings {
            let changed = reading.head.changed.get();
            assert_eq!(reading.value, payload(&reading.dataset, changed), "round {round}: not what was published");
            assert_eq!(Sha256::of(&reading.value), reading.head.sha256, "round {round}: not verified");
            assert!(changed <= reading.generation.get(), "round {round}: from the future");
            let version = reading.head.schema.as_ref().map(|schema| u64::from(schema.version));
            assert_eq!((version, reading.head.validated), (Some(changed), true), "round {round}: not validated");
            assert_eq!(reading.generation, readings[0].generation, "round {round}: a mixed snapshot");
            // The generation that it is said to be of names exactly this payload.
            let published = world.feed.read_generation(&reading.dataset, reading.generation).unwrap();
            assert_eq!(reading.value, published, "round {round}: of another generation than it says");
            assert_eq!(reading.fresh(), reading.source != Source::Fallback, "round {round}");
            match reading.source {
                Source::Network => seen.fresh += 1,
                Source::Cache => seen.from_cache += 1,
                Source::Fallback => seen.fallen_back += 1,
            }
            if keeps_cache {
                world.cache.insert(reading.dataset.clone(), (reading.head.clone(), reading.value.clone()));
            }
        }
    }
    assert!(world.requests >= rounds);
    seen
}

/// Something else on the origin alters the cache.
fn tamper(world: &mut World) {
    let kind = world.draw(3);
    let other = world.cache.get(&name(NAMES[1])).map(|(_, bytes)| bytes.clone());
    let Some((_, bytes)) = world.cache.get_mut(&name(NAMES[0])) else { return };
    match (kind, other) {
        (0, _) => bytes[1] ^= 1,
        (1, Some(other)) => *bytes = other,
        _ => bytes.truncate(3),
    }
}

/// Nothing fails, so every read succeeds, however fast the feed changes.
#[test]
fn a_generation_before_every_request() {
    for seed in 0..10 {
        let seen = visit(World::new(Pace::EveryRequest, Weather::Fair, seed), 200, false);
        assert_eq!((seen.failed, seen.fallen_back, seen.from_cache), (0, 0, 0), "{seen:?}");
        let seen = visit(World::new(Pace::EveryRequest, Weather::Fair, seed), 200, true);
        assert_eq!((seen.failed, seen.fallen_back), (0, 0), "{seen:?}");
    }
}

#[test]
fn a_generation_before_some_requests() {
    for seed in 0..10 {
        let keeps_cache = seed % 2 == 0;
        let seen = visit(World::new(Pace::Some, Weather::Fair, seed), 200, keeps_cache);
        assert_eq!((seen.failed, seen.fallen_back), (0, 0), "{seen:?}");
        assert_eq!(seen.from_cache > 0, keeps_cache, "unchanged payloads come from the cache: {seen:?}");
    }
}

/// Whatever the network and the cache do, a value that is handed out is right.
#[test]
fn nothing_wrong_is_handed_out_in_foul_weather() {
    for seed in 0..10 {
        let keeps_cache = seed % 2 == 0;
        for pace in [Pace::EveryRequest, Pace::Some] {
            let seen = visit(World::new(pace, Weather::Foul, seed), 200, keeps_cache);
            assert!(seen.fresh > 0 && seen.failed > 0, "{seen:?}");
            assert_eq!(seen.fallen_back > 0, keeps_cache, "{seen:?}");
        }
    }
}
