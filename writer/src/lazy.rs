//! Staging that is opened when the first file is written.

use std::io;
use std::sync::OnceLock;

use lastgood_protocol::layout::FeedPath;

use crate::storage::{Kind, Pending, Staging, Storage};

/// Room in staging for operations that seldom need any: those that free room on a full disk must do without.
pub(crate) struct LazyStaging<'a, S: Storage> {
    storage: &'a S,
    opened: OnceLock<S::Staging>,
}

impl<'a, S: Storage> LazyStaging<'a, S> {
    pub(crate) fn new(storage: &'a S) -> Self {
        Self { storage, opened: OnceLock::new() }
    }

    fn opened(&self) -> io::Result<&S::Staging> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let staging = self.storage.stage()?;
        Ok(self.opened.get_or_init(|| staging))
    }
}

impl<S: Storage> Staging for LazyStaging<'_, S> {
    type File = S::File;

    fn create(&self, kind: Kind) -> io::Result<S::File> {
        self.opened()?.create(kind)
    }

    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<S::File>>> {
        self.opened()?.link(path)
    }
}
