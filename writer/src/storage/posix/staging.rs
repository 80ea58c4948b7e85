//! Room for the files of one publish, and the removal of what dead publishes have left.
//!
//! Each publish has `<token>/` for its files and `<token>.lock`, which it keeps locked. The lock file is made before the
//! directory and removed after it. So whoever gets the lock of a token knows that its owner is dead, or has not yet begun
//! to use it and will notice that its lock file is gone; no one waits for anyone.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::super::error::Context;
use super::super::{Kind, Staging};
use super::lock::try_lock;
use super::{Modes, PRIVATE_MODE, PosixFile, open_lock, sys};

/// The directory of all stagings, in the private directory.
pub(super) const DIR: &str = "staging";
const LOCK_SUFFIX: &str = ".lock";

/// Room for the files of one publish; a directory of its own.
///
/// At most about 64 of its finished files stay open at once; further ones are synced one by one as they are finished.
#[derive(Debug)]
pub struct PosixStaging {
    dir: PathBuf,
    lock_path: PathBuf,
    modes: Modes,
    next_name: AtomicU64,
    open_files: Arc<AtomicUsize>,
    _lock: File,
}

impl PosixStaging {
    pub(super) fn open(parent: &Path, modes: Modes) -> io::Result<Self> {
        loop {
            let token = token()?;
            let (dir, lock_path) = (parent.join(&token), parent.join(format!("{token}{LOCK_SUFFIX}")));
            let lock = open_lock(&lock_path, true).context("create", &lock_path)?;
            // A sweep may have come between: then it has the lock now, or had it and removed the file.
            if !try_lock(&lock).context("lock", &lock_path)? || sys::metadata(&lock_path).is_err() {
                continue;
            }
            let staging =
                Self { dir, lock_path, modes, next_name: AtomicU64::new(0), open_files: Arc::default(), _lock: lock };
            sys::make_dir(&staging.dir, PRIVATE_MODE).context("create", &staging.dir)?;
            return Ok(staging);
        }
    }
}

/// 128 random bits: no token is ever drawn twice.
pub(super) fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("cannot get random bytes: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

impl Staging for PosixStaging {
    type File = PosixFile;

    fn create(&self, kind: Kind) -> io::Result<PosixFile> {
        let name = self.next_name.fetch_add(1, Ordering::Relaxed);
        PosixFile::create(self.dir.join(name.to_string()), self.modes.of_file(kind), &self.open_files)
    }
}

impl Drop for PosixStaging {
    fn drop(&mut self) {
        // What cannot be removed now is swept later; nobody sees it.
        let _ = sys::remove_dir_all(&self.dir);
        let _ = sys::remove_file(&self.lock_path);
    }
}

/// Removes the stagings under `parent` whose owner is dead, and returns how many.
pub(super) fn sweep(parent: &Path) -> io::Result<usize> {
    let entries = match sys::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.context("list", parent)?,
    };
    let mut swept = 0;
    for entry in entries {
        let name = entry.context("list", parent)?.file_name();
        let Some(name) = name.to_str() else { continue };
        let token = name.strip_suffix(LOCK_SUFFIX).unwrap_or(name);
        let lock_path = parent.join(format!("{token}{LOCK_SUFFIX}"));
        let _lock = match open_lock(&lock_path, false) {
            Ok(lock) if try_lock(&lock).context("lock", &lock_path)? => Some(lock),
            Ok(_) => continue,
            // Removed by its owner, or lost when the power was cut: no live owner is without it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context("open", &lock_path),
        };
        let dir = parent.join(token);
        if sys::remove_dir_all(&dir).context("remove", &dir)? {
            swept += 1;
        }
        sys::remove_file(&lock_path).context("remove", &lock_path)?;
    }
    Ok(swept)
}
