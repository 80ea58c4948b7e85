//! Files: what is in them, their modes and locks.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Attributes, Content, Lock, Machine, Model, Node, NodeId, Question, is_readonly, look};

impl Machine {
    pub(crate) fn attributes(&mut self, id: NodeId) -> Attributes {
        if self.is_dir(id) {
            return Attributes { size: 0, readonly: false, modified: 0 };
        }
        let size = self.size(id) as u64;
        let (model, session) = (self.model, self.session);
        let Node::File(file) = &mut self.nodes[id.0] else { unreachable!("it is no directory") };
        let modes = file.mode.values();
        let readonly = if modes.iter().all(|mode| is_readonly(*mode) == is_readonly(modes[0])) {
            is_readonly(modes[0])
        } else {
            let question = || Question::Mode(id);
            is_readonly(look(&mut file.mode, model, session, &mut self.fates, &mut self.oracle, question))
        };
        Attributes { size, readonly, modified: file.modified }
    }

    /// Every mode that the file may have.
    pub(crate) fn modes(&self, id: NodeId) -> Vec<u32> {
        let history = &self.file(id).mode;
        match history.last() {
            Some((change, mode)) if change.session == self.session => vec![*mode],
            _ => history.values(),
        }
    }

    pub(crate) fn set_mode(&mut self, id: NodeId, mode: u32) {
        let change = self.next_change();
        self.file_mut(id).mode.change(change, mode);
    }

    fn size(&mut self, id: NodeId) -> usize {
        let candidates = self.file(id).content.candidates();
        let mut sizes: Vec<usize> = candidates.iter().map(|bytes| bytes.len()).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let size = sizes[self.oracle.ask(Question::Size(id), sizes.len())];
        self.settle_content(id, candidates.into_iter().filter(|bytes| bytes.len() == size).collect());
        size
    }

    pub(crate) fn bytes(&mut self, id: NodeId) -> Arc<Vec<u8>> {
        self.size(id);
        let mut candidates = self.file(id).content.candidates();
        let bytes = candidates.swap_remove(self.oracle.ask(Question::Content(id), candidates.len()));
        self.settle_content(id, vec![Arc::clone(&bytes)]);
        bytes
    }

    fn settle_content(&mut self, id: NodeId, mut candidates: Vec<Arc<Vec<u8>>>) {
        let content = match candidates.len() {
            1 => Content::Known(candidates.remove(0)),
            _ => Content::OneOf(candidates),
        };
        let file = self.file_mut(id);
        if !file.dirty {
            file.durable = content.clone();
        }
        file.content = content;
    }

    pub(crate) fn write(&mut self, id: NodeId, offset: usize, bytes: &[u8]) {
        let mut content = self.bytes(id).to_vec();
        content.resize(content.len().max(offset + bytes.len()), 0);
        content[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.set_content(id, content);
    }

    pub(crate) fn set_content(&mut self, id: NodeId, bytes: Vec<u8>) {
        let now = self.now();
        let file = self.file_mut(id);
        file.sizes.push(bytes.len());
        file.content = Content::Known(Arc::new(bytes));
        file.dirty = true;
        file.modified = now;
        self.failed.remove(&id);
    }

    /// Makes content, size and mode durable; where the journal is one, all names with it.
    pub(crate) fn sync_file(&mut self, id: NodeId) {
        self.expect_no_retry(id);
        let session = self.session;
        if self.model == Model::Ordered {
            self.commit_journal();
        }
        let file = self.file_mut(id);
        if file.unconfirmed {
            return;
        }
        file.synced();
        file.mode.keep(|change| change.session == session);
    }

    /// The medium does not confirm what was written. Programs see it, and the system holds it for clean, so that it is not
    /// written again: any part of it may be lost.
    pub(crate) fn fail_to_sync_file(&mut self, id: NodeId) {
        self.expect_no_retry(id);
        let file = self.file_mut(id);
        if file.dirty {
            file.unconfirmed = true;
            self.failed.insert(id);
        }
    }

    /// Takes a lock; false when another has it.
    pub(crate) fn lock(&mut self, id: NodeId, handle: u64, shared: bool) -> bool {
        let lock = self.locks.entry(id).or_default();
        match lock {
            Lock::Exclusive(holder) if *holder != handle => return false,
            Lock::Shared(holders) if shared => {
                holders.insert(handle);
                return true;
            }
            Lock::Shared(holders) if holders.iter().any(|holder| *holder != handle) => return false,
            _ => {}
        }
        *lock = if shared { Lock::Shared(HashSet::from([handle])) } else { Lock::Exclusive(handle) };
        true
    }

    pub(crate) fn unlock(&mut self, id: NodeId, handle: u64) {
        if let Some(lock) = self.locks.get_mut(&id) {
            match lock {
                Lock::Exclusive(holder) if *holder == handle => *lock = Lock::Free,
                Lock::Shared(holders) => {
                    holders.remove(&handle);
                    if holders.is_empty() {
                        *lock = Lock::Free;
                    }
                }
                Lock::Free | Lock::Exclusive(_) => {}
            }
        }
    }

    /// Whether nobody has any lock.
    pub(crate) fn nothing_is_locked(&self) -> bool {
        self.locks.values().all(|lock| matches!(lock, Lock::Free))
    }
}
