//! What `--metrics FILE` names: a file of metrics, one that is to be made, or a stream. Nothing else is written to.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::exposition::Exposition;

/// The most that a file of metrics has: a larger one is something else.
const MAX_BYTES: u64 = 16 << 20;

/// Where metrics go.
pub(super) enum Target {
    /// A file, with links followed.
    File(PathBuf),
    /// A terminal, a pipe, a device: written to as it is, without what came before.
    Stream,
}

impl Target {
    /// Says what `file` is. `feed` is the directory of the feed.
    ///
    /// # Errors
    /// Why nothing is written there, and what to do.
    pub(super) fn of(file: &Path, feed: &Path) -> Result<Self, String> {
        let elsewhere = "it was left as it is; name another file";
        let found = match fs::metadata(file) {
            Ok(found) if found.is_dir() => {
                return Err(format!(
                    "it is a directory; name a file in it, such as {}",
                    file.join("lastgood.prom").display()
                ));
            }
            Ok(found) if !found.is_file() || is_stream(file) => return Ok(Self::Stream),
            Ok(_) => true,
            Err(_) if file.is_symlink() => {
                return Err("it is a symbolic link that leads to no file; correct the link".to_owned());
            }
            Err(_) => false,
        };
        let real = if found { fs::canonicalize(file) } else { in_real_directory(file) };
        let real = real.unwrap_or_else(|_| file.to_owned());
        if fs::canonicalize(feed).is_ok_and(|feed| real.starts_with(feed)) {
            return Err(format!(
                "it is in the feed directory, where every name is the feed's or is served to readers; {elsewhere}"
            ));
        }
        if found {
            let mut before = Vec::new();
            let read = File::open(&real).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut before));
            read.map_err(|error| format!("what is in it cannot be read: {error}; {elsewhere}"))?;
            recognise(&before)?;
        }
        Ok(Self::File(real))
    }
}

/// What an earlier run has written into a file: `None` when it is damaged and begins anew.
///
/// # Errors
/// When the file holds something else.
pub(super) fn recognise(before: &[u8]) -> Result<Option<Exposition>, String> {
    if let Some(exposition) = Exposition::parse(before) {
        return Ok(Some(exposition));
    }
    let ours =
        ["# HELP lastgood_", "# TYPE lastgood_", "lastgood_"].iter().any(|begin| before.starts_with(begin.as_bytes()));
    if ours && before.len() as u64 <= MAX_BYTES {
        return Ok(None);
    }
    Err("it holds something else than metrics of lastgood; it was left as it is; name another file, or remove it"
        .to_owned())
}

/// An open file of this process under the name that the system gives it.
fn is_stream(file: &Path) -> bool {
    let names = ["/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"];
    names.iter().any(|name| file.starts_with(name))
}

/// The path of a file that is not there, in the directory that it will be in.
fn in_real_directory(file: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(file)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => Ok(fs::canonicalize(parent)?.join(name)),
        _ => Ok(absolute),
    }
}
