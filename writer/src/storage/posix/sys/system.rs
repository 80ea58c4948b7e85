//! What a POSIX storage asks of the operating system, one system call or a few that belong together at a time.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The calls that [`PosixStorage`](crate::storage::PosixStorage) makes of the operating system. [`Os`](super::Os) makes
/// them; a simulation answers them itself, to show what a call that fails or a power cut in between leaves.
///
/// Each call is done or fails, and says so truly; none is repeated here, but for the opening of a directory that is to be
/// synced. No symbolic link in the place of the last part of a path is followed, unless it is said.
pub trait System: Clone + Debug + Send + Sync + 'static {
    /// An open file.
    type File: Handle;

    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened or made.
    fn open(&self, path: &Path, how: Open) -> io::Result<Self::File>;

    /// Looks at what stands at a path.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is nothing; any other when it cannot be looked at.
    fn look(&self, path: &Path) -> io::Result<Found>;

    /// Whether a directory stands at a path. Follows links.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn is_dir(&self, path: &Path) -> io::Result<bool>;

    /// The path without links in it.
    ///
    /// # Errors
    /// When there is nothing at it.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// Makes a directory, with this mode or a narrower one.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`]; any other when it cannot be made.
    fn make_dir(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Sets the permissions of a directory. One that hands its group down (setgid) goes on to do so.
    ///
    /// # Errors
    /// When they cannot be set.
    fn set_dir_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Gives the directory `to` the group of the directory `from`, to be handed down further, if `from` hands its group
    /// down. Where directories have no groups there is nothing to be done.
    ///
    /// # Errors
    /// When it cannot be given: this takes an owner of `to` who is in that group, or root.
    fn hand_down_group(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Gives what was just made at `to` the owner and the group of `from`, as far as this user may, and of a directory its
    /// mode or of a file the mode that it has in such a directory. Where there are none there is nothing to be done.
    ///
    /// # Errors
    /// When one of them cannot be looked at, or the mode cannot be set.
    fn resemble(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Whether a directory is shared by its group, whose members may write to it and to whom belongs what is made in it
    /// (setgid). One that cannot be looked at is not.
    fn is_shared(&self, _dir: &Path) -> bool {
        false
    }

    /// Makes the entries of a directory durable, as far as the platform can. Opening is tried again, syncing never is.
    ///
    /// # Errors
    /// When the medium does not confirm it.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file a further name.
    ///
    /// # Errors
    /// When it cannot be given.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames, over whatever is there.
    ///
    /// # Errors
    /// When it cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with everything in it, one by one.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// 128 random bits.
    ///
    /// # Errors
    /// When there are none to be had.
    fn random(&self) -> io::Result<[u8; 16]>;

    /// How many syncs may be in flight at once. The file system joins them into few commits of its journal.
    fn syncs_at_once(&self) -> usize {
        8
    }
}

/// An open file of a [`System`].
pub trait Handle: Read + Write + Seek + Debug + Send + Sync + Sized + 'static {
    /// Whether it is a regular file.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn is_regular(&self) -> io::Result<bool>;

    /// Whether it has one name only.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn has_one_name(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Sets the mode by the handle, so that no one sees the file under its final name without it.
    ///
    /// # Errors
    /// When it cannot be set.
    fn set_mode(&self, mode: u32) -> io::Result<()>;

    /// Makes content, size and mode durable; not the name.
    ///
    /// # Errors
    /// When the medium does not confirm it. Then no later sync says anything about this file.
    fn sync(&self) -> io::Result<()>;

    /// Asks the system to begin writing a part of the file to the medium, without waiting for it.
    fn begin_writeback(&self, offset: u64, len: u64);

    /// Takes the lock on the file; false when another handle has it.
    ///
    /// # Errors
    /// When the lock cannot be asked for.
    fn try_lock(&self) -> io::Result<bool>;

    /// Takes a share of the lock on the file; false when another handle has it for itself.
    ///
    /// # Errors
    /// When the lock cannot be asked for.
    fn try_lock_shared(&self) -> io::Result<bool>;

    /// Gives the lock back. Dropping the last copy of the handle does so too.
    ///
    /// # Errors
    /// When it cannot be given back.
    fn unlock(&self) -> io::Result<()>;
}

/// How a file is opened. What is made is for its owner alone (mode 0600), and for the group in a directory that is
/// [shared](System::is_shared) (0660), unless another mode is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Open {
    /// For reading, without waiting for the other end of a pipe.
    Read,
    /// For reading and writing, such as a file to be locked.
    ReadWrite {
        /// Whether it is made when it is not there.
        create: bool,
    },
    /// For writing; it must not be there.
    New {
        /// The mode that it has from the beginning, or a narrower one.
        mode: u32,
    },
    /// For reading, and for writing at its end; made when it is not there.
    Append,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether it is a symbolic link.
    pub link: bool,
    /// Its size, in bytes.
    pub size: u64,
    /// When its content last changed.
    pub modified: SystemTime,
    /// Whether its mode lets nobody write to it.
    pub readonly: bool,
}
