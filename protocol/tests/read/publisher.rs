//! A publisher that remembers all that it ever published: the truth to hold readings against.

use std::collections::BTreeMap;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Datasets, Entry, Generation, Manifest, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;

use crate::common::name;

#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    feed: FeedId,
    history: Vec<Manifest>,
    payloads: BTreeMap<Sha256, Vec<u8>>,
    schemas: BTreeMap<Sha256, Vec<u8>>,
}

impl Publisher {
    /// An empty feed, whose ids are made of `seed`.
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            feed: FeedId::from_random([seed; 16]),
            history: Vec::new(),
            payloads: BTreeMap::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// Commits `changes` on top of what is there, one minute after the commit before.
    pub(crate) fn publish(&mut self, changes: &[(&str, &str)]) -> &mut Self {
        let number = self.history.len() as u64 + 1;
        let generation = Generation::new(number).expect("tests publish a few times");
        let published_at = published_at(number);
        let commit = CommitId::from_random(
            Sha256::of(format!("{} {number}", self.feed).as_bytes()).to_string().as_bytes()[..16]
                .try_into()
                .expect("16 bytes"),
        );
        let mut manifest = Manifest::new(self.feed, generation, commit, published_at);
        manifest.datasets = self.history.last().map_or_else(Datasets::new, |last| last.datasets.clone());
        if let Some(last) = self.history.last() {
            manifest.withdrawn.clone_from(&last.withdrawn);
            manifest.purged.clone_from(&last.purged);
        }
        for (dataset, text) in changes {
            let sha256 = Sha256::of(text.as_bytes());
            let (size, ext) = (text.len() as u64, Ext::json());
            let changed = match manifest.datasets.get(&name(dataset)) {
                Some(entry) if entry.sha256 == sha256 => entry.generation,
                _ => generation,
            };
            let entry = Entry {
                sha256,
                size,
                generation: changed,
                previous: changed.previous(),
                published_at,
                ext,
                schema: None,
                meta: None,
                forced: None,
                plain_copy: true,
                expires_at: None,
            };
            manifest.datasets.insert(name(dataset), entry);
            self.payloads.insert(sha256, text.as_bytes().to_vec());
        }
        self.history.push(manifest);
        self
    }

    /// Gives what was committed last a schema of this version.
    pub(crate) fn with_schema(&mut self, dataset: &str, version: u32, schema: &str) -> &mut Self {
        let sha256 = Sha256::of(schema.as_bytes());
        self.schemas.insert(sha256, schema.as_bytes().to_vec());
        let reference = SchemaRef { version, sha256, size: schema.len() as u64 };
        self.amend_entry(dataset, |entry| entry.schema = Some(reference))
    }

    /// Makes what was committed last an artifact.
    pub(crate) fn as_artifact(&mut self, dataset: &str, ext: &str) -> &mut Self {
        self.amend_entry(dataset, |entry| entry.ext = ext.parse().expect("an extension"))
    }

    fn amend_entry(&mut self, dataset: &str, alter: impl FnOnce(&mut Entry)) -> &mut Self {
        self.amend(|manifest| alter(manifest.datasets.get_mut(&name(dataset)).expect("it is published")))
    }

    /// Gives what was committed last an end.
    pub(crate) fn ending(&mut self, dataset: &str, end: Timestamp) -> &mut Self {
        self.amend_entry(dataset, |entry| entry.expires_at = Some(end))
    }

    /// Commits without `dataset`.
    pub(crate) fn remove(&mut self, dataset: &str) -> &mut Self {
        self.publish(&[]);
        self.history.last_mut().expect("published just now").datasets.remove_entry(&name(dataset));
        self
    }

    /// Commits without `dataset`, and says so.
    pub(crate) fn withdraw(&mut self, dataset: &str) -> &mut Self {
        self.remove(dataset);
        self.amend(|manifest| manifest.withdrawn.insert(name(dataset), manifest.published_at))
    }

    /// Says of a payload that it was purged.
    pub(crate) fn purge(&mut self, payload: &str) -> &mut Self {
        self.amend(|manifest| manifest.purged.insert(Sha256::of(payload.as_bytes()), manifest.published_at))
    }

    /// Alters the latest manifest before it is served.
    pub(crate) fn amend(&mut self, alter: impl FnOnce(&mut Manifest)) -> &mut Self {
        alter(self.history.last_mut().expect("something is published"));
        self
    }

    pub(crate) fn manifest(&self, generation: u64) -> &Manifest {
        &self.history[usize::try_from(generation).expect("small") - 1]
    }

    pub(crate) fn latest(&self) -> &Manifest {
        self.history.last().expect("something is published")
    }

    pub(crate) fn entry(&self, generation: u64, dataset: &str) -> &Entry {
        &self.manifest(generation).datasets[&name(dataset)]
    }

    /// Every payload that was ever published.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.payloads.values().map(Vec::as_slice)
    }

    /// Whether the payload was current in a generation.
    pub(crate) fn was_current(&self, generation: Generation, dataset: &DatasetName, sha256: &Sha256) -> bool {
        let manifest = self.history.get(usize::try_from(generation.get()).expect("small") - 1);
        manifest.and_then(|manifest| manifest.datasets.get(dataset)).is_some_and(|entry| entry.sha256 == *sha256)
    }

    /// Every file that readers may ask for, as it is after the latest commit; `.lock` is absent.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::from([(layout::manifest().to_string(), self.latest().encode())]);
        for (dataset, entry) in &self.latest().datasets {
            files.insert(layout::plain_copy(dataset, &entry.ext).to_string(), self.payloads[&entry.sha256].clone());
        }
        for entry in self.history.iter().flat_map(|manifest| manifest.datasets.values()) {
            files.insert(layout::object(&entry.sha256, &entry.ext).to_string(), self.payloads[&entry.sha256].clone());
        }
        for (sha256, schema) in &self.schemas {
            files.insert(layout::object(sha256, &Ext::json()).to_string(), schema.clone());
        }
        files
    }
}

/// When generation `number` is published.
pub(crate) fn published_at(number: u64) -> Timestamp {
    let start: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    start.plus_ms(i64::try_from(number).expect("small") * 60_000)
}
