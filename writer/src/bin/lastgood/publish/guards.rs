//! The options for guards.

use clap::Args;
use lastgood::config::value;
use lastgood::{Guards, Shrink};

/// What must hold of every payload of a call, beside what `lastgood.toml` says.
#[derive(Debug, Args)]
#[command(next_help_heading = "Guards")]
pub(crate) struct GuardOptions {
    /// Refuse an array with fewer elements
    #[arg(long, value_name = "N", value_parser = value::rows)]
    min_rows: Option<u64>,
    /// Refuse a payload that is smaller than the published one by more than this, such as 50%: rows, if both are arrays,
    /// else bytes
    #[arg(long, value_name = "PART")]
    max_shrink: Option<Shrink>,
    /// Refuse a payload without these members of its meta; adds to those of lastgood.toml
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    require_meta: Vec<String>,
    /// Refuse rows whose value of this name decreases, or ends before that of what is published
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Publish even if a guard is broken, and record that in the manifest
    #[arg(long)]
    pub(crate) force: bool,
}

impl GuardOptions {
    /// These guards where they are given, else those of the configuration.
    pub(crate) fn over(&self, configured: &Guards) -> Guards {
        let Guards { min_rows, max_shrink, mut require_meta, time_column } = configured.clone();
        require_meta.extend(self.require_meta.iter().filter(|key| !configured.require_meta.contains(key)).cloned());
        Guards {
            min_rows: self.min_rows.or(min_rows),
            max_shrink: self.max_shrink.or(max_shrink),
            require_meta,
            time_column: self.time_column.clone().or(time_column),
        }
    }
}
