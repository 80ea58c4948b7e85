//! The datasets of a manifest and their entries.

use alloc::vec;
use alloc::vec::Vec;
use core::iter;
use core::mem;
use core::ops::Index;
use core::slice;

use super::Entry;
use crate::name::DatasetName;

/// Datasets by name, in the order of their names.
///
/// A sorted list, because a manifest lists them in that order and is then only looked into; a tree of the standard library takes a
/// kilobyte more of what a page downloads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Datasets(Vec<Named>);

type Iter<'a> = iter::Map<slice::Iter<'a, Named>, fn(&'a Named) -> (&'a DatasetName, &'a Entry)>;
type Named = (DatasetName, Entry);

impl Datasets {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of a dataset.
    #[must_use]
    pub fn get(&self, name: &DatasetName) -> Option<&Entry> {
        self.place(name).ok().map(|place| &self.0[place].1)
    }

    /// The entry of a dataset, to be altered.
    pub fn get_mut(&mut self, name: &DatasetName) -> Option<&mut Entry> {
        self.place(name).ok().map(|place| &mut self.0[place].1)
    }

    /// Whether a dataset is among them.
    #[must_use]
    pub fn contains_key(&self, name: &DatasetName) -> bool {
        self.place(name).is_ok()
    }

    /// Gives a dataset its entry, and returns the one that it had.
    pub fn insert(&mut self, name: DatasetName, entry: Entry) -> Option<Entry> {
        match self.place(&name) {
            Ok(place) => Some(mem::replace(&mut self.0[place].1, entry)),
            Err(place) => {
                self.0.insert(place, (name, entry));
                None
            }
        }
    }

    /// Takes a dataset out.
    pub fn remove_entry(&mut self, name: &DatasetName) -> Option<(DatasetName, Entry)> {
        self.place(name).ok().map(|place| self.0.remove(place))
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &DatasetName> + ExactSizeIterator {
        self.0.iter().map(|(name, _)| name)
    }

    /// The entries, in the order of the names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.0.iter().map(|(_, entry)| entry)
    }

    /// The entries, to be altered, in the order of the names.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut().map(|(_, entry)| entry)
    }

    /// Names and entries, in the order of the names.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|(name, entry)| (name, entry))
    }

    fn place(&self, name: &DatasetName) -> Result<usize, usize> {
        // In a manifest each name stands behind those that have been read.
        match self.0.last() {
            Some((last, _)) if last < name => Err(self.0.len()),
            _ => self.0.binary_search_by(|(other, _)| other.cmp(name)),
        }
    }
}

impl Index<&DatasetName> for Datasets {
    type Output = Entry;

    /// # Panics
    /// When the dataset is not among them.
    fn index(&self, name: &DatasetName) -> &Entry {
        self.get(name).expect("who indexes has found the dataset in this manifest")
    }
}

impl<'a> IntoIterator for &'a Datasets {
    type Item = (&'a DatasetName, &'a Entry);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Datasets {
    type Item = Named;
    type IntoIter = vec::IntoIter<Named>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
