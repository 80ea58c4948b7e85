//! Publishing, top to bottom, in the order that the guarantees rest on. Every other module is a step of it.

use std::collections::HashSet;
use std::io;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::layout::{self, Dir};
use lastgood_protocol::manifest::{Entry, Generation, MAX_MANIFEST_BYTES, Manifest, ObjectId, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::schema::Draft;
use lastgood_protocol::time::Timestamp;

use crate::clocks;
use crate::compress::Sibling;
use crate::convert::csv::LeftOut;
use crate::derived::{self, Derived};
use crate::error::Error;
use crate::feed::{Current, Feed};
use crate::lock::{self, Markers};
use crate::mark::{Begun, Known};
use crate::objects::{self, NewObjects};
use crate::operations::Operation;
use crate::prepare::{self, Expiry, Item, Prepared};
use crate::recover::{self, Recovery, Thoroughness};
use crate::storage::{Pending, Storage, Wave};
use crate::taking::Taking;
use crate::traces;

/// A commit that is published and survives power loss (I3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The feed.
    pub feed: FeedId,
    /// Whether the feed was created by this commit.
    pub created: bool,
    /// The number of the commit.
    pub generation: Generation,
    /// The identity of the commit.
    pub commit: CommitId,
    /// The time of the commit.
    pub published_at: Timestamp,
    /// What was published, in the order in which it was given.
    pub datasets: Vec<PublishedDataset>,
    /// What a crashed writer had left and this commit has put in order.
    pub recovery: Recovery,
    /// What is not as it should be, each with the reason: derived files that could not be put in place, schemas that were
    /// left out. The commit holds all the same.
    pub warnings: Vec<String>,
}

/// One dataset of a [`Publication`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedDataset {
    /// Its name.
    pub dataset: DatasetName,
    /// The digest of its payload.
    pub sha256: Sha256,
    /// The size of its payload, in bytes.
    pub size: u64,
    /// Whether the feed had no such dataset before.
    pub new: bool,
    /// Whether the payload differs from the one before.
    pub changed: bool,
    /// How many elements the payload has, when it is an array.
    pub rows: Option<u64>,
    /// How many `NaN` and `Infinity` were published as `null`.
    pub nan_mapped: u64,
    /// The columns without a name that were left out, when the input was CSV.
    pub left_out: Vec<LeftOut>,
    /// What may not be as it was meant, for the warnings.
    pub(crate) notes: Vec<String>,
    /// The schema that the payload was validated against.
    pub schema: Option<SchemaRef>,
    /// The draft that the schema was given in, when it was converted to the one that is published.
    pub schema_converted_from: Option<Draft>,
    /// The version of the schema that the dataset had before, when it has none any more.
    pub schema_dropped: Option<u32>,
    /// The names of the guards that were overridden, separated by spaces, as in the manifest.
    pub forced: Option<String>,
    /// From when on readers no longer take it for current, if ever.
    pub expires_at: Option<Timestamp>,
}

impl PublishedDataset {
    /// A warning when the dataset had a schema and has none any more: pages that rely on it would not notice.
    fn without_schema(&self) -> Option<String> {
        let version = self.schema_dropped?;
        Some(format!(
            "{} was published without a schema, and it had one until now (version {version}): pages can no longer validate \
             it",
            self.dataset
        ))
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().map(|note| format!("{}: {note}", self.dataset))
    }
}

/// Under which identity a feed goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The one that it has.
    Kept,
    /// The one that it has, also if it was restored from an old copy: that is what is gone on with (I5).
    KeptByOldCopy,
    /// One that is drawn anew.
    New,
}

