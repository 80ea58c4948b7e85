//! Everything in a directory, to compare before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its content; `None` for a directory.
    pub content: Option<Vec<u8>>,
    /// Type and permissions.
    pub mode: u32,
    /// Which file it is.
    pub inode: u64,
    /// When it was last changed, in seconds and nanoseconds.
    pub modified: (i64, i64),
}

/// Everything below `dir`, with its paths relative to it. The times of the writer's private directories, which come and
/// go with every publish, are left out, and so is the operation log, which grows with every attempt.
///
/// # Panics
/// When something cannot be read.
#[must_use]
pub fn tree(dir: &Path) -> BTreeMap<String, FileState> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(dir).unwrap().display().to_string();
        if name.starts_with(".lastgood/operations.") {
            continue;
        }
        let private = metadata.is_dir() && name.starts_with(".lastgood");
        let content = (!metadata.is_dir()).then(|| fs::read(&path).unwrap());
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let modified = if private { (0, 0) } else { (metadata.mtime(), metadata.mtime_nsec()) };
        found.insert(name, FileState { content, mode: metadata.mode(), inode: metadata.ino(), modified });
    }
    found
}
