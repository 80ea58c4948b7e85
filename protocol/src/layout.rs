//! Where everything is in a feed.
//!
//! A [`FeedPath`] can be made here only, from parsed types, so a path can neither leave the feed nor name a file that
//! the feed does not know.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use crate::digest::Sha256;
use crate::manifest::Generation;
use crate::name::{DatasetName, Ext};

/// The writer's private directory, never served.
pub const PRIVATE_DIR: &str = ".lastgood";
/// The directory of payloads and schemas.
pub const OBJECTS_DIR: &str = "objects";
/// The directory of retained manifests.
pub const HISTORY_DIR: &str = "history";

/// The path of a published file, relative to the feed, with `/` between its parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedPath(String);

impl FeedPath {
    /// The path as text: relative, `/`-separated, safe in a URL as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// The directory that holds the file.
    #[must_use]
    pub fn dir(&self) -> Dir {
        match self.0.split_once('/') {
            Some((OBJECTS_DIR, _)) => Dir::Objects,
            Some((HISTORY_DIR, _)) => Dir::History,
            _ => Dir::Root,
        }
    }
}

impl fmt::Display for FeedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A published directory of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dir {
    /// The feed itself.
    Root,
    /// `objects/`
    Objects,
    /// `history/`
    History,
}

impl Dir {
    /// The path relative to the feed; empty for the feed itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Dir::Root => "",
            Dir::Objects => OBJECTS_DIR,
            Dir::History => HISTORY_DIR,
        }
    }
}

/// `manifest.json`, the one commit point.
#[must_use]
pub fn manifest() -> FeedPath {
    FeedPath("manifest.json".to_owned())
}

/// `.lock`, the lock marker of the feed.
#[must_use]
pub fn lock() -> FeedPath {
    FeedPath(".lock".to_owned())
}

/// `.<dataset>_lock`, the lock marker under the name that older pages and scripts look for.
#[must_use]
pub fn dataset_lock(dataset: &DatasetName) -> FeedPath {
    FeedPath(format!(".{dataset}_lock"))
}

/// `<dataset>.<ext>`, the plain copy of the current payload.
#[must_use]
pub fn plain_copy(dataset: &DatasetName, ext: &Ext) -> FeedPath {
    FeedPath(format!("{dataset}.{ext}"))
}

/// `<dataset>.<ext>.gz` or `.br`, the plain copy compressed, beside it.
#[must_use]
pub fn copy_sibling(dataset: &DatasetName, ext: &Ext, encoding: Encoding) -> FeedPath {
    FeedPath(format!("{dataset}.{ext}.{}", encoding.suffix()))
}

/// `<dataset>_backup.<ext>`, the plain copy of the payload before the current one.
#[must_use]
pub fn backup(dataset: &DatasetName, ext: &Ext) -> FeedPath {
    FeedPath(format!("{dataset}_backup.{ext}"))
}

/// The dataset and the extension of a file name of the form `<dataset>.<ext>`.
#[must_use]
pub fn parse_plain_copy(file_name: &str) -> Option<(DatasetName, Ext)> {
    let (name, ext) = file_name.split_once('.')?;
    Some((DatasetName::parse(name).ok()?, Ext::parse(ext).ok()?))
}

/// The dataset, the extension and the encoding of a file name that is the compressed sibling of a plain copy.
#[must_use]
pub fn parse_copy_sibling(file_name: &str) -> Option<(DatasetName, Ext, Encoding)> {
    let (copy, encoding) = split_encoding(file_name)?;
    let (dataset, ext) = parse_plain_copy(copy)?;
    Some((dataset, ext, encoding))
}

/// The dataset and the extension of a file name of the form `<dataset>_backup.<ext>`.
#[must_use]
pub fn parse_backup(file_name: &str) -> Option<(DatasetName, Ext)> {
    let (stem, ext) = file_name.split_once('.')?;
    Some((DatasetName::parse(stem.strip_suffix("_backup")?).ok()?, Ext::parse(ext).ok()?))
}

