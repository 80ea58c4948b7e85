//! Opening files below a root on Linux, macOS and their like.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::file::Failure;

/// Walks down from `root` name by name, never through a symbolic link, so that
/// no link and no race with one leads out of the root or to a hidden file.
pub(super) fn open_regular(root: &Path, names: &[String]) -> Result<File, Failure> {
    // Without NONBLOCK, opening a pipe would wait for a writer.
    let read = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let walk = || {
        let mut handle = rustix::fs::open(root, read | OFlags::DIRECTORY, Mode::empty())?;
        for name in names {
            handle = rustix::fs::openat(&handle, name, read | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(File::from(handle))
    };
    let file = walk().map_err(|error: Errno| match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::NXIO => Failure::NotFound,
        Errno::ACCESS | Errno::PERM => Failure::Forbidden,
        other => Failure::Io(other.into()),
    })?;
    let kind = file.metadata().map_err(Failure::Io)?.file_type();
    match kind {
        kind if kind.is_dir() => Err(Failure::Directory),
        kind if kind.is_file() => Ok(file),
        _ => Err(Failure::NotFound),
    }
}

/// Which version of a file it is, as far as that can be told without reading it.
pub(super) fn version(metadata: &Metadata) -> String {
    format!("{:x}-{:x}.{:x}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

/// How many files this process may have open; `None` when that is not limited.
pub(super) fn max_open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}
