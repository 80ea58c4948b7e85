//! One read: the steps of the read algorithm to completion. The twin of the writer's native driver.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Promise};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Check, Document, ManifestAnswer, ManifestAnswers, ObjectAnswers, Objection, Outcome, Own, Payload as ReadPayload,
    Reading, Request, SchemaObject, SchemaRequest, Step,
};
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::cache::Found;
use crate::fetch::{self, FetchError, Patience};
use crate::inflight::{Fetched, Fetching, Flight, Responses};
use crate::page;
use crate::payload::Payload;
use crate::reader::Feed;
use crate::task::{Boxed, Sleep, together};

/// What a payload is handed out as: its value, or what the page's own shape has made of it.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) payload: Rc<Payload>,
    pub(crate) data: JsValue,
    /// Whether the page's own shape has made it.
    pub(crate) shaped: bool,
}

type Answer<T> = Result<T, Failure>;

/// A read in progress.
pub(crate) struct Call {
    pub(crate) feed: Rc<Feed>,
    pub(crate) timeout_ms: u32,
    pub(crate) found: Vec<(DatasetName, Option<Found>)>,
    /// What was last handed out together.
    pub(crate) set: Vec<Found>,
    /// The answers for the manifest and the lock marker, which other reads share.
    pub(crate) responses: Rc<Responses>,
    /// The files that this read has asked for: when it asks again, the first answer did not do.
    pub(crate) asked: RefCell<Vec<String>>,
    /// Makes the value that the page wants of a payload.
    pub(crate) shape: Option<Function>,
    /// What the page's functions have thrown: it is what the page gets, when there is nothing to hand out because of it.
    pub(crate) thrown: RefCell<Vec<(Failure, JsValue)>>,
    /// Why no request can be made, when the page's `init` has thrown: then no copy is handed out either.
    pub(crate) refused: RefCell<Option<Failure>>,
}

/// Carries out every step of a read.
pub(crate) async fn drive(call: Rc<Call>, mut step: Step<Value>) -> Outcome<Value> {
    loop {
        call.feed.page.explain(|| call.described(&step));
        step = match step {
            Step::FetchManifest(fetch) => {
                // The payloads first: they take longest.
                let mut files: Vec<Boxed<Fetching>> =
                    fetch.guesses().into_iter().map(|request| call.payload(request)).collect();
                let guesses = files.len();
                files.push(call.document(fetch.manifest()));
                files.extend(fetch.lock().map(|request| call.document(request)));
                let mut answers = together(files).await.into_iter();
                let guesses = answers.by_ref().take(guesses).map(|answer| call.take_payload(answer)).collect();
                let manifest = answers.next().map_or_else(|| Err(no_answer()), |answer| call.take_manifest(answer));
                let lock = answers.next().map(|answer| call.take_document(answer));
                fetch.complete(ManifestAnswers { manifest, lock, guesses }, now())
            }
            Step::LoadCache(load) => {
                let wanted = load.wanted().zip(load.heads());
                let payloads = wanted.map(|(dataset, head)| call.load(dataset, head.map(|head| head.sha256))).collect();
                load.complete(together(payloads).await)
            }
            Step::FetchObjects(fetch) => {
                let (payloads, schemas) = (fetch.requests(), fetch.schemas());
                let count = payloads.len();
                let mut files: Vec<Boxed<Fetching>> =
                    payloads.into_iter().map(|request| call.payload(request)).collect();
                let known: Vec<Option<SchemaObject>> =
                    schemas.iter().map(|schema| call.feed.schemas.known(schema.sha256)).collect();
                let missing = schemas.into_iter().zip(&known).filter(|(_, known)| known.is_none());
                files.extend(missing.map(|(SchemaRequest { request, .. }, _)| call.schema(request)));
                let mut answers = together(files).await.into_iter();
                let payloads = answers.by_ref().take(count).map(|answer| call.take_payload(answer)).collect();
                let schema = |known: Option<SchemaObject>| match known {
                    Some(schema) => Ok(schema),
                    None => answers.next().map_or_else(|| Err(no_answer()), |answer| call.take_schema(answer)),
                };
                let schemas = known.into_iter().map(schema).collect();
                fetch.complete(ObjectAnswers { payloads, schemas })
            }
            Step::Validate(validate) => {
                let mut verdicts = Vec::new();
                for check in validate.checks() {
                    verdicts.push(call.judge(&check).await);
                }
                validate.complete(verdicts)
            }
            Step::Wait(wait) => {
                Sleep::new(wait.ms() as f64).await;
                wait.complete()
            }
            Step::Done(outcome) => return outcome,
        };
        let refused = call.refused.take();
        if let Some(failure) = refused {
            return step.end(failure, now());
        }
    }
}

