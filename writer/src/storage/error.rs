//! What an I/O error of a storage says.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the operating system, with what was being done to which path, and the way out where one is known.
///
/// It travels inside an [`io::Error`] of the same [`kind`](io::Error::kind). So a full disk is still
/// [`StorageFull`](io::ErrorKind::StorageFull) and an exhausted quota still
/// [`QuotaExceeded`](io::ErrorKind::QuotaExceeded); for the number itself there is [`raw_os_error`].
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}{advice}", path.display())]
pub struct PathError {
    action: &'static str,
    path: PathBuf,
    // Not called "source": it is part of the message already.
    cause: io::Error,
    advice: &'static str,
}

impl PathError {
    /// The path that the error is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error itself.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }
}

/// The operating system's number for an error, also for one that a storage has wrapped. ([`io::Error::raw_os_error`]
/// knows only bare ones.)
#[must_use]
pub fn raw_os_error(error: &io::Error) -> Option<i32> {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref::<PathError>());
    wrapped.map_or(error, PathError::cause).raw_os_error()
}

/// Says in an error what was being done. `action` completes "cannot … PATH".
pub(super) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> io::Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> io::Result<T> {
        self.map_err(|cause| with_advice(cause, action, path, ""))
    }
}

/// The way out of what can happen anywhere, where there is one.
fn general_advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull => {
            "; no bytes or no inodes are left there (df, df -i): make room, for example with `lastgood gc`"
        }
        io::ErrorKind::QuotaExceeded => "; raise the quota, or make room, for example with `lastgood gc`",
        io::ErrorKind::FileTooLarge => {
            "; the system or the shell that started this (ulimit -f) limits the size of files"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; mount it for writing (look at `dmesg` if it was)",
        _ => "",
    }
}

/// The same with a way out; `advice` continues the sentence and so begins with punctuation. Where it is empty, there may be a
/// general one.
pub(super) fn with_advice(cause: io::Error, action: &'static str, path: &Path, advice: &'static str) -> io::Error {
    let advice = if advice.is_empty() { general_advice(cause.kind()) } else { advice };
    io::Error::new(cause.kind(), PathError { action, path: path.to_owned(), cause, advice })
}
