//! Why a reading is not fresh, or why there is none: stable codes, the same in every language.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::manifest::{ManifestError, excerpt};
use crate::name::DatasetName;

/// A stable code. Its text never changes once published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A commit is in progress.
    Locked,
    /// The feed is being looked at, or was last looked at too long ago.
    Checking,
    /// The request did not get through.
    Offline,
    /// The server was silent for too long.
    Timeout,
    /// The server answered with an unexpected status.
    Http,
    /// The connection broke in the middle of a body.
    Truncated,
    /// Not JSON, typically the HTML page of a single-page app.
    NotJson,
    /// Larger than the limit.
    TooLarge,
    /// The manifest is damaged.
    ManifestInvalid,
    /// The feed has a later format than this version reads.
    FormatUnsupported,
    /// The manifest or the dataset is past its `expires_at`.
    Expired,
    /// The manifest is older than one seen before.
    Regressed,
    /// The bytes are not the ones that the manifest names.
    ChecksumMismatch,
    /// The feed has no dataset of this name, or none any more.
    NotFound,
    /// The dataset is an artifact and was to be read as JSON, or the other way round.
    WrongKind,
    /// The cached copies do not belong to one generation.
    Inconsistent,
    /// The payload does not satisfy the schema that was published with it.
    SchemaInvalid,
    /// The published schema says what this version of lastgood cannot check.
    SchemaUnsupported,
    /// The schema is of a later version than the reader understands.
    SchemaNewer,
    /// The schema is of an earlier version than the reader understands.
    SchemaOlder,
    /// The reader understands certain versions, and the dataset was published without a schema.
    SchemaMissing,
    /// A step that was to make a value of a later version of its schema has failed.
    MigrationFailed,
    /// The last good copy was confirmed too long ago.
    TooOld,
}

impl Code {
    /// Every code, for documentation and tests.
    pub const ALL: [Code; 23] = [
        Code::Locked,
        Code::Checking,
        Code::Offline,
        Code::Timeout,
        Code::Http,
        Code::Truncated,
        Code::NotJson,
        Code::TooLarge,
        Code::ManifestInvalid,
        Code::FormatUnsupported,
        Code::Expired,
        Code::Regressed,
        Code::ChecksumMismatch,
        Code::NotFound,
        Code::WrongKind,
        Code::Inconsistent,
        Code::SchemaInvalid,
        Code::SchemaUnsupported,
        Code::SchemaNewer,
        Code::SchemaOlder,
        Code::SchemaMissing,
        Code::MigrationFailed,
        Code::TooOld,
    ];

    /// The code as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Locked => "locked",
            Code::Checking => "checking",
            Code::Offline => "offline",
            Code::Timeout => "timeout",
            Code::Http => "http",
            Code::Truncated => "truncated",
            Code::NotJson => "not-json",
            Code::TooLarge => "too-large",
            Code::ManifestInvalid => "manifest-invalid",
            Code::FormatUnsupported => "format-unsupported",
            Code::Expired => "expired",
            Code::Regressed => "regressed",
            Code::ChecksumMismatch => "checksum-mismatch",
            Code::NotFound => "not-found",
            Code::WrongKind => "wrong-kind",
            Code::Inconsistent => "inconsistent",
            Code::SchemaInvalid => "schema-invalid",
            Code::SchemaUnsupported => "schema-unsupported",
            Code::SchemaNewer => "schema-newer",
            Code::SchemaOlder => "schema-older",
            Code::SchemaMissing => "schema-missing",
            Code::MigrationFailed => "migration-failed",
            Code::TooOld => "too-old",
        }
    }
}

/// One thing that went wrong while reading.
///
/// Its [`Details`] are behind a pointer: results are moved from step to step, and mostly there is no failure in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(Box<Details>);

/// What is known of a [`Failure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What kind of failure it is.
    pub code: Code,
    /// One sentence: what was expected, what was found.
    pub detail: String,
    /// The file of the feed that it concerns, as a path relative to the feed.
    pub path: Option<String>,
    /// The HTTP status, for [`Code::Http`].
    pub status: Option<u16>,
    /// For how many milliseconds the server asks to be left alone (`Retry-After`), where it does.
    pub retry_after_ms: Option<u64>,
    /// The dataset that it concerns, if it is one.
    pub dataset: Option<DatasetName>,
}

impl Failure {
    /// A failure with a code and a sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Box::new(Details { code, detail, path: None, status: None, retry_after_ms: None, dataset: None }))
    }

    /// The server answered `path` with `status` where a file was expected.
    #[must_use]
    pub fn http(path: &str, status: u16) -> Self {
        let detail = format!("{path}: expected status 200, the server answered {status}");
        let mut failure = Self::new(Code::Http, detail).at(path);
        failure.status = Some(status);
        failure
    }

    /// `path` has more than `limit` bytes.
    #[must_use]
    pub fn too_large(path: &str, limit: u64) -> Self {
        Self::new(Code::TooLarge, format!("{path}: more than the {limit} bytes that are read of it")).at(path)
    }

    /// `path` is not JSON; `body` is how it begins.
    #[must_use]
    pub fn not_json(path: &str, body: &[u8]) -> Self {
        Self::new(Code::NotJson, format!("{path}: expected JSON, found {}", excerpt(body))).at(path)
    }

    /// The same failure with another code, and a sentence that tells of both.
    #[must_use]
    pub(crate) fn but(mut self, code: Code, detail: String) -> Self {
        (self.code, self.detail) = (code, detail);
        self
    }

    /// The same failure, concerning the file at `path`.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// The same failure, concerning `dataset`.
    #[must_use]
    pub fn of(mut self, dataset: &DatasetName) -> Self {
        self.dataset = Some(dataset.clone());
        self
    }
}

impl Deref for Failure {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl core::error::Error for Failure {}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        let code = match &error {
            ManifestError::TooLarge { .. } => Code::TooLarge,
            ManifestError::NotJson { .. } => Code::NotJson,
            ManifestError::Format { .. } => Code::FormatUnsupported,
            ManifestError::Malformed { .. } | ManifestError::Checksum { .. } | ManifestError::Entry { .. } => {
                Code::ManifestInvalid
            }
        };
        Self::new(code, error.to_string()).at("manifest.json")
    }
}
