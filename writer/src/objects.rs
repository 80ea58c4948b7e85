//! Objects: payloads stored immutably under their SHA-256.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::mem;

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::layout::{Dir, FeedPath};

use crate::storage::{Durable, Kind, Pending, Placed, StagedFile, Staging, Storage, Wave};

/// How much is read at a time, here and in prepare.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;

/// The objects that a commit brings, each with its siblings. If the commit does not take place, those that are new are
/// removed: on a full disk they would be in the way.
pub(crate) struct NewObjects<'a, S: Storage> {
    storage: &'a S,
    /// The names that were free.
    new: BTreeSet<FeedPath>,
    placed: Vec<Placed<S::File>>,
    replacements: Vec<(FeedPath, Pending<S::File>)>,
}

impl<'a, S: Storage> NewObjects<'a, S> {
    /// None as yet.
    pub(crate) fn new(storage: &'a S) -> Self {
        Self { storage, new: BTreeSet::new(), placed: Vec::new(), replacements: Vec::new() }
    }

    /// Takes an object in, unless the one that is there stays as it is. Says whether it stays.
    ///
    /// An object stays only if the present manifest names it, which says that it is durable (I1), and if its bytes are
    /// still right (I6); its file, and with it a web server's ETag, then stays the same. Any other that is there already
    /// may be the leftover of a crash and is replaced by the bytes just written, never believed: after a failed sync the
    /// page cache shows the right bytes although the medium does not have them, which no re-hash can see.
    pub(crate) fn put(
        &mut self,
        staged: Pending<S::File>,
        path: &FeedPath,
        identity: (&Sha256, u64),
        named: bool,
    ) -> io::Result<bool> {
        let stays = named && intact(self.storage, path, identity)?;
        if !stays {
            self.take(staged, path)?;
        }
        Ok(stays)
    }

    /// Takes in a sibling of an object that `stays`, or does not. It stays with its object if it is the same.
    pub(crate) fn put_sibling(&mut self, staged: Pending<S::File>, path: &FeedPath, stays: bool) -> io::Result<()> {
        if stays && self.storage.info(path)?.is_some() {
            let (sha256, size) = digest(staged.reader()?)?;
            if intact(self.storage, path, (&sha256, size))? {
                return Ok(());
            }
        }
        self.take(staged, path)
    }

    /// What nobody has yet can have its name before it is durable. What is there may be named by a manifest: it keeps its
    /// name until there is something durable to take its place, or a power cut would leave it torn (I1).
    fn take(&mut self, staged: Pending<S::File>, path: &FeedPath) -> io::Result<()> {
        if self.new.contains(path) {
            // Two datasets have it in common.
        } else if self.storage.info(path)?.is_some() {
            self.replacements.push((path.clone(), staged));
        } else {
            self.new.insert(path.clone());
            self.placed.push(self.storage.place(staged, path)?);
        }
        Ok(())
    }

    /// The files that are under their names, to be made durable there.
    pub(crate) fn take_placed(&mut self) -> Vec<Placed<S::File>> {
        mem::take(&mut self.placed)
    }

    /// The files that are to be made durable and then [given](Replacements::put_in_place) the names of others.
    pub(crate) fn take_replacements(&mut self) -> (Vec<Pending<S::File>>, Replacements) {
        let (names, files) = self.replacements.drain(..).unzip();
        (files, Replacements(names))
    }

    /// The commit has taken place, or may have.
    pub(crate) fn keep(mut self) {
        self.new.clear();
    }
}

impl<S: Storage> Drop for NewObjects<'_, S> {
    fn drop(&mut self) {
        // Nobody knows whether the commit has taken place (I4); `gc` removes what nothing names.
        if std::thread::panicking() {
            return;
        }
        for path in &self.new {
            if let Err(error) = self.storage.remove(path) {
                tracing::warn!(%path, %error, "an object without a commit could not be removed");
            }
        }
    }
}

/// The names of objects that are to be replaced.
pub(crate) struct Replacements(Vec<FeedPath>);

impl Replacements {
    /// Replaces them, durably.
    pub(crate) fn put_in_place<S: Storage>(self, storage: &S, files: Vec<Durable<S::File>>) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        for (path, file) in self.0.iter().zip(files) {
            storage.replace(file, path)?;
        }
        storage.sync(Wave::of_entries(vec![Dir::Objects])).map(drop)
    }
}

/// Whether the file at `path` has exactly these bytes.
pub(crate) fn intact<S: Storage>(storage: &S, path: &FeedPath, (sha256, size): (&Sha256, u64)) -> io::Result<bool> {
    if storage.info(path)?.is_none_or(|info| info.size != size) {
        return Ok(false);
    }
    let Some(file) = storage.open(path)? else { return Ok(false) };
    Ok(digest(file)? == (*sha256, size))
}

/// The digest and size of everything that `file` gives.
pub(crate) fn digest(mut file: impl Read) -> io::Result<(Sha256, u64)> {
    let mut hasher = Hasher::new();
    let size = copy(&mut file, |bytes| {
        hasher.update(bytes);
        Ok(())
    })?;
    Ok((hasher.finish(), size))
}

/// Copies the file at `path` into staging; `None` when it is missing or its bytes are not those that it should have.
pub(crate) fn verified_copy<S: Storage>(
    storage: &S,
    staging: &impl Staging<File = S::File>,
    path: &FeedPath,
    identity: (&Sha256, u64),
) -> io::Result<Option<Pending<S::File>>> {
    let Some(file) = storage.open(path)? else { return Ok(None) };
    verified(staging, file, identity)
}

/// Copies what `file` gives into staging; `None` when its bytes are not those that it should have.
pub(crate) fn verified<G: Staging>(
    staging: &G,
    mut file: impl Read,
    (sha256, size): (&Sha256, u64),
) -> io::Result<Option<Pending<G::File>>> {
    let mut output = staging.create(Kind::Published)?;
    let mut hasher = Hasher::new();
    let copied = copy(&mut file, |bytes| {
        hasher.update(bytes);
        output.write_all(bytes)
    })?;
    let intact = copied == size && hasher.finish() == *sha256;
    if intact { output.finish().map(Some) } else { Ok(None) }
}

fn copy(input: &mut impl Read, mut output: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut total = 0;
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(size) => {
                output(&chunk[..size])?;
                total += size as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
