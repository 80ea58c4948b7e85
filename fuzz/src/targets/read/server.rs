//! What the server and the host's cache answer.

use crate::drive::{Answer, Body, NOW};
use crate::input::Decisions;
use crate::visit::{Bytes, Response};
use lastgood::protocol::cache::{CacheHead, FeedMemory};
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::id::{CommitId, FeedId};
use lastgood::protocol::manifest::{Entry, Generation, Manifest, Meta, SchemaRef};
use lastgood::protocol::marker::{Holder, LockMarker};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::read::{Document, Kind, LockPolicy, Objection, Plan, Shape, Wanted};
use lastgood::protocol::time::Timestamp;

const NAMES: [&str; 3] = ["a", "b", "c"];
/// The last is no JSON.
pub(super) const PAYLOADS: [&str; 4] = ["0", "[1]", "2", "{"];
/// The last refers to what is not there.
pub(super) const SCHEMAS: [&str; 4] = ["true", "{}", r#"{"type":"array"}"#, r##"{"$ref":"#/none"}"##];

/// What is known of a copy, and the payload that it was made of.
type Kept = (CacheHead, Vec<u8>);

/// Takes its decisions from the input. There are few of everything, so that things fit together by chance.
pub(super) struct Server<'a>(Decisions<'a>);

impl<'a> Server<'a> {
    pub(super) fn new(decisions: Decisions<'a>) -> Self {
        Self(decisions)
    }

    /// What is to be read, and what is kept: for each dataset a head and the payload that it was made of.
    pub(super) fn plan(&mut self) -> (Plan, Option<FeedMemory>, Vec<Option<Kept>>) {
        let datasets: Vec<Wanted> = (0..=self.0.below(3)).map(|i| self.wanted(i)).collect();
        let heads = datasets.iter().map(|_| self.head()).collect();
        let lock = [LockPolicy::Cache, LockPolicy::Wait, LockPolicy::Ignore][usize::from(self.0.below(3))];
        let plan = Plan {
            datasets,
            lock,
            lock_wait_ms: u64::from(self.0.byte()) * 64,
            max_bytes: if self.0.yes() { self.0.number() } else { 1 << 26 },
            max_age_ms: self.0.yes().then(|| self.0.number()),
            again: self.0.yes(),
        };
        (plan, self.memory(), heads)
    }

    fn wanted(&mut self, i: u8) -> Wanted {
        let dataset = DatasetName::parse(NAMES[usize::from(i)]).expect("this is a name");
        if self.0.below(8) == 7 {
            return Wanted::artifact(dataset);
        }
        let shape = self.0.byte();
        let versions = self.0.yes().then(|| u32::from(self.0.below(3))..=u32::from(self.0.below(3)));
        let kind = Kind::Json(Shape { validate: shape & 1 == 1, versions, own: shape & 2 == 2 });
        Wanted { dataset, kind }
    }

    fn memory(&mut self) -> Option<FeedMemory> {
        if !self.0.yes() {
            return None;
        }
        let (feed, commit) = (self.feed(), self.commit());
        let clock_offset_ms = if self.0.yes() { self.0.number().cast_signed() } else { 0 };
        Some(FeedMemory { feed, generation: self.generation(), commit, clock_offset_ms })
    }

    fn head(&mut self) -> Option<Kept> {
        if !self.0.yes() {
            return None;
        }
        let payload = self.bytes();
        let head = CacheHead {
            feed: self.feed(),
            sha256: Sha256::of(&payload),
            size: payload.len() as u64,
            changed: self.generation(),
            confirmed: self.generation(),
            published_at: self.time(),
            checked_at: self.time(),
            used_at: self.time(),
            meta: None,
            ext: self.ext(),
            schema: self.schema_reference(),
            validated: self.0.yes(),
        };
        Some((head, payload))
    }

    /// The payload that is kept beside a head: mostly its own.
    pub(super) fn copy(&mut self, own: &[u8]) -> Option<Vec<u8>> {
        match self.0.below(8) {
            6 => Some(self.bytes()),
            7 => None,
            _ => Some(own.to_vec()),
        }
    }

