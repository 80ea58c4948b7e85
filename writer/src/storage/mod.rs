//! The one module that changes files.
//!
//! [`Storage`] states intent; durability is decided here and nowhere else. Ordering is decided in
//! [`Feed::publish`](crate::Feed::publish). The state of a file is in its type: what has been written is [`Pending`], what stands
//! under its final name without being known to be durable is [`Placed`], and only a successful [`Storage::sync`] turns
//! pending files into [`Durable`] ones, which are all that [`Storage::replace`] takes. So the manifest cannot be renamed
//! into place before everything that was synced with it is on the medium (I1).
//!
//! Guarantees that every implementation gives, proved by the contract suite:
//!
//! - A reader of a path sees the whole old file or the whole new file (I2).
//! - Whatever is not under a published path is invisible to readers; dropping it removes it.
//! - The lock is released when its holder is dropped or its process dies.

mod error;
mod memory;
mod posix;
mod rehearsal;

use std::io::{self, Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use lastgood_protocol::layout::{Dir, FeedPath};
use lastgood_protocol::time::Timestamp;

pub use self::error::{PathError, raw_os_error};
pub use self::memory::{MemoryFile, MemoryLock, MemoryStaging, MemoryStorage};
pub use self::posix::{
    Found, Handle, Modes, NoDirectory, Open, Os, PosixFile, PosixStaging, PosixStorage, Probe, System, WriterLock,
    is_directory, names_in, update_file,
};

pub(crate) use self::rehearsal::Rehearsal;

/// A feed directory, or something that behaves like one.
pub trait Storage: Send + Sync {
    /// A file that this storage has in staging or has placed.
    type File: StagedFile;
    /// Room for the files of one publish. Dropping it removes whatever of it has not been placed.
    type Staging: Staging<File = Self::File>;
    /// The writer's lock, held until dropped.
    type Lock: Send;

    /// Where the feed is, for messages.
    fn location(&self) -> String;

    /// Makes the directories of a feed, as far as they are missing, and makes them durable.
    ///
    /// # Errors
    /// When a directory cannot be made or synced.
    fn create(&self) -> io::Result<()>;

    /// Makes what is missing of the directories inside a feed, and of the files of its [mark](Self::read_mark), with the
    /// owner, the group and the mode of what is beside them, durably. Says what that was; nothing is asked of the medium
    /// when nothing was missing.
    ///
    /// # Errors
    /// When something cannot be made or synced.
    fn complete(&self) -> io::Result<Vec<String>>;

    /// The names in a published directory: files and directories, without the private directory, sorted. Empty when the
    /// directory does not exist.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self, dir: Dir) -> io::Result<Vec<String>>;

    /// Size, age and kind of a file; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>>;

    /// Opens a file for reading from its start; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened, or is not a regular file.
    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Reads a file whole; `None` when there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] when it has more than `limit` bytes, found without reading more than that;
    /// [`io::ErrorKind::InvalidData`] when it is not a regular file.
    fn read(&self, path: &FeedPath, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            let problem = format!("{path} has more than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        Ok(Some(bytes))
    }

    /// Takes the writer's lock if it is free; `None` when another holds it. `holder` is left for others to read while
    /// the lock is held.
    ///
    /// # Errors
    /// When the lock cannot be asked for at all.
    fn try_lock(&self, holder: &str) -> io::Result<Option<Self::Lock>>;

    /// Shares the writer's lock, which stays held: from now on others can take turns under it with
    /// [`try_join`](Self::try_join).
    ///
    /// # Errors
    /// When it cannot be shared.
    fn share(&self, lock: &mut Self::Lock) -> io::Result<()>;

    /// Takes a turn under a writer's lock that is shared; `None` while another has its turn, or while the lock is not
    /// shared. Whose lock it is, [`lock_holder`](Self::lock_holder) tells. Should that holder die, no one else gets the lock
    /// before the turn is over.
    ///
    /// # Errors
    /// When the turn cannot be asked for at all.
    fn try_join(&self) -> io::Result<Option<Self::Lock>>;

    /// What the present holder of the writer's lock has left; `None` when nobody holds it or the holder is unknown.
    ///
    /// # Errors
    /// When it cannot be read.
    fn lock_holder(&self) -> io::Result<Option<String>>;

    /// Opens room for the files of one publish. Needs no lock; any number can be open at once.
    ///
    /// # Errors
    /// When it cannot be made.
    fn stage(&self) -> io::Result<Self::Staging>;

    /// Removes what writers that died have left in staging, and nothing of those that live. Returns how many such
    /// publishes there were.
    ///
    /// # Errors
    /// When something cannot be removed.
    fn sweep_staging(&self) -> io::Result<usize>;

    /// Moves a file to its final name, over whatever is there, before it is durable: for objects, which nothing names
    /// yet, and for lock markers.
    ///
    /// # Errors
    /// When it cannot be moved, or it is not known whether it was: it is then not in staging any more, and the caller, who
    /// knows whether the name was free, removes it from there.
    fn place(&self, file: Pending<Self::File>, path: &FeedPath) -> io::Result<Placed<Self::File>>;

    /// Makes everything in the wave durable, in parallel. Success says so of all of it, failure of none.
    ///
    /// A file whose sync failed is never synced again: it is dropped, to be written anew.
    ///
    /// # Errors
    /// When the medium does not confirm one of them.
    fn sync(&self, wave: Wave<Self::File>) -> io::Result<Vec<Durable<Self::File>>>;

    /// Moves a durable file to its final name, over whatever is there, in one step (I2).
    ///
    /// # Errors
    /// When it cannot be moved. The caller must look which of the two files stands there (I4).
    fn replace(&self, file: Durable<Self::File>, path: &FeedPath) -> io::Result<()>;

    /// Keeps a file as it is now in the private directory, durably, for people to come back to. Says where; `None` when
    /// there is no such file. What was kept before stays.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn preserve(&self, path: &FeedPath) -> io::Result<Option<String>>;

    /// Removes a file; false when there was none.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, path: &FeedPath) -> io::Result<bool>;

    /// The two places of the mark, in the private directory; a place that is missing is empty.
    ///
    /// # Errors
    /// When one cannot be read.
    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]>;

    /// Writes into one of the two places of the mark, over what is there, before it is durable: of a place that is being
    /// written, a power cut may leave anything, and of the other one everything. All that is written there has the same
    /// length. The caller has the writer's lock.
    ///
    /// # Errors
    /// When it cannot be written; the place may then have a part of it.
    fn write_mark(&self, place: usize, bytes: &[u8]) -> io::Result<Placed<Self::File>>;

    /// Adds a line to the operation log, and before it, when the log would become larger than `rotation` says, puts what
    /// is there aside. `line` has no line break.
    ///
    /// The line is whole whatever else is written at the same time, and also after a line that a crash has left torn. It
    /// is not synced: a power cut may take the last lines.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no feed yet; any other when the line cannot be written.
    fn append_to_log(&self, line: &str, rotation: Rotation) -> io::Result<()>;

    /// The files of the operation log, from the newest to the oldest. Those that are not there are left out.
    ///
    /// # Errors
    /// When one that is there cannot be read.
    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>>;
}

