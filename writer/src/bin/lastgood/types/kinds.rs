//! The kinds of JSON values.

use std::ops::{BitAnd, BitOr};

use serde_json::Value;

use super::typescript::Type;

/// Some of the six kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

/// By the names that `type` gives them, and what an unspecific value of the kind is in TypeScript.
const NAMES: [(&str, &str); 6] = [
    ("object", "{ [name: string]: unknown }"),
    ("array", "unknown[]"),
    ("string", "string"),
    ("number", "number"),
    ("boolean", "boolean"),
    ("null", "null"),
];

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(0b11_1111);
    pub(super) const OBJECT: Self = Self(1);
    pub(super) const ARRAY: Self = Self(1 << 1);

    /// The kind of a value.
    pub(super) fn of(value: &Value) -> Self {
        Self::named(match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Null => "null",
        })
    }

    /// Those that a keyword `type` allows.
    pub(super) fn declared(keyword: &Value) -> Self {
        match keyword {
            Value::String(name) => Self::named(name),
            Value::Array(names) => names.iter().map(Self::declared).fold(Self::NONE, |all, kinds| all | kinds),
            _ => Self::ALL,
        }
    }

    fn named(name: &str) -> Self {
        let name = if name == "integer" { "number" } else { name };
        NAMES.iter().position(|(known, _)| *known == name).map_or(Self::ALL, |bit| Self(1 << bit))
    }

    pub(super) fn contains(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    pub(super) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// A type for each, unless there are all.
    pub(super) fn words(self) -> Vec<Type> {
        if self == Self::ALL {
            return vec![Type::Unknown(None)];
        }
        let is_in = |bit: usize| self.0 & 1 << bit != 0;
        NAMES.iter().enumerate().filter(|(bit, _)| is_in(*bit)).map(|(_, (_, word))| Type::word(word)).collect()
    }
}

impl BitAnd for Kinds {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Kinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
