//! The writer's lock and the lock markers.
//!
//! A lock that is held for longer than one commit ([`Feed::hold`]) is shared with the publishes that run under it: they know
//! its token, take turns, and leave its markers, which announce their commits too, where they are.
//!
//! The operating system's lock is the truth between writers and is released by the kernel when its holder dies. The
//! markers are for readers and people; one of ours whose lock is free is stale.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use lastgood_protocol::FORMAT;
use lastgood_protocol::layout::{self, Dir, FeedPath};
use lastgood_protocol::marker::{Holder, LockMarker, MAX_MARKER_BYTES};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::time::Timestamp;

use crate::error::Error;
use crate::feed::Feed;
use crate::storage::{Kind, Placed, StagedFile, Staging, Storage, is_something_else};

/// Takes the writer's lock, waiting for other writers and for the markers of older scripts that concern `datasets`; or a
/// turn under the lock that this process runs under, which then must be one on `datasets`.
pub(crate) fn acquire<S: Storage>(feed: &Feed<S>, datasets: &[DatasetName]) -> Result<(S::Lock, Holder), Error> {
    let holder = holder(feed)?;
    let text = serde_json::to_string(&holder).expect("a holder has only string keys");
    let (begin, mut pause, mut told) = (Instant::now(), Duration::from_millis(1), false);
    loop {
        feed.check_cancelled()?;
        let blocked = match feed.storage.try_lock(&text).map_err(Error::io("take the writer's lock"))? {
            None => match join(feed, datasets)? {
                Some(joined) => return Ok(joined),
                None => Blocked::ByWriter,
            },
            Some(lock) => match foreign_marker(feed, datasets)? {
                None => return Ok((lock, holder)),
                // Not waited for under the lock: other datasets may be published meanwhile.
                Some(found) => Blocked::ByForeignMarker(found),
            },
        };
        if !told {
            tracing::info!("waiting: {}", blocked.holder(feed));
            told = true;
        }
        let waited = begin.elapsed();
        if waited >= feed.settings.lock_wait {
            return Err(blocked.into_error(feed, waited));
        }
        std::thread::sleep(pause.min(feed.settings.lock_wait - waited));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Takes a turn under the lock that this process runs under; `None` when there is no such lock or it is not our turn.
fn join<S: Storage>(feed: &Feed<S>, datasets: &[DatasetName]) -> Result<Option<(S::Lock, Holder)>, Error> {
    let looking = || Error::io("look at the lock that this runs under");
    if above(feed).map_err(looking())?.is_none() {
        return Ok(None);
    }
    let turn = feed.storage.try_join().map_err(Error::io("take a turn under the writer's lock"))?;
    // Again: before we had the turn, that holder may have died and another come.
    let (Some(turn), Some(holder)) = (turn, above(feed).map_err(looking())?) else { return Ok(None) };
    // Without its marker that lock is at its end: nothing would announce a commit under it. Its holder is about to give
    // it back, and then it can be had as by anyone.
    let Some(marker) = read_marker(feed, &layout::lock()).map_err(looking())? else { return Ok(None) };
    match datasets.iter().find(|dataset| !marker.datasets.contains(dataset)) {
        Some(dataset) => Err(Error::OutsideLock { dataset: dataset.clone() }),
        None => Ok(Some((turn, holder))),
    }
}

/// The holder of the lock that this process runs under, if it holds the feed now.
fn above<S: Storage>(feed: &Feed<S>) -> io::Result<Option<Holder>> {
    let Some(token) = &feed.settings.under_lock else { return Ok(None) };
    Ok(present_holder(feed)?.filter(|holder| holder.token == *token))
}

fn present_holder<S: Storage>(feed: &Feed<S>) -> io::Result<Option<Holder>> {
    Ok(feed.storage.lock_holder()?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Whether a writer holds the lock, and who, if it says.
pub(crate) type Held = (bool, Option<Holder>);

/// Looks at the writer's lock, which is private to the user who publishes.
pub(crate) fn held<S: Storage>(feed: &Feed<S>) -> Result<Held, Error> {
    let text = feed.storage.lock_holder().map_err(Error::io("look at the writer's lock"))?;
    Ok((text.is_some(), text.and_then(|text| serde_json::from_str(&text).ok())))
}

/// The same as far as this user may know: where the lock may not be looked at, the marker is believed as readers believe it.
pub(crate) fn held_by_all_signs<S: Storage>(feed: &Feed<S>) -> Result<Held, Error> {
    match held(feed) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            let marker = read_marker(feed, &layout::lock()).map_err(Error::io("read the lock marker"))?;
            Ok((marker.is_some_and(|marker| marker.lease_runs(feed.now())), None))
        }
        held => held,
    }
}

fn holder<S: Storage>(feed: &Feed<S>) -> Result<Holder, Error> {
    Ok(Holder {
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        pid: std::process::id(),
        token: feed.random()?.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

enum Blocked {
    ByWriter,
    ByForeignMarker(String),
}

impl Blocked {
    /// By whom, in words.
    fn holder<S: Storage>(&self, feed: &Feed<S>) -> String {
        match self {
            Blocked::ByForeignMarker(found) => found.clone(),
            Blocked::ByWriter => match present_holder(feed).ok().flatten() {
                Some(holder) => format!("{holder} is publishing"),
                None => "another process is publishing".to_owned(),
            },
        }
    }

    fn into_error<S: Storage>(self, feed: &Feed<S>, waited: Duration) -> Error {
        let way_out = match self {
            Blocked::ByWriter => "try again, or wait longer with --lock-wait",
            Blocked::ByForeignMarker(_) => {
                "if the script that made it is dead, remove the file or pass --stale-marker-after"
            }
        };
        Error::Locked { holder: self.holder(feed), waited_ms: waited.as_millis(), way_out }
    }
}

/// A marker that lastgood did not write and that is not old enough to count as left behind, in words.
fn foreign_marker<S: Storage>(feed: &Feed<S>, datasets: &[DatasetName]) -> Result<Option<String>, Error> {
    for path in of_commit(datasets) {
        let looking = || Error::io(format!("look at {path}"));
        let Some(info) = feed.storage.info(&path).map_err(looking())? else { continue };
        if own(feed, &path).map_err(looking())? {
            continue;
        }
        let age = Duration::from_millis(feed.now().ms_since(info.modified));
        if feed.settings.foreign_marker_stale_after.is_none_or(|limit| age < limit) {
            let secs = age.as_secs();
            return Ok(Some(format!("{path}, which lastgood did not write, is there and {secs} s old")));
        }
    }
    Ok(None)
}

/// Whether the marker at `path` is one of ours: by its content or, where a power cut took that, by its mode.
pub(crate) fn own<S: Storage>(feed: &Feed<S>, path: &FeedPath) -> io::Result<bool> {
    if feed.storage.info(path)?.is_none_or(|info| info.kind == Kind::Marker) {
        return Ok(true);
    }
    Ok(read_marker(feed, path)?.is_some())
}

/// The markers in the feed that lastgood did not write, each with the time of its last change.
pub(crate) fn foreign_markers<S: Storage>(feed: &Feed<S>) -> io::Result<Vec<(FeedPath, Timestamp)>> {
    let mut found = Vec::new();
    for path in all(feed)? {
        if let Some(info) = feed.storage.info(&path)?
            && !own(feed, &path)?
        {
            found.push((path, info.modified));
        }
    }
    Ok(found)
}

/// The paths of the markers of a commit of `datasets`: first the one that names them all.
fn of_commit(datasets: &[DatasetName]) -> impl Iterator<Item = FeedPath> {
    std::iter::once(layout::lock()).chain(datasets.iter().map(layout::dataset_lock))
}

/// The paths of all markers in the feed, whoever wrote them.
fn all<S: Storage>(feed: &Feed<S>) -> io::Result<Vec<FeedPath>> {
    Ok(feed.storage.list(Dir::Root)?.iter().filter_map(|name| layout::parse_marker(name)).collect())
}

/// The marker at `path`, if it is one of ours and whole.
pub(crate) fn read_marker<S: Storage>(feed: &Feed<S>, path: &FeedPath) -> io::Result<Option<LockMarker>> {
    match feed.storage.read(path, MAX_MARKER_BYTES) {
        Ok(bytes) => Ok(bytes.and_then(|bytes| LockMarker::decode(&bytes).ok())),
        // Too large, or a directory or a link: other programs lock with those, too.
        Err(error) if is_something_else(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes of a marker whose lease begins now.
fn marker<S: Storage>(feed: &Feed<S>, holder: Holder, datasets: &[DatasetName]) -> Vec<u8> {
    let now = feed.now();
    let lease_ms = i64::try_from(feed.settings.lease.as_millis()).unwrap_or(i64::MAX);
    let expires_at = now.plus_ms(lease_ms);
    LockMarker { format: FORMAT, holder, datasets: datasets.to_vec(), acquired_at: now, expires_at }.encode()
}

/// Puts a marker in place. One file under several names: a commit of many datasets need not write it as often, nor sync it.
/// Says whether this is the file of the first one.
fn place<S: Storage>(
    feed: &Feed<S>,
    staging: &S::Staging,
    path: &FeedPath,
    bytes: &[u8],
    first: Option<&FeedPath>,
) -> io::Result<(Placed<S::File>, bool)> {
    if let Some(link) = first.map(|first| staging.link(first)).transpose()?.flatten() {
        return Ok((feed.storage.place(link, path)?, true));
    }
    let mut file = staging.create(Kind::Marker)?;
    file.write_all(bytes)?;
    Ok((feed.storage.place(file.finish()?, path)?, false))
}

/// The markers of one commit, removed when the commit is over, however it ends.
pub(crate) struct Markers<'a, S: Storage> {
    feed: &'a Feed<S>,
    paths: Vec<FeedPath>,
}

impl<'a, S: Storage> Markers<'a, S> {
    /// Creates the markers for `datasets`. They are returned to be made durable with the wave, so that whatever can be
    /// left half done by a crash after it is announced by a marker that the crash leaves behind (I8).
    ///
    /// Under a lock whose holder is another process there is nothing to be created: its markers are there.
    pub(crate) fn raise(
        feed: &'a Feed<S>,
        staging: &S::Staging,
        holder: Holder,
        datasets: &[DatasetName],
    ) -> io::Result<(Self, Vec<Placed<S::File>>)> {
        let mut markers = Self { feed, paths: Vec::new() };
        if feed.settings.under_lock.as_ref() == Some(&holder.token) {
            return Ok((markers, Vec::new()));
        }
        let mut placed = Vec::new();
        let bytes = marker(feed, holder, datasets);
        for path in of_commit(datasets) {
            let result = place(feed, staging, &path, &bytes, markers.paths.first());
            // A rename that reported an error may have taken place: then that marker goes with the others (I4).
            if result.is_ok() || own(feed, &path).unwrap_or(false) {
                markers.paths.push(path);
            }
            let (file, is_first) = result?;
            if !is_first {
                placed.push(file);
            }
        }
        Ok((markers, placed))
    }

    /// Writes the markers anew, with a lease that begins now.
    pub(crate) fn renew(&self, staging: &S::Staging, holder: Holder, datasets: &[DatasetName]) -> io::Result<()> {
        let bytes = marker(self.feed, holder, datasets);
        let first = self.paths.first();
        self.paths.iter().try_for_each(|path| {
            place(self.feed, staging, path, &bytes, first.filter(|&first| first != path)).map(drop)
        })
    }

    /// Removes the markers: those of the datasets first, so that the one that names them all goes last.
    pub(crate) fn lower(mut self) -> io::Result<()> {
        remove(self.feed, &mut self.paths)
    }

    /// Leaves the markers where they are, for the next writer to find (I4: the outcome is unknown).
    pub(crate) fn leave(mut self) {
        self.paths.clear();
    }
}

impl<S: Storage> Drop for Markers<'_, S> {
    fn drop(&mut self) {
        // Nobody knows how far the commit has come: the next writer looks (I8).
        if std::thread::panicking() {
            return;
        }
        for path in self.paths.drain(..).rev() {
            if let Err(error) = self.feed.storage.remove(&path) {
                tracing::warn!(%path, %error, "the lock marker could not be removed; the next writer will do it");
            }
        }
    }
}

/// The markers of ours that are there although this process has raised none.
///
/// Dropping this leaves them where they are: what they announce is to be found by the next writer when it cannot be dealt
/// with now (I8).
pub(crate) struct MarkersFound<'a, S: Storage> {
    feed: &'a Feed<S>,
    paths: Vec<FeedPath>,
    /// They are those of the lock that this process runs under: its holder lives and removes them.
    stand: bool,
}

impl<'a, S: Storage> MarkersFound<'a, S> {
    /// Looks for them. The caller holds the lock.
    pub(crate) fn look(feed: &'a Feed<S>) -> io::Result<Self> {
        let mut paths = Vec::new();
        for path in all(feed)? {
            if own(feed, &path)? {
                paths.push(path);
            }
        }
        // `.lock` sorts into the middle; it goes last.
        paths.sort_by_key(|path| *path != layout::lock());
        Ok(Self { feed, paths, stand: above(feed)?.is_some() })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether a dead writer has left them.
    pub(crate) fn are_stale(&self) -> bool {
        !self.paths.is_empty() && !self.stand
    }

    /// Removes them, unless they are to stand. What they announce has been dealt with.
    pub(crate) fn lower(mut self) -> io::Result<()> {
        if self.stand { Ok(()) } else { remove(self.feed, &mut self.paths) }
    }
}

/// Removes markers, the last one first. Those that are left are in `paths`.
fn remove<S: Storage>(feed: &Feed<S>, paths: &mut Vec<FeedPath>) -> io::Result<()> {
    while let Some(path) = paths.last() {
        feed.storage.remove(path)?;
        paths.pop();
    }
    Ok(())
}
