//! What is published, since when, and who is publishing now.

use lastgood_protocol::layout::{self, FeedPath};
use lastgood_protocol::manifest::{Generation, Manifest};
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::time::Timestamp;

use crate::error::Error;
use crate::feed::Feed;
use crate::lock::{self, Held};
use crate::mark::OldCopy;
use crate::recover;
use crate::storage::Storage;

/// The state of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The published manifest.
    pub manifest: Manifest,
    /// When this was found, by this machine's clock.
    pub at: Timestamp,
    /// Milliseconds since the last commit.
    pub age_ms: u64,
    /// The generations whose manifests are retained, in rising order.
    pub retained: Vec<Generation>,
    /// The commit in progress or left behind; `None` when no lastgood has locked the feed.
    pub lock: Option<LockStatus>,
    /// Lock markers that lastgood did not write. A publish of what they concern waits for them.
    pub foreign_markers: Vec<ForeignMarker>,
    /// The feed was restored from an old copy: what is published is below what has been published before (I5).
    pub old_copy: Option<OldCopy>,
}

/// A lock marker that lastgood did not write, such as that of an older script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignMarker {
    /// The file.
    pub path: FeedPath,
    /// Milliseconds since it was last changed.
    pub age_ms: u64,
}

/// A lock on a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockStatus {
    /// Whether a living process holds the writer's lock. If not, the marker is stale and the next writer removes it.
    pub held: bool,
    /// Who holds it or has left the marker, as far as it is known.
    pub holder: Option<Holder>,
    /// The marker, if it is there and whole.
    pub marker: Option<LockMarker>,
}

/// The locks on a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locks {
    /// The commit in progress or left behind; `None` when no lastgood has locked the feed.
    pub lock: Option<LockStatus>,
    /// Lock markers that lastgood did not write. A publish of what they concern waits for them.
    pub foreign_markers: Vec<ForeignMarker>,
}

impl<S: Storage> Feed<S> {
    /// Looks at the feed without changing anything and without waiting for anyone.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Damaged`], [`Error::Io`].
    pub fn status(&self) -> Result<Status, Error> {
        let manifest = self.manifest()?;
        let at = self.now();
        let retained = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
        let age_ms = at.ms_since(manifest.published_at);
        let Locks { lock, foreign_markers } = self.locks_where(lock::held_by_all_signs(self)?)?;
        let old_copy = self.old_copy()?;
        Ok(Status { at, age_ms, retained, lock, foreign_markers, old_copy, manifest })
    }

    /// Looks at the locks alone, also where the manifest is damaged. The lock itself is private to the user who publishes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn locks(&self) -> Result<Locks, Error> {
        self.locks_where(lock::held(self)?)
    }

    fn locks_where(&self, held: Held) -> Result<Locks, Error> {
        let at = self.now();
        let foreign = lock::foreign_markers(self).map_err(Error::io("look at the lock markers"))?;
        let foreign_markers =
            foreign.into_iter().map(|(path, since)| ForeignMarker { path, age_ms: at.ms_since(since) }).collect();
        Ok(Locks { lock: self.lock_status(held)?, foreign_markers })
    }

    fn lock_status(&self, (held, holder): Held) -> Result<Option<LockStatus>, Error> {
        let path = layout::lock();
        let there = self.storage.info(&path).map_err(Error::io("look at the lock marker"))?.is_some();
        let marker = lock::read_marker(self, &path).map_err(Error::io("read the lock marker"))?;
        if !held && (!there || !lock::own(self, &path).map_err(Error::io("look at the lock marker"))?) {
            return Ok(None);
        }
        let holder = holder.or_else(|| marker.as_ref().map(|marker| marker.holder.clone()));
        Ok(Some(LockStatus { held, holder, marker }))
    }
}
