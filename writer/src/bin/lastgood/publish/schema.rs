//! The options for schemas.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lastgood::Schema;
use lastgood::config::{Config, value};
use lastgood::protocol::name::DatasetName;

use crate::exit::Failure;
use crate::input::after;
use crate::unknown::closest;

/// What payloads must look like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schemas")]
pub(crate) struct SchemaOptions {
    /// Publish only what matches this JSON Schema (draft 2020-12; 7 and 2019-09 are converted), and publish the schema with
    /// it; NAME=FILE with several datasets, may be repeated
    #[arg(
        long = "schema",
        value_name = "[NAME=]FILE",
        value_parser = OsStringValueParser::new().map(SchemaFile::parse),
    )]
    schemas: Vec<SchemaFile>,
    /// Your own number for the shape of the data, to be raised when pages have to change with it
    #[arg(long, value_name = "N", default_value_t = 1, requires = "schemas", value_parser = value::version)]
    schema_version: u32,
    /// Refuse texts that do not have the `format` that the schema says, such as date or uuid; without it, `format` is an
    /// annotation
    #[arg(long)]
    pub(crate) assert_formats: bool,
}

/// A file with a schema, and the dataset that it is for; without one it is for the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SchemaFile {
    dataset: Option<DatasetName>,
    file: PathBuf,
}

impl SchemaFile {
    fn parse(argument: OsString) -> Self {
        let bytes = argument.as_encoded_bytes();
        let named = bytes.iter().position(|&byte| byte == b'=').and_then(|at| {
            let dataset = DatasetName::parse(&String::from_utf8_lossy(&bytes[..at])).ok()?;
            Some(Self { dataset: Some(dataset), file: after(&argument, at + 1).into() })
        });
        named.unwrap_or_else(|| Self { dataset: None, file: argument.into() })
    }
}

/// The schema of a dataset, and the file that it was read from.
pub(crate) struct Given {
    pub(crate) file: PathBuf,
    pub(crate) schema: Schema,
}

impl Given {
    fn read(file: &Path, version: u32) -> Result<Self, Failure> {
        let json = fs::read(file).map_err(|source| Failure::SchemaFile { file: file.to_owned(), source })?;
        Ok(Self { file: file.to_owned(), schema: Schema { version, json } })
    }
}

impl SchemaOptions {
    /// The schemas of the datasets that have one: those that are given, else those that are configured.
    pub(crate) fn over(
        &self,
        datasets: &[&DatasetName],
        artifacts: &[&DatasetName],
        config: &Config,
    ) -> Result<BTreeMap<DatasetName, Given>, Failure> {
        let mut schemas = BTreeMap::new();
        for SchemaFile { dataset, file } in &self.schemas {
            let dataset = match (dataset, datasets) {
                (Some(dataset), _) if datasets.contains(&dataset) => dataset,
                (Some(dataset), _) => return Err(Failure::Usage(not_published(dataset, datasets, artifacts))),
                (None, [only]) => *only,
                (None, []) => {
                    let problem = "--schema: artifacts have no schema, and nothing else is published".to_owned();
                    return Err(Failure::Usage(problem));
                }
                (None, _) => {
                    let file = file.display();
                    let problem = format!("--schema {file}: which dataset is it for? write --schema NAME={file}");
                    return Err(Failure::Usage(problem));
                }
            };
            if schemas.insert(dataset.clone(), Given::read(file, self.schema_version)?).is_some() {
                return Err(Failure::Usage(format!("--schema for {dataset} is given more than once")));
            }
        }
        for &dataset in datasets {
            if let Some(configured) = &config.dataset(dataset).schema
                && !schemas.contains_key(dataset)
            {
                schemas.insert(dataset.clone(), Given::read(&configured.file, configured.version)?);
            }
        }
        Ok(schemas)
    }
}

/// What is wrong with a schema for what is no JSON dataset of this publish.
fn not_published(dataset: &DatasetName, datasets: &[&DatasetName], artifacts: &[&DatasetName]) -> String {
    if artifacts.contains(&dataset) {
        return format!(
            "--schema {dataset}=…: {dataset} is not a JSON dataset of this publish but an artifact, which has no schema; leave it out"
        );
    }
    let known: Vec<&str> = datasets.iter().map(|dataset| dataset.as_str()).collect();
    let meant = closest(dataset.as_str(), &known).map(|name| format!("; did you mean {name}=…?")).unwrap_or_default();
    format!("--schema {dataset}=…: {dataset} is not a JSON dataset of this publish{meant}")
}
