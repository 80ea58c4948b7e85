//! What is said about a value that breaks a rule.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::json::quoted;

use super::keyword::{Compiled, Count, Id, Keyword, Rule, Types};
use super::tree::{Tree, Value};
use crate::scalar::{Kind, NotJson};

/// How many characters of a value a message shows.
pub(super) const SHOWN: usize = 60;

/// How many characters of a pointer a message shows.
const SHOWN_POINTER: usize = 200;

/// A payload that a schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// It is not JSON at all.
    #[error("it is not JSON: {0}")]
    NotJson(NotJson),
    /// Its nesting and that of the schema together are more than can be followed.
    #[error("its nesting times that of the schema is too deep to be followed; flatten the data or the schema")]
    TooNested,
    /// The schema applies its parts to the same values so many times that following it would take too long.
    #[error("the schema goes through it in too many ways to be followed; flatten the schema")]
    TooComplex,
    /// It breaks rules of the schema.
    #[error("{0}")]
    Violations(Violations),
}

/// What in a payload breaks the rules of a schema, in the order in which it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    /// As many of them as were asked for.
    pub list: Vec<Violation>,
    /// How many more there are.
    pub more: u64,
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

/// One value that breaks one rule.
///
/// Displayed, it reads `at /3/price: expected a number of at least 0, found -1 (minimum at /items/properties/price/minimum)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The JSON pointer (RFC 6901) to the value. Empty for the whole payload.
    pub pointer: String,
    /// The keyword that the value breaks, or `false` for the schema `false`.
    pub keyword: &'static str,
    /// The JSON pointer to that keyword, in the schema.
    pub schema_pointer: String,
    /// What the schema wants.
    pub expected: String,
    /// The value as it stands in the payload, cut to 60 characters.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = excerpt(&self.pointer, SHOWN_POINTER);
        for part in [
            "at ",
            if place.is_empty() { "the root" } else { &place },
            ": expected ",
            &self.expected,
            ", found ",
            &self.found,
            " (",
            self.keyword,
            " at ",
            &excerpt(&self.schema_pointer, SHOWN_POINTER),
            ")",
        ] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// A value as a message shows it.
pub(super) fn shown(value: Value<'_>) -> String {
    excerpt(value.tree.text.get(value.span()).unwrap_or_default(), SHOWN)
}

/// The name of a member as a message shows it.
pub(super) fn shown_name(name: &[u8]) -> String {
    // The rest is half of a surrogate pair.
    let text = match core::str::from_utf8(name) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(name.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    };
    excerpt(&quoted(text), SHOWN)
}

/// The beginning of a text, on one line and fit for a terminal.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    let mut excerpt = String::new();
    for (place, char) in text.chars().enumerate() {
        if place == limit {
            excerpt.push('…');
            break;
        }
        excerpt.push(if char.is_control() { ' ' } else { char });
    }
    excerpt
}

/// The name of the keyword that a value breaks, and what it wants; of those that report for themselves, nothing.
pub(super) fn expected(schema: &Compiled, tree: &Tree<'_>, rule: &Rule, value: Value<'_>) -> (&'static str, String) {
    let own = || shown(tree.value(rule.at));
    let expected = match &rule.keyword {
        Keyword::Never => match rule.name {
            "additionalProperties" | "unevaluatedProperties" => "no member of this name".to_owned(),
            "items" | "unevaluatedItems" => "no element at this place".to_owned(),
            _ => return ("false", "nothing here".to_owned()),
        },
        Keyword::Type(types) => any_of(*types),
        Keyword::Const => own(),
        Keyword::Enum(_) => choices(tree.value(rule.at)),
        Keyword::Limit(limit, _) => [limit.words, &own()].concat(),
        Keyword::MultipleOf(_) => ["a multiple of ", &own()].concat(),
        Keyword::Count(wanted) => counted(*wanted, count(value)),
        Keyword::Pattern(_) if rule.name == "format" => ["a text of the format ", &own()].concat(),
        Keyword::Pattern(_) => ["a text that matches ", &own()].concat(),
        Keyword::AnyOf(all) => alternatives(schema, all, value, "a value that fits one of "),
        Keyword::OneOf(all) => alternatives(schema, all, value, "a value that fits exactly one of "),
        Keyword::Not(_) => "a value that does not fit the schema of not".to_owned(),
        _ => String::new(),
    };
    (rule.name, expected)
}

/// How many characters, elements or members a value has.
pub(super) fn count(value: Value<'_>) -> u64 {
    let count = match value.kind() {
        // Those bytes of UTF-8 that begin a character.
        Kind::String => value.characters().iter().filter(|&&byte| byte & 0xc0 != 0x80).count(),
        _ => value.elements().count() + value.members().count(),
    };
    count as u64
}

/// Such as `at least 2 elements, not 1`.
pub(super) fn counted(wanted: Count, actual: u64) -> String {
    let noun = match wanted.of {
        Kind::String => "character",
        Kind::Array => "element",
        _ => "member",
    };
    amount(wanted.at_most, wanted.limit, noun, actual)
}

/// Such as `at least 2 elements, not 1`.
pub(super) fn amount(at_most: bool, wanted: u64, noun: &str, actual: u64) -> String {
    let words = if at_most { "at most " } else { "at least " };
    let plural = if wanted == 1 { "" } else { "s" };
    [words, &wanted.to_string(), " ", noun, plural, ", not ", &actual.to_string()].concat()
}

/// The types that the branches allow, if the value is of none of them; else how many branches there are.
fn alternatives(schema: &Compiled, branches: &[Id], value: Value<'_>, words: &str) -> String {
    let types = branches.iter().try_fold(Types::default(), |types, &id| Some(types.with(schema.types(id, 0)?)));
    match types {
        Some(types) if !types.allow(value) => any_of(types),
        _ => [words, &branches.len().to_string(), " schemas"].concat(),
    }
}

fn any_of(types: Types) -> String {
    let mut names = String::new();
    for name in types.names() {
        names.push_str(if names.is_empty() { "" } else { " or " });
        names.push_str(name);
    }
    names
}

fn choices(values: Value<'_>) -> String {
    let mut list = String::from("one of ");
    for (place, value) in values.elements().enumerate() {
        if place > 0 {
            list.push_str(", ");
        }
        if place == 8 {
            list.push('…');
            break;
        }
        list.push_str(&shown(value));
    }
    list
}
