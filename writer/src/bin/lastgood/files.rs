//! Files that are no part of a feed.

#![expect(clippy::disallowed_methods, reason = "what these make is no part of a feed and needs no durability")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes a file; fails when it is there already. One that could not be written whole does not stay.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let written = File::create_new(path)?.write_all(content);
    if written.is_err() {
        // What is left of it is told of with the error.
        let _ = fs::remove_file(path);
    }
    written
}

/// Makes a file or writes it anew.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, content)
}

/// Writes to the end of what is there, such as a pipe or a device.
pub(crate) fn append(path: &Path, content: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(content)
}
