//! What can go wrong in a command, and which exit code says so.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lastgood::config::{ConfigError, Unlisted};
use lastgood::protocol::failure::Code;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::schema::{Invalid, Violation};
use lastgood::storage::NoDirectory;
use lastgood::{Committed, Error, NoRollback, SchemaProblem};
use serde_json::{Map, Value, json};

use crate::dir::{FeedDir, Origin, VARIABLE};

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    /// Failed, nothing changed.
    Failed = 1,
    /// The command line or the configuration is at fault.
    Usage = 2,
    /// What was to be published is at fault.
    Refused = 3,
    Locked = 4,
    Damaged = 5,
    /// It is not known whether the commit is published.
    Unknown = 6,
    /// A defect of lastgood itself (`EX_SOFTWARE` of `sysexits.h`).
    Defect = 70,
    /// The command of `lastgood lock` cannot be run, as `env` and `nohup` say it.
    NotExecutable = 126,
    NotFound = 127,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Feed(#[from] Error),
    #[error("{error} (the directory is {origin})")]
    NoFeed { error: Error, origin: String },
    #[error("{0}")]
    Remote(lastgood::protocol::failure::Failure),
    #[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere permissions are not looked at"))]
    #[error("{error}; {advice}")]
    NotYours { error: Error, advice: String },
    #[error(
        "adopted only the backups, as generation {generation}; then: {error}; the files are as they were, and running \
         `lastgood adopt` again does the rest"
    )]
    HalfAdopted { generation: u64, error: Error },
    #[error(
        "a defect in lastgood: {what}; it is not known how far the command has come: `lastgood status` shows which commit \
         is published, and the next publish or `lastgood recover` puts in order what was left; please report this message \
         and the command to the developers (RUST_BACKTRACE=1 adds where it happened)"
    )]
    Defect { what: String },
    #[error("{0}")]
    Usage(String),
    #[error(
        "the feed has no dataset \"{dataset}\"{}; it has: {known}{}",
        withdrawn.as_ref().map(|at| format!(": it was withdrawn at {at}")).unwrap_or_default(),
        meant(suggestion.as_deref())
    )]
    NotPublished {
        dataset: DatasetName,
        known: String,
        suggestion: Option<String>,
        /// When it was, if it was.
        withdrawn: Option<String>,
    },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Unlisted(#[from] Unlisted),
    #[error("{}: cannot read the schema: {source}; expected a file with a JSON Schema; nothing was published", file.display())]
    SchemaFile { file: PathBuf, source: io::Error },
    #[error("{error}; the schema is {}", file.display())]
    SchemaRefused { file: Box<Path>, error: Error },
    #[error("{dataset}: cannot open {}: {source}; nothing was published", file.display())]
    Source { dataset: DatasetName, file: PathBuf, source: io::Error },
    /// At least two.
    #[error("{}", lines(.0))]
    Sources(Vec<Failure>),
    #[error(
        "cannot find the working directory: {source}; name the feed directory by its absolute path: --dir or {VARIABLE}"
    )]
    WorkingDirectory { source: io::Error },
    #[error("{problem} (the directory is {origin}){}", named_instead(problem, origin))]
    NoDirectory { problem: Box<NoDirectory>, origin: Origin },
    #[error("cannot write to stdout: {0}")]
    Stdout(io::Error),
    #[error("cannot set up {what}: {source}")]
    Setup { what: &'static str, source: io::Error },
    #[error("{0}")]
    Serve(String),
    #[cfg_attr(not(unix), expect(dead_code, reason = "`lastgood lock` is for systems with signals"))]
    #[error("cannot run {}: {source}", command.display())]
    Command { command: OsString, source: io::Error },
    #[error("cannot look into {}: {source}", dir.display())]
    Directory { dir: PathBuf, source: io::Error },
    #[error("{} is there already; it was left as it is", file.display())]
    Exists { file: PathBuf },
    #[error("cannot write {}: {source}", file.display())]
    Create { file: PathBuf, source: io::Error },
}

/// Where nobody has named the directory, it is best named.
fn named_instead(problem: &NoDirectory, origin: &Origin) -> &'static str {
    match (problem, origin) {
        (NoDirectory::Closed { .. }, Origin::Default) => {
            "; name the feed directory by its absolute path: --dir or LASTGOOD_DIR"
        }
        _ => "",
    }
}

fn lines(failures: &[Failure]) -> String {
    failures.iter().map(Failure::to_string).collect::<Vec<_>>().join("\n")
}

impl Failure {
    /// One failure for all inputs that cannot be opened; `None` when all can be.
    pub(crate) fn of_sources(mut failures: Vec<Failure>) -> Option<Self> {
        if failures.len() > 1 { Some(Self::Sources(failures)) } else { failures.pop() }
    }

