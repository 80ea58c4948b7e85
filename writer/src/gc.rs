//! Garbage collection: removes old generations from the history, and then the objects that nothing retained names (I7).
//!
//! It runs under the writer's lock, so no commit is in progress: an object that nothing names belongs to no one who could
//! still commit it. A rollback or a publish that is being prepared meanwhile has its bytes in staging.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::time::Duration;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, FeedPath};
use lastgood_protocol::manifest::{Generation, Manifest};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;

use crate::error::Error;
use crate::feed::Feed;
use crate::lazy::LazyStaging;
use crate::lock;
use crate::operations::Operation;
use crate::recover::{self, Thoroughness};
use crate::retained;
use crate::storage::{Storage, Wave};
use crate::verify::ProblemKind;

/// What garbage collection leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many of the newest generations are retained. At least 1: the published one. Default: 20.
    ///
    /// Beyond these, the generations that the backups of the published datasets come from are retained, so that each
    /// dataset can be rolled back: the newest of them, at most as many again.
    pub keep: usize,
    /// How long whatever readers and caches may still hold is left alone: generations for as long after the next one
    /// came, objects for as long after they were written. Default: 1 h.
    pub grace: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep: 20, grace: Duration::from_secs(3600) }
    }
}

/// What garbage collection has removed, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// The generation that is published.
    pub generation: Generation,
    /// The generations that remain in the history, in rising order.
    pub retained: Vec<Generation>,
    /// The generations that go.
    pub generations: Vec<Generation>,
    /// The objects that go, each with its siblings.
    pub objects: Vec<FeedPath>,
    /// How many bytes all these files have.
    pub bytes: u64,
    /// Names in `objects/` that lastgood did not give; they are left alone.
    pub unknown: Vec<String>,
    /// How many dead writers had left files in staging; 0 when nothing was to be changed.
    pub staging_removed: usize,
}

impl<S: Storage> Feed<S> {
    /// Removes the generations that are not to be retained, and the objects that no retained one names (I7). Stale
    /// staging goes as well, and what a crashed writer left is put in order first. May be interrupted at any point and
    /// repeated: generations go before what only they name.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a generation that is to be retained cannot be read: what it names is not known, so nothing
    /// is removed. [`Error::NoFeed`], [`Error::Locked`], [`Error::Io`].
    pub fn gc(&self, retention: &Retention) -> Result<Collection, Error> {
        self.logged(Operation::Gc, Vec::new(), || self.collect(retention))
    }

    fn collect(&self, retention: &Retention) -> Result<Collection, Error> {
        self.manifest()?;
        self.complete()?;
        let (_lock, _) = lock::acquire(self, &[])?;
        let staging = LazyStaging::new(&self.storage);
        let (recovery, current) = recover::finish(self, &staging, Thoroughness::WhatMarkersName)?;
        if let Some(current) = current {
            self.refuse_old_copy(&current.manifest, &self.known(Some(&current.manifest))?)?;
        }
        let plan = Plan::make(self, retention)?;
        plan.carry_out(&self.storage).map_err(Error::io("collect garbage"))?;
        let collection = Collection { staging_removed: recovery.staging_removed, ..plan.collection };
        tracing::info!(generations = collection.generations.len(), bytes = collection.bytes, "collected garbage");
        Ok(collection)
    }

    /// What [`gc`](Self::gc) would remove now. Changes nothing and needs no lock; what a publish in progress has just
    /// written may be counted although it will be named.
    ///
    /// # Errors
    /// As for [`gc`](Self::gc), but never [`Error::Locked`].
    pub fn gc_dry_run(&self, retention: &Retention) -> Result<Collection, Error> {
        Plan::make(self, retention).map(|plan| plan.collection)
    }
}

/// What is to go, in words and as files.
struct Plan {
    collection: Collection,
    /// The files of the objects: siblings before the object that they belong to, so that they are found by it again when
    /// this is interrupted.
    files: Vec<FeedPath>,
}

