//! The member names of one open object, and whether one occurs twice.

use std::collections::HashMap;
use std::hash::BuildHasher;

/// Up to this many names are compared one by one, which beats hashing.
const FEW: usize = 16;

/// What may stay behind for the next object at the same depth, in bytes of names.
const KEPT: usize = 16 * 1024;

/// The names of an object in order, as unescaped bytes.
///
/// Rows tend to have the names of the row before in the same order, so those are
/// kept: while an object repeats them it has no duplicates, and nothing is
/// searched. After the first difference each new name is compared with the few
/// before it, or looked up in an index when there are many. The index hashes
/// with a random key, so no input can make it slow.
#[derive(Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`.
    ends: Vec<usize>,
    /// The names of the object that is open; further ones are of the object before.
    open: usize,
    /// The name that was added last.
    current: Option<usize>,
    /// Finds the first `indexed` names by their hash.
    index: HashMap<u64, usize>,
    indexed: usize,
}

/// The name was there already.
#[derive(Debug)]
pub(super) struct Duplicate;

impl Names {
    /// Ends the object; the next one at this depth may follow.
    pub(super) fn end(&mut self) {
        if self.bytes.len() + self.ends.len() > KEPT {
            *self = Self::default();
        }
        self.open = 0;
        self.current = None;
    }

    /// The name that was added last, be it a duplicate.
    pub(super) fn current(&self) -> Option<&[u8]> {
        self.current.map(|place| self.name(place))
    }

    /// Adds a name that must be new.
    #[inline]
    pub(super) fn add(&mut self, name: &[u8]) -> Result<(), Duplicate> {
        if self.open == self.ends.len() || self.name(self.open) != name {
            self.add_unforeseen(name)?;
        }
        self.current = Some(self.open);
        self.open += 1;
        Ok(())
    }

    /// Takes note of a name and forgets the others.
    pub(super) fn replace(&mut self, name: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(name);
        self.ends.clear();
        self.ends.push(name.len());
        self.current = Some(0);
    }

    #[inline]
    fn name(&self, place: usize) -> &[u8] {
        let start = match place {
            0 => 0,
            _ => self.ends[place - 1],
        };
        &self.bytes[start..self.ends[place]]
    }

    fn add_unforeseen(&mut self, name: &[u8]) -> Result<(), Duplicate> {
        self.forget_object_before();
        if let Some(place) = self.find(name) {
            self.current = Some(place);
            return Err(Duplicate);
        }
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn forget_object_before(&mut self) {
        self.ends.truncate(self.open);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
        if self.indexed > self.open {
            self.index.clear();
            self.indexed = 0;
        }
    }

    fn find(&mut self, name: &[u8]) -> Option<usize> {
        if self.open <= FEW {
            return (0..self.open).find(|&place| self.name(place) == name);
        }
        while self.indexed < self.open {
            if let Err(key) = self.look_up(self.name(self.indexed)) {
                self.index.insert(key, self.indexed);
            }
            self.indexed += 1;
        }
        self.look_up(name).ok()
    }

    /// Where an indexed name is, or the key to index it under. Different names
    /// with the same hash take the keys that follow.
    fn look_up(&self, name: &[u8]) -> Result<usize, u64> {
        let mut key = self.index.hasher().hash_one(name);
        while let Some(&place) = self.index.get(&key) {
            if self.name(place) == name {
                return Ok(place);
            }
            key = key.wrapping_add(1);
        }
        Err(key)
    }
}
