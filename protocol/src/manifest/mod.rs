//! `manifest.json`: the one mutable file that says which objects are current. Replacing it is the commit.
//!
//! The checksum covers the raw bytes of the value of `signed` as they stand in the file, so there is no canonical form
//! to get wrong. A reader ignores members that it does not know.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::id::{CommitId, FeedId};
use crate::json::{self, Json, Object, quoted};
use crate::name::{DatasetName, Ext};
use crate::time::Timestamp;
use crate::{FORMAT, MAX_SAFE_INTEGER};

mod datasets;
mod noted;

pub use datasets::Datasets;
pub use noted::Noted;

/// The largest manifest that is read or written, in bytes: 8 MiB, room for some 20 000 datasets.
pub const MAX_MANIFEST_BYTES: u64 = 8 * 1024 * 1024;

/// The largest schema that is read or published, in bytes: 4 MiB.
pub const MAX_SCHEMA_BYTES: u64 = 4 * 1024 * 1024;

/// The largest `meta`, in bytes.
pub const MAX_META_BYTES: usize = 4096;

/// How many datasets a manifest says of that they were withdrawn: the latest.
pub const MAX_WITHDRAWN: usize = 128;

/// How many digests a manifest says of that they were purged.
pub const MAX_PURGED: usize = 1024;

/// How many generations in a row have manifests of different lengths: more than anybody publishes in one second who does
/// anything else, and few enough that the white space, half of it on average, costs readers next to nothing.
const LENGTHS: u64 = 256;

/// What one commit published: the content of `signed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Which feed this is.
    pub feed: FeedId,
    /// The number of the commit.
    pub generation: Generation,
    /// The generation that it replaced; `None` when there was none. Most often the number before, but for a crash, a
    /// restored copy or a new identity, after which numbers are left out (I5).
    pub previous: Option<Generation>,
    /// The identity of the commit.
    pub commit: CommitId,
    /// When it was committed.
    pub published_at: Timestamp,
    /// From when on readers must not take any of it for current, if ever; each dataset may have an earlier end of its own.
    pub expires_at: Option<Timestamp>,
    /// The datasets and their current objects.
    pub datasets: Datasets,
    /// The datasets that the feed had and has no longer, with the time of the commit that took them out. At most
    /// [`MAX_WITHDRAWN`] of them.
    pub withdrawn: Noted<DatasetName>,
    /// The digests of payloads that were taken off the server, with the time of the commit that did it: nobody is to keep
    /// them. At most [`MAX_PURGED`] of them.
    pub purged: Noted<Sha256>,
}

/// One dataset in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The digest of the payload, which is also the name of its object.
    pub sha256: Sha256,
    /// The size of the payload, in bytes.
    pub size: u64,
    /// The commit in which the payload last changed.
    pub generation: Generation,
    /// The generation that this commit replaced, which has the payload before, if there was one.
    pub previous: Option<Generation>,
    /// When it was last published, changed or not.
    pub published_at: Timestamp,
    /// The extension of the object.
    pub ext: Ext,
    /// The schema that the payload was validated against.
    pub schema: Option<SchemaRef>,
    /// The publisher's own small JSON: model version, run id.
    pub meta: Option<Meta>,
    /// The guards that the publisher overrode to publish this payload, separated by spaces.
    pub forced: Option<String>,
    /// Whether there is a plain copy of the payload, and a backup of the one before it.
    pub plain_copy: bool,
    /// From when on readers must not take it for current, if ever.
    pub expires_at: Option<Timestamp>,
}

/// What names an object: the digest of its content and its extension.
pub type ObjectId<'a> = (Sha256, &'a str);

/// The schema of a dataset: an object in the feed like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRef {
    /// The publisher's own number for the shape.
    pub version: u32,
    /// The digest of the schema.
    pub sha256: Sha256,
    /// The size of the schema, in bytes.
    pub size: u64,
}

impl Manifest {
    /// The first manifest of a new feed, or the next of an existing one, with the datasets still to be filled in.
    #[must_use]
    pub fn new(feed: FeedId, generation: Generation, commit: CommitId, published_at: Timestamp) -> Self {
        let (datasets, withdrawn, purged) = (Datasets::new(), Noted::new(), Noted::new());
        let previous = generation.previous();
        Self { feed, generation, previous, commit, published_at, expires_at: None, datasets, withdrawn, purged }
    }

