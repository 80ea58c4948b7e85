//! Schemas: what a payload is validated against before anything is locked or published.

use std::io::{self, Write};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::{MAX_SCHEMA_BYTES, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::schema::{self, Engine, Pattern, SchemaError};

use crate::error::Error;
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
    /// The schema, published as an object to the byte.
    pub json: Vec<u8>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaProblem {
    /// The bytes are not text.
    #[error("the schema is refused: it is not UTF-8")]
    NotUtf8,
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
    /// Something in it is wrong or not supported.
    #[error(transparent)]
    Refused(#[from] SchemaError),
}

/// A schema that is ready to validate.
pub(crate) struct Validator {
    schema: Schema,
    compiled: schema::Schema<Regex>,
}

impl Validator {
    pub(crate) fn new(dataset: &DatasetName, ext: &Ext, schema: Schema) -> Result<Self, Error> {
        let compiled = compile(ext, &schema);
        let compiled = compiled
            .map_err(|problem| Error::SchemaRefused { dataset: dataset.clone(), problem: Box::new(problem) })?;
        Ok(Self { schema, compiled })
    }

    /// Validates a payload that obeys the payload rules.
    pub(crate) fn validate(&self, dataset: &DatasetName, payload: &[u8]) -> Result<(), Error> {
        let text = std::str::from_utf8(payload).expect("the payload rules let nothing through but UTF-8");
        let invalid = |invalid| Error::SchemaInvalid { dataset: dataset.clone(), invalid: Box::new(invalid) };
        self.compiled.validate(text, LISTED_VIOLATIONS).map_err(invalid)
    }

    /// Stages the schema, to be put beside the payload.
    pub(crate) fn stage<S: Staging>(self, staging: &S) -> io::Result<PreparedSchema<S::File>> {
        let Schema { version, json } = self.schema;
        let mut object = staging.create(Kind::Published)?;
        object.write_all(&json)?;
        let reference = SchemaRef { version, sha256: Sha256::of(&json), size: json.len() as u64 };
        Ok(PreparedSchema { reference, object: object.finish()? })
    }
}

fn compile(ext: &Ext, schema: &Schema) -> Result<schema::Schema<Regex>, SchemaProblem> {
    if !ext.is_json() {
        return Err(SchemaProblem::Artifact { ext: ext.as_str().to_owned() });
    }
    if schema.json.len() as u64 > MAX_SCHEMA_BYTES {
        return Err(SchemaProblem::TooLarge { size: schema.json.len() as u64 });
    }
    compile_text(&schema.json)
}

/// Compiles the bytes of a schema, whoever has published it.
pub(crate) fn compile_text(json: &[u8]) -> Result<schema::Schema<Regex>, SchemaProblem> {
    let text = std::str::from_utf8(json).map_err(|_| SchemaProblem::NotUtf8)?;
    Ok(schema::Schema::compile(text, &Ecmascript)?)
}

/// Regular expressions with the meaning that they have in a browser.
struct Ecmascript;

pub(crate) struct Regex(regress::Regex);

impl Engine for Ecmascript {
    type Pattern = Regex;

    fn compile(&self, source: &str) -> Result<Regex, String> {
        regress::Regex::with_flags(source, "u").map(Regex).map_err(|error| error.to_string())
    }
}

impl Pattern for Regex {
    fn is_in(&self, text: &str) -> bool {
        self.0.find(text).is_some()
    }
}