impl Call {
    /// A small file, all of it within the time limit.
    fn document(&self, request: Request) -> Boxed<Fetching> {
        let path = request.path.as_str().to_owned();
        let again = self.asked.borrow().contains(&path);
        self.asked.borrow_mut().push(path.clone());
        Box::pin(self.responses.get(&path, again, || self.flight(request, false)))
    }

    fn payload(&self, request: Request) -> Boxed<Fetching> {
        Box::pin(self.flight(request, true))
    }

    /// A published schema; what judges by it is loaded in the same round trip.
    fn schema(&self, request: Request) -> Boxed<Fetching> {
        self.feed.page.load_validator();
        self.payload(request)
    }

    fn flight(&self, request: Request, is_payload: bool) -> Flight {
        let key = format!("{:?} {} {} {}", request.caching, self.timeout_ms, request.limit, request.path.as_str());
        let patience = Patience { ms: self.timeout_ms, for_each_part: is_payload };
        let page = Rc::clone(&self.feed.page);
        self.feed.in_flight.join(key, || {
            Box::pin(async move {
                let body = fetch::fetch(&page, &request, patience).await.map_err(Rc::new)?;
                if !is_payload {
                    return Ok(Rc::new(Fetched::Document(body)));
                }
                let payload = if request.path.as_str().ends_with(".json") {
                    Payload::json(body.bytes).await
                } else {
                    Payload::artifact(body.bytes, &body.media_type).await
                };
                Ok(Rc::new(Fetched::Payload(Rc::new(payload))))
            })
        })
    }

    fn load(&self, dataset: &DatasetName, sha256: Option<Sha256>) -> Boxed<Option<ReadPayload<Value>>> {
        let (feed, dataset) = (Rc::clone(&self.feed), dataset.clone());
        let latest = self.found.iter().find(|(name, _)| *name == dataset).and_then(|(_, found)| found.as_ref());
        let mut found = latest.into_iter().chain(&self.set);
        let found = found.find(|found| Some(found.head.sha256) == sha256).cloned();
        Box::pin(async move {
            let payload = feed.store.load(&dataset, &found?).await?;
            Some(as_read(&payload))
        })
    }