    /// The manifest as the bytes of a file. Modulo 256, their number is that of the generation.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let signed = self.signed();
        let sha256 = Sha256::of(signed.as_bytes());
        // Spliced together by hand: what is hashed is what stands in the file.
        let mut file = format!("{{\"signed\":{signed},\"sha256\":\"{sha256}\",\"signatures\":[]}}").into_bytes();
        // Web servers make the ETag of a file from its size and the second of its modification. Of two generations in one
        // second, the size has to tell the later, or whoever has the earlier is told that nothing has changed.
        let padding = self.generation.get().wrapping_sub(file.len() as u64 + 1) % LENGTHS;
        file.extend((0..padding).map(|_| b' '));
        file.push(b'\n');
        file
    }

    /// Reads a manifest and verifies its checksum and format. Whether it has expired or regressed is for the caller to
    /// say, who knows the time and the past.
    ///
    /// # Errors
    /// Says what the bytes are instead.
    ///
    /// ```
    /// use lastgood_protocol::id::{CommitId, FeedId};
    /// use lastgood_protocol::manifest::{Generation, Manifest, ManifestError};
    ///
    /// let (feed, commit) = (FeedId::from_random([1; 16]), CommitId::from_random([2; 16]));
    /// let manifest = Manifest::new(feed, Generation::FIRST, commit, "2026-11-20T14:39:00Z".parse()?);
    /// let mut bytes = manifest.encode();
    /// assert_eq!(Manifest::verify(&bytes)?, manifest);
    ///
    /// bytes[60] ^= 1;
    /// assert!(matches!(Manifest::verify(&bytes), Err(ManifestError::Checksum { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { size: bytes.len() as u64 });
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(ManifestError::NotJson { found: excerpt(bytes) });
        }
        let text = core::str::from_utf8(bytes).map_err(|_| ManifestError::malformed(&"expected UTF-8"))?;
        let file = Json::parse(text).map_err(|error| ManifestError::malformed(&error))?.object();
        let envelope = file.and_then(|file| Some((file.member("signed")?, file.parsed("sha256")?)));
        let Some((signed, expected)) = envelope else {
            return Err(ManifestError::malformed(&"expected an object with \"signed\" and \"sha256\""));
        };
        let found = Sha256::of(signed.as_str().as_bytes());
        if found != expected {
            return Err(ManifestError::Checksum { expected, found });
        }
        // The format decides how the rest is to be read, so it is looked at first.
        let signed = signed.object();
        match signed.as_ref().and_then(|signed| Some((signed, signed.number("format")?))) {
            Some((signed, format)) if format == u64::from(FORMAT) => Self::decode(signed),
            Some((_, found)) if found > u64::from(FORMAT) => Err(ManifestError::Format { found }),
            _ => Err(ManifestError::malformed(&"expected an object with \"format\"")),
        }
    }

    fn decode(signed: &Object<'_>) -> Result<Self, ManifestError> {
        let Some(mut manifest) = Self::decode_all_but_datasets(signed) else {
            return Err(ManifestError::malformed(&"a member of \"signed\" is not of its form"));
        };
        let Some(datasets) = signed.member("datasets").and_then(Json::object) else {
            return Err(ManifestError::malformed(&"expected \"datasets\" to be an object"));
        };
        for (name, entry) in datasets.members() {
            let dataset = DatasetName::parse(name).map_err(|error| ManifestError::malformed(&error))?;
            let Some(entry) = Entry::decode(entry) else {
                return Err(ManifestError::malformed(&format_args!("the entry of \"{dataset}\" is not of its form")));
            };
            let sizes = [entry.size, entry.schema.as_ref().map_or(0, |schema| schema.size)];
            if entry.generation > manifest.generation || sizes.iter().any(|&size| size > MAX_SAFE_INTEGER) {
                return Err(ManifestError::Entry { dataset });
            }
            if manifest.datasets.insert(dataset, entry).is_some() {
                return Err(ManifestError::malformed(&format_args!("dataset \"{name}\" is listed twice")));
            }
        }
        Ok(manifest)
    }

    fn decode_all_but_datasets(signed: &Object<'_>) -> Option<Self> {
        let generation = Generation::decode(signed, "generation")?;
        Some(Self {
            feed: signed.parsed("feed")?,
            generation,
            previous: generation.decode_previous(signed)?,
            commit: signed.parsed("commit")?,
            published_at: signed.parsed("published_at")?,
            expires_at: signed.nullable("expires_at", Json::parsed)?,
            datasets: Datasets::new(),
            withdrawn: signed.nullable("withdrawn", Noted::decode)?.unwrap_or_default(),
            purged: signed.nullable("purged", Noted::decode)?.unwrap_or_default(),
        })
    }

    fn signed(&self) -> String {
        let mut datasets = json::Writer::new();
        for (dataset, entry) in &self.datasets {
            datasets.json(dataset.as_str(), &entry.encode());
        }
        let expires_at = self.expires_at.map_or("null".to_owned(), |end| quoted(&end.to_string()));
        let mut signed = json::Writer::new();
        signed.number("format", FORMAT.into()).plain("feed", &self.feed).number("generation", self.generation.get());
        self.generation.encode_previous(self.previous, &mut signed);
        signed
            .plain("commit", &self.commit)
            .plain("published_at", &self.published_at)
            .json("expires_at", &expires_at)
            .json("datasets", &datasets.finish());
        if !self.withdrawn.is_empty() {
            signed.json("withdrawn", &self.withdrawn.encode());
        }
        if !self.purged.is_empty() {
            signed.json("purged", &self.purged.encode());
        }
        signed.finish()
    }

    /// What names the objects that this manifest refers to: payloads and schemas, some perhaps more than once.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId<'_>> {
        self.datasets.values().flat_map(Entry::objects)
    }

    /// Whether readers must no longer take any of it for current at `now`.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// From when on readers must not take the payload of one of its entries for current, if ever: its own end, or that of the
    /// manifest where that is earlier.
    #[must_use]
    pub fn end_of(&self, entry: &Entry) -> Option<Timestamp> {
        entry.expires_at.into_iter().chain(self.expires_at).min()
    }
}

