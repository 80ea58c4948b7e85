//! Why a CSV input is refused, where, and what the publisher can do.

use std::fmt;

use lastgood_protocol::payload;

use super::{ColumnType, MAX_COLUMNS, MAX_ROW_BYTES};

/// How many characters of the input a message quotes at most.
const QUOTED: usize = 40;

/// A CSV input that must not be published, with the first reason found.
///
/// Displayed, it reads `line 7, column price: …`, with what was expected, what was found and the way out. It cannot name
/// the dataset; the caller does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub kind: RefusalKind,
    /// The line of the input, from 1. Lines end with a line feed, also in a quoted field.
    pub line: u64,
    /// The name of the column, where one is at fault.
    pub column: Option<String>,
}

/// What can be wrong with a CSV input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalKind {
    /// There is not even a header.
    #[error("the input is empty, expected a header row with the names of the columns")]
    Empty,
    /// A column of the header has no name.
    #[error(
        "column {number} has no name in the header; name it, or leave the column out (pandas writes its index like this: \
         to_csv(index=False))"
    )]
    UnnamedColumn {
        /// Which column, from 1.
        number: usize,
    },
    /// Two columns of the header have the same name.
    #[error("the header has two columns of this name, expected each once; rename one")]
    RepeatedColumn,
    /// A column whose type was given is not there.
    #[error("the header has no such column, though its type is given; it has {}; is the delimiter right?", columns.escape_debug())]
    MissingColumn {
        /// The names that the header has, as far as a message shows them.
        columns: String,
    },
    /// The header has more than [`MAX_COLUMNS`] columns.
    #[error("expected at most {MAX_COLUMNS} columns in the header, found {found}; split the dataset")]
    TooManyColumns {
        /// How many there are.
        found: usize,
    },
    /// A row has another number of fields than the header.
    #[error("expected {expected} as in the header, found {found}; a field with a delimiter in it stands in quotes", expected = fields(*expected))]
    FieldCount {
        /// How many columns there are.
        expected: usize,
        /// How many fields the row has.
        found: usize,
    },
    /// A quoted field goes on to the end of the input.
    #[error("the quote that opens this field is not closed; close it, and double the quotes in it")]
    UnclosedQuote,
    /// A quote in a field that does not start with one.
    #[error("a quote in a field that does not start with one; put the field in quotes, and double the quotes in it")]
    StrayQuote,
    /// Something else than a delimiter or the end of the line behind a closing quote.
    #[error("expected the delimiter or the end of the line after the closing quote; double the quotes in the field")]
    AfterQuote,
    /// A carriage return that is not part of the end of a line.
    #[error("a carriage return without a line feed; end lines with LF or CRLF, and put a field that has one in quotes")]
    CarriageReturn,
    /// A row is longer than [`MAX_ROW_BYTES`].
    #[error("expected a row of at most {MAX_ROW_BYTES} bytes, found more; is a quote not closed?")]
    RowTooLong,
    /// Bytes that are not UTF-8.
    #[error("expected UTF-8, found {}{}", hex(bytes), encoding(bytes))]
    InvalidUtf8 {
        /// The bytes, one to three, that no character starts with.
        bytes: Vec<u8>,
    },
    /// A value does not fit the type that its column was given.
    #[error("expected {}, found `{}`; correct it, or publish the column as text", article(*expected), value.escape_debug())]
    Misfit {
        /// The type.
        expected: ColumnType,
        /// The value, cut to 40 characters.
        value: String,
    },
    /// What the row becomes breaks a payload rule.
    #[error("{0}")]
    Rule(payload::RefusalKind),
}

impl Refusal {
    pub(super) fn new(line: u64, column: Option<String>, kind: RefusalKind) -> Self {
        Self { kind, line, column }
    }

    pub(super) fn empty() -> Self {
        Self::new(1, None, RefusalKind::Empty)
    }

    /// A payload rule that the array breaks: its line is that of the input, and the pointer names the column.
    pub(in crate::convert) fn of_rule(refusal: payload::Refusal) -> Self {
        // `/<row>/<column>`
        let column = refusal.pointer.splitn(3, '/').nth(2).map(|name| name.replace("~1", "/").replace("~0", "~"));
        Self::new(refusal.line, column, RefusalKind::Rule(refusal.kind))
    }

    /// The stable code for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.kind {
            RefusalKind::Empty
            | RefusalKind::UnnamedColumn { .. }
            | RefusalKind::RepeatedColumn
            | RefusalKind::MissingColumn { .. }
            | RefusalKind::TooManyColumns { .. } => "bad-header",
            RefusalKind::FieldCount { .. }
            | RefusalKind::UnclosedQuote
            | RefusalKind::StrayQuote
            | RefusalKind::AfterQuote
            | RefusalKind::CarriageReturn
            | RefusalKind::RowTooLong => "bad-row",
            RefusalKind::Misfit { .. } => "bad-value",
            RefusalKind::InvalidUtf8 { .. } => "invalid-utf8",
            RefusalKind::Rule(kind) => kind.code(),
        }
    }

    /// The value at fault, where there is one, cut to 40 characters.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match &self.kind {
            RefusalKind::Misfit { value, .. } => Some(value),
            RefusalKind::Rule(payload::RefusalKind::UnsafeNumber { token, .. }) => Some(token),
            RefusalKind::Rule(payload::RefusalKind::Nan { token }) => Some(token),
            _ => None,
        }
    }

    /// The command-line option that permits it, if there is one.
    #[must_use]
    pub fn way_out(&self) -> Option<String> {
        match (&self.kind, &self.column) {
            // Not to be typed, nor to be shown to a terminal.
            (RefusalKind::Misfit { .. }, Some(column)) if column.contains(char::is_control) => None,
            (RefusalKind::Misfit { .. }, Some(column)) => {
                Some(format!("--column {}", quoted(&format!("{column}=text"))))
            }
            (RefusalKind::Rule(kind), _) => kind.way_out().map(str::to_owned),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {}", excerpt(column).escape_debug())?;
        }
        write!(f, ": {}", self.kind)?;
        if let RefusalKind::Misfit { .. } = self.kind
            && let Some(way_out) = self.way_out()
        {
            write!(f, " with {way_out}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// A piece of the input as far as a refusal quotes it.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An argument as a shell takes it.
fn quoted(argument: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "_-.=".contains(char);
    match argument.chars().all(plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

fn article(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Integer => "an integer",
        ColumnType::Float => "a number",
        ColumnType::Boolean => "true or false",
        ColumnType::Text => "a text",
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02X}")).collect();
    bytes.join(" ")
}

/// Advice for the encodings that spreadsheets write.
fn encoding(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFE | 0xFF, ..] => "; this looks like UTF-16, save it as UTF-8",
        _ => "; save it as UTF-8 (in spreadsheets: CSV UTF-8), or convert it with iconv -f WINDOWS-1252 -t UTF-8",
    }
}
