//! Goes through a payload: as a whole, or by the elements of the array that it is.

use alloc::vec::Vec;

use super::check::{Checker, Matches, Stopped};
use super::keyword::{Compiled, Count, Id, Keyword, Rule, Types};
use super::report::{Invalid, Violations};
use super::stream::Stream;
use super::tree::{self, Tree, skip_space};
use crate::scalar::{Kind, NotJson};

pub(super) fn validate(schema: &Compiled, matches: Matches<'_>, text: &str, limit: usize) -> Result<(), Invalid> {
    let tree = schema.tree();
    let mut checker = Checker::new(schema, &tree, matches, limit);
    let start = skip_space(text.as_bytes(), 0);
    let end = match Rows::of(schema) {
        Some(rows) if text.as_bytes().get(start) == Some(&b'[') => rows.check(&mut checker, text, start),
        _ => whole(&mut checker, text),
    };
    let end = skip_space(text.as_bytes(), end.map_err(Invalid::NotJson)?);
    if end < text.len() {
        return Err(Invalid::NotJson(NotJson { at: end, expected: "the end of the payload" }));
    }
    match checker.stopped() {
        Some(Stopped::TooNested) => return Err(Invalid::TooNested),
        Some(Stopped::TooComplex) => return Err(Invalid::TooComplex),
        None => {}
    }
    match checker.finish() {
        Violations { list, more: 0 } if list.is_empty() => Ok(()),
        violations => Err(Invalid::Violations(violations)),
    }
}

fn whole(checker: &mut Checker<'_>, text: &str) -> Result<usize, NotJson> {
    let mut nodes = Vec::new();
    let start = skip_space(text.as_bytes(), 0);
    if let Some(end) = Stream::new(checker, text, &mut nodes).and_then(|mut stream| stream.value(start, Some(0))) {
        return Ok(end);
    }
    let end = tree::read(text, &mut nodes)?;
    checker.root(Tree { text, nodes: &nodes }.root());
    Ok(end)
}

/// The rules of a schema that looks at each element of an array by itself, and at their number.
struct Rows<'s> {
    prefix: &'s [Id],
    rest: Option<Id>,
    counts: Vec<&'s Rule>,
}

impl<'s> Rows<'s> {
    fn of(schema: &'s Compiled) -> Option<Self> {
        let mut rows = Self { prefix: &[], rest: None, counts: Vec::new() };
        for rule in schema.rules(0) {
            match &rule.keyword {
                Keyword::Type(types) if types.meets(Types::of(Kind::Array)) => {}
                Keyword::Items { prefix, rest } => (rows.prefix, rows.rest) = (prefix, *rest),
                Keyword::Count(Count { of: Kind::Array, .. }) => rows.counts.push(rule),
                _ => return None,
            }
        }
        Some(rows)
    }

    /// Checks the elements of the array that begins at `start`, and says where it ends.
    fn check(&self, checker: &mut Checker<'_>, text: &str, start: usize) -> Result<usize, NotJson> {
        let bytes = text.as_bytes();
        let mut nodes = Vec::new();
        let mut prefix = self.prefix.iter().copied();
        let mut elements = 0;
        let mut at = skip_space(bytes, start + 1);
        if bytes.get(at) == Some(&b']') {
            at += 1;
        } else {
            loop {
                let id = prefix.next().or(self.rest);
                let mut stream = Stream::new(checker, text, &mut nodes);
                let end = match stream.as_mut().and_then(|stream| stream.value(at, id)) {
                    Some(end) => end,
                    None => {
                        let rest = text.get(at..).unwrap_or_default();
                        let end = tree::read(rest, &mut nodes)
                            .map_err(|NotJson { at: inner, expected }| NotJson { at: at + inner, expected })?;
                        if let Some(id) = id {
                            checker.row(elements, id, Tree { text: rest, nodes: &nodes }.root());
                        }
                        at + end
                    }
                };
                elements += 1;
                at = skip_space(bytes, end);
                match bytes.get(at) {
                    Some(b',') => at = skip_space(bytes, at + 1),
                    Some(b']') => {
                        at += 1;
                        break;
                    }
                    _ => return Err(NotJson { at, expected: "a comma or the end of the array" }),
                }
            }
        }
        for rule in &self.counts {
            checker.count(rule, elements, text.get(start..at).unwrap_or_default());
        }
        Ok(at)
    }
}
