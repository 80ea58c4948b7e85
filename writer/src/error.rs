//! What can go wrong with a feed, and what it means for what is published.

use std::io;

use lastgood_protocol::failure::Failure;
use lastgood_protocol::id::CommitId;
use lastgood_protocol::manifest::{Generation, InvalidMeta};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload::Refusal;
use lastgood_protocol::schema::Invalid;

use crate::schema::SchemaProblem;

use crate::convert::{FileKind, Hint, csv};
use crate::guards::BrokenGuard;
use crate::mark::OldCopy;
use crate::operations::Outcome;

use crate::purge::NoPurge;
use crate::rollback::NoRollback;

/// A failed operation on a feed.
///
/// Every variant but [`Unknown`](Error::Unknown) means: not committed, nothing that is published has changed (I4).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A payload breaks a rule.
    #[error("{dataset}: {refusal}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Refused {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// Which rule, where, and the way out.
        refusal: Box<Refusal>,
        /// What the input is instead, if that can be told.
        hint: Option<Box<Hint>>,
    },
    /// The input is a file of another kind than text.
    #[error("{dataset}: the input is {kind}; {}; nothing was published", kind.remedy(dataset))]
    OtherKind {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What it is.
        kind: FileKind,
    },
    /// Several inputs of one call are refused. Each is told, so that all can be corrected at once.
    #[error("{} of the datasets are refused; nothing was published:\n{}", refusals.len(), lines(refusals))]
    Several {
        /// The refusal of each, at least two, in the order in which the datasets were given.
        refusals: Vec<Error>,
    },
    /// The input could not be read to its end.
    #[error("{dataset}: cannot read the input: {source}")]
    Input {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What the operating system says.
        source: io::Error,
    },
    /// A payload is not as its schema wants it.
    #[error("{dataset} does not match its schema; fix the data, or the schema; nothing was published:\n{invalid}")]
    SchemaInvalid {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What is wrong with it, and where.
        invalid: Box<Invalid>,
    },
    /// A schema cannot be used.
    #[error("{dataset}: {problem}")]
    SchemaRefused {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What is wrong with it, and where.
        problem: Box<SchemaProblem>,
    },
    /// One call names a dataset more than once.
    #[error("{dataset} is given more than once")]
    Repeated {
        /// The dataset.
        dataset: DatasetName,
    },
    /// The meta cannot be published.
    #[error("{dataset}: {source}")]
    Meta {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What is wrong with it.
        source: InvalidMeta,
    },
    /// A CSV input cannot be published as JSON.
    #[error("{dataset}: {refusal}")]
    Csv {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// What is wrong, where, and the way out.
        refusal: Box<csv::Refusal>,
    },
    /// An artifact is larger than the limit.
    #[error("{dataset}: the artifact has more than the {max_bytes} bytes that are allowed; way out: --max-bytes")]
    TooLarge {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// The limit, in bytes.
        max_bytes: u64,
    },
    /// A payload is right but breaks a guard.
    #[error("{dataset}: guard {}; --force publishes it all the same, and the manifest says so", listed(broken))]
    Guard {
        /// The dataset that it was meant for.
        dataset: DatasetName,
        /// Every guard that it breaks; at least one.
        broken: Vec<BrokenGuard>,
    },
    /// What was to be replaced has been replaced by another publish meanwhile.
    #[error("{dataset} was published by someone else meanwhile; look at `lastgood history {dataset}` and try again")]
    Conflict {
        /// The dataset.
        dataset: DatasetName,
    },
    /// A dataset cannot be rolled back as asked.
    #[error("{dataset}: {reason}")]
    NoRollback {
        /// The dataset.
        dataset: DatasetName,
        /// Why, and what can be done.
        reason: NoRollback,
    },
    /// The feed has no such dataset, or no longer.
    #[error("the feed has no dataset \"{dataset}\"; `lastgood status` lists those that it has")]
    NotPublished {
        /// The dataset.
        dataset: DatasetName,
    },
    /// A payload cannot be purged.
    #[error("{dataset}: {reason}")]
    NoPurge {
        /// The dataset.
        dataset: DatasetName,
        /// Why, and what can be done.
        reason: NoPurge,
    },
    /// The directory holds other files and no feed.
    #[error(
        "{location} is not a feed: it has no manifest.json, but it holds {found}; if the path is mistyped, correct it; \
         to make a feed here beside those files, pass --create"
    )]
    NotAFeed {
        /// The directory.
        location: String,
        /// Some of the other files.
        found: String,
    },
    /// Another program has a name for itself that a feed needs.
    #[error(
        "{location} is not a feed, and cannot become one: its {name} {found}; it was left as it is; make the feed in a directory of its \
         own, such as {location}/data"
    )]
    NameTaken {
        /// The directory.
        location: String,
        /// The name.
        name: &'static str,
        /// What has it, to follow the name.
        found: String,
    },
    /// There is no feed.
    #[error("there is no feed in {location}: it has no manifest.json; publish into it first, or correct the path")]
    NoFeed {
        /// The directory.
        location: String,
    },
    /// Someone else holds the lock, and waiting for it came to its limit.
    #[error("locked: {holder}; waited {waited_ms} ms; {way_out}")]
    Locked {
        /// Who, as far as it is known.
        holder: String,
        /// How long was waited, in milliseconds.
        waited_ms: u128,
        /// What can be done.
        way_out: &'static str,
    },
    /// A dataset that the lock does not cover under which this process runs.
    #[error(
        "{dataset} is not among the datasets of the lock that this runs under; name it there as well: \
         lastgood lock … {dataset} -- COMMAND"
    )]
    OutsideLock {
        /// The dataset.
        dataset: DatasetName,
    },
    /// It was cancelled before it began to change the feed.
    #[error("stopped before the commit; nothing was published")]
    Cancelled,
    /// What is published is damaged.
    #[error("the feed in {location} is damaged: {problem}; {way_out}")]
    Damaged {
        /// The feed.
        location: String,
        /// What is wrong.
        problem: String,
        /// What can be done.
        way_out: String,
    },
    /// The feed was restored from an old copy: what is published is below what readers have seen (I5).
    #[error(
        "{location} has generation {}, and generation {} has been published: it was restored from an old copy, and readers \
         refuse what is older than what they have seen; nothing was changed; put the later files back, or decide: \
         `{}` goes on with the old copy as the next generation, so that readers take it for newer; `{}` makes it another \
         feed, with which readers begin anew",
        old_copy.published, old_copy.known, old_copy.accept(location), old_copy.renew(location)
    )]
    OldCopy {
        /// The feed.
        location: String,
        /// What is published, and what has been.
        old_copy: OldCopy,
    },
    /// The feed cannot take this commit.
    #[error("{0}")]
    Limit(String),
    /// The operating system refused something before the commit.
    #[error("cannot {doing}: {source}; nothing was published")]
    Io {
        /// What was being done.
        doing: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Reading failed.
    #[error("{0}")]
    Read(#[from] Failure),
    /// It cannot be told whether the commit survives. Nothing was deleted.
    #[error(
        "it is not known whether generation {generation} (commit {commit}) is published: {source}; \
         `lastgood status` shows the commit that is, `lastgood recover` settles the rest"
    )]
    Unknown {
        /// The generation that was to be.
        generation: Generation,
        /// The commit to look for in the manifest.
        commit: CommitId,
        /// What the operating system says.
        source: io::Error,
    },
}

