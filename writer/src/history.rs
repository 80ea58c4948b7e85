//! What has been published, as far as it is retained.

use std::collections::HashMap;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::id::{CommitId, FeedId};
use lastgood_protocol::layout::{self, FeedPath};
use lastgood_protocol::manifest::{Entry, Generation, Manifest, Meta};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::time::Timestamp;

use crate::error::Error;
use crate::feed::Feed;
use crate::operations::{Outcome, Record};
use crate::recover;
use crate::retained;
use crate::storage::Storage;
use crate::verify::ProblemKind;

/// What has been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The commits, the newest first.
    pub commits: Vec<PastCommit>,
    /// The retained manifests that cannot be read, each with the reason: what they say is missing from the commits.
    pub damaged: Vec<(FeedPath, ProblemKind)>,
    /// Whether there are older ones, left out because of a limit.
    pub more: bool,
}

/// One retained commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCommit {
    /// The feed.
    pub feed: FeedId,
    /// The number of the commit.
    pub generation: Generation,
    /// The identity of the commit.
    pub commit: CommitId,
    /// The time of the commit.
    pub published_at: Timestamp,
    /// Until when readers were to take it for current, if a limit was given.
    pub expires_at: Option<Timestamp>,
    /// What was published, by name; empty when the feed was given a new identity, or something was taken back.
    pub datasets: Vec<PastDataset>,
    /// What was withdrawn, as far as the manifest still said it.
    pub withdrawn: Vec<DatasetName>,
    /// How many payloads were purged.
    pub purged: usize,
    /// What the operation log says about it.
    pub logged: Option<Logged>,
}

/// One dataset of a [`PastCommit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDataset {
    /// Its name.
    pub dataset: DatasetName,
    /// What the commit did to its payload.
    pub change: Change,
    /// The digest of its payload.
    pub sha256: Sha256,
    /// The size of its payload, in bytes.
    pub size: u64,
    /// The extension of its payload.
    pub ext: Ext,
    /// The publisher's own JSON about it.
    pub meta: Option<Meta>,
    /// The guards that the publisher overrode, separated by spaces.
    pub forced: Option<String>,
    /// From when on readers were not to take it for current, if a limit was given.
    pub expires_at: Option<Timestamp>,
    /// When the payload was purged, if it was.
    pub purged_at: Option<Timestamp>,
}

/// What a commit did to a dataset's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none before.
    New,
    /// It is another one, as far as is known for the first time.
    Changed,
    /// It is one that the dataset had before, last in this generation.
    BackTo(Generation),
    /// It was published again as it was.
    Unchanged,
}

/// What the operation log says about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Who made it.
    pub who: String,
    /// By which command.
    pub command: String,
    /// How many elements the payloads have that are arrays, by dataset.
    pub rows: HashMap<DatasetName, u64>,
}

impl<S: Storage> Feed<S> {
    /// What the retained manifests say, the newest commit first: all of it, or the commits that published `dataset`; at
    /// most `limit` of them. The manifests are read one at a time. What cannot be read is named and left out.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Damaged`] when the published manifest itself is, [`Error::Io`].
    pub fn history(&self, dataset: Option<&DatasetName>, limit: Option<usize>) -> Result<History, Error> {
        let published = self.manifest()?;
        let mut generations = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
        // Its copy may be missing after a crash.
        if let Err(at) = generations.binary_search(&published.generation) {
            generations.insert(at, published.generation);
        }
        let mut reader = Reader {
            dataset,
            published: &published,
            limit,
            history: History { commits: vec![], damaged: vec![], more: false },
            unseen: HashMap::new(),
        };
        let logged = self.logged_commits();
        let logged = |commit| logged.get(&commit).cloned();
        let mut newer: Option<Manifest> = None;
        for generation in generations.into_iter().rev() {
            let manifest = match generation == published.generation {
                true => Ok(Some(published.clone())),
                false => retained::load(&self.storage, generation),
            };
            match manifest {
                // Collected meanwhile.
                Ok(None) => {}
                Ok(Some(manifest)) => {
                    if let Some(newer) = newer.take() {
                        reader.take(&newer, Some(&manifest), logged);
                    }
                    if reader.is_done() {
                        return Ok(reader.history);
                    }
                    newer = Some(manifest);
                }
                Err(kind) => reader.history.damaged.push((layout::history(generation), kind)),
            }
        }
        if let Some(oldest) = newer {
            reader.take(&oldest, None, logged);
        }
        Ok(reader.history)
    }

