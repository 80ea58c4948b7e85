//! What a reader hands out.

use alloc::vec::Vec;

use super::request::VerifiedManifest;
use crate::cache::{CacheHead, FeedMemory};
use crate::failure::Failure;
use crate::manifest::Generation;
use crate::name::DatasetName;
use crate::time::Timestamp;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Its bytes were downloaded for this reading.
    Network,
    /// The cached copy, used on purpose: nothing to download, the dataset is locked, or nobody has looked yet.
    Cache,
    /// The cached copy, because something failed.
    Fallback,
}

impl Source {
    /// The stable text: `network`, `cache`, `fallback`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Network => "network",
            Source::Cache => "cache",
            Source::Fallback => "fallback",
        }
    }
}

/// A verified value together with where it came from, how old it is, and why.
#[derive(Debug, Clone)]
pub struct Reading<V> {
    /// The value.
    pub value: V,
    /// The dataset.
    pub dataset: DatasetName,
    /// Where the value came from.
    pub source: Source,
    /// Why the value may not be current; `None` when a manifest checked just now names it. Where the source is not
    /// [`Fallback`](Source::Fallback) and the reason is [`expired`](crate::failure::Code::Expired), the manifest names it, and
    /// says that it is over.
    pub reason: Option<Failure>,
    /// From when on the value is not to be taken for current, if ever, as a manifest checked just now says.
    pub expires_at: Option<Timestamp>,
    /// The generation that the value belongs to; equal for all readings of a snapshot.
    pub generation: Generation,
    /// Milliseconds since it was published, by the server's clock as far as it is known.
    pub age_ms: u64,
    /// Digest, size, extension, schema, times and meta; also what a cache keeps beside the payload.
    pub head: CacheHead,
}

impl<V> Reading<V> {
    /// Whether a manifest checked just now names this value, and does not say that it is over.
    #[must_use]
    pub fn fresh(&self) -> bool {
        self.reason.is_none()
    }
}

/// How a read ended.
#[derive(Debug)]
pub struct Outcome<V> {
    /// One reading for each dataset asked for, in that order and all of one generation; or the failure.
    pub result: Result<Vec<Reading<V>>, Failure>,
    /// Where the failure is [`too-old`](crate::failure::Code::TooOld), the readings that are; else empty.
    pub too_old: Vec<Reading<V>>,
    /// What to remember of the feed from now on, whatever the result.
    pub memory: Option<FeedMemory>,
    /// The manifest that was accepted last, if one was. Whatever the result, a host drops every copy of what it
    /// [says was purged](crate::manifest::Manifest::purged), of whichever dataset of the feed.
    pub manifest: Option<VerifiedManifest>,
    /// Why the feed itself could not be read, at the last look at it: there is no present manifest. `None` when there is, whatever became
    /// of the payloads; and where nobody has looked.
    pub unread: Option<Failure>,
    /// When the feed was last looked at, by this device's clock.
    pub at: Timestamp,
}
