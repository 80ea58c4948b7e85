//! A reader with a cache, for services that read a feed again and again.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::failure::Failure;
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Entry, MAX_MANIFEST_BYTES, SchemaRef};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Caching, Document, Known, ManifestAnswer, Outcome, Payload, Reading, Request, Source, VerifiedManifest,
};
use lastgood_protocol::time::Timestamp;

use super::cache::{Cache, Cached};
use super::files::Files;
use super::{Origin, drive, plan};
use crate::error::Error;
use crate::feed::Feed;
use crate::storage::{PosixStorage, Storage};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// How many bytes of payloads a reader keeps unless it is told otherwise.
const DEFAULT_CAPACITY: u64 = 256 << 20;

/// A verified reader with a cache in memory, for services that read a feed from a local or a network file system.
///
/// - While nothing is published, a read costs one look at the manifest; nothing is read, hashed or copied again. After a
///   publish only the payloads that have changed are read.
/// - What is handed out has the digest that the manifest names, and satisfies the schema that it was published with. Several
///   datasets are of one generation.
/// - When the feed is gone or damaged, the last good copy is handed out, with the [reason](Reading::reason) and its
///   [age](Reading::age_ms); without a copy, the failure. A generation below one that was seen is refused.
/// - The cache is bounded by its capacity in bytes, the least recently used payload goes first. Values that were handed
///   out stay valid whatever happens to the cache.
/// - Any number of threads may share a reader; a dataset that has changed is read by one of them while the others wait
///   for it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("data");
/// use lastgood::protocol::name::DatasetName;
/// use lastgood::{Feed, Item, Reader};
///
/// let performance = DatasetName::parse("performance")?;
/// Feed::open(&dir).publish(vec![Item::new(performance.clone(), &b"[1,2,3]"[..])])?;
///
/// let reader = Reader::open(&dir).with_capacity(64 << 20);
/// let reading = reader.read(&performance)?;
/// assert_eq!(&*reading.value, b"[1,2,3]");
/// assert!(reading.fresh());
/// # std::fs::remove_dir_all(&dir)?;
///
/// // Whatever happens to the feed, there is the last good copy.
/// let reading = reader.read(&performance)?;
/// assert_eq!(&*reading.value, b"[1,2,3]");
/// println!("{} ms old, because: {}", reading.age_ms, reading.reason.expect("it is not fresh"));
/// # Ok(())
/// # }
/// ```
pub struct Reader<S = PosixStorage> {
    feed: Feed<S>,
    state: Mutex<State>,
    /// Told when a flight has landed.
    landed: Condvar,
}

/// Everything that threads share.
struct State {
    cache: Cache,
    memory: Option<FeedMemory>,
    /// The newest manifest that was verified.
    manifest: Option<Manifest>,
    /// The datasets that are being read now.
    in_flight: HashSet<DatasetName>,
}

/// A manifest that was verified, and its exact bytes.
#[derive(Clone)]
struct Manifest {
    bytes: Arc<[u8]>,
    verified: VerifiedManifest,
}

impl Reader<PosixStorage> {
    /// A reader of the feed in the directory `dir`. Does no I/O.
    #[must_use]
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self::of(Feed::open(dir))
    }
}

impl<S: Storage> Reader<S> {
    /// A reader of a feed, on its storage and its clock. Does no I/O.
    #[must_use]
    pub fn of(feed: Feed<S>) -> Self {
        let cache = Cache::new(DEFAULT_CAPACITY);
        let state = State { cache, memory: None, manifest: None, in_flight: HashSet::new() };
        Self { feed, state: Mutex::new(state), landed: Condvar::new() }
    }

    /// The same reader, with an empty cache for `bytes` of payloads; 256 MiB by default. With 0, nothing is kept.
    #[must_use]
    pub fn with_capacity(self, bytes: u64) -> Self {
        self.state().cache = Cache::new(bytes);
        self
    }

    /// How many bytes of payloads the cache holds now.
    #[must_use]
    pub fn cached_bytes(&self) -> u64 {
        self.state().cache.bytes()
    }

