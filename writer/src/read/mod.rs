//! The native reader: drives the read algorithm of the protocol over any [`Origin`], and over the feed's own files.

mod cache;
mod files;
#[cfg(test)]
mod races;
mod reader;
mod schemas;

use lastgood_protocol::MAX_SAFE_INTEGER;
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Entry, Generation, MAX_MANIFEST_BYTES, Manifest};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::read::{
    self, Check, Document, Kind, Known, LockPolicy, ManifestAnswer, ManifestAnswers, ObjectAnswers, Outcome, Payload,
    Plan, Reading, Request, Shape, Step, Wanted,
};
use lastgood_protocol::time::Timestamp;

use self::files::Files;
pub use self::reader::Reader;
use self::schemas::Schemas;
use crate::error::Error;
use crate::feed::Feed;
use crate::storage::Storage;

/// Where a native reader gets its bytes, its cache and its time.
pub trait Origin {
    /// What a payload is handed out as: its bytes in one form or another, because they are what is validated.
    type Value: AsRef<[u8]>;

    /// Fetches a manifest, a lock marker or a schema.
    ///
    /// # Errors
    /// The failure as the read algorithm understands it; [`Failure::http`] with 404 for a missing file.
    fn document(&mut self, request: &Request) -> Result<Document, Failure>;

    /// Fetches the manifest and verifies it. To be overridden where it may be known to be verified.
    ///
    /// # Errors
    /// As for [`document`](Self::document), and what is wrong with the manifest.
    fn manifest(&mut self, request: &Request) -> Result<ManifestAnswer, Failure> {
        ManifestAnswer::verify(&self.document(request)?)
    }

    /// Fetches a payload and hashes it.
    ///
    /// # Errors
    /// As for [`document`](Self::document).
    fn payload(&mut self, request: &Request) -> Result<Payload<Self::Value>, Failure>;

    /// The cached payload of a dataset, hashed now; `None` without a cache.
    fn cached(&mut self, dataset: &DatasetName) -> Option<Payload<Self::Value>>;

    /// Lets time pass.
    fn wait(&mut self, ms: u64);

    /// The present time.
    fn now(&mut self) -> Timestamp;
}

/// Carries out every step of a read.
pub fn drive<O: Origin>(origin: &mut O, plan: Plan, known: Known) -> Outcome<O::Value> {
    let mut schemas = Schemas::default();
    let mut step = read::start(plan, known);
    loop {
        step = match step {
            Step::FetchManifest(fetch) => {
                let answers = ManifestAnswers {
                    manifest: origin.manifest(&fetch.manifest()),
                    lock: fetch.lock().map(|request| origin.document(&request)),
                    guesses: fetch.guesses().iter().map(|request| origin.payload(request)).collect(),
                };
                fetch.complete(answers, origin.now())
            }
            Step::LoadCache(load) => {
                let payloads = load.wanted().map(|dataset| origin.cached(dataset)).collect();
                load.complete(payloads)
            }
            Step::FetchObjects(fetch) => {
                let payloads = fetch.requests().iter().map(|request| origin.payload(request)).collect();
                let wanted = fetch.schemas();
                let documents = wanted.iter().map(|schema| origin.document(&schema.request));
                let schemas = documents.map(|document| Ok(schemas.keep(document?.bytes))).collect();
                fetch.complete(ObjectAnswers { payloads, schemas })
            }
            Step::Validate(validate) => {
                // There is no shape of its own, so what is handed out is the value as it is.
                let judge = |check: &Check<'_, O::Value>| match check.schema {
                    Some(schema) => schemas.validate(check.value, schema).map(|()| None),
                    None => Ok(None),
                };
                let verdicts = validate.checks().iter().map(judge).collect();
                validate.complete(verdicts)
            }
            Step::Wait(wait) => {
                origin.wait(wait.ms());
                wait.complete()
            }
            Step::Done(outcome) => return outcome,
        };
    }
}

impl<S: Storage> Feed<S> {
    /// Reads the current payload of a dataset, verified and, if it was published with a schema, validated.
    ///
    /// # Errors
    /// [`Error::Read`] with the code of the failure, such as `not-found`, `checksum-mismatch` or `schema-invalid`.
    pub fn read(&self, dataset: &DatasetName) -> Result<Reading<Vec<u8>>, Error> {
        let readings = self.snapshot(std::slice::from_ref(dataset))?;
        Ok(readings.into_iter().next().expect("a snapshot of one dataset has one reading"))
    }

