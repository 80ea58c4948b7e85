//! One line of the operation log.

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::manifest::Generation;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::who::Who;
use crate::error::Error;

/// The most characters of a message that are logged: a schema can have a thousand violations.
const MAX_MESSAGE_CHARS: usize = 2000;

/// An operation on a feed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it ended, by the clock of whoever did it.
    #[serde(with = "text")]
    pub at: Timestamp,
    /// What was done.
    pub operation: Operation,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable code of the error, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the error says, at most 2000 characters of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The feed.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedId>,
    /// The generation that was committed or, when the outcome is unknown, may have been; for a recovery the one that is
    /// published.
    #[serde(default, with = "number", skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// The identity of that commit.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetRecord>,
    /// The size of all payloads that were published, in bytes; for garbage collection that of what was removed.
    #[serde(default)]
    pub bytes: u64,
    /// Whether something that a crashed writer had left was put in order.
    #[serde(default)]
    pub recovered: bool,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
    /// Who did it.
    pub who: Who,
    /// The version of lastgood that did it.
    #[serde(default)]
    pub version: String,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Datasets were published.
    Publish,
    /// Earlier payloads were published again.
    Rollback,
    /// The feed was put in order after a crash.
    Recover,
    /// What nothing names any more was removed.
    Gc,
    /// A directory was made a feed.
    Adopt,
    /// A command was run under the lock marker.
    Lock,
    /// What a check found damaged was rebuilt.
    Repair,
    /// Datasets were taken out of the feed.
    Remove,
    /// Payloads that were published before were taken off the server.
    Purge,
    /// Something that a later version does.
    #[serde(other)]
    Other,
}

impl Operation {
    /// The name that it has in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Publish => "publish",
            Operation::Rollback => "rollback",
            Operation::Recover => "recover",
            Operation::Gc => "gc",
            Operation::Adopt => "adopt",
            Operation::Lock => "lock",
            Operation::Repair => "repair",
            Operation::Remove => "remove",
            Operation::Purge => "purge",
            Operation::Other => "other",
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// What was to be published is at fault; nothing has changed.
    Refused,
    /// It failed; nothing that is published has changed.
    Failed,
    /// It cannot be told whether it was committed.
    Unknown,
}

/// What happened to one dataset. Only its name is known when the operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// Its name.
    #[serde(with = "text")]
    pub dataset: DatasetName,
    /// The digest of its payload.
    #[serde(default, with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The size of its payload, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How many elements the payload has, when it is an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Whether the payload differs from the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
    /// The names of the guards that were overridden, as in the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<String>,
}

impl Record {
    /// A record of something that this process has done at `at`.
    #[must_use]
    pub fn new(operation: Operation, at: Timestamp) -> Self {
        Self {
            at,
            operation,
            outcome: Outcome::Done,
            code: None,
            message: None,
            feed: None,
            commit: None,
            generation: None,
            datasets: Vec::new(),
            bytes: 0,
            recovered: false,
            duration_ms: 0,
            who: Who::this_process(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Notes the error that the operation ended with.
    pub fn failed(&mut self, error: &Error) {
        self.outcome = error.outcome();
        self.code = Some(error.code().to_owned());
        self.message = Some(error.to_string().chars().take(MAX_MESSAGE_CHARS).collect());
        if let Error::Unknown { generation, commit, .. } = error {
            (self.generation, self.commit) = (Some(*generation), Some(*commit));
        }
    }
}

impl Outcome {
    /// The text of it in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }
}

impl DatasetRecord {
    /// A dataset of which nothing else is known.
    #[must_use]
    pub fn named(dataset: DatasetName) -> Self {
        Self { dataset, sha256: None, size: None, rows: None, changed: None, forced: Vec::new() }
    }
}

/// A type of the protocol as its text.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The same where there may be none.
mod optional_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse()).transpose().map_err(de::Error::custom)
    }
}

/// A generation as its number.
mod number {
    use lastgood_protocol::manifest::Generation;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &Option<Generation>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Generation::get).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Generation>, D::Error> {
        let number = Option::<u64>::deserialize(deserializer)?;
        number.map(Generation::new).transpose().map_err(de::Error::custom)
    }
}
