//! A JSON text as a tree: a flat list of nodes that point into the text, made in one pass.
//!
//! A node takes 16 bytes, nothing is copied, and the list is used again for the next text. Nothing recurses, and nesting is
//! bounded by [`MAX_DEPTH`].

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::json::MAX_DEPTH;
use crate::scalar::{Kind, NotJson, Scalar};
use crate::text::{Escape, escape, plain_end, push_surrogate};

/// One value, or the name of a member, which stands before its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Where its text begins; that of a string behind the quote.
    start: u32,
    end: u32,
    /// The node behind this one and all that is in it.
    next: u32,
    kind: Kind,
    /// Of a string: it has escapes. Of a number: it has a point or an exponent.
    marked: bool,
}

impl Node {
    /// Of a text in which every place fits into a node, see [`fits_nodes`].
    #[inline(always)]
    pub(super) fn new(Scalar { kind, start, end, marked }: Scalar) -> Self {
        Self { start: start as u32, end: end as u32, next: 1, kind, marked }
    }
}

/// Makes the nodes of the value that `text` begins with, and says where it ends.
pub(super) fn read(text: &str, nodes: &mut Vec<Node>) -> Result<usize, NotJson> {
    // So every place in the text fits into a node.
    let text = if fits_nodes(text) { text } else { prefix(text) };
    nodes.clear();
    Builder { text, bytes: text.as_bytes(), nodes }.value()
}

/// Whether nodes can point to every place of a text.
pub(super) fn fits_nodes(text: &str) -> bool {
    u32::try_from(text.len()).is_ok()
}

/// As much of a text as nodes can point into; what is cut off is missed when the value does not end before.
fn prefix(text: &str) -> &str {
    let mut end = u32::MAX as usize;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Where the space that stands at `at` ends.
#[inline(always)]
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(at) {
        at += 1;
    }
    at
}

struct Builder<'a, 'n> {
    text: &'a str,
    bytes: &'a [u8],
    nodes: &'n mut Vec<Node>,
}

impl Builder<'_, '_> {
    fn value(&mut self) -> Result<usize, NotJson> {
        // The nodes of the arrays and objects that are still to be closed.
        let mut open = [0; MAX_DEPTH];
        let mut depth = 0;
        let mut at = 0;
        loop {
            at = skip_space(self.bytes, at);
            let container = match self.bytes.get(at) {
                Some(b'{') => Some((Kind::Object, b'}')),
                Some(b'[') => Some((Kind::Array, b']')),
                _ => None,
            };
            if let Some((kind, close)) = container {
                let Some(slot) = open.get_mut(depth) else {
                    return Err(NotJson { at, expected: "at most 128 levels of arrays and objects" });
                };
                *slot = self.nodes.len();
                self.push(Scalar { kind, start: at, end: at + 1, marked: false });
                at = skip_space(self.bytes, at + 1);
                depth += 1;
                if self.bytes.get(at) != Some(&close) {
                    if kind == Kind::Object {
                        at = self.name(at)?;
                    }
                    continue;
                }
            } else {
                let scalar = Scalar::read(self.text, at)?;
                at = scalar.behind();
                self.push(scalar);
            }
            // Behind a value, or before the end of an array or object without any.
            loop {
                let Some(&container) = depth.checked_sub(1).and_then(|inner| open.get(inner)) else {
                    return Ok(at);
                };
                at = skip_space(self.bytes, at);
                let next = self.nodes.len() as u32;
                let Some(node) = self.nodes.get_mut(container) else {
                    return Ok(at);
                };
                match (self.bytes.get(at), node.kind) {
                    (Some(b','), Kind::Object) => {
                        at = self.name(at + 1)?;
                        break;
                    }
                    (Some(b','), _) => {
                        at += 1;
                        break;
                    }
                    (Some(b'}'), Kind::Object) | (Some(b']'), Kind::Array) => {
                        at += 1;
                        node.end = at as u32;
                        node.next = next;
                        depth -= 1;
                    }
                    _ => return Err(NotJson { at, expected: "a comma or the end of the array or object" }),
                }
            }
        }
    }