fn lines(refusals: &[Error]) -> String {
    refusals.iter().map(Error::to_string).collect::<Vec<_>>().join("\n")
}

fn listed(broken: &[BrokenGuard]) -> String {
    broken.iter().map(BrokenGuard::to_string).collect::<Vec<_>>().join("; guard ")
}

/// What a failed publish has done to the feed (I4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Nothing; what was published before is published still.
    No,
    /// Perhaps everything, perhaps nothing; never a part.
    Unknown,
}

impl Error {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::Refused { refusal, .. } => refusal.code(),
            Error::Csv { refusal, .. } => refusal.code(),
            Error::OtherKind { .. } => "not-text",
            Error::Several { refusals } => refusals.first().map_or("refused", Error::code),
            Error::Input { .. } => "input-unreadable",
            Error::SchemaInvalid { .. } => "schema-invalid",
            Error::SchemaRefused { .. } => "schema-refused",
            Error::Repeated { .. } => "repeated-dataset",
            Error::Meta { .. } => "invalid-meta",
            Error::TooLarge { .. } => "too-large",
            Error::Guard { broken, .. } => broken.first().map_or("guard", |broken| broken.guard.code()),
            Error::Conflict { .. } => "conflict",
            Error::NoRollback { reason, .. } => reason.code(),
            Error::NotPublished { .. } => "not-found",
            Error::NoPurge { reason, .. } => reason.code(),
            Error::NotAFeed { .. } | Error::NameTaken { .. } => "not-a-feed",
            Error::NoFeed { .. } => "no-feed",
            Error::Locked { .. } => "locked",
            Error::OutsideLock { .. } => "outside-lock",
            Error::Cancelled => "cancelled",
            Error::Damaged { .. } => "damaged",
            Error::OldCopy { .. } => "restored",
            Error::Limit(_) => "limit",
            Error::Io { .. } => "io",
            Error::Read(failure) => failure.code.as_str(),
            Error::Unknown { .. } => "outcome-unknown",
        }
    }

    /// What the failed operation has done to what is published.
    #[must_use]
    pub fn committed(&self) -> Committed {
        if matches!(self, Error::Unknown { .. }) { Committed::Unknown } else { Committed::No }
    }

    /// The same for the operation log, where it also matters whether the input is at fault.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Error::Refused { .. }
            | Error::SchemaInvalid { .. }
            | Error::SchemaRefused { .. }
            | Error::Csv { .. }
            | Error::OtherKind { .. }
            | Error::Several { .. }
            | Error::Input { .. }
            | Error::Repeated { .. }
            | Error::Meta { .. }
            | Error::TooLarge { .. }
            | Error::Guard { .. }
            | Error::OutsideLock { .. } => Outcome::Refused,
            Error::Unknown { .. } => Outcome::Unknown,
            Error::Conflict { .. }
            | Error::NoRollback { .. }
            | Error::NotPublished { .. }
            | Error::NoPurge { .. }
            | Error::NotAFeed { .. }
            | Error::NameTaken { .. }
            | Error::NoFeed { .. }
            | Error::Locked { .. }
            | Error::Cancelled
            | Error::Damaged { .. }
            | Error::OldCopy { .. }
            | Error::Limit(_)
            | Error::Io { .. }
            | Error::Read(_) => Outcome::Failed,
        }
    }

    /// Whether the operating system refuses the user a right.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        matches!(self, Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Whether an input is at fault by itself: the other inputs of the call may be, too, and are looked at.
    pub(crate) fn is_of_an_input(&self) -> bool {
        matches!(
            self,
            Error::Refused { .. }
                | Error::SchemaInvalid { .. }
                | Error::Csv { .. }
                | Error::OtherKind { .. }
                | Error::Input { .. }
                | Error::TooLarge { .. }
                | Error::Guard { .. }
        )
    }

    /// One error for all inputs that were refused; `None` when none was.
    pub(crate) fn of_inputs(mut refusals: Vec<Error>) -> Option<Error> {
        if refusals.len() > 1 { Some(Error::Several { refusals }) } else { refusals.pop() }
    }

    /// For `map_err`: says what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source }
    }
}
