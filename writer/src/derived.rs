//! Plain copies, backups, `last_update.txt` and history: everything that follows from the manifest (I10).

use std::io::{self, Write};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, FeedPath};
use lastgood_protocol::manifest::{Entry, MAX_MANIFEST_BYTES, Manifest};
use lastgood_protocol::name::DatasetName;

use crate::feed::Current;
use crate::objects;
use crate::storage::{Durable, Kind, Pending, StagedFile, Staging, Storage};

/// Derived files in staging, each with the name that it is to get.
pub(crate) struct Derived<F> {
    paths: Vec<FeedPath>,
    files: Vec<Pending<F>>,
}

impl<F: StagedFile> Derived<F> {
    /// The files that follow from the manifest as a whole, as far as they are not there already.
    pub(crate) fn of_manifest<S: Storage<File = F>>(
        storage: &S,
        staging: &S::Staging,
        current: &Current,
    ) -> io::Result<Self> {
        let mut derived = Self { paths: Vec::new(), files: Vec::new() };
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
        self.paths.push(path);
        self.files.push(file);
    }

    /// Separates names and files, so that the files can be made durable and then [`put_in_place`].
    pub(crate) fn into_parts(self) -> (Vec<FeedPath>, Vec<Pending<F>>) {
        (self.paths, self.files)
    }
}

/// Renames durable derived files into place. One that cannot be is reported and left out: the manifest is what counts,
/// and recovery rebuilds the rest.
pub(crate) fn put_in_place<S: Storage>(
    storage: &S,
    paths: Vec<FeedPath>,
    files: Vec<Durable<S::File>>,
) -> Vec<(FeedPath, io::Error)> {
    let put = |(path, file)| storage.replace(file, &path).err().map(|error| (path, error));
    paths.into_iter().zip(files).filter_map(put).collect()
}

/// Stages a small file.
pub(crate) fn stage<G: Staging>(staging: &G, bytes: &[u8]) -> io::Result<Pending<G::File>> {
    let mut file = staging.create(Kind::Published)?;
    file.write_all(bytes)?;
    file.finish()
}

/// A copy of an entry's payload in staging; `None` when the object is damaged.
pub(crate) fn stage_copy<S: Storage>(
    storage: &S,
    staging: &S::Staging,
    entry: &Entry,
) -> io::Result<Option<Pending<S::File>>> {
    objects::verified_copy(storage, staging, &layout::object(&entry.sha256, &entry.ext), identity(entry))
}

/// The entry that a dataset had before its current payload, from the history; `None` when there was none or the
/// history no longer has it.
pub(crate) fn entry_before<S: Storage>(
    storage: &S,
    manifest: &Manifest,
    dataset: &DatasetName,
) -> io::Result<Option<Entry>> {
    let Some(before) = manifest.datasets.get(dataset).and_then(|entry| entry.generation.previous()) else {
        return Ok(None);
    };
    let Some(bytes) = storage.read(&layout::history(before), MAX_MANIFEST_BYTES)? else { return Ok(None) };
    let manifest = Manifest::verify(&bytes).ok();
    Ok(manifest.and_then(|mut manifest| manifest.datasets.remove(dataset)))
}

/// What an entry's payload must be.
pub(crate) fn identity(entry: &Entry) -> (&Sha256, u64) {
    (&entry.sha256, entry.size)
}
