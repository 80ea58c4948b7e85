//! The options for input that is not JSON.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use lastgood::config::{Config, InputFormat};
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter};

use crate::exit::Failure;
use crate::input::Input;

/// What the inputs are written in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct FormatOptions {
    /// What the inputs are written in; CSV and JSON Lines are published as a JSON array [default: auto]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Name>,
    /// What stands between the fields of CSV: one character, or tab [default: a comma; for .tsv a tab]
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<Delimiter>,
    /// The type of a column of CSV: integer, float, boolean or text; may be repeated [default: inferred]
    #[arg(long = "column", value_name = "NAME=TYPE", value_parser = column)]
    columns: Vec<(String, ColumnType)>,
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
        let columns = self.columns()?;
        let format = |input: &Input| {
            let mut configured = config.dataset(&input.dataset).input.clone();
            configured.format = self.format.map_or(configured.format, InputFormat::from);
            configured.delimiter = self.delimiter.or(configured.delimiter);
            configured.columns.extend(columns.clone());
            configured.format_of(input.path())
        };
        let formats: Vec<Format> = inputs.iter().map(format).collect();
        if (self.delimiter.is_some() || !columns.is_empty()) && !formats.iter().any(|is| matches!(is, Format::Csv(_))) {
            let problem = "--delimiter and --column are for CSV, and no input is; for a file without .csv or .tsv, and for \
                           stdin, add --format csv";
            return Err(Failure::Usage(problem.to_owned()));
        }
        Ok(formats)
    }

    fn columns(&self) -> Result<BTreeMap<String, ColumnType>, Failure> {
        let mut columns = BTreeMap::new();
        for (name, kind) in &self.columns {
            if columns.insert(name.clone(), *kind).is_some() {
                return Err(Failure::Usage(format!("--column {name}=… is given more than once")));
            }
        }
        Ok(columns)
    }
}

fn column(text: &str) -> Result<(String, ColumnType), String> {
    // A name may have any `=`, a type has none.
    match text.rsplit_once('=') {
        Some((name, kind)) if !name.is_empty() => Ok((name.to_owned(), kind.parse()?)),
        _ => Err("expected NAME=TYPE, such as id=text".to_owned()),
    }
}
