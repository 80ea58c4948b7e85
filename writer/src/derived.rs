//! Plain copies with their compressed siblings, backups, `last_update.txt` and history: everything that follows from the manifest
//! (I10).

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood_protocol::manifest::{Entry, Generation, MAX_MANIFEST_BYTES, Manifest};
use lastgood_protocol::name::{DatasetName, Ext};

use crate::compress;
use crate::feed::Current;
use crate::objects;
use crate::retained;
use crate::storage::{self, Durable, Kind, Pending, StagedFile, Staging, Storage};

/// Derived files in staging, each with the name that it is to get, and the names that are to go.
pub(crate) struct Derived<F> {
    names: Names,
    files: Vec<Pending<F>>,
}

/// The names of derived files that a commit changes.
#[derive(Default)]
pub(crate) struct Names {
    put: Vec<FeedPath>,
    remove: Vec<FeedPath>,
}

impl<F: StagedFile> Derived<F> {
    /// The files that follow from the manifest as a whole, as far as they are not there already.
    pub(crate) fn of_manifest<S: Storage<File = F>>(
        storage: &S,
        staging: &impl Staging<File = F>,
        current: &Current,
    ) -> io::Result<Self> {
        let mut derived = Self { names: Names::default(), files: Vec::new() };
        let last_update = format!("{}\n", current.manifest.published_at);
        let wanted = [
            (layout::history(current.manifest.generation), current.bytes.as_slice()),
            (layout::last_update(), last_update.as_bytes()),
        ];
        for (path, bytes) in wanted {
            let there = storage.info(&path)?.is_some_and(|info| info.size == bytes.len() as u64);
            if there && storage.read(&path, MAX_MANIFEST_BYTES)?.as_deref() == Some(bytes) {
                continue;
            }
            derived.add(path, stage(staging, bytes)?);
        }
        Ok(derived)
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, path: FeedPath, file: Pending<F>) {
        self.names.put.push(path);
        self.files.push(file);
    }

    /// Adds the siblings of a plain copy that were staged for it, as far as they are not there already. One that is of another payload,
    /// and has no successor, goes: servers would go on sending it.
    pub(crate) fn add_siblings<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        dataset: &DatasetName,
        entry: &Entry,
        mut staged: Vec<(Encoding, Pending<F>)>,
        changed: bool,
    ) -> io::Result<()> {
        for copy in siblings(dataset, entry) {
            let found = staged.iter().position(|(encoding, _)| Some(*encoding) == copy.encoding);
            let file = found.map(|index| staged.swap_remove(index).1);
            if !changed && copy.is_intact(storage)? {
                continue;
            }
            match file {
                Some(file) => self.add(copy.path, file),
                None if storage.info(&copy.path)?.is_some() => self.remove(copy.path),
                None => {}
            }
        }
        Ok(())
    }

    /// Takes note of a name that is to go.
    pub(crate) fn remove(&mut self, path: FeedPath) {
        self.names.remove.push(path);
    }

    /// For a dataset whose derived files have other names in `next` than in `before`, because its extension is another or
    /// plain copies were turned on or off: the names that go, and the backup if it is missing only because there were none.
    pub(crate) fn rename<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        staging: &S::Staging,
        (before, next): (&Manifest, &Manifest),
        dataset: &DatasetName,
    ) -> io::Result<()> {
        let second = |manifest| Ok::<_, io::Error>(entries_before(storage, manifest, [dataset])?.remove(dataset));
        let (Some(old), Some(new)) = (before.datasets.get(dataset), next.datasets.get(dataset)) else { return Ok(()) };
        let before_old = second(before)?;
        let changed = new.generation == next.generation;
        let before_new = if changed { Some(old) } else { before_old.as_ref() };
        let stay: Vec<FeedPath> = copies(dataset, new, before_new).map(|copy| copy.path).collect();
        for copy in copies(dataset, old, before_old.as_ref()).filter(|copy| !stay.contains(&copy.path)) {
            self.remove(copy.path);
        }
        if let (Some(backup), false, true) = (before_old.as_ref(), changed || old.plain_copy, new.plain_copy)
            && let Some(file) = stage_copy(storage, staging, backup)?
        {
            self.add(layout::backup(dataset, &backup.ext), file);
        }
        Ok(())
    }

    /// For a dataset that `before` has and the next manifest has not: the names that go.
    pub(crate) fn withdraw<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        before: Option<&Manifest>,
        dataset: &DatasetName,
    ) -> io::Result<()> {
        if let Some(before) = before {
            self.names.remove.extend(names_of(storage, before, dataset)?);
        }
        Ok(())
    }

    /// For a commit that publishes again what was purged: other datasets that had it before their current payload get their backup
    /// back. The objects of the commit are under their names.
    pub(crate) fn revive<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        staging: &S::Staging,
        (before, next): (&Manifest, &Manifest),
        published: &[DatasetName],
    ) -> io::Result<()> {
        if !revives(before, next) {
            return Ok(());
        }
        let others = next.datasets.iter().filter(|(dataset, entry)| entry.plain_copy && !published.contains(dataset));
        for (dataset, entry) in entries_before(storage, next, others.map(|(dataset, _)| dataset))? {
            if before.purged.get(&entry.sha256).is_some()
                && let Some(file) = stage_copy(storage, staging, &entry)?
            {
                self.add(layout::backup(&dataset, &entry.ext), file);
            }
        }
        Ok(())
    }

    /// Separates files and names, so that the files can be made durable and then [put in place](Names::put_in_place).
    pub(crate) fn into_parts(self) -> (Vec<Pending<F>>, Names) {
        (self.files, self.names)
    }
}

