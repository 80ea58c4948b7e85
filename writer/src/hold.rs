//! A lock that is held for longer than one commit, with markers whose lease is renewed.

use std::time::{Duration, Instant};

use lastgood_protocol::layout::Dir;
use lastgood_protocol::marker::Holder;
use lastgood_protocol::name::DatasetName;

use crate::error::Error;
use crate::feed::Feed;
use crate::lock::{self, Markers};
use crate::operations::{DatasetRecord, Operation, Record};
use crate::recover::{self, Thoroughness};
use crate::storage::{Storage, Wave};

/// The writer's lock of a feed, held, and announced to readers by markers.
///
/// No other writer publishes meanwhile, but those that know its [token](Self::token) do, one at a time, as far as the
/// datasets are those of this lock. Dropping it, or the death of the process, releases it; in the latter case the next
/// writer removes the markers, as it does after a publish that died.
pub struct Hold<'a, S: Storage> {
    feed: &'a Feed<S>,
    datasets: Vec<DatasetName>,
    holder: Holder,
    staging: S::Staging,
    /// `None` once they are dealt with.
    markers: Option<Markers<'a, S>>,
    since: Instant,
    _lock: S::Lock,
}

impl<S: Storage> Feed<S> {
    /// Takes the writer's lock and keeps it. The feed must exist.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Locked`], [`Error::OutsideLock`] within another lock, [`Error::Damaged`], [`Error::Io`].
    pub fn hold(&self, datasets: &[DatasetName]) -> Result<Hold<'_, S>, Error> {
        let since = Instant::now();
        self.take_hold(datasets, since).inspect_err(|error| record(self, datasets, since, Err(error)))
    }

    fn take_hold(&self, datasets: &[DatasetName], since: Instant) -> Result<Hold<'_, S>, Error> {
        self.manifest()?;
        self.complete()?;
        let staging = self.storage.stage().map_err(Error::io("open staging"))?;
        let (mut lock, holder) = lock::acquire(self, datasets)?;
        let (_, current) = recover::finish(self, &staging, Thoroughness::WhatMarkersName)?;
        if let Some(current) = current {
            self.refuse_old_copy(&current.manifest, &self.known(Some(&current.manifest))?)?;
        }
        let raised = Markers::raise(self, &staging, holder.clone(), datasets);
        let (markers, placed) = raised.map_err(Error::io("create the lock markers"))?;
        // Durable before anyone publishes under them, like the markers of a commit (I8).
        let wave = Wave { pending: Vec::new(), placed, dirs: vec![Dir::Root] };
        self.storage.sync(wave).map_err(Error::io("make the lock markers durable"))?;
        self.storage.share(&mut lock).map_err(Error::io("share the writer's lock"))?;
        let datasets = datasets.to_vec();
        Ok(Hold { feed: self, datasets, holder, staging, markers: Some(markers), since, _lock: lock })
    }
}

/// Adds a record of a lock to the operation log.
fn record<S: Storage>(feed: &Feed<S>, datasets: &[DatasetName], since: Instant, ended: Result<(), &Error>) {
    let mut record = Record::new(Operation::Lock, feed.now());
    record.duration_ms = since.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    record.datasets = datasets.iter().cloned().map(DatasetRecord::named).collect();
    if let Err(error) = ended {
        record.failed(error);
    }
    feed.log(&record);
}

impl<S: Storage> Hold<'_, S> {
    /// What [`Settings::under_lock`](crate::Settings::under_lock) of a publish under this lock must be.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.holder.token
    }

    /// Writes the markers anew, with a lease that begins now. To be called before the one before has ended.
    ///
    /// # Errors
    /// [`Error::Io`]; the lock stays held, and readers stop to believe in it once the last lease has ended.
    pub fn renew(&self) -> Result<(), Error> {
        let Some(markers) = &self.markers else { return Ok(()) };
        let renewed = markers.renew(&self.staging, self.holder.clone(), &self.datasets);
        renewed.map_err(Error::io("renew the lock markers"))
    }

    /// Puts in order what a publish under this lock may have left, removes the markers and releases the lock. Waits for
    /// a publish that is still going on.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Damaged`], [`Error::Io`]; the lock is released all the same, and the next writer does
    /// the rest.
    pub fn release(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        let Some(markers) = self.markers.take() else { return Ok(()) };
        // Removed by recovery alone: it knows whether what they announce has been dealt with (I8).
        markers.leave();
        let ended = self.put_in_order();
        record(self.feed, &self.datasets, self.since, ended.as_ref().copied());
        ended
    }

    fn put_in_order(&self) -> Result<(), Error> {
        let _turn = self.turn()?;
        recover::finish(self.feed, &self.staging, Thoroughness::WhatMarkersName).map(drop)
    }

    fn turn(&self) -> Result<S::Lock, Error> {
        let begin = Instant::now();
        loop {
            let turn = self.feed.storage.try_join().map_err(Error::io("end the writer's lock"))?;
            let waited = begin.elapsed();
            match turn {
                Some(turn) => return Ok(turn),
                None if waited >= self.feed.settings.lock_wait => {
                    let holder = "a publish under this lock goes on".to_owned();
                    let way_out = "the markers stay until the next publish";
                    return Err(Error::Locked { holder, waited_ms: waited.as_millis(), way_out });
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl<S: Storage> Drop for Hold<'_, S> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "the lock is released; the next publish removes its markers");
        }
    }
}
