//! What was last handed out together, so that a later read of some of it does not part the rest.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CacheHead;
use crate::digest::Sha256;
use crate::json::{self, Json};
use crate::name::DatasetName;

/// The most sets that are kept of a feed.
const MAX_SETS: usize = 8;
/// The most heads in all sets but the latest: sets lie in a store that is small.
const MAX_HEADS: usize = 256;

/// Heads of one generation, each of another dataset.
pub type CacheSet = Vec<(DatasetName, CacheHead)>;

/// For each set of datasets that are read together, what they were when they were last handed out: the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheSets(Vec<CacheSet>);

impl CacheSets {
    /// The set of just these datasets, in whatever order.
    #[must_use]
    pub fn get(&self, datasets: &[DatasetName]) -> Option<&CacheSet> {
        let is_of = |set: &&CacheSet| {
            set.len() == datasets.len() && datasets.iter().all(|dataset| head(set, dataset).is_some())
        };
        self.0.iter().find(is_of)
    }

    /// Takes a set in the place of the one before of the same datasets.
    pub fn put(&mut self, set: CacheSet) {
        self.0.retain(|before| {
            before.len() != set.len() || !set.iter().all(|(dataset, _)| head(before, dataset).is_some())
        });
        self.0.insert(0, set);
        self.0.truncate(MAX_SETS);
        while self.0.len() > 1 && self.0.iter().map(Vec::len).sum::<usize>() > MAX_HEADS {
            self.0.pop();
        }
    }

    /// What a set says of a payload.
    #[must_use]
    pub fn head(&self, dataset: &str, sha256: &Sha256) -> Option<&CacheHead> {
        let is_it = |(name, head): &&(DatasetName, CacheHead)| name.as_str() == dataset && head.sha256 == *sha256;
        self.0.iter().flatten().find(is_it).map(|(_, head)| head)
    }

    /// All heads.
    pub fn heads(&self) -> impl Iterator<Item = &(DatasetName, CacheHead)> {
        self.0.iter().flatten()
    }

    /// The sets that name a payload.
    pub fn naming(&self, dataset: &str, sha256: &Sha256) -> impl Iterator<Item = &CacheSet> {
        let is_it = move |(name, head): &(DatasetName, CacheHead)| name.as_str() == dataset && head.sha256 == *sha256;
        self.0.iter().filter(move |set| set.iter().any(is_it))
    }

    /// Drops the sets that have a head of which this is true: without one of them, the others are none. Says whether there were any.
    pub fn drop_where(&mut self, is: impl Fn(&DatasetName, &CacheHead) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|set| !set.iter().any(|(dataset, head)| is(dataset, head)));
        self.0.len() < before
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value as text for a key-value store.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut sets = json::Writer::new();
        for (number, set) in self.0.iter().enumerate() {
            let mut heads = json::Writer::new();
            for (dataset, head) in set {
                heads.json(dataset.as_str(), &head.encode());
            }
            sets.json(&number.to_string(), &heads.finish());
        }
        sets.finish()
    }

    /// Reads the text; `None` when it is anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let member = |(name, head): (&str, Json<'_>)| Some((name.parse().ok()?, CacheHead::decode(head.as_str())?));
        let set = |(_, set): (&str, Json<'_>)| set.object()?.members().map(member).collect();
        Json::parse(text).ok()?.object()?.members().map(set).collect::<Option<_>>().map(Self)
    }
}

fn head<'a>(set: &'a CacheSet, dataset: &DatasetName) -> Option<&'a CacheHead> {
    set.iter().find(|(name, _)| name == dataset).map(|(_, head)| head)
}
