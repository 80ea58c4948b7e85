//! A web site with a feed, as one visitor sees it: scripted answers, a cache, a log of requests.

use std::collections::{BTreeMap, VecDeque};

use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Check, Document, Kind, Known, LockPolicy, Objection, Outcome, Payload, Plan, Reading, Request, SchemaObject,
    SchemaRequest, Shape, Source, Wanted,
};
use lastgood_protocol::time::Timestamp;

use crate::common::{self, Host, drive, name};
use crate::publisher::Publisher;

/// What a server answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Body(Vec<u8>),
    Status(u16),
    Fails(Code),
}

impl Answer {
    pub(crate) fn html() -> Self {
        Self::Body(b"<!DOCTYPE html><title>app</title>".to_vec())
    }
}

/// By the datasets, in the order in which they were asked for.
type Sets = BTreeMap<Vec<DatasetName>, Vec<(CacheHead, Vec<u8>)>>;

#[derive(Debug, Clone)]
pub(crate) struct Site {
    files: BTreeMap<String, Vec<u8>>,
    scripts: BTreeMap<String, VecDeque<Answer>>,
    down: Option<Answer>,
    /// The server's clock, if it tells its time.
    pub(crate) server_clock: Option<Timestamp>,
    pub(crate) device_clock: Timestamp,
    pub(crate) memory: Option<FeedMemory>,
    pub(crate) cache: BTreeMap<DatasetName, (CacheHead, Option<Vec<u8>>)>,
    /// What was last handed out together, with the payloads; nothing where the visitor keeps no sets.
    pub(crate) sets: Option<Sets>,
    /// Each request as "path caching".
    pub(crate) requests: Vec<String>,
    /// How much of which path was asked for.
    pub(crate) limits: Vec<(String, u64)>,
    pub(crate) waits: Vec<u64>,
    /// What the server comes to serve while the visitor waits.
    pub(crate) after_wait: Option<BTreeMap<String, Vec<u8>>>,
    pub(crate) policy: LockPolicy,
    pub(crate) lock_wait_ms: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_age_ms: Option<u64>,
    pub(crate) again: bool,
    /// What datasets are read as.
    pub(crate) kind: Kind,
    /// The schemas that the visitor's page has.
    pub(crate) schemas: BTreeMap<Sha256, Vec<u8>>,
    /// How often a schema was asked for, whether or not the page had it.
    pub(crate) schemas_asked: usize,
    /// How often something was validated.
    pub(crate) validations: usize,
    /// How many rounds of requests there were.
    pub(crate) rounds: usize,
    /// What a failed status asks for in `Retry-After`.
    pub(crate) retry_after_ms: Option<u64>,
}

impl Site {
    /// The site of a feed, visited for the first time ten minutes after noon.
    pub(crate) fn of(publisher: &Publisher) -> Self {
        let noon: Timestamp = "2026-11-20T12:10:00Z".parse().unwrap();
        Self {
            files: publisher.files(),
            scripts: BTreeMap::new(),
            down: None,
            server_clock: Some(noon),
            device_clock: noon,
            memory: None,
            cache: BTreeMap::new(),
            sets: None,
            requests: Vec::new(),
            limits: Vec::new(),
            waits: Vec::new(),
            after_wait: None,
            policy: LockPolicy::Cache,
            lock_wait_ms: 1000,
            max_bytes: 1 << 20,
            max_age_ms: None,
            again: false,
            kind: Kind::Json(Shape::default()),
            schemas: BTreeMap::new(),
            schemas_asked: 0,
            validations: 0,
            rounds: 0,
            retry_after_ms: None,
        }
    }

    /// A later commit of the feed, or another feed, is served from now on.
    pub(crate) fn serve(&mut self, publisher: &Publisher) -> &mut Self {
        self.files = publisher.files();
        self
    }