impl Entry {
    fn decode(entry: Json<'_>) -> Option<Self> {
        let entry = entry.object()?;
        let ext = match entry.optional("ext")? {
            Some(ext) => ext.parsed()?,
            None => Ext::json(),
        };
        let generation = Generation::decode(&entry, "generation")?;
        Some(Self {
            sha256: entry.parsed("sha256")?,
            size: entry.number("size")?,
            generation,
            previous: generation.decode_previous(&entry)?,
            published_at: entry.parsed("published_at")?,
            ext,
            schema: entry.nullable("schema", SchemaRef::decode)?,
            meta: entry.nullable("meta", Meta::decode)?,
            forced: entry.nullable("forced", Json::parsed)?,
            plain_copy: entry.optional("plain_copy")?.is_none_or(|value| value.as_str() != "false"),
            expires_at: entry.nullable("expires_at", Json::parsed)?,
        })
    }

    fn encode(&self) -> String {
        let mut entry = json::Writer::new();
        entry
            .plain("sha256", &self.sha256)
            .number("size", self.size)
            .number("generation", self.generation.get())
            .plain("published_at", &self.published_at);
        self.generation.encode_previous(self.previous, &mut entry);
        if !self.ext.is_json() {
            entry.text("ext", self.ext.as_str());
        }
        if let Some(schema) = &self.schema {
            entry.json("schema", &schema.encode());
        }
        if let Some(meta) = &self.meta {
            entry.json("meta", meta.as_str());
        }
        if let Some(forced) = &self.forced {
            entry.text("forced", forced);
        }
        if !self.plain_copy {
            entry.json("plain_copy", "false");
        }
        if let Some(end) = &self.expires_at {
            entry.plain("expires_at", end);
        }
        entry.finish()
    }
}

impl Entry {
    /// Whether readers must no longer take it for current at `now`.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// What names the objects of the dataset: its payload, and its schema if it has one.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId<'_>> {
        let schema = self.schema.as_ref().map(|schema| (schema.sha256, "json"));
        core::iter::once((self.sha256, self.ext.as_str())).chain(schema)
    }
}

impl SchemaRef {
    pub(crate) fn decode(schema: Json<'_>) -> Option<Self> {
        let schema = schema.object()?;
        let (version, size) = (schema.number("version")?, schema.number("size")?);
        Some(Self { version, sha256: schema.parsed("sha256")?, size })
    }

    pub(crate) fn encode(&self) -> String {
        json::Writer::new()
            .number("version", self.version.into())
            .plain("sha256", &self.sha256)
            .number("size", self.size)
            .finish()
    }
}

/// Why bytes are not a manifest to be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Larger than [`MAX_MANIFEST_BYTES`].
    #[error("the manifest has {size} bytes, more than the {MAX_MANIFEST_BYTES} that are read")]
    TooLarge {
        /// Its size, in bytes.
        size: u64,
    },
    /// Not a JSON object at all.
    #[error("expected a manifest, found {found}")]
    NotJson {
        /// How the bytes begin.
        found: String,
    },
    /// JSON that is cut off or is not of the manifest's form.
    #[error("the manifest is damaged: {problem}")]
    Malformed {
        /// What the parser says.
        problem: String,
    },
    /// The content is not what the checksum says.
    #[error("the manifest is damaged: its SHA-256 should be {expected} and is {found}")]
    Checksum {
        /// The checksum in the file.
        expected: Sha256,
        /// The checksum of the content.
        found: Sha256,
    },
    /// A dataset's entry contradicts the manifest.
    #[error("the manifest is damaged: the entry of \"{dataset}\" has an impossible generation or size")]
    Entry {
        /// The dataset.
        dataset: DatasetName,
    },
    /// Written by a later version of lastgood.
    #[error("the feed has format {found}, this version reads up to {FORMAT}: update lastgood here")]
    Format {
        /// The format of the feed.
        found: u64,
    },
}

