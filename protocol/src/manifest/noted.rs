//! What a manifest says of what it no longer has.

use alloc::string::{String, ToString};
use alloc::vec::{self, Vec};
use core::fmt::Display;
use core::str::FromStr;

use crate::json::{self, Json};
use crate::time::Timestamp;

/// Names or digests, each with the time of the commit that noted it, in the order in which they were noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted<K>(Vec<(K, Timestamp)>);

impl<K> Noted<K> {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, the earliest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &(K, Timestamp)> {
        self.0.iter()
    }

    /// Forgets those that are not `wanted`.
    pub fn retain(&mut self, mut wanted: impl FnMut(&K) -> bool) {
        self.0.retain(|(key, _)| wanted(key));
    }

    /// Forgets the earliest, until there are no more than `most`.
    pub fn truncate(&mut self, most: usize) {
        self.0.drain(..self.0.len().saturating_sub(most));
    }
}

impl<K: PartialEq> Noted<K> {
    /// When it was noted, if it was.
    pub fn get(&self, key: &K) -> Option<Timestamp> {
        self.0.iter().find(|(noted, _)| noted == key).map(|(_, at)| *at)
    }

    /// Notes it, also when it was noted before.
    pub fn insert(&mut self, key: K, at: Timestamp) {
        self.remove(&key);
        self.0.push((key, at));
    }

    /// Forgets it. Returns when it had been noted, if it was.
    pub fn remove(&mut self, key: &K) -> Option<Timestamp> {
        let place = self.0.iter().position(|(noted, _)| noted == key)?;
        Some(self.0.remove(place).1)
    }
}

impl<K> Default for Noted<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: FromStr> Noted<K> {
    pub(super) fn decode(noted: Json<'_>) -> Option<Self> {
        let each = |(key, at): (&str, Json<'_>)| Some((key.parse().ok()?, at.parsed()?));
        noted.object()?.members().map(each).collect::<Option<_>>().map(Self)
    }
}

impl<K: Display> Noted<K> {
    pub(super) fn encode(&self) -> String {
        let mut writer = json::Writer::new();
        for (key, at) in &self.0 {
            writer.plain(&key.to_string(), at);
        }
        writer.finish()
    }
}

impl<K> FromIterator<(K, Timestamp)> for Noted<K> {
    fn from_iter<I: IntoIterator<Item = (K, Timestamp)>>(noted: I) -> Self {
        Self(noted.into_iter().collect())
    }
}

impl<K> IntoIterator for Noted<K> {
    type Item = (K, Timestamp);
    type IntoIter = vec::IntoIter<(K, Timestamp)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
