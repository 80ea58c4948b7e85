//! Rolling back: old payloads are published again under a new generation (I5).
//!
//! The old objects are copied into staging like any input, without the lock, and committed like any publish. So nothing
//! is believed of a file that has lain there (I6), and garbage collection may come in between.

use std::collections::HashSet;

use lastgood_protocol::layout::{self, FeedPath};
use lastgood_protocol::manifest::{Entry, Generation, Manifest, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;

use crate::convert::Remarks;
use crate::derived;
use crate::error::Error;
use crate::feed::{Feed, RollbackExpiry};
use crate::objects::{self, CHUNK_BYTES};
use crate::operations::Operation;
use crate::output::Output;
use crate::prepare::{self, Condition, Expiry, Prepared, PreparedSchema};
use crate::publish::{Identity, Publication, PublishedDataset};
use crate::recover;
use crate::retained;
use crate::storage::Storage;

/// A rollback that is published and survives power loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The commit.
    pub publication: Publication,
    /// What each dataset was rolled back to, in the order in which they were given.
    pub restored: Vec<Restored>,
}

/// What one dataset was rolled back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its name.
    pub dataset: DatasetName,
    /// The generation whose payload it has again.
    pub generation: Generation,
    /// When that payload had been published.
    pub published_at: Timestamp,
}

/// Why a dataset cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRollback {
    /// The feed has no such dataset.
    #[error("the feed has no such dataset; it has: {known}")]
    NotPublished {
        /// The datasets that it has.
        known: String,
    },
    /// The history does not have the generation.
    #[error("generation {generation} is not retained; retained are: {retained}")]
    NotRetained {
        /// The generation.
        generation: Generation,
        /// The generations that are, in words.
        retained: String,
    },
    /// The generation had no such dataset.
    #[error("generation {generation} did not have it yet; `lastgood history {dataset}` lists those that had")]
    NotInGeneration {
        /// The dataset.
        dataset: DatasetName,
        /// The generation.
        generation: Generation,
    },
    /// The dataset has had no other payload.
    #[error("there is no payload before the current one, which came with generation {generation}")]
    NothingBefore {
        /// The generation of the current payload.
        generation: Generation,
    },
    /// The dataset was withdrawn.
    #[error(
        "it was withdrawn at {at}; {}",
        last.map_or_else(
            || "no payload of it is retained".to_owned(),
            |last| format!("`lastgood rollback {dataset} --to {last}` publishes again what it had last")
        )
    )]
    Withdrawn {
        /// The dataset.
        dataset: DatasetName,
        /// When.
        at: Timestamp,
        /// The last generation that had it, if it is retained.
        last: Option<Generation>,
    },
    /// The payload, or its schema, was purged.
    #[error(
        "what it had in generation {generation} was purged at {at} and cannot come back; `lastgood history {dataset}` lists what \
         else it had, for --to"
    )]
    Purged {
        /// The dataset.
        dataset: DatasetName,
        /// The generation.
        generation: Generation,
        /// When.
        at: Timestamp,
    },
    /// The payload is the current one.
    #[error("its payload of generation {generation} is the current one; there is nothing to roll back")]
    AlreadyCurrent {
        /// The generation that was asked for.
        generation: Generation,
    },
    /// The old manifest, payload or schema is missing or damaged.
    #[error(
        "{path}, which generation {generation} needs, is missing or damaged; `lastgood verify --repair` puts it back if \
         there is a copy, and says which generations are intact"
    )]
    Damaged {
        /// The file.
        path: FeedPath,
        /// The generation.
        generation: Generation,
    },
}

impl NoRollback {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            NoRollback::NotPublished { .. } => "not-found",
            NoRollback::NotRetained { .. } => "not-retained",
            NoRollback::NotInGeneration { .. } => "not-in-generation",
            NoRollback::NothingBefore { .. } => "nothing-before",
            NoRollback::Withdrawn { .. } => "withdrawn",
            NoRollback::Purged { .. } => "purged",
            NoRollback::AlreadyCurrent { .. } => "already-current",
            NoRollback::Damaged { .. } => "damaged",
        }
    }
}

impl<S: Storage> Feed<S> {
    /// Publishes the payloads that `datasets` had in generation `to`, or else before their current ones, in one new
    /// generation (I5): all or none. Extension, schema and meta are those that they had; whether there are plain copies
    /// is as it is now, unless the settings say that there are to be none.
    ///
    /// # Errors
    /// [`Error::NoRollback`] says for which dataset there is nothing to go back to. [`Error::Conflict`] when someone has
    /// published one of them meanwhile. Otherwise as for [`publish`](Self::publish); nothing has changed, unless it is
    /// [`Error::Unknown`].
    pub fn rollback(&self, datasets: &[DatasetName], to: Option<Generation>) -> Result<Rollback, Error> {
        self.logged(Operation::Rollback, datasets.to_vec(), || self.go_back(datasets, to))
    }

