//! The read algorithm: a chain of owned steps without I/O.
//!
//! [`start`] returns the first step. A host carries a step out and gives its answer to the step's `complete`, which
//! takes the step by value, accepts exactly one kind of answer and returns the next [`Step`], until [`Step::Done`]. The
//! same chain is driven by the browser, by the native reader and by tests.
//!
//! Top to bottom, in order: fetch the manifest, the lock marker and a guess together; verify the manifest; heed the
//! marker; use what is at hand or cached when it has the wanted digest; fetch the rest, and the schemas; validate; fall
//! back to the cache. Only values whose bytes have the digest that a verified manifest names, or that was cached as such, are
//! handed out, and only those that satisfy the schema that was published with them, unless the plan says otherwise.
//!
//! What a step asks for follows from the plan, what is known and the answers alone. Reads of several datasets that run at
//! the same time therefore ask for the same manifest, marker and schemas, and a host may share these requests among them.

mod cached;
mod entry;
mod objects;
mod plan;
mod reading;
mod request;
mod validate;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

pub use cached::LoadCache;
pub use objects::FetchObjects;
pub use plan::{Kind, Known, LockPolicy, Plan, Shape, Wanted};
pub use reading::{Outcome, Reading, Source};
pub use request::{
    Caching, Check, Document, ManifestAnswer, ManifestAnswers, ObjectAnswers, Objection, Own, Payload, Request,
    SchemaObject, SchemaRequest, VerifiedManifest,
};
pub use validate::Validate;

use self::cached::Then;
use self::validate::Judged;
use crate::cache::{CacheHead, FeedMemory};
use crate::digest::Sha256;
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::{Entry, MAX_MANIFEST_BYTES, SchemaRef};
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
    /// Judge payloads by their schemas, and by the shape that the reader expects.
    Validate(Validate<V>),
    /// Let time pass.
    Wait(Wait<V>),
    /// Nothing: the read has ended.
    Done(Outcome<V>),
}

/// Begins a read.
pub fn start<V>(plan: Plan, known: Known) -> Step<V> {
    let task = Task::new(plan, known);
    // Nothing cached: the plain copy is most likely the wanted payload, and saves a round trip.
    let may_guess = |&i: &usize| task.heads[i].is_none() && task.plan.datasets[i].kind != Kind::Artifact;
    let guesses = (0..task.heads.len()).filter(may_guess).collect();
    Step::FetchManifest(FetchManifest { task, guesses })
}

impl<V> Step<V> {
    /// Ends the read here, with nothing to hand out: its host may not go on.
    pub fn end(self, failure: Failure, now: Timestamp) -> Outcome<V> {
        let task = match self {
            Step::FetchManifest(FetchManifest { task, .. })
            | Step::LoadCache(LoadCache { task, .. })
            | Step::FetchObjects(FetchObjects { task, .. })
            | Step::Validate(Validate { task, .. })
            | Step::Wait(Wait { task, .. }) => task,
            Step::Done(outcome) => return Outcome { result: Err(failure), too_old: Vec::new(), ..outcome },
        };
        let Task { memory, seen: manifest, .. } = *task;
        let (result, unread) = (Err(failure.clone()), Some(failure));
        Outcome { result, too_old: Vec::new(), memory, manifest, unread, at: now }
    }
}

/// Begins a read that asks for nothing: it hands out the copies with `reason`, or ends with it.
pub fn copies<V>(plan: Plan, known: Known, reason: Failure, now: Timestamp) -> Step<V> {
    Task::new(plan, known).fall_back_on(Source::Cache, reason, now)
}

impl<V> Task<V> {
    fn new(plan: Plan, known: Known) -> Box<Self> {
        let mut heads = known.heads;
        heads.resize(plan.datasets.len(), None);
        let at_hand = plan.datasets.iter().map(|_| None).collect();
        let (memory, schemas) = (known.memory, Vec::new());
        Box::new(Task {
            plan,
            memory,
            seen: None,
            unread: None,
            heads,
            set: known.set,
            at_hand,
            schemas,
            in_commit: false,
            waited_ms: 0,
            waits: 0,
            manifest_reread: false,
            refused: false,
        })
    }
}

