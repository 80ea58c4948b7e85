//! A feed in a directory of a POSIX file system.
//!
//! Everything that is not published lives in `.lastgood/` (mode 0700):
//!
//! | path | what it is |
//! | --- | --- |
//! | `lock` | the writer's lock: who holds the operating system's lock on it decides who may commit |
//! | `turn` | locked during a commit, by the holder of `lock` or by those with whom it is shared |
//! | `holder` | who that is, locked as long as it is true |
//! | `mark.0`, `mark.1` | the highest generation that a commit was begun for, and that is known to be committed (`mark.rs` of the crate) |
//! | `kept/` | files that were there before lastgood, as they were |
//! | `staging/<token>/` | the files of one publish |
//! | `staging/<token>.lock` | locked as long as that publish lives |
//! | `operations.jsonl`, `operations.jsonl.<n>` | the operation log, the older the higher the number |
//! | `operations.lock` | locked while a line is added to it |

#![allow(clippy::disallowed_methods, reason = "this is the module that changes files")]

mod file;
mod kept;
mod lock;
mod log;
mod mark;
mod missing;
mod probe;
mod staging;
mod sync;
mod sys;
mod update;
mod way;

use std::io::{self, Read};
use std::path::PathBuf;

use lastgood_protocol::layout::{self, Dir, FeedPath};

pub use self::file::PosixFile;
pub use self::lock::WriterLock;
pub use self::probe::Probe;
pub use self::staging::PosixStaging;
use self::sync::SyncJob;
pub use self::sys::{Found, Handle, Open, Os, System, names_in};
pub use self::update::update_file;
pub use self::way::{NoDirectory, is_directory};
use super::error::{Context, with_advice};
use super::{Durable, FileInfo, Kind, Pending, Placed, Rotation, Storage, Wave, timestamp};

/// The mode of the private directory and of those in it.
const PRIVATE_MODE: u32 = 0o700;

/// A feed in a directory.
///
/// The directory itself may be a symbolic link or a mount point. What is in it may not: published paths that are
/// symbolic links, pipes or devices are refused, so that nothing planted there is followed or waited for.
/// [`info`](Storage::info) alone tells of them, without following: other programs may lock with a directory or a link.
///
/// Reading needs no right to write: nothing is created before it is asked for.
#[derive(Debug, Clone)]
pub struct PosixStorage<S = Os> {
    system: S,
    dir: PathBuf,
    modes: Modes,
}

/// The permissions of what is published. They are set as they stand here, whatever the umask says. The owner's own right
/// to read and write is always added: a feed without it could not be published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Published files; 0644 by default.
    pub file: u32,
    /// The feed directory and those published in it, when they are made; 0755 by default.
    pub dir: u32,
}

impl Default for Modes {
    fn default() -> Self {
        Self { file: 0o644, dir: 0o755 }
    }
}

impl Modes {
    fn of_dir(self) -> u32 {
        self.dir | 0o700
    }

    fn of_file(self, kind: Kind) -> u32 {
        match kind {
            Kind::Published => self.file | 0o600,
            Kind::Marker => 0o444,
        }
    }
}

impl PosixStorage {
    /// The feed in `dir`, which need not exist. Does no I/O.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, modes: Modes) -> Self {
        Self::on(Os, dir, modes)
    }
}

impl<S: System> PosixStorage<S> {
    /// The same on another system than the one that the process runs on.
    #[must_use]
    pub fn on(system: S, dir: impl Into<PathBuf>, modes: Modes) -> Self {
        Self { system, dir: dir.into(), modes }
    }

    /// Makes the feed directory alone: with the ones above it made as well, a mistyped path would split a feed in two.
    fn make_feed_dir(&self) -> io::Result<bool> {
        sys::make_dir(&self.system, &self.dir, self.modes.of_dir()).map_err(|error| {
            if let Err(problem) = is_directory(&self.dir) {
                return io::Error::new(error.kind(), format!("cannot create {}: {problem}", self.dir.display()));
            }
            let advice = match error.kind() {
                io::ErrorKind::NotFound => "; make the directory above it first",
                _ => "",
            };
            with_advice(error, "create", &self.dir, advice)
        })
    }

    fn published(&self, path: &FeedPath) -> PathBuf {
        self.dir.join(path.as_str())
    }

    fn dir(&self, dir: Dir) -> PathBuf {
        match dir {
            Dir::Root => self.dir.clone(),
            Dir::Objects | Dir::History => self.dir.join(dir.as_str()),
        }
    }

    fn private(&self) -> PathBuf {
        self.dir.join(layout::PRIVATE_DIR)
    }

    /// The directories in the feed, each with its mode; those above others come first.
    fn inner_dirs(&self) -> [(PathBuf, u32); 4] {
        let private = self.private();
        let staging = private.join(staging::DIR);
        let public = |dir| (self.dir(dir), self.modes.of_dir());
        [public(Dir::Objects), public(Dir::History), (private, PRIVATE_MODE), (staging, PRIVATE_MODE)]
    }

