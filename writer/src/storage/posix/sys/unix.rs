//! Linux, macOS and their like.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::retry::retry;

pub(super) fn with_mode(builder: &mut DirBuilder, mode: u32) {
    builder.mode(mode);
}

pub(super) fn set_dir_mode(path: &Path, mode: u32) -> io::Result<()> {
    set_mode(&retry(|| File::open(path))?, mode)
}

pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// For what is published: without following a link or waiting for the other end of a pipe.
pub(super) fn read_options(_path: &Path) -> io::Result<OpenOptions> {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    Ok(options)
}

/// `mode` is that of a file that is made.
pub(super) fn options(_path: &Path, mode: u32) -> io::Result<OpenOptions> {
    let mut options = OpenOptions::new();
    options.mode(mode).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    Ok(options)
}

/// On macOS, too, this waits for the medium: the standard library asks for `F_FULLFSYNC` there.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    retry(|| File::open(path))?.sync_all()
}

#[cfg(target_os = "linux")]
pub(super) fn begin_writeback(file: &File, offset: u64, len: u64) {
    // On Linux this begins the writing; it drops only what is on the medium already, which is nothing yet.
    let _ = rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(len), rustix::fs::Advice::DontNeed);
}

/// The system decides by itself when to begin.
#[cfg(not(target_os = "linux"))]
pub(super) fn begin_writeback(_file: &File, _offset: u64, _len: u64) {}

/// A signal, something in use for a moment, resources short for a moment.
pub(super) fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, ResourceBusy, WouldBlock};
    matches!(error.kind(), Interrupted | ResourceBusy | WouldBlock)
}