/// What is carried from step to step, in a box: it is handed on a dozen times.
#[derive(Debug)]
struct Task<V> {
    plan: Plan,
    memory: Option<FeedMemory>,
    /// The manifest that was accepted last.
    seen: Option<VerifiedManifest>,
    /// Why there is no present manifest, as of the last look.
    unread: Option<Failure>,
    heads: Vec<Option<CacheHead>>,
    /// What is fallen back to when the copies that `heads` tell of cannot be: taken when it takes their place.
    set: Option<Vec<CacheHead>>,
    /// For each dataset a payload that may turn out to be the wanted one.
    at_hand: Vec<Option<AtHand<V>>>,
    /// The schemas that the host has, verified.
    schemas: Vec<SchemaObject>,
    /// Whether a commit is in progress, and what the manifest names is handed out all the same.
    in_commit: bool,
    waited_ms: u64,
    waits: u32,
    manifest_reread: bool,
    /// Whether the reader's own shape has refused what the manifest names.
    refused: bool,
}

/// A payload, where it came from, and the schema that it is known to satisfy.
#[derive(Debug)]
struct AtHand<V> {
    payload: Payload<V>,
    source: Source,
    satisfies: Option<Sha256>,
    /// Whether the reader's own shape has taken it.
    shaped: bool,
}

impl<V> AtHand<V> {
    fn new(payload: Payload<V>, source: Source, satisfies: Option<Sha256>) -> Self {
        Self { payload, source, satisfies, shaped: false }
    }
}

/// A manifest that was found to be the present one just now, and when that was.
#[derive(Debug)]
struct Checked {
    manifest: VerifiedManifest,
    now: Timestamp,
}

/// Step: fetch the manifest, the lock marker and guesses in parallel.
#[must_use]
#[derive(Debug)]
pub struct FetchManifest<V> {
    task: Box<Task<V>>,
    guesses: Vec<usize>,
}

impl<V> FetchManifest<V> {
    /// The request for the manifest, always revalidated.
    #[must_use]
    pub fn manifest(&self) -> Request {
        let caching = if self.task.manifest_reread { Caching::Bypass } else { Caching::Revalidate };
        Request { path: layout::manifest(), limit: MAX_MANIFEST_BYTES, caching }
    }

    /// The request for the lock marker, unless it is to be ignored, or this is one more look at what is held.
    #[must_use]
    pub fn lock(&self) -> Option<Request> {
        let request = Request { path: layout::lock(), limit: MAX_MARKER_BYTES, caching: Caching::Forbid };
        let held = self.task.plan.again && self.task.heads.iter().all(Option::is_some);
        (self.task.plan.lock != LockPolicy::Ignore && !held).then_some(request)
    }

    /// The requests for plain copies, as guesses of the payloads.
    #[must_use]
    pub fn guesses(&self) -> Vec<Request> {
        let request = |&i: &usize| Request {
            path: layout::plain_copy(&self.task.plan.datasets[i].dataset, &Ext::json()),
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
            task.at_hand[i] = guess.ok().map(|payload| AtHand::new(payload, Source::Network, None));
        }
        let locked = task.locked(answers.lock);
        task.in_commit = false;
        let manifest = answers.manifest.and_then(|answer| task.accept(answer, now));
        task.unread = manifest.as_ref().err().cloned();
        match manifest {
            // No manifest yet, but one is being written, and there is nothing to show meanwhile.
            Err(_) if locked && !task.has_copies(now) && task.may_wait() => task.wait(),
            Err(failure) => task.fall_back(failure, now),
            Ok(checked) if locked => task.heed_lock(checked),
            Ok(checked) => task.resolve(checked),
        }
    }
}

