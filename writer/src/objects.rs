//! Objects: payloads stored immutably under their SHA-256.

use std::io::{self, Read, Write};

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::layout::FeedPath;

use crate::storage::{Kind, Pending, Placed, StagedFile, Staging, Storage};

/// Puts an object under its final name, not yet durable.
///
/// An object that is there already may be the torn leftover of a crash: it is re-hashed before it is believed (I6), and
/// replaced when it is not what its name says. An intact one is kept, so that its file, and with it a web server's ETag,
/// stays the same; it is synced all the same, because nothing tells whether it ever was.
pub(crate) fn put<S: Storage>(
    storage: &S,
    staged: Pending<S::File>,
    path: &FeedPath,
    (sha256, size): (&Sha256, u64),
) -> io::Result<Placed<S::File>> {
    if intact(storage, path, (sha256, size))? { storage.reopen(path) } else { storage.place(staged, path) }
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
    staging: &S::Staging,
    path: &FeedPath,
    (sha256, size): (&Sha256, u64),
) -> io::Result<Option<Pending<S::File>>> {
    let Some(mut file) = storage.open(path)? else { return Ok(None) };
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
    let mut chunk = vec![0; 128 * 1024];
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
