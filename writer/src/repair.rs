//! Repair: rebuilds what is derived, and what can be rebuilt from an intact copy. It never invents anything: whatever it
//! puts in place has the digest that a manifest asks for.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::io::{self, Read};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood_protocol::manifest::{Entry, Manifest};
use lastgood_protocol::name::Ext;

use crate::compress;
use crate::derived;
use crate::error::Error;
use crate::feed::{Current, Feed};
use crate::lazy::LazyStaging;
use crate::lock;
use crate::objects;
use crate::operations::Operation;
use crate::recover::{self, Recovery, Thoroughness};
use crate::restore::{Otherwise, restore_manifest};
use crate::retained;
use crate::storage::{Pending, Storage, Wave};
use crate::verify::{Problem, Progress, Verification};

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Objects that were put back from a plain copy, a backup or a compressed sibling.
    pub objects: Vec<FeedPath>,
    /// Compressed siblings that were made again.
    pub siblings: Vec<FeedPath>,
    /// Damaged siblings that were removed, because they are not to be made or would not help.
    pub siblings_removed: Vec<FeedPath>,
    /// What follows from the manifest and was rebuilt, and what a crashed writer had left.
    pub recovery: Recovery,
    /// What is published now, with the problems that remain.
    pub verification: Verification,
}

impl<S: Storage> Feed<S> {
    /// Verifies the feed under the writer's lock and puts in order what can be: a missing or damaged manifest and all
    /// derived files as [`recover`](Self::recover) does, objects from intact copies of them, siblings from their objects.
    /// May be interrupted and repeated at any point. `watch` is told how far the reading is, from several threads.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Locked`], [`Error::Damaged`] when there is no intact manifest, [`Error::Io`].
    pub fn repair(&self, watch: &(dyn Fn(Progress) + Sync)) -> Result<Repair, Error> {
        self.logged(Operation::Repair, Vec::new(), || self.rebuild_what_can_be(watch))
    }

    fn rebuild_what_can_be(&self, watch: &(dyn Fn(Progress) + Sync)) -> Result<Repair, Error> {
        let made = recover::complete(self)?;
        let _lock = recover::acquire(self)?;
        let staging_removed = self.sweep()?;
        let staging = LazyStaging::new(&self.storage);
        let restored = restore_manifest(self, &staging, Otherwise::Fail)?;
        let found = self.verify_once(watch)?;

        // Objects first: everything else is rebuilt from them.
        let published = self.manifest()?;
        let bench = Bench { feed: self, staging: &staging, published: &published, copies: OnceCell::new() };
        let (mut objects, mut siblings, mut siblings_removed) = (Vec::new(), Vec::new(), Vec::new());
        let damaged = || found.problems.iter().filter(|problem| problem.path.dir() == Dir::Objects);
        for problem in damaged() {
            if let Some(object) = object(problem)
                && bench.restore(&object).map_err(Error::io(format!("put {} back", problem.path)))?
            {
                objects.push(problem.path.clone());
            }
        }
        for problem in damaged() {
            let Some((object, encoding)) = sibling(problem) else { continue };
            match bench.compress(&object, encoding).map_err(Error::io(format!("make {} again", problem.path)))? {
                Compressed::Made => siblings.push(problem.path.clone()),
                Compressed::Removed => siblings_removed.push(problem.path.clone()),
                Compressed::Left => {}
            }
        }
        let dirs = vec![Dir::Objects];
        self.storage.sync(Wave::of_entries(dirs)).map_err(Error::io("sync the objects"))?;
        let (recovery, _) = recover::finish(self, &staging, Thoroughness::Everything)?;
        let mut verification = if found.problems.is_empty() { found } else { self.verify_once(watch)? };
        verification.old_copy = self.old_copy()?;
        let staging_removed = staging_removed + recovery.staging_removed;
        let (manifest_restored, new_feed) = (restored.is_done(), restored.new_feed());
        let old_copy = verification.old_copy;
        let recovery = Recovery { made, manifest_restored, new_feed, staging_removed, old_copy, ..recovery };
        Ok(Repair { objects, siblings, siblings_removed, recovery, verification })
    }
}