    /// Says why it was looked for in this directory, where that is the question.
    pub(crate) fn in_dir(self, dir: &FeedDir) -> Self {
        match self {
            Failure::Feed(error @ (Error::NoFeed { .. } | Error::NotAFeed { .. } | Error::NameTaken { .. })) => {
                Failure::NoFeed { error, origin: dir.origin.to_string() }
            }
            #[cfg(unix)]
            Failure::Feed(error) if error.is_permission_denied() => match crate::doctor::advice(&dir.path) {
                Some(advice) => Failure::NotYours { error, advice },
                None => Failure::Feed(error),
            },
            other => other,
        }
    }

    /// The one table from errors to exit codes.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_)
            | Failure::NotPublished { .. }
            | Failure::Config(_)
            | Failure::Unlisted(_)
            | Failure::SchemaFile { .. } => Exit::Usage,
            // A missing source is at fault as much as a bad one: whoever produces the data is to be told.
            Failure::Source { .. } | Failure::Sources(_) => Exit::Refused,
            Failure::Defect { .. } => Exit::Defect,
            // Another machine's: what is there and not what was published is damage, the rest a failure on the way.
            Failure::Remote(failure) => match failure.code {
                Code::ChecksumMismatch | Code::ManifestInvalid | Code::NotJson | Code::SchemaInvalid => Exit::Damaged,
                _ => Exit::Failed,
            },
            Failure::Command { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
            Failure::Command { .. } => Exit::NotExecutable,
            Failure::NoFeed { .. }
            | Failure::NotYours { .. }
            | Failure::WorkingDirectory { .. }
            | Failure::NoDirectory { .. }
            | Failure::Stdout(_)
            | Failure::Setup { .. }
            | Failure::Directory { .. }
            | Failure::Exists { .. }
            | Failure::Create { .. }
            | Failure::Serve(_) => Exit::Failed,
            Failure::Feed(error) | Failure::SchemaRefused { error, .. } | Failure::HalfAdopted { error, .. } => {
                match error {
                    Error::Refused { .. }
                    | Error::SchemaInvalid { .. }
                    | Error::Csv { .. }
                    | Error::OtherKind { .. }
                    | Error::Several { .. }
                    | Error::Input { .. }
                    | Error::TooLarge { .. }
                    | Error::Guard { .. } => Exit::Refused,
                    Error::Repeated { .. }
                    | Error::Meta { .. }
                    | Error::SchemaRefused { .. }
                    | Error::NotPublished { .. }
                    | Error::OutsideLock { .. } => Exit::Usage,
                    Error::Locked { .. } => Exit::Locked,
                    Error::Damaged { .. }
                    | Error::OldCopy { .. }
                    | Error::NoRollback { reason: NoRollback::Damaged { .. }, .. } => Exit::Damaged,
                    Error::Read(failure) => match failure.code {
                        // The manifest names what is not there or is something else.
                        Code::ChecksumMismatch
                        | Code::Http
                        | Code::ManifestInvalid
                        | Code::NotJson
                        | Code::SchemaInvalid
                        | Code::TooLarge => Exit::Damaged,
                        _ => Exit::Failed,
                    },
                    other if other.committed() == Committed::Unknown => Exit::Unknown,
                    _ => Exit::Failed,
                }
            }
        }
    }

    /// A stable code for machines.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Failure::Feed(error)
            | Failure::SchemaRefused { error, .. }
            | Failure::NoFeed { error, .. }
            | Failure::NotYours { error, .. }
            | Failure::HalfAdopted { error, .. } => error.code(),
            Failure::Remote(failure) => failure.code.as_str(),
            Failure::Defect { .. } => "defect",
            Failure::Usage(_) => "usage",
            Failure::NotPublished { .. } => "not-found",
            Failure::Config(_) | Failure::SchemaFile { .. } => "config-invalid",
            Failure::Unlisted(_) => "unlisted",
            Failure::Source { .. } | Failure::Sources(_) => "input-unreadable",
            Failure::WorkingDirectory { .. }
            | Failure::Stdout(_)
            | Failure::Setup { .. }
            | Failure::Directory { .. }
            | Failure::Create { .. } => "io",
            Failure::NoDirectory { .. } => "directory",
            Failure::Exists { .. } => "exists",
            Failure::Command { .. } => "command",
            Failure::Serve(_) => "serve",
        }
    }

    /// The failure as a JSON document.
    pub(crate) fn to_json(&self) -> Value {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        add("code", self.code().into());
        add("message", self.to_string().into());
        add("exit", (self.exit() as u8).into());
        match self {
            Failure::Feed(error)
            | Failure::SchemaRefused { error, .. }
            | Failure::NoFeed { error, .. }
            | Failure::NotYours { error, .. } => of_error(error, &mut add),
            Failure::NotPublished { dataset, suggestion, withdrawn, .. } => {
                add("dataset", dataset.as_str().into());
                add("suggestion", suggestion.as_deref().into());
                if let Some(at) = withdrawn {
                    add("withdrawn_at", at.as_str().into());
                }
            }
            Failure::Source { dataset, .. } => {
                add("dataset", dataset.as_str().into());
            }
            Failure::Sources(failures) => {
                let each = failures.iter().map(|failure| failure.to_json()["error"].take());
                add("refusals", each.collect());
            }
            Failure::HalfAdopted { generation, .. } => {
                add("adopted", json!([generation]));
            }
            _ => {}
        }
        Value::Object(Map::from_iter([("error".to_owned(), Value::Object(members))]))
    }
}

