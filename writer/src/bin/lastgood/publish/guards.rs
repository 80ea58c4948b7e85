//! The options for guards.

use clap::Args;
use lastgood::config::value;
use lastgood::protocol::name::DatasetName;
use lastgood::{Guards, Shrink};

use super::scope::{Datasets, PerDataset, Scoped, scoped};
use crate::exit::Failure;

/// What must hold of the payloads of a call, beside what `lastgood.toml` says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Guards (NAME= in front of a value: for that dataset alone)")]
pub(crate) struct GuardOptions {
    /// Refuse an array with fewer elements
    #[arg(long, value_name = "[NAME=]N", value_parser = scoped(value::rows))]
    min_rows: Vec<Scoped<u64>>,
    /// Refuse a payload that is smaller than the published one by more than this, such as 50%: rows, if both are arrays,
    /// else bytes
    #[arg(long, value_name = "[NAME=]PART", value_parser = scoped(str::parse::<Shrink>))]
    max_shrink: Vec<Scoped<Shrink>>,
    /// Refuse a payload without these members of its meta; adds to those of lastgood.toml
    #[arg(long, value_name = "[NAME=]KEY", value_delimiter = ',')]
    require_meta: Vec<String>,
    /// Refuse rows whose value of this name decreases, or ends before that of what is published
    #[arg(long, value_name = "[NAME=]COLUMN")]
    time_column: Vec<String>,
    /// Publish even if a guard is broken, and record that in the manifest
    #[arg(long)]
    pub(crate) force: bool,
}

/// The guards of a call, by dataset.
pub(crate) struct GivenGuards {
    min_rows: PerDataset<u64>,
    max_shrink: PerDataset<Shrink>,
    require_meta: Vec<(Option<DatasetName>, String)>,
    time_column: PerDataset<String>,
}

impl GuardOptions {
    /// Whom each is for.
    pub(crate) fn of(&self, datasets: Datasets<'_>) -> Result<GivenGuards, Failure> {
        let require_meta = self.require_meta.iter().map(|text| {
            let (dataset, key) = datasets.split(text, |key| !key.is_empty());
            (dataset.cloned(), key.to_owned())
        });
        Ok(GivenGuards {
            min_rows: datasets.single("--min-rows", &self.min_rows)?,
            max_shrink: datasets.single("--max-shrink", &self.max_shrink)?,
            require_meta: require_meta.collect(),
            time_column: datasets.single_text("--time-column", &self.time_column)?,
        })
    }
}

impl GivenGuards {
    /// These guards where they are given, else those of the configuration.
    pub(crate) fn over(&self, dataset: &DatasetName, configured: &Guards) -> Guards {
        let Guards { min_rows, max_shrink, mut require_meta, time_column } = configured.clone();
        for (of, key) in &self.require_meta {
            if of.as_ref().is_none_or(|of| of == dataset) && !require_meta.contains(key) {
                require_meta.push(key.clone());
            }
        }
        Guards {
            min_rows: self.min_rows.of(dataset).copied().or(min_rows),
            max_shrink: self.max_shrink.of(dataset).copied().or(max_shrink),
            require_meta,
            time_column: self.time_column.of(dataset).cloned().or(time_column),
        }
    }
}
