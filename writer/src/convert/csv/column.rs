//! The columns of an input, and what is known of their types.

use std::collections::HashSet;

use super::lexer::Field;
use super::refusal::{Refusal, RefusalKind, as_text, excerpt, null_option};
use super::rows::{Misplaced, Row};
use super::seen::Seen;
use super::unnamed::Counter;
use super::value::Value;
use super::{ColumnType, LeftOut, MAX_COLUMNS, Notation, Options, Unnamed};
use crate::convert::bytes::{BYTE_ORDER_MARK, has_mark};

/// How many names a message lists at most.
const LISTED: usize = 8;

/// How many values in another notation a note names at most.
const EXAMPLES: usize = 4;

/// The columns in their order.
#[derive(Default)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Words for null. Quotes in them are doubled, as in a row.
    null: Vec<Vec<u8>>,
    header_line: u64,
    rows: bool,
}

pub(super) struct Column {
    pub(super) name: String,
    known: Known,
    /// Values of an inferred column that are in all likelihood not meant as text.
    examples: Vec<Example>,
}

/// What becomes of a column, and what is known of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Given(ColumnType),
    /// What its values were so far.
    Seen(Seen),
    /// It has no name, and is left out if it goes on like this.
    Counter(Counter),
    /// It has no name and is left out.
    LeftOut,
}

struct Example {
    notation: Notation,
    value: String,
    line: u64,
}

impl Columns {
    /// The columns that a header row, which is UTF-8, names.
    pub(super) fn of_header(header: &Row<'_>, options: &Options) -> Result<Self, Refusal> {
        let refusal = |field: &Field, column, kind| Refusal::new(header.line_at(field.start), column, kind);
        let first = &header.fields[0];
        if header.count > MAX_COLUMNS {
            return Err(refusal(first, None, RefusalKind::TooManyColumns { found: header.count }));
        }
        let mut names = header_names(header);
        let unnamed: Vec<usize> = (0..names.len()).filter(|&index| names[index].is_empty()).collect();
        match (&options.unnamed, &unnamed[..]) {
            (_, []) => {}
            (Unnamed::Name(name), &[index]) => names[index].clone_from(name),
            (Unnamed::Counter | Unnamed::Drop, all) if all.len() == names.len() => {
                return Err(refusal(first, None, RefusalKind::NoNames { columns: names.len() }));
            }
            (Unnamed::Drop, _) | (Unnamed::Counter, [0]) => {}
            (Unnamed::Counter | Unnamed::Name(_), all) => {
                let numbers = all.iter().map(|index| index + 1).collect();
                let name_given = options.unnamed != Unnamed::Counter;
                let kind = RefusalKind::UnnamedColumns { numbers, columns: names.len(), name_given };
                return Err(refusal(&header.fields[all[0]], None, kind));
            }
        }
        let mut known_names = HashSet::with_capacity(header.count);
        let mut columns = Vec::with_capacity(header.count);
        for (name, field) in names.into_iter().zip(header.fields) {
            if has_mark(name.as_bytes()) {
                return Err(refusal(field, Some(name), RefusalKind::ByteOrderMark));
            }
            if !name.is_empty() && !known_names.insert(name.clone()) {
                return Err(refusal(field, Some(name), RefusalKind::RepeatedColumn));
            }
            let known = match (&options.unnamed, options.columns.get(&name)) {
                (Unnamed::Drop, _) if name.is_empty() => Known::LeftOut,
                _ if name.is_empty() => Known::Counter(Counter::default()),
                (_, Some(&kind)) => Known::Given(kind),
                (_, None) => Known::Seen(Seen::NOTHING),
            };
            columns.push(Column { name, known, examples: Vec::new() });
        }
        if let Some(missing) = options.columns.keys().find(|name| !known_names.contains(*name)) {
            let kind = RefusalKind::MissingColumn { columns: listed(&columns) };
            return Err(refusal(first, Some(missing.clone()), kind));
        }
        let null = options.null.iter().filter(|word| !word.is_empty());
        let null = null.map(|word| word.replace('"', "\"\"").into_bytes()).collect();
        Ok(Self { columns, null, header_line: header.line, rows: false })
    }