/// `last_update.txt`, the time of the last commit.
#[must_use]
pub fn last_update() -> FeedPath {
    FeedPath("last_update.txt".to_owned())
}

/// `objects/<sha256>.<ext>`, an immutable payload or schema.
///
/// ```
/// use lastgood_protocol::{digest::Sha256, layout, name::Ext};
///
/// let path = layout::object(&Sha256::of(b"[]"), &Ext::json());
/// assert_eq!(path.as_str(), "objects/4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945.json");
/// ```
#[must_use]
pub fn object(sha256: &Sha256, ext: &Ext) -> FeedPath {
    FeedPath(format!("{OBJECTS_DIR}/{sha256}.{ext}"))
}

/// `objects/<sha256>.<ext>.gz` or `.br`, the object compressed, beside it.
#[must_use]
pub fn sibling(sha256: &Sha256, ext: &Ext, encoding: Encoding) -> FeedPath {
    FeedPath(format!("{OBJECTS_DIR}/{sha256}.{ext}.{}", encoding.suffix()))
}

/// `history/<generation>.json`, a retained manifest, byte for byte.
#[must_use]
pub fn history(generation: Generation) -> FeedPath {
    FeedPath(format!("{HISTORY_DIR}/{generation}.json"))
}

/// The generation whose manifest a file of `history/` holds, if its name is of that form.
#[must_use]
pub fn parse_history(file_name: &str) -> Option<Generation> {
    let number = file_name.strip_suffix(".json")?;
    let generation = number.parse().ok().and_then(|n| Generation::new(n).ok())?;
    // Refuses "+7" and "007", which would name another file.
    (generation.to_string() == number).then_some(generation)
}

/// The object that a file of `objects/` holds, if its name is of the form `<sha256>.<ext>`.
#[must_use]
pub fn parse_object(file_name: &str) -> Option<(Sha256, Ext)> {
    let (sha256, ext) = file_name.split_once('.')?;
    Some((sha256.parse().ok()?, Ext::parse(ext).ok()?))
}

/// The object and the encoding of a file of `objects/` that is a compressed sibling.
#[must_use]
pub fn parse_sibling(file_name: &str) -> Option<(Sha256, Ext, Encoding)> {
    let (object, encoding) = split_encoding(file_name)?;
    let (sha256, ext) = parse_object(object)?;
    Some((sha256, ext, encoding))
}

/// Takes the suffix of a compressed sibling off a file name.
fn split_encoding(file_name: &str) -> Option<(&str, Encoding)> {
    let (name, suffix) = file_name.rsplit_once('.')?;
    let encoding = Encoding::ALL.into_iter().find(|encoding| encoding.suffix() == suffix)?;
    Some((name, encoding))
}

/// The lock marker that a file name of the feed's directory is, if it is one: that of the feed or of a dataset.
#[must_use]
pub fn parse_marker(file_name: &str) -> Option<FeedPath> {
    let lock = lock();
    if file_name == lock.as_str() { Some(lock) } else { parse_dataset_lock(file_name).as_ref().map(dataset_lock) }
}

/// The dataset of a file name of the form `.<dataset>_lock`.
#[must_use]
pub fn parse_dataset_lock(file_name: &str) -> Option<DatasetName> {
    DatasetName::parse(file_name.strip_prefix('.')?.strip_suffix("_lock")?).ok()
}

/// A compressed form of an object or of a plain copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// gzip, RFC 1952
    Gzip,
    /// Brotli, RFC 7932
    Brotli,
}

impl Encoding {
    /// Both, in the order in which they are written.
    pub const ALL: [Encoding; 2] = [Encoding::Gzip, Encoding::Brotli];

    /// The file-name suffix without its dot: `gz`, `br`.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Encoding::Gzip => "gz",
            Encoding::Brotli => "br",
        }
    }
}
