//! Room for the files of one publish, and the removal of what dead publishes have left.
//!
//! Each publish has `<token>/` for its files and `<token>.lock`, which it keeps locked. The lock file is made before the
//! directory and removed after it. So whoever gets the lock of a token knows that its owner is dead, or has not yet begun
//! to use it and will notice that its lock file is gone; no one waits for anyone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lastgood_protocol::layout::FeedPath;

use super::super::error::Context;
use super::super::{Kind, Pending, Staging};
use super::sys::{self, Handle, Open, Os, System};
use super::{Modes, PosixFile};

/// The directory of all stagings, in the private directory.
pub(super) const DIR: &str = "staging";
const LOCK_SUFFIX: &str = ".lock";

/// Room for the files of one publish; a directory of its own.
///
/// At most about 64 of its finished files stay open at once; further ones are synced one by one as they are finished.
#[derive(Debug)]
pub struct PosixStaging<S: System = Os> {
    system: S,
    feed: PathBuf,
    dir: PathBuf,
    lock_path: PathBuf,
    modes: Modes,
    next_name: AtomicU64,
    open_files: Arc<AtomicUsize>,
    _lock: S::File,
}

impl<S: System> PosixStaging<S> {
    /// In `parent`, for the feed in the directory `feed`; `private` is the mode of its own directory.
    pub(super) fn open(system: &S, feed: &Path, parent: &Path, modes: Modes, private: u32) -> io::Result<Self> {
        loop {
            let token = token(system)?;
            let (dir, lock_path) = (parent.join(&token), parent.join(format!("{token}{LOCK_SUFFIX}")));
            let lock = sys::open(system, &lock_path, Open::ReadWrite { create: true }).context("create", &lock_path)?;
            // A sweep may have come between: then it has the lock now, or had it and removed the file.
            let ours = lock
                .try_lock()
                .context("lock", &lock_path)
                .and_then(|locked| Ok(locked && sys::is_there(system, &lock_path).context("look at", &lock_path)?));
            match ours {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    let _ = sys::remove_file(system, &lock_path);
                    return Err(error);
                }
            }
            let (feed, next_name) = (feed.to_owned(), AtomicU64::new(0));
            let system = system.clone();
            let staging =
                Self { system, feed, dir, lock_path, modes, next_name, open_files: Arc::default(), _lock: lock };
            sys::make_dir(&staging.system, &staging.dir, private).context("create", &staging.dir)?;
            // What is staged here is renamed into the feed with the group that it has. Directories hand that down by
            // themselves, unless an older version has made them. Whoever may not give it publishes all the same.
            if let Err(error) = staging.system.hand_down_group(&staging.feed, &staging.dir) {
                tracing::debug!(%error, "the group of the feed directory is not handed down");
            }
            return Ok(staging);
        }
    }
}

/// 128 random bits: no token is ever drawn twice.
pub(super) fn token(system: &impl System) -> io::Result<String> {
    Ok(format!("{:032x}", u128::from_be_bytes(system.random()?)))
}

impl<S: System> PosixStaging<S> {
    fn next_path(&self) -> PathBuf {
        self.dir.join(self.next_name.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl<S: System> Staging for PosixStaging<S> {
    type File = PosixFile<S>;

    fn create(&self, kind: Kind) -> io::Result<PosixFile<S>> {
        PosixFile::create(&self.system, self.next_path(), self.modes.of_file(kind), &self.open_files)
    }

    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<PosixFile<S>>>> {
        let published = self.feed.join(path.as_str());
        Ok(PosixFile::link(&self.system, &published, self.next_path(), &self.open_files)?.map(Pending))
    }
}

impl<S: System> Drop for PosixStaging<S> {
    fn drop(&mut self) {
        // What cannot be removed now is swept later; nobody sees it.
        let _ = sys::remove_dir_all(&self.system, &self.dir);
        let _ = sys::remove_file(&self.system, &self.lock_path);
    }
}

/// Removes the stagings under `parent` whose owner is dead, and returns how many.
pub(super) fn sweep(system: &impl System, parent: &Path) -> io::Result<usize> {
    let names = match sys::list(system, parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        names => names.context("list", parent)?,
    };
    let mut swept = 0;
    for name in names {
        let Some(name) = name.to_str() else { continue };
        let token = name.strip_suffix(LOCK_SUFFIX).unwrap_or(name);
        let lock_path = parent.join(format!("{token}{LOCK_SUFFIX}"));
        let _lock = match sys::open(system, &lock_path, Open::ReadWrite { create: false }) {
            Ok(lock) if lock.try_lock().context("lock", &lock_path)? => Some(lock),
            Ok(_) => continue,
            // Removed by its owner, or lost when the power was cut: no live owner is without it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context("open", &lock_path),
        };
        let dir = parent.join(token);
        if sys::remove_dir_all(system, &dir).context("remove", &dir)? {
            swept += 1;
        }
        sys::remove_file(system, &lock_path).context("remove", &lock_path)?;
    }
    Ok(swept)
}
