//! A read from a server that answers whatever it likes: the input decides. The host is honest, as the package's is: a digest is
//! that of the bytes that came.

mod server;

use std::collections::HashSet;

use lastgood::protocol::cache::{CacheHead, FeedMemory};
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::manifest::Manifest;
use serde_json::{Value, json};

use self::server::Server;
use crate::agree::Read;
use crate::input::Decisions;

/// Steps that a read may take: the waits that fit into the longest wait, and a few.
const MAX_STEPS: usize = 64;

pub(crate) const NOW: i64 = 1_800_000_000_000;

pub(crate) fn run(input: &[u8]) {
    let _ = played(input);
}

pub(crate) fn played(input: &[u8]) -> Read {
    let mut server = Server::new(Decisions(input));
    let plan = server.plan();
    let mut host = Host { plan: plan.clone(), ..Host::default() };
    let mut read = Read::begin(plan.to_string());
    for _ in 0..MAX_STEPS {
        let step: Value =
            serde_json::from_str(read.step().expect("each answer is that of its step")).expect("steps are JSON");
        if step["step"] == "done" {
            host.check(&step);
            return read;
        }
        let (answers, manifest, lock) = host.carry_out(&step, &mut server);
        read.answer(answers.to_string(), manifest, lock, NOW as f64);
    }
    panic!("the read does not end: {:?}", read.step());
}

/// What the host has seen.
#[derive(Default)]
struct Host {
    plan: Value,
    /// The payloads by their handles: what they are, and whether they are JSON.
    payloads: Vec<(Vec<u8>, bool)>,
    manifests: Vec<Manifest>,
    /// Handles and schemas that were found to go together.
    valid: HashSet<(u64, String)>,
}

impl Host {
    fn carry_out(&mut self, step: &Value, server: &mut Server<'_>) -> (Value, Vec<u8>, Vec<u8>) {
        let count = |name: &str| step[name].as_array().map_or(0, Vec::len);
        let (mut manifest, mut lock) = (Vec::new(), Vec::new());
        let answers = match step["step"].as_str() {
            Some("fetch-manifest") => {
                manifest = server.manifest();
                self.manifests.extend(Manifest::verify(&manifest).ok());
                lock = server.lock();
                json!({
                    "manifest": server.document(),
                    "lock": if step["lock"].is_null() { Value::Null } else { server.document() },
                    "payloads": self.payloads(count("payloads"), server),
                })
            }
            Some("load-cache") => json!({ "payloads": self.payloads(count("datasets"), server) }),
            Some("fetch-objects") => json!({
                "payloads": self.payloads(count("payloads"), server),
                "schemas": (0..count("schemas")).map(|_| server.schema()).collect::<Vec<_>>(),
            }),
            Some("validate") => {
                let checks = step["checks"].as_array().cloned().unwrap_or_default();
                json!({ "verdicts": checks.iter().map(|check| self.verdict(check, server)).collect::<Vec<_>>() })
            }
            Some("wait") => json!({}),
            other => panic!("there is no step {other:?}"),
        };
        (answers, manifest, lock)
    }

    fn payloads(&mut self, count: usize, server: &mut Server<'_>) -> Vec<Value> {
        let payload = |_| {
            server.failure().unwrap_or_else(|| {
                let (bytes, is_json) = server.payload();
                let mut payload = json!({ "sha256": Sha256::of(&bytes).to_string(), "size": bytes.len() });
                if is_json {
                    payload["handle"] = self.payloads.len().into();
                } else {
                    payload["problem"] = "it is not JSON".into();
                }
                self.payloads.push((bytes, is_json));
                payload
            })
        };
        (0..count).map(payload).collect()
    }

    fn verdict(&mut self, check: &Value, server: &mut Server<'_>) -> Value {
        let verdict = server.verdict();
        if verdict == json!({}) {
            let handle = check["handle"].as_u64().expect("a check has a handle");
            self.valid.insert((handle, check["schema"].as_str().expect("a check has a schema").to_owned()));
        }
        verdict
    }

