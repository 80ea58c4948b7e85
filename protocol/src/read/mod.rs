//! The read algorithm: a chain of owned steps without I/O.
//!
//! [`start`] returns the first step. A host carries a step out and gives its answer to the step's `complete`, which
//! takes the step by value, accepts exactly one kind of answer and returns the next [`Step`], until [`Step::Done`]. The
//! same chain is driven by the browser, by the native reader and by tests.
//!
//! Top to bottom, in order: fetch the manifest, the lock marker and a guess together; verify the manifest; heed the
//! marker; use what is at hand or cached when it has the wanted digest; fetch the rest; fall back to the cache. Only
//! values whose bytes have the digest that a verified manifest names, or that was cached as such, are handed out.

mod plan;
mod reading;
mod request;

pub use plan::{Known, LockPolicy, Plan};
pub use reading::{Outcome, Reading, Source};
pub use request::{Caching, Document, ManifestAnswers, Payload, Request};

use crate::cache::{CacheHead, FeedMemory};
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::{Entry, Generation, MAX_MANIFEST_BYTES, Manifest};
use crate::marker::{LockMarker, MAX_MARKER_BYTES};
use crate::name::{DatasetName, Ext};
use crate::time::Timestamp;

/// What to do next.
#[must_use]
#[derive(Debug)]
pub enum Step<V> {
    /// Fetch the manifest and, in parallel, what it says to fetch beside it.
    FetchManifest(FetchManifest<V>),
    /// Load payloads from the cache.
    LoadCache(LoadCache<V>),
    /// Fetch objects, in parallel.
    FetchObjects(FetchObjects<V>),
    /// Let time pass.
    Wait(Wait<V>),
    /// Nothing: the read has ended.
    Done(Outcome<V>),
}

/// Begins a read.
pub fn start<V>(plan: Plan, known: Known) -> Step<V> {
    let mut heads = known.heads;
    heads.resize(plan.datasets.len(), None);
    let at_hand = plan.datasets.iter().map(|_| None).collect();
    let task = Task { plan, memory: known.memory, heads, at_hand, waited_ms: 0, waits: 0, manifest_reread: false };
    // Nothing usable cached: the plain copy is most likely the wanted payload, and saves a round trip.
    let guesses = (0..task.heads.len()).filter(|&i| task.heads[i].is_none()).collect();
    Step::FetchManifest(FetchManifest { task, guesses })
}

/// What is carried from step to step.
#[derive(Debug)]
struct Task<V> {
    plan: Plan,
    memory: Option<FeedMemory>,
    heads: Vec<Option<CacheHead>>,
    /// For each dataset a payload that may turn out to be the wanted one.
    at_hand: Vec<Option<(Payload<V>, Source)>>,
    waited_ms: u64,
    waits: u32,
    manifest_reread: bool,
}

/// A manifest that has been verified just now, and when that was.
#[derive(Debug)]
struct Checked {
    manifest: Manifest,
    now: Timestamp,
}

/// Step: fetch the manifest, the lock marker and guesses in parallel.
#[must_use]
#[derive(Debug)]
pub struct FetchManifest<V> {
    task: Task<V>,
    guesses: Vec<usize>,
}

impl<V> FetchManifest<V> {
    /// The request for the manifest, always revalidated.
    #[must_use]
    pub fn manifest(&self) -> Request {
        let caching = if self.task.manifest_reread { Caching::Bypass } else { Caching::Revalidate };
        Request { path: layout::manifest(), limit: MAX_MANIFEST_BYTES, caching }
    }

    /// The request for the lock marker, unless it is to be ignored.
    #[must_use]
    pub fn lock(&self) -> Option<Request> {
        let request = Request { path: layout::lock(), limit: MAX_MARKER_BYTES, caching: Caching::Forbid };
        (self.task.plan.lock != LockPolicy::Ignore).then_some(request)
    }

    /// The requests for plain copies, as guesses of the payloads.
    #[must_use]
    pub fn guesses(&self) -> Vec<Request> {
        let request = |&i: &usize| Request {
            path: layout::plain_copy(&self.task.plan.datasets[i], &Ext::json()),
            limit: self.task.plan.max_bytes,
            caching: Caching::Revalidate,
        };
        self.guesses.iter().map(request).collect()
    }

