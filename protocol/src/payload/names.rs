//! The member names of one open object, and whether one occurs twice.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::mem;

/// Up to this many names are compared one by one, which beats hashing.
const FEW: usize = 16;

/// How many names behind the expected one are compared before hashing.
const NEAR: usize = 8;

/// What may stay behind for the next object at the same depth, in bytes of names.
const KEPT: usize = 64 * 1024;

/// How many names per member of the last object may stay behind.
const KEPT_PER_MEMBER: usize = 8;

/// The names of the objects at one depth, each with the object that had it last.
///
/// Rows tend to have the names of the rows before, mostly in the same order. So
/// names stay behind when their object ends, and the next name is first looked
/// for where it is expected; only a name that is not near there is searched.
/// Many names are found by their hash, which has a random key, so that no input
/// can make it slow.
#[derive(Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    names: Vec<Name>,
    /// How many objects ended.
    ended: u64,
    /// How many members the open object has so far.
    members: usize,
    /// The name that was added last, be it a duplicate.
    current: Option<usize>,
    /// Finds names by their hash as soon as there are more than a few.
    index: HashMap<u64, usize, BuildHasherDefault<AlreadyHashed>>,
    hasher: RandomState,
}

struct Name {
    /// Where it ends in `bytes`; it starts where the one before ends.
    end: usize,
    /// The last object, counted from 1, with a member of this name.
    met_in: u64,
}

/// The name was there already.
#[derive(Debug)]
pub(super) struct Duplicate;

impl Names {
    /// Ends the object; the next one at this depth may follow.
    pub(super) fn end(&mut self) {
        let mostly_unused = self.names.len() > FEW.max(KEPT_PER_MEMBER * self.members);
        if mostly_unused || self.bytes.len() > KEPT {
            *self = Self::default();
        }
        self.ended += 1;
        self.members = 0;
        self.current = None;
    }

    /// The name that was added last, be it a duplicate.
    pub(super) fn current(&self) -> Option<&[u8]> {
        self.current.map(|place| self.name(place))
    }

    /// Adds a name that must be new to the open object.
    #[inline]
    pub(super) fn add(&mut self, name: &[u8]) -> Result<(), Duplicate> {
        let expected = self.current.map_or(0, |current| current + 1);
        let place = if expected < self.names.len() && self.name(expected) == name {
            expected
        } else {
            self.intern(name, expected)
        };
        self.current = Some(place);
        self.members += 1;
        let object = self.ended + 1;
        match mem::replace(&mut self.names[place].met_in, object) == object {
            true => Err(Duplicate),
            false => Ok(()),
        }
    }

    /// Takes note of a name and forgets the others.
    pub(super) fn replace(&mut self, name: &[u8]) {
        self.bytes.clear();
        self.names.clear();
        self.push(name);
        self.current = Some(0);
    }

    #[inline]
    fn name(&self, place: usize) -> &[u8] {
        let start = match place {
            0 => 0,
            _ => self.names[place - 1].end,
        };
        &self.bytes[start..self.names[place].end]
    }

    /// The place of a name, old or new, that is not where it was expected.
    fn intern(&mut self, name: &[u8], expected: usize) -> usize {
        let count = self.names.len();
        let mut likely = match count <= FEW {
            true => 0..count,
            false => expected + 1..count.min(expected + 1 + NEAR),
        };
        if let Some(place) = likely.find(|&place| self.name(place) == name) {
            return place;
        }
        if count < FEW {
            return self.push(name);
        }
        if count == FEW {
            for place in 0..count {
                if let Err(key) = self.look_up(self.name(place)) {
                    self.index.insert(key, place);
                }
            }
        }
        self.look_up(name).unwrap_or_else(|key| {
            let place = self.push(name);
            self.index.insert(key, place);
            place
        })
    }

    /// The place of a name in the index, or the free key to index it under.
    /// Different names with the same hash take the keys that follow it.
    fn look_up(&self, name: &[u8]) -> Result<usize, u64> {
        let mut key = self.hasher.hash_one(name);
        while let Some(&place) = self.index.get(&key) {
            if self.name(place) == name {
                return Ok(place);
            }
            key = key.wrapping_add(1);
        }
        Err(key)
    }

    fn push(&mut self, name: &[u8]) -> usize {
        let place = self.names.len();
        self.bytes.extend_from_slice(name);
        self.names.push(Name {
            end: self.bytes.len(),
            met_in: 0,
        });
        place
    }
}

/// Keys of the index are hashes, so hashing them again would be a waste.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a u64 hashes itself with write_u64 only");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
