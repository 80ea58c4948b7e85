//! The operation log: what was done to a feed, when, by whom, and how it ended.
//!
//! The library writes a line itself for each operation that changes a feed or tries to. The log tells people what has
//! happened; nothing that is published depends on it. So it is not synced, a power cut may take its last lines, and a line
//! that cannot be written is a warning.

mod record;
mod who;

use std::time::Instant;

use lastgood_protocol::name::DatasetName;

pub(crate) use self::record::text;
pub use self::record::{DatasetRecord, Operation, Outcome, Record};
pub use self::who::Who;
use crate::error::Error;
use crate::feed::Feed;
use crate::gc::Collection;
use crate::publish::Publication;
use crate::purge::Purged;
use crate::recover::Recovery;
use crate::repair::Repair;
use crate::rollback::Rollback;
use crate::storage::{Rotation, Storage};
use crate::withdraw::Withdrawal;

/// A file of the log holds some thousands of operations; with the older ones, years of hourly publishes.
const ROTATION: Rotation = Rotation { max_bytes: 1 << 20, older: 3 };

impl<S: Storage> Feed<S> {
    /// The operation log, the newest record first, as far back as it is kept.
    ///
    /// Lines that cannot be read, such as one that a crash has torn, are left out. Empty when there is no log.
    ///
    /// # Errors
    /// [`Error::Io`] when the log is there and cannot be read; it is private to the user who publishes.
    pub fn operations(&self) -> Result<Vec<Record>, Error> {
        let files = self.storage.read_log(ROTATION).map_err(Error::io("read the operation log"))?;
        let lines = files.iter().flat_map(|file| file.split(|&byte| byte == b'\n').rev());
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Adds a record to the operation log, unless [`Settings::operation_log`](crate::Settings::operation_log) says no.
    ///
    /// The operations of this library do it themselves. It never fails: what cannot be written is a warning
    /// (`tracing`), and where there is no feed there is no log.
    pub fn log(&self, record: &Record) {
        if !self.settings.operation_log {
            return;
        }
        let line = serde_json::to_string(record).expect("a record has only string keys");
        match self.storage.append_to_log(&line, ROTATION) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the operation log could not be written");
            }
            _ => {}
        }
    }

    /// Does an operation on `datasets` and adds a record of it to the log, however it ends.
    pub(crate) fn logged<T: Describe>(
        &self,
        operation: Operation,
        datasets: Vec<DatasetName>,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begin = Instant::now();
        let result = work();
        if self.settings.operation_log {
            let mut record = Record::new(operation, self.now());
            record.duration_ms = begin.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            record.datasets = datasets.into_iter().map(DatasetRecord::named).collect();
            match &result {
                Ok(done) => done.describe(&mut record),
                Err(error) => record.failed(error),
            }
            self.log(&record);
        }
        result
    }
}

/// What an operation that was done says of itself in the log.
pub(crate) trait Describe {
    fn describe(&self, record: &mut Record);
}

impl Describe for Publication {
    fn describe(&self, record: &mut Record) {
        record.feed = Some(self.feed);
        record.generation = Some(self.generation);
        record.commit = Some(self.commit);
        record.recovered = self.recovery.did_something();
        record.bytes = self.datasets.iter().map(|dataset| dataset.size).sum();
        record.datasets = self
            .datasets
            .iter()
            .map(|dataset| DatasetRecord {
                dataset: dataset.dataset.clone(),
                sha256: Some(dataset.sha256),
                size: Some(dataset.size),
                rows: dataset.rows,
                changed: Some(dataset.changed),
                forced: dataset.forced.iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect(),
            })
            .collect();
    }
}

impl Describe for Rollback {
    fn describe(&self, record: &mut Record) {
        self.publication.describe(record);
    }
}

impl Describe for (Recovery, Publication) {
    fn describe(&self, record: &mut Record) {
        let (recovery, publication) = self;
        publication.describe(record);
        record.recovered |= recovery.did_something();
    }
}

impl Describe for (Recovery, Option<Publication>) {
    fn describe(&self, record: &mut Record) {
        let (recovery, publication) = self;
        recovery.describe(record);
        if let Some(publication) = publication {
            publication.describe(record);
            record.recovered |= recovery.did_something();
        }
    }
}

impl Describe for Withdrawal {
    fn describe(&self, record: &mut Record) {
        self.publication.describe(record);
        record.datasets = self.datasets.iter().cloned().map(DatasetRecord::named).collect();
    }
}

impl Describe for Purged {
    fn describe(&self, record: &mut Record) {
        // Of what, but not what: a digest of little can be guessed.
        let datasets = std::mem::take(&mut record.datasets);
        if let Some(publication) = &self.publication {
            publication.describe(record);
        }
        (record.datasets, record.bytes) = (datasets, self.removal.bytes);
        (record.generation, record.recovered) = (Some(self.generation), self.recovery.did_something());
    }
}

impl Describe for Collection {
    fn describe(&self, record: &mut Record) {
        record.generation = Some(self.generation);
        record.bytes = self.bytes;
        record.recovered = self.staging_removed > 0;
    }
}

impl Describe for Repair {
    fn describe(&self, record: &mut Record) {
        record.generation = Some(self.verification.generation);
        // Every field that says what was done is named, so that a new one cannot be forgotten here.
        let Repair { objects, siblings, siblings_removed, recovery, verification: _ } = self;
        let lists = [objects, siblings, siblings_removed];
        record.recovered = recovery.did_something() || lists.iter().any(|list| !list.is_empty());
    }
}

impl Describe for Recovery {
    fn describe(&self, record: &mut Record) {
        record.generation = self.generation;
        record.recovered = self.did_something();
    }
}