    /// Reads a dataset.
    ///
    /// # Errors
    /// [`Error::Read`] with the code of the failure, when there is no good copy to fall back to.
    pub fn read(&self, dataset: &DatasetName) -> Result<Reading<Arc<[u8]>>, Error> {
        let readings = self.snapshot(std::slice::from_ref(dataset))?;
        Ok(readings.into_iter().next().expect("a snapshot of one dataset has one reading"))
    }

    /// Reads several datasets of one generation, in the order given.
    ///
    /// # Errors
    /// As for [`read`](Self::read); `inconsistent` when the copies to fall back to do not belong together.
    pub fn snapshot(&self, datasets: &[DatasetName]) -> Result<Vec<Reading<Arc<[u8]>>>, Error> {
        loop {
            let seen = self.state().memory.clone();
            let request = Request { path: layout::manifest(), limit: MAX_MANIFEST_BYTES, caching: Caching::Revalidate };
            let manifest = Files { feed: &self.feed }.read(&request);
            let mut state = self.state();
            if state.memory != seen {
                // Another thread has seen a later manifest since this one was read, which would look like a step back.
                continue;
            }
            if let Ok(bytes) = &manifest
                && let Some(readings) = state.unchanged(bytes, datasets, self.feed.now())
            {
                return Ok(readings);
            }
            if datasets.iter().any(|dataset| state.in_flight.contains(dataset)) {
                // Another thread reads one of them: what it brings is most likely what is wanted here.
                drop(self.landed.wait(state));
                continue;
            }
            return Ok(self.fly(state, manifest, datasets).result?);
        }
    }

    /// Reads by the algorithm, with the manifest that has just been read, and keeps what that brings.
    fn fly(
        &self,
        mut state: MutexGuard<'_, State>,
        manifest: Result<Vec<u8>, Failure>,
        datasets: &[DatasetName],
    ) -> Outcome<Arc<[u8]>> {
        state.in_flight.extend(datasets.iter().cloned());
        // Lands also when something in between panics, or the others would wait for ever.
        let _landing = Landing { reader: self, datasets };
        let cached: Vec<Option<Cached>> = datasets.iter().map(|dataset| state.cache.peek(dataset).cloned()).collect();
        let heads = cached.iter().map(|cached| cached.as_ref().map(|cached| cached.head.clone())).collect();
        let known = Known { memory: state.memory.clone(), heads, set: None };
        let last = state.manifest.clone();
        drop(state);

        let cached = datasets.iter().cloned().zip(cached).filter_map(|(dataset, cached)| Some((dataset, cached?)));
        let mut flight =
            Flight { files: Files { feed: &self.feed }, at_hand: Some(manifest), last, cached: cached.collect() };
        let outcome = drive(&mut flight, plan(datasets), known);
        self.state().keep(&outcome, flight.last);
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, and what runs does not panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the algorithm would find when the manifest is the one that it verified last, and every payload that it names
    /// is cached. `None` when it has to look.
    fn unchanged(&mut self, bytes: &[u8], datasets: &[DatasetName], now: Timestamp) -> Option<Vec<Reading<Arc<[u8]>>>> {
        let Manifest { verified: manifest, .. } = self.manifest.as_ref().filter(|known| *known.bytes == *bytes)?;
        // A later one may have been seen whose payloads could not be read; to find this one again is a step back then.
        let latest = self.memory.as_ref().is_some_and(|memory| memory.commit == manifest.commit);
        if !latest || manifest.expired(now) {
            return None;
        }
        let mut readings = Vec::with_capacity(datasets.len());
        for dataset in datasets {
            let entry = manifest.datasets.get(dataset).filter(|entry| !entry.expired(now))?;
            let cached = self.cache.peek(dataset).filter(|cached| is_of(&cached.head, entry))?;
            readings.push(Reading {
                value: Arc::clone(&cached.bytes),
                dataset: dataset.clone(),
                source: Source::Cache,
                reason: None,
                expires_at: manifest.end_of(entry),
                generation: manifest.generation,
                age_ms: now.ms_since(entry.published_at),
                head: CacheHead::of(manifest, entry, cached.head.satisfies(), now),
            });
        }
        for reading in &readings {
            self.cache.touch(&reading.dataset, &reading.head);
        }
        Some(readings)
    }

    /// Keeps what a read has brought, unless another thread has seen something newer meanwhile.
    fn keep(&mut self, outcome: &Outcome<Arc<[u8]>>, manifest: Option<Manifest>) {
        let Some(memory) = &outcome.memory else { return };
        let newer = |seen: &FeedMemory| seen.feed == memory.feed && seen.generation > memory.generation;
        if self.memory.as_ref().is_some_and(newer) {
            return;
        }
        self.memory = Some(memory.clone());
        if let Some(seen) = &outcome.manifest {
            self.cache.retain(|head| seen.purged.get(&head.sha256).is_none());
        }
        let Ok(readings) = &outcome.result else { return };
        let named = readings.iter().all(|reading| reading.source != Source::Fallback);
        for reading in readings {
            match reading.source {
                Source::Network => {
                    let entry = Cached { head: reading.head.clone(), bytes: Arc::clone(&reading.value) };
                    self.cache.put(&reading.dataset, entry);
                }
                Source::Cache | Source::Fallback => self.cache.touch(&reading.dataset, &reading.head),
            }
        }
        // Readings that are no copies from before are of the last manifest that was read.
        let Some(manifest) = manifest.filter(|_| named) else { return };
        // It says so of every payload that it names, also of those that were not asked for: should the feed be lost, they
        // belong together.
        for (dataset, known) in self.cache.heads_mut() {
            let verified = &manifest.verified;
            if let Some(entry) = verified.datasets.get(dataset).filter(|entry| is_of(known, entry)) {
                let head = CacheHead::of(verified, entry, known.satisfies(), outcome.at);
                *known = CacheHead { used_at: known.used_at, ..head };
            }
        }
        self.manifest = Some(manifest);
    }
}

/// Whether a payload is the one that an entry names, and is known to satisfy its schema.
fn is_of(head: &CacheHead, entry: &Entry) -> bool {
    let satisfied = |schema: &SchemaRef| head.satisfies() == Some(schema.sha256);
    head.sha256 == entry.sha256 && entry.schema.as_ref().is_none_or(satisfied)
}

/// Ends a flight.
struct Landing<'a, S: Storage> {
    reader: &'a Reader<S>,
    datasets: &'a [DatasetName],
}

