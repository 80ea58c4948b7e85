//! Recovery: finishes or undoes what a crashed writer left.
//!
//! It rolls forward from the manifest, is part of every publish, and can itself be interrupted at any point and
//! repeated (I8): nothing is removed before what it announces has been dealt with.

use std::collections::BTreeSet;
use std::io;

use lastgood_protocol::id::FeedId;
use lastgood_protocol::layout::{self, Dir, FeedPath};
use lastgood_protocol::manifest::{Generation, Manifest};
use lastgood_protocol::name::DatasetName;

use crate::derived::{self, Derived};
use crate::error::Error;
use crate::feed::{Current, Feed};
use crate::lazy::LazyStaging;
use crate::lock::{self, MarkersFound};
use crate::mark::OldCopy;
use crate::operations::Operation;
use crate::publish::{Identity, Publication};
use crate::purge;
use crate::repair;
use crate::restore::{Otherwise, Restored, restore_manifest};
use crate::retained;
use crate::storage::{Staging, Storage, Wave};

/// What a recovery has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The generation that is published; `None` when there is no feed yet.
    pub generation: Option<Generation>,
    /// What was missing of the feed's directories and was made again, by path from the feed directory.
    pub made: Vec<String>,
    /// The manifest was missing or damaged and was put back from the history.
    pub manifest_restored: bool,
    /// The identity that it was given, because nothing tells whether there were later generations.
    pub new_feed: Option<FeedId>,
    /// Objects that were missing and were put back from a plain copy, a backup or a compressed sibling.
    pub objects: Vec<FeedPath>,
    /// Derived files that did not agree with the manifest and were rebuilt.
    pub rebuilt: Vec<FeedPath>,
    /// Whether lock markers of a dead writer were removed.
    pub markers_removed: bool,
    /// How many dead writers had left files in staging.
    pub staging_removed: usize,
    /// What is published is below what has been: until that is decided, nothing can be published.
    pub old_copy: Option<OldCopy>,
    /// Files of payloads that had been purged, which were still there, or there again, and were removed.
    pub purged: Vec<FeedPath>,
}

impl Recovery {
    /// Whether there was anything to be put in order.
    #[must_use]
    pub fn did_something(&self) -> bool {
        // Every field is named, so that a new one cannot be forgotten here.
        let Self {
            generation: _,
            made,
            manifest_restored,
            new_feed: _,
            objects,
            rebuilt,
            markers_removed,
            staging_removed,
            old_copy: _,
            purged,
        } = self;
        let files = !made.is_empty() || !objects.is_empty() || !rebuilt.is_empty() || !purged.is_empty();
        files || *manifest_restored || *markers_removed || *staging_removed > 0
    }
}

impl<S: Storage> Feed<S> {
    /// Puts the feed in order after a crash, with every derived file checked against the manifest. When the manifest
    /// itself is missing or damaged, the newest intact one of the history is put back; directories and objects that are
    /// missing are made again.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Locked`], [`Error::Damaged`] when there is no intact manifest, [`Error::Io`].
    pub fn recover(&self) -> Result<Recovery, Error> {
        self.logged(Operation::Recover, Vec::new(), || Ok(self.put_in_order(Otherwise::Fail)?.0))
    }

    fn put_in_order(&self, otherwise: Otherwise) -> Result<(Recovery, Restored), Error> {
        let made = complete(self)?;
        let _lock = acquire(self)?;
        let staging_removed = self.sweep()?;
        let staging = LazyStaging::new(&self.storage);
        let restored = restore_manifest(self, &staging, otherwise)?;
        // First: everything else is rebuilt from them.
        let objects = match self.current()? {
            Some(current) if repair::lacked_objects(&made) => repair::restore_all(self, &staging, &current.manifest)?,
            Some(current) => repair::restore_missing(self, &staging, &current.manifest, &current.manifest)?,
            None => Vec::new(),
        };
        let (recovery, current) = finish(self, &staging, Thoroughness::Everything)?;
        let old_copy = match &current {
            Some(current) => self.known(Some(&current.manifest))?.old_copy(&current.manifest),
            None => None,
        };
        let staging_removed = staging_removed + recovery.staging_removed;
        let (manifest_restored, new_feed) = (restored.is_done(), restored.new_feed());
        let recovery = Recovery { made, manifest_restored, new_feed, objects, staging_removed, old_copy, ..recovery };
        Ok((recovery, restored))
    }
}

impl<S: Storage> Feed<S> {
    /// Recovers, and gives the feed a new identity in a generation of its own that changes no dataset.
    ///
    /// For a feed that was restored from an old copy: its generation is below the one that readers have seen, so they
    /// would refuse it, as they refuse a replay. Under a new identity they take it for what it is, another feed.
    /// Generations still rise (I5), and the commit is made like any other.
    ///
    /// # Errors
    /// As for [`recover`](Self::recover) and for a commit: [`Error::Unknown`] when the medium does not confirm it.
    pub fn recover_as_new_feed(&self) -> Result<(Recovery, Publication), Error> {
        self.logged(Operation::Recover, Vec::new(), || self.put_in_order_as_new_feed())
    }

