//! A read as a page makes it: over HTTP, with localStorage. What the package makes of answers and entries is done here once more, in few
//! lines, and written down, so that the package can be asked the same.

use std::collections::{BTreeMap, HashMap};

use lastgood::protocol::cache::{self, CacheHead, FeedMemory, Keys};
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::manifest::Noted;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Caching, Document, Known, Objection, Plan, Reading, Request, SchemaRequest, Source};
use lastgood::protocol::schema::Schema;
use lastgood::protocol::time::Timestamp;
use serde::{Serialize, Serializer};

use crate::drive::{Answer, Body, Look, Played, Value, World, drive};
use crate::targets::schema::Ecmascript;

/// Where the feed is.
pub(crate) const URL: &str = "https://feed.example/data/";

/// What the page's own shape refuses.
const REFUSED: &str = "[1]";

/// As many violations as the package lists.
const LISTED: usize = 10;

/// A body: as text where it is one.
#[derive(Debug, Clone)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

/// What comes of a request.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum Response {
    /// It does not get through.
    Offline,
    /// The connection breaks after these bytes.
    Broken { body: Bytes },
    /// An answer. `date` is in milliseconds, as far as the header tells them.
    Answer { status: u16, body: Bytes, date: Option<i64>, age: u32, retry_after: Option<u64> },
}

impl Response {
    /// A file, as a server sends it at `time`; a third of the answers has lain in a cache for a while.
    pub(crate) fn file(bytes: Vec<u8>, time: Option<Timestamp>) -> Self {
        // A header tells seconds, of years that browsers and servers can write.
        let date = time.map(|time| time.ms().clamp(0, Timestamp::MAX.ms() - 86_400_000) / 1000 * 1000);
        let age = date.map_or(0, |date| if date / 1000 % 3 == 0 { 60 } else { 0 });
        Self::Answer { status: 200, body: Bytes(bytes), date, age, retry_after: None }
    }

    pub(crate) fn status(status: u16, retry_after: Option<u64>) -> Self {
        Self::Answer { status, body: Bytes(Vec::new()), date: None, age: 0, retry_after }
    }
}

/// Answers requests.
pub(crate) trait Server {
    /// A look at the feed or a round of downloads begins.
    fn begin_round(&mut self);

    /// The manifest and, where it is asked for, the lock marker.
    fn documents(&mut self, lock: bool) -> (Response, Option<Response>);

    /// The payload that is asked for as number `i` of a round.
    fn payload(&mut self, i: usize, path: &str) -> Response;

    /// Likewise a schema.
    fn schema(&mut self, i: usize, path: &str) -> Response;
}

/// A request and its answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exchange {
    path: String,
    /// As `fetch` has it.
    cache: &'static str,
    response: Response,
    #[serde(skip)]
    limit: u64,
}

/// What a page's localStorage holds.
pub(crate) type Entries = BTreeMap<String, String>;

/// A read of a page, and what it was answered.
pub(crate) struct Visit {
    pub(crate) plan: Plan,
    /// What localStorage held before.
    pub(crate) before: Entries,
    /// What it holds after.
    pub(crate) after: Entries,
    /// Where the copy of each reading is kept after.
    pub(crate) kept: Vec<bool>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) played: Played,
    /// Whether a regular expression was decided without its engine.
    pub(crate) tamed: bool,
}

impl Visit {
    /// Makes the read.
    ///
    /// # Panics
    /// When a property does not hold.
    pub(crate) fn to(server: impl Server, plan: Plan, before: Entries) -> Self {
        let engine = Ecmascript::default();
        let mut page = Page {
            server,
            storage: Storage { keys: Keys::new(URL), entries: before.clone() },
            schemas: HashMap::new(),
            exchanges: Vec::new(),
            round: 0,
            engine,
        };
        let known = page.storage.known(&plan);
        let played = drive(&mut page, plan.clone(), known);
        let Page { mut storage, exchanges, engine, .. } = page;
        let kept = storage.keep(&played);
        Self { plan, before, after: storage.entries, kept, exchanges, played, tamed: engine.tamed.get() }
    }
}

/// What is kept between visits.
struct Storage {
    keys: Keys,
    entries: Entries,
}

impl Storage {
    fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    fn head(&self, dataset: &DatasetName) -> Option<CacheHead> {
        CacheHead::decode(self.get(&self.keys.head(dataset))?)
    }

