//! What is missing inside a feed is made again as its neighbours are: whoever makes it, root perhaps, must not shut out the
//! user who publishes.

use std::io;
use std::path::{Path, PathBuf};

use lastgood_protocol::layout::Dir;

use super::super::error::Context;
use super::sync::{SyncJob, sync_in_parallel};
use super::sys::{self, Open, System};
use super::{PRIVATE_MODE, PosixStorage, lock, log, mark, staging};

/// Makes what is missing, durably, and says what that was.
pub(super) fn complete<S: System>(storage: &PosixStorage<S>) -> io::Result<Vec<String>> {
    storage.refuse_links()?;
    let (system, feed) = (&storage.system, &storage.dir);
    let missing = |path: &Path| Ok::<_, io::Error>(!sys::is_there(system, path).context("look at", path)?);
    let (objects, history) = (storage.dir(Dir::Objects), storage.dir(Dir::History));
    let (private, staging) = (storage.private(), storage.private().join(staging::DIR));
    let without_private = missing(&private)?;
    let (modes, private_mode) = storage.modes_here();
    let mut made: Vec<PathBuf> = Vec::new();
    for (path, neighbour) in [(&objects, &history), (&history, &objects)] {
        if missing(path)? {
            match missing(neighbour)? {
                false => make_like(system, neighbour, path)?,
                true => make(system, if without_private { feed } else { &private }, path, modes.of_dir())?,
            }
            made.push(path.clone());
        }
    }
    if without_private {
        // Both are there by now.
        make(system, &objects, &private, private_mode)?;
        made.push(private.clone());
    }
    if missing(&staging)? {
        make_like(system, &private, &staging)?;
        made.push(staging);
    }
    let places = mark::PLACES.map(|name| private.join(name));
    if missing(&places[0])? || missing(&places[1])? {
        // The others are made by whoever needs them first, which is to be nobody who shuts others out.
        let others = [lock::LOCK, lock::TURN].into_iter().chain(log::FILES).map(|name| private.join(name));
        for path in places.iter().cloned().chain(others) {
            if missing(&path)? {
                sys::open(system, &path, Open::ReadWrite { create: true }).context("create", &path)?;
                system.resemble(&private, &path).context("give its owner to", &path)?;
                made.push(path);
            }
        }
    }
    if !made.is_empty() {
        let mut dirs: Vec<PathBuf> = made.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect();
        dirs.sort_unstable();
        dirs.dedup();
        sync_in_parallel(system, dirs.into_iter().map(SyncJob::Dir).collect())?;
    }
    // The files of the private directory are nobody's but the writer's.
    let told = made.iter().filter(|path| *path == &private || path.parent() != Some(&private));
    let name = |path: &PathBuf| format!("{}/", path.strip_prefix(feed).unwrap_or(path).display());
    Ok(told.map(name).collect())
}

/// Makes a directory as another one is.
fn make_like(system: &impl System, neighbour: &Path, path: &Path) -> io::Result<()> {
    sys::make_dir(system, path, PRIVATE_MODE).context("create", path)?;
    system.resemble(neighbour, path).context("give its owner to", path)
}

/// Makes a directory with the owner and the group of another one.
fn make(system: &impl System, owner: &Path, path: &Path, mode: u32) -> io::Result<()> {
    make_like(system, owner, path)?;
    system.set_dir_mode(path, mode).context("set the mode of", path)
}
