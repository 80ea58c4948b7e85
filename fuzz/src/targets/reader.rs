//! A read of a page over HTTP, with localStorage: documents and entries as text.

use std::sync::LazyLock;

use lastgood::protocol::cache::Keys;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Kind, LockPolicy, Plan, Shape, Wanted};
use lastgood::protocol::time::Timestamp;
use serde_json::Value;

use crate::drive::MAX_WAIT_MS;
use crate::input::parts;
use crate::targets::manifest::sealed;
use crate::visit::{Bytes, Entries, Response, Server, URL, Visit};

/// As many datasets as are read at a time.
const MAX_DATASETS: usize = 4;

/// What is to be read, with what is kept; then for each look and each round of downloads what is answered, a manifest and a lock marker. A
/// manifest that is but the value of `signed` gets its checksum.
pub(crate) fn run(input: &[u8]) {
    if let Some((plan, entries)) = begun(input) {
        let _ = Visit::to(Answers::of(input), plan, entries);
    }
}

/// What an input begins with.
pub(crate) fn begun(input: &[u8]) -> Option<(Plan, Entries)> {
    let text = String::from_utf8_lossy(parts(input).next()?).into_owned();
    let given: Value = serde_json::from_str(&text).ok()?;
    let mut wanted = Vec::new();
    let mut entries = Entries::new();
    let keys = Keys::new(URL);
    for (i, dataset) in given["datasets"].as_array()?.iter().enumerate().take(MAX_DATASETS) {
        let dataset_name = DatasetName::parse(dataset["name"].as_str()?).ok()?;
        if wanted.iter().any(|other: &Wanted| other.dataset == dataset_name) {
            continue;
        }
        if let Some(head) = given["heads"][i].as_str() {
            entries.insert(keys.head(&dataset_name), put_right(head));
            let payload = match &given["copies"][i] {
                Value::Null => Some(FILES[0].1.clone()),
                payload => payload.as_str().map(str::to_owned),
            };
            entries.extend(payload.map(|payload| (keys.payload(&dataset_name), payload)));
        }
        wanted.push(self::wanted(dataset_name, dataset));
    }
    if let Some(memory) = given["memory"].as_str() {
        entries.insert(keys.memory().to_owned(), put_right(memory));
    }
    let plan = Plan {
        datasets: wanted,
        lock: match given["lock"].as_str() {
            Some("wait") => LockPolicy::Wait,
            Some("ignore") => LockPolicy::Ignore,
            _ => LockPolicy::Cache,
        },
        lock_wait_ms: given["lockWaitMs"].as_u64().unwrap_or_default().min(MAX_WAIT_MS),
        max_bytes: given["maxBytes"].as_u64().unwrap_or(1 << 26),
        max_age_ms: given["maxAge"].as_u64(),
        again: given["again"] == true,
    };
    Some((plan, entries))
}

/// One dataset, of which this is what is kept: texts, each for the memory and for the head.
pub(crate) fn kept(input: &[u8]) -> Option<(Plan, Entries)> {
    let dataset = DatasetName::parse("performance").expect("this is a name");
    let texts: Vec<&str> = parts(input).filter_map(|part| std::str::from_utf8(part).ok()).collect();
    let keys = Keys::new(URL);
    let entries = [
        (keys.memory().to_owned(), put_right(texts.first()?)),
        (keys.head(&dataset), put_right(texts.last()?)),
        (keys.payload(&dataset), FILES[0].1.clone()),
    ];
    let plan = Plan {
        datasets: vec![Wanted::json(dataset)],
        lock: LockPolicy::Cache,
        lock_wait_ms: 0,
        max_bytes: 1 << 26,
        max_age_ms: None,
        again: false,
    };
    Some((plan, entries.into()))
}

fn wanted(dataset: DatasetName, given: &Value) -> Wanted {
    if given["kind"] == "artifact" {
        return Wanted::artifact(dataset);
    }
    let version = |name: &str| given[name].as_u64().and_then(|version| u32::try_from(version).ok());
    let shape = Shape {
        validate: given["validate"] != false,
        versions: version("oldest").zip(version("newest")).map(|(oldest, newest)| oldest..=newest),
        own: given["own"] == true,
    };
    Wanted { dataset, kind: Kind::Json(shape) }
}