/// What machines are told of an error beside its code and its message.
fn of_error(error: &Error, add: &mut dyn FnMut(&str, Value)) {
    match error {
        Error::Refused { dataset, refusal, hint } => {
            add("dataset", dataset.as_str().into());
            add("line", refusal.line.into());
            add("column", refusal.column.into());
            add("pointer", refusal.pointer.as_str().into());
            let way_out = hint.as_ref().and_then(|hint| hint.way_out());
            add("way_out", way_out.or(refusal.way_out().map(str::to_owned)).into());
        }
        Error::Guard { dataset, broken } => {
            add("dataset", dataset.as_str().into());
            let broken = broken.iter().map(
                |broken| json!({"guard": broken.guard.name(), "expected": broken.expected, "found": broken.found}),
            );
            add("guards", broken.collect());
            add("way_out", "--force".into());
        }
        Error::Csv { dataset, refusal } => {
            add("dataset", dataset.as_str().into());
            add("line", refusal.line.into());
            add("column_name", refusal.column.as_deref().into());
            add("value", refusal.value().into());
            add("way_out", refusal.way_out().into());
        }
        Error::Several { refusals } => {
            let each = refusals.iter().map(|refusal| {
                let mut members = Map::new();
                members.insert("code".to_owned(), refusal.code().into());
                members.insert("message".to_owned(), refusal.to_string().into());
                of_error(refusal, &mut |name, value| {
                    members.insert(name.to_owned(), value);
                });
                Value::Object(members)
            });
            add("refusals", each.collect());
        }
        Error::OldCopy { location, old_copy } => {
            add("generation", old_copy.published.get().into());
            add("old_copy_of", old_copy.known.get().into());
            add("way_out", json!([old_copy.accept(location), old_copy.renew(location)]));
        }
        Error::Input { dataset, .. }
        | Error::OtherKind { dataset, .. }
        | Error::TooLarge { dataset, .. }
        | Error::NoPurge { dataset, .. } => {
            add("dataset", dataset.as_str().into());
        }
        Error::SchemaInvalid { dataset, invalid } => {
            add("dataset", dataset.as_str().into());
            if let Invalid::Violations(violations) = &**invalid {
                add("violations", violations.list.iter().map(violation).collect());
                add("more", violations.more.into());
            }
        }
        Error::SchemaRefused { dataset, problem } => {
            add("dataset", dataset.as_str().into());
            match &**problem {
                SchemaProblem::Refused(error) => {
                    add("problem", error.kind.code().into());
                    add("schema_pointer", error.pointer.as_str().into());
                }
                SchemaProblem::NotJson { code, line, column, pointer, .. } => {
                    add("problem", (*code).into());
                    add("line", (*line).into());
                    add("column", (*column).into());
                    add("schema_pointer", pointer.as_str().into());
                }
                _ => {}
            }
        }
        Error::Unknown { generation, commit, .. } => {
            add("generation", generation.get().into());
            add("commit", commit.to_string().into());
        }
        _ => {}
    }
}

/// The end of a message about a name that may be mistyped.
fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

fn violation(violation: &Violation) -> Value {
    serde_json::json!({
        "pointer": violation.pointer,
        "keyword": violation.keyword,
        "schema_pointer": violation.schema_pointer,
        "expected": violation.expected,
        "found": violation.found,
    })
}

#[cfg(test)]
mod tests {
    use lastgood::protocol::failure::Failure as ReadFailure;
    use lastgood::protocol::id::CommitId;
    use lastgood::protocol::manifest::Generation;

    use super::*;

    fn unknown() -> Failure {
        let (generation, commit) = (Generation::FIRST, CommitId::from_random([7; 16]));
        Error::Unknown { generation, commit, source: io::ErrorKind::Other.into() }.into()
    }

    #[test]
    fn a_lost_answer_is_6_and_names_the_commit_to_look_for() {
        assert_eq!(unknown().exit() as u8, 6);
        let error = &unknown().to_json()["error"];
        assert_eq!(error["code"], "outcome-unknown");
        assert_eq!(error["exit"], 6);
        assert_eq!(error["commit"], "07070707070707070707070707070707");
    }

    /// What a reader may meet on the network is, in the feed's own directory, either damage or a plain failure.
    #[test]
    fn every_read_code_is_damage_or_failure() {
        for code in Code::ALL {
            let damaged = matches!(
                code,
                Code::ChecksumMismatch
                    | Code::Http
                    | Code::ManifestInvalid
                    | Code::NotJson
                    | Code::SchemaInvalid
                    | Code::TooLarge
            );
            let failure = Failure::from(Error::from(ReadFailure::new(code, "x")));
            assert_eq!(failure.exit() as u8, if damaged { 5 } else { 1 }, "{code:?}");
            assert_eq!(failure.to_json()["error"]["code"], code.as_str());
        }
    }
}
