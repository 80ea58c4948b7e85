//! The options for waiting, of every command that takes the lock.

use std::time::Duration;

use clap::Args;
use lastgood::Settings;
use lastgood::config::value::{self, Limit};

/// For whom to wait, and how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Locks")]
pub(crate) struct WaitOptions {
    /// How long to wait for other publishers and for the lock markers of older scripts [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = value::time)]
    lock_wait: Option<Duration>,
    /// From which age on the lock marker of an older script counts as left behind, or never [default: never]
    #[arg(long, value_name = "TIME", value_parser = value::age)]
    stale_marker_after: Option<Limit>,
}

impl WaitOptions {
    /// These where they are given, else those of the configuration.
    pub(crate) fn over(&self, configured: Settings) -> Settings {
        Settings {
            lock_wait: self.lock_wait.unwrap_or(configured.lock_wait),
            foreign_marker_stale_after: self
                .stale_marker_after
                .map_or(configured.foreign_marker_stale_after, |limit| limit.0),
            ..configured
        }
    }
}
