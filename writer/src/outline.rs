//! What the rows of a payload have: the names of their members, and of which kind the values are.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::objects::CHUNK_BYTES;

/// How many names are kept at most.
const MAX_NAMES: usize = 16_384;

/// The kinds of values that a member has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// `null`
    pub const NULL: Self = Self(1);
    /// `true` and `false`
    pub const BOOLEAN: Self = Self(2);
    /// A number.
    pub const NUMBER: Self = Self(4);
    /// A text.
    pub const TEXT: Self = Self(8);
    /// An array.
    pub const ARRAY: Self = Self(16);
    /// An object.
    pub const OBJECT: Self = Self(32);

    const NAMES: [(Self, &'static str); 6] = [
        (Self::NULL, "null"),
        (Self::BOOLEAN, "boolean"),
        (Self::NUMBER, "number"),
        (Self::TEXT, "text"),
        (Self::ARRAY, "array"),
        (Self::OBJECT, "object"),
    ];

    /// The same without null, which any column may have.
    #[must_use]
    pub fn without_null(self) -> Self {
        Self(self.0 & !Self::NULL.0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(kind, _)| self.0 & kind.0 != 0).map(|(_, name)| *name);
        f.write_str(&names.collect::<Vec<_>>().join(" or "))
    }
}

/// The outline of a payload: of an array that of its rows, of an object its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// How many elements it has, when it is an array.
    pub rows: Option<u64>,
    /// The names of the members, with the kinds of their values; at most 16,384.
    pub members: BTreeMap<String, Kinds>,
    /// Whether there are more names than that.
    pub cut: bool,
}

impl Outline {
    /// The outline of a payload. The inner error is about what is in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(payload: impl Read) -> io::Result<Result<Self, String>> {
        Self::until(payload, |_| false)
    }

    /// The same of its beginning: after the first row that is enough.
    pub(crate) fn until(payload: impl Read, enough: impl Fn(&Self) -> bool) -> io::Result<Result<Self, String>> {
        let mut outline = Self::default();
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(CHUNK_BYTES, payload));
        match Value::Payload(&mut outline, &enough).deserialize(&mut json) {
            Err(error) if error.is_io() => Err(error.into()),
            Err(error) if !enough(&outline) => Ok(Err(error.to_string())),
            _ => Ok(Ok(outline)),
        }
    }

    fn add(&mut self, name: String, kind: Kinds) {
        if self.members.len() >= MAX_NAMES && !self.members.contains_key(&name) {
            self.cut = true;
            return;
        }
        let kinds = self.members.entry(name).or_default();
        kinds.0 |= kind.0;
    }
}

/// A value, by where it stands.
enum Value<'a> {
    /// The payload itself, of which so much is enough.
    Payload(&'a mut Outline, &'a dyn Fn(&Outline) -> bool),
    /// An element of it.
    Row(&'a mut Outline),
    /// What a member of either has.
    Member,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Kinds;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Kinds, D::Error> {
        value.deserialize_any(self)
    }
}

/// Finds of which kind it is.
impl<'de> Visitor<'de> for Value<'_> {
    type Value = Kinds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Kinds, A::Error> {
        let Value::Payload(outline, enough) = self else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Kinds::ARRAY);
        };
        let mut count = 0;
        outline.rows = Some(count);
        while elements.next_element_seed(Value::Row(outline))?.is_some() {
            count += 1;
            outline.rows = Some(count);
            if enough(outline) {
                return Err(A::Error::custom("that is enough"));
            }
        }
        Ok(Kinds::ARRAY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Kinds, A::Error> {
        match self {
            Value::Payload(outline, _) | Value::Row(outline) => {
                while let Some(name) = members.next_key::<String>()? {
                    let kind = members.next_value_seed(Value::Member)?;
                    outline.add(name, kind);
                }
            }
            Value::Member => while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {},
        }
        Ok(Kinds::OBJECT)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kinds, E> {
        Ok(Kinds::BOOLEAN)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Kinds, E> {
        Ok(Kinds::NUMBER)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Kinds, E> {
        Ok(Kinds::NUMBER)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kinds, E> {
        Ok(Kinds::NUMBER)
    }

    fn visit_str<E>(self, _: &str) -> Result<Kinds, E> {
        Ok(Kinds::TEXT)
    }

    fn visit_unit<E>(self) -> Result<Kinds, E> {
        Ok(Kinds::NULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(payload: &str) -> String {
        let outline = Outline::of(payload.as_bytes()).unwrap().unwrap();
        let members: Vec<String> = outline.members.iter().map(|(name, kinds)| format!("{name}: {kinds}")).collect();
        format!("{:?} {}", outline.rows, members.join(", "))
    }

    #[test]
    fn members_have_the_kinds_of_their_values() {
        assert_eq!(
            of(r#"[{"a":1,"b":null},{"b":"x","c":[{}]},7,[{"d":1}]]"#),
            "Some(4) a: number, b: null or text, c: array"
        );
        assert_eq!(of(r#"{"a":true,"b":{"c":1}}"#), "None a: boolean, b: object");
        assert_eq!((of("[]"), of("7"), of("\"x\"")), ("Some(0) ".to_owned(), "None ".to_owned(), "None ".to_owned()));
        assert!(Outline::of(&b"[1,"[..]).unwrap().is_err());
        let first = Outline::until(&b"[{\"a\":1},{\"b\":1},nonsense"[..], |it| it.members.contains_key("a")).unwrap();
        assert_eq!(first.unwrap().members.len(), 1, "what follows is not read");
    }
}
