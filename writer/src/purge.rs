//! Purging: payloads that were published before leave the server, and the manifest says that nobody is to keep them.
//!
//! The manifest that says so is committed first, like any other. Only then do the files go: whatever a crash leaves of them, the
//! markers of the commit tell the next writer to remove it, and nothing that is missing looks like damage. The removal is durable
//! before success is reported, so that no power cut brings a payload back.

use std::collections::{BTreeSet, HashSet};
use std::io;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood_protocol::manifest::{Generation, MAX_PURGED, Manifest};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::time::Timestamp;

use crate::compress;
use crate::derived;
use crate::error::Error;
use crate::feed::Feed;
use crate::gc;
use crate::lazy::LazyStaging;
use crate::lock;
use crate::objects;
use crate::operations::Operation;
use crate::publish::{Identity, Publication};
use crate::recover::{self, Recovery, Thoroughness};
use crate::retained;
use crate::storage::{Storage, Wave};
use crate::taking::Taking;

/// Which payloads of a dataset are to be purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// The one that it had in a retained generation.
    Generation(Generation),
    /// The one with this digest, whether or not anything that is retained names it.
    Sha256(Sha256),
    /// All that it had in retained generations before this one, and neither in this one nor later.
    AllBefore(Generation),
}

/// What a purge has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// The commit that says so; `None` when a manifest said so already, or there was nothing to be purged.
    pub publication: Option<Publication>,
    /// The generation that is published.
    pub generation: Generation,
    /// The digests of what was purged, by this call or before.
    pub digests: Vec<Sha256>,
    /// What has become of the files.
    pub removal: Removal,
    /// What a crashed writer had left.
    pub recovery: Recovery,
}

/// What has become of the files of payloads that were purged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// Those that are gone: objects, plain copies, their siblings, backups.
    pub removed: Vec<FeedPath>,
    /// How many bytes they had.
    pub bytes: u64,
    /// Those that may still be there, or come back at a power cut, each with the reason.
    pub left: Vec<String>,
}

/// Why a payload cannot be purged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPurge {
    /// It is what is published.
    #[error(
        "{sha256} is what is published, as {published} of generation {generation}; replace it first (`lastgood publish \
         {published}`, `lastgood rollback {published}`), or `lastgood remove {published}`, then purge it"
    )]
    Published {
        /// The digest.
        sha256: Sha256,
        /// The dataset that has it: its payload, or its schema.
        published: DatasetName,
        /// The generation that is published.
        generation: Generation,
    },
    /// The history does not have the generation.
    #[error(
        "generation {generation} is not retained; retained are: {retained}; what was collected is gone from the server, and \
         `--sha256` tells readers to drop it"
    )]
    NotRetained {
        /// The generation.
        generation: Generation,
        /// The generations that are, in words.
        retained: String,
    },
    /// The generation had no such dataset.
    #[error("generation {generation} did not have it; `lastgood history {dataset}` lists those that had")]
    NotInGeneration {
        /// The dataset.
        dataset: DatasetName,
        /// The generation.
        generation: Generation,
    },
    /// There is no such generation yet.
    #[error("generation {generation} is not published yet; the published one is {published}")]
    NotYet {
        /// The generation.
        generation: Generation,
        /// The published one.
        published: Generation,
    },
}

impl NoPurge {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            NoPurge::Published { .. } => "published",
            NoPurge::NotRetained { .. } => "not-retained",
            NoPurge::NotInGeneration { .. } => "not-in-generation",
            NoPurge::NotYet { .. } => "not-yet",
        }
    }
}

impl<S: Storage> Feed<S> {
    /// Takes payloads off the server at once: objects, compressed siblings, plain copies and backups, also where they belong to
    /// other datasets. A new generation says that they were purged, which is why they are no damage, cannot be rolled back to,
    /// and are dropped by readers at their next look. May be interrupted at any point and repeated.
    ///
    /// # Errors
    /// [`Error::NoPurge`] says why it cannot be purged: above all, because it is published. [`Error::NotPublished`] for a
    /// dataset that nothing retained has. [`Error::Damaged`] when a retained manifest that is to be read cannot be. Otherwise as
    /// for a commit; nothing has changed, unless it is [`Error::Unknown`]. Files that cannot be removed are no error: they are
    /// [left](Removal::left), and the next [`recover`](Self::recover) removes them.
    pub fn purge(&self, dataset: &DatasetName, what: Purge) -> Result<Purged, Error> {
        self.logged(Operation::Purge, vec![dataset.clone()], || self.select_and_purge(dataset, what))
    }

    fn select_and_purge(&self, dataset: &DatasetName, what: Purge) -> Result<Purged, Error> {
        let current = self.manifest()?;
        let digests = self.select(&current, dataset, what)?;
        check_published(&current, dataset, &digests)?;
        self.complete()?;
        if digests.iter().all(|sha256| current.purged.get(sha256).is_some()) {
            return self.finish_purge(digests);
        }
        let staging_removed = self.sweep()?;
        let staging = self.storage.stage().map_err(Error::io("open staging"))?;
        let named = std::slice::from_ref(dataset);
        let mut taking = Taking::Payloads { dataset: named, digests: &digests, removal: None };
        let mut publication = self.commit_with(&staging, Vec::new(), Identity::Kept, &mut taking)?;
        let Taking::Payloads { removal, .. } = taking else { unreachable!("it is what it was made as") };
        let removal = removal.unwrap_or_default();
        publication.recovery.staging_removed += staging_removed;
        let (generation, recovery) = (publication.generation, publication.recovery.clone());
        Ok(Purged { publication: Some(publication), generation, digests, removal, recovery })
    }