/// When the operation log is put aside, and how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The most bytes that a file of the log may have, unless it is a single line.
    pub max_bytes: u64,
    /// How many older files are kept.
    pub older: usize,
}

/// Room for the files of one publish.
pub trait Staging: Send + Sync {
    /// A file in it.
    type File: StagedFile;

    /// A new empty file.
    ///
    /// # Errors
    /// When it cannot be made.
    fn create(&self, kind: Kind) -> io::Result<Self::File>;

    /// The published file at `path` itself, to be given a further name: nothing is copied. `None` when there is none or
    /// the file system does not do that; then it has to be copied.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<Self::File>>>;
}

/// A file in staging: written once from start to end, then handed on as [`Pending`].
pub trait StagedFile: Write + Send + Sync + Sized + 'static {
    /// Ends writing. Any error that was put off, such as a full disk, comes up here at the latest.
    ///
    /// # Errors
    /// When the content is not wholly with the operating system.
    fn finish(self) -> io::Result<Pending<Self>>;

    /// Reads what has been written, from the start.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn reader(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// What a staged file will be: decides its mode, which is set before it gets its final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Read by web servers (mode 0644 by default).
    Published,
    /// A lock marker: read-only (mode 0444). The mode is part of the inode, so a marker whose bytes a power cut took can
    /// still be told from the empty lock file of another program.
    Marker,
}

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    /// Its size, in bytes.
    pub size: u64,
    /// When its content last changed, by the file system's clock.
    pub modified: Timestamp,
    /// The kind that its mode says.
    pub kind: Kind,
}

/// A file that has been written whole and is not known to be durable.
#[derive(Debug)]
pub struct Pending<F>(F);

/// A file under its final name that is not known to be durable.
#[derive(Debug)]
pub struct Placed<F>(F);

/// A file that is durable and waits for its final name.
#[derive(Debug)]
pub struct Durable<F>(F);

impl<F: StagedFile> Pending<F> {
    /// Reads the file from the start.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        self.0.reader()
    }
}

/// Things that are made durable together.
#[derive(Debug)]
pub struct Wave<F> {
    /// Files in staging; they come back as [`Durable`], in the same order.
    pub pending: Vec<Pending<F>>,
    /// Files under their final names.
    pub placed: Vec<Placed<F>>,
    /// Directories whose entries have changed.
    pub dirs: Vec<Dir>,
}

impl<F> Wave<F> {
    /// Files in staging alone.
    #[must_use]
    pub fn of_files(pending: Vec<Pending<F>>) -> Self {
        Self { pending, placed: Vec::new(), dirs: Vec::new() }
    }

    /// The entries of directories alone.
    #[must_use]
    pub fn of_entries(dirs: Vec<Dir>) -> Self {
        Self { pending: Vec::new(), placed: Vec::new(), dirs }
    }
}

/// Whether this error of [`Storage::read`] says that what stands there is no file of a feed: it is too large, or a link, a
/// pipe, a directory.
pub(crate) fn is_something_else(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData)
}

/// A time of the system's clock as the protocol counts it.
fn timestamp(time: SystemTime) -> Timestamp {
    let ms = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_ms(time.duration_since(UNIX_EPOCH).map_or_else(|before| -ms(before.duration()), ms))
}