    /// Judges a value by its published schema, then by the page's own shape.
    async fn judge(&self, check: &Check<'_, Value>) -> Result<Option<Value>, Objection> {
        let Check { dataset, value, schema, own } = check;
        if let Some(schema) = schema {
            self.feed.schemas.validate(&self.feed.page, &value.payload, schema).await?;
        }
        match (own, &self.shape) {
            (Some(own), Some(shape)) => self.shaped(shape, dataset, own, &value.payload).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn shaped(
        &self,
        shape: &Function,
        dataset: &DatasetName,
        own: &Own,
        payload: &Rc<Payload>,
    ) -> Result<Value, Objection> {
        let version = own.version.map_or(JsValue::NULL, JsValue::from);
        let given: [JsValue; 5] = [
            dataset.as_str().into(),
            own.sha256.to_string().into(),
            version,
            payload.text.clone(),
            payload.data.clone(),
        ];
        let given: Array = given.into_iter().collect();
        let shaped = match shape.apply(&JsValue::UNDEFINED, &given) {
            Ok(promise) => JsFuture::from(Promise::resolve(&promise)).await,
            Err(thrown) => Err(thrown),
        };
        match shaped {
            Ok(data) => Ok(Value { payload: Rc::clone(payload), data, shaped: true }),
            Err(thrown) => {
                let code = match page::get(&thrown, "code").as_string().as_deref() {
                    Some("migration-failed") => Code::MigrationFailed,
                    _ => Code::SchemaInvalid,
                };
                let failure = Failure::new(code, page::get(&thrown, "message").as_string().unwrap_or_default());
                let failure = failure.of(dataset);
                self.thrown.borrow_mut().push((failure.clone(), thrown));
                Err(Objection::Refused(failure))
            }
        }
    }

    fn fetched(&self, answer: Fetching) -> Answer<Rc<Fetched>> {
        answer.map_err(|error| {
            let FetchError { failure, thrown } = &*error;
            if let Some(thrown) = thrown {
                self.refused.replace(Some(failure.clone()));
                self.thrown.borrow_mut().push((failure.clone(), thrown.clone()));
            }
            failure.clone()
        })
    }

    fn take_manifest(&self, answer: Fetching) -> Answer<ManifestAnswer> {
        let Document { bytes, server_time } = self.take_document(answer)?;
        Ok(ManifestAnswer { manifest: self.feed.verified(bytes)?, server_time })
    }

    fn take_document(&self, answer: Fetching) -> Answer<Document> {
        match &*self.fetched(answer)? {
            Fetched::Document(body) => Ok(Document { bytes: body.bytes.to_vec(), server_time: body.server_time }),
            Fetched::Payload(_) => Err(no_answer()),
        }
    }

    fn take_payload(&self, answer: Fetching) -> Answer<ReadPayload<Value>> {
        match &*self.fetched(answer)? {
            Fetched::Payload(payload) => Ok(as_read(payload)),
            Fetched::Document(_) => Err(no_answer()),
        }
    }

    fn take_schema(&self, answer: Fetching) -> Answer<SchemaObject> {
        match &*self.fetched(answer)? {
            Fetched::Payload(payload) => Ok(self.feed.schemas.add(payload)),
            Fetched::Document(_) => Err(no_answer()),
        }
    }

    /// One line about what is done next.
    fn described(&self, step: &Step<Value>) -> String {
        let paths = |requests: Vec<Request>| -> String {
            let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
            paths.join(", ")
        };
        let done = match step {
            Step::FetchManifest(fetch) => {
                let requests = std::iter::once(fetch.manifest()).chain(fetch.lock()).chain(fetch.guesses());
                format!("fetch {}", paths(requests.collect()))
            }
            Step::LoadCache(load) => {
                let wanted: Vec<&str> = load.wanted().map(|dataset| dataset.as_str()).collect();
                format!("take the copy at hand of {}", wanted.join(", "))
            }
            Step::FetchObjects(fetch) => {
                let schemas = fetch.schemas().into_iter().map(|schema| schema.request);
                format!("download {}", paths(fetch.requests().into_iter().chain(schemas).collect()))
            }
            Step::Validate(_) => "validate against the published schema, or by the page's own".to_owned(),
            Step::Wait(wait) => format!("locked: look again in {} ms", wait.ms()),
            Step::Done(outcome) => match &outcome.result {
                Err(failure) => format!("nothing to hand out: {}", failure.detail),
                Ok(readings) => {
                    let line = |reading: &Reading<Value>| {
                        let reason = reading.reason.as_ref().map_or("fresh", |reason| &reason.detail);
                        let generation = reading.generation.get();
                        format!("generation {generation} from {}, {reason}", reading.source.as_str())
                    };
                    let lines: Vec<String> = readings.iter().map(line).collect();
                    lines.join("; ")
                }
            },
        };
        let names: Vec<&str> = self.found.iter().map(|(name, _)| name.as_str()).collect();
        format!("{}: {done}", names.join(", "))
    }
}

fn as_read(payload: &Rc<Payload>) -> ReadPayload<Value> {
    payload.as_read(Value { payload: Rc::clone(payload), data: payload.data.clone(), shaped: false })
}

/// Never met: each request has its answer.
fn no_answer() -> Failure {
    Failure::new(Code::Offline, "")
}

/// This device's time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_ms(js_sys::Date::now() as i64)
}