    /// What the operation log says about commits. It is private to who publishes, so to others it says nothing.
    fn logged_commits(&self) -> HashMap<CommitId, Logged> {
        let records = self.operations().unwrap_or_default().into_iter();
        let done = records.filter(|record| record.outcome == Outcome::Done);
        done.filter_map(|record| Some((record.commit?, Logged::of(&record)))).collect()
    }
}

impl Logged {
    fn of(record: &Record) -> Self {
        let rows = record.datasets.iter().filter_map(|dataset| Some((dataset.dataset.clone(), dataset.rows?)));
        Self {
            who: format!("{}@{}", record.who.user, record.who.host),
            command: record.operation.as_str().to_owned(),
            rows: rows.collect(),
        }
    }
}

/// Takes manifests, the newest first.
struct Reader<'a> {
    dataset: Option<&'a DatasetName>,
    /// What is published now, which says what was purged since.
    published: &'a Manifest,
    limit: Option<usize>,
    history: History,
    /// Payloads that have not been met in an older generation by now: the places in the history that say `Changed`.
    unseen: HashMap<(DatasetName, Sha256, Ext), Vec<(usize, usize)>>,
}

impl Reader<'_> {
    /// Whether nothing older can add to it.
    fn is_done(&self) -> bool {
        self.history.more && self.unseen.is_empty()
    }

    /// Takes a manifest; `before` is the next older one that is retained.
    fn take(
        &mut self,
        manifest: &Manifest,
        before: Option<&Manifest>,
        logged: impl FnOnce(CommitId) -> Option<Logged>,
    ) {
        self.meet(manifest);
        let wanted = |dataset: &DatasetName| self.dataset.is_none_or(|only| only == dataset);
        let past = |(dataset, entry): (&DatasetName, &Entry)| {
            let change = change(manifest, before, dataset, entry)?;
            let Entry { sha256, size, ext, meta, forced, expires_at, .. } = entry.clone();
            let (dataset, purged_at) = (dataset.clone(), self.published.purged.get(&sha256));
            Some(PastDataset { dataset, change, sha256, size, ext, meta, forced, expires_at, purged_at })
        };
        let datasets: Vec<PastDataset> =
            manifest.datasets.iter().filter(|(dataset, _)| wanted(dataset)).filter_map(past).collect();
        let at_once = |at: Timestamp| at == manifest.published_at;
        let withdrawn = manifest.withdrawn.iter().filter(|(dataset, at)| at_once(*at) && wanted(dataset));
        let withdrawn: Vec<DatasetName> = withdrawn.map(|(dataset, _)| dataset.clone()).collect();
        let purged = manifest.purged.iter().filter(|(_, at)| at_once(*at)).count();
        if datasets.is_empty() && withdrawn.is_empty() && self.dataset.is_some() {
            return;
        }
        let place = self.history.commits.len();
        if self.limit.is_some_and(|limit| place >= limit) {
            self.history.more = true;
            return;
        }
        for (index, past) in datasets.iter().enumerate().filter(|(_, past)| past.change == Change::Changed) {
            let payload = (past.dataset.clone(), past.sha256, past.ext.clone());
            self.unseen.entry(payload).or_default().push((place, index));
        }
        let Manifest { feed, generation, commit, published_at, expires_at, .. } = *manifest;
        let logged = logged(commit);
        let commit =
            PastCommit { feed, generation, commit, published_at, expires_at, datasets, withdrawn, purged, logged };
        self.history.commits.push(commit);
    }

    /// A payload that a newer commit brought, met again in an older generation, was gone back to.
    fn meet(&mut self, manifest: &Manifest) {
        if self.unseen.is_empty() {
            return;
        }
        for (dataset, entry) in &manifest.datasets {
            let places = self.unseen.remove(&(dataset.clone(), entry.sha256, entry.ext.clone()));
            for (commit, index) in places.into_iter().flatten() {
                self.history.commits[commit].datasets[index].change = Change::BackTo(manifest.generation);
            }
        }
    }
}

/// What a commit did to a dataset; `None` when it did not publish it.
fn change(manifest: &Manifest, before: Option<&Manifest>, dataset: &DatasetName, entry: &Entry) -> Option<Change> {
    if entry.generation == manifest.generation {
        // Only the generation just before can tell that there was none.
        let previous = before.filter(|before| Some(before.generation) == manifest.previous);
        let new =
            manifest.previous.is_none() || previous.is_some_and(|previous| !previous.datasets.contains_key(dataset));
        return Some(if new { Change::New } else { Change::Changed });
    }
    // Published by this commit if it says so, and not already by the one before, at the same instant.
    let already = before.and_then(|before| before.datasets.get(dataset)).is_some_and(|old| old == entry);
    (entry.published_at == manifest.published_at && !already).then_some(Change::Unchanged)
}
