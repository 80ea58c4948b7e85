//! Whatever a host answers, at whatever point: what must hold of every read.
//!
//! The host below chooses each of its answers from a small alphabet, as well as what is cached and the policy. All paths
//! through these choices are taken for one dataset, and many drawn at random for a snapshot of two. The judgement in
//! [`Run::judge`] knows only what was answered and what was ever published, nothing of the algorithm.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::manifest::Generation;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Caching, Check, Document, Known, LockPolicy, Objection, Outcome, Payload, Plan, Request, SchemaObject,
    SchemaRequest, Source, Wanted,
};
use lastgood_protocol::time::Timestamp;

use crate::choices::Choices;
use crate::common::{Host, drive, name, payload};
use crate::publisher::{Publisher, published_at};

/// The generation that the visitor has seen.
const SEEN: u64 = 3;
/// What the server may have: the one before, the one seen, the next, one in which "a" is gone.
const SERVED: [u64; 4] = [2, 3, 4, 5];
const LOCK_WAIT_MS: u64 = 100;

/// What was ever published, encoded once.
struct World {
    publisher: Publisher,
    manifests: BTreeMap<u64, Vec<u8>>,
    payloads: BTreeMap<Sha256, Payload<String>>,
    /// JSON that was never published, as long as what was.
    forged: Payload<String>,
    marker: Vec<u8>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let mut publisher = Publisher::new(1);
        publisher.publish(&[("a", "[1]"), ("b", "{\"b\":1}")]).publish(&[("a", "[2]")]).publish(&[("b", "{\"b\":3}")]);
        publisher.publish(&[("a", "[4]")]).remove("a");
        let manifests = SERVED.map(|number| (number, publisher.manifest(number).encode())).into();
        let now = published_at(6);
        let holder = Holder { host: "h".to_owned(), pid: 1, token: "t".to_owned() };
        let datasets = vec![name("a"), name("b")];
        let marker = LockMarker { format: 1, holder, datasets, acquired_at: now, expires_at: now.plus_ms(60_000) };
        let payloads = publisher.payloads().map(payload).map(|payload| (payload.sha256, payload)).collect();
        Self { publisher, manifests, payloads, forged: payload(b"[9]"), marker: marker.encode(), now }
    }

    /// What the visitor may have of a dataset: the payload of a generation, confirmed until a later one.
    fn cached(&self, dataset: &str, confirmed: u64) -> (CacheHead, Payload<String>) {
        let entry = self.publisher.entry(confirmed, dataset);
        let head = CacheHead {
            feed: self.publisher.latest().feed,
            sha256: entry.sha256,
            size: entry.size,
            changed: entry.generation,
            confirmed: Generation::new(confirmed).unwrap(),
            published_at: entry.published_at,
            checked_at: self.now,
            used_at: self.now,
            meta: None,
            ext: entry.ext.clone(),
            schema: None,
            validated: false,
        };
        (head, self.payload(confirmed, dataset))
    }

    fn payload(&self, generation: u64, dataset: &str) -> Payload<String> {
        self.payloads[&self.publisher.entry(generation, dataset).sha256].clone()
    }
}

/// One read: what is chosen, and what came of it so far.
struct Run<'a> {
    world: &'a World,
    choices: &'a mut Choices,
    plan: Plan,
    known: Known,
    payloads: BTreeMap<DatasetName, Option<Payload<String>>>,
    /// Whether every cached copy is what its head says.
    untampered: bool,
    /// The highest generation of which the visitor knows.
    highest: Option<u64>,
    /// The generation that the last manifest has, if it was one to be accepted.
    named: Option<u64>,
    /// Whether a running lock was answered beside the last manifest.
    held: bool,
    /// What went wrong in the last round, for good.
    failures: Vec<Code>,
    /// Whether something went wrong in the last round that one more request may mend.
    mendable: bool,
    /// Whether an object was gone, and whether the manifest was asked for since.
    gone: bool,
    reread: bool,
    /// The digests that arrived, as guesses or objects, and as objects.
    arrived: BTreeSet<Sha256>,
    objects: BTreeSet<Sha256>,
    manifests_asked: usize,
    objects_asked: usize,
    waits: usize,
}

