//! The options for input that is not JSON.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use lastgood::config::{Config, InputFormat};
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Separation, Unnamed};
use lastgood::protocol::name::DatasetName;

use super::scope::{Datasets, Scoped, ScopedChoice, scoped};
use crate::exit::Failure;
use crate::input::Input;

/// What the inputs are written in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input (NAME= in front of a value: for that dataset alone)")]
pub(crate) struct FormatOptions {
    /// What the inputs are written in; CSV and JSON Lines are published as a JSON array [default: auto]
    #[arg(long, value_name = "[NAME=]FORMAT", value_parser = ScopedChoice::<Name>::new())]
    format: Vec<Scoped<Name>>,
    /// What stands between the fields of CSV: one character, tab, or auto to find it in the first rows [default: a comma; for
    /// .tsv a tab]
    #[arg(long, value_name = "[NAME=]CHAR", value_parser = scoped(str::parse::<Separation>))]
    delimiter: Vec<Scoped<Separation>>,
    /// The type of a column of CSV: integer, float, boolean or text; may be repeated [default: inferred]
    #[arg(long = "column", value_name = "[NAME=]COLUMN=TYPE", value_parser = column)]
    columns: Vec<String>,
    /// Columns of CSV without a name: auto leaves out a counter in the first place and refuses others, drop leaves out all, a
    /// text is the name of the only one [default: auto]
    #[arg(long, value_name = "[NAME=]auto|drop|TEXT", value_parser = unnamed)]
    unnamed: Vec<String>,
    /// A word of CSV that stands for null, as an empty field does, such as NA; may be repeated
    #[arg(long = "null", value_name = "[NAME=]WORD", allow_hyphen_values = true)]
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
        let datasets = Datasets(&datasets);
        let format = datasets.single("--format", &self.format)?;
        let delimiter = datasets.single("--delimiter", &self.delimiter)?;
        let columns = self.columns(datasets)?;
        let unnamed = datasets.single_text("--unnamed", &self.unnamed)?;
        let null: Vec<_> = self.null.iter().map(|text| datasets.split(text, |word| !word.is_empty())).collect();
        let format = |input: &Input| {
            let mut configured = config.dataset(&input.dataset).input.clone();
            let is_for = |of: Option<&DatasetName>| of.is_none_or(|of| *of == input.dataset);
            configured.format = format.of(&input.dataset).map_or(configured.format, |name| InputFormat::from(*name));
            configured.delimiter = delimiter.of(&input.dataset).copied().or(configured.delimiter);
            let given = columns.iter().filter(|((of, _), _)| is_for(of.as_ref()));
            // What is given for all comes first, so that what is given for one wins.
            configured.columns.extend(given.map(|((_, name), kind)| (name.clone(), *kind)));
            if let Some(unnamed) = unnamed.of(&input.dataset) {
                configured.unnamed = unnamed.parse().expect("it was parsed");
            }
            configured.null.extend(null.iter().filter(|(of, _)| is_for(*of)).map(|(_, word)| (*word).to_owned()));
            configured.format_of(input.path())
        };
        let formats: Vec<Format> = inputs.iter().map(format).collect();
        let mut given: Vec<(&str, Option<&DatasetName>)> = Vec::new();
        given.extend(self.delimiter.iter().map(|given| ("--delimiter", given.dataset())));
        given.extend(columns.keys().map(|(of, _)| ("--column", of.as_ref())));
        given.extend(self.unnamed.iter().map(|text| ("--unnamed", datasets.split(text, |name| !name.is_empty()).0)));
        given.extend(null.iter().map(|(of, _)| ("--null", *of)));
        let is_csv = |of: Option<&DatasetName>| {
            let mut concerned =
                inputs.iter().zip(&formats).filter(|(input, _)| of.is_none_or(|of| *of == input.dataset));
            concerned.any(|(_, format)| matches!(format, Format::Csv(_)))
        };
        given.retain(|(_, of)| !is_csv(*of));
        given.dedup();
        if given.is_empty() {
            return Ok(formats);
        }
        let options = given.iter().map(|(option, of)| of.map_or((*option).to_owned(), |of| format!("{option} {of}=…")));
        let options = options.collect::<Vec<_>>().join(", ");
        let (which, format) = match given.iter().find_map(|(_, of)| of.filter(|_| is_csv(None))) {
            Some(of) => (format!("{of} is not CSV"), format!("{of}=csv")),
            None => ("no input is CSV".to_owned(), "csv".to_owned()),
        };
        Err(Failure::Usage(format!(
            "{options}: for CSV alone, and {which}; for a file without .csv or .tsv, and for stdin, add --format {format}"
        )))
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

fn unnamed(text: &str) -> Result<String, String> {
    text.parse::<Unnamed>().map(|_| text.to_owned())
}
