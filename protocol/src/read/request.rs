//! What the read algorithm asks of its host, and what it takes for an answer.

use crate::digest::Sha256;
use crate::failure::Failure;
use crate::layout::FeedPath;
use crate::time::Timestamp;

/// A file of the feed to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which file.
    pub path: FeedPath,
    /// The most bytes to read of it. A host stops there and answers `too-large`.
    pub limit: u64,
    /// What HTTP caches may do.
    pub caching: Caching,
}

/// What HTTP caches on the way may do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Answer it: the file never changes (`cache: "default"`).
    Allow,
    /// Answer it after asking the server (`cache: "no-cache"`).
    Revalidate,
    /// Stay out of it (`cache: "reload"`).
    Bypass,
    /// Neither answer nor keep it (`cache: "no-store"`).
    Forbid,
}

/// A small file: a manifest or a lock marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The server's time when it answered (`Date` plus `Age`), where known.
    pub server_time: Option<Timestamp>,
}

/// A payload as the host has it: hashed, and parsed into the host's own kind of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload<V> {
    /// The digest of its bytes, computed from these very bytes.
    pub sha256: Sha256,
    /// How many bytes it has.
    pub size: u64,
    /// The value, or what the host's parser says.
    pub value: Result<V, String>,
}

/// What came of fetching the manifest and what is fetched beside it.
#[derive(Debug)]
pub struct ManifestAnswers<V> {
    /// The manifest.
    pub manifest: Result<Document, Failure>,
    /// The lock marker, where it was asked for.
    pub lock: Option<Result<Document, Failure>>,
    /// The guesses, in the order in which they were asked for.
    pub guesses: Vec<Result<Payload<V>, Failure>>,
}
