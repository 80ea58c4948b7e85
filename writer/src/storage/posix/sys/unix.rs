//! Linux, macOS and their like.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::retry::retry;

pub(super) fn with_mode(builder: &mut DirBuilder, mode: u32) {
    builder.mode(mode);
}

/// The bit of a directory that hands its group down to what is made in it.
const SETGID: u32 = 0o2000;

/// Sets the permissions. A directory that hands its group down goes on to do so. What is right already is not set: for
/// an owner who is not in that group, the system would take the bit away.
pub(super) fn set_dir_mode(path: &Path, mode: u32) -> io::Result<()> {
    let dir = retry(|| File::open(path))?;
    let now = dir.metadata()?.mode() & 0o7777;
    let wanted = mode | now & SETGID;
    if now == wanted { Ok(()) } else { set_mode(&dir, wanted) }
}

pub(super) fn hand_down_group(from: &Path, to: &Path) -> io::Result<()> {
    let above = fs::metadata(from)?;
    if above.mode() & SETGID == 0 {
        return Ok(());
    }
    let dir = retry(|| File::open(to))?;
    let now = dir.metadata()?;
    if now.gid() != above.gid() {
        rustix::fs::fchown(&dir, None, Some(Gid::from_raw(above.gid())))?;
    }
    if now.gid() != above.gid() || now.mode() & SETGID == 0 {
        set_mode(&dir, now.mode() & 0o777 | SETGID)?;
    }
    Ok(())
}

pub(super) fn resemble(from: &Path, to: &Path) -> io::Result<()> {
    let (from, made) = (fs::metadata(from)?, retry(|| File::open(to))?);
    let now = made.metadata()?;
    if (now.uid(), now.gid()) != (from.uid(), from.gid()) {
        let (uid, gid) = (Uid::from_raw(from.uid()), Gid::from_raw(from.gid()));
        // Only root may give it away; a member of the group may give it that.
        if rustix::fs::fchown(&made, Some(uid), Some(gid)).is_err() {
            let _ = rustix::fs::fchown(&made, None, Some(gid));
        }
    }
    let mode = if now.is_dir() { from.mode() & 0o7777 } else { from.mode() & 0o666 };
    if made.metadata()?.mode() & 0o7777 == mode { Ok(()) } else { set_mode(&made, mode) }
}

/// Whether the members of the group may write to a directory, and what is made in it is the group's.
pub(super) fn is_shared(dir: &Path) -> bool {
    const SHARED: u32 = SETGID | 0o070;
    fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.mode() & SHARED == SHARED)
}

pub(super) fn has_one_name(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() == 1)
}

/// Whether this user may read and write a file, or list and change a directory.
pub(in super::super) fn may_write(path: &Path, is_dir: bool) -> io::Result<()> {
    use rustix::fs::Access;
    let file = Access::READ_OK | Access::WRITE_OK;
    Ok(rustix::fs::access(path, if is_dir { file | Access::EXEC_OK } else { file })?)
}

/// Lets the group read and write a private file in a directory that it shares, whatever the umask.
pub(super) fn share_file(file: &File, path: &Path) -> io::Result<()> {
    const SHARED: u32 = 0o060;
    let mode = file.metadata()?.mode() & 0o7777;
    if mode & SHARED == SHARED || !path.parent().is_some_and(is_shared) {
        return Ok(());
    }
    match set_mode(file, mode | SHARED) {
        // It belongs to another member, who has not shared it: what can be done with it as it is, can.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        set => set,
    }
}

/// By rustix: `ReadDir` of the standard library panics when the directory cannot be closed.
pub(super) fn list(path: &Path) -> io::Result<Vec<OsString>> {
    let mut dir = Dir::new(rustix::fs::open(path, DIRECTORY, Mode::empty())?)?;
    Ok(names(&mut dir)?.iter().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned()).collect())
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn names(dir: &mut Dir) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    while let Some(entry) = dir.read() {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

/// Not by the standard library, for the same reason. Follows no link.
pub(super) fn remove_dir_all(path: &Path) -> io::Result<()> {
    match rustix::fs::open(path, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(path),
        opened => remove_content(opened?)?,
    }
    fs::remove_dir(path)
}

fn remove_content(dir: OwnedFd) -> io::Result<()> {
    let mut dir = Dir::new(dir)?;
    for name in names(&mut dir)? {
        let dir = dir.fd()?;
        match rustix::fs::unlinkat(dir, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            // A directory, as Linux and as POSIX say it.
            Err(Errno::ISDIR | Errno::PERM) => {
                remove_content(rustix::fs::openat(dir, &name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?)?;
                rustix::fs::unlinkat(dir, &name, AtFlags::REMOVEDIR)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
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
