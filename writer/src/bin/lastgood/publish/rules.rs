//! The options for payload rules.

use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use lastgood::protocol::payload::{Nan, Permit, Rules};

/// What a payload may be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Payload rules")]
pub(crate) struct RuleOptions {
    /// Publish NaN, Infinity and -Infinity as null, and say how many there were
    #[arg(long, value_name = "null")]
    nan: Option<NanAs>,
    /// Publish what a browser would silently change or drop
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    allow: Vec<Allow>,
    /// The largest payload, such as 500KiB, 64MiB, 1GiB or a number of bytes
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    max_bytes: ByteSize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NanAs {
    Null,
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
    pub(crate) fn rules(&self) -> Rules {
        let permit = |what| if self.allow.contains(&what) { Permit::Allow } else { Permit::Refuse };
        Rules {
            nan: if self.nan.is_some() { Nan::Null } else { Nan::Refuse },
            unsafe_numbers: permit(Allow::UnsafeNumbers),
            duplicate_names: permit(Allow::DuplicateNames),
            unpaired_surrogates: permit(Allow::UnpairedSurrogates),
            max_bytes: self.max_bytes.as_u64(),
        }
    }
}