impl<S: Storage> Feed<S> {
    /// Makes what is missing inside the feed, which this is, and says so. Where the objects were missing, they are put back from
    /// whatever has their bytes before anything takes the place of that.
    pub(crate) fn complete(&self) -> Result<(), Error> {
        let made = self.complete_directories()?;
        if !lacked_objects(&made) {
            return Ok(());
        }
        let (_lock, _) = lock::acquire(self, &[])?;
        let Some(Current { manifest: published, .. }) = self.current()? else { return Ok(()) };
        let restored = restore_all(self, &LazyStaging::new(&self.storage), &published)?;
        if !restored.is_empty() {
            tracing::warn!(objects = restored.len(), "objects were put back from plain copies, backups and siblings");
        }
        Ok(())
    }
}

/// Whether the directory of the objects is among what was made.
pub(crate) fn lacked_objects(made: &[String]) -> bool {
    made.iter().any(|name| name.trim_end_matches('/') == layout::OBJECTS_DIR)
}

/// Puts back what can be of the objects that the published or any other retained manifest names. Says which.
pub(crate) fn restore_all<S: Storage>(
    feed: &Feed<S>,
    staging: &LazyStaging<'_, S>,
    published: &Manifest,
) -> Result<Vec<FeedPath>, Error> {
    let mut restored = restore_missing(feed, staging, published, published)?;
    let retained = recover::retained_generations(&feed.storage).map_err(Error::io("list the history"))?;
    for generation in retained.into_iter().rev() {
        // Of one that cannot be read nobody knows what it names.
        if let Ok(Some(manifest)) = retained::load(&feed.storage, generation) {
            restored.extend(restore_missing(feed, staging, &manifest, published)?);
        }
    }
    Ok(restored)
}

/// Puts objects that a manifest names back where they are missing, from whatever has their bytes: plain copies, backups, siblings;
/// but not those that the published one says were purged. Says which. What is there is not read.
pub(crate) fn restore_missing<S: Storage>(
    feed: &Feed<S>,
    staging: &LazyStaging<'_, S>,
    manifest: &Manifest,
    published: &Manifest,
) -> Result<Vec<FeedPath>, Error> {
    let bench = Bench { feed, staging, published, copies: OnceCell::new() };
    let mut restored = Vec::new();
    for entry in manifest.datasets.values() {
        let payload = Id { sha256: entry.sha256, ext: entry.ext.clone(), size: entry.size };
        let schema = entry.schema.as_ref();
        let schema = schema.map(|schema| Id { sha256: schema.sha256, ext: Ext::json(), size: schema.size });
        for object in std::iter::once(payload).chain(schema) {
            let path = object.path();
            if published.purged.get(&object.sha256).is_some() {
                continue;
            }
            let restore = || Ok(feed.storage.info(&path)?.is_none() && bench.restore(&object)?);
            if restore().map_err(Error::io(format!("put {path} back")))? {
                restored.push(path);
            }
        }
    }
    if !restored.is_empty() {
        feed.storage.sync(Wave::of_entries(vec![Dir::Objects])).map_err(Error::io("sync the objects"))?;
    }
    Ok(restored)
}

/// The damaged object that a problem is about: its name and size.
fn object(problem: &Problem) -> Option<Id> {
    let (sha256, ext) = layout::parse_object(problem.path.file_name())?;
    Some(Id { sha256, ext, size: problem.size? })
}

fn sibling(problem: &Problem) -> Option<(Id, Encoding)> {
    let (sha256, ext, encoding) = layout::parse_sibling(problem.path.file_name())?;
    Some((Id { sha256, ext, size: problem.size? }, encoding))
}

struct Id {
    sha256: Sha256,
    ext: Ext,
    size: u64,
}

impl Id {
    fn path(&self) -> FeedPath {
        layout::object(&self.sha256, &self.ext)
    }

    fn identity(&self) -> (&Sha256, u64) {
        (&self.sha256, self.size)
    }
}

/// What has become of a damaged sibling.
enum Compressed {
    Made,
    Removed,
    /// Nothing: its object is not intact.
    Left,
}

