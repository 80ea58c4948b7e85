//! What a commit takes back: datasets, or payloads that were published before.

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::{MAX_WITHDRAWN, Manifest};
use lastgood_protocol::name::DatasetName;

use crate::error::Error;
use crate::feed::Feed;
use crate::purge::{self, Removal};
use crate::storage::Storage;

/// What a commit takes back beside what it publishes.
pub(crate) enum Taking<'a> {
    /// Nothing, as most do.
    Nothing,
    /// These datasets.
    Datasets(&'a [DatasetName]),
    /// The payloads with these digests, which were meant as those of a dataset.
    Payloads {
        dataset: &'a [DatasetName],
        digests: &'a [Sha256],
        /// What has become of their files, once it was tried.
        removal: Option<Removal>,
    },
}

impl Taking<'_> {
    /// The datasets whose markers announce it.
    pub(crate) fn datasets(&self) -> &[DatasetName] {
        match self {
            Taking::Nothing => &[],
            Taking::Datasets(datasets) | Taking::Payloads { dataset: datasets, .. } => datasets,
        }
    }

    /// The datasets that go.
    pub(crate) fn withdrawn(&self) -> &[DatasetName] {
        match self {
            Taking::Datasets(datasets) => datasets,
            _ => &[],
        }
    }

    /// Notes it in the manifest that is to be committed. The caller holds the lock.
    pub(crate) fn note<S: Storage>(&self, feed: &Feed<S>, next: &mut Manifest) -> Result<(), Error> {
        match self {
            Taking::Nothing => Ok(()),
            Taking::Datasets(datasets) => {
                for dataset in *datasets {
                    if next.datasets.remove_entry(dataset).is_none() {
                        return Err(Error::NotPublished { dataset: dataset.clone() });
                    }
                    next.withdrawn.insert(dataset.clone(), next.published_at);
                }
                next.withdrawn.truncate(MAX_WITHDRAWN);
                Ok(())
            }
            Taking::Payloads { dataset, digests, .. } => purge::note(feed, next, &dataset[0], digests),
        }
    }

    /// Removes what the commit, which is durable, has taken back for good.
    pub(crate) fn carry_out<S: Storage>(&mut self, storage: &S, committed: &Manifest) {
        if let Taking::Payloads { removal, .. } = self {
            *removal = Some(purge::remove_files(storage, committed));
        }
    }
}
