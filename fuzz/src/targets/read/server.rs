//! What the server and the host's cache answer.

use lastgood::protocol::cache::{CacheHead, FeedMemory};
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::Code;
use lastgood::protocol::id::{CommitId, FeedId};
use lastgood::protocol::manifest::{Entry, Generation, Manifest, Meta, SchemaRef};
use lastgood::protocol::marker::{Holder, LockMarker};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::time::Timestamp;
use serde_json::{Value, json};

use super::NOW;
use crate::input::Decisions;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Takes its decisions from the input. There are few of everything, so that things fit together by chance.
pub(super) struct Server<'a>(Decisions<'a>);

impl<'a> Server<'a> {
    pub(super) fn new(decisions: Decisions<'a>) -> Self {
        Self(decisions)
    }

    pub(super) fn plan(&mut self) -> Value {
        let datasets: Vec<Value> = (0..=self.0.below(3)).map(|i| self.wanted(i)).collect();
        let heads: Vec<Value> = datasets.iter().map(|_| self.head()).collect();
        let lock = ["cache", "wait", "ignore"][usize::from(self.0.below(3))];
        json!({
            "lock": lock,
            "lockWaitMs": u32::from(self.0.byte()) * 64,
            "maxBytes": if self.0.yes() { self.0.number() } else { 1 << 26 },
            "maxAge": self.0.yes().then(|| self.0.number()),
            "again": self.0.yes(),
            "memory": self.memory(),
            "datasets": datasets,
            "heads": heads,
        })
    }

    fn wanted(&mut self, i: u8) -> Value {
        let name = NAMES[usize::from(i)];
        if self.0.below(8) == 7 {
            return json!({ "name": name, "kind": "artifact" });
        }
        let mut wanted = json!({ "name": name, "kind": "json", "validate": self.0.yes() });
        if self.0.yes() {
            wanted["oldest"] = self.0.below(3).into();
            wanted["newest"] = self.0.below(3).into();
        }
        wanted
    }

    fn memory(&mut self) -> Value {
        if !self.0.yes() {
            return Value::Null;
        }
        let (feed, commit) = (self.feed(), self.commit());
        let clock_offset_ms = if self.0.yes() { self.0.number().cast_signed() } else { 0 };
        FeedMemory { feed, generation: self.generation(), commit, clock_offset_ms }.encode().into()
    }

    fn head(&mut self) -> Value {
        if !self.0.yes() {
            return Value::Null;
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
        head.encode().into()
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
            let entry = Entry {
                sha256: Sha256::of(&payload),
                size: payload.len() as u64 + wrong,
                generation: self.generation().min(manifest.generation),
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

    /// The answer for a document, whose bytes come apart.
    pub(super) fn document(&mut self) -> Value {
        self.failure().unwrap_or_else(|| json!({ "serverTime": self.0.yes().then(|| self.time().ms()) }))
    }

    pub(super) fn failure(&mut self) -> Option<Value> {
        if self.0.below(4) < 3 {
            return None;
        }
        let code = Code::ALL[usize::from(self.0.below(21))].as_str();
        let mut failure = json!({ "code": code, "detail": "as it is", "path": "manifest.json" });
        if self.0.yes() {
            failure["status"] = 404.into();
            failure["retryAfterMs"] = self.0.number().into();
        }
        Some(failure)
    }

    /// A payload, and whether it is JSON.
    pub(super) fn payload(&mut self) -> (Vec<u8>, bool) {
        (self.bytes(), self.0.below(8) < 7)
    }

    pub(super) fn schema(&mut self) -> Value {
        self.failure().unwrap_or_else(|| {
            let schema = self.schema_bytes();
            json!({ "sha256": Sha256::of(schema).to_string(), "size": schema.len() })
        })
    }

    pub(super) fn verdict(&mut self) -> Value {
        match self.0.below(4) {
            0 => json!({ "invalid": "at the root" }),
            1 => json!({ "unsupported": "$dynamicRef" }),
            _ => json!({}),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.0.below(3).to_string().into_bytes()
    }

    fn schema_bytes(&mut self) -> &'static [u8] {
        if self.0.yes() { b"{}" } else { b"true" }
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
