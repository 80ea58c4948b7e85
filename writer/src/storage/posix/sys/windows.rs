//! Windows. Compiled in every check, but not tested: see `docs/design.md` for what holds here.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use super::not_regular;

/// There are no modes: access is what the directory above hands down.
pub(super) fn with_mode(_builder: &mut DirBuilder, _mode: u32) {}

pub(super) fn set_dir_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// There are no groups of files.
pub(super) fn hand_down_group(_from: &Path, _to: &Path) -> io::Result<()> {
    Ok(())
}

/// There is nobody to belong to but who makes it.
pub(super) fn resemble(_from: &Path, _to: &Path) -> io::Result<()> {
    Ok(())
}

/// What is asked for costs another call there, and who can give a file a name can write to it.
pub(super) fn has_one_name(_file: &File) -> io::Result<bool> {
    Ok(true)
}

/// Not looked at.
pub(in super::super) fn may_write(_path: &Path, _is_dir: bool) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_shared(_dir: &Path) -> bool {
    false
}

pub(super) fn share_file(_file: &File, _path: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn list(path: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect()
}

pub(super) fn remove_dir_all(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}

/// Without modes, a marker is told by its read-only attribute.
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(mode & 0o222 == 0);
    file.set_permissions(permissions)
}

/// Links are refused by looking first: whoever can plant one in between can write to the feed anyway.
pub(super) fn read_options(path: &Path) -> io::Result<OpenOptions> {
    let mut options = options(path, 0)?;
    // Windows syncs only what is open for writing.
    options.write(!fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly()));
    Ok(options)
}

pub(super) fn options(path: &Path, _mode: u32) -> io::Result<OpenOptions> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(not_regular("it is a symbolic link; put the file itself there"));
    }
    Ok(OpenOptions::new())
}

/// Directories cannot be synced; the journal of NTFS keeps the order of their entries.
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The system decides by itself when to begin.
pub(super) fn begin_writeback(_file: &File, _offset: u64, _len: u64) {}

/// A virus scanner, an indexer or a backup has the file open: `ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION`,
/// `ERROR_LOCK_VIOLATION`.
pub(super) fn is_transient(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted || matches!(error.raw_os_error(), Some(5 | 32 | 33))
}
