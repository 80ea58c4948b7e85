//! Schemas: what a payload is validated against before anything is locked or published.

mod text;

use std::borrow::Cow;
use std::io::{self, Write};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::json::quoted;
use lastgood_protocol::manifest::{MAX_SCHEMA_BYTES, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::schema::{Converted, Draft, SchemaError, convert};

use crate::error::Error;
use crate::patterns::{Compiled, PATIENCE};
use crate::prepare::PreparedSchema;
use crate::storage::{Kind, StagedFile, Staging};

/// How many violations an error lists at most; how many more there are it says, too.
pub const LISTED_VIOLATIONS: usize = 50;

/// The JSON Schema (draft 2020-12) of a dataset, and the publisher's own number for the shape that it describes.
///
/// What is supported, and what is refused, is said in [`lastgood_protocol::schema`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The number, from 1 by custom: to be raised when pages have to change with the data.
    pub version: u32,
    /// The schema, published as an object: to the byte, or converted when it is of draft 7 or 2019-09.
    pub json: Vec<u8>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// The bytes are not text.
    #[error("the schema is refused: it is not UTF-8")]
    NotUtf8,
    /// The bytes are not JSON.
    #[error("the schema is refused at line {line}, column {column}: {problem}")]
    NotJson {
        /// The stable name for machines.
        code: &'static str,
        /// The line, from 1.
        line: u64,
        /// The column, from 1, in Unicode code points.
        column: u64,
        /// The JSON pointer to what is at fault, or to what is around it.
        pointer: String,
        /// What was expected and found, and what to do.
        problem: String,
    },
    /// Readers would not read it.
    #[error("the schema is refused: it has {size} bytes, more than the {MAX_SCHEMA_BYTES} that readers read")]
    TooLarge {
        /// Its size, in bytes.
        size: u64,
    },
    /// The dataset is not JSON.
    #[error("an artifact (.{ext}) has no schema: publish it without one")]
    Artifact {
        /// The extension of the artifact.
        ext: String,
    },
    /// A regular expression does not come to an end.
    #[error(
        "the regular expression {} takes more than {} s for one text of the payload, and would in pages; \
         do not repeat what is itself repeated, as in (a+)+", quoted(pattern), PATIENCE.as_secs()
    )]
    SlowPattern {
        /// The regular expression.
        pattern: String,
    },
    /// The system refuses the thread that validates.
    #[error("cannot start a thread to validate: {problem}")]
    Thread {
        /// What the system says.
        problem: String,
    },
    /// Something in it is wrong or not supported.
    #[error(transparent)]
    Refused(#[from] SchemaError),
}

impl SchemaProblem {
    pub(crate) fn thread(error: io::Error) -> Self {
        Self::Thread { problem: error.to_string() }
    }
}

/// A schema that is ready to validate.
pub(crate) struct Validator {
    /// As it is published.
    schema: Schema,
    converted_from: Option<Draft>,
    compiled: Compiled,
}

impl Validator {
    pub(crate) fn new(dataset: &DatasetName, ext: &Ext, schema: Schema, formats: bool) -> Result<Self, Error> {
        Self::prepared(ext, schema, formats).map_err(refused(dataset))
    }

    fn prepared(ext: &Ext, Schema { version, mut json }: Schema, formats: bool) -> Result<Self, SchemaProblem> {
        if !ext.is_json() {
            return Err(SchemaProblem::Artifact { ext: ext.as_str().to_owned() });
        }
        check_size(&json)?;
        let mut converted_from = None;
        if let Some(Converted { text, draft }) = convert(text::read(&json)?)? {
            json = text.into_bytes();
            converted_from = Some(draft);
            check_size(&json)?;
        }
        Ok(Self { compiled: compile_text(&json, formats)?, schema: Schema { version, json }, converted_from })
    }

    /// Validates a payload that obeys the payload rules.
    pub(crate) fn validate(&self, dataset: &DatasetName, payload: Vec<u8>) -> Result<(), Error> {
        let text = String::from_utf8(payload).expect("the payload rules let nothing through but UTF-8");
        let invalid = |invalid| Error::SchemaInvalid { dataset: dataset.clone(), invalid: Box::new(invalid) };
        self.compiled.validate(Cow::Owned(text)).map_err(refused(dataset))?.map_err(invalid)
    }

    /// Stages the schema, to be put beside the payload.
    pub(crate) fn stage<S: Staging>(self, staging: &S) -> io::Result<PreparedSchema<S::File>> {
        let Schema { version, json } = self.schema;
        let mut object = staging.create(Kind::Published)?;
        object.write_all(&json)?;
        let reference = SchemaRef { version, sha256: Sha256::of(&json), size: json.len() as u64 };
        Ok(PreparedSchema { reference, converted_from: self.converted_from, object: object.finish()? })
    }
}

fn refused(dataset: &DatasetName) -> impl Fn(SchemaProblem) -> Error {
    move |problem| Error::SchemaRefused { dataset: dataset.clone(), problem: Box::new(problem) }
}

fn check_size(json: &[u8]) -> Result<(), SchemaProblem> {
    let size = json.len() as u64;
    if size > MAX_SCHEMA_BYTES { Err(SchemaProblem::TooLarge { size }) } else { Ok(()) }
}

/// Compiles the bytes of a schema, whoever has published it. Readers assert no formats: the publisher has, if that was asked.
pub(crate) fn compile_text(json: &[u8], formats: bool) -> Result<Compiled, SchemaProblem> {
    let text = std::str::from_utf8(json).map_err(|_| SchemaProblem::NotUtf8)?;
    Ok(Compiled::compile(text, formats)?)
}
