//! What a read begins with.

use crate::cache::{CacheHead, FeedMemory};
use crate::name::DatasetName;

/// What is to be read, and how patiently.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The datasets; several are read as one snapshot.
    pub datasets: Vec<DatasetName>,
    /// What to do while a commit is in progress.
    pub lock: LockPolicy,
    /// The longest wait for the end of a commit, in milliseconds.
    pub lock_wait_ms: u64,
    /// The largest payload that is read, in bytes.
    pub max_bytes: u64,
}

/// What to do with a dataset whose lock marker is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPolicy {
    /// Hand out the cached copy at once; wait only when there is none.
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
    /// For each dataset of the plan, what is cached.
    pub heads: Vec<Option<CacheHead>>,
}