    fn put_in_order_as_new_feed(&self) -> Result<(Recovery, Publication), Error> {
        match self.put_in_order(Otherwise::BeginAnew)? {
            (recovery, Restored::AsNewFeed(publication)) => Ok((recovery, *publication)),
            (recovery, _) => Ok((recovery, self.commit_nothing(Identity::New)?)),
        }
    }

    /// Recovers, and goes on with a feed that was restored from an old copy: what is published is published again, in a
    /// generation of its own above all that there have been (I5), so that readers take it for newer than what they have
    /// seen. `None` when the feed was not restored, and there is nothing to be decided.
    ///
    /// # Errors
    /// As for [`recover_as_new_feed`](Self::recover_as_new_feed).
    pub fn recover_accepting_older(&self) -> Result<(Recovery, Option<Publication>), Error> {
        self.logged(Operation::Recover, Vec::new(), || {
            let (recovery, _) = self.put_in_order(Otherwise::Fail)?;
            let accept = || self.commit_nothing(Identity::KeptByOldCopy);
            let publication = recovery.old_copy.map(|_| accept()).transpose()?;
            Ok((recovery, publication))
        })
    }

    fn commit_nothing(&self, identity: Identity) -> Result<Publication, Error> {
        let staging = self.storage.stage().map_err(Error::io("open staging"))?;
        self.commit(&staging, Vec::new(), identity)
    }
}

impl<S: Storage> Feed<S> {
    /// Removes what dead writers have left in staging, for which no lock is needed: before this one needs room on a disk that
    /// they may have filled.
    pub(crate) fn sweep(&self) -> Result<usize, Error> {
        self.storage.sweep_staging().map_err(Error::io("clean staging"))
    }
}

/// Makes what is missing inside a feed, and says what that was. Nothing is made in a directory that is empty, is not there, or
/// is another program's.
pub(crate) fn complete<S: Storage>(feed: &Feed<S>) -> Result<Vec<String>, Error> {
    if feed.storage.list(Dir::Root).map_err(Error::io("read the feed's directory"))?.is_empty() {
        return Err(Error::NoFeed { location: feed.location() });
    }
    match feed.current() {
        Ok(Some(_)) | Err(Error::Damaged { .. }) => feed.complete_directories(),
        Ok(None) if feed.manifest_missing()?.is_some() => feed.complete_directories(),
        // What a first publish has left that died.
        Ok(None) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}

/// Takes the writer's lock of what may be no feed at all.
pub(crate) fn acquire<S: Storage>(feed: &Feed<S>) -> Result<S::Lock, Error> {
    match lock::acquire(feed, &[]) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound && feed.current()?.is_none() => {
            Err(Error::NoFeed { location: feed.location() })
        }
        acquired => acquired.map(|(lock, _)| lock),
    }
}

/// How much of the derived files is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// What the markers of a crashed commit name; nothing when there are none.
    WhatMarkersName,
    /// All of them.
    Everything,
}

/// Puts derived files, markers and staging in order, and returns what is published. The caller holds the lock.
pub(crate) fn finish<S: Storage>(
    feed: &Feed<S>,
    staging: &impl Staging<File = S::File>,
    thoroughness: Thoroughness,
) -> Result<(Recovery, Option<Current>), Error> {
    let staging_removed = feed.sweep()?;
    let markers = MarkersFound::look(feed).map_err(Error::io("look for lock markers"))?;
    let current = feed.current()?;
    let mut recovery = Recovery {
        generation: current.as_ref().map(|current| current.manifest.generation),
        markers_removed: markers.are_stale(),
        staging_removed,
        ..Recovery::default()
    };
    if let Some(current) = &current
        && let Some(scope) = scope(feed, current, &markers, thoroughness).map_err(Error::io("look at what was left"))?
    {
        recovery.rebuilt = rebuild(feed, staging, current, &scope).map_err(Error::io("rebuild derived files"))?;
        if !recovery.rebuilt.is_empty() {
            tracing::warn!(files = recovery.rebuilt.len(), "derived files were rebuilt from the manifest");
        }
        // Only now, when the manifest that says so is durable.
        recovery.purged = finish_purge(feed, &current.manifest, thoroughness)?;
    }
    // Last, so that an interrupted recovery finds them again (I8).
    markers.lower().map_err(Error::io("remove stale lock markers"))?;
    Ok((recovery, current))
}

/// Removes what a purge that was interrupted has left of its payloads, or what has come back of any since.
fn finish_purge<S: Storage>(
    feed: &Feed<S>,
    manifest: &Manifest,
    thoroughness: Thoroughness,
) -> Result<Vec<FeedPath>, Error> {
    let was_purge = manifest.purged.iter().any(|(_, at)| *at == manifest.published_at);
    if !was_purge && (thoroughness == Thoroughness::WhatMarkersName || manifest.purged.is_empty()) {
        return Ok(Vec::new());
    }
    let removal = purge::remove_files(&feed.storage, manifest);
    match removal.left.into_iter().next() {
        Some(problem) => Err(Error::io("remove what was purged")(io::Error::other(problem))),
        None => Ok(removal.removed),
    }
}