impl<'a> Run<'a> {
    fn new(world: &'a World, choices: &'a mut Choices, datasets: &[&str]) -> Self {
        let lock = [LockPolicy::Cache, LockPolicy::Wait, LockPolicy::Ignore][choices.choose(3)];
        let mut known = Known::default();
        if choices.choose(2) == 1 {
            let manifest = world.publisher.manifest(SEEN);
            let (feed, generation, commit) = (manifest.feed, manifest.generation, manifest.commit);
            known.memory = Some(FeedMemory { feed, generation, commit, clock_offset_ms: 0 });
        }
        let (mut payloads, mut untampered) = (BTreeMap::new(), true);
        for &dataset in datasets {
            let (current, older) =
                (world.cached(dataset, SEEN), world.cached(dataset, if dataset == "a" { 1 } else { 2 }));
            let (head, payload) = match choices.choose(5) {
                0 => (None, None),
                1 => (Some(current.0), Some(current.1)),
                2 => (Some(older.0), Some(older.1)),
                3 => (Some(current.0), Some(world.forged.clone())),
                _ => (Some(current.0), None),
            };
            untampered &= head.as_ref().map(|head| head.sha256) == payload.as_ref().map(|payload| payload.sha256);
            known.heads.push(head);
            payloads.insert(name(dataset), payload);
        }
        let datasets = datasets.iter().map(|dataset| Wanted::json(name(dataset))).collect();
        let highest = known.memory.as_ref().map(|memory| memory.generation.get());
        Self {
            world,
            choices,
            plan: Plan {
                datasets,
                lock,
                lock_wait_ms: LOCK_WAIT_MS,
                max_bytes: 1 << 20,
                max_age_ms: None,
                again: false,
            },
            known,
            payloads,
            untampered,
            highest,
            named: None,
            held: false,
            failures: Vec::new(),
            mendable: false,
            gone: false,
            reread: false,
            arrived: BTreeSet::new(),
            objects: BTreeSet::new(),
            manifests_asked: 0,
            objects_asked: 0,
            waits: 0,
        }
    }

    fn fail(&mut self, code: Code, mendable: bool) {
        if mendable {
            self.mendable = true;
        } else {
            self.failures.push(code);
        }
    }

    fn manifest(&mut self) -> Result<Vec<u8>, Failure> {
        (self.named, self.held) = (None, false);
        self.manifests_asked += 1;
        self.reread |= self.gone;
        let choice = self.choices.choose(SERVED.len() + 2);
        let Some(&number) = SERVED.get(choice) else {
            return if choice == SERVED.len() {
                self.failures.push(Code::ManifestInvalid);
                let mut damaged = self.world.manifests[&4].clone();
                damaged[60] ^= 1;
                Ok(damaged)
            } else {
                self.failures.push(Code::Offline);
                Err(Failure::new(Code::Offline, "offline"))
            };
        };
        if self.highest.is_some_and(|highest| number < highest) {
            self.failures.push(Code::Regressed);
        } else {
            self.highest = Some(number);
            self.named = Some(number);
            let datasets = &self.world.publisher.manifest(number).datasets;
            if self.plan.datasets.iter().any(|wanted| !datasets.contains_key(&wanted.dataset)) {
                self.failures.push(Code::NotFound);
            }
        }
        Ok(self.world.manifests[&number].clone())
    }

    fn lock(&mut self) -> Result<Vec<u8>, Failure> {
        assert_ne!(self.plan.lock, LockPolicy::Ignore, "not asked for when it is ignored");
        // That junk is no lock shows at the first look as well as at the later ones.
        match self.choices.choose(if self.manifests_asked == 1 { 3 } else { 2 }) {
            0 => Err(Failure::http(".lock", 404)),
            1 => {
                self.held = true;
                Ok(self.world.marker.clone())
            }
            _ => Ok(b"<!DOCTYPE html>".to_vec()),
        }
    }

    fn guess(&mut self, dataset: &str) -> Result<Payload<String>, Failure> {
        assert_eq!(self.manifests_asked, 1, "guesses are made once");
        match self.choices.choose(4) {
            0 => Ok(self.world.payload(SEEN, dataset)),
            1 => Ok(self.world.payload(4, dataset)),
            2 => Ok(self.world.forged.clone()),
            _ => Err(Failure::http("plain copy", 404)),
        }
        .inspect(|payload| _ = self.arrived.insert(payload.sha256))
    }