impl Plan {
    fn make<S: Storage>(feed: &Feed<S>, retention: &Retention) -> Result<Self, Error> {
        // First, before the manifests are read: what a commit places after this is not looked at.
        let (objects, unknown) = objects(&feed.storage).map_err(Error::io("look through objects/"))?;
        let published = feed.manifest()?;
        let (now, grace) = (feed.now(), retention.grace);
        // A time yet to come counts as just now.
        let is_old = |time: Timestamp| Duration::from_millis(now.ms_since(time)) >= grace;

        let generations = generations(feed, &published)?;
        let retained = retained_of(&generations, &published, retention.keep, is_old);
        let named = named(feed, &published, &retained)?;
        // What was purged nobody is to have any more, whatever names it and however young it is.
        let is_purged = |object: &Object| published.purged.get(&object.id.0).is_some();
        let is_garbage = |object: &Object| !named.contains(&object.id) && is_old(object.modified);
        let objects: Vec<Object> =
            objects.into_iter().filter(|object| is_purged(object) || is_garbage(object)).collect();
        let going: Vec<&Known> = generations.iter().filter(|known| !retained.contains(&known.generation)).collect();
        let bytes = going.iter().map(|known| known.size).chain(objects.iter().map(|object| object.size)).sum();
        let collection = Collection {
            generation: published.generation,
            generations: going.iter().map(|known| known.generation).collect(),
            retained: retained.into_iter().collect(),
            objects: objects.iter().map(|Object { id: (sha256, ext), .. }| layout::object(sha256, ext)).collect(),
            bytes,
            unknown,
            staging_removed: 0,
        };
        Ok(Self { collection, files: objects.into_iter().flat_map(|object| object.files).collect() })
    }

    fn carry_out<S: Storage>(&self, storage: &S) -> io::Result<()> {
        // Oldest first: what an interruption leaves is a history without gaps that were not there before.
        for &generation in &self.collection.generations {
            storage.remove(&layout::history(generation))?;
        }
        // Durable before the first object goes: a power cut must not bring a generation back without what it names. So
        // must the published manifest be, for it to come back instead of one before it.
        storage.sync(Wave::of_entries(vec![Dir::Root, Dir::History]))?;
        for path in &self.files {
            storage.remove(path)?;
        }
        Ok(())
    }
}

/// A generation of the history.
struct Known {
    generation: Generation,
    size: u64,
    /// When the next one took its place, as far as that can be told.
    superseded_at: Timestamp,
    /// Whether the backup of a published dataset comes from it.
    source: bool,
}

/// What is in the history, in rising order.
fn generations<S: Storage>(feed: &Feed<S>, published: &Manifest) -> Result<Vec<Known>, Error> {
    let storage = &feed.storage;
    let mut known: Vec<Known> = Vec::new();
    let mut latest = Timestamp::MIN;
    let mut sources: BTreeMap<Generation, Vec<&DatasetName>> = BTreeMap::new();
    for (dataset, entry) in &published.datasets {
        if let Some(before) = entry.previous {
            sources.entry(before).or_default().push(dataset);
        }
    }
    for generation in recover::retained_generations(storage).map_err(Error::io("list the history"))? {
        let path = layout::history(generation);
        let Some(info) = storage.info(&path).map_err(Error::io(format!("look at {path}")))? else { continue };
        let comes_from = sources.get(&generation).map_or(&[][..], Vec::as_slice);
        let (told, source) = match retained::load(storage, generation) {
            Ok(None) => continue,
            Ok(Some(manifest)) => {
                let is_there = |dataset: &&DatasetName| {
                    let entry = manifest.datasets.get(dataset);
                    entry.is_some_and(|entry| published.purged.get(&entry.sha256).is_none())
                };
                (manifest.published_at, comes_from.iter().any(is_there))
            }
            // A medium that fails now may give it back later.
            Err(kind @ ProblemKind::Unreadable(_)) => return Err(blocked(feed, &[(generation, kind)])),
            Err(_) => (Timestamp::MIN, !comes_from.is_empty()),
        };
        // The later of the two clocks, and never before an earlier generation: neither a clock that was set back nor a
        // file that was copied with an old date makes anything look older than it is.
        latest = latest.max(info.modified).max(told);
        if let Some(before) = known.last_mut() {
            before.superseded_at = latest;
        }
        known.push(Known { generation, size: info.size, superseded_at: Timestamp::MAX, source });
    }
    if let Some(last) = known.last_mut().filter(|last| last.generation < published.generation) {
        last.superseded_at = latest.max(published.published_at);
    }
    Ok(known)
}

