//! What is known about a value and a subschema that can lead back to itself.

use alloc::vec;
use alloc::vec::Vec;

use crate::schema::keyword::Id;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Valid,
    /// Not yet reported.
    Invalid,
    Reported,
}

/// A hash table with open addressing: small code, since it is shipped to pages.
#[derive(Default)]
pub(super) struct Memo {
    /// The key and what is known; none is zero, which is an empty slot.
    slots: Vec<u64>,
    used: usize,
}

impl Memo {
    pub(super) fn clear(&mut self) {
        if self.used > 0 {
            self.slots.clear();
            self.used = 0;
        }
    }

    pub(super) fn get(&self, id: Id, at: u32) -> Option<Known> {
        let slot = self.slots.get(self.find(key(id, at))?)?;
        match slot & 3 {
            1 => Some(Known::Valid),
            2 => Some(Known::Invalid),
            3 => Some(Known::Reported),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, id: Id, at: u32, known: Known) {
        if 2 * self.used >= self.slots.len() {
            let larger = vec![0; (2 * self.slots.len()).max(64)];
            let slots = core::mem::replace(&mut self.slots, larger);
            self.used = 0;
            for slot in slots.into_iter().filter(|&slot| slot != 0) {
                self.insert(slot);
            }
        }
        self.insert(key(id, at) | (known as u64 + 1));
    }

    fn insert(&mut self, entry: u64) {
        if let Some(slot) = self.find(entry & !3).and_then(|place| self.slots.get_mut(place)) {
            self.used += usize::from(*slot == 0);
            *slot = entry;
        }
    }

    /// The slot that has the key or is free for it; there is none only while the table is empty.
    fn find(&self, key: u64) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        while self.slots[place] != 0 && self.slots[place] & !3 != key {
            place = (place + 1) & mask;
        }
        Some(place)
    }
}

/// Both are places in texts of at most 4 GiB, so neither reaches 2^31.
fn key(id: Id, at: u32) -> u64 {
    u64::from(id) << 33 | u64::from(at) << 2
}