    fn object(&mut self, request: &Request) -> Result<Payload<String>, Failure> {
        let path = request.path.as_str();
        let named = self.world.publisher.manifest(self.named.expect("objects are asked for after a manifest"));
        let (dataset, entry) = named
            .datasets
            .iter()
            .find(|(_, entry)| path == format!("objects/{}.json", entry.sha256))
            .expect("objects that the last manifest names");
        assert!(self.plan.datasets.iter().any(|wanted| wanted.dataset == *dataset) && request.limit == entry.size);
        assert!(matches!(request.caching, Caching::Allow | Caching::Bypass));
        assert!(!self.objects.contains(&entry.sha256), "{path} has arrived already");
        self.objects_asked += 1;
        match self.choices.choose(5) {
            0 => {
                self.arrived.insert(entry.sha256);
                self.objects.insert(entry.sha256);
                Ok(self.world.payload(named.generation.get(), dataset.as_str()))
            }
            1 => {
                self.fail(Code::ChecksumMismatch, request.caching == Caching::Allow);
                Ok(self.world.forged.clone())
            }
            2 => {
                self.fail(Code::Truncated, request.caching == Caching::Allow);
                Err(Failure::new(Code::Truncated, "cut"))
            }
            3 => {
                self.fail(Code::Http, !self.reread);
                self.gone = true;
                Err(Failure::http(path, 404))
            }
            _ => {
                self.failures.push(Code::Timeout);
                Err(Failure::new(Code::Timeout, "silence"))
            }
        }
    }

    /// Whether the cached copies can be handed out, and in which generation they belong together.
    fn cached_together(&self) -> Option<u64> {
        let all = |number: &u64| {
            let generation = Generation::new(*number).unwrap();
            self.plan.datasets.iter().zip(&self.known.heads).all(|(Wanted { dataset, .. }, head)| {
                head.as_ref().is_some_and(|head| {
                    (head.changed..=head.confirmed).contains(&generation)
                        && self.world.publisher.was_current(generation, dataset, &head.sha256)
                })
            })
        };
        (1..=5).rev().find(all)
    }

    fn judge(&self, outcome: &Outcome<String>) -> Ending {
        let usable = self.cached_together().filter(|_| self.untampered);
        let shown_while_held = self.plan.lock == LockPolicy::Cache && usable.is_some();
        assert_eq!(outcome.memory.as_ref().map(|memory| memory.generation.get()), self.highest);
        // At first, after the wait, after a 404; each object twice for two manifests.
        assert!(self.manifests_asked <= 3 && self.waits <= 1);
        assert!(self.objects_asked <= 4 * self.plan.datasets.len());
        if self.held {
            let nothing_to_show = self.known.heads.contains(&None);
            let patient = if self.named.is_some() { self.plan.lock == LockPolicy::Wait } else { nothing_to_show };
            assert!(self.waits == 1 || !patient, "reading goes on only after the longest wait");
        }
        let readings = match &outcome.result {
            Ok(readings) => readings,
            Err(failure) => {
                assert_eq!(usable, None, "no failure while there is something to show: {failure:?}");
                let apart = self.plan.datasets.len() > 1
                    && self.known.heads.iter().all(Option::is_some)
                    && self.cached_together().is_none();
                let implied = self.failures.contains(&failure.code) || failure.code == Code::Inconsistent && apart;
                assert!(implied && !self.failures.is_empty(), "{failure:?}, but what failed is {:?}", self.failures);
                return Ending { code: Some(failure.code.as_str()), source: None };
            }
        };
        assert_eq!(readings.len(), self.plan.datasets.len());
        for ((reading, Wanted { dataset, .. }), head) in readings.iter().zip(&self.plan.datasets).zip(&self.known.heads)
        {
            assert_eq!(&reading.dataset, dataset);
            let sha256 = Sha256::of(reading.value.as_bytes());
            assert_eq!((reading.head.sha256, reading.head.size), (sha256, reading.value.len() as u64));
            assert_eq!(reading.generation, readings[0].generation, "one snapshot, one generation");
            assert_eq!(reading.reason, readings[0].reason);
            assert!(self.world.publisher.was_current(reading.generation, dataset, &sha256), "belong together");
            let from_cache = self.untampered && head.as_ref().is_some_and(|head| head.sha256 == sha256);
            // Where there is nothing to show meanwhile, what the manifest names is.
            let locked = reading.reason.as_ref().is_some_and(|failure| failure.code == Code::Locked);
            match reading.reason.as_ref().filter(|_| !locked || shown_while_held) {
                None => {
                    assert_eq!(Some(reading.generation.get()), self.named, "named by the last manifest");
                    assert!(self.failures.is_empty() && !self.mendable, "fresh in spite of {:?}", self.failures);
                    assert_eq!(locked, self.held && self.plan.lock == LockPolicy::Cache, "a lock is told");
                    assert!(!(self.held && shown_while_held), "a lock is heeded while there is a copy to show");
                    assert_eq!(reading.head.confirmed, reading.generation);
                    let right = self.payloads[dataset].as_ref().is_some_and(|payload| payload.sha256 == sha256);
                    match reading.source {
                        Source::Network => assert!(self.arrived.contains(&sha256)),
                        Source::Cache => assert!(right),
                        Source::Fallback => panic!("a fallback is never fresh"),
                    }
                }
                Some(failure) => {
                    assert!(from_cache);
                    assert_eq!(Some(reading.generation.get()), usable);
                    assert_eq!(reading.head.confirmed, head.as_ref().unwrap().confirmed);
                    match failure.code {
                        Code::Locked => {
                            assert!(self.held && shown_while_held && self.named.is_some());
                            assert_eq!(reading.source, Source::Cache);
                        }
                        code => {
                            assert!(self.failures.contains(&code), "{code:?}, but what failed is {:?}", self.failures);
                            assert_eq!(reading.source, Source::Fallback);
                        }
                    }
                }
            }
        }
        Ending {
            code: readings[0].reason.as_ref().map(|failure| failure.code.as_str()),
            source: Some(readings[0].source.as_str()),
        }
    }
}