    /// Whoever writes asks before: through a link, sweeping and collecting would remove what is not the feed's.
    fn refuse_links(&self) -> io::Result<()> {
        self.inner_dirs().iter().try_for_each(|(path, _)| sys::refuse_link(&self.system, path).context("use", path))
    }
}

impl<S: System> Storage for PosixStorage<S> {
    type File = PosixFile<S>;
    type Staging = PosixStaging<S>;
    type Lock = WriterLock<S>;

    fn location(&self) -> String {
        self.dir.display().to_string()
    }

    fn create(&self) -> io::Result<()> {
        let made = self.make_feed_dir()?;
        let inner = self.inner_dirs();
        for (path, mode) in &inner {
            sys::make_dir(&self.system, path, *mode).context("create", path)?;
            sys::refuse_link(&self.system, path).context("use", path)?;
        }
        for name in mark::PLACES {
            mark::make(&self.system, &self.private().join(name))?;
        }
        // All of them, made just now or not: whoever made one may have died before it was durable (I8).
        let mut durable: Vec<PathBuf> = inner.into_iter().map(|(path, _)| path).collect();
        let root = self.system.canonicalize(&self.dir).context("find", &self.dir)?;
        if let Some(parent) = root.parent()
            && (made || sys::can_open_dir(&self.system, parent))
        {
            durable.push(parent.to_owned());
        }
        durable.push(root);
        sync::sync_in_parallel(&self.system, durable.into_iter().map(SyncJob::Dir).collect())
    }

    fn complete(&self) -> io::Result<Vec<String>> {
        missing::complete(self)
    }

    fn list(&self, dir: Dir) -> io::Result<Vec<String>> {
        let path = self.dir(dir);
        let names = match sys::list(&self.system, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.context("list", &path)?,
        };
        let mut names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| dir != Dir::Root || name != layout::PRIVATE_DIR);
        names.sort_unstable();
        Ok(names)
    }

    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>> {
        let path = self.published(path);
        let found = match sys::look(&self.system, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found.context("look at", &path)?,
        };
        let kind = if found.readonly { Kind::Marker } else { Kind::Published };
        Ok(Some(FileInfo { size: found.size, modified: timestamp(found.modified), kind }))
    }

    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(file::Reader::open(&self.system, &self.published(path))?.map(|reader| Box::new(reader) as _))
    }

    fn try_lock(&self, holder: &str) -> io::Result<Option<WriterLock<S>>> {
        self.refuse_links()?;
        WriterLock::try_take(&self.system, &self.private(), holder)
    }

    fn share(&self, lock: &mut WriterLock<S>) -> io::Result<()> {
        lock.share().context("share", &self.private().join(lock::TURN))
    }

    fn try_join(&self) -> io::Result<Option<WriterLock<S>>> {
        self.refuse_links()?;
        WriterLock::try_join(&self.system, &self.private())
    }

    fn lock_holder(&self) -> io::Result<Option<String>> {
        lock::holder(&self.system, &self.private())
    }

    fn stage(&self) -> io::Result<PosixStaging<S>> {
        self.refuse_links()?;
        PosixStaging::open(&self.system, &self.dir, &self.private().join(staging::DIR), self.modes)
    }

    fn sweep_staging(&self) -> io::Result<usize> {
        self.refuse_links()?;
        staging::sweep(&self.system, &self.private().join(staging::DIR))
    }

    fn place(&self, file: Pending<PosixFile<S>>, path: &FeedPath) -> io::Result<Placed<PosixFile<S>>> {
        file.0.moved_to(self.published(path)).map(Placed)
    }

    fn sync(&self, mut wave: Wave<PosixFile<S>>) -> io::Result<Vec<Durable<PosixFile<S>>>> {
        let files =
            wave.pending.iter_mut().map(|file| &mut file.0).chain(wave.placed.iter_mut().map(|file| &mut file.0));
        let dirs = wave.dirs.iter().map(|dir| SyncJob::Dir(self.dir(*dir)));
        sync::sync_in_parallel(&self.system, files.map(SyncJob::File).chain(dirs).collect())?;
        Ok(wave.pending.into_iter().map(|file| Durable(file.0)).collect())
    }

    fn replace(&self, file: Durable<PosixFile<S>>, path: &FeedPath) -> io::Result<()> {
        file.0.moved_to(self.published(path)).map(drop)
    }

    fn preserve(&self, path: &FeedPath) -> io::Result<Option<String>> {
        kept::keep(&self.system, &self.published(path), &self.private().join(kept::DIR))
    }

    fn remove(&self, path: &FeedPath) -> io::Result<bool> {
        let path = self.published(path);
        sys::remove_file(&self.system, &path).context("remove", &path)
    }

    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]> {
        mark::read(&self.system, &self.private())
    }

    fn write_mark(&self, place: usize, bytes: &[u8]) -> io::Result<Placed<PosixFile<S>>> {
        mark::write(&self.system, &self.private(), place, bytes).map(Placed)
    }

    fn append_to_log(&self, line: &str, rotation: Rotation) -> io::Result<()> {
        self.refuse_links()?;
        log::append(&self.system, &self.private(), line, rotation)
    }

    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
        log::read(&self.system, &self.private(), rotation)
    }
}
