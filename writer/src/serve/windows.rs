//! Opening files below a root on Windows. Compiled in every check, but not tested.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use super::file::Failure;

/// Walks down from `root` name by name and refuses links, by looking before opening: a link that is planted in between
/// is followed.
pub(super) fn open_regular(root: &Path, names: &[String]) -> Result<File, Failure> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Failure::NotFound,
        io::ErrorKind::PermissionDenied => Failure::Forbidden,
        _ => Failure::Io(error),
    };
    let mut path = root.to_owned();
    for name in names {
        // A colon would name a stream of a file, and a backslash a directory.
        if name.contains([':', '\\']) {
            return Err(Failure::NotFound);
        }
        path.push(name);
        if fs::symlink_metadata(&path).map_err(failed)?.is_symlink() {
            return Err(Failure::NotFound);
        }
    }
    if fs::metadata(&path).map_err(failed)?.is_dir() {
        return Err(Failure::Directory);
    }
    File::open(&path).map_err(failed)
}

/// Which version of a file it is, as far as that can be told without reading it.
pub(super) fn version(metadata: &Metadata) -> String {
    use std::os::windows::fs::MetadataExt;
    format!("{:x}-{:x}", metadata.creation_time(), metadata.last_write_time())
}

/// How many files this process may have open; `None` when that is not limited.
pub(super) fn max_open_files() -> Option<u64> {
    None
}
