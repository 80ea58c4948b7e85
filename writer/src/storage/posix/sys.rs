//! What the standard library leaves to the platform: modes, links, and syncing directories.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::super::error::Context;
use super::file::PosixFile;

/// How many syncs are in flight at once. The file system joins them into few commits of its journal.
const PARALLEL_SYNCS: usize = 8;

/// One thing to make durable.
pub(super) enum SyncJob<'a> {
    File(&'a mut PosixFile),
    Dir(PathBuf),
}

impl SyncJob<'_> {
    fn run(self) -> io::Result<()> {
        match self {
            SyncJob::File(file) => file.sync(),
            SyncJob::Dir(path) => sync_dir(&path).context("sync", &path),
        }
    }
}

/// Does all jobs, or fails with the error of one of them and leaves the rest undone.
pub(super) fn sync_in_parallel(jobs: Vec<SyncJob<'_>>) -> io::Result<()> {
    let workers = jobs.len().min(PARALLEL_SYNCS);
    let queue = Mutex::new(jobs.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failure = OnceLock::new();
    let work = || {
        while failure.get().is_none()
            && let Some(job) = next()
        {
            if let Err(error) = job.run() {
                // One error is enough: success is said of all or of none.
                let _ = failure.set(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // Without further threads this one does it all.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    failure.into_inner().map_or(Ok(()), Err)
}

/// Makes a directory with exactly this mode; false when it is there already.
pub(super) fn make_dir(path: &Path, mode: u32) -> io::Result<bool> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes to set"))]
    let mut builder = DirBuilder::new();
    // So that it is never wider than it is to be; the umask may make it narrower, until set_mode.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::metadata(path)?.is_dir() {
            true => Ok(false),
            false => Err(io::ErrorKind::NotADirectory.into()),
        },
        made => {
            made?;
            #[cfg(unix)]
            set_mode(&File::open(path)?, mode)?;
            #[cfg(not(unix))]
            let _ = mode;
            Ok(true)
        }
    }
}

/// Refuses a symbolic link: a directory of a feed must be in the feed's own file system, or nothing could be moved to it.
pub(super) fn refuse_link(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(not_regular(
            "it is a symbolic link; put the directory itself there, or link the whole feed directory",
        ));
    }
    Ok(())
}

/// Opens a regular file for reading, never through a link and without waiting for the other end of a pipe. `None` when
/// there is none.
pub(super) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    // Windows syncs only what is open for writing; it has neither these links nor these pipes.
    #[cfg(windows)]
    options.write(!fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly()));
    match options.open(path) {
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

/// For files that only their owner may read.
pub(super) fn private_options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no modes to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    }
    options
}

/// Sets the mode by the handle, so that no one sees the file under its final name without it.
#[cfg(unix)]
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// Without modes, a marker is told by its read-only attribute.
#[cfg(not(unix))]
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(mode & 0o222 == 0);
    file.set_permissions(permissions)
}

/// Asks the system to begin writing a part of the file to the medium, without waiting for it.
#[cfg(target_os = "linux")]
pub(super) fn begin_writeback(file: &File, offset: u64, len: u64) {
    // On Linux this begins the writing; it drops only what is on the medium already, which is nothing yet.
    let _ = rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(len), rustix::fs::Advice::DontNeed);
}

/// Elsewhere the system decides by itself when to begin.
#[cfg(not(target_os = "linux"))]
pub(super) fn begin_writeback(_file: &File, _offset: u64, _len: u64) {}

#[cfg(unix)]
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Elsewhere directories cannot be synced; the file system's journal keeps their entries.
#[cfg(not(unix))]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a directory that somebody else made can be opened to be synced: the one above a feed often cannot.
pub(super) fn can_open_dir(path: &Path) -> bool {
    !matches!(fs::read_dir(path), Err(error) if error.kind() == io::ErrorKind::PermissionDenied)
}
