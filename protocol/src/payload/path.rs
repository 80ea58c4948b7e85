//! Which arrays and objects are open, and where in them the scanner stands.

use super::MAX_DEPTH;
use super::names::{Duplicate, Names};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// What a pointer is to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value that is being read, or that would come next.
    Value,
    /// The innermost open array or object.
    Container,
}

#[derive(Debug)]
pub(super) struct TooDeep;

/// The open containers from the outside in.
#[derive(Default)]
pub(super) struct Path {
    /// Levels beyond `depth` are kept for the containers to come.
    levels: Vec<Level>,
    depth: usize,
}

struct Level {
    container: Container,
    /// In an array: how many elements came before the current one.
    index: u64,
    /// In an object: its member names.
    names: Names,
}

impl Path {
    #[inline]
    pub(super) fn innermost(&self) -> Option<Container> {
        self.level().map(|level| level.container)
    }

    /// How many elements came before the current one of the innermost array.
    #[inline]
    pub(super) fn index(&self) -> u64 {
        self.level().map_or(0, |level| level.index)
    }

    #[inline]
    pub(super) fn open(&mut self, container: Container) -> Result<(), TooDeep> {
        if self.depth == MAX_DEPTH {
            return Err(TooDeep);
        }
        match self.levels.get_mut(self.depth) {
            Some(level) => {
                level.container = container;
                level.index = 0;
            }
            None => self.levels.push(Level {
                container,
                index: 0,
                names: Names::default(),
            }),
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(level) = self.level_mut()
            && level.container == Container::Object
        {
            level.names.end();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    #[inline]
    pub(super) fn next_element(&mut self) {
        if let Some(level) = self.level_mut() {
            level.index += 1;
        }
    }

    /// Goes to a member of the innermost object, whose name must be new.
    #[inline]
    pub(super) fn enter_new(&mut self, name: &[u8]) -> Result<(), Duplicate> {
        match self.level_mut() {
            Some(level) => level.names.add(name),
            None => Ok(()),
        }
    }

    /// Goes to a member of the innermost object, whose name may have occurred.
    pub(super) fn enter(&mut self, name: &[u8]) {
        if let Some(level) = self.level_mut() {
            level.names.replace(name);
        }
    }

    /// The JSON pointer (RFC 6901) to a place. Unpaired surrogates in names,
    /// which no pointer can hold, appear as replacement characters.
    pub(super) fn pointer(&self, place: Place) -> String {
        let depth = match place {
            Place::Value => self.depth,
            Place::Container => self.depth.saturating_sub(1),
        };
        let mut pointer = String::new();
        for level in &self.levels[..depth] {
            pointer.push('/');
            match level.container {
                Container::Array => pointer.push_str(&level.index.to_string()),
                Container::Object => {
                    let name = level.names.current().unwrap_or_default();
                    let name = String::from_utf8_lossy(name);
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
            }
        }
        pointer
    }

    #[inline]
    fn level(&self) -> Option<&Level> {
        self.levels.get(self.depth.checked_sub(1)?)
    }

    #[inline]
    fn level_mut(&mut self) -> Option<&mut Level> {
        self.levels.get_mut(self.depth.checked_sub(1)?)
    }
}