    /// What the read ends with.
    fn check(&self, done: &Value) {
        let decoded = |text: &Value| text.as_str().and_then(FeedMemory::decode);
        let (before, after) = (decoded(&self.plan["memory"]), decoded(&done["memory"]));
        if let Some(before) = &before {
            let after = after.as_ref().expect("what is remembered is not forgotten");
            // Another feed has taken the place of the one that was known: what is seen after that begins anew.
            let of_one_feed = self.manifests.iter().all(|manifest| manifest.feed == before.feed);
            assert!(!of_one_feed || after.generation >= before.generation, "the memory goes back");
        }
        // Of what the last manifest that was accepted says, and of nothing else.
        let told = |manifest: &Manifest| -> Value {
            manifest.purged.iter().map(|(sha256, _)| sha256.to_string()).collect::<Vec<_>>().into()
        };
        let purged = &done["purged"];
        assert!(purged.is_null() || self.manifests.iter().any(|manifest| told(manifest) == *purged), "{purged}");
        let Some(readings) = done["readings"].as_array() else {
            assert!(done["failure"]["code"].is_string(), "neither readings nor a failure: {done}");
            return;
        };
        let datasets = self.plan["datasets"].as_array().expect("a plan has datasets");
        assert_eq!(readings.len(), datasets.len());
        for (i, (reading, wanted)) in readings.iter().zip(datasets).enumerate() {
            assert_eq!(reading["dataset"], wanted["name"]);
            assert_eq!(reading["generation"], readings[0]["generation"], "of more than one generation");
            self.check_reading(i, reading, wanted, before.as_ref());
            let is_purged = purged.as_array().is_some_and(|purged| purged.contains(&reading["sha256"]));
            assert!(reading["source"] != "fallback" || !is_purged, "what was purged is fallen back to");
        }
    }

    fn check_reading(&self, i: usize, reading: &Value, wanted: &Value, before: Option<&FeedMemory>) {
        let handle = reading["handle"].as_u64().expect("a reading has a handle");
        let (bytes, is_json) = &self.payloads[handle as usize];
        let sha256 = Sha256::of(bytes);
        assert!(is_json, "what is no JSON is handed out");
        assert_eq!(reading["sha256"], sha256.to_string(), "other bytes are handed out than are said");
        let head = reading["head"].as_str().and_then(CacheHead::decode).expect("a reading has a head");
        let cached = self.plan["heads"][i].as_str().and_then(CacheHead::decode);
        let named = |manifest: &&Manifest| {
            manifest.datasets.iter().any(|(name, entry)| {
                wanted["name"] == name.as_str() && entry.sha256 == sha256 && entry.size == bytes.len() as u64
            })
        };
        let is_cached = cached.as_ref().is_some_and(|head| head.sha256 == sha256);
        assert!(
            is_cached || self.manifests.iter().any(|manifest| named(&manifest)),
            "what nobody has named is handed out"
        );
        if reading["reason"].is_null() {
            let manifest = self.manifests.last().filter(named).expect("it is fresh, and no manifest names it");
            assert_eq!(reading["generation"], manifest.generation.get());
            let of_one_feed = self.manifests.iter().all(|other| other.feed == manifest.feed);
            if let Some(before) = before.filter(|before| of_one_feed && before.feed == manifest.feed) {
                assert!(manifest.generation >= before.generation, "what is older is taken for fresh");
            }
        }
        // A head that says so was made by a reader that had validated.
        if let (Some(schema), true) = (&head.schema, wanted["validate"] == true) {
            let before = cached.and_then(|head| head.satisfies()) == Some(schema.sha256);
            let now = self.valid.contains(&(handle, schema.sha256.to_string()));
            assert!(head.validated && (before || now), "handed out without having been validated");
        }
    }
}
