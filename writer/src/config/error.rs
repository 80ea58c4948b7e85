//! What can be wrong with a configuration, and where.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file was found, not named, and somebody else can have put it there.
    #[error(
        "{} was found, and is not believed: {problem}, and it would decide what is published and where; if you trust it, \
         name it (--config {0}, or LASTGOOD_CONFIG={0}); to go on without it: --config /dev/null",
        file.display()
    )]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// Who else can have put it there.
        problem: String,
    },
    /// The file says something that it cannot say.
    #[error("{}: line {line}, column {column}: {problem}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What was expected, what was found, what to do.
        problem: String,
    },
}

/// A problem at a place in the text.
#[derive(Debug)]
pub(super) struct Invalid {
    pub(super) span: Range<usize>,
    pub(super) problem: String,
}

impl Invalid {
    pub(super) fn in_file(self, file: &Path, text: &str) -> ConfigError {
        let before = text.get(..self.span.start).unwrap_or(text);
        let start_of_line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[start_of_line..].chars().count() + 1;
        // Keys and values are quoted in it, and a terminal must not take them for its own.
        let problem = self.problem.replace(|char: char| char.is_control() && char != '\n', " ");
        ConfigError::Invalid { file: file.to_owned(), line, column, problem }
    }
}
