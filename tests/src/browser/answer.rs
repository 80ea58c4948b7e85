//! What scripts in a page come to.

use serde::Deserialize;
use serde_json::Value;

/// What a page's script came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What its promise resolved with.
    Ok(Value),
    /// What it was rejected with.
    Error(JsError),
}

/// An error of a page.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct JsError {
    /// Its stable code, if it has one.
    pub code: Option<String>,
    /// Its `name`.
    pub name: String,
    /// Its message.
    pub message: String,
}

/// A reading as a page gets it.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reading {
    /// The value.
    pub data: Value,
    /// The dataset.
    pub dataset: String,
    /// Where it came from.
    pub source: String,
    /// Whether a manifest checked just now names it.
    pub fresh: bool,
    /// The code of the reason why not.
    pub reason: Option<String>,
    /// A sentence about it.
    pub detail: Option<String>,
    /// The generation.
    pub generation: u64,
    /// The digest.
    pub sha256: String,
    /// When it was published.
    pub published_at: String,
    /// Its age in milliseconds.
    pub age_ms: f64,
    /// When it was last confirmed.
    pub checked_at: String,
    /// The publisher's meta.
    pub meta: Value,
    /// The version of the published schema.
    pub schema_version: Option<u64>,
    /// Where a copy is kept.
    pub cached_in: Option<String>,
}
