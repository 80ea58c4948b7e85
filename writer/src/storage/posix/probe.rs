//! What the file system really does, tried out in staging, where no one looks; and what dead publishes have left there.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::error::Context;
use super::super::{Kind, Staging, Storage};
use super::file::Reader;
use super::sys::{self, Handle, Open, System};
use super::{PosixStorage, staging};

/// How many bytes are written: a few blocks, so that the medium has something to do.
const PROBE_BYTES: usize = 64 * 1024;

/// How the steps of a commit went on this file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// How long the sync of a new file of 64 KiB took.
    pub sync_file: Duration,
    /// How long the rename over another file took.
    pub rename: Duration,
    /// How long the sync of the directory took.
    pub sync_dir: Duration,
    /// Whether the new content was read back under the name of the old file.
    pub replaced: bool,
}

impl<S: System> PosixStorage<S> {
    /// Writes, syncs and renames a file in staging as a commit does, and removes it. Needs no lock and touches nothing
    /// that is published; the directories of a feed must be there.
    ///
    /// # Errors
    /// When a step fails, as a commit would.
    pub fn probe(&self) -> io::Result<Probe> {
        let staging = self.stage()?;
        let (old, new) = (&[b'a'; PROBE_BYTES], &[b'b'; PROBE_BYTES]);
        let mut target = staging.create(Kind::Published)?;
        target.write_all(old)?;
        target.sync()?;
        let mut file = staging.create(Kind::Published)?;
        file.write_all(new)?;
        let (synced, sync_file) = timed(|| file.sync());
        synced?;
        let path = target.path().to_owned();
        let (renamed, rename) = timed(|| file.moved_to(path.clone()));
        renamed?;
        let dir = path.parent().expect("a file in staging is in a directory of it");
        let (synced, sync_dir) = timed(|| self.system.sync_dir(dir).context("sync", dir));
        synced?;
        let mut found = Vec::new();
        if let Some(mut reader) = Reader::open(&self.system, &path)? {
            reader.read_to_end(&mut found)?;
        }
        Ok(Probe { sync_file, rename, sync_dir, replaced: found == new })
    }

    /// The directories that dead publishes have left in staging. Changes nothing; the next publish removes them.
    ///
    /// # Errors
    /// When staging cannot be looked at.
    pub fn leftovers(&self) -> io::Result<Vec<PathBuf>> {
        let parent = self.private().join(staging::DIR);
        let names = match sys::list(&self.system, &parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.context("list", &parent)?,
        };
        let mut left = Vec::new();
        for name in names {
            let path = parent.join(name);
            if self.system.is_dir(&path).unwrap_or(false) && !lives(&self.system, &path.with_extension("lock"))? {
                left.push(path);
            }
        }
        left.sort_unstable();
        Ok(left)
    }
}

/// Whether the publish that this lock file belongs to is still running. It is asked with a shared lock, which a sweep of
/// the same moment takes for a living owner and so leaves to the next.
fn lives(system: &impl System, lock: &Path) -> io::Result<bool> {
    let file = match sys::open(system, lock, Open::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file.context("open", lock)?,
    };
    Ok(!file.try_lock_shared().context("look at the lock of", lock)?)
}

fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = action();
    (result, begin.elapsed())
}