    /// Takes the answers; `now` is this device's time.
    pub fn complete(self, answers: ManifestAnswers<V>, now: Timestamp) -> Step<V> {
        let Self { mut task, guesses } = self;
        for (i, guess) in guesses.into_iter().zip(answers.guesses) {
            // A guess that failed is no failure: the object will be fetched.
            task.at_hand[i] = guess.ok().map(|payload| (payload, Source::Network));
        }
        let locked = task.locked(answers.lock);
        let manifest = answers.manifest.and_then(|document| task.verify(document, now));
        match manifest {
            // No manifest yet, but one is being written, and there is nothing to show meanwhile.
            Err(_) if locked && task.heads.contains(&None) && task.may_wait() => task.wait(),
            Err(failure) => task.fall_back(failure, now),
            Ok(checked) if locked => task.heed_lock(checked),
            Ok(checked) => task.resolve(checked),
        }
    }
}

impl<V> Task<V> {
    /// Verifies a manifest and remembers it.
    fn verify(&mut self, document: Document, now: Timestamp) -> Result<Checked, Failure> {
        let manifest = Manifest::verify(&document.bytes)?;
        // An answer that does not tell the time must not make a known difference of the clocks forgotten.
        let server_now = document.server_time.unwrap_or_else(|| self.server_time(now));
        if let Some(seen) = self.memory.as_ref().filter(|seen| seen.feed == manifest.feed) {
            let older = manifest.generation < seen.generation;
            let forked = manifest.generation == seen.generation && manifest.commit != seen.commit;
            if older || forked {
                let problem = if older { "older" } else { "not the same" };
                let detail = format!(
                    "generation {} of the feed has been seen, the server now has generation {}, which is {problem}",
                    seen.generation, manifest.generation,
                );
                return Err(Failure::new(Code::Regressed, detail).at("manifest.json"));
            }
        }
        self.memory = Some(FeedMemory {
            feed: manifest.feed,
            generation: manifest.generation,
            commit: manifest.commit,
            clock_offset_ms: server_now.ms() - now.ms(),
        });
        // After it is remembered: an older one that has not expired is a replay all the same.
        if let Some(end) = manifest.expires_at.filter(|_| manifest.expired(server_now)) {
            return Err(Failure::new(Code::Expired, format!("the manifest expired at {end}")).at("manifest.json"));
        }
        Ok(Checked { manifest, now })
    }

    /// Whether a valid marker with a running lease covers one of the datasets. Anything else, such as a 404 or an HTML
    /// page, means: not locked. The lease is measured against the server's clock; when the server does not tell its
    /// time, the marker is not believed, because a stale one would then be believed for ever.
    fn locked(&self, answer: Option<Result<Document, Failure>>) -> bool {
        let Some(Ok(Document { bytes, server_time: Some(server_now) })) = answer else { return false };
        LockMarker::decode(&bytes)
            .is_ok_and(|marker| self.plan.datasets.iter().any(|dataset| marker.covers(dataset, server_now)))
    }

    fn heed_lock(self, checked: Checked) -> Step<V> {
        let have_all = self.cached_generation(Some(&checked.manifest)).is_some();
        match self.plan.lock {
            LockPolicy::Cache if have_all => {
                let wanted = (0..self.heads.len()).collect();
                Step::LoadCache(LoadCache { task: self, wanted, then: Then::HandOutLocked(checked) })
            }
            LockPolicy::Cache | LockPolicy::Wait if self.may_wait() => self.wait(),
            // Waiting has its limit; the manifest is always consistent.
            _ => self.resolve(checked),
        }
    }

    fn may_wait(&self) -> bool {
        self.waited_ms < self.plan.lock_wait_ms
    }

    fn wait(mut self) -> Step<V> {
        // A commit takes milliseconds, a command under `lastgood lock` minutes: ask often at first, then seldom.
        let ms = (100 << self.waits.min(4)).min(self.plan.lock_wait_ms - self.waited_ms);
        self.waits += 1;
        self.waited_ms += ms;
        Step::Wait(Wait { task: self, ms })
    }

