//! What a publish reports.

use std::fmt;

use indicatif::HumanBytes;
use lastgood::convert::csv::LeftOut;
use lastgood::protocol::schema::Draft;
use lastgood::{Publication, PublishedDataset, Rehearsed};
use serde::Serialize;

use crate::dir::FeedDir;

/// What has been published.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    dir: String,
    dir_origin: String,
    /// Whether nothing was published: what would be is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<String>,
    created: bool,
    generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
    datasets: Vec<Dataset<'a>>,
    recovered: bool,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Dataset<'a> {
    dataset: &'a str,
    new: bool,
    changed: bool,
    size: u64,
    rows: Option<u64>,
    nan_mapped: u64,
    left_out: Vec<Column>,
    forced: Option<&'a str>,
    expires_at: Option<String>,
    sha256: String,
    schema: Option<Schema>,
}

/// A column of CSV that was left out.
#[derive(Serialize)]
struct Column {
    column: usize,
    counter: bool,
}

#[derive(Serialize)]
struct Schema {
    version: u32,
    sha256: String,
    /// The draft that it was given in, when it is published in another.
    #[serde(skip_serializing_if = "Option::is_none")]
    converted_from: Option<&'static str>,
    #[serde(skip)]
    draft: Option<Draft>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(dir: &'a FeedDir, publication: &'a Publication) -> Self {
        Self {
            dir: dir.path.display().to_string(),
            dir_origin: dir.origin.to_string(),
            dry_run: false,
            feed: Some(publication.feed.to_string()),
            created: publication.created,
            generation: publication.generation.get(),
            commit: Some(publication.commit.to_string()),
            published_at: Some(publication.published_at.to_string()),
            datasets: publication.datasets.iter().map(Dataset::new).collect(),
            recovered: publication.recovery.did_something(),
            warnings: &publication.warnings,
        }
    }

    /// What would be published.
    pub(crate) fn rehearsed(dir: &'a FeedDir, rehearsed: &'a Rehearsed) -> Self {
        Self {
            dir: dir.path.display().to_string(),
            dir_origin: dir.origin.to_string(),
            dry_run: true,
            feed: None,
            created: rehearsed.created,
            generation: rehearsed.generation.get(),
            commit: None,
            published_at: None,
            datasets: rehearsed.datasets.iter().map(Dataset::new).collect(),
            recovered: false,
            warnings: &rehearsed.warnings,
        }
    }
}

impl<'a> Dataset<'a> {
    fn new(dataset: &'a PublishedDataset) -> Self {
        Self {
            dataset: dataset.dataset.as_str(),
            new: dataset.new,
            changed: dataset.changed,
            size: dataset.size,
            rows: dataset.rows,
            nan_mapped: dataset.nan_mapped,
            left_out: dataset.left_out.iter().map(|&LeftOut { column, counter }| Column { column, counter }).collect(),
            forced: dataset.forced.as_deref(),
            expires_at: dataset.expires_at.map(|end| end.to_string()),
            sha256: dataset.sha256.to_string(),
            schema: dataset.schema.as_ref().map(|schema| Schema {
                version: schema.version,
                sha256: schema.sha256.to_string(),
                converted_from: dataset.schema_converted_from.map(Draft::as_str),
                draft: dataset.schema_converted_from,
            }),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry_run {
            let new = if self.created { ", which would be a new feed" } else { "" };
            writeln!(f, "would publish generation {} in {}{new}; nothing was changed", self.generation, self.dir)?;
        } else if self.created {
            writeln!(f, "created the feed {} ({})", self.dir, self.dir_origin)?;
        }
        if self.recovered {
            writeln!(f, "put in order what an interrupted publish had left")?;
        }
        if !self.dry_run {
            writeln!(f, "published generation {} in {}", self.generation, self.dir)?;
        }
        let width = self.datasets.iter().map(|dataset| dataset.dataset.len()).max().unwrap_or(0);
        for dataset in &self.datasets {
            let size = HumanBytes(dataset.size).to_string();
            write!(f, "  {:width$}  {size:>12}", dataset.dataset)?;
            if let Some(rows) = dataset.rows {
                write!(f, "  {rows} {}", if rows == 1 { "row" } else { "rows" })?;
            }
            let change = match dataset {
                Dataset { new: true, .. } => "new",
                Dataset { changed: true, .. } => "changed",
                _ => "unchanged",
            };
            write!(f, "  {change}")?;
            if let Some(schema) = &dataset.schema {
                write!(f, ", matches its schema (version {})", schema.version)?;
                if let Some(draft) = schema.draft {
                    write!(f, ", schema converted from {draft}")?;
                }
            }
            match dataset.nan_mapped {
                0 => {}
                1 => write!(f, ", 1 NaN published as null")?,
                many => write!(f, ", {many} NaN published as null")?,
            }
            for Column { column, counter } in &dataset.left_out {
                let what = if *counter { "an index without a name" } else { "which has no name" };
                write!(f, ", left out column {column}, {what}")?;
            }
            if let Some(guards) = dataset.forced {
                write!(f, ", forced although broken: {guards}")?;
            }
            if let Some(end) = &dataset.expires_at {
                write!(f, ", expires at {end}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
