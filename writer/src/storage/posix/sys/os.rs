//! The operating system itself.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::platform;
use super::system::{Found, Handle, Open, System};

/// The operating system that the process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Os;

impl System for Os {
    type File = File;

    fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        let mut options = match how {
            Open::Read => platform::read_options(path)?,
            Open::New { mode } => platform::options(path, mode)?,
            _ => platform::options(path, 0o600)?,
        };
        let options = match how {
            Open::Read => options.read(true),
            Open::ReadWrite { create } => options.read(true).write(true).create(create).truncate(false),
            Open::New { .. } => options.write(true).create_new(true),
            Open::Append => options.read(true).append(true).create(true),
        };
        let file = options.open(path)?;
        if matches!(how, Open::ReadWrite { .. } | Open::Append | Open::New { mode: 0o600 }) {
            platform::share_file(&file, path)?;
        }
        Ok(file)
    }

    fn look(&self, path: &Path) -> io::Result<Found> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Found {
            link: metadata.is_symlink(),
            size: metadata.len(),
            modified: metadata.modified()?,
            readonly: metadata.permissions().readonly(),
        })
    }

    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path)?.is_dir())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        platform::list(path)
    }

    fn make_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        platform::with_mode(&mut builder, mode);
        builder.create(path)
    }

    fn set_dir_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        platform::set_dir_mode(path, mode)
    }

    fn hand_down_group(&self, from: &Path, to: &Path) -> io::Result<()> {
        platform::hand_down_group(from, to)
    }

    fn resemble(&self, from: &Path, to: &Path) -> io::Result<()> {
        platform::resemble(from, to)
    }

    fn is_shared(&self, dir: &Path) -> bool {
        platform::is_shared(dir)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        platform::sync_dir(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        // Often it is empty, and then no descriptor is needed, of which there may be none left.
        fs::remove_dir(path).or_else(|_| platform::remove_dir_all(path))
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("cannot get random bytes: {error}")))?;
        Ok(bytes)
    }
}

impl Handle for File {
    fn is_regular(&self) -> io::Result<bool> {
        Ok(self.metadata()?.is_file())
    }

    fn has_one_name(&self) -> io::Result<bool> {
        platform::has_one_name(self)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        platform::set_mode(self, mode)
    }

    fn sync(&self) -> io::Result<()> {
        // Mode and size are to be durable as well as the content: sync_all, not sync_data.
        self.sync_all()
    }

    fn begin_writeback(&self, offset: u64, len: u64) {
        platform::begin_writeback(self, offset, len);
    }

    fn try_lock(&self) -> io::Result<bool> {
        taken(File::try_lock(self))
    }

    fn try_lock_shared(&self) -> io::Result<bool> {
        taken(File::try_lock_shared(self))
    }

    fn unlock(&self) -> io::Result<()> {
        File::unlock(self)
    }
}

fn taken(lock: Result<(), TryLockError>) -> io::Result<bool> {
    match lock {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