    /// How many fields a row has.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }

    /// Whether a field, which is not in quotes or not text, is null.
    #[inline]
    pub(super) fn is_null(&self, content: &[u8]) -> bool {
        content.is_empty() || (!self.null.is_empty() && self.null.iter().any(|word| word == content))
    }

    /// Holds a row, which is UTF-8, against the columns, and learns from it what is not given.
    #[inline]
    pub(super) fn take(&mut self, row: &Row<'_>) -> Result<(), Refusal> {
        let first = !std::mem::replace(&mut self.rows, true);
        if first {
            self.settle(row.count);
        }
        if row.count != self.len() {
            // R writes them in quotes.
            if first && row.count == self.len() + 1 && row.fields[0].quoted {
                return Err(Refusal::new(row.line, None, RefusalKind::RowNames { expected: self.len() }));
            }
            let kind = RefusalKind::FieldCount { expected: self.len(), found: row.count };
            let missing = self.columns.get(row.count).map(|column| column.name.clone());
            return Err(Refusal::new(row.line, missing, kind));
        }
        for (index, field) in row.fields.iter().enumerate() {
            let content = row.content(*field);
            if let Known::Counter(counter) = &mut self.columns[index].known {
                if !counter.count(content) {
                    let kind = RefusalKind::NoCounter { line: row.line, value: excerpt(&text(content)) };
                    return Err(Refusal::new(self.header_line, None, kind));
                }
                continue;
            }
            if content.is_empty() {
                continue;
            }
            let null = self.is_null(content);
            let column = &mut self.columns[index];
            match &mut column.known {
                Known::Seen(Seen::TEXT) | Known::Given(ColumnType::Text) | Known::LeftOut | Known::Counter(_) => {}
                Known::Seen(seen) if null => seen.add_null(field.quoted),
                Known::Given(_) if null => {}
                Known::Seen(seen) => {
                    let value = Value::of(content);
                    let notation = if value == Value::Text { Notation::of(content) } else { None };
                    seen.add(value, notation);
                    if let Some(notation) = notation {
                        column.remember(notation, content, row.line_at(field.start));
                    }
                    if matches!(column.known, Known::Seen(Seen::TEXT)) {
                        column.examples = Vec::new();
                    }
                }
                Known::Given(kind) => {
                    if !fits(Value::of(content), *kind) {
                        let notation = Notation::of(content);
                        let misfit = RefusalKind::Misfit { expected: *kind, value: excerpt(&text(content)), notation };
                        return Err(Refusal::new(row.line_at(field.start), Some(column.name.clone()), misfit));
                    }
                }
            }
        }
        Ok(())
    }

    /// Columns that are left out at the end of the header may be missing from the rows: then only the header has the
    /// delimiters too many.
    fn settle(&mut self, fields: usize) {
        let left_out = |column: &&Column| column.known == Known::LeftOut;
        let named = self.len() - self.columns.iter().rev().take_while(left_out).count();
        if fields == named {
            self.columns.truncate(named);
        }
    }

    /// Refuses a row, which is UTF-8, with a byte order mark where a file starts that was joined to the first, or where it
    /// would become an invisible part of a value. Within a text it stays.
    #[cold]
    pub(super) fn refuse_marks(&self, row: &Row<'_>) -> Result<(), Refusal> {
        let marked = |field: &Field| row.content(*field).starts_with(BYTE_ORDER_MARK);
        let joined = row.bytes.starts_with(BYTE_ORDER_MARK);
        // The last line of the first file had no end.
        let continued = has_mark(row.bytes) && (self.len() == 1 || row.count != self.len());
        if joined || continued {
            return Err(Refusal::new(row.line, None, RefusalKind::Joined));
        }
        match row.fields.iter().position(marked) {
            Some(index) => {
                let name = self.columns.get(index).map(|column| column.name.clone());
                Err(Refusal::new(row.line_at(row.fields[index].start), name, RefusalKind::ByteOrderMark))
            }
            None => Ok(()),
        }
    }

