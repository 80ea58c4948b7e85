//! A native drive of the read algorithm, and what must hold whatever it is answered. The host is honest, as the package's is: a digest is
//! that of the bytes that came.

use std::collections::HashSet;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{
    self, Document, Kind, Known, ManifestAnswer, ManifestAnswers, ObjectAnswers, Objection, Outcome, Payload, Plan,
    Reading, Request, SchemaObject, SchemaRequest, Shape, Source, Step, VerifiedManifest, Wanted,
};
use lastgood::protocol::time::Timestamp;

/// Steps that a read may take: the waits that fit into the longest wait, and a few.
const MAX_STEPS: usize = 64;

/// The longest wait that is planned, in milliseconds.
pub(crate) const MAX_WAIT_MS: u64 = 255 * 64;

/// This device's time.
pub(crate) const NOW: i64 = 1_800_000_000_000;

pub(crate) type Answer<T> = Result<T, Failure>;

/// Bytes, and why they are no value, if they are none.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) problem: Option<String>,
}

/// What is answered to a look at the feed.
pub(crate) struct Look {
    pub(crate) manifest: Answer<Document>,
    pub(crate) lock: Option<Answer<Document>>,
    pub(crate) guesses: Vec<Answer<Body>>,
}

/// What surrounds a read: a server, what is kept, and those who judge.
pub(crate) trait World {
    /// The manifest, the lock marker and guesses.
    fn look(&mut self, manifest: &Request, lock: Option<&Request>, guesses: &[Request]) -> Look;

    /// Payloads, and the bytes of schemas.
    fn objects(&mut self, payloads: &[Request], schemas: &[SchemaRequest])
    -> (Vec<Answer<Body>>, Vec<Answer<Vec<u8>>>);

    /// The copy of a dataset's payload, if there is one.
    fn copy(&mut self, dataset: &DatasetName) -> Option<Body>;

    /// Judges a payload by its published schema.
    fn validate(&mut self, payload: &[u8], schema: Sha256) -> Result<(), Objection>;

    /// Judges a value by the reader's own shape.
    fn shape(&mut self, payload: &[u8]) -> Result<(), Objection>;
}

/// A read that has ended.
pub(crate) struct Played {
    pub(crate) outcome: Outcome<Value>,
    payloads: Vec<Body>,
}

impl Played {
    /// The bytes that a reading's value was made of.
    pub(crate) fn bytes(&self, reading: &Reading<Value>) -> &[u8] {
        &self.payloads[reading.value.payload].bytes
    }
}

/// Stands for the value of a payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    payload: usize,
    /// Whether the reader's own shape has made it.
    shaped: bool,
}

/// Carries out every step of a read.
///
/// # Panics
/// When a property does not hold.
pub(crate) fn drive(world: &mut impl World, plan: Plan, known: Known) -> Played {
    let (payloads, manifests, valid) = (Vec::new(), Vec::new(), HashSet::new());
    let mut witness = Witness { plan: plan.clone(), before: known.clone(), payloads, manifests, valid, waited_ms: 0 };
    let mut step = read::start(plan, known);
    for _ in 0..MAX_STEPS {
        step = match step {
            Step::FetchManifest(fetch) => {
                let (lock, guesses) = (fetch.lock(), fetch.guesses());
                let look = world.look(&fetch.manifest(), lock.as_ref(), &guesses);
                assert_eq!((look.lock.is_some(), look.guesses.len()), (lock.is_some(), guesses.len()));
                let manifest = look.manifest.and_then(|document| ManifestAnswer::verify(&document));
                witness.manifests.extend(manifest.as_ref().ok().map(|answer| answer.manifest.clone()));
                let guesses = look.guesses.into_iter().map(|guess| guess.map(|body| witness.take(body))).collect();
                fetch.complete(ManifestAnswers { manifest, lock: look.lock, guesses }, Timestamp::from_ms(NOW))
            }
            Step::LoadCache(load) => {
                let copies: Vec<_> = load.wanted().map(|dataset| world.copy(dataset)).collect();
                load.complete(copies.into_iter().map(|copy| copy.map(|body| witness.take(body))).collect())
            }
            Step::FetchObjects(fetch) => {
                let (payloads, schemas) = world.objects(&fetch.requests(), &fetch.schemas());
                let payloads = payloads.into_iter().map(|answer| answer.map(|body| witness.take(body))).collect();
                let schemas = schemas.into_iter().map(|answer| answer.map(|bytes| object(&bytes))).collect();
                fetch.complete(ObjectAnswers { payloads, schemas })
            }
            Step::Validate(validate) => {
                let mut verdicts = Vec::new();
                for check in validate.checks() {
                    let schema = check.schema.map(|schema| schema.sha256);
                    verdicts.push(witness.judge(world, *check.value, schema, check.own.is_some()));
                }
                validate.complete(verdicts)
            }
            Step::Wait(wait) => {
                witness.waited_ms += wait.ms();
                wait.complete()
            }
            Step::Done(outcome) => {
                witness.check(&outcome);
                return Played { outcome, payloads: witness.payloads };
            }
        };
    }
    panic!("the read does not end: {step:?}")
}

fn object(bytes: &[u8]) -> SchemaObject {
    SchemaObject { sha256: Sha256::of(bytes), size: bytes.len() as u64 }
}

/// What was seen of a read.
struct Witness {
    plan: Plan,
    before: Known,
    payloads: Vec<Body>,
    manifests: Vec<VerifiedManifest>,
    /// Payloads and schemas that were found to go together.
    valid: HashSet<(usize, Sha256)>,
    waited_ms: u64,
}

