//! The lock marker: a file that exists only while a commit is in progress, carrying a lease.
//!
//! It is for readers and people. Between writers the operating system's lock is the truth.

use serde::{Deserialize, Serialize};

use crate::FORMAT;
use crate::name::DatasetName;
use crate::time::Timestamp;

/// The largest marker that is read, in bytes.
pub const MAX_MARKER_BYTES: u64 = 256 * 1024;

/// The longest lease that a reader honours, in milliseconds: one hour. A longer one counts as this long.
pub const MAX_LEASE_MS: i64 = 3_600_000;

/// Who commits what, and until when readers need to believe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockMarker {
    /// The version of the marker's form.
    pub format: u32,
    /// Who holds the lock.
    pub holder: Holder,
    /// The datasets that are about to change.
    pub datasets: Vec<DatasetName>,
    /// When the lock was taken, by the writer's clock.
    pub acquired_at: Timestamp,
    /// When the lease ends, by the writer's clock.
    pub expires_at: Timestamp,
}

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The name of its machine.
    pub host: String,
    /// Its process id on that machine.
    pub pid: u32,
    /// Random, unique for each time a lock is taken.
    pub token: String,
}

impl LockMarker {
    /// The marker as the bytes of a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a marker has only string keys");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a marker.
    ///
    /// # Errors
    /// When `bytes` is anything else, such as the marker of an older script or the HTML page of a single-page app.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidMarker> {
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidMarker)?;
        let marker: Self = serde_json::from_str(text).map_err(|_| InvalidMarker)?;
        if marker.format == FORMAT { Ok(marker) } else { Err(InvalidMarker) }
    }

    /// Whether the marker announces a change of `dataset` at `now`, the time of the server that served it.
    #[must_use]
    pub fn covers(&self, dataset: &DatasetName, now: Timestamp) -> bool {
        self.lease_runs(now) && self.datasets.contains(dataset)
    }

    /// Whether readers believe the marker at `now`. However it is dated, it is believed for two hours at most: the
    /// longest lease, and as much again for the difference between two clocks.
    #[must_use]
    pub fn lease_runs(&self, now: Timestamp) -> bool {
        let end = self.expires_at.min(self.acquired_at.plus_ms(MAX_LEASE_MS));
        self.acquired_at.plus_ms(-MAX_LEASE_MS) <= now && now < end
    }
}

/// Bytes that are not a lock marker of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a lastgood lock marker")]
pub struct InvalidMarker;
