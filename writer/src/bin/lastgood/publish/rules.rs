//! The options for payload rules.

use clap::{Args, ValueEnum};
use lastgood::config::value;
use lastgood::protocol::payload::{Nan, Permit, Rules};

/// What a payload may be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Payload rules")]
pub(crate) struct RuleOptions {
    /// Publish NaN, Infinity and -Infinity as null, and say how many there were [default: refuse]
    #[arg(long, value_name = "AS")]
    nan: Option<NanAs>,
    /// Publish what a browser would silently change or drop; adds to what lastgood.toml allows
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<Allow>,
    /// The largest payload, such as 500KiB, 64MiB, 1GiB or a number of bytes [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = value::size)]
    max_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NanAs {
    Null,
    Refuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// Integers beyond ±(2^53 - 1), numbers that overflow a double
    UnsafeNumbers,
    /// A member name twice in one object
    DuplicateNames,
    /// Half of a surrogate pair
    UnpairedSurrogates,
}

impl RuleOptions {
    /// These rules where they are given, else those of the configuration.
    pub(crate) fn over(&self, configured: Rules) -> Rules {
        let permit = |what, configured| if self.allow.contains(&what) { Permit::Allow } else { configured };
        Rules {
            nan: match self.nan {
                Some(NanAs::Null) => Nan::Null,
                Some(NanAs::Refuse) => Nan::Refuse,
                None => configured.nan,
            },
            unsafe_numbers: permit(Allow::UnsafeNumbers, configured.unsafe_numbers),
            duplicate_names: permit(Allow::DuplicateNames, configured.duplicate_names),
            unpaired_surrogates: permit(Allow::UnpairedSurrogates, configured.unpaired_surrogates),
            max_bytes: self.max_bytes.unwrap_or(configured.max_bytes),
        }
    }
}