impl<S: Storage> Drop for Landing<'_, S> {
    fn drop(&mut self) {
        let mut state = self.reader.state();
        for dataset in self.datasets {
            state.in_flight.remove(dataset);
        }
        drop(state);
        self.reader.landed.notify_all();
    }
}

/// One read: the feed's files, and what was cached when it began.
struct Flight<'a, S> {
    files: Files<'a, S>,
    /// The manifest as it was read before the flight, for the first request of it.
    at_hand: Option<Result<Vec<u8>, Failure>>,
    /// The manifest that was verified last.
    last: Option<Manifest>,
    cached: Vec<(DatasetName, Cached)>,
}

impl<S: Storage> Origin for Flight<'_, S> {
    type Value = Arc<[u8]>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        self.files.document(request)
    }

    fn manifest(&mut self, request: &Request) -> Result<ManifestAnswer, Failure> {
        let bytes = self.at_hand.take().unwrap_or_else(|| self.files.read(request))?;
        let manifest = match self.last.take().filter(|known| *known.bytes == *bytes) {
            Some(known) => known,
            None => Manifest { verified: VerifiedManifest::verify(&bytes)?, bytes: bytes.into() },
        };
        let verified = self.last.insert(manifest).verified.clone();
        Ok(ManifestAnswer { manifest: verified, server_time: Some(self.files.now()) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Arc<[u8]>>, Failure> {
        let Payload { sha256, size, value } = self.files.payload(request)?;
        Ok(Payload { sha256, size, value: value.map(Arc::from) })
    }

    fn cached(&mut self, dataset: &DatasetName) -> Option<Payload<Arc<[u8]>>> {
        self.cached.iter().find(|(name, _)| name == dataset).map(|(_, cached)| cached.payload())
    }

    fn wait(&mut self, ms: u64) {
        self.files.wait(ms);
    }

    fn now(&mut self) -> Timestamp {
        self.files.now()
    }
}
