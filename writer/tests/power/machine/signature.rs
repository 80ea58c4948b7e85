//! Tells whether two machines are in the same state.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::history::{Change, History};
use super::{Content, Machine, Node, NodeId, ROOT};

/// Feeds a hasher with everything that can matter to what becomes of the machine, under names that do not depend on how it came
/// into its state.
///
/// Left out: who holds a lock (locks end with what is done, and with the power), which syncs have failed, times of modification,
/// and the operation log. Nothing that a simulation does depends on the last two: every grace period is zero.
impl Hash for Machine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.model.hash(state);
        Walk { machine: self, pending: self.pending(), numbers: HashMap::new() }.node(ROOT, state);
    }
}

/// Goes through all that can be found, in an order that follows from names alone.
struct Walk<'a> {
    machine: &'a Machine,
    /// The changes that are not durable, in order.
    pending: Vec<Change>,
    /// The files and directories that were come upon, in this order: a file can have several names.
    numbers: HashMap<NodeId, usize>,
}

impl Walk<'_> {
    fn node<H: Hasher>(&mut self, id: NodeId, state: &mut H) {
        let next = self.numbers.len();
        let number = *self.numbers.entry(id).or_insert(next);
        number.hash(state);
        if number != next {
            return;
        }
        let machine = self.machine;
        match &machine.nodes[id.0] {
            Node::File(file) => {
                content(&file.content, state);
                (file.dirty, file.unconfirmed).hash(state);
                if file.dirty {
                    content(&file.durable, state);
                    file.sizes.hash(state);
                }
                self.history(&file.mode, state, |_, mode, state| mode.hash(state));
            }
            Node::Dir(names) => {
                for (name, history) in names {
                    let gone = history.durable().is_none() && history.last().is_none();
                    if gone || name.starts_with("operations.jsonl") {
                        continue;
                    }
                    name.hash(state);
                    self.history(history, state, |walk, node, state| {
                        node.is_some().hash(state);
                        if let Some(node) = *node {
                            walk.node(node, state);
                        }
                    });
                }
                "the end".hash(state);
            }
        }
    }

    fn history<T: Clone + PartialEq, H: Hasher>(
        &mut self,
        history: &History<T>,
        state: &mut H,
        mut value: impl FnMut(&mut Self, &T, &mut H),
    ) {
        value(self, history.durable(), state);
        for (change, changed) in history.all() {
            // What matters of a change is which others come before it, which go with it, and what is known of it.
            self.pending.binary_search(change).hash(state);
            (change.session == self.machine.session).hash(state);
            self.machine.fates.get(change).hash(state);
            value(self, changed, state);
        }
        "the end".hash(state);
    }
}

fn content(content: &Content, state: &mut impl Hasher) {
    match content {
        Content::Known(bytes) => bytes.hash(state),
        Content::OneOf(candidates) => candidates.hash(state),
    }
}
