//! Values that fit, found while they are read: most do, and need no tree then.
//!
//! An array or object is gone through as it stands in the text where its schema has only rules for what is in it; what is in
//! it and has other rules is checked as a tree of its own. What does not fit, or is no JSON, is not explained here: whoever
//! asks then makes a tree of the whole and checks that.

use alloc::vec::Vec;

use crate::json::MAX_DEPTH;

use super::check::Checker;
use super::keyword::{Compiled, Id, Keyword, Properties, Types};
use super::tree::{self, Node, Tree, skip_space};
use crate::scalar::{Kind, Scalar};

pub(super) struct Stream<'c, 's, 't> {
    checker: &'c mut Checker<'s>,
    text: &'t str,
    /// Those of the latest tree; here to be used again.
    nodes: &'c mut Vec<Node>,
    depth: usize,
}

impl<'c, 's, 't> Stream<'c, 's, 't> {
    /// `None` for a text that is too long for nodes.
    pub(super) fn new(checker: &'c mut Checker<'s>, text: &'t str, nodes: &'c mut Vec<Node>) -> Option<Self> {
        tree::fits_nodes(text).then_some(Self { checker, text, nodes, depth: 0 })
    }

    /// Where the value that stands at `at` ends, if it is found to fit its subschema. Without one everything fits.
    pub(super) fn value(&mut self, at: usize, id: Option<Id>) -> Option<usize> {
        let kind = match self.text.as_bytes().get(at)? {
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            _ => {
                let scalar = Scalar::read(self.text, at).ok()?;
                let tree = Tree { text: self.text, nodes: &[Node::new(scalar)] };
                return self.fits(id, &tree).then(|| scalar.behind());
            }
        };
        match id.and_then(|id| Inside::of(self.checker.schema(), id, kind)) {
            Some(inside) if self.depth < MAX_DEPTH => {
                self.depth += 1;
                let end = match inside {
                    Inside::Elements { prefix, rest } => self.elements(at + 1, prefix, rest),
                    Inside::Members(properties) => self.members(at + 1, properties),
                };
                self.depth -= 1;
                end
            }
            _ => {
                let text = self.text.get(at..)?;
                let mut nodes = core::mem::take(self.nodes);
                let end = tree::read(text, &mut nodes).ok();
                let end = end.filter(|_| self.fits(id, &Tree { text, nodes: &nodes }));
                *self.nodes = nodes;
                end.map(|end| at + end)
            }
        }
    }

    fn fits(&mut self, id: Option<Id>, tree: &Tree<'_>) -> bool {
        id.is_none_or(|id| self.checker.allows(id, tree.root()))
    }

    fn elements(&mut self, start: usize, prefix: &[Id], rest: Option<Id>) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut prefix = prefix.iter().copied();
        let mut at = skip_space(bytes, start);
        if bytes.get(at) == Some(&b']') {
            return Some(at + 1);
        }
        loop {
            at = skip_space(bytes, self.value(at, prefix.next().or(rest))?);
            match bytes.get(at) {
                Some(b',') => at = skip_space(bytes, at + 1),
                Some(b']') => return Some(at + 1),
                _ => return None,
            }
        }
    }

    fn members(&mut self, start: usize, properties: &Properties) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut missing = properties.required;
        let mut seen = 0_u64;
        let mut expected = 0;
        let mut at = skip_space(bytes, start);
        if bytes.get(at) == Some(&b'}') {
            return (missing == 0).then_some(at + 1);
        }
        loop {
            let (place, behind) = self.name(at, properties, expected)?;
            let mut schema = properties.additional;
            if let Some(place) = place {
                expected = place + 1;
                let property = properties.names.get(place)?;
                // An object with more properties than there are bits is checked as a tree.
                let bit = 1_u64.checked_shl(place as u32)?;
                missing -= u32::from(property.required && seen & bit == 0);
                seen |= bit;
                schema = property.schema.or(schema);
            }
            let behind = skip_space(bytes, behind);
            if bytes.get(behind) != Some(&b':') {
                return None;
            }
            at = skip_space(bytes, self.value(skip_space(bytes, behind + 1), schema)?);
            match bytes.get(at) {
                Some(b',') => at = skip_space(bytes, at + 1),
                Some(b'}') => return (missing == 0).then_some(at + 1),
                _ => return None,
            }
        }
    }

    /// Which property the name of a member is, if it is one, and where the name ends.
    #[inline(always)]
    fn name(&self, at: usize, properties: &Properties, expected: usize) -> Option<(Option<usize>, usize)> {
        let rest = self.text.as_bytes().get(at..)?;
        if let Some(property) = properties.names.get(expected) {
            // Quotes and all: no other name begins like that.
            if rest.starts_with(&property.token) {
                return Some((Some(expected), at + property.token.len()));
            }
        }
        let scalar = Scalar::read_name(self.text, at).ok()?;
        let name = Tree { text: self.text, nodes: &[Node::new(scalar)] };
        Some((properties.search(&name.root().characters()), scalar.behind()))
    }
}

/// The rules for what is in an array or object, when there are no others.
enum Inside<'s> {
    Elements { prefix: &'s [Id], rest: Option<Id> },
    Members(&'s Properties),
}

impl<'s> Inside<'s> {
    fn of(schema: &'s Compiled, id: Id, kind: Kind) -> Option<Self> {
        let mut inside = None;
        for rule in schema.rules(schema.target(id)) {
            match &rule.keyword {
                Keyword::Type(types) if types.meets(Types::of(kind)) => {}
                Keyword::Items { prefix, rest } if kind == Kind::Array => {
                    inside = Some(Self::Elements { prefix, rest: *rest });
                }
                Keyword::Properties(properties) if kind == Kind::Object && properties.patterns.is_empty() => {
                    inside = Some(Self::Members(properties));
                }
                _ => return None,
            }
        }
        inside
    }
}
