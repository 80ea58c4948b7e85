//! What the read algorithm asks of its host, and what it takes for an answer.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::digest::Sha256;
use crate::failure::Failure;
use crate::layout::FeedPath;
use crate::manifest::{Manifest, ManifestError, SchemaRef};
use crate::name::DatasetName;
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

/// A small file: a manifest, a lock marker or a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The server's time when it answered (`Date` plus `Age`), where known.
    pub server_time: Option<Timestamp>,
}

/// A manifest that was made of bytes that verify. Shared, so that many reads of one answer verify it once; whether it has
/// expired or regressed each read decides for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedManifest(Arc<Manifest>);

impl VerifiedManifest {
    /// Verifies the bytes of a manifest.
    ///
    /// # Errors
    /// As [`Manifest::verify`].
    pub fn verify(bytes: &[u8]) -> Result<Self, ManifestError> {
        Ok(Self(Arc::new(Manifest::verify(bytes)?)))
    }
}

impl Deref for VerifiedManifest {
    type Target = Manifest;
    fn deref(&self) -> &Manifest {
        &self.0
    }
}

/// The answer to the request for the manifest.
#[derive(Debug, Clone)]
pub struct ManifestAnswer {
    /// What its body holds. A host that gets the bytes that it had verified before may pass the same again.
    pub manifest: VerifiedManifest,
    /// The server's time when it answered (`Date` plus `Age`), where known.
    pub server_time: Option<Timestamp>,
}

impl ManifestAnswer {
    /// Verifies the body of an answer.
    ///
    /// # Errors
    /// Says what the bytes are instead.
    pub fn verify(document: &Document) -> Result<Self, Failure> {
        Ok(Self { manifest: VerifiedManifest::verify(&document.bytes)?, server_time: document.server_time })
    }
}

/// A payload as the host has it: hashed, and parsed into the host's own kind of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload<V> {
    /// The digest of its bytes, computed from these very bytes: now, or when they became a value that nothing else alters.
    pub sha256: Sha256,
    /// How many bytes it has.
    pub size: u64,
    /// The value, or what the host's parser says.
    pub value: Result<V, String>,
}

/// A schema that the host has, from an answer or from before. What it makes of it is its own matter; it knows it by the digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaObject {
    /// The digest of its bytes, computed from these very bytes.
    pub sha256: Sha256,
    /// How many bytes it has.
    pub size: u64,
}

/// What came of fetching the manifest and what is fetched beside it.
#[derive(Debug)]
pub struct ManifestAnswers<V> {
    /// The manifest.
    pub manifest: Result<ManifestAnswer, Failure>,
    /// The lock marker, where it was asked for.
    pub lock: Option<Result<Document, Failure>>,
    /// The guesses, in the order in which they were asked for.
    pub guesses: Vec<Result<Payload<V>, Failure>>,
}

/// A schema to be fetched, unless the host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRequest {
    /// The digest by which a host knows whether it has the schema already, and may answer without a request.
    pub sha256: Sha256,
    /// The request, where it has not.
    pub request: Request,
}

/// What came of fetching objects.
#[derive(Debug)]
pub struct ObjectAnswers<V> {
    /// The payloads, in the order in which they were asked for.
    pub payloads: Vec<Result<Payload<V>, Failure>>,
    /// The schemas, in the order in which they were asked for.
    pub schemas: Vec<Result<SchemaObject, Failure>>,
}

/// A value to be judged: by its published schema, then by the reader's own shape.
#[derive(Debug)]
pub struct Check<'a, V> {
    /// The dataset.
    pub dataset: &'a DatasetName,
    /// Its value. The bytes that it was made of are what is validated.
    pub value: &'a V,
    /// The published schema to validate against, which was answered before; `None` when the value is known to satisfy it, or is
    /// not to be validated.
    pub schema: Option<&'a SchemaRef>,
    /// The reader's own shape, where it has one.
    pub own: Option<Own>,
}

/// What a reader's own shape is told of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// The digest of the payload.
    pub sha256: Sha256,
    /// The version of the published schema; `None` without one.
    pub version: Option<u32>,
}

/// Why a value is not taken for valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// It breaks rules of the schema; which and where.
    Invalid(String),
    /// The schema cannot be compiled here; why.
    Unsupported(String),
    /// Another reason, such as the reader's own shape.
    Refused(Failure),
}
