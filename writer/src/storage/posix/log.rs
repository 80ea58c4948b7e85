//! The operation log: lines added at the end of a file, which is put aside when it is large.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::super::Rotation;
use super::super::error::Context;
use super::lock::lock_soon;
use super::sys::{self, Handle, Open, System};

/// The names that a log has at least.
pub(super) const FILES: [&str; 2] = ["operations.jsonl", "operations.lock"];

pub(super) fn append(system: &impl System, private: &Path, line: &str, rotation: Rotation) -> io::Result<()> {
    let _lock = lock(system, private, true)?;
    let path = newest(private);
    let mut file = open(system, &path)?;
    let size = file.seek(SeekFrom::End(0)).context("look at", &path)?;
    let mut bytes = Vec::with_capacity(line.len() + 2);
    if size > 0 && size.saturating_add(line.len() as u64 + 1) > rotation.max_bytes {
        drop(file);
        rotate(system, private, rotation.older)?;
        file = open(system, &path)?;
    } else if size > 0 && torn(&mut file).context("read", &path)? {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    // In one write: readers take no lock, and so see no half line but of a crash.
    match file.write(&bytes).context("write", &path)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()).context("write", &path),
    }
}

pub(super) fn read(system: &impl System, private: &Path, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
    // So that no rotation comes between. Whoever may not take the lock may read all the same: then one can.
    let _lock = lock(system, private, false).ok();
    let mut files = Vec::new();
    for age in 0..=rotation.older {
        let path = aged(private, age);
        let Some(mut file) = sys::open_regular(system, &path).context("open", &path)? else { continue };
        files.push(end_of(&mut file, rotation.max_bytes.saturating_mul(2)).context("read", &path)?);
    }
    Ok(files)
}

/// The last `limit` bytes: a file that has more is none that was put aside in time. The line that they begin in is torn.
fn end_of(file: &mut impl Handle, limit: u64) -> io::Result<Vec<u8>> {
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(size.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn newest(private: &Path) -> PathBuf {
    aged(private, 0)
}

fn aged(private: &Path, age: usize) -> PathBuf {
    match age {
        0 => private.join("operations.jsonl"),
        age => private.join(format!("operations.jsonl.{age}")),
    }
}

fn open<S: System>(system: &S, path: &Path) -> io::Result<S::File> {
    sys::open(system, path, Open::Append).context("open", path)
}

fn lock<S: System>(system: &S, private: &Path, create: bool) -> io::Result<S::File> {
    let path = private.join("operations.lock");
    lock_soon(system, &path, create).context("lock", &path)
}

/// Whether the last line has no end: its writer died, or the disk was full. There is a last line.
fn torn(file: &mut impl Handle) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Gives each file the next number, the oldest first. A crash in between leaves a gap, and nothing twice.
fn rotate(system: &impl System, private: &Path, older: usize) -> io::Result<()> {
    for age in (0..older).rev() {
        let (from, to) = (aged(private, age), aged(private, age + 1));
        match sys::rename(system, &from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed.context("rename", &from)?,
        }
    }
    if older == 0 {
        let path = newest(private);
        sys::remove_file(system, &path).context("remove", &path)?;
    }
    Ok(())
}
