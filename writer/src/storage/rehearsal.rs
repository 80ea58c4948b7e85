//! A storage that reads a feed and changes nothing of it: what is staged goes elsewhere.

use std::io::{self, Read};

use lastgood_protocol::layout::{Dir, FeedPath};

use super::{Durable, FileInfo, Pending, Placed, Rotation, Storage, Wave};

/// The files of one storage with the staging of another.
pub(crate) struct Rehearsal<'a, S, T> {
    /// What is read.
    feed: &'a S,
    /// Where files are staged.
    scratch: T,
}

impl<'a, S: Storage, T: Storage> Rehearsal<'a, S, T> {
    pub(crate) fn new(feed: &'a S, scratch: T) -> Self {
        Self { feed, scratch }
    }
}

/// Nothing that is rehearsed asks for this.
fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "a rehearsal changes nothing"))
}

impl<S: Storage, T: Storage> Storage for Rehearsal<'_, S, T> {
    type File = T::File;
    type Staging = T::Staging;
    type Lock = T::Lock;

    fn location(&self) -> String {
        self.feed.location()
    }

    fn create(&self) -> io::Result<()> {
        self.scratch.create()
    }

    fn complete(&self) -> io::Result<Vec<String>> {
        refused()
    }

    fn list(&self, dir: Dir) -> io::Result<Vec<String>> {
        self.feed.list(dir)
    }

    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>> {
        self.feed.info(path)
    }

    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>> {
        self.feed.open(path)
    }

    fn try_lock(&self, _: &str) -> io::Result<Option<T::Lock>> {
        refused()
    }

    fn share(&self, _: &mut T::Lock) -> io::Result<()> {
        refused()
    }

    fn try_join(&self) -> io::Result<Option<T::Lock>> {
        refused()
    }

    fn lock_holder(&self) -> io::Result<Option<String>> {
        self.feed.lock_holder()
    }

    fn stage(&self) -> io::Result<T::Staging> {
        self.scratch.stage()
    }

    fn sweep_staging(&self) -> io::Result<usize> {
        refused()
    }

    fn place(&self, _: Pending<T::File>, _: &FeedPath) -> io::Result<Placed<T::File>> {
        refused()
    }

    fn sync(&self, _: Wave<T::File>) -> io::Result<Vec<Durable<T::File>>> {
        refused()
    }

    fn replace(&self, _: Durable<T::File>, _: &FeedPath) -> io::Result<()> {
        refused()
    }

    fn preserve(&self, _: &FeedPath) -> io::Result<Option<String>> {
        refused()
    }

    fn remove(&self, _: &FeedPath) -> io::Result<bool> {
        refused()
    }

    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]> {
        self.feed.read_mark()
    }

    fn write_mark(&self, _: usize, _: &[u8]) -> io::Result<Placed<T::File>> {
        refused()
    }

    fn append_to_log(&self, _: &str, _: Rotation) -> io::Result<()> {
        refused()
    }

    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
        self.feed.read_log(rotation)
    }
}
