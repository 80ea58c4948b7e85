//! The two places of the mark, each written over in place: their names are durable since the private directory was made, so that
//! a commit need sync nothing but the content of one of them.

use std::io::{self, Read, Write};
use std::path::Path;

use super::super::error::Context;
use super::PosixFile;
use super::sys::{self, Handle, Open, System, not_regular};

/// The names of the places, in the private directory.
pub(super) const PLACES: [&str; 2] = ["mark.0", "mark.1"];

/// More than is ever written to one.
const MAX_BYTES: u64 = 4096;

pub(super) fn read(system: &impl System, private: &Path) -> io::Result<[Vec<u8>; 2]> {
    let mut places = <[Vec<u8>; 2]>::default();
    for (bytes, name) in places.iter_mut().zip(PLACES) {
        let path = private.join(name);
        if let Some(file) = sys::open_regular(system, &path).context("open", &path)? {
            file.take(MAX_BYTES).read_to_end(bytes).context("read", &path)?;
        }
    }
    Ok(places)
}

pub(super) fn write<S: System>(system: &S, private: &Path, place: usize, bytes: &[u8]) -> io::Result<PosixFile<S>> {
    let path = private.join(PLACES[place]);
    let mut file = open(system, &path)?;
    file.write_all(bytes).context("write", &path)?;
    Ok(PosixFile::in_place(system, path, file))
}

/// Makes a place, if it is missing.
pub(super) fn make(system: &impl System, path: &Path) -> io::Result<()> {
    open(system, path).map(drop)
}

/// A file of another name would be damaged by being written over here.
fn open<S: System>(system: &S, path: &Path) -> io::Result<S::File> {
    let file = sys::open(system, path, Open::ReadWrite { create: true }).context("open", path)?;
    if !file.is_regular().context("look at", path)? {
        return Err(not_regular("it is not a regular file; move it away")).context("write", path);
    }
    if !file.has_one_name().context("look at", path)? {
        return Err(not_regular("it has a further name, by which it may be another program's; remove it"))
            .context("write", path);
    }
    Ok(file)
}