    /// Uses what is at hand, then what is cached, then the network, until every dataset has its payload.
    fn resolve(mut self, checked: Checked) -> Step<V> {
        let (mut cached, mut missing) = (Vec::new(), Vec::new());
        for (i, dataset) in self.plan.datasets.iter().enumerate() {
            let entry = match entry_of(&checked.manifest, dataset, self.plan.max_bytes) {
                Ok(entry) => entry,
                Err(failure) => return self.fall_back(failure, checked.now),
            };
            self.at_hand[i] = self.at_hand[i].take().filter(|(payload, _)| is_of(payload, entry));
            let head_fits = self.heads[i].as_ref().is_some_and(|head| head.sha256 == entry.sha256);
            match (&self.at_hand[i], head_fits) {
                (Some(_), _) => {}
                (None, true) => cached.push(i),
                (None, false) => missing.push(i),
            }
        }
        if !cached.is_empty() {
            return Step::LoadCache(LoadCache { task: self, wanted: cached, then: Then::Resolve(checked) });
        }
        if !missing.is_empty() {
            // The manifest was read again because an object was gone: a cache may still answer that it is.
            let caching = if self.manifest_reread { Caching::Bypass } else { Caching::Allow };
            let wanted = missing.into_iter().map(|i| (i, caching)).collect();
            return Step::FetchObjects(FetchObjects { task: self, checked, wanted });
        }
        self.hand_out(checked)
    }

    fn hand_out(mut self, checked: Checked) -> Step<V> {
        let Checked { manifest, now } = checked;
        let mut readings = Vec::with_capacity(self.plan.datasets.len());
        for (i, dataset) in self.plan.datasets.iter().enumerate() {
            let (payload, source) = self.at_hand[i].take().expect("resolve goes on only with every payload at hand");
            let entry = &manifest.datasets[dataset];
            let value = match payload.value {
                Ok(value) => value,
                Err(problem) => {
                    let path = layout::object(&entry.sha256, &entry.ext);
                    let detail = format!("{path}: the verified payload is not JSON: {problem}");
                    let failure = Failure::new(Code::NotJson, detail).at(path.as_str()).of(dataset);
                    return self.fall_back(failure, now);
                }
            };
            let head = CacheHead::of(&manifest, entry, now);
            let age_ms = self.age_ms(&head, now);
            let (dataset, generation) = (dataset.clone(), manifest.generation);
            readings.push(Reading { value, dataset, source, reason: None, generation, age_ms, head });
        }
        Step::Done(Outcome { result: Ok(readings), memory: self.memory, at: now })
    }

    /// Hands out the cached copies with the failure as the reason, or the failure.
    fn fall_back(self, failure: Failure, now: Timestamp) -> Step<V> {
        if self.heads.contains(&None) {
            return self.fail(failure, now);
        }
        let wanted = (0..self.heads.len()).collect();
        Step::LoadCache(LoadCache { task: self, wanted, then: Then::HandOutFallback(failure, now) })
    }

    fn fail(self, failure: Failure, now: Timestamp) -> Step<V> {
        Step::Done(Outcome { result: Err(failure), memory: self.memory, at: now })
    }

    /// The latest generation in which all cached payloads were current; `None` when one is missing, when they come from
    /// different feeds, or (`manifest`) from another feed than the present one, or when there is no such generation.
    fn cached_generation(&self, manifest: Option<&Manifest>) -> Option<Generation> {
        let heads: Vec<&CacheHead> = self.heads.iter().map(Option::as_ref).collect::<Option<_>>()?;
        let feed = manifest.map_or(heads.first()?.feed, |manifest| manifest.feed);
        let first = heads.iter().map(|head| head.changed).max()?;
        let last = heads.iter().map(|head| head.confirmed).min()?;
        (heads.iter().all(|head| head.feed == feed) && first <= last).then_some(last)
    }

