//! Makes things durable, several at once.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::super::error::Context;
use super::PosixFile;
use super::sys::System;

/// One thing to make durable.
pub(super) enum SyncJob<'a, S: System> {
    File(&'a mut PosixFile<S>),
    Dir(PathBuf),
}

impl<S: System> SyncJob<'_, S> {
    /// Not retried: after a failed sync the page cache may hold for clean what the medium does not have.
    fn run(self, system: &S) -> io::Result<()> {
        match self {
            SyncJob::File(file) => file.sync(),
            SyncJob::Dir(path) => system.sync_dir(&path).context("sync", &path),
        }
    }
}

/// Does all jobs, or fails with the error of one of them and leaves the rest undone.
pub(super) fn sync_in_parallel<S: System>(system: &S, jobs: Vec<SyncJob<'_, S>>) -> io::Result<()> {
    let workers = jobs.len().min(system.syncs_at_once());
    let queue = Mutex::new(jobs.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failure = OnceLock::new();
    let work = || {
        while failure.get().is_none()
            && let Some(job) = next()
        {
            if let Err(error) = job.run(system) {
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
