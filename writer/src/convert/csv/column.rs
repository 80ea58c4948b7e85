//! The columns of an input, and what is known of their types.

use std::collections::{BTreeMap, HashSet};

use super::lexer::Field;
use super::refusal::{Refusal, RefusalKind, excerpt};
use super::rows::{Misplaced, Row};
use super::value::Value;
use super::{ColumnType, MAX_COLUMNS};

/// How many names a message lists at most.
const LISTED: usize = 8;

/// The columns in their order.
#[derive(Default)]
pub(super) struct Columns(pub(super) Vec<Column>);

pub(super) struct Column {
    pub(super) name: String,
    known: Known,
}

/// What is known of a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Given(ColumnType),
    /// What its values were so far.
    Seen(Seen),
}

/// Which kinds of values a column has, one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen(u8);

impl Seen {
    const NOTHING: Self = Self(0);
    const INTEGER: Self = Self(1);
    const FLOAT: Self = Self(2);
    const BOOLEAN: Self = Self(4);
    const TEXT: Self = Self(8);

    /// The type that holds all of them; `None` when there are none.
    fn kind(self) -> Option<ColumnType> {
        match self {
            Self::NOTHING => None,
            Self::INTEGER => Some(ColumnType::Integer),
            Self::BOOLEAN => Some(ColumnType::Boolean),
            Self(kinds) if kinds & !(Self::INTEGER.0 | Self::FLOAT.0) == 0 => Some(ColumnType::Float),
            _ => Some(ColumnType::Text),
        }
    }
}

impl From<Value> for Seen {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer => Self::INTEGER,
            Value::Float | Value::NotFinite => Self::FLOAT,
            Value::Boolean => Self::BOOLEAN,
            // An inferred type must not make a number of what a browser would then change.
            Value::UnsafeInteger | Value::UnsafeFloat | Value::Text => Self::TEXT,
        }
    }
}

impl Columns {
    /// The columns that a header row, which is UTF-8, names.
    pub(super) fn of_header(header: &Row<'_>, given: &BTreeMap<String, ColumnType>) -> Result<Self, Refusal> {
        let refusal = |field: &Field, column, kind| Refusal::new(header.line_at(field.start), column, kind);
        let first = &header.fields[0];
        if header.count > MAX_COLUMNS {
            return Err(refusal(first, None, RefusalKind::TooManyColumns { found: header.count }));
        }
        let mut names = HashSet::with_capacity(header.count);
        let mut columns = Vec::with_capacity(header.count);
        for (index, field) in header.fields.iter().enumerate() {
            let name = text(header.content(*field));
            if name.is_empty() {
                return Err(refusal(field, None, RefusalKind::UnnamedColumn { number: index + 1 }));
            }
            if !names.insert(name.clone()) {
                return Err(refusal(field, Some(name), RefusalKind::RepeatedColumn));
            }
            let known = given.get(&name).map_or(Known::Seen(Seen::NOTHING), |&kind| Known::Given(kind));
            columns.push(Column { name, known });
        }
        if let Some(missing) = given.keys().find(|name| !names.contains(*name)) {
            let kind = RefusalKind::MissingColumn { columns: listed(&columns) };
            return Err(refusal(first, Some(missing.clone()), kind));
        }
        Ok(Self(columns))
    }

    /// Holds a row, which is UTF-8, against the columns, and learns from it what is not given.
    #[inline]
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<(), Refusal> {
        if row.count != self.0.len() {
            let kind = RefusalKind::FieldCount { expected: self.0.len(), found: row.count };
            let missing = self.0.get(row.count).map(|column| column.name.clone());
            return Err(Refusal::new(row.line, missing, kind));
        }
        for (column, field) in self.0.iter_mut().zip(row.fields) {
            let content = row.content(*field);
            if content.is_empty() {
                continue;
            }
            match &mut column.known {
                Known::Seen(Seen::TEXT) | Known::Given(ColumnType::Text) => {}
                Known::Seen(seen) => {
                    seen.0 |= Seen::from(Value::of(content)).0;
                    if seen.kind() == Some(ColumnType::Text) {
                        *seen = Seen::TEXT;
                    }
                }
                Known::Given(kind) => {
                    if !fits(Value::of(content), *kind) {
                        let misfit = RefusalKind::Misfit { expected: *kind, value: excerpt(&text(content)) };
                        return Err(Refusal::new(row.line_at(field.start), Some(column.name.clone()), misfit));
                    }
                }
            }
        }
        Ok(())
    }

    /// Refuses a row that is not UTF-8.
    #[cold]
    pub(super) fn not_utf8(&self, row: &Row<'_>) -> Refusal {
        let at = match str::from_utf8(row.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let invalid = row.bytes[at..].utf8_chunks().next().map_or(&[][..], |chunk| chunk.invalid());
        let index = row.fields.iter().position(|field| at < field.end);
        let column = index.and_then(|index| self.0.get(index)).map(|column| column.name.clone());
        Refusal::new(row.line_at(at), column, RefusalKind::InvalidUtf8 { bytes: invalid.to_vec() })
    }

    /// A fault with the name of its column.
    pub(super) fn refusal(&self, fault: Misplaced) -> Refusal {
        let column = fault.column.and_then(|index| self.0.get(index));
        Refusal::new(fault.line, column.map(|column| column.name.clone()), fault.kind)
    }
}

impl Column {
    /// Its type; `None` when it has no value.
    pub(super) fn kind(&self) -> Option<ColumnType> {
        match self.known {
            Known::Given(kind) => Some(kind),
            Known::Seen(seen) => seen.kind(),
        }
    }
}

fn fits(value: Value, kind: ColumnType) -> bool {
    match kind {
        ColumnType::Integer => matches!(value, Value::Integer | Value::UnsafeInteger),
        ColumnType::Float => !matches!(value, Value::Boolean | Value::Text),
        ColumnType::Boolean => value == Value::Boolean,
        ColumnType::Text => true,
    }
}

/// The text of a field, which is UTF-8.
fn text(content: &[u8]) -> String {
    String::from_utf8_lossy(content).replace("\"\"", "\"")
}

fn listed(columns: &[Column]) -> String {
    let mut names: Vec<_> = columns.iter().take(LISTED).map(|column| excerpt(&column.name)).collect();
    if columns.len() > LISTED {
        names.push(format!("{} more", columns.len() - LISTED));
    }
    names.join(", ")
}
