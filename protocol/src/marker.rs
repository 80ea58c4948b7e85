//! The lock marker: a file that exists only while a commit is in progress, carrying a lease.
//!
//! It is for readers and people. Between writers the operating system's lock is the truth.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::FORMAT;
use crate::json::{self, Json, quoted};
use crate::name::DatasetName;
use crate::time::Timestamp;

/// The largest marker that is read, in bytes.
pub const MAX_MARKER_BYTES: u64 = 256 * 1024;

/// The longest lease that a reader honours, in milliseconds: one hour. A longer one counts as this long.
pub const MAX_LEASE_MS: i64 = 3_600_000;

/// Who commits what, and until when readers need to believe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockMarker {
    /// The version of the marker's form.
    pub format: u32,
    /// Who holds the lock.
    pub holder: Holder,
    /// The datasets that are about to change.
    pub datasets: Vec<DatasetName>,
    /// When the lock was taken or its lease last renewed, by the writer's clock.
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

/// In words, for people: on one line and no longer than they can read, whoever has written it.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_CHARS: usize = 64;
        write!(f, "process {} on ", self.pid)?;
        let mut host = self.host.chars();
        for char in host.by_ref().take(SHOWN_CHARS) {
            if char.is_control() { write!(f, "{}", char.escape_default())? } else { f.write_char(char)? }
        }
        if host.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

impl LockMarker {
    /// The marker as the bytes of a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let holder = json::Writer::new()
            .text("host", &self.holder.host)
            .number("pid", self.holder.pid.into())
            .text("token", &self.holder.token)
            .finish();
        let datasets: Vec<String> = self.datasets.iter().map(|dataset| quoted(dataset.as_str())).collect();
        let marker = json::Writer::new()
            .number("format", self.format.into())
            .json("holder", &holder)
            .json("datasets", &format!("[{}]", datasets.join(",")))
            .plain("acquired_at", &self.acquired_at)
            .plain("expires_at", &self.expires_at)
            .finish();
        format!("{marker}\n").into_bytes()
    }

    /// Reads a marker.
    ///
    /// # Errors
    /// When `bytes` is anything else, such as the marker of an older script or the HTML page of a single-page app.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidMarker> {
        let text = core::str::from_utf8(bytes).map_err(|_| InvalidMarker)?;
        Self::read(text).filter(|marker| marker.format == FORMAT).ok_or(InvalidMarker)
    }

    fn read(text: &str) -> Option<Self> {
        let marker = Json::parse(text).ok()?.object()?;
        let holder = marker.member("holder")?.object()?;
        Some(Self {
            format: marker.number("format")?,
            acquired_at: marker.parsed("acquired_at")?,
            expires_at: marker.parsed("expires_at")?,
            datasets: marker.member("datasets")?.array()?.into_iter().map(Json::parsed).collect::<Option<_>>()?,
            holder: Holder { pid: holder.number("pid")?, host: holder.parsed("host")?, token: holder.parsed("token")? },
        })
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
