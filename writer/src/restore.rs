//! A manifest that is missing or damaged: the newest intact one of the history is put in its place.
//!
//! Nothing is guessed (I5). What the mark and the log know of later generations stays known, and a publish asks for a decision
//! then. Where there is neither, later generations may have been lost, and nobody can tell: what is put back is another feed.

use std::io;

use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::layout::{self, Dir};
use lastgood_protocol::manifest::{MAX_MANIFEST_BYTES, Manifest};

use crate::derived;
use crate::error::Error;
use crate::feed::Feed;
use crate::mark::{Begun, Known};
use crate::publish::Publication;
use crate::recover::{Recovery, retained_generations};
use crate::storage::{Staging, Storage, Wave, is_something_else};

/// What is done where there is no manifest at all that could be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// It is an error.
    Fail,
    /// An empty manifest of a new feed.
    BeginAnew,
}

/// What has become of the manifest.
pub(crate) enum Restored {
    /// It is intact.
    No,
    /// One of the history was put in its place.
    FromHistory,
    /// One of another feed was made, with the datasets of the newest one that is intact, if there is any.
    AsNewFeed(Box<Publication>),
}

impl Restored {
    pub(crate) fn is_done(&self) -> bool {
        !matches!(self, Restored::No)
    }

    pub(crate) fn new_feed(&self) -> Option<FeedId> {
        if let Restored::AsNewFeed(publication) = self { Some(publication.feed) } else { None }
    }
}

/// Puts the newest intact manifest of the history back when the published one is missing or damaged. The caller holds the
/// lock.
pub(crate) fn restore_manifest<S: Storage>(
    feed: &Feed<S>,
    staging: &impl Staging<File = S::File>,
    otherwise: Otherwise,
) -> Result<Restored, Error> {
    let lost = match feed.current() {
        Ok(Some(_)) => return Ok(Restored::No),
        Ok(None) => feed.manifest_missing()?.ok_or_else(|| Error::NoFeed { location: feed.location() })?,
        Err(lost @ Error::Damaged { .. }) => lost,
        Err(other) => return Err(other),
    };
    let Error::Damaged { problem, .. } = &lost else { return Err(lost) };
    let known = feed.known(None)?;
    match newest(feed)? {
        Some((bytes, manifest)) if known.told => {
            put(feed, staging, &bytes).map_err(Error::io("put the manifest back"))?;
            tracing::warn!(generation = %manifest.generation, %problem, "the manifest was put back from the history");
            Ok(Restored::FromHistory)
        }
        Some((_, manifest)) => {
            tracing::warn!(
                generation = %manifest.generation, %problem,
                "the manifest was put back from the history, as that of another feed: nothing tells whether there were later ones"
            );
            as_new_feed(feed, staging, &known, Some(manifest)).map(|new| Restored::AsNewFeed(Box::new(new)))
        }
        None if otherwise == Otherwise::BeginAnew => {
            as_new_feed(feed, staging, &known, None).map(|new| Restored::AsNewFeed(Box::new(new)))
        }
        None => Err(feed.nothing_to_restore(problem.clone())),
    }
}

/// The newest intact manifest of the history, with its bytes.
pub(crate) fn newest<S: Storage>(feed: &Feed<S>) -> Result<Option<(Vec<u8>, Manifest)>, Error> {
    let generations = retained_generations(&feed.storage).map_err(Error::io("list the history"))?;
    for generation in generations.into_iter().rev() {
        let path = layout::history(generation);
        let bytes = match feed.storage.read(&path, MAX_MANIFEST_BYTES) {
            Err(error) if is_something_else(&error) => continue,
            read => read.map_err(Error::io(format!("read {path}")))?,
        };
        if let Some(bytes) = bytes
            && let Ok(manifest) = Manifest::verify(&bytes)
        {
            return Ok(Some((bytes, manifest)));
        }
    }
    Ok(None)
}

fn put<S: Storage>(feed: &Feed<S>, staging: &impl Staging<File = S::File>, bytes: &[u8]) -> io::Result<()> {
    let durable = feed.storage.sync(Wave::of_files(vec![derived::stage(staging, bytes)?]))?;
    durable.into_iter().try_for_each(|file| feed.storage.replace(file, &layout::manifest()))?;
    feed.storage.sync(Wave::of_entries(vec![Dir::Root])).map(drop)
}

/// A commit in one step: nobody sees the old identity in between, not even after a crash.
fn as_new_feed<S: Storage>(
    feed: &Feed<S>,
    staging: &impl Staging<File = S::File>,
    known: &Known,
    old: Option<Manifest>,
) -> Result<Publication, Error> {
    let (id, commit) = (FeedId::from_random(feed.random()?), CommitId::from_random(feed.random()?));
    let mut next = Manifest::new(id, known.next()?, commit, feed.now());
    next.previous = old.as_ref().map(|old| old.generation);
    if let Some(old) = old {
        next.expires_at = old.expires_at;
        next.datasets = old.datasets;
        next.withdrawn = old.withdrawn;
        next.purged = old.purged;
    }
    let failed = |source| Error::Io { doing: "put the manifest back".to_owned(), source };
    let storage = &feed.storage;
    let (begun, placed) = Begun::write(storage, &next, None).map_err(failed)?;
    let pending = vec![derived::stage(staging, &next.encode()).map_err(failed)?];
    let durable = storage.sync(Wave { pending, placed: vec![placed], dirs: Vec::new() }).map_err(failed)?;
    let replaced = durable.into_iter().try_for_each(|file| storage.replace(file, &layout::manifest()));
    match replaced.and_then(|()| storage.sync(Wave::of_entries(vec![Dir::Root]))) {
        Ok(_) => begun.done(),
        // It may be there: then that number is taken.
        Err(source) => {
            begun.leave();
            return Err(failed(source));
        }
    }
    Ok(Publication {
        feed: id,
        created: false,
        generation: next.generation,
        commit,
        published_at: next.published_at,
        datasets: Vec::new(),
        recovery: Recovery::default(),
        warnings: Vec::new(),
    })
}