    fn go_back(&self, datasets: &[DatasetName], to: Option<Generation>) -> Result<Rollback, Error> {
        let mut names = HashSet::new();
        if let Some(dataset) = datasets.iter().find(|dataset| !names.insert(*dataset)) {
            return Err(Error::Repeated { dataset: dataset.clone() });
        }
        let current = self.manifest()?;
        self.complete()?;
        let targets =
            datasets.iter().map(|dataset| self.target(&current, dataset, to)).collect::<Result<Vec<_>, _>>()?;
        if let Some(target) = targets.first()
            && targets.iter().all(Target::is_current)
        {
            return Err(target.refused(NoRollback::AlreadyCurrent { generation: target.generation }));
        }
        let staging_removed = self.sweep()?;
        let staging = self.storage.stage().map_err(Error::io("open staging"))?;
        let prepared = targets.iter().map(|target| target.prepare(self, &staging)).collect::<Result<Vec<_>, _>>()?;
        let mut publication = self.commit(&staging, prepared, Identity::Kept)?;
        publication.recovery.staging_removed += staging_removed;
        let over: Vec<String> = publication.datasets.iter().filter_map(|dataset| over(dataset, &publication)).collect();
        publication.warnings.extend(over);
        let restored = targets.into_iter().map(|target| Restored {
            dataset: target.dataset.clone(),
            generation: target.generation,
            published_at: target.entry.published_at,
        });
        Ok(Rollback { publication, restored: restored.collect() })
    }

    /// The last retained generation that has a dataset, with a payload that was not purged.
    fn last_with(&self, current: &Manifest, dataset: &DatasetName) -> Result<Option<Generation>, Error> {
        let retained = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
        for generation in retained.into_iter().rev() {
            // One that is damaged, or was collected meanwhile, is none to go back to.
            let manifest = retained::load(&self.storage, generation).ok().flatten();
            let entry = manifest.and_then(|mut manifest| manifest.datasets.remove_entry(dataset));
            let is_there = |entry: &Entry| entry.objects().all(|(sha256, _)| current.purged.get(&sha256).is_none());
            if entry.is_some_and(|(_, entry)| is_there(&entry)) {
                return Ok(Some(generation));
            }
        }
        Ok(None)
    }

    /// Finds what a dataset is to be rolled back to.
    fn target<'a>(
        &self,
        current: &'a Manifest,
        dataset: &'a DatasetName,
        to: Option<Generation>,
    ) -> Result<Target<'a>, Error> {
        let refused = |reason| Error::NoRollback { dataset: dataset.clone(), reason };
        let replaces = current.datasets.get(dataset);
        let (before, nothing_before) = match (replaces, current.withdrawn.get(dataset)) {
            (Some(entry), _) => (entry.previous, NoRollback::NothingBefore { generation: entry.generation }),
            // What was withdrawn can be published again, if it is said which payload.
            (None, Some(at)) => {
                let last = if to.is_none() { self.last_with(current, dataset)? } else { None };
                (None, NoRollback::Withdrawn { dataset: dataset.clone(), at, last })
            }
            (None, None) => {
                let known: Vec<&str> = current.datasets.keys().map(DatasetName::as_str).collect();
                return Err(refused(NoRollback::NotPublished { known: known.join(", ") }));
            }
        };
        let Some(generation) = to.or(before) else { return Err(refused(nothing_before)) };
        let manifest = match retained::load(&self.storage, generation) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => {
                let retained = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
                return Err(refused(NoRollback::NotRetained { generation, retained: retained::ranges(&retained) }));
            }
            Err(_) => return Err(refused(NoRollback::Damaged { path: layout::history(generation), generation })),
        };
        match manifest.datasets.get(dataset).cloned() {
            Some(entry) => {
                if let Some(at) = entry.objects().find_map(|(sha256, _)| current.purged.get(&sha256)) {
                    return Err(refused(NoRollback::Purged { dataset: dataset.clone(), generation, at }));
                }
                let expires_at = manifest.end_of(&entry);
                Ok(Target { dataset, generation, entry: Entry { expires_at, ..entry }, replaces })
            }
            None if to.is_none() => Err(refused(nothing_before)),
            None => Err(refused(NoRollback::NotInGeneration { dataset: dataset.clone(), generation })),
        }
    }
}