impl Names {
    /// The names, for a report.
    pub(crate) fn all(&self) -> Vec<FeedPath> {
        self.put.iter().chain(&self.remove).cloned().collect()
    }

    /// Renames durable derived files into place, and removes what is to go. What cannot be done is reported and left
    /// out: the manifest is what counts, and recovery does the rest.
    pub(crate) fn put_in_place<S: Storage>(
        self,
        storage: &S,
        files: Vec<Durable<S::File>>,
    ) -> Vec<(FeedPath, io::Error)> {
        let put = |(path, file)| storage.replace(file, &path).err().map(|error| (path, error));
        let remove = |path| storage.remove(&path).err().map(|error| (path, error));
        let failed: Vec<_> = self.put.into_iter().zip(files).filter_map(put).collect();
        // Sorted, a plain copy comes before its siblings. A server may send a sibling of a file that is not there: it goes first.
        let mut names = self.remove;
        names.sort_unstable();
        failed.into_iter().chain(names.into_iter().rev().filter_map(remove)).collect()
    }
}

/// A derived file of a dataset.
pub(crate) struct CopyOf<'a> {
    pub(crate) path: FeedPath,
    /// The entry whose payload it has.
    pub(crate) entry: &'a Entry,
    /// How it is compressed; `None` for a plain copy and a backup.
    pub(crate) encoding: Option<Encoding>,
}

