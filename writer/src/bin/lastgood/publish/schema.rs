//! The options for schemas.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use lastgood::Schema;
use lastgood::config::Config;
use lastgood::protocol::name::DatasetName;

use crate::exit::Failure;
use crate::input::after;

/// What payloads must look like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Schemas")]
pub(crate) struct SchemaOptions {
    /// Publish only what matches this JSON Schema (draft 2020-12), and publish the schema with it; NAME=FILE with several
    /// datasets, may be repeated
    #[arg(
        long = "schema",
        value_name = "[NAME=]FILE",
        value_parser = OsStringValueParser::new().map(SchemaFile::parse),
    )]
    schemas: Vec<SchemaFile>,
    /// Your own number for the shape of the data, to be raised when pages have to change with it
    #[arg(long, value_name = "N", default_value_t = 1, requires = "schemas")]
    schema_version: u32,
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

impl SchemaOptions {
    /// The schemas of the datasets that have one: those that are given, else those that are configured.
    pub(crate) fn over<'a>(
        &self,
        datasets: impl Iterator<Item = &'a DatasetName>,
        config: &Config,
    ) -> Result<BTreeMap<DatasetName, Schema>, Failure> {
        let datasets: Vec<&DatasetName> = datasets.collect();
        let mut schemas = BTreeMap::new();
        for SchemaFile { dataset, file } in &self.schemas {
            let dataset = match (dataset, &datasets[..]) {
                (Some(dataset), _) if datasets.contains(&dataset) => dataset,
                (Some(dataset), _) => {
                    let problem = format!("--schema {dataset}=…: {dataset} is not a JSON dataset of this publish");
                    return Err(Failure::Usage(problem));
                }
                (None, [only]) => *only,
                (None, _) => {
                    let file = file.display();
                    let problem = format!("--schema {file}: which dataset is it for? write --schema NAME={file}");
                    return Err(Failure::Usage(problem));
                }
            };
            let schema = Schema { version: self.schema_version, json: read(file)? };
            if schemas.insert(dataset.clone(), schema).is_some() {
                return Err(Failure::Usage(format!("--schema for {dataset} is given more than once")));
            }
        }
        for dataset in datasets {
            if let Some(configured) = &config.dataset(dataset).schema
                && !schemas.contains_key(dataset)
            {
                let schema = Schema { version: configured.version, json: read(&configured.file)? };
                schemas.insert(dataset.clone(), schema);
            }
        }
        Ok(schemas)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|source| Failure::SchemaFile { file: file.to_owned(), source })
}