/// A warning when what was rolled back to was over before it was published again.
fn over(PublishedDataset { dataset, expires_at, .. }: &PublishedDataset, publication: &Publication) -> Option<String> {
    let end = expires_at.filter(|end| *end <= publication.published_at)?;
    Some(format!(
        "{dataset} is again what expired at {end}, and readers say so; `lastgood rollback {dataset} --to GENERATION --expires-in \
         TIME` gives it another end"
    ))
}

/// A dataset and what it is to be again.
struct Target<'a> {
    dataset: &'a DatasetName,
    generation: Generation,
    /// Its end is that which the generation gave it.
    entry: Entry,
    /// The entry that it has now, unless it was withdrawn.
    replaces: Option<&'a Entry>,
}

impl Target<'_> {
    fn is_current(&self) -> bool {
        self.replaces.is_some_and(|entry| (self.entry.sha256, &self.entry.ext) == (entry.sha256, &entry.ext))
    }

    fn refused(&self, reason: NoRollback) -> Error {
        Error::NoRollback { dataset: self.dataset.clone(), reason }
    }

    /// A file that the generation names is missing or damaged: that is no damage once it has been purged, which the manifest says
    /// before, or the generation has been collected, which goes before what it names.
    fn damaged<S: Storage>(&self, feed: &Feed<S>, path: FeedPath) -> Error {
        let generation = self.generation;
        let published = match feed.manifest() {
            Ok(published) => published,
            Err(error) => return error,
        };
        if let Some(at) = self.entry.objects().find_map(|(sha256, _)| published.purged.get(&sha256)) {
            return self.refused(NoRollback::Purged { dataset: self.dataset.clone(), generation, at });
        }
        match recover::retained_generations(&feed.storage) {
            Err(source) => Error::Io { doing: "list the history".to_owned(), source },
            Ok(retained) if !retained.contains(&generation) => {
                self.refused(NoRollback::NotRetained { generation, retained: retained::ranges(&retained) })
            }
            Ok(_) => self.refused(NoRollback::Damaged { path, generation }),
        }
    }

    /// Copies the old payload into staging, verified on the way.
    fn prepare<S: Storage>(&self, feed: &Feed<S>, staging: &S::Staging) -> Result<Prepared<S::File>, Error> {
        let Entry { sha256, size, ref ext, .. } = self.entry;
        let path = layout::object(&sha256, ext);
        let opened = feed.storage.open(&path).map_err(Error::io(format!("read {path}")))?;
        let mut file = opened.ok_or_else(|| self.damaged(feed, path.clone()))?;
        let staged = |source| prepare::cannot_stage(self.dataset, source);
        let mut output = Output::open(feed, staging).map_err(staged)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let size = prepare::read(feed, self.dataset, &mut file, &mut chunk).map_err(|error| match error {
                // The feed's own file, not something that was handed in.
                Error::Input { source, .. } => Error::Io { doing: format!("read {path}"), source },
                other => other,
            })?;
            if size == 0 {
                break;
            }
            output.write(&chunk[..size]);
            output.check().map_err(staged)?;
        }
        let staged = output.finish(feed, staging, self.dataset)?;
        if (&staged.sha256, staged.size) != derived::identity(&self.entry) {
            return Err(self.damaged(feed, path));
        }
        let schema = self.entry.schema.as_ref().map(|schema| self.schema(feed, staging, schema)).transpose()?;
        Ok(Prepared {
            dataset: self.dataset.clone(),
            ext: ext.clone(),
            sha256,
            size,
            nan_mapped: 0,
            rows: None,
            remarks: Remarks::default(),
            schema,
            meta: self.entry.meta.clone(),
            expiry: match feed.settings.rollback_expiry {
                RollbackExpiry::AsItWas => Expiry::At(self.entry.expires_at),
                RollbackExpiry::In(span) => Expiry::In(span),
            },
            condition: Condition::GoesBack(self.replaces.map(|entry| entry.sha256), self.generation),
            object: staged.object,
            siblings: staged.siblings,
            plain_copy: staged.plain_copy.filter(|_| self.replaces.is_none_or(|entry| entry.plain_copy)),
        })
    }

    fn schema<S: Storage>(
        &self,
        feed: &Feed<S>,
        staging: &S::Staging,
        reference: &SchemaRef,
    ) -> Result<PreparedSchema<S::File>, Error> {
        let path = layout::object(&reference.sha256, &Ext::json());
        let copy = objects::verified_copy(&feed.storage, staging, &path, (&reference.sha256, reference.size))
            .map_err(Error::io(format!("copy {path}")))?;
        let object = copy.ok_or_else(|| self.damaged(feed, path))?;
        Ok(PreparedSchema { reference: reference.clone(), converted_from: None, object })
    }
}
