//! Why a schema is refused.

use alloc::string::String;

use crate::json::quoted;

use super::report::excerpt;
use crate::scalar::NotJson;

/// The dialect that schemas are read as, whether they say so or not.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema that cannot be used, with the first reason found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schema is refused{}: {kind}", place(pointer))]
pub struct SchemaError {
    /// The JSON pointer (RFC 6901) to what is at fault, in the schema. Empty for the whole schema.
    pub pointer: String,
    /// What is wrong.
    pub kind: SchemaErrorKind,
}

/// What can be wrong with a schema. Excerpts are bounded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaErrorKind {
    /// The text is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(NotJson),
    /// A keyword has a value that it cannot have.
    #[error("expected {expected} as value of {keyword}, found {found}")]
    Value {
        /// The keyword.
        keyword: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A name occurs twice in one object of the schema.
    #[error("the name {name} occurs twice in this object; which of the two counts would be a guess")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Two subschemas call themselves the same.
    #[error("{name} is the {keyword} of another subschema, too; give each its own")]
    Ambiguous {
        /// `$id` or `$anchor`.
        keyword: &'static str,
        /// What both are called.
        name: String,
    },
    /// A keyword that is not supported, or that means nothing in this draft.
    #[error("{keyword} is not supported; {way_out}")]
    Unsupported {
        /// The keyword.
        keyword: &'static str,
        /// What to write instead.
        way_out: &'static str,
    },
    /// An older draft that is not converted.
    #[error("{found} is not read; {way_out}")]
    OtherDraft {
        /// The value of `$schema`.
        found: String,
        /// What to write instead.
        way_out: &'static str,
    },
    /// A keyword of an older draft that cannot be converted to the one that is read.
    #[error("{keyword} cannot be converted to draft 2020-12; {way_out}")]
    NotConverted {
        /// The keyword.
        keyword: &'static str,
        /// Why, and what to write instead.
        way_out: &'static str,
    },
    /// Another dialect than the one that is known.
    #[error("expected the dialect {DIALECT}, found {found}; other dialects and custom vocabularies are not supported")]
    Dialect {
        /// The value of `$schema`.
        found: String,
    },
    /// A reference to a schema that is not inside this one.
    #[error(
        "{reference} is outside of this schema, and remote references are not followed; put that schema under $defs"
    )]
    Remote {
        /// The reference.
        reference: String,
    },
    /// A reference to a place that is not there.
    #[error("there is nothing at {reference}")]
    Unresolved {
        /// The reference.
        reference: String,
    },
    /// The engine refuses a regular expression.
    #[error("{pattern} is not a regular expression of ECMAScript (unicode mode): {problem}")]
    Pattern {
        /// The regular expression.
        pattern: String,
        /// What the engine says.
        problem: String,
    },
    /// A format is to be asserted that cannot be.
    #[error("the format {format} cannot be asserted: {problem}")]
    Format {
        /// The format.
        format: String,
        /// Why.
        problem: String,
    },
    /// References that lead back to where they came from without going into the instance.
    #[error("its references lead back to it without going deeper into the data, so validating would never end")]
    Endless,
    /// So many names and references that following them would take too long.
    #[error("it has too many references and names to be followed; make several of it")]
    TooComplex,
}

impl SchemaErrorKind {
    /// The stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::Value { .. } => "invalid-value",
            Self::DuplicateName { .. } => "duplicate-name",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Unsupported { .. } => "unsupported-keyword",
            Self::Dialect { .. } | Self::OtherDraft { .. } => "unknown-dialect",
            Self::NotConverted { .. } => "not-convertible",
            Self::Remote { .. } => "remote-reference",
            Self::Unresolved { .. } => "unresolved-reference",
            Self::Pattern { .. } => "invalid-pattern",
            Self::Format { .. } => "unknown-format",
            Self::Endless => "endless-reference",
            Self::TooComplex => "too-complex",
        }
    }
}

/// A pointer as part of a message.
fn place(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { [" at ", &excerpt(&quoted(pointer), 200)].concat() }
}
