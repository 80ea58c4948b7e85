//! Makes things durable, several at once.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::super::error::Context;
use super::{PosixFile, sys};

/// How many syncs are in flight at once. The file system joins them into few commits of its journal.
const PARALLEL_SYNCS: usize = 8;

/// One thing to make durable.
pub(super) enum SyncJob<'a> {
    File(&'a mut PosixFile),
    Dir(PathBuf),
}

impl SyncJob<'_> {
    /// Not retried: after a failed sync the page cache may hold for clean what the medium does not have.
    fn run(self) -> io::Result<()> {
        match self {
            SyncJob::File(file) => file.sync(),
            SyncJob::Dir(path) => sys::sync_dir(&path).context("sync", &path),
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