    fn memory(&self) -> Option<FeedMemory> {
        FeedMemory::decode(self.get(self.keys.memory())?)
    }

    /// A head without its payload is none.
    fn known(&self, plan: &Plan) -> Known {
        let head = |dataset| self.head(dataset).filter(|_| self.get(&self.keys.payload(dataset)).is_some());
        Known {
            memory: self.memory(),
            heads: plan.datasets.iter().map(|wanted| head(&wanted.dataset)).collect(),
            set: None,
        }
    }

    /// Keeps what is handed out, and says of which reading there is a copy.
    fn keep(&mut self, played: &Played) -> Vec<bool> {
        if let Some(seen) = &played.outcome.memory {
            let has_more = |stored: FeedMemory| stored.feed == seen.feed && stored.generation > seen.generation;
            if !self.memory().is_some_and(has_more) {
                self.entries.insert(self.keys.memory().to_owned(), seen.encode());
            }
        }
        let purged = played.outcome.manifest.as_ref().map(|manifest| manifest.purged.clone()).unwrap_or_default();
        self.purge(&purged);
        let readings = played.outcome.result.as_deref().unwrap_or_default();
        let mut keep = |reading: &Reading<Value>| {
            purged.get(&reading.head.sha256).is_none() && self.keep_copy(reading, played.bytes(reading))
        };
        readings.iter().map(&mut keep).collect()
    }

    /// Drops the copies of what was purged, of whichever dataset of the feed.
    fn purge(&mut self, purged: &Noted<Sha256>) {
        let heads = self.keys.heads();
        let is_purged = |head: CacheHead| purged.get(&head.sha256).is_some();
        let named = self.entries.iter().filter(|(key, _)| key.starts_with(&heads) && cache::head_of(key).is_none());
        let going = named.filter(|(_, entry)| CacheHead::decode(entry).is_some_and(is_purged));
        for key in going.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.entries.remove(&cache::payload_of(&key));
            self.entries.remove(&key);
        }
    }

    fn keep_copy(&mut self, Reading { dataset, head, source, .. }: &Reading<Value>, bytes: &[u8]) -> bool {
        let stored = self.head(dataset);
        let is_same = stored.as_ref().is_some_and(|stored| stored.sha256 == head.sha256);
        if stored.as_ref().is_some_and(|stored| stored.feed == head.feed && stored.confirmed > head.confirmed) {
            // What another tab has confirmed since is kept all the same.
            return is_same;
        }
        if *source == Source::Network {
            // Of an artifact there is no text.
            let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| head.ext.is_json()) else { return false };
            self.entries.insert(self.keys.payload(dataset), text.to_owned());
        } else if !is_same {
            return false;
        }
        self.entries.insert(self.keys.head(dataset), head.encode());
        true
    }
}

struct Page<S> {
    server: S,
    storage: Storage,
    schemas: HashMap<Sha256, Vec<u8>>,
    exchanges: Vec<Exchange>,
    /// Where the exchanges of this round begin: requests that are under way at the same time are one.
    round: usize,
    engine: Ecmascript,
}

impl<S: Server> Page<S> {
    fn begin_round(&mut self) {
        self.round = self.exchanges.len();
        self.server.begin_round();
    }

    fn send(
        &mut self,
        request: &Request,
        ask: impl FnOnce(&mut S) -> Response,
    ) -> Answer<(Vec<u8>, Option<Timestamp>)> {
        let (path, cache) = (request.path.as_str(), cache_mode(request.caching));
        let same = |other: &&Exchange| other.path == path && other.cache == cache;
        let under_way = self.exchanges[self.round..].iter().find(same).cloned();
        let joined = under_way.as_ref().is_some_and(|other| other.limit == request.limit);
        let response = under_way.map_or_else(|| ask(&mut self.server), |other| other.response);
        let received = received(request, &response);
        if !joined {
            self.exchanges.push(Exchange { path: path.to_owned(), cache, response, limit: request.limit });
        }
        received
    }

    fn payload(&mut self, i: usize, request: &Request) -> Answer<Body> {
        let path = request.path.as_str();
        let (bytes, _) = self.send(request, |server| server.payload(i, path))?;
        Ok(body(bytes, path.ends_with(".json")))
    }
}