    pub(super) fn manifest(&mut self) -> Vec<u8> {
        let mut manifest = Manifest::new(self.feed(), self.generation(), self.commit(), self.time());
        manifest.expires_at = self.0.yes().then(|| self.time());
        for name in NAMES {
            if self.0.below(8) == 7 {
                continue;
            }
            let payload = self.bytes();
            let wrong = u64::from(self.0.below(16) == 15);
            let generation = self.generation().min(manifest.generation);
            let entry = Entry {
                sha256: Sha256::of(&payload),
                size: payload.len() as u64 + wrong,
                generation,
                previous: generation.previous(),
                published_at: self.time(),
                ext: self.ext(),
                schema: self.schema_reference(),
                meta: self.0.yes().then(|| Meta::parse(r#"{"run":"8841"}"#).expect("this is meta")),
                forced: None,
                plain_copy: true,
                expires_at: self.0.yes().then(|| self.time()),
            };
            manifest.datasets.insert(DatasetName::parse(name).expect("this is a name"), entry);
        }
        if self.0.below(4) == 3 {
            let (name, payload) = (NAMES[0], self.bytes());
            manifest.withdrawn.insert(DatasetName::parse(name).expect("this is a name"), manifest.published_at);
            manifest.purged.insert(Sha256::of(&payload), manifest.published_at);
        }
        let mut bytes = manifest.encode();
        match self.0.below(16) {
            14 => bytes.truncate(usize::from(self.0.byte())),
            15 => bytes = b"<!doctype html>".to_vec(),
            _ => {}
        }
        bytes
    }

    pub(super) fn lock(&mut self) -> Vec<u8> {
        let datasets =
            NAMES.iter().filter(|_| self.0.yes()).map(|name| DatasetName::parse(name).expect("this is a name"));
        let datasets = datasets.collect();
        let holder = Holder { host: "host".to_owned(), pid: 1, token: "token".to_owned() };
        let (acquired_at, expires_at) = (self.time(), self.time());
        LockMarker { format: 1 + u32::from(self.0.below(8) == 7), holder, datasets, acquired_at, expires_at }.encode()
    }

    /// The answer for a document whose bytes have come.
    pub(super) fn document(&mut self, bytes: Vec<u8>) -> Answer<Document> {
        match self.failure() {
            Some(failure) => Err(failure),
            None => Ok(Document { bytes, server_time: self.server_time() }),
        }
    }

    pub(super) fn server_time(&mut self) -> Option<Timestamp> {
        self.0.yes().then(|| self.time())
    }

    /// Any failure, also one that no network has.
    pub(super) fn failure(&mut self) -> Option<Failure> {
        if self.0.below(4) < 3 {
            return None;
        }
        let code = Code::ALL[usize::from(self.0.below(21))];
        let mut failure = Failure::new(code, "as it is").at("manifest.json");
        if self.0.yes() {
            failure.status = Some(404);
            failure.retry_after_ms = Some(self.0.number());
        }
        Some(failure)
    }

    /// What a network can answer in place of a file.
    pub(super) fn fault(&mut self, bytes: &[u8]) -> Option<Response> {
        if self.0.below(4) < 3 {
            return None;
        }
        Some(match self.0.below(8) {
            0 => Response::Offline,
            1 => Response::Broken { body: Bytes(bytes[..bytes.len() / 2].to_vec()) },
            2 => Response::file(b" <!doctype html>".to_vec(), None),
            3 => Response::file([bytes, b" "].concat(), None),
            4 => Response::status(410, None),
            5 => Response::status(304, None),
            6 => Response::status(503, Some(self.0.number())),
            _ => Response::status(404, None),
        })
    }

    /// A payload, and whether it is JSON.
    pub(super) fn payload(&mut self) -> Body {
        let (bytes, is_json) = (self.bytes(), self.0.below(8) < 7);
        Body { bytes, problem: (!is_json).then(|| "it is not JSON".to_owned()) }
    }

    pub(super) fn verdict(&mut self) -> Result<(), Objection> {
        match self.0.below(4) {
            0 => Err(Objection::Invalid("at the root".to_owned())),
            1 => Err(Objection::Unsupported("$dynamicRef".to_owned())),
            _ => Ok(()),
        }
    }

    /// What the reader's own shape says.
    pub(super) fn shape(&mut self) -> Result<(), Objection> {
        if self.0.below(4) > 0 {
            return Ok(());
        }
        Err(Objection::Refused(Failure::new(Code::MigrationFailed, "no step")))
    }

    /// The file of some that is asked for, mostly.
    pub(super) fn object(&mut self, files: &[&'static str; 4], path: &str) -> Response {
        let asked = files.iter().find(|file| path.contains(&Sha256::of(file.as_bytes()).to_string()));
        let any = files[usize::from(self.0.below(4))];
        let file = asked.filter(|_| self.0.below(8) < 7).map_or(any, |asked| asked).as_bytes();
        self.fault(file).unwrap_or_else(|| Response::file(file.to_vec(), None))
    }

    fn bytes(&mut self) -> Vec<u8> {
        PAYLOADS[usize::from(self.0.below(4))].as_bytes().to_vec()
    }

    pub(super) fn schema_bytes(&mut self) -> &'static [u8] {
        SCHEMAS[usize::from(self.0.below(4))].as_bytes()
    }

    fn schema_reference(&mut self) -> Option<SchemaRef> {
        self.0.yes().then(|| {
            let schema = self.schema_bytes();
            SchemaRef { version: self.0.below(4).into(), sha256: Sha256::of(schema), size: schema.len() as u64 }
        })
    }

    fn ext(&mut self) -> Ext {
        if self.0.below(8) == 7 { Ext::parse("png").expect("this is an extension") } else { Ext::json() }
    }

    fn feed(&mut self) -> FeedId {
        FeedId::from_random([u8::from(self.0.below(8) == 7); 16])
    }

    fn commit(&mut self) -> CommitId {
        CommitId::from_random([self.0.below(2); 16])
    }

    fn generation(&mut self) -> Generation {
        let number = if self.0.below(16) == 15 { self.0.number() } else { u64::from(self.0.below(4)) + 1 };
        Generation::new(number).unwrap_or(Generation::FIRST)
    }

    /// Around now, or any other.
    fn time(&mut self) -> Timestamp {
        let (minutes, far) = (i64::from(self.0.byte()) - 128, self.0.below(16) == 15);
        let base = Timestamp::from_ms(NOW).plus_ms(minutes * 60_000);
        if far { base.plus_ms(self.0.number().cast_signed()) } else { base }
    }
}