    /// All of it is in the manifest already: what is still there goes.
    fn finish_purge(&self, digests: Vec<Sha256>) -> Result<Purged, Error> {
        let (_lock, _) = lock::acquire(self, &[])?;
        let staging = LazyStaging::new(&self.storage);
        let (recovery, _) = recover::finish(self, &staging, Thoroughness::WhatMarkersName)?;
        let current = self.published()?;
        self.refuse_old_copy(&current.manifest, &self.known(Some(&current.manifest))?)?;
        let removal = remove_files(&self.storage, &current.manifest);
        Ok(Purged { publication: None, generation: current.manifest.generation, digests, removal, recovery })
    }

    /// The digests of what is to be purged.
    fn select(&self, current: &Manifest, dataset: &DatasetName, what: Purge) -> Result<Vec<Sha256>, Error> {
        let refused = |reason| Error::NoPurge { dataset: dataset.clone(), reason };
        match what {
            Purge::Generation(generation) => match self.retained_manifest(current, generation)? {
                Some(manifest) => match manifest.datasets.get(dataset) {
                    Some(entry) => Ok(vec![entry.sha256]),
                    None => {
                        self.check_known(current, dataset)?;
                        Err(refused(NoPurge::NotInGeneration { dataset: dataset.clone(), generation }))
                    }
                },
                None => {
                    let retained =
                        recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
                    Err(refused(NoPurge::NotRetained { generation, retained: retained::ranges(&retained) }))
                }
            },
            Purge::Sha256(sha256) => self.check_known(current, dataset).map(|()| vec![sha256]),
            Purge::AllBefore(generation) if generation > current.generation => {
                Err(refused(NoPurge::NotYet { generation, published: current.generation }))
            }
            Purge::AllBefore(first) => {
                self.check_known(current, dataset)?;
                let (mut before, mut kept) = (BTreeSet::new(), BTreeSet::new());
                self.each_retained(current, |manifest| {
                    let wanted = if manifest.generation < first { &mut before } else { &mut kept };
                    wanted.extend(manifest.datasets.get(dataset).map(|entry| entry.sha256));
                })?;
                Ok(before.difference(&kept).copied().collect())
            }
        }
    }

    /// A name that the feed has never had, as far as is retained, is mistyped.
    fn check_known(&self, current: &Manifest, dataset: &DatasetName) -> Result<(), Error> {
        let mut known = current.datasets.contains_key(dataset) || current.withdrawn.get(dataset).is_some();
        if !known {
            self.each_retained(current, |manifest| known |= manifest.datasets.contains_key(dataset))?;
        }
        if known { Ok(()) } else { Err(Error::NotPublished { dataset: dataset.clone() }) }
    }

    fn retained_manifest(&self, current: &Manifest, generation: Generation) -> Result<Option<Manifest>, Error> {
        if generation == current.generation {
            return Ok(Some(current.clone()));
        }
        retained::load(&self.storage, generation).map_err(|kind| gc::blocked(self, &[(generation, kind)]))
    }

    fn each_retained(&self, current: &Manifest, mut visit: impl FnMut(&Manifest)) -> Result<(), Error> {
        visit(current);
        for generation in recover::retained_generations(&self.storage).map_err(Error::io("list the history"))? {
            if generation != current.generation {
                // One that was collected meanwhile names nothing any more.
                self.retained_manifest(current, generation)?.iter().for_each(&mut visit);
            }
        }
        Ok(())
    }
}

/// Notes digests in the manifest that is to be committed. The caller holds the lock.
pub(crate) fn note<S: Storage>(
    feed: &Feed<S>,
    next: &mut Manifest,
    dataset: &DatasetName,
    digests: &[Sha256],
) -> Result<(), Error> {
    // Again: somebody may have published one of them since it was looked at.
    check_published(next, dataset, digests)?;
    let at = next.published_at;
    // What was purged before keeps its time.
    let new = digests.iter().filter(|sha256| next.purged.get(sha256).is_none()).copied().collect::<Vec<_>>();
    new.into_iter().for_each(|sha256| next.purged.insert(sha256, at));
    if next.purged.len() > MAX_PURGED {
        forget(feed, next)?;
    }
    Ok(())
}

