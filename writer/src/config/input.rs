//! What an input is written in.

use std::collections::BTreeMap;
use std::path::Path;

use crate::convert::Format;
use crate::convert::csv::{ColumnType, Delimiter, Options, Separation, Unnamed};

/// What the input of a dataset is written in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// The format, if it does not depend on the file.
    pub format: InputFormat,
    /// What stands between the fields of CSV; by default a comma is assumed, for `.tsv` a tab.
    pub delimiter: Option<Separation>,
    /// Columns of CSV whose type is given.
    pub columns: BTreeMap<String, ColumnType>,
    /// What becomes of columns of CSV without a name.
    pub unnamed: Unnamed,
    /// Words of CSV that stand for null.
    pub null: Vec<String>,
}

/// How an input says what it is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputFormat {
    /// By the extension of the file: `.csv`, `.tsv`, `.jsonl`, `.ndjson`; everything else, and what is no file, is JSON.
    #[default]
    Auto,
    /// JSON, published to the byte.
    Json,
    /// A header row and rows.
    Csv,
    /// One JSON value on each line.
    JsonLines,
}

impl Input {
    /// The format of a file, or of what is no file.
    #[must_use]
    pub fn format_of(&self, file: Option<&Path>) -> Format {
        let extension =
            file.and_then(Path::extension).map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let extension = extension.as_deref().unwrap_or_default();
        match (self.format, extension) {
            (InputFormat::Auto, "jsonl" | "ndjson") | (InputFormat::JsonLines, _) => Format::JsonLines,
            (InputFormat::Auto, "csv" | "tsv") | (InputFormat::Csv, _) => {
                let by_extension = if extension == "tsv" { Delimiter::TAB } else { Delimiter::COMMA };
                let delimiter = self.delimiter.unwrap_or(Separation::Assumed(by_extension));
                Format::Csv(Options {
                    delimiter,
                    columns: self.columns.clone(),
                    unnamed: self.unnamed.clone(),
                    null: self.null.clone(),
                })
            }
            (InputFormat::Auto | InputFormat::Json, _) => Format::Json,
        }
    }
}