struct Bench<'a, S: Storage> {
    feed: &'a Feed<S>,
    staging: &'a LazyStaging<'a, S>,
    published: &'a Manifest,
    /// The files that may be plain copies or backups, by their size; looked up when first needed.
    copies: OnceCell<HashMap<u64, Vec<FeedPath>>>,
}

impl<S: Storage> Bench<'_, S> {
    /// Puts an object back from whatever has its bytes; false when nothing has.
    fn restore(&self, object: &Id) -> io::Result<bool> {
        let Some(source) = self.source(object)? else { return Ok(false) };
        let Some(file) = objects::verified(self.staging, source, object.identity())? else { return Ok(false) };
        self.put(file, &object.path()).map(|()| true)
    }

    /// An intact copy of an object, opened.
    fn source(&self, object: &Id) -> io::Result<Option<Box<dyn Read + Send>>> {
        let storage = &self.feed.storage;
        // A candidate that cannot be read is none.
        let is_intact = |file: Box<dyn Read + Send>| {
            objects::digest(file.take(object.size + 1)).is_ok_and(|found| found == (object.sha256, object.size))
        };
        for path in self.copies()?.get(&object.size).into_iter().flatten() {
            let open = || storage.open(path).ok().flatten();
            if open().is_some_and(is_intact) {
                return Ok(open());
            }
        }
        for (path, encoding) in self.siblings(object) {
            let open = || storage.open(&path).ok().flatten().map(|file| compress::decoder(encoding, file));
            if open().is_some_and(is_intact) {
                return Ok(open());
            }
        }
        Ok(None)
    }

    /// The siblings that an object may have, and those of the plain copies that have its payload.
    fn siblings(&self, object: &Id) -> impl Iterator<Item = (FeedPath, Encoding)> {
        let of_object =
            Encoding::ALL.map(|encoding| (layout::sibling(&object.sha256, &object.ext, encoding), encoding));
        let has_it = |entry: &Entry| entry.plain_copy && (entry.sha256, &entry.ext) == (object.sha256, &object.ext);
        let copied = self.published.datasets.iter().filter(move |(_, entry)| has_it(entry));
        let of_copies = copied.flat_map(|(dataset, entry)| {
            Encoding::ALL.map(|encoding| (layout::copy_sibling(dataset, &entry.ext, encoding), encoding))
        });
        of_object.into_iter().chain(of_copies)
    }

    fn copies(&self) -> io::Result<&HashMap<u64, Vec<FeedPath>>> {
        if let Some(copies) = self.copies.get() {
            return Ok(copies);
        }
        let storage = &self.feed.storage;
        let mut copies: HashMap<u64, Vec<FeedPath>> = HashMap::new();
        for path in storage.list(Dir::Root)?.iter().filter_map(|name| derived::parse_copy(name)) {
            if let Some(info) = storage.info(&path)? {
                copies.entry(info.size).or_default().push(path);
            }
        }
        Ok(self.copies.get_or_init(|| copies))
    }

    /// Makes a damaged sibling again, or removes it.
    fn compress(&self, object: &Id, encoding: Encoding) -> io::Result<Compressed> {
        let storage = &self.feed.storage;
        let Some(payload) = objects::verified_copy(storage, self.staging, &object.path(), object.identity())? else {
            return Ok(Compressed::Left);
        };
        let compression = self.feed.settings.compression.only(encoding);
        let path = layout::sibling(&object.sha256, &object.ext, encoding);
        match compress::siblings(self.staging, &payload, object.size, &compression, false)?.pop() {
            Some(sibling) => self.put(sibling.of_object, &path).map(|()| Compressed::Made),
            None => storage.remove(&path).map(|_| Compressed::Removed),
        }
    }

    /// Puts a file in the place of a damaged one, durable before it is there.
    fn put(&self, file: Pending<S::File>, path: &FeedPath) -> io::Result<()> {
        let storage = &self.feed.storage;
        let durable = storage.sync(Wave::of_files(vec![file]))?;
        durable.into_iter().try_for_each(|file| storage.replace(file, path))
    }
}