impl<S: Server> World for Page<S> {
    fn look(&mut self, manifest: &Request, lock: Option<&Request>, guesses: &[Request]) -> Look {
        self.begin_round();
        let (manifest_response, lock_response) = self.server.documents(lock.is_some());
        let document = |(bytes, server_time)| Document { bytes, server_time };
        let manifest = self.send(manifest, |_| manifest_response).map(document);
        let lock = lock.zip(lock_response).map(|(lock, response)| self.send(lock, |_| response).map(document));
        let guesses = guesses.iter().enumerate().map(|(i, request)| self.payload(i, request)).collect();
        Look { manifest, lock, guesses }
    }

    fn objects(
        &mut self,
        payloads: &[Request],
        schemas: &[SchemaRequest],
    ) -> (Vec<Answer<Body>>, Vec<Answer<Vec<u8>>>) {
        self.begin_round();
        let payloads = payloads.iter().enumerate().map(|(i, request)| self.payload(i, request)).collect();
        let known: Vec<_> = schemas.iter().map(|schema| self.schemas.get(&schema.sha256).cloned()).collect();
        let mut answers = Vec::new();
        for (i, (SchemaRequest { request, .. }, known)) in schemas.iter().zip(known).enumerate() {
            answers.push(match known {
                Some(bytes) => Ok(bytes),
                None => self.send(request, |server| server.schema(i, request.path.as_str())).map(|(bytes, _)| bytes),
            });
        }
        for bytes in answers.iter().flatten() {
            self.schemas.entry(Sha256::of(bytes)).or_insert_with(|| bytes.clone());
        }
        (payloads, answers)
    }

    fn copy(&mut self, dataset: &DatasetName) -> Option<Body> {
        let is_json = self.storage.head(dataset)?.ext.is_json();
        let text = self.storage.get(&self.storage.keys.payload(dataset))?;
        Some(body(text.as_bytes().to_vec(), is_json))
    }

    fn validate(&mut self, payload: &[u8], schema: Sha256) -> Result<(), Objection> {
        let schema = std::str::from_utf8(&self.schemas[&schema]).unwrap_or_default();
        let schema =
            Schema::compile(schema, &self.engine).map_err(|error| Objection::Unsupported(error.to_string()))?;
        let payload = std::str::from_utf8(payload).expect("what is a value is a text");
        schema.validate(payload, LISTED).map_err(|invalid| Objection::Invalid(invalid.to_string()))
    }

    fn shape(&mut self, payload: &[u8]) -> Result<(), Objection> {
        if payload != REFUSED.as_bytes() {
            return Ok(());
        }
        Err(Objection::Refused(Failure::new(Code::SchemaInvalid, "")))
    }
}

fn body(bytes: Vec<u8>, is_json: bool) -> Body {
    let is_value = || serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
    let problem = is_json && (std::str::from_utf8(&bytes).is_err() || !is_value());
    Body { problem: problem.then(|| "it is not JSON".to_owned()), bytes }
}

fn cache_mode(caching: Caching) -> &'static str {
    match caching {
        Caching::Allow => "default",
        Caching::Revalidate => "no-cache",
        Caching::Bypass => "reload",
        Caching::Forbid => "no-store",
    }
}

/// What the package takes a response for.
fn received(request: &Request, response: &Response) -> Answer<(Vec<u8>, Option<Timestamp>)> {
    let path = request.path.as_str();
    let (body, ended) = match response {
        Response::Offline => return Err(Failure::new(Code::Offline, "").at(path)),
        Response::Broken { body } => (body, false),
        Response::Answer { status: 200, body, .. } => (body, true),
        Response::Answer { status, retry_after, .. } => {
            let mut failure = Failure::http(path, *status);
            failure.retry_after_ms = retry_after.and_then(|seconds| seconds.checked_mul(1000));
            return Err(failure);
        }
    };
    let start = &body.0[..body.0.len().min(256)];
    let first = start.iter().find(|byte| !b" \t\r\n\xef\xbb\xbf".contains(byte));
    if path.ends_with(".json") && first == Some(&b'<') {
        return Err(Failure::new(Code::NotJson, "").at(path));
    }
    if body.0.len() as u64 > request.limit {
        return Err(Failure::too_large(path, request.limit));
    }
    if !ended {
        return Err(Failure::new(Code::Truncated, "").at(path));
    }
    let Response::Answer { date, age, .. } = response else { unreachable!("what has ended is an answer") };
    let server_time = date.map(|date| Timestamp::from_ms(date).plus_ms(i64::from(*age) * 1000));
    Ok((body.0.clone(), server_time))
}
