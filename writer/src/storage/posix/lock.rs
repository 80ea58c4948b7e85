//! The writer's lock, and who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::super::error::Context;
use super::{open_lock, sys};

/// Locked during a commit.
pub(super) const TURN: &str = "turn";

/// The most that is read of what a holder has told.
const MAX_HOLDER_BYTES: u64 = 64 * 1024;

/// The writer's lock of a feed, or a turn under one that is shared. Dropping it releases it; when the process dies, the
/// operating system does.
///
/// The lock is two: `lock`, which says whose the feed is, and `turn`, which is held during each commit. A holder that
/// shares its lock keeps the first alone. Nobody commits without the second, so that a commit under a shared lock is safe
/// also from the next holder, should the one who shared it die meanwhile.
#[derive(Debug)]
pub struct WriterLock {
    holder: Option<Holder>,
    lock: Option<Locked>,
    turn: Option<Locked>,
}

impl WriterLock {
    pub(super) fn try_take(private: &Path, holder: &str) -> io::Result<Option<Self>> {
        let Some(lock) = Locked::try_take(&private.join("lock"))? else { return Ok(None) };
        let Some(turn) = Locked::try_take(&private.join(TURN))? else { return Ok(None) };
        // Told as a courtesy: a disk too full for it must not keep anyone from freeing space.
        Ok(Some(Self { holder: Holder::tell(private, holder).ok(), lock: Some(lock), turn: Some(turn) }))
    }

    pub(super) fn share(&mut self) -> io::Result<()> {
        self.turn.take().map_or(Ok(()), |turn| turn.0.unlock())
    }

    pub(super) fn try_join(private: &Path) -> io::Result<Option<Self>> {
        let turn = Locked::try_take(&private.join(TURN))?;
        Ok(turn.map(|turn| Self { holder: None, lock: None, turn: Some(turn) }))
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // First, while no other writer can have put its own in that place.
        drop(self.holder.take());
        drop(self.turn.take());
        drop(self.lock.take());
    }
}

/// A file that is locked.
#[derive(Debug)]
struct Locked(File);

impl Locked {
    fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = open_lock(path, true).context("open", path)?;
        Ok(try_lock(&file).context("lock", path)?.then_some(Self(file)))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Not left to closing: a process that is just being started elsewhere in this program has a copy of the handle.
        let _ = self.0.unlock();
    }
}

/// What the present holder has told; `None` when there is none.
///
/// Looks at `holder` alone: asking for the lock itself would for a moment take it from a writer.
pub(super) fn holder(private: &Path) -> io::Result<Option<String>> {
    let path = private.join("holder");
    let Some(mut file) = sys::open_regular(&path).context("open", &path)? else { return Ok(None) };
    match file.try_lock_shared() {
        // Left by a process that died.
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error).context("look at the lock of", &path),
    }
    let mut text = Vec::new();
    match (&mut file).take(MAX_HOLDER_BYTES).read_to_end(&mut text) {
        // There a locked file cannot be read.
        Err(_) if cfg!(windows) => return Ok(None),
        read => read.context("read", &path)?,
    };
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Takes the lock on an open file; false when another has it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes a lock that is never held for longer than some file operations: whoever holds it for half a second has been
/// stopped, and is not waited for.
pub(super) fn lock_soon(path: &Path, create: bool) -> io::Result<File> {
    const TRIES: u32 = 500;
    let file = open_lock(path, create)?;
    for _ in 0..TRIES {
        if try_lock(&file)? {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// The file `holder`: written and locked before it has that name and never changed after, so that it is read whole, and
/// is locked exactly as long as what it says is true.
#[derive(Debug)]
struct Holder {
    path: PathBuf,
    _locked: File,
}

impl Holder {
    /// The caller has the writer's lock, so no one else writes these files.
    fn tell(private: &Path, text: &str) -> io::Result<Self> {
        let (new, path) = (private.join("holder.new"), private.join("holder"));
        // Left by a process that died, or not ours at all: then what it is must not be written to.
        sys::remove_file(&new)?;
        let mut file = sys::open_private(&new, |options| options.write(true).create_new(true))?;
        if !try_lock(&file)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        file.write_all(text.as_bytes())?;
        sys::rename(&new, &path)?;
        Ok(Self { path, _locked: file })
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // If it stays, it is no longer locked and so says nothing.
        let _ = sys::remove_file(&self.path);
    }
}