impl CopyOf<'_> {
    /// Whether its bytes are right. One that cannot be decompressed has others.
    pub(crate) fn is_intact<S: Storage>(&self, storage: &S) -> io::Result<bool> {
        match self.encoding {
            None => objects::intact(storage, &self.path, identity(self.entry)),
            Some(encoding) => match storage.open(&self.path) {
                // A link or a pipe is to be replaced.
                Err(error) if storage::is_something_else(&error) => Ok(false),
                opened => opened?.map_or(Ok(false), |file| self.is_packed_in(encoding, file)),
            },
        }
    }

    /// The file in staging, made of the object or of its sibling; `None` when that is damaged, or there is no such sibling.
    pub(crate) fn stage<S: Storage>(
        &self,
        storage: &S,
        staging: &impl Staging<File = S::File>,
    ) -> io::Result<Option<Pending<S::File>>> {
        let Some(encoding) = self.encoding else { return stage_copy(storage, staging, self.entry) };
        let path = layout::sibling(&self.entry.sha256, &self.entry.ext, encoding);
        let Some(mut file) = storage.open(&path)? else { return Ok(None) };
        let mut copy = staging.create(Kind::Published)?;
        io::copy(&mut file, &mut copy)?;
        let copy = copy.finish()?;
        Ok(self.is_packed_in(encoding, copy.reader()?)?.then_some(copy))
    }

    fn is_packed_in(&self, encoding: Encoding, file: Box<dyn Read + Send>) -> io::Result<bool> {
        // One byte more than expected is enough to know, and a compression bomb gets no further.
        let unpacked = compress::decoder(encoding, file).take(self.entry.size.saturating_add(1));
        match objects::digest(unpacked) {
            Ok(found) => Ok(found == (self.entry.sha256, self.entry.size)),
            Err(error) if compress::is_corrupt(&error) => Ok(false),
            // Unknown: to go on without the sibling would leave it out for good.
            Err(error) => Err(error),
        }
    }
}

/// The derived files of a dataset: the plain copy, the siblings that it may have, and the backup when there was an entry before.
pub(crate) fn copies<'a>(
    dataset: &DatasetName,
    entry: &'a Entry,
    before: Option<&'a Entry>,
) -> impl Iterator<Item = CopyOf<'a>> {
    let plain_copy = CopyOf { path: layout::plain_copy(dataset, &entry.ext), entry, encoding: None };
    let backup =
        |before: &'a Entry| CopyOf { path: layout::backup(dataset, &before.ext), entry: before, encoding: None };
    let copies = std::iter::once(plain_copy).chain(siblings(dataset, entry)).chain(before.map(backup));
    copies.filter(|_| entry.plain_copy)
}

/// The siblings that the plain copy of a dataset may have: those that its object has.
fn siblings<'a>(dataset: &DatasetName, entry: &'a Entry) -> [CopyOf<'a>; 2] {
    Encoding::ALL.map(|encoding| CopyOf {
        path: layout::copy_sibling(dataset, &entry.ext, encoding),
        entry,
        encoding: Some(encoding),
    })
}

/// The derived files of a dataset that are there, as long as a manifest has it. The backup is found by its name: the history may no
/// longer know which extension it has.
pub(crate) fn names_of<S: Storage>(
    storage: &S,
    manifest: &Manifest,
    dataset: &DatasetName,
) -> io::Result<Vec<FeedPath>> {
    let Some(entry) = manifest.datasets.get(dataset).filter(|entry| entry.plain_copy) else { return Ok(Vec::new()) };
    let names = storage.list(Dir::Root)?;
    let mut paths: Vec<FeedPath> = copies(dataset, entry, None).map(|copy| copy.path).collect();
    paths.retain(|path| names.iter().any(|name| name == path.as_str()));
    let backups = names.iter().filter_map(|name| layout::parse_backup(name)).filter(|(of, _)| of == dataset);
    paths.extend(backups.map(|(dataset, ext)| layout::backup(&dataset, &ext)));
    Ok(paths)
}

/// Whether something that was purged is so no longer.
pub(crate) fn revives(before: &Manifest, next: &Manifest) -> bool {
    before.purged.iter().any(|(sha256, _)| next.purged.get(sha256).is_none())
}

/// The path of a file in the feed's directory that has the name of a plain copy or of a backup.
pub(crate) fn parse_copy(name: &str) -> Option<FeedPath> {
    let backup = layout::parse_backup(name).map(|(dataset, ext)| layout::backup(&dataset, &ext));
    backup.or_else(|| layout::parse_plain_copy(name).map(|(dataset, ext)| layout::plain_copy(&dataset, &ext)))
}

/// The path of a file in the feed's directory that has the name of a plain copy's sibling, and how it is compressed.
pub(crate) fn parse_sibling(name: &str) -> Option<(FeedPath, Encoding)> {
    let (dataset, ext, encoding) = layout::parse_copy_sibling(name)?;
    Some((layout::copy_sibling(&dataset, &ext, encoding), encoding))
}