/// The files that inputs name by a digest that nobody forgets, which is put right like a checksum, since no search finds one.
static FILES: LazyLock<[(String, String); 3]> = LazyLock::new(|| {
    let padded = |text: &str, size: usize| text.to_owned() + &" ".repeat(size - text.len());
    [
        ("ab".repeat(32), padded(r#"[{"day":1,"value":3.5},{"day":2,"value":-0}]"#, 18432)),
        ("cd".repeat(32), padded(r#"{"type":"array","items":{"required":["day"]}}"#, 812)),
        ("ef".repeat(32), "PNG".to_owned()),
    ]
});

/// Digests that are mentioned in place of those that the files have.
fn put_right(text: &str) -> String {
    let mut text = text.to_owned();
    for (mentioned, file) in &*FILES {
        text = text.replace(mentioned, &Sha256::of(file.as_bytes()).to_string());
    }
    text
}

/// The answers that an input has.
pub(crate) struct Answers<'a> {
    rounds: Vec<&'a [u8]>,
    /// What is answered in this round; nothing when the input has no more.
    round: Option<Round<'a>>,
}

struct Round<'a> {
    said: Value,
    manifest: &'a [u8],
    marker: &'a [u8],
}

impl<'a> Answers<'a> {
    pub(crate) fn of(input: &'a [u8]) -> Self {
        let mut rounds: Vec<_> = parts(input).skip(1).collect();
        rounds.reverse();
        Self { rounds, round: None }
    }

    fn said(&self, kind: &str, i: usize) -> &Value {
        self.round.as_ref().map_or(&Value::Null, |round| &round.said[kind][i])
    }
}

impl Server for Answers<'_> {
    fn begin_round(&mut self) {
        self.round = self.rounds.pop().map(|said| Round {
            said: serde_json::from_slice(said).unwrap_or_default(),
            manifest: self.rounds.pop().unwrap_or_default(),
            marker: self.rounds.pop().unwrap_or_default(),
        });
    }

    fn documents(&mut self, lock: bool) -> (Response, Option<Response>) {
        let Some(Round { said, manifest, marker }) = &self.round else {
            return (Response::Offline, lock.then_some(Response::Offline));
        };
        let manifest = match std::str::from_utf8(manifest) {
            Ok(text) if text.starts_with("{\"format\"") => sealed(put_right(text).as_bytes()),
            _ => manifest.to_vec(),
        };
        let answer = |said: &Value, bytes: Vec<u8>| {
            let time = said["serverTime"].as_i64().map(Timestamp::from_ms);
            failure(said).unwrap_or_else(|| Response::file(bytes, time))
        };
        (answer(&said["manifest"], manifest), lock.then(|| answer(&said["lock"], marker.to_vec())))
    }

    fn payload(&mut self, i: usize, path: &str) -> Response {
        object(self.said("payloads", i), path)
    }

    fn schema(&mut self, i: usize, path: &str) -> Response {
        object(self.said("schemas", i), path)
    }
}

/// A payload or a schema: what is said of it, else the file that is asked for.
fn object(said: &Value, path: &str) -> Response {
    if let Some(failed) = failure(said) {
        return failed;
    }
    let body = match said["sha256"].as_str().or(said.as_str()) {
        Some(said) => FILES.iter().find(|(mentioned, _)| mentioned == said).map_or(said, |(_, file)| file),
        None => {
            let asked = FILES.iter().find(|(_, file)| path.contains(&Sha256::of(file.as_bytes()).to_string()));
            asked.map_or(FILES[0].1.as_str(), |(_, file)| file)
        }
    };
    Response::file(body.as_bytes().to_vec(), None)
}

/// The failure that an answer is, if it is one.
fn failure(said: &Value) -> Option<Response> {
    let status = said["status"].as_u64().map(|status| if (201..600).contains(&status) { status as u16 } else { 404 });
    let retry_after = said["retryAfterMs"].as_u64().map(|ms| ms / 1000);
    match (said["code"].as_str(), status) {
        (_, Some(status)) => Some(Response::status(status, retry_after)),
        (Some("truncated"), None) => Some(Response::Broken { body: Bytes(b"[1".to_vec()) }),
        (Some(_), None) => Some(Response::Offline),
        (None, None) => None,
    }
}