impl<V> Task<V> {
    /// Takes a manifest for the present one, and remembers it.
    fn accept(&mut self, answer: ManifestAnswer, now: Timestamp) -> Result<Checked, Failure> {
        let ManifestAnswer { manifest, server_time } = answer;
        // An answer that does not tell the time must not make a known difference of the clocks forgotten.
        let server_now = server_time.unwrap_or_else(|| self.server_time(now));
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
        // Whatever else comes of it: what was purged is neither handed out nor fallen back to.
        let purged = |head: &CacheHead| manifest.purged.get(&head.sha256).is_some();
        self.heads.iter_mut().for_each(|head| _ = head.take_if(|head| purged(head)));
        self.set.take_if(|set| set.iter().any(purged));
        self.seen = Some(manifest.clone());
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
            .is_ok_and(|marker| self.plan.datasets.iter().any(|wanted| marker.covers(&wanted.dataset, server_now)))
    }

    fn heed_lock(mut self: Box<Self>, checked: Checked) -> Step<V> {
        match self.plan.lock {
            LockPolicy::Cache => {
                let have_all = self.cached_generation(Some(&checked.manifest)).is_some();
                if have_all && self.too_old(checked.now).is_none() {
                    return self.load_all(Then::HandOutLocked(checked));
                }
                // Nothing to show but what may be about to be replaced; the manifest is always consistent. Not what was last handed
                // out together: of some datasets this reader has had later payloads, and nothing fails that they would have to give way
                // to (I5).
                self.in_commit = true;
                self.resolve(checked)
            }
            LockPolicy::Wait if self.may_wait() => self.wait(),
            // Waiting has its limit.
            _ => self.resolve(checked),
        }
    }

    fn may_wait(&self) -> bool {
        self.waited_ms < self.plan.lock_wait_ms
    }

    fn wait(mut self: Box<Self>) -> Step<V> {
        // A commit takes milliseconds, a command under `lastgood lock` minutes: ask often at first, then seldom.
        let ms = (100 << self.waits.min(4)).min(self.plan.lock_wait_ms - self.waited_ms);
        self.waits += 1;
        self.waited_ms += ms;
        Step::Wait(Wait { task: self, ms })
    }

    /// Uses what is at hand, then what is cached, then the network, until every dataset has its payload, and the schema
    /// that it is still to be validated against.
    fn resolve(mut self: Box<Self>, checked: Checked) -> Step<V> {
        let (mut cached, mut missing, mut schemas) = (Vec::new(), Vec::new(), Vec::<usize>::new());
        for i in 0..self.plan.datasets.len() {
            let entry = match self.plan.datasets[i].entry(&checked.manifest, self.plan.max_bytes) {
                Ok(entry) => entry,
                Err(failure) => return self.fall_back(failure, checked.now),
            };
            self.at_hand[i] = self.at_hand[i].take().filter(|at_hand| is_of(&at_hand.payload, entry));
            let fits = |head: &CacheHead| head.sha256 == entry.sha256 && head.ext == entry.ext;
            match &self.at_hand[i] {
                Some(_) => {}
                None if self.heads[i].as_ref().is_some_and(fits) => cached.push(i),
                None => missing.push(i),
            }
        }
        if !cached.is_empty() {
            return Step::LoadCache(LoadCache { task: self, wanted: cached, then: Then::Resolve(checked) });
        }
        let object = |i: usize| self.unsatisfied(i, &checked).map(|schema| (schema.sha256, schema.size));
        for i in 0..self.plan.datasets.len() {
            let Some(wanted) = object(i) else { continue };
            let had = self.schemas.iter().any(|schema| (schema.sha256, schema.size) == wanted);
            if !had && !schemas.iter().any(|&other| object(other) == Some(wanted)) {
                schemas.push(i);
            }
        }
        if missing.is_empty() && schemas.is_empty() {
            return self.validate(checked);
        }
        // The manifest was read again because an object was gone: a cache may still answer that it is.
        let caching = if self.manifest_reread { Caching::Bypass } else { Caching::Allow };
        let payloads = missing.into_iter().map(|i| (i, caching)).collect();
        let schemas = schemas.into_iter().map(|i| (i, caching)).collect();
        Step::FetchObjects(FetchObjects { task: self, checked, payloads, schemas })
    }

