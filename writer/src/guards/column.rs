//! The time column of a payload, streamed: one value is held at a time.

use std::cmp::Ordering;
use std::fmt;
use std::io::{self, BufReader, Read};

use lastgood_protocol::time::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::objects::CHUNK_BYTES;

/// A value of a time column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Time {
    Number(f64),
    Text(String),
}

impl Time {
    /// Whether this is `before` or later; `None` when the two do not compare.
    pub(super) fn comes_after(&self, before: &Time) -> Option<bool> {
        let order = match (self, before) {
            (Time::Number(now), Time::Number(before)) => now.partial_cmp(before)?,
            (Time::Text(now), Time::Text(before)) => match (now.parse::<Timestamp>(), before.parse::<Timestamp>()) {
                (Ok(now), Ok(before)) => now.cmp(&before),
                _ => now.cmp(before),
            },
            _ => return None,
        };
        Some(order != Ordering::Less)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Time::Number(number) => write!(f, "{number}"),
            Time::Text(text) => write!(f, "\"{}\"", text.chars().take(40).collect::<String>()),
        }
    }
}

/// The rows of an array, one after the other.
pub(super) struct Column<'a> {
    /// The member to look at in each row; `None` to count the rows alone.
    name: Option<&'a str>,
    rows: u64,
    last: Option<Time>,
    /// What is wrong with a row, in words. The survey of a published payload goes on all the same.
    problem: Option<String>,
}

impl<'a> Column<'a> {
    fn new(name: Option<&'a str>) -> Self {
        Self { name, rows: 0, last: None, problem: None }
    }

    /// The last value of a column that never decreases, or what is wrong with it, in words.
    pub(super) fn in_order(name: &'a str, payload: impl Read) -> io::Result<Result<Option<Time>, String>> {
        let mut column = Self::new(Some(name));
        let streamed = column.stream(payload)?;
        Ok(column.problem.map_or(streamed, Err).map(|()| column.last))
    }

    /// Takes the rows in. The inner error is about what is in the payload.
    fn stream(&mut self, payload: impl Read) -> io::Result<Result<(), String>> {
        let reader = BufReader::with_capacity(CHUNK_BYTES, payload);
        let mut json = serde_json::Deserializer::from_reader(reader);
        match json.deserialize_any(&mut *self) {
            Err(error) if error.is_io() => Err(error.into()),
            Err(error) => Ok(Err(error.to_string())),
            Ok(()) => Ok(Ok(())),
        }
    }

    fn take(&mut self, value: Option<Time>) {
        self.rows += 1;
        let row = self.rows;
        let Some(value) = value else {
            let name = self.name.unwrap_or_default();
            self.problem.get_or_insert_with(|| format!("row {row} without a number or text under \"{name}\""));
            self.last = None;
            return;
        };
        if let Some(before) = &self.last
            && value.comes_after(before) != Some(true)
        {
            self.problem.get_or_insert_with(|| format!("{value} in row {row} after {before}"));
        }
        self.last = Some(value);
    }
}

/// Counts the rows of a payload, and finds the last value of a column. Neither when it is no array.
pub(super) fn survey(name: Option<&str>, payload: impl Read) -> io::Result<(Option<u64>, Option<Time>)> {
    let mut column = Column::new(name);
    Ok(match column.stream(payload)? {
        Ok(()) => (Some(column.rows), column.last),
        Err(_) => (None, None),
    })
}

impl<'de> Visitor<'de> for &mut Column<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        match self.name {
            None => {
                while rows.next_element::<IgnoredAny>()?.is_some() {
                    self.rows += 1;
                }
            }
            Some(name) => {
                while let Some(value) = rows.next_element_seed(Row(name))? {
                    self.take(value);
                }
            }
        }
        Ok(())
    }
}

/// Visits any JSON value; what it is not made for is skipped and gives `None`.
macro_rules! skip {
    ($($visit:ident: $type:ty),+) => {$(
        fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    )+};
}

/// One row: finds the value of the named member.
struct Row<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Option<Time>;

    fn deserialize<D: Deserializer<'de>>(self, row: D) -> Result<Option<Time>, D::Error> {
        row.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Option<Time>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<Time>, A::Error> {
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Name(self.0))? {
            if is_it {
                // Of a name that occurs twice the last value counts, as in a browser.
                found = members.next_value_seed(Value)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<Time>, A::Error> {
        IgnoredAny.visit_seq(elements).map(|_| None)
    }

    skip!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Option<Time>, E> {
        Ok(None)
    }
}

/// Whether a member has this name. As bytes: a name with half of a surrogate pair, where that is allowed, is no text.
struct Name<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<bool, E> {
        Ok(name == self.0.as_bytes())
    }
}

/// A value of the column.
struct Value;

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Option<Time>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Option<Time>, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Option<Time>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    // Integers beyond 2^53 lose digits here as they do in a browser; the order of others is kept.
    fn visit_u64<E>(self, number: u64) -> Result<Option<Time>, E> {
        Ok(Some(Time::Number(number as f64)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<Time>, E> {
        Ok(Some(Time::Number(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<Time>, E> {
        Ok(Some(Time::Number(number)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<Time>, E> {
        Ok(Some(Time::Text(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<Time>, A::Error> {
        IgnoredAny.visit_map(members).map(|_| None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<Time>, A::Error> {
        IgnoredAny.visit_seq(elements).map(|_| None)
    }

    skip!(visit_bool: bool);

    fn visit_unit<E>(self) -> Result<Option<Time>, E> {
        Ok(None)
    }
}
