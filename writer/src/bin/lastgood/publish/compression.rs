//! The options for compressed siblings.

use clap::Args;
use lastgood::Compression;

/// Which siblings are made of each object.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression")]
pub(crate) struct CompressionOptions {
    /// The level of the .gz beside each object, 1 to 9, or off
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = |text: &str| level(text, 1..=9))]
    gzip: Level,
    /// The quality of the .br beside each object, 0 to 11, or off
    #[arg(long, value_name = "QUALITY", default_value = "5", value_parser = |text: &str| level(text, 0..=11))]
    brotli: Level,
    /// Neither .gz nor .br
    #[arg(long, conflicts_with_all = ["gzip", "brotli"])]
    no_compress: bool,
}

/// A compression level; `None` is off. A struct, because clap takes an `Option` for an option that may be absent.
#[derive(Debug, Clone, Copy)]
struct Level(Option<u32>);

impl CompressionOptions {
    pub(crate) fn compression(&self) -> Compression {
        match self.no_compress {
            true => Compression::OFF,
            false => Compression { gzip: self.gzip.0, brotli: self.brotli.0, ..Compression::default() },
        }
    }
}

fn level(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<Level, String> {
    if text == "off" {
        return Ok(Level(None));
    }
    let level = text.parse().ok().filter(|level| range.contains(level)).map(|level| Level(Some(level)));
    level.ok_or_else(|| format!("expected {} to {}, or off", range.start(), range.end()))
}