    /// Serves a file.
    pub(crate) fn put(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    pub(crate) fn file(&self, path: &str) -> Vec<u8> {
        self.files[path].clone()
    }

    /// The next requests for `path` are answered so, before the file is.
    pub(crate) fn script(&mut self, path: &str, answers: impl IntoIterator<Item = Answer>) -> &mut Self {
        self.scripts.entry(path.to_owned()).or_default().extend(answers);
        self
    }

    /// Every request for `path` is answered so.
    pub(crate) fn always(&mut self, path: &str, answer: Answer) -> &mut Self {
        self.script(path, std::iter::repeat_n(answer, 100))
    }

    /// Every request is answered so; `None` ends it.
    pub(crate) fn down(&mut self, answer: Option<Answer>) -> &mut Self {
        self.down = answer;
        self
    }

    /// Serves a lock marker, with its lease relative to the server's clock.
    pub(crate) fn lock(&mut self, datasets: &[&str], (acquired_ms, expires_ms): (i64, i64)) -> &mut Self {
        let now = self.server_clock.unwrap_or(self.device_clock);
        let holder = Holder { host: "h".to_owned(), pid: 1, token: "t".to_owned() };
        let datasets = datasets.iter().map(|text| name(text)).collect();
        let (acquired_at, expires_at) = (now.plus_ms(acquired_ms), now.plus_ms(expires_ms));
        self.put(".lock", LockMarker { format: 1, holder, datasets, acquired_at, expires_at }.encode())
    }

    pub(crate) fn tamper(&mut self, dataset: &str) -> &mut Self {
        self.cache.get_mut(&name(dataset)).unwrap().1 = Some(b"[\"tampered\"]".to_vec());
        self
    }

    /// Reads, and keeps what a visitor keeps.
    pub(crate) fn read(&mut self, datasets: &[&str]) -> Outcome<String> {
        self.requests.clear();
        self.limits.clear();
        self.waits.clear();
        (self.schemas_asked, self.validations, self.rounds) = (0, 0, 0);
        let datasets: Vec<_> = datasets.iter().map(|text| name(text)).collect();
        let heads = datasets.iter().map(|name| self.cache.get(name).map(|(head, _)| head.clone())).collect();
        let set = self.sets.iter().find_map(|sets| sets.get(&datasets));
        let set = set.map(|set| set.iter().map(|(head, _)| head.clone()).collect());
        let names = datasets.clone();
        let known = Known { memory: self.memory.clone(), heads, set };
        let datasets = datasets.into_iter().map(|dataset| Wanted { dataset, kind: self.kind.clone() }).collect();
        let (lock, lock_wait_ms) = (self.policy, self.lock_wait_ms);
        let Self { max_bytes, max_age_ms, again, .. } = *self;
        let plan = Plan { datasets, lock, lock_wait_ms, max_bytes, max_age_ms, again };
        let outcome = drive(plan, known, self);
        self.memory.clone_from(&outcome.memory);
        for reading in outcome.result.iter().flatten() {
            // A part of an earlier set does not take the place of a later copy.
            let later =
                |(head, _): &(CacheHead, _)| head.feed == reading.head.feed && head.confirmed > reading.head.confirmed;
            if reading.source != Source::Network && self.cache.get(&reading.dataset).is_some_and(later) {
                continue;
            }
            let entry = (reading.head.clone(), Some(reading.value.clone().into_bytes()));
            self.cache.insert(reading.dataset.clone(), entry);
        }
        if let (Some(sets), Ok(readings)) = (&mut self.sets, &outcome.result) {
            let entry = |reading: &Reading<String>| (reading.head.clone(), reading.value.clone().into_bytes());
            sets.insert(names, readings.iter().map(entry).collect());
        }
        outcome
    }

    /// Reads one dataset that is to be had.
    pub(crate) fn reading(&mut self, dataset: &str) -> Reading<String> {
        self.read(&[dataset]).result.expect("a reading").remove(0)
    }

    /// Reads one dataset that is not to be had.
    pub(crate) fn failure(&mut self, dataset: &str) -> Failure {
        self.read(&[dataset]).result.expect_err("a failure")
    }

    fn answer(&mut self, request: &Request) -> Result<Vec<u8>, Failure> {
        let path = request.path.as_str();
        self.requests.push(format!("{path} {:?}", request.caching));
        self.limits.push((path.to_owned(), request.limit));
        let scripted = self.down.clone().or_else(|| self.scripts.get_mut(path).and_then(VecDeque::pop_front));
        let served = || self.files.get(path).cloned().map_or(Answer::Status(404), Answer::Body);
        match scripted.unwrap_or_else(served) {
            Answer::Body(bytes) if bytes.len() as u64 > request.limit => Err(Failure::too_large(path, request.limit)),
            Answer::Body(bytes) => Ok(bytes),
            Answer::Status(status) => {
                let mut failure = Failure::http(path, status);
                failure.retry_after_ms = self.retry_after_ms;
                Err(failure)
            }
            Answer::Fails(code) => Err(Failure::new(code, "scripted").at(path)),
        }
    }
}

impl Host for Site {
    fn begin_round(&mut self) {
        self.rounds += 1;
    }

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        let bytes = self.answer(request)?;
        Ok(Document { bytes, server_time: self.server_clock })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<String>, Failure> {
        let is_artifact = !request.path.as_str().ends_with(".json");
        let payload = if is_artifact { common::bytes } else { common::payload };
        self.answer(request).map(|bytes| payload(&bytes))
    }

