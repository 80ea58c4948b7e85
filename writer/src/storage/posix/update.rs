//! Files outside of a feed that several processes bring up to date, such as metrics.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::super::error::Context;
use super::lock::lock_soon;
use super::sys::{self, Handle, Open, Os};
use super::{Modes, staging};

/// The most that is read of what was there: a file that is larger is something else.
const MAX_BYTES: u64 = 16 << 20;

/// Replaces the file at `path` by what `update` makes of its content (`None` when there is none), in one step: whoever reads it sees the whole old or the whole new file, with mode 0644.
///
/// Processes that do so at the same time come one after another, so that no update is lost. For that a file
/// `.<name>.lock` stays beside it. The new content is a file `.<name>.<random>.tmp` until it is whole. It is not synced: a power cut may
/// bring the old one back, or leave an empty one.
///
/// # Errors
/// When it cannot be read or written, `update` fails, or another process has had the lock for half a second. The file is then as
/// it was.
pub fn update_file(path: &Path, update: impl FnOnce(Option<Vec<u8>>) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let lock = beside(path, ".lock")?;
    let _lock = lock_soon(&Os, &lock, true).context("lock", &lock)?;
    let bytes = update(read(path).context("read", path)?)?;
    let new = beside(path, &format!(".{}.tmp", staging::token(&Os)?))?;
    let written = write(&new, &bytes).context("write", &new);
    let replaced = written.and_then(|()| sys::rename(&Os, &new, path).context("replace", path));
    if replaced.is_err() {
        // Whoever looks into the directory sees what it is; nobody reads it.
        let _ = sys::remove_file(&Os, &new);
    }
    replaced
}

/// A hidden name in the same directory.
fn beside(path: &Path, suffix: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::ErrorKind::InvalidFilename.into()).context("write", path)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(suffix);
    Ok(path.with_file_name(hidden))
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = sys::open_regular(&Os, path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large to be such a file"));
    }
    Ok(Some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = sys::open(&Os, path, Open::New { mode: 0o600 })?;
    file.set_mode(Modes::default().file)?;
    file.write_all(bytes)
}