impl Witness {
    fn take(&mut self, body: Body) -> Payload<Value> {
        let value = Value { payload: self.payloads.len(), shaped: false };
        let value = body.problem.clone().map_or(Ok(value), Err);
        let (sha256, size) = (Sha256::of(&body.bytes), body.bytes.len() as u64);
        self.payloads.push(body);
        Payload { sha256, size, value }
    }

    fn judge(
        &mut self,
        world: &mut impl World,
        value: Value,
        schema: Option<Sha256>,
        own: bool,
    ) -> Result<Option<Value>, Objection> {
        if let Some(schema) = schema {
            world.validate(&self.payloads[value.payload].bytes, schema)?;
            self.valid.insert((value.payload, schema));
        }
        if !own {
            return Ok(None);
        }
        world.shape(&self.payloads[value.payload].bytes)?;
        Ok(Some(Value { shaped: true, ..value }))
    }

    /// What the read ends with.
    fn check(&self, Outcome { result, too_old, memory, manifest, .. }: &Outcome<Value>) {
        assert!(self.waited_ms <= self.plan.lock_wait_ms, "it has waited {} ms", self.waited_ms);
        if let Some(before) = &self.before.memory {
            let after = memory.as_ref().expect("what is remembered is not forgotten");
            // Another feed has taken the place of the one that was known: what is seen after that begins anew.
            let of_one_feed = self.manifests.iter().all(|manifest| manifest.feed == before.feed);
            assert!(!of_one_feed || after.generation >= before.generation, "the memory goes back");
        }
        // What is dropped is what a manifest says that was accepted, and nothing else.
        let seen = |manifest: &VerifiedManifest| self.manifests.iter().any(|other| other.commit == manifest.commit);
        assert!(manifest.as_ref().is_none_or(seen), "nobody has answered with this manifest");
        let is_purged = |reading: &Reading<Value>| {
            manifest.as_ref().is_some_and(|manifest| manifest.purged.get(&reading.head.sha256).is_some())
        };
        let is_too_old = result.as_ref().is_err_and(|failure| failure.code == Code::TooOld);
        assert_eq!(!too_old.is_empty(), is_too_old, "readings are too old, or are not");
        let readings = result.as_ref().unwrap_or(too_old);
        if result.is_err() && !is_too_old {
            return;
        }
        assert_eq!(readings.len(), self.plan.datasets.len());
        let now = Timestamp::from_ms(NOW);
        for (i, (reading, wanted)) in readings.iter().zip(&self.plan.datasets).enumerate() {
            assert_eq!(reading.dataset, wanted.dataset);
            assert_eq!(reading.generation, readings[0].generation, "of more than one generation");
            self.check_reading(reading, wanted, i);
            assert!(
                reading.source == Source::Network || !is_purged(reading),
                "a copy of what was purged is handed out"
            );
            let checked_at = reading.head.checked_at;
            let age = if checked_at > now { u64::MAX } else { now.ms_since(checked_at) };
            assert!(
                is_too_old || self.plan.max_age_ms.is_none_or(|limit| age <= limit),
                "what is too old is handed out"
            );
        }
    }

    fn check_reading(&self, reading: &Reading<Value>, wanted: &Wanted, i: usize) {
        let Value { payload, shaped } = reading.value;
        let Body { bytes, problem } = &self.payloads[payload];
        let (sha256, size) = (Sha256::of(bytes), bytes.len() as u64);
        assert_eq!(*problem, None, "what is no JSON is handed out");
        assert_eq!(
            (reading.head.sha256, reading.head.size),
            (sha256, size),
            "other bytes are handed out than are said"
        );
        let named = |manifest: &&VerifiedManifest| {
            let entry = manifest.datasets.get(&wanted.dataset);
            entry.is_some_and(|entry| entry.sha256 == sha256 && entry.size == size)
        };
        let cached = self.before.heads[i].as_ref().filter(|head| head.sha256 == sha256);
        assert!(
            cached.is_some() || self.manifests.iter().any(|manifest| named(&manifest)),
            "what nobody has named is handed out"
        );
        assert_eq!(reading.head.ext.is_json(), !matches!(wanted.kind, Kind::Artifact), "the other kind is handed out");
        if reading.fresh() {
            let manifest = self.manifests.last().filter(named).expect("it is fresh, and no manifest names it");
            assert_eq!(reading.generation, manifest.generation);
            self.check_generation(manifest);
        }
        let Kind::Json(Shape { validate, own, .. }) = wanted.kind else { return };
        assert!(shaped || !own, "handed out without the reader's own shape");
        // A head that says so was made by a reader that had validated.
        if let (Some(schema), true) = (&reading.head.schema, validate) {
            let before = cached.and_then(|head| head.satisfies()) == Some(schema.sha256);
            let now = self.valid.contains(&(payload, schema.sha256));
            assert!(reading.head.validated && (before || now), "handed out without having been validated");
        }
    }

    /// Nothing older than what is remembered is taken for fresh.
    fn check_generation(&self, manifest: &VerifiedManifest) {
        let of_one_feed = self.manifests.iter().all(|other| other.feed == manifest.feed);
        if let Some(before) = self.before.memory.as_ref().filter(|before| of_one_feed && before.feed == manifest.feed) {
            assert!(manifest.generation >= before.generation, "what is older is taken for fresh");
        }
    }
}