impl ManifestError {
    fn malformed(problem: &dyn fmt::Display) -> Self {
        Self::Malformed { problem: problem.to_string() }
    }
}

/// How a body that is not JSON begins, for messages.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii_start();
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    // What is not text any more says nothing to people.
    let text = core::str::from_utf8(bytes).or_else(|error| core::str::from_utf8(&bytes[..error.valid_up_to()]));
    let start: String = text.unwrap_or_default().chars().take(40).collect();
    let kind = if start.starts_with('<') { "an HTML page" } else { "other content" };
    format!("{kind} that begins with {}", quoted(&start))
}

/// The number of a commit: 1, 2, 3 … up to 2^53 − 1, so that JavaScript holds it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Generation(u64);

impl Generation {
    /// The first commit of a feed.
    pub const FIRST: Self = Self(1);

    /// Takes a number for a generation.
    ///
    /// # Errors
    /// When it is 0 or above 2^53 − 1.
    pub fn new(number: u64) -> Result<Self, InvalidGeneration> {
        if (1..=MAX_SAFE_INTEGER).contains(&number) { Ok(Self(number)) } else { Err(InvalidGeneration) }
    }

    /// The member of a document that is a generation.
    pub(crate) fn decode(object: &Object<'_>, name: &str) -> Option<Self> {
        Self::new(object.number(name)?).ok()
    }

    /// The generation before this one as a document says it: the number before, unless there is a member `previous`.
    fn decode_previous(self, object: &Object<'_>) -> Option<Option<Self>> {
        match object.optional("previous")? {
            None => Some(self.previous()),
            Some(previous) if previous.as_str() == "null" => Some(None),
            Some(previous) => Self::new(previous.number()?).ok().filter(|previous| *previous < self).map(Some),
        }
    }

    fn encode_previous(self, previous: Option<Self>, object: &mut json::Writer) {
        if previous != self.previous() {
            object.json("previous", &previous.map_or("null".to_owned(), |previous| previous.to_string()));
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The generation after this one; `None` at the end of the numbers.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1).ok()
    }

    /// The generation before this one; `None` for the first.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::new(self.0 - 1).ok()
    }
}

/// A number that is not a generation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a generation: expected a whole number from 1 to 2^53 - 1")]
pub struct InvalidGeneration;

impl TryFrom<u64> for Generation {
    type Error = InvalidGeneration;

    fn try_from(number: u64) -> Result<Self, InvalidGeneration> {
        Self::new(number)
    }
}

impl From<Generation> for u64 {
    fn from(generation: Generation) -> u64 {
        generation.0
    }
}

impl FromStr for Generation {
    type Err = InvalidGeneration;

    fn from_str(text: &str) -> Result<Self, InvalidGeneration> {
        Self::new(text.parse().map_err(|_| InvalidGeneration)?)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The publisher's own JSON about a dataset, kept as the text that it was given as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta(String);

impl Meta {
    /// Takes JSON text as meta.
    ///
    /// # Errors
    /// When it is not JSON, is `null` or is longer than [`MAX_META_BYTES`].
    pub fn parse(json: &str) -> Result<Self, InvalidMeta> {
        match Json::parse(json).map_err(|problem| InvalidMeta::NotJson(problem.to_string()))?.as_str() {
            "null" => Err(InvalidMeta::Null),
            text if text.len() > MAX_META_BYTES => Err(InvalidMeta::TooLarge(text.len())),
            text => Ok(Self(text.to_owned())),
        }
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn decode(meta: Json<'_>) -> Option<Self> {
        Self::parse(meta.as_str()).ok()
    }
}

/// A text that cannot be meta.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMeta {
    /// Not JSON.
    #[error("meta is not JSON: {0}")]
    NotJson(String),
    /// Nothing: in a manifest it could not be told from meta that is left out.
    #[error("meta is null: leave it out instead")]
    Null,
    /// Too long.
    #[error("meta has {0} bytes, more than the {MAX_META_BYTES} that are allowed")]
    TooLarge(usize),
}
