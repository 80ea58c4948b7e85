//! A file on its way from staging to its final name.

use std::io::{self, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::error::{Context, with_advice};
use super::super::{Pending, StagedFile};
use super::sys::{self, Handle, Open, Os, System};

/// How many finished files of one staging stay open to be synced together. Well below the usual limit of 1024
/// descriptors of a process, which may have several publishes at once.
const MAX_OPEN: usize = 64;

/// After how many bytes the medium is to begin with them.
const WRITEBACK_BYTES: u64 = 256 * 1024;

/// From this size on a file is synced as soon as it is finished, while no lock is held: to write it takes the medium
/// longer than all the rest of a commit.
const LARGE_BYTES: u64 = 8 * 1024 * 1024;

/// A file that [`PosixStorage`](super::PosixStorage) has in staging or has placed. Dropping it while it is in staging
/// removes it.
#[derive(Debug)]
pub struct PosixFile<S: System = Os> {
    system: S,
    path: PathBuf,
    staged: bool,
    content: Content<S::File>,
    written: u64,
    /// Up to where the system has been asked to begin writing to the medium.
    begun: u64,
}

#[derive(Debug)]
enum Content<F> {
    /// Kept open from writing to syncing: the handle that wrote is the one that is told of a failed write-back.
    Written(F, OpenSlot),
    /// Synced, or not to be synced again because that failed.
    Settled,
}

/// Counts one open file of a staging.
#[derive(Debug)]
struct OpenSlot(Arc<AtomicUsize>);

impl OpenSlot {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }

    fn is_too_many(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_OPEN
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: System> PosixFile<S> {
    /// A new file in staging. `open` counts the open files of that staging.
    pub(super) fn create(system: &S, path: PathBuf, mode: u32, open: &Arc<AtomicUsize>) -> io::Result<Self> {
        let slot = OpenSlot::take(open);
        // With its mode from the beginning: a power cut could keep the name of a marker and not a mode that came later, and
        // then nothing would tell it from the empty lock file of another program.
        let file = sys::open(system, &path, Open::New { mode }).context("create", &path)?;
        let content = Content::Written(file, slot);
        let created = Self { system: system.clone(), path, staged: true, content, written: 0, begun: 0 };
        if let Content::Written(file, _) = &created.content {
            // Whatever the umask has taken away.
            file.set_mode(mode).context("set the mode of", &created.path)?;
        }
        Ok(created)
    }

    /// A file that was written where it is, to be synced there.
    pub(super) fn in_place(system: &S, path: PathBuf, file: S::File) -> Self {
        let content = Content::Written(file, OpenSlot::take(&Arc::default()));
        Self { system: system.clone(), path, staged: false, content, written: 0, begun: 0 }
    }

    /// A published file under a further name in staging; `None` when there is none or it cannot be had.
    pub(super) fn link(
        system: &S,
        published: &Path,
        path: PathBuf,
        open: &Arc<AtomicUsize>,
    ) -> io::Result<Option<Self>> {
        // Not everything that is published can be opened: a link or a pipe that somebody has put there.
        if sys::open_regular(system, published).context("open", published)?.is_none() {
            return Ok(None);
        }
        // Without hard links, or without the right to make one to a file of another user, it has to be copied.
        if sys::link(system, published, &path).is_err() {
            return Ok(None);
        }
        let slot = OpenSlot::take(open);
        // What was published by lastgood is durable, but somebody else may have put a file of the same content there: so
        // this one is synced as well, which costs nothing when there is nothing to be written.
        let opened = sys::open_regular(system, &path).context("open", &path)?;
        let content = opened.map_or(Content::Settled, |file| Content::Written(file, slot));
        let mut link = Self { system: system.clone(), path, staged: true, content, written: 0, begun: 0 };
        link.sync_if_too_many_are_open()?;
        Ok(Some(link))
    }

    /// Has the system begin to write what is new to the medium: the sync later waits for less, and the medium works while
    /// the payload is still being read. A hint: whether it is taken changes nothing but the time.
    fn begin_writeback(&mut self) {
        if let Content::Written(file, _) = &self.content {
            file.begin_writeback(self.begun, self.written - self.begun);
            self.begun = self.written;
        }
    }

    /// Renames it out of staging, over whatever is there.
    pub(super) fn moved_to(mut self, target: PathBuf) -> io::Result<Self> {
        sys::rename(&self.system, &self.path, &target).map_err(|error| {
            // What was staged is still there: then it is the directory that it was to go to.
            let staged =
                error.kind() == io::ErrorKind::NotFound && sys::is_there(&self.system, &self.path).unwrap_or(false);
            let advice = if staged { MISSING } else { rename_advice(&error) };
            with_advice(error, "move a file from staging to", &target, advice)
        })?;
        self.path = target;
        self.staged = false;
        Ok(self)
    }

    fn sync_if_too_many_are_open(&mut self) -> io::Result<()> {
        let too_many = matches!(&self.content, Content::Written(_, slot) if slot.is_too_many());
        if too_many { self.sync() } else { Ok(()) }
    }

    /// Syncs it, once.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let synced = match mem::replace(&mut self.content, Content::Settled) {
            Content::Written(file, _slot) => file.sync(),
            Content::Settled => Ok(()),
        };
        synced.context("sync", &self.path)
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Staging is in the feed, so these two come only from unusual mounts; the system's own words do not tell.
fn rename_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::CrossesDevices => {
            "; a part of the feed is on another file system: keep the whole feed directory on one, without links and mounts in it"
        }
        io::ErrorKind::ResourceBusy => {
            "; it is a mount point, such as a single file mounted into a container: mount the whole feed directory instead"
        }
        io::ErrorKind::NotFound => GONE,
        _ => "",
    }
}