    fn schema(&mut self, SchemaRequest { sha256, request }: &SchemaRequest) -> Result<SchemaObject, Failure> {
        self.schemas_asked += 1;
        let bytes = match self.schemas.get(sha256) {
            Some(bytes) => bytes.clone(),
            None => self.answer(request)?,
        };
        let schema = SchemaObject { sha256: Sha256::of(&bytes), size: bytes.len() as u64 };
        self.schemas.insert(schema.sha256, bytes);
        Ok(schema)
    }

    fn validate(&mut self, check: &Check<'_, String>) -> Result<(), Objection> {
        self.validations += 1;
        common::validate(std::str::from_utf8(&self.schemas[&check.schema.unwrap().sha256]).unwrap(), check.value)
    }

    fn cached(&mut self, dataset: &DatasetName, wanted: Option<&CacheHead>) -> Option<Payload<String>> {
        let (head, bytes) = self.cache.get(dataset)?;
        let payload = if head.ext.is_json() { common::payload } else { common::bytes };
        if wanted.is_some_and(|wanted| wanted.sha256 != head.sha256) {
            let mut kept = self.sets.iter().flat_map(BTreeMap::values).flatten();
            return kept.find(|(head, _)| Some(head) == wanted).map(|(_, bytes)| payload(bytes));
        }
        bytes.as_deref().map(payload)
    }

    fn wait(&mut self, ms: u64) {
        self.waits.push(ms);
        let ms = i64::try_from(ms).unwrap();
        self.server_clock = self.server_clock.map(|clock| clock.plus_ms(ms));
        self.device_clock = self.device_clock.plus_ms(ms);
        if let Some(files) = self.after_wait.take() {
            self.files = files;
        }
    }

    fn now(&self) -> Timestamp {
        self.device_clock
    }
}

/// Asserts value, source and reason of a reading.
#[track_caller]
pub(crate) fn assert_reading(reading: &Reading<String>, value: &str, source: Source, reason: Option<Code>) {
    let found = (reading.value.as_str(), reading.source, reading.reason.as_ref().map(|failure| failure.code));
    assert_eq!(found, (value, source, reason), "{:?}", reading.reason);
    assert_eq!(reading.fresh(), reason.is_none());
    assert_eq!(reading.head.sha256, common::payload(value.as_bytes()).sha256);
}
