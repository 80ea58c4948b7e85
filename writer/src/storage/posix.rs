//! A feed in a directory of a POSIX file system.
//!
//! Everything that is not published lives in `.lastgood/` (mode 0700; 2770 where the feed directory is shared by a group, see
//! [`Modes`]):
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
use std::path::{Path, PathBuf};

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

/// The bits that a group needs to share a directory: it may write there, and what is made there is the group's (setgid).
const SHARED_DIR: u32 = 0o2070;

/// The bits that a group needs to share a file.
const SHARED_FILE: u32 = 0o060;

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
///
/// A feed directory that its group may write to and that hands its group down (setgid, such as 2775) is shared: each member
/// of the group may publish. There the same rights of the group are added to everything in the feed, also to what is
/// private, whatever is said here.
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

    /// The same where the feed directory is shared by a group.
    fn shared(self) -> Self {
        Self { file: self.file | SHARED_FILE, dir: self.dir | SHARED_DIR }
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

    /// Whether this user has the rights that a publish takes, as far as that can be told without trying.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`], [`io::ErrorKind::ReadOnlyFilesystem`] for the first path where it is not so.
    pub fn check_access(&self) -> io::Result<()> {
        let above = if self.dir.is_dir() { None } else { self.dir.parent().map(Path::to_owned) };
        let dirs = above.into_iter().chain([self.dir.clone()]).chain(self.inner_dirs());
        let locks = ["lock", lock::TURN].map(|name| self.private().join(name));
        for (path, is_dir) in dirs.map(|dir| (dir, true)).chain(locks.map(|lock| (lock, false))) {
            match sys::may_write(&path, is_dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                checked => checked.context("write to", &path)?,
            }
        }
        Ok(())
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

    /// The directories in the feed; those above others come first.
    fn inner_dirs(&self) -> [PathBuf; 4] {
        let private = self.private();
        let staging = private.join(staging::DIR);
        [self.dir(Dir::Objects), self.dir(Dir::History), private, staging]
    }

    /// The modes of published files and directories and that of private directories, as the feed directory is now.
    fn modes_here(&self) -> (Modes, u32) {
        match self.system.is_shared(&self.dir) {
            true => (self.modes.shared(), PRIVATE_MODE | SHARED_DIR),
            false => (self.modes, PRIVATE_MODE),
        }
    }

    /// Gives the group of a shared feed what it needs in directories that were made before it was shared. Whoever does not
    /// own them cannot; the doctor tells of them.
    fn share_with_group(&self) {
        if !self.system.is_shared(&self.dir) {
            return;
        }
        let [objects, history, private, staging] = self.inner_dirs();
        let public = self.modes.shared().of_dir();
        let modes = [(objects, public), (history, public)]
            .into_iter()
            .chain([private, staging].map(|path| (path, PRIVATE_MODE | SHARED_DIR)));
        for (path, mode) in modes.filter(|(path, _)| !self.system.is_shared(path)) {
            if let Err(error) = self.system.set_dir_mode(&path, mode) {
                tracing::debug!(%error, path = %path.display(), "the directory is not shared with the group");
            }
        }
    }

    /// Whoever writes asks before: through a link, sweeping and collecting would remove what is not the feed's.
    fn refuse_links(&self) -> io::Result<()> {
        self.inner_dirs().iter().try_for_each(|path| sys::refuse_link(&self.system, path).context("use", path))
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
        let (modes, private) = self.modes_here();
        let inner = self.inner_dirs();
        for (path, mode) in inner.iter().zip([modes.of_dir(), modes.of_dir(), private, private]) {
            sys::make_dir(&self.system, path, mode).context("create", path)?;
            sys::refuse_link(&self.system, path).context("use", path)?;
        }
        for name in mark::PLACES {
            mark::make(&self.system, &self.private().join(name))?;
        }
        // All of them, made just now or not: whoever made one may have died before it was durable (I8).
        let mut durable: Vec<PathBuf> = inner.into();
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
        self.share_with_group();
        let (modes, private) = self.modes_here();
        PosixStaging::open(&self.system, &self.dir, &self.private().join(staging::DIR), modes, private)
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
        let (_, private) = self.modes_here();
        kept::keep(&self.system, &self.published(path), &self.private().join(kept::DIR), private)
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
