//! What a reader keeps between visits.
//!
//! For each feed a [`FeedMemory`], for each dataset a [`CacheHead`] and, apart from it, the payload text, so that a
//! confirmation or a use rewrites a few hundred bytes and not the payload. The three are not written in one step and may
//! be altered by anything else on the origin: nothing in them is believed before the payload's digest has been compared.
//!
//! Beside them, [`CacheSets`] name what was last handed out together. A payload of a set that is no longer the latest of its dataset is
//! kept under its digest for as long as a set names it.

mod sets;

use alloc::format;
use alloc::string::{String, ToString};

pub use self::sets::{CacheSet, CacheSets};
use crate::digest::Sha256;
use crate::id::{CommitId, FeedId};
use crate::json::{self, Json};
use crate::manifest::{Entry, Generation, Manifest, Meta, SchemaRef};
use crate::name::{DatasetName, Ext};
use crate::time::Timestamp;

/// The beginning of every key; its number is the version of the entries' form.
pub const KEY_PREFIX: &str = "lastgood:1:";

/// What is put behind the key of a feed.
const SETS: &str = ":+sets";

/// The keys of one feed in a key-value store.
///
/// Dataset names have no colon and no slash and feed addresses end in a slash, so no two keys collide.
#[derive(Debug, Clone)]
pub struct Keys {
    feed: String,
}

impl Keys {
    /// The keys of the feed at `url`, which ends in a slash.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { feed: format!("{KEY_PREFIX}{url}") }
    }

    /// Where the [`FeedMemory`] is kept.
    #[must_use]
    pub fn memory(&self) -> &str {
        &self.feed
    }

    /// The beginning of the keys of all [`CacheHead`]s, and of their payloads.
    #[must_use]
    pub fn heads(&self) -> String {
        format!("{}:", self.feed)
    }

    /// Where the [`CacheHead`] of a dataset is kept.
    #[must_use]
    pub fn head(&self, dataset: &DatasetName) -> String {
        format!("{}:{dataset}", self.feed)
    }

    /// Where the [`CacheSets`] are kept. No dataset has such a name.
    #[must_use]
    pub fn sets(&self) -> String {
        format!("{}{SETS}", self.feed)
    }

    /// Where the payload of a dataset is kept.
    #[must_use]
    pub fn payload(&self, dataset: &DatasetName) -> String {
        payload_of(&self.head(dataset))
    }
}

/// The key of the payload that belongs to a head's key.
#[must_use]
pub fn payload_of(head_key: &str) -> String {
    format!("{head_key}:payload")
}

/// The key of the head that belongs to a payload's key; `None` for any other key.
#[must_use]
pub fn head_of(payload_key: &str) -> Option<&str> {
    let head = payload_key.strip_suffix(":payload")?;
    // The head of a dataset that is itself called "payload" ends in the same way, but has no dataset before it.
    is_head(head).then_some(head)
}

/// Where a payload of the same dataset that is no longer its latest is kept.
#[must_use]
pub fn earlier_of(head_key: &str, sha256: &Sha256) -> String {
    format!("{head_key}:{sha256}")
}

/// The key of the head and the digest that belong to the key of an [earlier](earlier_of) payload; `None` for any other key.
#[must_use]
pub fn earlier(key: &str) -> Option<(&str, Sha256)> {
    let colon = key.bytes().rposition(|byte| byte == b':')?;
    let sha256 = key.get(colon + 1..)?.parse().ok()?;
    let head = key.get(..colon)?;
    is_head(head).then_some((head, sha256))
}

/// The key of the [`CacheSets`] of the feed that a head's key is of.
#[must_use]
pub fn sets_of(head_key: &str) -> String {
    let colon = head_key.bytes().rposition(|byte| byte == b':').unwrap_or_default();
    format!("{}{SETS}", head_key.get(..colon).unwrap_or_default())
}

fn is_head(key: &str) -> bool {
    let feed = key.bytes().rposition(|byte| byte == b':').and_then(|colon| key.get(..colon)?.strip_prefix(KEY_PREFIX));
    feed.is_some_and(|feed| feed.ends_with('/')) && DatasetName::parse(dataset_of(key)).is_ok()
}

/// The name of the dataset that a head's key is for.
#[must_use]
pub fn dataset_of(head_key: &str) -> &str {
    let name = head_key.bytes().rposition(|byte| byte == b':').map_or(0, |colon| colon + 1);
    head_key.get(name..).unwrap_or_default()
}

/// What is remembered of a feed: the latest manifest that was seen and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedMemory {
    /// The feed.
    pub feed: FeedId,
    /// The highest generation seen.
    pub generation: Generation,
    /// The commit of that generation.
    pub commit: CommitId,
    /// The server's clock minus this device's, in milliseconds, when it was seen.
    pub clock_offset_ms: i64,
}