    /// A fault with the name of its column.
    pub(super) fn refusal(&self, fault: Misplaced) -> Refusal {
        let column = fault.column.and_then(|index| self.columns.get(index));
        let name = column.map(|column| column.name.clone()).filter(|name| !name.is_empty());
        Refusal::new(fault.line, name, fault.kind)
    }

    /// The columns that are left out.
    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let left_out = |(index, column): (usize, &Column)| {
            let counter = matches!(column.known, Known::Counter(_));
            (!column.is_published()).then_some(LeftOut { column: index + 1, counter })
        };
        self.columns.iter().enumerate().filter_map(left_out).collect()
    }

    /// The types that were inferred.
    pub(super) fn inferred(&self) -> Vec<(String, ColumnType)> {
        let inferred = |column: &Column| match &column.known {
            Known::Seen(seen) => Some((column.name.clone(), seen.kind()?)),
            _ => None,
        };
        self.columns.iter().filter_map(inferred).collect()
    }

    /// What the publisher may not have meant.
    pub(super) fn notes(&self) -> Vec<String> {
        self.columns.iter().filter_map(Column::note).collect()
    }
}

impl Column {
    /// Its type; `None` when it has no value.
    pub(super) fn kind(&self) -> Option<ColumnType> {
        match &self.known {
            Known::Given(kind) => Some(*kind),
            Known::Seen(seen) => seen.kind(),
            Known::Counter(_) | Known::LeftOut => None,
        }
    }

    /// Whether it becomes a member of the objects.
    pub(super) fn is_published(&self) -> bool {
        !matches!(self.known, Known::Counter(_) | Known::LeftOut)
    }

    #[cold]
    fn remember(&mut self, notation: Notation, content: &[u8], line: u64) {
        let known = |example: &Example| {
            example.notation == notation && (notation != Notation::Null || example.value.as_bytes() == content)
        };
        if self.examples.len() < EXAMPLES && !self.examples.iter().any(known) {
            self.examples.push(Example { notation, value: excerpt(&text(content)), line });
        }
    }

    /// Says why it is text, when all of its values are numbers, or true and false, apart from some in another notation.
    fn note(&self) -> Option<String> {
        let Known::Seen(seen) = &self.known else { return None };
        let kind = seen.kind_but_for_notation()?;
        // What would control a terminal is not to be shown to it.
        let as_text = match self.name.contains(char::is_control) {
            true => "its type".to_owned(),
            false => as_text(&self.name),
        };
        let name = excerpt(&self.name);
        let name = name.escape_debug();
        let of = |null: bool| self.examples.iter().filter(move |example| (example.notation == Notation::Null) == null);
        let first = of(false).next().or(of(true).next())?;
        let (line, value) = (first.line, first.value.escape_debug());
        Some(match first.notation {
            Notation::Null => {
                let words: Vec<String> = of(true).map(|example| null_option(&example.value)).collect();
                let words = words.join(" ");
                format!(
                    "column {name} is text because of `{value}` on line {line}; if that stands for null, {words} makes it \
                     null and the column {kind}; if not, {as_text} says so"
                )
            }
            notation => format!(
                "column {name} is text because of `{value}` on line {line}, {notation}; numbers have a decimal point and no \
                 separators of thousands; if text is meant, {as_text} says so"
            ),
        })
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

/// The names in a header row. Some programs put a byte order mark within the quotes of the first.
fn header_names(header: &Row<'_>) -> Vec<String> {
    let name = |(index, field): (usize, &Field)| {
        let name = text(header.content(*field));
        if index == 0 { name.trim_start_matches('\u{feff}').to_owned() } else { name }
    };
    header.fields.iter().enumerate().map(name).collect()
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