/// What whoever begins next makes again.
const MISSING: &str =
    "; that directory of the feed is missing; do it again: directories that are missing are made again";

/// What becomes of staging only when somebody else lends a hand.
const GONE: &str = "; the feed's directory, or .lastgood in it, was moved or removed meanwhile";

impl<S: System> Write for PosixFile<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Content::Written(file, _) = &mut self.content else {
            unreachable!("only a staged file that is not finished can be written to, and it is open")
        };
        let size = file.write(bytes).context("write", &self.path)?;
        self.written += size as u64;
        if self.written - self.begun >= WRITEBACK_BYTES {
            self.begin_writeback();
        }
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: System> StagedFile for PosixFile<S> {
    fn finish(mut self) -> io::Result<Pending<Self>> {
        self.sync_if_too_many_are_open()?;
        if self.written >= LARGE_BYTES {
            self.sync()?;
        } else if self.written >= WRITEBACK_BYTES / 4 {
            self.begin_writeback();
        }
        Ok(Pending(self))
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        let reader = Reader::open(&self.system, &self.path)?;
        let gone = || with_advice(io::ErrorKind::NotFound.into(), "open", &self.path, GONE);
        Ok(Box::new(reader.ok_or_else(gone)?))
    }
}

impl<S: System> Drop for PosixFile<S> {
    fn drop(&mut self) {
        if self.staged {
            // Closed first: not every system removes an open file.
            self.content = Content::Settled;
            // What cannot be removed now is swept later; nobody sees it.
            let _ = sys::remove_file(&self.system, &self.path);
        }
    }
}

/// An open file whose errors name it.
pub(super) struct Reader<F> {
    file: F,
    path: PathBuf,
}

impl<F: Handle> Reader<F> {
    /// `None` when there is no file.
    pub(super) fn open(system: &impl System<File = F>, path: &Path) -> io::Result<Option<Self>> {
        let file = sys::open_regular(system, path).context("open", path)?;
        Ok(file.map(|file| Self { file, path: path.to_owned() }))
    }
}

impl<F: Handle> Read for Reader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).context("read", &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_over_a_mount_point_says_what_to_mount() {
        let advice = rename_advice(&io::ErrorKind::ResourceBusy.into());
        assert!(advice.contains("mount the whole feed directory"), "{advice}");
    }
}
