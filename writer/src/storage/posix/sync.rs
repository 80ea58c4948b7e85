//! Makes things durable, several at once.

use std::io;
use std::path::PathBuf;

use super::super::error::Context;
use super::PosixFile;
use super::sys::System;
use crate::parallel;

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
    parallel::all_or_none(system.syncs_at_once(), jobs, |job| job.run(system))
}