    /// The name of a member with its colon.
    fn name(&mut self, at: usize) -> Result<usize, NotJson> {
        let at = skip_space(self.bytes, at);
        let name = Scalar::read_name(self.text, at)?;
        self.push(name);
        let at = skip_space(self.bytes, name.behind());
        match self.bytes.get(at) {
            Some(b':') => Ok(at + 1),
            _ => Err(NotJson { at, expected: "a colon" }),
        }
    }

    fn push(&mut self, scalar: Scalar) {
        let mut node = Node::new(scalar);
        node.next = self.nodes.len() as u32 + 1;
        self.nodes.push(node);
    }
}

/// A text and its nodes.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub(super) text: &'a str,
    pub(super) nodes: &'a [Node],
}

impl<'a> Tree<'a> {
    pub(super) fn root(&'a self) -> Value<'a> {
        self.value(0)
    }

    #[inline(always)]
    pub(super) fn value(&'a self, at: u32) -> Value<'a> {
        Value { tree: self, at }
    }
}

/// One value of a tree, or the name of a member.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tree: &'a Tree<'a>,
    /// Its place in the list of nodes.
    pub(super) at: u32,
}

impl<'a> Value<'a> {
    #[inline(always)]
    fn node(self) -> &'a Node {
        &self.tree.nodes[self.at as usize]
    }