impl Host for Run<'_> {
    fn begin_round(&mut self) {
        self.failures.clear();
        self.mendable = false;
    }

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        let bytes = if request.path.as_str() == ".lock" { self.lock() } else { self.manifest() }?;
        Ok(Document { bytes, server_time: Some(self.world.now) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<String>, Failure> {
        match request.path.as_str().strip_suffix(".json") {
            Some(dataset @ ("a" | "b")) => self.guess(dataset),
            _ => self.object(request),
        }
    }

    fn schema(&mut self, schema: &SchemaRequest) -> Result<SchemaObject, Failure> {
        panic!("there is no schema: {schema:?}")
    }

    fn validate(&mut self, check: &Check<'_, String>) -> Result<(), Objection> {
        panic!("there is no schema: {check:?}")
    }

    fn cached(&mut self, dataset: &DatasetName, _: Option<&CacheHead>) -> Option<Payload<String>> {
        self.payloads[dataset].clone()
    }

    fn wait(&mut self, ms: u64) {
        assert!(ms <= LOCK_WAIT_MS && self.plan.lock != LockPolicy::Ignore);
        self.waits += 1;
    }

    fn now(&self) -> Timestamp {
        self.world.now
    }
}

/// How a read ended: with which reason or failure, with readings from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    code: Option<&'static str>,
    source: Option<&'static str>,
}

/// Reads along all paths and judges each; returns how often each ending was reached.
fn explore(mut choices: Choices, datasets: &[&str]) -> BTreeMap<Ending, usize> {
    let (world, started) = (World::new(), Instant::now());
    let mut endings = BTreeMap::new();
    loop {
        let mut run = Run::new(&world, &mut choices, datasets);
        let outcome = drive(run.plan.clone(), run.known.clone(), &mut run);
        *endings.entry(run.judge(&outcome)).or_insert(0) += 1;
        if !choices.advance() {
            break;
        }
    }
    println!("{} reads of {datasets:?} in {:?}: {endings:#?}", endings.values().sum::<usize>(), started.elapsed());
    endings
}

/// Asserts that nothing of interest was left out.
fn assert_all_reached(endings: &BTreeMap<Ending, usize>, failures: &[Code]) {
    let mut expected = BTreeSet::from([
        Ending { code: None, source: Some("network") },
        Ending { code: None, source: Some("cache") },
        Ending { code: Some("locked"), source: Some("cache") },
        Ending { code: Some("locked"), source: Some("network") },
    ]);
    for code in failures {
        expected.insert(Ending { code: Some(code.as_str()), source: None });
        expected.insert(Ending { code: Some(code.as_str()), source: Some("fallback") });
    }
    expected.remove(&Ending { code: Some("inconsistent"), source: Some("fallback") });
    assert_eq!(endings.keys().copied().collect::<BTreeSet<_>>(), expected);
}

const FAILURES: [Code; 8] = [
    Code::ManifestInvalid,
    Code::Offline,
    Code::Regressed,
    Code::NotFound,
    Code::ChecksumMismatch,
    Code::Truncated,
    Code::Http,
    Code::Timeout,
];

#[test]
fn every_read_of_one_dataset() {
    let endings = explore(Choices::every(), &["a"]);
    assert_all_reached(&endings, &FAILURES);
}

#[test]
fn many_reads_of_two_datasets() {
    let seed = std::env::var("LASTGOOD_SEED").map_or(20_261_120, |seed| seed.parse().expect("a number"));
    println!("LASTGOOD_SEED={seed}");
    let endings = explore(Choices::drawn(seed, 100_000), &["a", "b"]);
    assert_all_reached(&endings, &[&FAILURES[..], &[Code::Inconsistent]].concat());
}
