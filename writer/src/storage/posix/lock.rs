//! The writer's lock, and who holds it.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::super::error::Context;
use super::sys::{self, Handle, Open, Os, System};

/// Says whose the feed is.
pub(super) const LOCK: &str = "lock";
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
pub struct WriterLock<S: System = Os> {
    holder: Option<Holder<S>>,
    lock: Option<Locked<S::File>>,
    turn: Option<Locked<S::File>>,
}

impl<S: System> WriterLock<S> {
    pub(super) fn try_take(system: &S, private: &Path, holder: &str) -> io::Result<Option<Self>> {
        let Some(lock) = Locked::try_take(system, &private.join(LOCK))? else { return Ok(None) };
        let Some(turn) = Locked::try_take(system, &private.join(TURN))? else { return Ok(None) };
        // Told as a courtesy: a disk too full for it must not keep anyone from freeing space.
        Ok(Some(Self { holder: Holder::tell(system, private, holder).ok(), lock: Some(lock), turn: Some(turn) }))
    }

    pub(super) fn share(&mut self) -> io::Result<()> {
        self.turn.take().map_or(Ok(()), |turn| turn.0.unlock())
    }

    pub(super) fn try_join(system: &S, private: &Path) -> io::Result<Option<Self>> {
        let turn = Locked::try_take(system, &private.join(TURN))?;
        Ok(turn.map(|turn| Self { holder: None, lock: None, turn: Some(turn) }))
    }
}

impl<S: System> Drop for WriterLock<S> {
    fn drop(&mut self) {
        // First, while no other writer can have put its own in that place.
        drop(self.holder.take());
        drop(self.turn.take());
        drop(self.lock.take());
    }
}

/// A file that is locked.
#[derive(Debug)]
struct Locked<F: Handle>(F);

impl<F: Handle> Locked<F> {
    fn try_take(system: &impl System<File = F>, path: &Path) -> io::Result<Option<Self>> {
        let file = sys::open(system, path, Open::ReadWrite { create: true }).context("open", path)?;
        Ok(file.try_lock().context("lock", path)?.then_some(Self(file)))
    }
}

impl<F: Handle> Drop for Locked<F> {
    fn drop(&mut self) {
        // Not left to closing: a process that is just being started elsewhere in this program has a copy of the handle.
        let _ = self.0.unlock();
    }
}

/// What the present holder has told; `None` when there is none.
///
/// Looks at `holder` alone: asking for the lock itself would for a moment take it from a writer.
pub(super) fn holder(system: &impl System, private: &Path) -> io::Result<Option<String>> {
    let path = private.join("holder");
    let Some(mut file) = sys::open_regular(system, &path).context("open", &path)? else { return Ok(None) };
    if file.try_lock_shared().context("look at the lock of", &path)? {
        // Left by a process that died.
        return Ok(None);
    }
    let mut text = Vec::new();
    match (&mut file).take(MAX_HOLDER_BYTES).read_to_end(&mut text) {
        // There a locked file cannot be read.
        Err(_) if cfg!(windows) => return Ok(None),
        read => read.context("read", &path)?,
    };
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Takes a lock that is never held for longer than some file operations: whoever holds it for half a second has been
/// stopped, and is not waited for.
pub(super) fn lock_soon<S: System>(system: &S, path: &Path, create: bool) -> io::Result<S::File> {
    const TRIES: u32 = 500;
    let file = sys::open(system, path, Open::ReadWrite { create })?;
    for _ in 0..TRIES {
        if file.try_lock()? {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// The file `holder`: written and locked before it has that name and never changed after, so that it is read whole, and
/// is locked exactly as long as what it says is true.
#[derive(Debug)]
struct Holder<S: System> {
    system: S,
    path: PathBuf,
    _locked: S::File,
}

impl<S: System> Holder<S> {
    /// The caller has the writer's lock, so no one else writes these files.
    fn tell(system: &S, private: &Path, text: &str) -> io::Result<Self> {
        let (new, path) = (private.join("holder.new"), private.join("holder"));
        // Left by a process that died, or not ours at all: then what it is must not be written to.
        sys::remove_file(system, &new)?;
        let mut file = sys::open(system, &new, Open::New { mode: 0o600 })?;
        if !file.try_lock()? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        file.write_all(text.as_bytes())?;
        sys::rename(system, &new, &path)?;
        Ok(Self { system: system.clone(), path, _locked: file })
    }
}

impl<S: System> Drop for Holder<S> {
    fn drop(&mut self) {
        // If it stays, it is no longer locked and so says nothing.
        let _ = sys::remove_file(&self.system, &self.path);
    }
}