    /// Reads several datasets of one generation, verified, in the order given.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn snapshot(&self, datasets: &[DatasetName]) -> Result<Vec<Reading<Vec<u8>>>, Error> {
        self.manifest()?;
        Ok(drive(&mut Files { feed: self }, plan(datasets), Known::default()).result?)
    }

    /// Reads a dataset as it was in a retained generation, verified and, if it was published with a schema, validated.
    ///
    /// # Errors
    /// [`Error::Read`] with the code `not-found` when the generation is not retained or had no such dataset, or when the payload
    /// was purged, `checksum-mismatch` when its object or that of its schema is missing or damaged, `schema-invalid` when the payload does
    /// not satisfy it.
    pub fn read_generation(&self, dataset: &DatasetName, generation: Generation) -> Result<Vec<u8>, Error> {
        self.read_retained(dataset, generation).map(|(payload, _)| payload)
    }

    /// The same, with what the manifest of that generation says about the dataset. Where the whole generation ends before the
    /// dataset does, its end is that.
    ///
    /// # Errors
    /// As for [`read_generation`](Self::read_generation).
    pub fn read_retained(&self, dataset: &DatasetName, generation: Generation) -> Result<(Vec<u8>, Entry), Error> {
        match self.try_retained(dataset, generation) {
            // No damage once the generation has been collected, which goes before what it names.
            Err(error) => self.retained(generation).and(Err(error)),
            read => read,
        }
    }

    /// The manifest of a retained generation.
    ///
    /// # Errors
    /// [`Error::Read`] with the code `not-found` when it is not retained, and with what is wrong with it.
    pub fn manifest_of(&self, generation: Generation) -> Result<Manifest, Error> {
        Ok(Manifest::verify(&self.retained(generation)?).map_err(Failure::from)?)
    }

    /// The payload that an entry of a manifest names, verified.
    ///
    /// # Errors
    /// [`Error::Read`] with the code `checksum-mismatch` when it is missing or damaged.
    pub fn payload_of(&self, dataset: &DatasetName, entry: &Entry) -> Result<Vec<u8>, Error> {
        self.object(dataset, (&entry.sha256, entry.size), &entry.ext)
    }

    /// The schema that an entry of a manifest names, verified; `None` when the payload was published without one.
    ///
    /// # Errors
    /// As for [`payload_of`](Self::payload_of).
    pub fn schema_of(&self, dataset: &DatasetName, entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
        let schema = entry.schema.as_ref();
        schema.map(|schema| self.object(dataset, (&schema.sha256, schema.size), &Ext::json())).transpose()
    }

    /// The bytes of the manifest of a generation.
    fn retained(&self, generation: Generation) -> Result<Vec<u8>, Error> {
        let path = layout::history(generation);
        let bytes = self.storage.read(&path, MAX_MANIFEST_BYTES).map_err(Error::io(format!("read {path}")))?;
        bytes.ok_or_else(|| {
            let detail = format!("generation {generation} is not retained: there is no {path}");
            Failure::new(Code::NotFound, detail).into()
        })
    }

    fn try_retained(&self, dataset: &DatasetName, generation: Generation) -> Result<(Vec<u8>, Entry), Error> {
        let bytes = self.retained(generation)?;
        let manifest = Manifest::verify(&bytes).map_err(Failure::from)?;
        let Some(entry) = manifest.datasets.get(dataset) else {
            let detail = format!("generation {generation} has no dataset \"{dataset}\"");
            return Err(Failure::new(Code::NotFound, detail).of(dataset).into());
        };
        let payload = self.object(dataset, (&entry.sha256, entry.size), &entry.ext)?;
        if let Some(schema) = &entry.schema {
            let mut schemas = Schemas::default();
            schemas.keep(self.object(dataset, (&schema.sha256, schema.size), &Ext::json())?);
            let verdict = schemas.validate(&payload, schema);
            verdict.map_err(|objection| objection.into_failure(dataset, entry))?;
        }
        Ok((payload, Entry { expires_at: manifest.end_of(entry), ..entry.clone() }))
    }

    /// An object of a dataset, verified.
    fn object(&self, dataset: &DatasetName, (sha256, size): (&Sha256, u64), ext: &Ext) -> Result<Vec<u8>, Error> {
        let path = layout::object(sha256, ext);
        let bytes = self.storage.read(&path, size).map_err(Error::io(format!("read {path}")))?;
        if let Some(bytes) = bytes.filter(|bytes| Sha256::of(bytes) == *sha256) {
            return Ok(bytes);
        }
        let failure = match self.manifest()?.purged.get(sha256) {
            Some(at) => {
                Failure::new(Code::NotFound, format!("{path}, which it was in that generation, was purged at {at}"))
            }
            None => Failure::new(Code::ChecksumMismatch, format!("{path} is missing or damaged")),
        };
        Err(failure.at(path.as_str()).of(dataset).into())
    }
}

/// What is read of the feed's own directory.
fn plan(datasets: &[DatasetName]) -> Plan {
    // The manifest is always consistent; the marker is for those who would rather wait.
    let (lock, max_bytes) = (LockPolicy::Ignore, MAX_SAFE_INTEGER);
    let any = |dataset: &DatasetName| Wanted { dataset: dataset.clone(), kind: Kind::Any(Shape::default()) };
    let datasets = datasets.iter().map(any).collect();
    Plan { datasets, lock, lock_wait_ms: 0, max_bytes, max_age_ms: None, again: false }
}
