//! Something that changes, what of it is durable and what may be.

/// A change, by the session (from one power cut to the next) and its number in it. Changes of one number are kept or lost
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) session: u32,
    pub(crate) number: u32,
}

/// A durable value and the changes since, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct History<T> {
    durable: T,
    changes: Vec<(Change, T)>,
}

impl<T: Clone + PartialEq> History<T> {
    pub(crate) fn new(durable: T) -> Self {
        Self { durable, changes: Vec::new() }
    }

    pub(crate) fn change(&mut self, change: Change, value: T) {
        self.changes.push((change, value));
    }

    /// The last change, and the value that it brought.
    pub(crate) fn last(&self) -> Option<&(Change, T)> {
        self.changes.last()
    }

    /// The changes, and the values that they brought.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(Change, T)> {
        self.changes.iter()
    }

    pub(crate) fn durable(&self) -> &T {
        &self.durable
    }

    /// The last change is lost.
    pub(crate) fn lose_last(&mut self) {
        self.changes.pop();
    }

    /// From now on it is durable.
    pub(crate) fn settle(&mut self, value: T) {
        self.durable = value;
        self.changes.clear();
    }

    /// The last of the changes that `kept` says of becomes durable, and everything before it is over.
    pub(crate) fn keep(&mut self, kept: impl Fn(Change) -> bool) {
        if let Some(last) = self.changes.iter().rposition(|(change, _)| kept(*change)) {
            self.durable = self.changes[last].1.clone();
            self.changes.drain(..=last);
        }
    }

    /// The changes that `lost` says of have never been.
    pub(crate) fn lose(&mut self, lost: impl Fn(Change) -> bool) {
        self.changes.retain(|(change, _)| !lost(*change));
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.changes.iter().map(|(change, _)| *change)
    }

    /// Every value that it may have, the durable one first.
    pub(crate) fn values(&self) -> Vec<T> {
        let mut values = vec![self.durable.clone()];
        for (_, value) in &self.changes {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }
}
