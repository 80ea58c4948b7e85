//! Objects: payloads stored immutably under their SHA-256.

use std::io::{self, Read, Write};

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::layout::FeedPath;

use crate::storage::{Kind, Pending, Placed, StagedFile, Staging, Storage};

/// How much is read at a time, here and in prepare.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;

/// Puts an object under its final name; returns it if it still has to be made durable.
///
/// An object is kept only if the present manifest names it, which says that it is durable (I1), and if its bytes are still
/// right (I6); its file, and with it a web server's ETag, then stays the same. Any other that is there already may be the
/// leftover of a crash and is replaced by the bytes just written, never believed: after a failed sync the page cache shows
/// the right bytes although the medium does not have them, which no re-hash can see.
pub(crate) fn put<S: Storage>(
    storage: &S,
    staged: Pending<S::File>,
    path: &FeedPath,
    identity: (&Sha256, u64),
    named: bool,
) -> io::Result<Option<Placed<S::File>>> {
    if named && intact(storage, path, identity)? { Ok(None) } else { storage.place(staged, path).map(Some) }
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