/// The datasets whose derived files are to be checked; `None` when nothing is.
fn scope<S: Storage>(
    feed: &Feed<S>,
    current: &Current,
    markers: &MarkersFound<'_, S>,
    thoroughness: Thoroughness,
) -> io::Result<Option<Vec<DatasetName>>> {
    if thoroughness == Thoroughness::WhatMarkersName {
        if markers.is_empty() {
            // Missing when it could not be put in place after the commit, which was then reported as a warning.
            let history = feed.storage.info(&layout::history(current.manifest.generation))?;
            return Ok(history.is_none().then(Vec::new));
        }
        let last = current.manifest.previous;
        let last = last.map(|last| retained::intact(&feed.storage, last)).transpose()?.flatten();
        let revives = last.is_some_and(|last| derived::revives(&last, &current.manifest));
        // A marker whose bytes a power cut took may have named any dataset, and what was purged and is published again may be the
        // backup of any.
        if let Some(marker) = lock::read_marker(feed, &layout::lock())?.filter(|_| !revives) {
            return Ok(Some(marker.datasets));
        }
    }
    // Those that were withdrawn have some if the commit that did it was interrupted.
    let withdrawn = current.manifest.withdrawn.iter().map(|(dataset, _)| dataset);
    Ok(Some(current.manifest.datasets.keys().chain(withdrawn).cloned().collect()))
}

/// Makes the derived files of `datasets` agree with the manifest (I10).
fn rebuild<S: Storage>(
    feed: &Feed<S>,
    staging: &impl Staging<File = S::File>,
    current: &Current,
    datasets: &[DatasetName],
) -> io::Result<Vec<FeedPath>> {
    let storage = &feed.storage;
    let manifest = &current.manifest;
    let mut derived = Derived::of_manifest(storage, staging, current)?;
    let before = derived::entries_before(storage, manifest, datasets)?;
    for dataset in datasets {
        let Some(entry) = manifest.datasets.get(dataset) else { continue };
        for copy in derived::copies(dataset, entry, before.get(dataset)) {
            if copy.is_intact(storage)? {
                continue;
            }
            let file = copy.stage(storage, staging)?;
            let path = copy.path;
            match (file, copy.encoding) {
                (Some(file), _) => derived.add(path, file),
                // Its object has none: whatever is there is of another payload.
                (None, Some(_)) if storage.info(&path)?.is_some() => derived.remove(path),
                (None, Some(_)) => {}
                (None, None) => tracing::warn!(%path, "cannot be rebuilt: its object is missing or damaged"),
            }
        }
    }
    for path in names_that_went(storage, manifest, datasets)? {
        if storage.info(&path)?.is_some() {
            derived.remove(path);
        }
    }
    let (pending, names) = derived.into_parts();
    // With the manifest that a dead writer has put in place, before anything that follows from it gets its name (I10).
    let durable = storage.sync(Wave { pending, placed: Vec::new(), dirs: vec![Dir::Root] })?;
    let paths = names.all();
    if let Some((path, error)) = names.put_in_place(storage, durable).into_iter().next() {
        return Err(io::Error::new(error.kind(), format!("{path}: {error}")));
    }
    // Also when nothing was rebuilt: what the dead writer renamed may not be durable, and once the markers are gone
    // nothing would tell that a power cut has taken the manifest back and left the derived files.
    storage.sync(Wave::of_entries(vec![Dir::Root, Dir::History]))?;
    Ok(paths)
}

/// The names of derived files that the last commit has given up. Older ones are none of ours any more: somebody else may
/// have put a file of that name there since.
fn names_that_went<S: Storage>(
    storage: &S,
    manifest: &Manifest,
    datasets: &[DatasetName],
) -> io::Result<Vec<FeedPath>> {
    let last = manifest.previous.map(|generation| retained::intact(storage, generation)).transpose()?;
    let Some(last) = last.flatten() else { return Ok(Vec::new()) };
    let names = |manifest: &Manifest| -> io::Result<BTreeSet<FeedPath>> {
        let before = derived::entries_before(storage, manifest, datasets)?;
        let of = |dataset| {
            let entry = manifest.datasets.get(dataset);
            entry.into_iter().flat_map(|entry| derived::copies(dataset, entry, before.get(dataset)))
        };
        Ok(datasets.iter().flat_map(of).map(|copy| copy.path).collect())
    };
    let mut went = names(&last)?;
    for dataset in datasets.iter().filter(|dataset| !manifest.datasets.contains_key(dataset)) {
        went.extend(derived::names_of(storage, &last, dataset)?);
    }
    Ok(went.difference(&names(manifest)?).cloned().collect())
}

/// The generations whose manifests the history has, in rising order.
pub(crate) fn retained_generations<S: Storage>(storage: &S) -> io::Result<Vec<Generation>> {
    let names = storage.list(Dir::History)?;
    let mut generations: Vec<Generation> = names.iter().filter_map(|name| layout::parse_history(name)).collect();
    generations.sort_unstable();
    Ok(generations)
}
