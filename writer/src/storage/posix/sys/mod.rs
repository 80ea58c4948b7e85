//! The calls of the operating system, and the one place where a call that fails for a moment is tried again.

mod os;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "windows.rs")]
mod platform;
mod retry;
mod system;

use std::ffi::OsString;
use std::io;
use std::path::Path;

pub use self::os::Os;
pub(super) use self::platform::may_write;
use self::retry::retry;
pub use self::system::{Found, Handle, Open, System};

/// Makes a directory with exactly this mode; false when it is there already.
pub(super) fn make_dir(system: &impl System, path: &Path, mode: u32) -> io::Result<bool> {
    // So that it is never wider than it is to be; the umask may make it narrower, until its mode is set.
    match retry(|| system.make_dir(path, mode)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match system.is_dir(path)? {
            true => Ok(false),
            false => Err(io::ErrorKind::NotADirectory.into()),
        },
        made => {
            made?;
            system.set_dir_mode(path, mode)?;
            Ok(true)
        }
    }
}

/// Refuses a symbolic link: a directory of a feed must be in the feed's own file system, or nothing could be moved to it.
pub(super) fn refuse_link(system: &impl System, path: &Path) -> io::Result<()> {
    match look(system, path) {
        Ok(found) if found.link => {
            Err(not_regular("it is a symbolic link; put the directory itself there, or link the whole feed directory"))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a regular file for reading, never through a link and without waiting for the other end of a pipe. `None` when
/// there is none.
pub(super) fn open_regular<S: System>(system: &S, path: &Path) -> io::Result<Option<S::File>> {
    match open(system, path, Open::Read) {
        Ok(file) if file.is_regular()? => Ok(Some(file)),
        Ok(_) => Err(not_regular("it is not a regular file; move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if system.look(path).is_ok_and(|found| found.link) => {
            Err(not_regular("it is a symbolic link; put the file itself there"))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn not_regular(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Opens a file.
pub(super) fn open<S: System>(system: &S, path: &Path, how: Open) -> io::Result<S::File> {
    retry(|| system.open(path, how))
}

/// Whether a directory that somebody else made can be opened to be synced: the one above a feed often cannot.
pub(super) fn can_open_dir(system: &impl System, path: &Path) -> bool {
    !matches!(list(system, path), Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// Gives a file a further name.
pub(super) fn link(system: &impl System, from: &Path, to: &Path) -> io::Result<()> {
    retry(|| system.link(from, to))
}

/// Renames, over whatever is there. Over a network the answer to a rename that took place can be lost; the next try then
/// does not find the file and says so.
pub(super) fn rename(system: &impl System, from: &Path, to: &Path) -> io::Result<()> {
    retry(|| system.rename(from, to))
}

/// Removes a file; false when there was none.
pub(super) fn remove_file(system: &impl System, path: &Path) -> io::Result<bool> {
    found(retry(|| system.remove_file(path)))
}

/// Removes a directory with everything in it; false when there was none.
pub(super) fn remove_dir_all(system: &impl System, path: &Path) -> io::Result<bool> {
    found(retry(|| system.remove_dir_all(path)))
}

/// Lists a directory.
pub(super) fn list(system: &impl System, path: &Path) -> io::Result<Vec<OsString>> {
    retry(|| system.list(path))
}

/// The names in a directory that is no part of a feed, or is only looked at; in any order.
///
/// # Errors
/// When it cannot be listed.
pub fn names_in(path: &Path) -> io::Result<Vec<OsString>> {
    list(&Os, path)
}

/// Looks at a file, or at the link in its place.
pub(super) fn look(system: &impl System, path: &Path) -> io::Result<Found> {
    retry(|| system.look(path))
}

/// Whether there is a file, or a link in its place.
pub(super) fn is_there(system: &impl System, path: &Path) -> io::Result<bool> {
    found(look(system, path).map(drop))
}

/// Whether it was there.
fn found(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        result => result.map(|()| true),
    }
}
