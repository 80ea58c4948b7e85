//! What the standard library leaves to the platform, modes, links and syncing directories, and the one place where a
//! call that fails for a moment is tried again.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "windows.rs")]
mod platform;
mod retry;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, ReadDir};
use std::io;
use std::path::Path;

use self::retry::retry;

/// Makes a directory with exactly this mode; false when it is there already.
pub(super) fn make_dir(path: &Path, mode: u32) -> io::Result<bool> {
    let mut builder = DirBuilder::new();
    // So that it is never wider than it is to be; the umask may make it narrower, until its mode is set.
    platform::with_mode(&mut builder, mode);
    match retry(|| builder.create(path)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::metadata(path)?.is_dir() {
            true => Ok(false),
            false => Err(io::ErrorKind::NotADirectory.into()),
        },
        made => {
            made?;
            platform::set_dir_mode(path, mode)?;
            Ok(true)
        }
    }
}

/// Refuses a symbolic link: a directory of a feed must be in the feed's own file system, or nothing could be moved to it.
pub(super) fn refuse_link(path: &Path) -> io::Result<()> {
    match metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            Err(not_regular("it is a symbolic link; put the directory itself there, or link the whole feed directory"))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a regular file for reading, never through a link and without waiting for the other end of a pipe. `None` when
/// there is none.
pub(super) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let opened = platform::read_options(path).and_then(|mut options| retry(|| options.read(true).open(path)));
    match opened {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(not_regular("it is not a regular file; move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(not_regular("it is a symbolic link; put the file itself there"))
        }
        Err(error) => Err(error),
    }
}

fn not_regular(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Opens a file that only its owner may read, as `choose` says.
pub(super) fn open_private(path: &Path, choose: impl Fn(&mut OpenOptions) -> &mut OpenOptions) -> io::Result<File> {
    let mut options = platform::private_options(path)?;
    retry(|| choose(&mut options).open(path))
}

/// Sets the mode by the handle, so that no one sees the file under its final name without it.
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    platform::set_mode(file, mode)
}

/// Makes the entries of a directory durable, as far as the platform can. Opening is tried again, syncing never is.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    platform::sync_dir(path)
}

/// Whether a directory that somebody else made can be opened to be synced: the one above a feed often cannot.
pub(super) fn can_open_dir(path: &Path) -> bool {
    !matches!(read_dir(path), Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// Asks the system to begin writing a part of the file to the medium, without waiting for it.
pub(super) fn begin_writeback(file: &File, offset: u64, len: u64) {
    platform::begin_writeback(file, offset, len);
}

/// Gives a file a further name.
pub(super) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    retry(|| fs::hard_link(from, to))
}

/// Renames, over whatever is there. Over a network the answer to a rename that took place can be lost; the next try then
/// does not find the file and says so.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    retry(|| fs::rename(from, to))
}

/// Removes a file; false when there was none.
pub(super) fn remove_file(path: &Path) -> io::Result<bool> {
    found(retry(|| fs::remove_file(path)))
}

/// Removes a directory with everything in it; false when there was none.
pub(super) fn remove_dir_all(path: &Path) -> io::Result<bool> {
    found(retry(|| fs::remove_dir_all(path)))
}

/// Lists a directory.
pub(super) fn read_dir(path: &Path) -> io::Result<ReadDir> {
    retry(|| fs::read_dir(path))
}

/// Looks at a file, or at the link in its place.
pub(super) fn metadata(path: &Path) -> io::Result<Metadata> {
    retry(|| fs::symlink_metadata(path))
}

/// Whether it was there.
fn found(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        result => result.map(|()| true),
    }
}
