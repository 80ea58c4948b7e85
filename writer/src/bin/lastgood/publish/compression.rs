//! The options for compressed siblings.

use clap::Args;
use lastgood::Compression;
use lastgood::config::value::{self, Level};

/// Which siblings are made of each object.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression")]
pub(crate) struct CompressionOptions {
    /// The level of the .gz beside each object, 1 to 9, or off [default: 6]
    #[arg(long, value_name = "LEVEL", value_parser = value::gzip)]
    gzip: Option<Level>,
    /// The quality of the .br beside each object, 0 to 11, or off [default: 5]
    #[arg(long, value_name = "QUALITY", value_parser = value::brotli)]
    brotli: Option<Level>,
    /// Neither .gz nor .br
    #[arg(long, conflicts_with_all = ["gzip", "brotli"])]
    no_compress: bool,
}

impl CompressionOptions {
    /// These where they are given, else those of the configuration.
    pub(crate) fn over(&self, configured: Compression) -> Compression {
        if self.no_compress {
            return Compression::OFF;
        }
        let given = |option: Option<Level>, configured| option.map_or(configured, |level| level.0);
        Compression {
            gzip: given(self.gzip, configured.gzip),
            brotli: given(self.brotli, configured.brotli),
            ..configured
        }
    }
}
