//! What is at a path: a feed, something else, nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::{Entry, MAX_MANIFEST_BYTES, Manifest, ManifestError};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{Modes, PosixStorage, Storage};

use super::words;

/// A directory that is, or could be taken for, the feed.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// Where it really is, with links followed; `None` when it is not there.
    pub(super) real: Option<PathBuf>,
    pub(super) content: Content,
}

/// What is in it.
#[derive(Debug)]
pub(super) enum Content {
    Missing,
    NotADirectory,
    /// The directory or its manifest cannot be looked at.
    Unreadable(io::Error),
    /// A directory without a feed, and the names in it.
    Plain(Vec<String>),
    Feed(Box<Published>),
    /// A feed whose manifest is damaged or lost: what is wrong.
    Damaged(String),
    /// A feed that a later version has written: what that means.
    Later(String),
}

/// What a feed publishes.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) manifest: Manifest,
    /// The manifest's exact bytes.
    pub(super) bytes: Vec<u8>,
}

impl Place {
    pub(super) fn look(path: &Path) -> Self {
        let content = content(path).unwrap_or_else(Content::Unreadable);
        Self { path: path.to_owned(), real: fs::canonicalize(path).ok(), content }
    }

    /// The storage, if there is a feed, intact or not.
    pub(super) fn storage(&self) -> Option<PosixStorage> {
        matches!(self.content, Content::Feed(_) | Content::Damaged(_) | Content::Later(_)).then(|| storage(&self.path))
    }

    /// What is published here, if it is an intact feed.
    pub(super) fn published(&self) -> Option<&Published> {
        match &self.content {
            Content::Feed(published) => Some(published),
            _ => None,
        }
    }

    /// In a few words, to follow the path.
    pub(super) fn describe(&self, now: Timestamp) -> String {
        match &self.content {
            Content::Missing => "is not there".to_owned(),
            Content::NotADirectory => "is not a directory".to_owned(),
            Content::Unreadable(error) => format!("cannot be read: {error}"),
            Content::Plain(names) if names.is_empty() => "is empty".to_owned(),
            Content::Plain(names) => format!("holds {} other file(s) and no feed", names.len()),
            Content::Feed(published) => published.describe(now),
            Content::Damaged(problem) | Content::Later(problem) => format!("has a feed that cannot be used: {problem}"),
        }
    }
}

impl Published {
    /// Feed, generation and age.
    pub(super) fn describe(&self, now: Timestamp) -> String {
        let Manifest { feed, generation, published_at, .. } = &self.manifest;
        let feed = feed.to_string();
        let age = words::age(now.ms_since(*published_at));
        format!("has feed {}…, generation {generation}, published {age} ago ({published_at})", &feed[..8])
    }
}

/// The plain copies that a manifest asks for: whose, what is in them, and where they are.
pub(super) fn plain_copies(manifest: &Manifest) -> impl Iterator<Item = (&DatasetName, &Entry, FeedPath)> {
    let copied = manifest.datasets.iter().filter(|(_, entry)| entry.plain_copy);
    copied.map(|(name, entry)| (name, entry, layout::plain_copy(name, &entry.ext)))
}

fn storage(path: &Path) -> PosixStorage {
    PosixStorage::new(path, Modes::default())
}

fn content(path: &Path) -> io::Result<Content> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Missing),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_dir() => return Ok(Content::NotADirectory),
        Ok(_) => {}
    }
    let storage = storage(path);
    let bytes = match storage.read(&layout::manifest(), MAX_MANIFEST_BYTES) {
        Err(error) if matches!(error.kind(), io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData) => {
            return Ok(Content::Damaged(error.to_string()));
        }
        bytes => bytes?,
    };
    let Some(bytes) = bytes else {
        let kept = storage.list(Dir::History)?.iter().filter_map(|name| layout::parse_history(name)).max();
        return Ok(match kept {
            Some(last) => {
                Content::Damaged(format!("manifest.json is missing, but the history goes up to generation {last}"))
            }
            None => Content::Plain(storage.list(Dir::Root)?),
        });
    };
    Ok(match Manifest::verify(&bytes) {
        Ok(manifest) => Content::Feed(Box::new(Published { manifest, bytes })),
        Err(later @ ManifestError::Format { .. }) => Content::Later(later.to_string()),
        Err(problem) => Content::Damaged(problem.to_string()),
    })
}