/// The datasets with a backup of another extension than their payload has, which is the one that the next backup gets.
/// Found by looking at names alone: the history, which knows it, would have to be read for every dataset of a commit. There
/// is one backup at a time, so the directory, which may be large, is listed only if the usual one is not there.
pub(crate) fn other_backups<S: Storage>(
    storage: &S,
    before: Option<&Manifest>,
    datasets: &[DatasetName],
) -> io::Result<HashSet<DatasetName>> {
    let Some(before) = before else { return Ok(HashSet::new()) };
    let mut without_usual = HashSet::new();
    for dataset in datasets {
        if let Some(entry) = before.datasets.get(dataset)
            && storage.info(&layout::backup(dataset, &entry.ext))?.is_none()
        {
            without_usual.insert(dataset);
        }
    }
    if without_usual.is_empty() {
        return Ok(HashSet::new());
    }
    let names = storage.list(Dir::Root)?;
    let backups = names.iter().filter_map(|name| layout::parse_backup(name));
    let other = |(dataset, ext): &(DatasetName, Ext)| {
        without_usual.contains(dataset) && before.datasets.get(dataset).is_some_and(|entry| entry.ext != *ext)
    };
    Ok(backups.filter(other).map(|(dataset, _)| dataset).collect())
}

/// Stages a small file.
pub(crate) fn stage<G: Staging>(staging: &G, bytes: &[u8]) -> io::Result<Pending<G::File>> {
    let mut file = staging.create(Kind::Published)?;
    file.write_all(bytes)?;
    file.finish()
}

/// The payload of an entry in staging, to become its dataset's backup; `None` when the object is damaged.
///
/// The present plain copy is about to lose its name. If its bytes are right it is the backup, and nothing need be copied.
pub(crate) fn stage_backup<S: Storage>(
    storage: &S,
    staging: &S::Staging,
    dataset: &DatasetName,
    entry: &Entry,
) -> io::Result<Option<Pending<S::File>>> {
    if entry.plain_copy
        && let Ok(Some(link)) = staging.link(&layout::plain_copy(dataset, &entry.ext))
        && objects::digest(link.reader()?)? == (entry.sha256, entry.size)
    {
        return Ok(Some(link));
    }
    stage_copy(storage, staging, entry)
}

/// A copy of an entry's payload in staging; `None` when the object is damaged.
pub(crate) fn stage_copy<S: Storage>(
    storage: &S,
    staging: &impl Staging<File = S::File>,
    entry: &Entry,
) -> io::Result<Option<Pending<S::File>>> {
    objects::verified_copy(storage, staging, &layout::object(&entry.sha256, &entry.ext), identity(entry))
}

/// The entries that datasets had before their current payloads, from the history: those that had one, as far as the
/// history still has it and the payload was not purged since.
pub(crate) fn entries_before<'a, S: Storage>(
    storage: &S,
    manifest: &Manifest,
    datasets: impl IntoIterator<Item = &'a DatasetName>,
) -> io::Result<BTreeMap<DatasetName, Entry>> {
    // By generation, so that each manifest is read once and one at a time.
    let mut wanted: BTreeMap<Generation, Vec<&DatasetName>> = BTreeMap::new();
    for dataset in datasets {
        if let Some(before) = manifest.datasets.get(dataset).and_then(|entry| entry.previous) {
            wanted.entry(before).or_default().push(dataset);
        }
    }
    let mut entries = BTreeMap::new();
    for (generation, datasets) in wanted {
        let Some(mut old) = retained::intact(storage, generation)? else { continue };
        let found = datasets.into_iter().filter_map(|dataset| old.datasets.remove_entry(dataset));
        entries.extend(found);
    }
    entries.retain(|_, entry| manifest.purged.get(&entry.sha256).is_none());
    Ok(entries)
}

/// What an entry's payload must be.
pub(crate) fn identity(entry: &Entry) -> (&Sha256, u64) {
    (&entry.sha256, entry.size)
}
