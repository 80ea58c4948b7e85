//! A publish without its commit.

use lastgood_protocol::id::CommitId;
use lastgood_protocol::manifest::Generation;

use crate::clocks;
use crate::compress::Compression;
use crate::error::Error;
use crate::feed::{Feed, Settings};
use crate::prepare::Item;
use crate::publish::{Identity, PublishedDataset, encode, next_manifest};
use crate::storage::{Modes, PosixStorage, Rehearsal, Storage};

/// What a publish would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Whether it would make the feed.
    pub created: bool,
    /// The number that its commit would have.
    pub generation: Generation,
    /// What would be published, in the order in which it was given.
    pub datasets: Vec<PublishedDataset>,
    /// What is not as it should be, each with the reason.
    pub warnings: Vec<String>,
}

impl Feed<PosixStorage> {
    /// Whether this user has the rights that a publish takes, as far as that can be told without trying.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn check_access(&self) -> Result<(), Error> {
        self.storage.check_access().map_err(Error::io(format!("publish in {}", self.location())))
    }
}

impl<S: Storage> Feed<S> {
    /// Does everything of a publish but its commit: reads the inputs, converts them, holds them to the payload rules, to their
    /// schemas and to their guards. Changes nothing in the feed, takes no lock and waits for nobody. What has to be kept
    /// meanwhile is in the system's directory for temporary files.
    ///
    /// # Errors
    /// As for [`publish`](Self::publish), apart from what only a commit can meet: locks, permissions, a full disk.
    pub fn rehearse(&self, items: Vec<Item<'_>>) -> Result<Rehearsed, Error> {
        self.check_place(&items)?;
        let temporary = tempfile::tempdir().map_err(Error::io("make a temporary directory"))?;
        let scratch = PosixStorage::new(temporary.path(), Modes { file: 0o600, dir: 0o700 });
        scratch.create().map_err(Error::io("make a temporary directory"))?;
        let feed = self.on_storage(Rehearsal::new(&self.storage, scratch)).with_settings(Settings {
            // What readers do not look at by content is not made.
            compression: Compression { gzip: None, brotli: None, ..self.settings.compression },
            ..self.settings.clone()
        });
        let staging = feed.storage.stage().map_err(Error::io("open staging"))?;
        let prepared = feed.prepare(&staging, items)?;
        let current = feed.current()?;
        let commit = CommitId::from_random(self.random()?);
        let before = current.as_ref().map(|current| &*current.manifest);
        let known = feed.known(before)?;
        if let Some(before) = before {
            feed.refuse_old_copy(before, &known)?;
        }
        let next = next_manifest(&feed, before, &known, Identity::Kept, commit, &prepared)?;
        encode(&next)?;
        let datasets: Vec<PublishedDataset> =
            prepared.iter().map(|item| PublishedDataset::new(item, before, &next)).collect();
        let behind = before.and_then(|before| clocks::behind(before, next.published_at));
        let warnings = behind.into_iter().chain(datasets.iter().flat_map(PublishedDataset::warnings)).collect();
        Ok(Rehearsed { created: current.is_none(), generation: next.generation, datasets, warnings })
    }
}