    /// Readings made of cached payloads; `None` unless every one of them verifies and they belong together.
    fn cached_readings(
        &mut self,
        payloads: Vec<Option<Payload<V>>>,
        (source, reason): (Source, &Failure),
        now: Timestamp,
    ) -> Option<Vec<Reading<V>>> {
        let generation = self.cached_generation(None)?;
        let mut readings = Vec::with_capacity(self.heads.len());
        for (i, payload) in payloads.into_iter().enumerate() {
            let head = self.heads[i].clone()?;
            let payload = payload.filter(|payload| payload.sha256 == head.sha256 && payload.size == head.size)?;
            let (dataset, reason) = (self.plan.datasets[i].clone(), Some(reason.clone()));
            let age_ms = self.age_ms(&head, now);
            let head = CacheHead { used_at: now, ..head };
            readings.push(Reading { value: payload.value.ok()?, dataset, source, reason, generation, age_ms, head });
        }
        Some(readings)
    }

    fn age_ms(&self, head: &CacheHead, now: Timestamp) -> u64 {
        self.server_time(now).ms_since(head.published_at)
    }

    /// The server's time as far as it is known.
    fn server_time(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.memory.as_ref().map_or(0, |memory| memory.clock_offset_ms))
    }
}

/// The entry of a dataset, if it can be read at all.
fn entry_of<'a>(manifest: &'a Manifest, dataset: &DatasetName, max_bytes: u64) -> Result<&'a Entry, Failure> {
    let Some(entry) = manifest.datasets.get(dataset) else {
        let others: Vec<&str> = manifest.datasets.keys().take(8).map(DatasetName::as_str).collect();
        let detail = format!("the feed has no dataset \"{dataset}\"; it has: {}", others.join(", "));
        return Err(Failure::new(Code::NotFound, detail).of(dataset));
    };
    if entry.size > max_bytes {
        let path = layout::object(&entry.sha256, &entry.ext);
        return Err(Failure::too_large(path.as_str(), max_bytes).of(dataset));
    }
    Ok(entry)
}

fn is_of<V>(payload: &Payload<V>, entry: &Entry) -> bool {
    payload.sha256 == entry.sha256 && payload.size == entry.size
}

/// Step: let time pass, then ask again.
#[must_use]
#[derive(Debug)]
pub struct Wait<V> {
    task: Task<V>,
    ms: u64,
}

impl<V> Wait<V> {
    /// How long, in milliseconds.
    #[must_use]
    pub fn ms(&self) -> u64 {
        self.ms
    }

    /// The time has passed.
    pub fn complete(self) -> Step<V> {
        // Without guesses: they would be downloaded anew at every look.
        Step::FetchManifest(FetchManifest { task: self.task, guesses: Vec::new() })
    }
}

/// Step: load payloads from the cache, hashing the bytes that are there.
#[must_use]
#[derive(Debug)]
pub struct LoadCache<V> {
    task: Task<V>,
    wanted: Vec<usize>,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Resolve(Checked),
    HandOutLocked(Checked),
    HandOutFallback(Failure, Timestamp),
}

impl<V> LoadCache<V> {
    /// The datasets whose payloads are to be loaded.
    pub fn wanted(&self) -> impl Iterator<Item = &DatasetName> {
        self.wanted.iter().map(|&i| &self.task.plan.datasets[i])
    }

