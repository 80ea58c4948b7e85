//! A feed in memory.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, PoisonError, Weak};
use std::time::SystemTime;

use lastgood_protocol::layout::{self, Dir, FeedPath};
use lastgood_protocol::time::Timestamp;

use super::{Durable, FileInfo, Kind, Pending, Placed, Rotation, StagedFile, Staging, Storage, Wave, timestamp};
use crate::sync::{Mutex, MutexGuard};

/// A feed in memory, for tests and simulations: it passes the contract suite that the file system passes.
///
/// Clones share the feed, as processes share a directory. It never fails and never loses what was not synced.
#[derive(Clone)]
pub struct MemoryStorage {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    feed: Mutex<Feed>,
}

#[derive(Default)]
struct Feed {
    created: bool,
    files: BTreeMap<FeedPath, Content>,
    holder: Option<String>,
    /// Whether someone is committing.
    turn: bool,
    kept: Vec<(String, Content)>,
    mark: [Vec<u8>; 2],
    /// The newest first.
    log: VecDeque<Vec<u8>>,
}

/// The bytes of a file and what is known of it. What a reader has opened never changes.
#[derive(Debug, Clone)]
struct Content {
    bytes: Arc<Vec<u8>>,
    modified: Timestamp,
    kind: Kind,
}

impl MemoryStorage {
    /// A feed that does not exist yet, on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(|| timestamp(SystemTime::now()))
    }

    /// The same on another clock, which says when a file was written.
    pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { shared: Arc::new(Shared { clock: Box::new(clock), feed: Mutex::default() }) }
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        // Every change is a single assignment, so a panic of another thread has left nothing half done.
        self.shared.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_if_missing(&self) -> io::Result<()> {
        match self.feed().created {
            true => Ok(()),
            false => Err(missing("the feed")),
        }
    }

    fn content(&self, path: &FeedPath) -> Option<Content> {
        self.feed().files.get(path).cloned()
    }
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").finish_non_exhaustive()
    }
}

impl Storage for MemoryStorage {
    type File = MemoryFile;
    type Staging = MemoryStaging;
    type Lock = MemoryLock;

    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn create(&self) -> io::Result<()> {
        self.feed().created = true;
        Ok(())
    }

    /// What is created is never missing.
    fn complete(&self) -> io::Result<Vec<String>> {
        let made = !std::mem::replace(&mut self.feed().created, true);
        Ok(made.then(|| layout::PRIVATE_DIR.to_owned()).into_iter().collect())
    }

    fn list(&self, dir: Dir) -> io::Result<Vec<String>> {
        let feed = self.feed();
        let file_name = |path: &FeedPath| path.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = feed.files.keys().filter(|path| path.dir() == dir).map(file_name).collect();
        if feed.created && dir == Dir::Root {
            names.extend([Dir::Objects, Dir::History].map(|dir| dir.as_str().to_owned()));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>> {
        let info = |file: Content| FileInfo { size: file.bytes.len() as u64, modified: file.modified, kind: file.kind };
        Ok(self.content(path).map(info))
    }

    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(self.content(path).map(|file| Box::new(file.reader()) as _))
    }

    fn try_lock(&self, holder: &str) -> io::Result<Option<MemoryLock>> {
        self.refuse_if_missing()?;
        let mut feed = self.feed();
        if feed.holder.is_some() || feed.turn {
            return Ok(None);
        }
        feed.holder = Some(holder.to_owned());
        feed.turn = true;
        Ok(Some(MemoryLock { storage: self.clone(), holds: true, turn: true }))
    }

    fn share(&self, lock: &mut MemoryLock) -> io::Result<()> {
        lock.end_turn();
        Ok(())
    }

    fn try_join(&self) -> io::Result<Option<MemoryLock>> {
        self.refuse_if_missing()?;
        let taken = std::mem::replace(&mut self.feed().turn, true);
        Ok((!taken).then(|| MemoryLock { storage: self.clone(), holds: false, turn: true }))
    }

    fn lock_holder(&self) -> io::Result<Option<String>> {
        Ok(self.feed().holder.clone())
    }

    fn stage(&self) -> io::Result<MemoryStaging> {
        self.refuse_if_missing()?;
        Ok(MemoryStaging { storage: self.clone(), alive: Arc::new(()) })
    }

    /// Removes nothing: no writer dies without its staging being dropped.
    fn sweep_staging(&self) -> io::Result<usize> {
        Ok(0)
    }

    fn place(&self, file: Pending<MemoryFile>, path: &FeedPath) -> io::Result<Placed<MemoryFile>> {
        file.0.moved_to(path).map(Placed)
    }

    fn sync(&self, wave: Wave<MemoryFile>) -> io::Result<Vec<Durable<MemoryFile>>> {
        Ok(wave.pending.into_iter().map(|file| Durable(file.0)).collect())
    }

    fn replace(&self, file: Durable<MemoryFile>, path: &FeedPath) -> io::Result<()> {
        file.0.moved_to(path).map(drop)
    }

    fn preserve(&self, path: &FeedPath) -> io::Result<Option<String>> {
        let Some(content) = self.content(path) else { return Ok(None) };
        let mut feed = self.feed();
        let place = format!("kept/{path}.{}", feed.kept.len());
        feed.kept.push((place.clone(), content));
        Ok(Some(place))
    }

    fn remove(&self, path: &FeedPath) -> io::Result<bool> {
        Ok(self.feed().files.remove(path).is_some())
    }

    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]> {
        Ok(self.feed().mark.clone())
    }