/// The generations that stay.
fn retained_of(
    generations: &[Known],
    published: &Manifest,
    keep: usize,
    is_old: impl Fn(Timestamp) -> bool,
) -> BTreeSet<Generation> {
    let keep = keep.max(1);
    let newest_first = || generations.iter().rev();
    // Later ones than the published one are not of its past: whoever put an old manifest back may want them.
    let mut retained: BTreeSet<Generation> = newest_first()
        .map(|known| known.generation)
        .take_while(|&generation| generation >= published.generation)
        .collect();
    let past = || newest_first().filter(|known| known.generation < published.generation);
    retained.extend(past().take(keep - 1).map(|known| known.generation));
    retained.extend(past().filter(|known| !is_old(known.superseded_at)).map(|known| known.generation));
    let further = past().filter(|known| known.source && !retained.contains(&known.generation));
    let further: Vec<Generation> = further.map(|known| known.generation).take(keep).collect();
    retained.extend(further);
    retained
}

/// What the published manifest and the retained ones name.
fn named<S: Storage>(
    feed: &Feed<S>,
    published: &Manifest,
    retained: &BTreeSet<Generation>,
) -> Result<HashSet<(Sha256, Ext)>, Error> {
    let mut named = HashSet::new();
    let mut add = |manifest: &Manifest| {
        for (sha256, ext) in manifest.objects() {
            named.insert((sha256, Ext::parse(ext).expect("it comes from an extension")));
        }
    };
    add(published);
    let mut damaged = Vec::new();
    for &generation in retained {
        match retained::load(&feed.storage, generation) {
            Ok(manifest) => manifest.iter().for_each(&mut add),
            Err(kind) => damaged.push((generation, kind)),
        }
    }
    if damaged.is_empty() { Ok(named) } else { Err(blocked(feed, &damaged)) }
}

pub(crate) fn blocked<S: Storage>(feed: &Feed<S>, problems: &[(Generation, ProblemKind)]) -> Error {
    let describe = |(generation, kind): &(Generation, ProblemKind)| format!("{} {kind}", layout::history(*generation));
    let list: Vec<String> = problems.iter().map(describe).collect();
    let way_out = "what it names is not known, so nothing is collected; put it back from a copy of the feed, or remove it, \
                   which gives its generation up";
    Error::Damaged { location: feed.location(), problem: list.join("; "), way_out: way_out.to_owned() }
}

/// An object and its siblings.
struct Object {
    id: (Sha256, Ext),
    /// The siblings first: as long as one is left when this is interrupted, it is found again, with or without the object.
    files: Vec<FeedPath>,
    size: u64,
    /// When the youngest of the files was written.
    modified: Timestamp,
}

/// What is in `objects/`, and the names there that are none of ours.
fn objects<S: Storage>(storage: &S) -> io::Result<(Vec<Object>, Vec<String>)> {
    let mut found: BTreeMap<(Sha256, Ext), Object> = BTreeMap::new();
    let mut unknown = Vec::new();
    let names = storage.list(Dir::Objects)?;
    // Sorted, an object comes before its siblings.
    for name in names.into_iter().rev() {
        let Some((id, path)) = parse(&name) else {
            unknown.push(name);
            continue;
        };
        let Some(info) = storage.info(&path)? else { continue };
        let new = Object { id: id.clone(), files: Vec::new(), size: 0, modified: Timestamp::MIN };
        let object = found.entry(id).or_insert(new);
        object.files.push(path);
        object.size += info.size;
        object.modified = object.modified.max(info.modified);
    }
    unknown.reverse();
    Ok((found.into_values().collect(), unknown))
}

/// The object that a file of `objects/` is or is a sibling of, and its path.
fn parse(name: &str) -> Option<((Sha256, Ext), FeedPath)> {
    if let Some((sha256, ext)) = layout::parse_object(name) {
        let path = layout::object(&sha256, &ext);
        return Some(((sha256, ext), path));
    }
    let (sha256, ext, encoding) = layout::parse_sibling(name)?;
    let path = layout::sibling(&sha256, &ext, encoding);
    Some(((sha256, ext), path))
}
