//! Step: fetch objects: payloads, and the schemas that they are validated against.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::request::{Caching, ObjectAnswers, Payload, Request, SchemaObject, SchemaRequest};
use super::{AtHand, Checked, FetchManifest, Source, Step, Task};
use crate::digest::Sha256;
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::Entry;
use crate::name::Ext;

/// Step: fetch objects in parallel.
#[must_use]
#[derive(Debug)]
pub struct FetchObjects<V> {
    pub(super) task: Box<Task<V>>,
    pub(super) checked: Checked,
    /// The datasets whose payloads are wanted.
    pub(super) payloads: Vec<(usize, Caching)>,
    /// The schemas that are wanted, each once, and a dataset that has it.
    pub(super) schemas: Vec<(usize, Caching)>,
}

impl<V> FetchObjects<V> {
    /// The requests for payloads, each limited to the size that the manifest declares.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let request = |&(i, caching): &(usize, Caching)| {
            let entry = self.entry(i);
            Request { path: layout::object(&entry.sha256, &entry.ext), limit: entry.size, caching }
        };
        self.payloads.iter().map(request).collect()
    }

    /// The requests for schemas, beside those for payloads. What the host has it answers without a request.
    #[must_use]
    pub fn schemas(&self) -> Vec<SchemaRequest> {
        let request = |&(i, caching): &(usize, Caching)| {
            let schema = self.entry(i).schema.as_ref()?;
            let path = layout::object(&schema.sha256, &Ext::json());
            Some(SchemaRequest { sha256: schema.sha256, request: Request { path, limit: schema.size, caching } })
        };
        self.schemas.iter().filter_map(request).collect()
    }

    fn entry(&self, i: usize) -> &Entry {
        &self.checked.manifest.datasets[&self.task.plan.datasets[i].dataset]
    }

    /// Takes the answers.
    pub fn complete(self, answers: ObjectAnswers<V>) -> Step<V> {
        let (requests, schema_requests) = (self.requests(), self.schemas());
        let Self { mut task, checked, payloads, schemas } = self;
        let mut round = Round { reread: task.manifest_reread, gone: false, failed: None };
        let (mut payloads_again, mut schemas_again) = (Vec::new(), Vec::new());
        // Every answer is looked at before anything is decided: what has arrived is not downloaded again.
        for (((i, _), request), answer) in payloads.into_iter().zip(requests).zip(answers.payloads) {
            let dataset = &task.plan.datasets[i].dataset;
            let expected = checked.manifest.datasets[dataset].sha256;
            let found = |payload: &Payload<V>| (payload.sha256, payload.size);
            match verified(answer, found, expected, &request) {
                Ok(payload) => task.at_hand[i] = Some(AtHand::new(payload, Source::Network, None)),
                Err(failure) if Round::once_more(&failure, &request) => payloads_again.push((i, Caching::Bypass)),
                Err(failure) => round.note(failure.of(dataset)),
            }
        }
        for (((i, _), wanted), answer) in schemas.into_iter().zip(schema_requests).zip(answers.schemas) {
            let dataset = &task.plan.datasets[i].dataset;
            let found = |schema: &SchemaObject| (schema.sha256, schema.size);
            match verified(answer, found, wanted.sha256, &wanted.request) {
                Ok(schema) => task.schemas.push(schema),
                Err(failure) if Round::once_more(&failure, &wanted.request) => schemas_again.push((i, Caching::Bypass)),
                Err(failure) => round.note(failure.of(dataset)),
            }
        }
        if let Some(failure) = round.failed {
            return task.fall_back(failure, checked.now);
        }
        if round.gone {
            // Collected since the manifest was read: there is a newer one.
            task.manifest_reread = true;
            return Step::FetchManifest(FetchManifest { task, guesses: Vec::new() });
        }
        if payloads_again.is_empty() && schemas_again.is_empty() {
            return task.resolve(checked);
        }
        Step::FetchObjects(FetchObjects { task, checked, payloads: payloads_again, schemas: schemas_again })
    }
}

/// What came of the requests, apart from objects.
struct Round {
    /// Whether the manifest was read again already.
    reread: bool,
    /// Whether an object was gone, and the manifest is to be read again.
    gone: bool,
    /// The first failure that nothing mends.
    failed: Option<Failure>,
}

impl Round {
    /// Whether one more request may mend it: a cache on the way may hold the torn or the old body, so ask once past it.
    fn once_more(failure: &Failure, request: &Request) -> bool {
        request.caching != Caching::Bypass
            && matches!(failure.code, Code::ChecksumMismatch | Code::Truncated | Code::NotJson)
    }

    fn note(&mut self, failure: Failure) {
        match failure.status {
            Some(404 | 410) if failure.code == Code::Http && !self.reread => self.gone = true,
            _ => self.failed = self.failed.take().or(Some(failure)),
        }
    }
}

/// The answer, if its bytes are the ones that the manifest names.
fn verified<T>(
    answer: Result<T, Failure>,
    found: impl FnOnce(&T) -> (Sha256, u64),
    sha256: Sha256,
    Request { path, limit: size, .. }: &Request,
) -> Result<T, Failure> {
    let detail = match answer {
        Ok(object) => match found(&object) {
            found if found == (sha256, *size) => return Ok(object),
            (other, bytes) => {
                format!("{path}: expected {size} bytes with SHA-256 {sha256}, found {bytes} bytes with {other}")
            }
        },
        // More than the declared size: other bytes than the manifest names.
        Err(failure) if failure.code == Code::TooLarge => {
            format!("{path}: more than the {size} bytes that the manifest names")
        }
        Err(failure) => return Err(failure),
    };
    Err(Failure::new(Code::ChecksumMismatch, detail).at(path.as_str()))
}
