//! What is at a path: a feed, something else, nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::{Entry, MAX_MANIFEST_BYTES, Manifest};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{Modes, NoDirectory, PosixStorage, Storage, is_directory};
use lastgood::{Error, Feed, Settings};

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
    /// Something else stands there, or something is in the way.
    NoDirectory(NoDirectory),
    /// The directory or its manifest cannot be looked at.
    Unreadable(io::Error),
    /// A directory without a feed, and the names in it.
    Plain(Vec<String>),
    Feed(Box<Published>),
    /// A feed whose manifest is damaged or lost: what is wrong.
    Damaged(String),
    /// No feed, and a name that one needs is another program's: which, and what has it.
    Taken {
        name: &'static str,
        found: String,
    },
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
            Content::NoDirectory(problem) => format!("cannot be used: {problem}"),
            Content::Unreadable(error) => format!("cannot be read: {error}"),
            Content::Plain(names) if names.is_empty() => "is empty".to_owned(),
            Content::Plain(names) => format!("holds {} other file(s) and no feed", names.len()),
            Content::Taken { name, found } => format!("holds no feed: its {name} {found}"),
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
    match is_directory(path) {
        Ok(false) => return Ok(Content::Missing),
        Err(problem) => return Ok(Content::NoDirectory(problem)),
        Ok(true) => {}
    }
    let storage = storage(path);
    let feed = Feed::on(storage.clone()).with_settings(Settings { create_beside_others: true, ..Settings::default() });
    match feed.manifest() {
        Ok(manifest) => {
            let bytes = storage.read(&layout::manifest(), MAX_MANIFEST_BYTES)?.unwrap_or_default();
            // Another one, if it has been published meanwhile.
            let manifest = Manifest::verify(&bytes).unwrap_or(manifest);
            Ok(Content::Feed(Box::new(Published { manifest, bytes })))
        }
        Err(Error::Damaged { problem, .. }) => Ok(Content::Damaged(problem)),
        Err(Error::Read(later)) => Ok(Content::Later(later.to_string())),
        Err(Error::NameTaken { name, found, .. }) => Ok(Content::Taken { name, found }),
        Err(Error::NoFeed { .. }) => match feed.check_new() {
            Err(Error::NameTaken { name, found, .. }) => Ok(Content::Taken { name, found }),
            _ => Ok(Content::Plain(storage.list(Dir::Root)?)),
        },
        Err(Error::Io { source, .. }) => Err(source),
        Err(other) => Err(io::Error::other(other.to_string())),
    }
}