/// What is known of a cached payload.
///
/// The payload is known to have been current in every generation from [`changed`](Self::changed) to
/// [`confirmed`](Self::confirmed). Two cached payloads of a feed therefore belong together when these ranges overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheHead {
    /// The feed that it was read from.
    pub feed: FeedId,
    /// The digest of the payload.
    pub sha256: Sha256,
    /// The size of the payload, in bytes.
    pub size: u64,
    /// The generation in which the payload became current.
    pub changed: Generation,
    /// The latest generation that is known to name it.
    pub confirmed: Generation,
    /// When it was last published, by the publisher's clock.
    pub published_at: Timestamp,
    /// When a manifest last confirmed it, by this device's clock.
    pub checked_at: Timestamp,
    /// When it was last handed out, by this device's clock; the least recently used goes first when space is short.
    pub used_at: Timestamp,
    /// The publisher's meta.
    pub meta: Option<Meta>,
    /// The extension of its object; other than `json` for an artifact.
    pub ext: Ext,
    /// The schema that it was published with.
    pub schema: Option<SchemaRef>,
    /// Whether it was validated against that schema here, and satisfies it.
    pub validated: bool,
}

impl FeedMemory {
    /// The value as text for a key-value store.
    #[must_use]
    pub fn encode(&self) -> String {
        json::Writer::new()
            .plain("feed", &self.feed)
            .number("generation", self.generation.get())
            .plain("commit", &self.commit)
            .json("clock_offset_ms", &self.clock_offset_ms.to_string())
            .finish()
    }

    /// Reads the text; `None` when it is anything else, which is a cache miss.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let memory = Json::parse(text).ok()?.object()?;
        Some(Self {
            feed: memory.parsed("feed")?,
            generation: Generation::decode(&memory, "generation")?,
            commit: memory.parsed("commit")?,
            clock_offset_ms: memory.member("clock_offset_ms")?.signed()?,
        })
    }
}

impl CacheHead {
    /// What a manifest that was checked at `now` says of the payload of one of its entries; `satisfies` is the schema that
    /// the payload is known to satisfy, which may be another one than that of the entry.
    #[must_use]
    pub fn of(manifest: &Manifest, entry: &Entry, satisfies: Option<Sha256>, now: Timestamp) -> Self {
        Self {
            feed: manifest.feed,
            sha256: entry.sha256,
            size: entry.size,
            changed: entry.generation,
            confirmed: manifest.generation,
            published_at: entry.published_at,
            checked_at: now,
            used_at: now,
            meta: entry.meta.clone(),
            ext: entry.ext.clone(),
            schema: entry.schema.clone(),
            validated: entry.schema.as_ref().is_some_and(|schema| Some(schema.sha256) == satisfies),
        }
    }

    /// The schema that the payload is known to satisfy.
    #[must_use]
    pub fn satisfies(&self) -> Option<Sha256> {
        self.schema.as_ref().filter(|_| self.validated).map(|schema| schema.sha256)
    }

    /// The value as text for a key-value store.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut head = json::Writer::new();
        head.plain("feed", &self.feed)
            .plain("sha256", &self.sha256)
            .number("size", self.size)
            .number("changed", self.changed.get())
            .number("confirmed", self.confirmed.get())
            .plain("published_at", &self.published_at)
            .plain("checked_at", &self.checked_at)
            .plain("used_at", &self.used_at);
        if let Some(meta) = &self.meta {
            head.json("meta", meta.as_str());
        }
        if !self.ext.is_json() {
            head.text("ext", self.ext.as_str());
        }
        if let Some(schema) = &self.schema {
            head.json("schema", &schema.encode());
        }
        if self.validated {
            head.json("validated", "true");
        }
        head.finish()
    }

    /// Reads the text; `None` when it is anything else, which is a cache miss.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let head = Json::parse(text).ok()?.object()?;
        Some(Self {
            feed: head.parsed("feed")?,
            sha256: head.parsed("sha256")?,
            size: head.number("size")?,
            changed: Generation::decode(&head, "changed")?,
            confirmed: Generation::decode(&head, "confirmed")?,
            published_at: head.parsed("published_at")?,
            checked_at: head.parsed("checked_at")?,
            used_at: head.parsed("used_at")?,
            meta: head.nullable("meta", Meta::decode)?,
            // Absent in what earlier versions have written.
            ext: head.nullable("ext", Json::parsed)?.unwrap_or_else(Ext::json),
            schema: head.nullable("schema", SchemaRef::decode)?,
            validated: head.optional("validated")?.is_some_and(|value| value.as_str() == "true"),
        })
    }
}
