//! Log lines on stderr.

use std::io;

use anstream::{AutoStream, ColorChoice};
use tracing::level_filters::LevelFilter;

use crate::args::LogFormat;

/// Starts logging: warnings, with `-v` what is done, with `-vv` how.
pub(crate) fn start(verbose: u8, format: LogFormat) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    // It would tell stderr that stderr takes nothing, and panic when it does not take that either: on a full disk in the midst of
    // a commit.
    let lines = lines.log_internal_errors(false);
    match format {
        LogFormat::Json => lines.json().init(),
        LogFormat::Text => {
            let colored = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
            lines.with_ansi(colored).with_target(false).init();
        }
    }
}