    fn write_mark(&self, place: usize, bytes: &[u8]) -> io::Result<Placed<MemoryFile>> {
        self.refuse_if_missing()?;
        self.feed().mark[place] = bytes.to_vec();
        let content = Content { bytes: Arc::default(), modified: (self.shared.clock)(), kind: Kind::Published };
        Ok(Placed(MemoryFile { storage: self.clone(), staging: Weak::new(), content }))
    }

    fn append_to_log(&self, line: &str, rotation: Rotation) -> io::Result<()> {
        self.refuse_if_missing()?;
        let log = &mut self.feed().log;
        let size = log.front().map_or(0, Vec::len);
        if size == 0 || (size + line.len() + 1) as u64 > rotation.max_bytes {
            log.push_front(Vec::new());
            log.truncate(rotation.older + 1);
        }
        let newest = log.front_mut().expect("one was there, or was just made");
        newest.extend_from_slice(line.as_bytes());
        newest.push(b'\n');
        Ok(())
    }

    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
        Ok(self.feed().log.iter().take(rotation.older + 1).cloned().collect())
    }
}

/// The writer's lock of a [`MemoryStorage`], or a turn under one that is shared; held until dropped.
#[derive(Debug)]
pub struct MemoryLock {
    storage: MemoryStorage,
    holds: bool,
    turn: bool,
}

impl MemoryLock {
    fn end_turn(&mut self) {
        if std::mem::take(&mut self.turn) {
            self.storage.feed().turn = false;
        }
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        if self.holds {
            self.storage.feed().holder = None;
        }
        self.end_turn();
    }
}

/// Room for the files of one publish to a [`MemoryStorage`].
#[derive(Debug)]
pub struct MemoryStaging {
    storage: MemoryStorage,
    alive: Arc<()>,
}

impl Staging for MemoryStaging {
    type File = MemoryFile;

    fn create(&self, kind: Kind) -> io::Result<MemoryFile> {
        let content = Content { bytes: Arc::default(), modified: (self.storage.shared.clock)(), kind };
        Ok(MemoryFile { storage: self.storage.clone(), staging: Arc::downgrade(&self.alive), content })
    }

    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<MemoryFile>>> {
        let staging = Arc::downgrade(&self.alive);
        let file = |content| Pending(MemoryFile { storage: self.storage.clone(), staging, content });
        Ok(self.storage.content(path).map(file))
    }
}

/// A file that a [`MemoryStorage`] has in staging or has placed.
#[derive(Debug)]
pub struct MemoryFile {
    storage: MemoryStorage,
    staging: Weak<()>,
    content: Content,
}

impl MemoryFile {
    fn moved_to(self, path: &FeedPath) -> io::Result<Self> {
        self.refuse_if_removed()?;
        self.storage.feed().files.insert(path.clone(), self.content.clone());
        Ok(self)
    }

    /// A file in staging goes when its staging goes.
    fn refuse_if_removed(&self) -> io::Result<()> {
        self.staging.upgrade().map(drop).ok_or_else(|| missing("the file in staging"))
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Arc::make_mut(&mut self.content.bytes).extend_from_slice(bytes);
        self.content.modified = (self.storage.shared.clock)();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StagedFile for MemoryFile {
    fn finish(self) -> io::Result<Pending<Self>> {
        Ok(Pending(self))
    }

    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        self.refuse_if_removed()?;
        Ok(Box::new(self.content.reader()))
    }
}

impl Content {
    fn reader(&self) -> Cursor<Vec<u8>> {
        Cursor::new(self.bytes.to_vec())
    }
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{what} does not exist"))
}