    /// The schema that the payload of a dataset is still to be validated against.
    fn unsatisfied<'a>(&self, i: usize, checked: &'a Checked) -> Option<&'a SchemaRef> {
        let Wanted { dataset, kind } = &self.plan.datasets[i];
        let schema = checked.manifest.datasets[dataset].schema.as_ref()?;
        let satisfies = self.at_hand[i].as_ref().and_then(|at_hand| at_hand.satisfies);
        (kind.shape()?.validate && satisfies != Some(schema.sha256)).then_some(schema)
    }

    /// Has the payloads validated, when all of them and their schemas are at hand.
    fn validate(self: Box<Self>, checked: Checked) -> Step<V> {
        let to_judge = |&i: &usize| self.check(i, &checked).is_some();
        let wanted: Vec<usize> = (0..self.plan.datasets.len()).filter(to_judge).collect();
        if wanted.is_empty() {
            return self.hand_out(checked);
        }
        Step::Validate(Validate { task: self, judged: Judged::Current(checked, wanted) })
    }

    fn hand_out(mut self: Box<Self>, checked: Checked) -> Step<V> {
        let Checked { manifest, now } = checked;
        let mut readings = Vec::with_capacity(self.plan.datasets.len());
        for (i, Wanted { dataset, .. }) in self.plan.datasets.iter().enumerate() {
            let at_hand = self.at_hand[i].take().expect("resolve goes on only with every payload at hand");
            let AtHand { payload, source, satisfies, .. } = at_hand;
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
            let head = CacheHead::of(&manifest, entry, satisfies, now);
            let age_ms = self.age_ms(&head, now);
            let reason = self
                .expired(dataset, entry, now)
                .or_else(|| self.in_commit.then(|| locked("what the manifest names meanwhile")));
            let (dataset, generation, expires_at) = (dataset.clone(), manifest.generation, manifest.end_of(entry));
            readings.push(Reading { value, dataset, source, reason, expires_at, generation, age_ms, head });
        }
        self.end(Ok(readings), now)
    }

    #[allow(
        clippy::boxed_local,
        reason = "a task is handed on as a pointer; by value each move is spelled out in the module"
    )]
    fn end(self: Box<Self>, result: Result<Vec<Reading<V>>, Failure>, at: Timestamp) -> Step<V> {
        Step::Done(Outcome {
            result,
            too_old: Vec::new(),
            memory: self.memory,
            manifest: self.seen,
            unread: self.unread,
            at,
        })
    }

    /// Why what the manifest names is all the same not to be taken for current. It concerns this dataset alone.
    fn expired(&self, dataset: &DatasetName, entry: &Entry, now: Timestamp) -> Option<Failure> {
        let end = entry.expires_at.filter(|_| entry.expired(self.server_time(now)))?;
        Some(Failure::new(Code::Expired, format!("\"{dataset}\" expired at {end}")).of(dataset))
    }

    fn age_ms(&self, head: &CacheHead, now: Timestamp) -> u64 {
        self.server_time(now).ms_since(head.published_at)
    }

    /// The server's time as far as it is known.
    fn server_time(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.memory.as_ref().map_or(0, |memory| memory.clock_offset_ms))
    }
}

/// Why what is handed out while a commit is in progress is not fresh; `what` it is.
fn locked(what: &str) -> Failure {
    Failure::new(Code::Locked, format!("a commit is in progress; this is {what}"))
}

fn is_of<V>(payload: &Payload<V>, entry: &Entry) -> bool {
    payload.sha256 == entry.sha256 && payload.size == entry.size
}

/// Step: let time pass, then ask again.
#[must_use]
#[derive(Debug)]
pub struct Wait<V> {
    task: Box<Task<V>>,
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