    /// Takes the payloads, in the order of [`wanted`](Self::wanted); `None` for what is not there.
    pub fn complete(self, payloads: Vec<Option<Payload<V>>>) -> Step<V> {
        let Self { mut task, wanted, then } = self;
        match then {
            Then::Resolve(checked) => {
                for (i, payload) in wanted.into_iter().zip(payloads) {
                    let dataset = &task.plan.datasets[i];
                    match payload.filter(|payload| is_of(payload, &checked.manifest.datasets[dataset])) {
                        Some(payload) => task.at_hand[i] = Some((payload, Source::Cache)),
                        // Lost or altered: without its head it is fetched, and no longer fallen back to.
                        None => task.heads[i] = None,
                    }
                }
                task.resolve(checked)
            }
            Then::HandOutLocked(checked) => {
                let reason = Failure::new(Code::Locked, "a commit is in progress; this is the copy from before it");
                match task.cached_readings(payloads, (Source::Cache, &reason), checked.now) {
                    Some(readings) => {
                        Step::Done(Outcome { result: Ok(readings), memory: task.memory, at: checked.now })
                    }
                    None => {
                        task.heads.fill(None);
                        task.heed_lock(checked)
                    }
                }
            }
            Then::HandOutFallback(failure, now) => {
                let inconsistent = task.heads.len() > 1 && task.cached_generation(None).is_none();
                match task.cached_readings(payloads, (Source::Fallback, &failure), now) {
                    Some(readings) => Step::Done(Outcome { result: Ok(readings), memory: task.memory, at: now }),
                    None if inconsistent => {
                        let detail = format!("the cached copies are not of one generation, and {failure}");
                        task.fail(Failure { code: Code::Inconsistent, detail, ..failure }, now)
                    }
                    None => task.fail(failure, now),
                }
            }
        }
    }
}

/// Step: fetch objects in parallel.
#[must_use]
#[derive(Debug)]
pub struct FetchObjects<V> {
    task: Task<V>,
    checked: Checked,
    wanted: Vec<(usize, Caching)>,
}

impl<V> FetchObjects<V> {
    /// The requests, each limited to the size that the manifest declares.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let request = |&(i, caching): &(usize, Caching)| {
            let entry = &self.checked.manifest.datasets[&self.task.plan.datasets[i]];
            Request { path: layout::object(&entry.sha256, &entry.ext), limit: entry.size, caching }
        };
        self.wanted.iter().map(request).collect()
    }

    /// Takes the answers, in the order of [`requests`](Self::requests).
    pub fn complete(self, answers: Vec<Result<Payload<V>, Failure>>) -> Step<V> {
        let requests = self.requests();
        let Self { mut task, checked, wanted } = self;
        let (mut again, mut gone, mut failed) = (Vec::new(), false, None);
        // Every answer is looked at before anything is decided: what has arrived is not downloaded again.
        for (((i, caching), request), answer) in wanted.into_iter().zip(requests).zip(answers) {
            let dataset = &task.plan.datasets[i];
            let entry = &checked.manifest.datasets[dataset];
            let failure = match answer {
                Ok(payload) if is_of(&payload, entry) => {
                    task.at_hand[i] = Some((payload, Source::Network));
                    continue;
                }
                Ok(payload) => mismatch(&payload, entry, request.path.as_str()),
                // More than the declared size: other bytes than the manifest names.
                Err(failure) if failure.code == Code::TooLarge => {
                    let detail =
                        format!("{}: more than the {} bytes that the manifest names", request.path, entry.size);
                    Failure::new(Code::ChecksumMismatch, detail).at(request.path.as_str())
                }
                Err(failure) => failure,
            };
            match failure.code {
                // A cache on the way may hold the torn or the old body: ask once past it.
                Code::ChecksumMismatch | Code::Truncated | Code::NotJson if caching != Caching::Bypass => {
                    again.push((i, Caching::Bypass));
                }
                Code::Http if matches!(failure.status, Some(404 | 410)) && !task.manifest_reread => gone = true,
                _ => failed = failed.or_else(|| Some(failure.of(dataset))),
            }
        }
        if let Some(failure) = failed {
            return task.fall_back(failure, checked.now);
        }
        if gone {
            // Collected since the manifest was read: there is a newer one.
            task.manifest_reread = true;
            return Step::FetchManifest(FetchManifest { task, guesses: Vec::new() });
        }
        if again.is_empty() {
            return task.resolve(checked);
        }
        Step::FetchObjects(FetchObjects { task, checked, wanted: again })
    }
}

fn mismatch<V>(payload: &Payload<V>, entry: &Entry, path: &str) -> Failure {
    let detail = format!(
        "{path}: expected {} bytes with SHA-256 {}, found {} bytes with {}",
        entry.size, entry.sha256, payload.size, payload.sha256,
    );
    Failure::new(Code::ChecksumMismatch, detail).at(path)
}
