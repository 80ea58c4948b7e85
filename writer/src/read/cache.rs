//! The payloads that a reader keeps: as many as fit into its capacity, the least recently used first out.

use std::sync::Arc;

use lastgood_protocol::cache::CacheHead;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::Payload;
use lru::LruCache;

/// A verified payload and what is known of it. Its bytes cannot change, so their digest stays true.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) head: CacheHead,
    pub(super) bytes: Arc<[u8]>,
}

impl Cached {
    pub(super) fn payload(&self) -> Payload<Arc<[u8]>> {
        Payload { sha256: self.head.sha256, size: self.head.size, value: Ok(Arc::clone(&self.bytes)) }
    }
}

/// The payloads by dataset, in the order of their last use.
pub(super) struct Cache {
    entries: LruCache<DatasetName, Cached>,
    bytes: u64,
    capacity: u64,
}

impl Cache {
    pub(super) fn new(capacity: u64) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, capacity }
    }

    /// The size of all payloads together, never more than the capacity.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Looks without using it.
    pub(super) fn peek(&self, dataset: &DatasetName) -> Option<&Cached> {
        self.entries.peek(dataset)
    }

    /// Takes note of what is now known of a payload, and of its use.
    pub(super) fn touch(&mut self, dataset: &DatasetName, head: &CacheHead) {
        if let Some(entry) = self.entries.get_mut(dataset)
            && entry.head.sha256 == head.sha256
        {
            entry.head = head.clone();
        }
    }

    /// What is known of each payload, to be brought up to date. This is no use of them.
    pub(super) fn heads_mut(&mut self) -> impl Iterator<Item = (&DatasetName, &mut CacheHead)> {
        self.entries.iter_mut().map(|(dataset, entry)| (dataset, &mut entry.head))
    }

    /// Drops the payloads that are not `wanted`.
    pub(super) fn retain(&mut self, wanted: impl Fn(&CacheHead) -> bool) {
        let unwanted = self.entries.iter().filter(|(_, entry)| !wanted(&entry.head));
        for dataset in unwanted.map(|(dataset, _)| dataset.clone()).collect::<Vec<_>>() {
            if let Some(former) = self.entries.pop(&dataset) {
                self.bytes -= former.head.size;
            }
        }
    }

    /// Keeps a payload instead of the dataset's former one. One that is larger than the capacity is not kept, and the
    /// former one goes all the same: falling back to it later would go back behind what has been handed out.
    pub(super) fn put(&mut self, dataset: &DatasetName, entry: Cached) {
        if let Some(former) = self.entries.pop(dataset) {
            self.bytes -= former.head.size;
        }
        let size = entry.head.size;
        if size > self.capacity {
            return;
        }
        while self.bytes + size > self.capacity {
            let (_, oldest) = self.entries.pop_lru().expect("what takes up room is in it");
            self.bytes -= oldest.head.size;
        }
        self.bytes += size;
        self.entries.put(dataset.clone(), entry);
    }
}