    #[inline(always)]
    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its text as it stands; that of a string without the quotes.
    #[inline(always)]
    pub(super) fn raw(self) -> &'a [u8] {
        let node = self.node();
        self.tree.text.as_bytes().get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// Its text as it stands, with the quotes.
    #[inline(always)]
    pub(super) fn token(self) -> &'a [u8] {
        self.tree.text.as_bytes().get(self.span()).unwrap_or_default()
    }

    /// Where that is in the text of the tree.
    #[inline(always)]
    pub(super) fn span(self) -> Range<usize> {
        let node = self.node();
        let quote = usize::from(node.kind == Kind::String);
        node.start as usize - quote..node.end as usize + quote
    }

    /// Whether it is a number that is written without a point and an exponent.
    #[inline(always)]
    pub(super) fn is_plain_integer(self) -> bool {
        self.node().kind == Kind::Number && !self.node().marked
    }

    /// The characters of a string in UTF-8; half of a surrogate pair as UTF-8 would have it.
    pub(super) fn characters(self) -> Cow<'a, [u8]> {
        if self.node().marked { Cow::Owned(self.unescaped(&push_surrogate)) } else { Cow::Borrowed(self.raw()) }
    }

    /// The string as text; what is no character becomes U+FFFD.
    pub(super) fn text(self) -> Cow<'a, str> {
        let node = self.node();
        match node.marked {
            false => Cow::Borrowed(self.tree.text.get(node.start as usize..node.end as usize).unwrap_or_default()),
            true => Cow::Owned(self.unescaped_text()),
        }
    }

    pub(super) fn elements(self) -> Elements<'a> {
        let end = if self.kind() == Kind::Array { self.node().next } else { 0 };
        Elements { tree: self.tree, at: self.at + 1, end }
    }

    /// The names and values of an object.
    pub(super) fn members(self) -> Members<'a> {
        let end = if self.kind() == Kind::Object { self.node().next } else { 0 };
        Members { tree: self.tree, at: self.at + 1, end }
    }

    /// Whether it has a member of this name.
    pub(super) fn has(self, name: &[u8]) -> bool {
        self.members().any(|(other, _)| *other.characters() == *name)
    }

    /// What a token of a JSON pointer leads to.
    pub(super) fn child(self, token: &str) -> Option<Value<'a>> {
        let member = self.members().find(|(name, _)| is_token(token, &name.text())).map(|(_, value)| value);
        member.or_else(|| {
            self.elements().zip(0_u64..).find(|(_, index)| index.to_string() == token).map(|(value, _)| value)
        })
    }

    /// How many nodes it has: itself, and all that is in it.
    pub(super) fn nodes(self) -> usize {
        (self.next() - self.at) as usize
    }

    fn next(self) -> u32 {
        self.node().next
    }

    fn unescaped_text(self) -> String {
        let unescaped = self.unescaped(&|text, _| text.extend_from_slice("\u{fffd}".as_bytes()));
        String::from_utf8(unescaped).unwrap_or_default()
    }

    /// `push_half` takes half of a surrogate pair.
    fn unescaped(self, push_half: &dyn Fn(&mut Vec<u8>, u16)) -> Vec<u8> {
        let node = self.node();
        // With the quote behind it, so that half of a surrogate pair at the end is known to stay alone.
        let mut rest = self.tree.text.get(node.start as usize..=node.end as usize).unwrap_or_default();
        let mut text = Vec::with_capacity(rest.len());
        loop {
            let (plain, escaped) = rest.split_at_checked(plain_end(rest.as_bytes(), 0)).unwrap_or_default();
            text.extend_from_slice(plain.as_bytes());
            let len = match escape(escaped) {
                _ if !escaped.starts_with('\\') => return text,
                Escape::Char { char, len } => {
                    let mut utf8 = [0; 4];
                    text.extend_from_slice(char.encode_utf8(&mut utf8).as_bytes());
                    len
                }
                Escape::Unpaired { unit, len } => {
                    push_half(&mut text, unit);
                    len
                }
                // `read` has found none of these.
                Escape::Incomplete | Escape::Invalid { .. } => return text,
            };
            rest = escaped.get(len..).unwrap_or_default();
        }
    }

    /// The JSON pointer to it. Looks for it from the root, since only few are ever asked for.
    pub(super) fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut container = self.tree.root();
        while container.at != self.at {
            let inside = |value: Value<'_>| self.at < value.next();
            let found = match container.kind() {
                Kind::Object => container.members().find(|(_, value)| inside(*value)).map(|(name, value)| {
                    pointer = [&*pointer, "/", &pointer_token(&name.text())].concat();
                    // The pointer to a name is that of its member.
                    if self.at == name.at { self } else { value }
                }),
                _ => container.elements().zip(0_u64..).find(|(value, _)| inside(*value)).map(|(value, index)| {
                    pointer = [&*pointer, "/", &index.to_string()].concat();
                    value
                }),
            };
            match found {
                Some(value) => container = value,
                None => break,
            }
        }
        pointer
    }
}

/// Whether a token of a JSON pointer is that of a member with this name.
fn is_token(token: &str, name: &str) -> bool {
    // Nothing is allocated for the many that are written alike.
    if name.bytes().any(|byte| matches!(byte, b'~' | b'/')) { pointer_token(name) == token } else { name == token }
}

/// The name of a member as JSON pointers have it.
fn pointer_token(name: &str) -> String {
    let mut token = String::new();
    for char in name.chars() {
        match char {
            '~' => token.push_str("~0"),
            '/' => token.push_str("~1"),
            _ => token.push(char),
        }
    }
    token
}

/// The elements of an array.
pub(super) struct Elements<'a> {
    tree: &'a Tree<'a>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let value = self.tree.value(self.at);
        self.at = value.next();
        Some(value)
    }
}

/// The members of an object.
pub(super) struct Members<'a> {
    tree: &'a Tree<'a>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Value<'a>, Value<'a>);

    fn next(&mut self) -> Option<(Value<'a>, Value<'a>)> {
        if self.at >= self.end {
            return None;
        }
        let (name, value) = (self.tree.value(self.at), self.tree.value(self.at + 1));
        self.at = value.next();
        Some((name, value))
    }
}
