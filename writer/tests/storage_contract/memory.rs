//! The storage in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lastgood::storage::{Kind, MemoryStorage, Storage};
use lastgood_protocol::layout;
use lastgood_protocol::time::Timestamp;

use crate::contract::{Fixture, contract_tests, publish, staged};

struct Memory(MemoryStorage);

impl Fixture for Memory {
    type Storage = MemoryStorage;

    fn new() -> Self {
        Self(MemoryStorage::new())
    }

    fn storage(&self) -> MemoryStorage {
        self.0.clone()
    }
}

contract_tests!(Memory);

#[test]
fn a_file_is_as_old_as_its_content() {
    let now = Arc::new(AtomicI64::new(5));
    let clock = Arc::clone(&now);
    let storage = MemoryStorage::with_clock(move || Timestamp::from_ms(clock.load(Ordering::Relaxed)));
    storage.create().unwrap();
    let staging = storage.stage().unwrap();
    let file = staged(&staging, b"content", Kind::Published);
    now.store(7, Ordering::Relaxed);
    storage.place(file, &layout::last_update()).unwrap();
    publish(&storage, &layout::manifest(), b"later");
    let modified = |path| storage.info(&path).unwrap().unwrap().modified.ms();
    assert_eq!((modified(layout::last_update()), modified(layout::manifest())), (5, 7));
}
