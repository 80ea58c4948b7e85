//! What a read begins with.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::cache::{CacheHead, FeedMemory};
use crate::name::DatasetName;

/// What is to be read, and how patiently.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The datasets; several are read as one snapshot.
    pub datasets: Vec<Wanted>,
    /// What to do while a commit is in progress.
    pub lock: LockPolicy,
    /// The longest wait for the end of a commit, in milliseconds.
    pub lock_wait_ms: u64,
    /// The largest payload that is read, in bytes.
    pub max_bytes: u64,
    /// The longest time since a manifest has confirmed a copy as current, in milliseconds; `None` for no limit. A fresh
    /// reading is confirmed just now, however long ago it was published.
    pub max_age_ms: Option<u64>,
    /// Whether this is one more look at what is held and was not locked when it was last looked at. As long as there is a
    /// head for each dataset the lock marker is not asked for, so that an unchanged feed costs one request.
    pub again: bool,
}

/// A dataset, and what its reader makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The dataset.
    pub dataset: DatasetName,
    /// What it is read as.
    pub kind: Kind,
}

/// What a dataset is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A JSON value.
    Json(Shape),
    /// The bytes of an artifact. Its extension is not known beforehand, so there is nothing to guess.
    Artifact,
    /// The bytes of either. The guess is that it is JSON.
    Any(Shape),
}

/// What a reader expects of the shape of a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Whether the payload is validated against the schema that was published with it.
    pub validate: bool,
    /// The versions of the schema that the reader understands: from the oldest that it can migrate to the one that it was
    /// written for. `None` takes whatever is published.
    pub versions: Option<RangeInclusive<u32>>,
    /// Whether the reader has a shape of its own, beside the published schema: then its host judges each value, from wherever it
    /// comes, before it is handed out.
    pub own: bool,
}

/// Validated, of whatever version.
impl Default for Shape {
    fn default() -> Self {
        Self { validate: true, versions: None, own: false }
    }
}

impl Wanted {
    /// The dataset as JSON, validated, of whatever version.
    #[must_use]
    pub fn json(dataset: DatasetName) -> Self {
        Self { dataset, kind: Kind::Json(Shape::default()) }
    }

    /// The dataset as an artifact.
    #[must_use]
    pub fn artifact(dataset: DatasetName) -> Self {
        Self { dataset, kind: Kind::Artifact }
    }

    /// Whether the cached copy may be handed out as it is, when nothing better is to be had.
    pub(super) fn accepts(&self, head: &CacheHead) -> bool {
        match &self.kind {
            Kind::Json(shape) => head.ext.is_json() && shape.accepts(head),
            Kind::Artifact => !head.ext.is_json(),
            Kind::Any(shape) => shape.accepts(head),
        }
    }
}

impl Kind {
    pub(super) fn shape(&self) -> Option<&Shape> {
        match self {
            Kind::Json(shape) | Kind::Any(shape) => Some(shape),
            Kind::Artifact => None,
        }
    }
}

impl Shape {
    fn accepts(&self, head: &CacheHead) -> bool {
        let version = head.schema.as_ref().map(|schema| schema.version);
        let understood = |versions: &RangeInclusive<u32>| version.is_some_and(|version| versions.contains(&version));
        // Another reader, which does not validate, may have cached it.
        let valid = !self.validate || head.validated || head.schema.is_none();
        valid && self.versions.as_ref().is_none_or(understood)
    }
}

/// What to do with a dataset whose lock marker is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPolicy {
    /// Hand out the cached copy at once and, when there is none, what the manifest names.
    Cache,
    /// Wait for the release.
    Wait,
    /// Do not ask for the marker.
    Ignore,
}

/// What earlier reads have left.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What is remembered of the feed.
    pub memory: Option<FeedMemory>,
    /// For each dataset of the plan, what is cached. Where the payload lies is the host's matter; it is asked for by
    /// [`LoadCache`](super::LoadCache), and may be gone by then.
    pub heads: Vec<Option<CacheHead>>,
    /// For each dataset of the plan, what was handed out when all of them were last handed out together. It is fallen back to when
    /// the copies of [`heads`](Self::heads) do not belong together: reads of fewer of them have brought later ones.
    pub set: Option<Vec<CacheHead>>,
}