/// Forgets what was purged first, as far as nothing retained names it: by then it is long gone from the server and from readers.
fn forget<S: Storage>(feed: &Feed<S>, next: &mut Manifest) -> Result<(), Error> {
    let mut named = HashSet::new();
    let current = feed.manifest()?;
    feed.each_retained(&current, |manifest| named.extend(manifest.objects().map(|(sha256, _)| sha256)))?;
    let (mut excess, now) = (next.purged.len() - MAX_PURGED, next.published_at);
    let noted: Vec<(Sha256, Timestamp)> = next.purged.iter().copied().collect();
    for (sha256, at) in noted {
        if excess > 0 && at != now && !named.contains(&sha256) {
            next.purged.remove(&sha256);
            excess -= 1;
        }
    }
    if excess == 0 {
        return Ok(());
    }
    Err(Error::Limit(format!(
        "the manifest would have to say of {} payloads that they were purged, and there is room for {MAX_PURGED}; give up old \
         generations first (`lastgood gc --keep N`), or purge fewer at a time",
        next.purged.len()
    )))
}

/// What is published is not purged: its readers would have nothing.
fn check_published(manifest: &Manifest, dataset: &DatasetName, digests: &[Sha256]) -> Result<(), Error> {
    for (name, entry) in &manifest.datasets {
        if let Some((sha256, _)) = entry.objects().find(|(sha256, _)| digests.contains(sha256)) {
            let reason = NoPurge::Published { sha256, published: name.clone(), generation: manifest.generation };
            return Err(Error::NoPurge { dataset: dataset.clone(), reason });
        }
    }
    Ok(())
}

/// Removes every file that has what a manifest, which is durable, says was purged. The caller holds the lock.
pub(crate) fn remove_files<S: Storage>(storage: &S, manifest: &Manifest) -> Removal {
    let mut removal = Removal::default();
    let (found, unread) = match files(storage, manifest, |_| true) {
        Ok(found) => found,
        Err(error) => {
            removal.left.push(format!("it is not known what is left: {error}"));
            return removal;
        }
    };
    removal.left.extend(unread.into_iter().map(|(path, error)| format!("{path} cannot be read: {error}")));
    for path in found {
        let size = storage.info(&path).ok().flatten().map_or(0, |info| info.size);
        match storage.remove(&path) {
            Ok(_) => {
                removal.removed.push(path);
                removal.bytes += size;
            }
            Err(error) => removal.left.push(format!("{path} is still there: {error}")),
        }
    }
    // Or a power cut could bring them back.
    if let Err(error) = storage.sync(Wave::of_entries(vec![Dir::Objects, Dir::Root])) {
        removal.left.push(format!("a power cut may bring back what was removed: {error}"));
    }
    removal
}

/// Files, and those that could not be read.
type Found = (Vec<FeedPath>, Vec<(FeedPath, io::Error)>);

/// The files that have what a manifest says was purged: objects and siblings by their names, and what has the name of a plain copy,
/// of its sibling or of a backup by its content, as far as that `is_looked_into`. Siblings come before what they belong to.
pub(crate) fn files<S: Storage>(
    storage: &S,
    manifest: &Manifest,
    is_looked_into: impl Fn(&FeedPath) -> bool,
) -> io::Result<Found> {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    if manifest.purged.is_empty() {
        return Ok((found, unread));
    }
    let purged: HashSet<Sha256> = manifest.purged.iter().map(|(sha256, _)| *sha256).collect();
    let objects = storage.list(Dir::Objects)?;
    // Sorted, an object comes before its siblings.
    found.extend(objects.iter().rev().filter_map(|name| object(name, &purged)));
    let names = storage.list(Dir::Root)?;
    let siblings = names.iter().filter_map(|name| derived::parse_sibling(name));
    let siblings = siblings.map(|(path, encoding)| (path, Some(encoding)));
    let copies = names.iter().filter_map(|name| derived::parse_copy(name)).map(|path| (path, None));
    for (path, encoding) in siblings.chain(copies).filter(|(path, _)| is_looked_into(path)) {
        match has_purged(storage, &path, encoding, &purged) {
            Ok(true) => found.push(path),
            Ok(false) => {}
            // A directory or a link of such a name is not the feed's.
            Err(error) if crate::storage::is_something_else(&error) => {}
            Err(error) => unread.push((path, error)),
        }
    }
    Ok((found, unread))
}

/// Whether a file has what was purged, or would give it when it is decompressed.
fn has_purged<S: Storage>(
    storage: &S,
    path: &FeedPath,
    encoding: Option<Encoding>,
    purged: &HashSet<Sha256>,
) -> io::Result<bool> {
    let Some(file) = storage.open(path)? else { return Ok(false) };
    let Some(encoding) = encoding else { return Ok(purged.contains(&objects::digest(file)?.0)) };
    match objects::digest(compress::decoder(encoding, file)) {
        Ok((sha256, _)) => Ok(purged.contains(&sha256)),
        // What can be read and not be decompressed is no sibling.
        Err(error) if compress::is_corrupt(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn object(name: &str, purged: &HashSet<Sha256>) -> Option<FeedPath> {
    let path = match layout::parse_object(name) {
        Some((sha256, ext)) => (sha256, layout::object(&sha256, &ext)),
        None => {
            let (sha256, ext, encoding) = layout::parse_sibling(name)?;
            (sha256, layout::sibling(&sha256, &ext, encoding))
        }
    };
    purged.contains(&path.0).then_some(path.1)
}
