//! The options for input that is not JSON.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use lastgood::config::{Config, InputFormat};
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Separation, Unnamed};
use lastgood::protocol::name::DatasetName;

use super::scope::Datasets;
use crate::exit::Failure;
use crate::input::Input;

/// What the inputs are written in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct FormatOptions {
    /// What the inputs are written in; CSV and JSON Lines are published as a JSON array [default: auto]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Name>,
    /// What stands between the fields of CSV: one character, tab, or auto to find it in the first rows [default: a comma; for
    /// .tsv a tab]
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<Separation>,
    /// The type of a column of CSV: integer, float, boolean or text; with NAME= in front for that dataset alone; may be
    /// repeated [default: inferred]
    #[arg(long = "column", value_name = "[NAME=]COLUMN=TYPE", value_parser = column)]
    columns: Vec<String>,
    /// Columns of CSV without a name: auto leaves out a counter in the first place and refuses others, drop leaves out all, a
    /// name is given to the only one [default: auto]
    #[arg(long, value_name = "auto|drop|NAME")]
    unnamed: Option<Unnamed>,
    /// A word of CSV that stands for null, as an empty field does, such as NA; may be repeated
    #[arg(long = "null", value_name = "WORD", allow_hyphen_values = true)]
    null: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// By the extension of the file: .csv, .tsv, .jsonl, .ndjson; everything else, and stdin, is JSON
    Auto,
    /// JSON, published to the byte
    Json,
    /// A header row and rows
    Csv,
    /// One JSON value on each line
    Jsonl,
}

impl From<Name> for InputFormat {
    fn from(name: Name) -> Self {
        match name {
            Name::Auto => InputFormat::Auto,
            Name::Json => InputFormat::Json,
            Name::Csv => InputFormat::Csv,
            Name::Jsonl => InputFormat::JsonLines,
        }
    }
}

impl FormatOptions {
    /// The format of each input: these options where they are given, else what is configured.
    pub(crate) fn over(&self, inputs: &[Input], config: &Config) -> Result<Vec<Format>, Failure> {
        let datasets: Vec<&DatasetName> = inputs.iter().map(|input| &input.dataset).collect();
        let columns = self.columns(Datasets(&datasets))?;
        let format = |input: &Input| {
            let mut configured = config.dataset(&input.dataset).input.clone();
            configured.format = self.format.map_or(configured.format, InputFormat::from);
            configured.delimiter = self.delimiter.or(configured.delimiter);
            let given = columns.iter().filter(|((of, _), _)| of.as_ref().is_none_or(|of| *of == input.dataset));
            // What is given for all comes first, so that what is given for one wins.
            configured.columns.extend(given.map(|((_, name), kind)| (name.clone(), *kind)));
            if let Some(unnamed) = &self.unnamed {
                configured.unnamed.clone_from(unnamed);
            }
            configured.null.extend(self.null.iter().cloned());
            configured.format_of(input.path())
        };
        let formats: Vec<Format> = inputs.iter().map(format).collect();
        let given = [
            ("--delimiter", self.delimiter.is_some()),
            ("--column", !columns.is_empty()),
            ("--unnamed", self.unnamed.is_some()),
            ("--null", !self.null.is_empty()),
        ];
        let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(option, _)| option).collect();
        if !given.is_empty() && !formats.iter().any(|is| matches!(is, Format::Csv(_))) {
            return Err(Failure::Usage(format!(
                "{}: for CSV alone, and no input is CSV; for a file without .csv or .tsv, and for stdin, add --format csv",
                given.join(", ")
            )));
        }
        Ok(formats)
    }

    /// The types by dataset, or none for all of them, and column.
    fn columns(&self, datasets: Datasets<'_>) -> Result<BTreeMap<GivenColumn, ColumnType>, Failure> {
        let mut columns = BTreeMap::new();
        for text in &self.columns {
            let (dataset, text) = datasets.split(text, |text| split(text).is_ok());
            let (name, kind) = split(text).map_err(Failure::Usage)?;
            if columns.insert((dataset.cloned(), name.to_owned()), kind).is_some() {
                let of = dataset.map(|dataset| format!("{dataset}=")).unwrap_or_default();
                return Err(Failure::Usage(format!("--column {of}{name}=… is given more than once")));
            }
        }
        Ok(columns)
    }
}

/// The dataset, or none for all of the call, and the name of the column.
type GivenColumn = (Option<DatasetName>, String);

fn split(text: &str) -> Result<(&str, ColumnType), String> {
    // A name may have any `=`, a type has none.
    match text.rsplit_once('=') {
        Some((name, kind)) if !name.is_empty() => Ok((name, kind.parse()?)),
        _ => Err("expected COLUMN=TYPE, such as id=text".to_owned()),
    }
}

fn column(text: &str) -> Result<String, String> {
    split(text).map(|_| text.to_owned())
}
