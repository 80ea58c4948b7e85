//! Why a path does not lead to a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is in the way of a directory, and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoDirectory {
    /// Something else stands at the path.
    #[error("{} is a file, not a directory; correct the path", path.display())]
    File {
        /// The path.
        path: PathBuf,
    },
    /// Something else stands in the place of a directory above.
    #[error("{} is not there, as {}, on the way to it, is a file, not a directory; correct the path", path.display(), file.display())]
    FileAbove {
        /// The path.
        path: PathBuf,
        /// The file on the way.
        file: PathBuf,
    },
    /// A symbolic link, the path itself or one on the way, leads to nothing.
    #[error(
        "{} is a symbolic link to {}, which is not there; make that directory (mkdir -p {1}), or correct the link",
        link.display(),
        target.display()
    )]
    Dangling {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A symbolic link, the path itself or one on the way, cannot be followed.
    #[error("{} is a symbolic link to {} that cannot be followed: {cause}; correct the link", link.display(), target.display())]
    Link {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// Why it cannot.
        // Not called "source": it is part of the message already.
        cause: io::Error,
    },
    /// A directory on the way may not be passed by this user.
    #[error(
        "{} cannot be reached: this user may not search {}; run this as a user who may (sudo -u USER lastgood …), or \
         let this one pass there",
        path.display(),
        closed.display()
    )]
    Closed {
        /// The path.
        path: PathBuf,
        /// The directory on the way.
        closed: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be looked at: {cause}", path.display())]
    Other {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        // Not called "source": it is part of the message already.
        cause: io::Error,
    },
}

/// Whether a directory stands at `path`; false when there is nothing.
///
/// # Errors
/// When something else is there, or something is in the way.
pub fn is_directory(path: &Path) -> Result<bool, NoDirectory> {
    if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        return Ok(true);
    }
    // From the root down: the first that is no directory is what is in the way.
    let mut way: Vec<&Path> = path.ancestors().filter(|above| !above.as_os_str().is_empty()).collect();
    way.reverse();
    for at in way {
        match fs::metadata(at) {
            Ok(found) if found.is_dir() => {}
            Ok(_) if at == path => return Err(NoDirectory::File { path: path.to_owned() }),
            Ok(_) => return Err(NoDirectory::FileAbove { path: path.to_owned(), file: at.to_owned() }),
            Err(cause) => return in_the_way(path, at, cause),
        }
    }
    Ok(true)
}

/// `at`, the path or a directory above it, cannot be looked at. Everything above `at` is a directory.
fn in_the_way(path: &Path, at: &Path, cause: io::Error) -> Result<bool, NoDirectory> {
    if let Ok(target) = fs::read_link(at) {
        let (link, target) = (at.to_owned(), at.parent().unwrap_or(at).join(target));
        return Err(match cause.kind() {
            io::ErrorKind::NotFound => NoDirectory::Dangling { link, target },
            _ => NoDirectory::Link { link, target, cause },
        });
    }
    match cause.kind() {
        io::ErrorKind::NotFound => Ok(false),
        io::ErrorKind::PermissionDenied => {
            let closed = at.parent().unwrap_or(at).to_owned();
            Err(NoDirectory::Closed { path: path.to_owned(), closed })
        }
        _ => Err(NoDirectory::Other { path: path.to_owned(), cause }),
    }
}