impl<S: Storage> Feed<S> {
    /// Publishes datasets in one generation: all or none. Makes the feed when the directory is missing or empty.
    ///
    /// Success means that the generation is published and survives power loss (I3). After any error but
    /// [`Error::Unknown`] the feed is as it was (I4); no input, however bad, changes a published byte (I9).
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::SchemaInvalid`], [`Error::Guard`] and [`Error::Input`] for what is wrong with the input,
    /// [`Error::Locked`] when waiting for
    /// another writer came to its limit, [`Error::NotAFeed`], [`Error::NameTaken`], [`Error::Damaged`], [`Error::Io`], [`Error::Unknown`].
    pub fn publish(&self, items: Vec<Item<'_>>) -> Result<Publication, Error> {
        let datasets = items.iter().map(|item| item.dataset.clone()).collect();
        self.logged(Operation::Publish, datasets, || self.prepare_and_commit(items))
    }

    fn prepare_and_commit(&self, items: Vec<Item<'_>>) -> Result<Publication, Error> {
        let there = self.check_place(&items)?;
        let staging_removed = self.sweep()?;
        let staging = self.open_staging(there)?;

        // Prepare, without any lock. Dropping `staging` on any error removes everything that was prepared.
        let prepared = self.prepare(&staging, items)?;
        let mut publication = self.commit(&staging, prepared, Identity::Kept)?;
        publication.recovery.staging_removed += staging_removed;
        Ok(publication)
    }

    /// Whether these datasets may be published here, before anything is made. Says whether there is a manifest.
    pub(crate) fn check_place(&self, items: &[Item<'_>]) -> Result<bool, Error> {
        check_names(items)?;
        let look_at_manifest = || self.storage.info(&layout::manifest()).map_err(Error::io("look at the manifest"));
        let manifest = look_at_manifest()?;
        // Looked at again before anything is refused: another writer may just be making the feed, and its files are none
        // of somebody else's.
        if manifest.is_some() {
            // Before anything is made beside it: it may be another program's.
            self.current()?;
        }
        if manifest.is_none()
            && let Err(refusal) = check_directory(self)
            && look_at_manifest()?.is_none()
        {
            return Err(refusal);
        }
        Ok(manifest.is_some())
    }

    /// Prepares every input. Of those that are refused all are told, not the first alone.
    pub(crate) fn prepare(&self, staging: &S::Staging, items: Vec<Item<'_>>) -> Result<Vec<Prepared<S::File>>, Error> {
        let mut prepared = Vec::with_capacity(items.len());
        let mut refusals = Vec::new();
        for item in items {
            match prepare::prepare(self, staging, item) {
                Ok(item) => prepared.push(item),
                Err(error) if error.is_of_an_input() => refusals.push(error),
                Err(error) => return Err(error),
            }
        }
        Error::of_inputs(refusals).map_or(Ok(prepared), Err)
    }

    /// Whether a first publish would make a feed here. There is none yet.
    ///
    /// # Errors
    /// [`Error::NotAFeed`], [`Error::NameTaken`], [`Error::Damaged`], [`Error::Io`].
    pub fn check_new(&self) -> Result<(), Error> {
        check_directory(self)
    }

    /// Commits what was prepared, in one generation.
    pub(crate) fn commit(
        &self,
        staging: &S::Staging,
        prepared: Vec<Prepared<S::File>>,
        identity: Identity,
    ) -> Result<Publication, Error> {
        self.commit_with(staging, prepared, identity, &mut Taking::Nothing)
    }

    /// The same, and takes something back in the same generation.
    pub(crate) fn commit_with(
        &self,
        staging: &S::Staging,
        prepared: Vec<Prepared<S::File>>,
        identity: Identity,
        taking: &mut Taking<'_>,
    ) -> Result<Publication, Error> {
        let seen = self.current()?;
        let backups = stage_backups(self, staging, seen.as_ref(), &prepared)?;

        let mut datasets: Vec<DatasetName> = prepared.iter().map(|item| item.dataset.clone()).collect();
        let published = datasets.len();
        datasets.extend_from_slice(taking.datasets());
        let (_lock, holder) = lock::acquire(self, &datasets)?;

        // 1. Finish or undo what a crashed writer left.
        let (recovery, current) = recover::finish(self, staging, Thoroughness::WhatMarkersName)?;

        // 2. The manifest is read; the new generation is above all that there have been (I5).
        let before = current.as_ref().map(|current| &*current.manifest);
        let known = self.known(before)?;
        if let Some(before) = before.filter(|_| identity == Identity::Kept) {
            self.refuse_old_copy(before, &known)?;
        }
        let commit = CommitId::from_random(self.random()?);
        let mut next = next_manifest(self, before, &known, identity, commit, &prepared)?;
        taking.note(self, &mut next)?;
        let bytes = encode(&next)?;
        let next = Current::new(next, bytes);

        // 3. Announce the commit.
        let failed = |source| Error::Io { doing: format!("publish in {}", self.location()), source };
        let (markers, placed_markers) =
            Markers::raise(self, staging, holder, &datasets).map_err(Error::io("create the lock markers"))?;

        // 4. Objects under their final names; manifest and derived files in staging; all of it durable, in one wave
        //    with the markers (I1).
        let mut new_objects = NewObjects::new(&self.storage);
        let mut derived = Derived::of_manifest(&self.storage, staging, &next).map_err(failed)?;
        let datasets = &datasets[..published];
        let wanted: HashSet<ObjectId<'_>> =
            datasets.iter().flat_map(|dataset| next.manifest.datasets[dataset].objects()).collect();
        let named = before.iter().flat_map(|manifest| manifest.objects()).filter(|id| wanted.contains(id)).collect();
        let other_backups = derived::other_backups(&self.storage, before, datasets).map_err(failed)?;
        let commit_of = ItemCommit { feed: self, staging, before, named, other_backups, next: &next.manifest };
        let mut report = Vec::with_capacity(prepared.len());
        for (item, backup) in prepared.into_iter().zip(backups) {
            report.push(commit_of.stage(item, backup, &mut new_objects, &mut derived).map_err(failed)?);
        }
        if let Some(before) = before {
            let manifests = (before, &*next.manifest);
            derived.revive(&self.storage, staging, manifests, datasets).map_err(failed)?;
        }
        for dataset in taking.withdrawn() {
            derived.withdraw(&self.storage, before, dataset).map_err(failed)?;
        }
        let (derived_files, derived) = derived.into_parts();
        let (replacing, replacements) = new_objects.take_replacements();
        let mut placed = new_objects.take_placed();
        // Of what nobody has yet, the names are to be durable, too. All others are, since a manifest named them.
        let dirs = if placed.is_empty() { vec![Dir::Root] } else { vec![Dir::Objects, Dir::Root] };
        placed.extend(placed_markers);
        let (begun, placed_mark) = Begun::write(&self.storage, &next.manifest, before).map_err(failed)?;
        placed.push(placed_mark);
        let mut pending = vec![derived::stage(staging, &next.bytes).map_err(failed)?];
        let replacing_begin = pending.len() + derived_files.len();
        pending.extend(derived_files.into_iter().chain(replacing));
        let wave = Wave { pending, placed, dirs };
        let mut durable = self.storage.sync(wave).map_err(failed)?;
        replacements.put_in_place(&self.storage, durable.split_off(replacing_begin)).map_err(failed)?;
        let mut durable = durable.into_iter();
        let manifest = durable.next().expect("a wave returns every pending file, and the manifest is the first");

        // 5. Rename the manifest into place. This is the commit (I2).
        if let Err(source) = self.storage.replace(manifest, &layout::manifest()) {
            match self.current() {
                Ok(Some(now)) if now.manifest.commit == commit => {
                    tracing::warn!(error = %source, "the rename reported an error but took place");
                }
                Ok(_) => return Err(failed(source)),
                // Nobody knows which manifest stands there: nothing is removed (I4).
                Err(_) => return Err(unknown(new_objects, markers, begun, &next.manifest, source)),
            }
        }

        // 6. The commit is made durable before anything that follows from it gets its name: a power cut that took the
        //    manifest back and left a copy of it in the history, or plain copies of datasets that it does not have, would
        //    leave what nothing tells from the files of others (I10).
        let entries_of = |dirs| self.storage.sync(Wave::of_entries(dirs));
        if let Err(source) = entries_of(vec![Dir::Root]) {
            return Err(unknown(new_objects, markers, begun, &next.manifest, source));
        }
        //    Derived files into place (I10), then their directories. Only now does all of it survive power loss (I3).
        let not_done = derived.put_in_place(&self.storage, durable.collect());
        if let Err(source) = entries_of(vec![Dir::Root, Dir::History]) {
            return Err(unknown(new_objects, markers, begun, &next.manifest, source));
        }
        begun.done();
        new_objects.keep();
        self.remember(&next);
        //    What was purged goes only now: the manifest that says so is durable, so nothing that is missing looks like damage.
        taking.carry_out(&self.storage, &next.manifest);

        // 7. Remove the markers, and report success only now.
        let mut warnings: Vec<String> = not_done
            .into_iter()
            .map(|(path, error)| format!("{path} was not updated: {error}; `lastgood recover` does it"))
            .collect();
        warnings.extend(before.and_then(|before| clocks::behind(before, next.manifest.published_at)));
        warnings.extend(report.iter().flat_map(PublishedDataset::warnings));
        if let Err(error) = markers.lower() {
            warnings.push(format!("the lock marker stays until the next publish: {error}"));
        }
        let Manifest { feed, generation, published_at, .. } = *next.manifest;
        tracing::info!(%generation, datasets = report.len(), "published");
        let created = current.is_none();
        Ok(Publication { feed, created, generation, commit, published_at, datasets: report, recovery, warnings })
    }
}

impl<S: Storage> Feed<S> {
    /// Opens staging, in directories that are made if they are missing: always before the first commit, later only what a
    /// restored feed lacks.
    fn open_staging(&self, committed: bool) -> Result<S::Staging, Error> {
        if committed {
            self.complete()?;
        } else {
            self.storage.create().map_err(Error::io(format!("make the feed in {}", self.location())))?;
        }
        self.storage.stage().map_err(Error::io("open staging"))
    }
}

fn check_names(items: &[Item<'_>]) -> Result<(), Error> {
    if items.is_empty() {
        return Err(Error::Limit("there is nothing to publish: no dataset was given".to_owned()));
    }
    let mut names: Vec<&DatasetName> = items.iter().map(|item| &item.dataset).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::Repeated { dataset: pair[0].clone() }),
        None => Ok(()),
    }
}

/// Refuses to make a feed beside other files, so that a mistyped path never splits a feed in two. There is no manifest.
fn check_directory<S: Storage>(feed: &Feed<S>) -> Result<(), Error> {
    let looking = || Error::io(format!("look into {}", feed.location()));
    if let Some(lost) = feed.manifest_missing()? {
        return Err(lost);
    }
    // What the first publish itself makes, if it was interrupted, and what keeps an empty directory in a repository.
    let expected = |name: &str| {
        let ours = [layout::OBJECTS_DIR, layout::HISTORY_DIR, ".gitkeep", ".gitignore", "lost+found"];
        ours.contains(&name) || layout::parse_marker(name).is_some()
    };
    let names = feed.storage.list(Dir::Root).map_err(looking())?;
    let others: Vec<&str> = names.iter().map(String::as_str).filter(|name| !expected(name)).collect();
    if let Some((name, found)) = traces::foreign_directory(&feed.storage).map_err(looking())? {
        return Err(Error::NameTaken { location: feed.location(), name, found });
    }
    if others.is_empty() || feed.settings.create_beside_others {
        return Ok(());
    }
    let shown = others[..others.len().min(5)].join(", ");
    let found = if others.len() > 5 { format!("{shown} and {} more", others.len() - 5) } else { shown };
    Err(Error::NotAFeed { location: feed.location(), found })
}

/// The backup of each dataset as it looks before the lock is taken, so that under the lock it need be copied only when
/// another commit came in between.
type Backup<F> = Option<(Sha256, Pending<F>)>;

fn stage_backups<S: Storage>(
    feed: &Feed<S>,
    staging: &S::Staging,
    current: Option<&Current>,
    prepared: &[Prepared<S::File>],
) -> Result<Vec<Backup<S::File>>, Error> {
    let backup = |item: &Prepared<S::File>| {
        let entry = current.and_then(|current| current.manifest.datasets.get(&item.dataset));
        let changes = |entry: &&Entry| (&entry.sha256, &entry.ext) != (&item.sha256, &item.ext);
        let Some(entry) = entry.filter(|entry| item.plain_copy.is_some() && changes(entry)) else { return Ok(None) };
        let copy = derived::stage_backup(&feed.storage, staging, &item.dataset, entry)
            .map_err(Error::io(format!("copy the present payload of {} as its backup", item.dataset)))?;
        Ok(copy.map(|copy| (entry.sha256, copy)))
    };
    prepared.iter().map(backup).collect()
}

pub(crate) fn next_manifest<S: Storage>(
    feed: &Feed<S>,
    current: Option<&Manifest>,
    known: &Known,
    identity: Identity,
    commit: CommitId,
    prepared: &[Prepared<S::File>],
) -> Result<Manifest, Error> {
    let now = feed.now();
    let id = match (identity, current) {
        (Identity::Kept | Identity::KeptByOldCopy, Some(current)) => current.feed,
        _ => FeedId::from_random(feed.random()?),
    };
    let mut next = Manifest::new(id, known.next()?, commit, now);
    next.previous = current.map(|current| current.generation);
    next.expires_at = match (identity, current) {
        // What is published is no younger for it.
        (Identity::New | Identity::KeptByOldCopy, Some(current)) => current.expires_at,
        _ => Expiry::In(feed.settings.generation_expires_in).end(now),
    };
    if let Some(current) = current {
        next.datasets.clone_from(&current.datasets);
        next.withdrawn.clone_from(&current.withdrawn);
        next.purged.clone_from(&current.purged);
        if next.expires_at.is_none() {
            // An end of the whole generation was that of each dataset, too: what this commit does not publish is no younger for
            // it. Earlier versions knew no other.
            next.datasets.values_mut().for_each(|entry| entry.expires_at = current.end_of(entry));
        }
    }
    for (item, forced) in prepared.iter().zip(check_conditions(feed, &next, prepared)?) {
        let before = next.datasets.get(&item.dataset);
        item.condition.check_purged(&item.dataset, &item.objects(), &next)?;
        let unchanged = before.filter(|before| (before.sha256, &before.ext) == (item.sha256, &item.ext));
        let entry = Entry {
            sha256: item.sha256,
            size: item.size,
            generation: unchanged.map_or(next.generation, |before| before.generation),
            previous: unchanged.map_or(next.previous, |before| before.previous),
            published_at: now,
            ext: item.ext.clone(),
            schema: item.schema.as_ref().map(|schema| schema.reference.clone()),
            meta: item.meta.clone(),
            forced,
            plain_copy: item.plain_copy.is_some(),
            expires_at: item.expiry.end(now),
        };
        next.datasets.insert(item.dataset.clone(), entry);
        // Whoever publishes it again has decided anew.
        next.withdrawn.remove(&item.dataset);
        item.objects().iter().for_each(|sha256| _ = next.purged.remove(sha256));
    }
    Ok(next)
}

/// Whether what was prepared may take the place of what is published, and the guards that were overridden for that. Of inputs that
/// are refused all are told.
fn check_conditions<S: Storage>(
    feed: &Feed<S>,
    published: &Manifest,
    prepared: &[Prepared<S::File>],
) -> Result<Vec<Option<String>>, Error> {
    let (mut forced, mut refusals) = (Vec::with_capacity(prepared.len()), Vec::new());
    for item in prepared {
        match item.condition.check(&feed.storage, &item.dataset, published.datasets.get(&item.dataset)) {
            Ok(overridden) => forced.push(overridden),
            Err(error) if error.is_of_an_input() => refusals.push(error),
            Err(error) => return Err(error),
        }
    }
    Error::of_inputs(refusals).map_or(Ok(forced), Err)
}

/// The bytes of a manifest that readers accept.
pub(crate) fn encode(manifest: &Manifest) -> Result<Vec<u8>, Error> {
    let bytes = manifest.encode();
    if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        let problem = "the manifest would be larger than readers accept: too many datasets, or too much meta";
        return Err(Error::Limit(problem.to_owned()));
    }
    Ok(bytes)
}

/// What the datasets of one commit share.
struct ItemCommit<'a, S: Storage> {
    feed: &'a Feed<S>,
    staging: &'a S::Staging,
    before: Option<&'a Manifest>,
    /// The objects of this commit that the manifest before names.
    named: HashSet<ObjectId<'a>>,
    /// The datasets whose backup has another name than the next one will have.
    other_backups: HashSet<DatasetName>,
    next: &'a Manifest,
}

impl<S: Storage> ItemCommit<'_, S> {
    /// Puts a dataset's objects under their final names and its derived files beside the others.
    fn stage(
        &self,
        item: Prepared<S::File>,
        backup: Backup<S::File>,
        new_objects: &mut NewObjects<'_, S>,
        derived: &mut Derived<S::File>,
    ) -> io::Result<PublishedDataset> {
        let storage = &self.feed.storage;
        let before = self.before.and_then(|before| before.datasets.get(&item.dataset));
        let entry = &self.next.datasets[&item.dataset];
        let report = PublishedDataset::new(&item, self.before, self.next);
        let changed = report.changed;

        let path = layout::object(&item.sha256, &item.ext);
        let named = self.named.contains(&(item.sha256, item.ext.as_str()));
        let stays = new_objects.put(item.object, &path, derived::identity(entry), named)?;
        let mut copy_siblings = Vec::new();
        for Sibling { encoding, of_object, of_plain_copy } in item.siblings {
            new_objects.put_sibling(of_object, &layout::sibling(&item.sha256, &item.ext, encoding), stays)?;
            copy_siblings.extend(of_plain_copy.map(|file| (encoding, file)));
        }
        if let Some(schema) = item.schema {
            let (sha256, ext) = (&schema.reference.sha256, Ext::json());
            let named = self.named.contains(&(*sha256, ext.as_str()));
            new_objects.put(schema.object, &layout::object(sha256, &ext), (sha256, schema.reference.size), named)?;
        }

        if let Some(file) = item.plain_copy {
            let path = layout::plain_copy(&item.dataset, &item.ext);
            if changed || !objects::intact(storage, &path, derived::identity(entry))? {
                derived.add(path, file);
            }
            derived.add_siblings(storage, &item.dataset, entry, copy_siblings, changed)?;
            if let Some(before) = before.filter(|_| changed) {
                let copy = match backup {
                    Some((sha256, copy)) if sha256 == before.sha256 => Some(copy),
                    _ => derived::stage_backup(storage, self.staging, &item.dataset, before)?,
                };
                match copy {
                    Some(copy) => derived.add(layout::backup(&item.dataset, &before.ext), copy),
                    None => {
                        tracing::warn!(dataset = %item.dataset, "no backup: the present object is missing or damaged")
                    }
                }
            }
        }
        if let (Some(manifest), Some(before)) = (self.before, before)
            && ((&before.ext, before.plain_copy) != (&entry.ext, entry.plain_copy)
                || changed && self.other_backups.contains(&item.dataset))
        {
            derived.rename(storage, self.staging, (manifest, self.next), &item.dataset)?;
        }
        Ok(report)
    }
}

impl PublishedDataset {
    /// What becomes of a prepared dataset in the manifest `next` after `manifest`.
    pub(crate) fn new<F>(item: &Prepared<F>, manifest: Option<&Manifest>, next: &Manifest) -> Self {
        let before = manifest.and_then(|manifest| manifest.datasets.get(&item.dataset));
        let entry = &next.datasets[&item.dataset];
        let schema_before = before.and_then(|before| before.schema.as_ref());
        let purged = manifest.and_then(|manifest| manifest.purged.get(&item.sha256));
        let mut notes = item.remarks.notes.clone();
        notes.extend(purged.map(|at| {
            format!("these bytes were purged at {at}; they are published again, and readers may keep them again")
        }));
        Self {
            dataset: item.dataset.clone(),
            sha256: item.sha256,
            size: item.size,
            new: before.is_none(),
            changed: entry.generation == next.generation,
            rows: item.rows,
            nan_mapped: item.nan_mapped,
            left_out: item.remarks.left_out.clone(),
            notes,
            forced: entry.forced.clone(),
            expires_at: entry.expires_at,
            schema: entry.schema.clone(),
            schema_converted_from: item.schema.as_ref().and_then(|schema| schema.converted_from),
            schema_dropped: schema_before.filter(|_| entry.schema.is_none()).map(|schema| schema.version),
        }
    }

    /// What whoever publishes should know.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.without_schema().into_iter().chain(self.notes())
    }
}

fn unknown<S: Storage>(
    objects: NewObjects<'_, S>,
    markers: Markers<'_, S>,
    begun: Begun<'_, S>,
    manifest: &Manifest,
    source: io::Error,
) -> Error {
    objects.keep();
    markers.leave();
    begun.leave();
    Error::Unknown { generation: manifest.generation, commit: manifest.commit, source }
}
