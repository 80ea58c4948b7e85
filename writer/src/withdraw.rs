//! Withdrawing: a generation without certain datasets. What it had is retained, until it is collected or purged.

use std::collections::HashSet;

use lastgood_protocol::name::DatasetName;

use crate::error::Error;
use crate::feed::Feed;
use crate::operations::Operation;
use crate::publish::{Identity, Publication};
use crate::storage::Storage;
use crate::taking::Taking;

/// A generation without certain datasets, which is published and survives power loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The commit, which publishes no dataset.
    pub publication: Publication,
    /// The datasets that the feed has no longer, in the order in which they were given.
    pub datasets: Vec<DatasetName>,
}

impl<S: Storage> Feed<S> {
    /// Takes datasets out of the feed, in one new generation (I5): all or none. Their plain copies and backups go. The manifest says
    /// that they were withdrawn; what they had stays retained, and a publish or a rollback under the name brings it back.
    ///
    /// # Errors
    /// [`Error::NotPublished`] for a dataset that the feed does not have, or has no longer. Otherwise as for
    /// [`publish`](Self::publish); nothing has changed, unless it is [`Error::Unknown`].
    pub fn remove(&self, datasets: &[DatasetName]) -> Result<Withdrawal, Error> {
        self.logged(Operation::Remove, datasets.to_vec(), || self.withdraw(datasets))
    }

    fn withdraw(&self, datasets: &[DatasetName]) -> Result<Withdrawal, Error> {
        let mut names = HashSet::new();
        if let Some(dataset) = datasets.iter().find(|dataset| !names.insert(*dataset)) {
            return Err(Error::Repeated { dataset: dataset.clone() });
        }
        // Before anything is made: under the lock it is looked at again.
        let current = self.manifest()?;
        if let Some(dataset) = datasets.iter().find(|dataset| !current.datasets.contains_key(dataset)) {
            return Err(Error::NotPublished { dataset: dataset.clone() });
        }
        self.complete()?;
        let staging_removed = self.sweep()?;
        let staging = self.storage.stage().map_err(Error::io("open staging"))?;
        let mut publication =
            self.commit_with(&staging, Vec::new(), Identity::Kept, &mut Taking::Datasets(datasets))?;
        publication.recovery.staging_removed += staging_removed;
        Ok(Withdrawal { publication, datasets: datasets.to_vec() })
    }
}
