//! Why a CSV input is refused, where, and what the publisher can do.

use std::fmt;

use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload;

use super::{ColumnType, Delimiter, MAX_COLUMNS, MAX_ROW_BYTES, Notation};
use crate::convert::encoding::Advice;
use crate::convert::hint::Hint;

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
    /// The input is plainly written with another delimiter than was assumed.
    #[error(
        "{} split the header and the rows into {columns} columns, {} do not; --delimiter {} reads it so, --delimiter {} \
         insists",
        plural(*found), plural(*assumed), argument(*found), argument(*assumed)
    )]
    OtherDelimiter {
        /// What was assumed.
        assumed: Delimiter,
        /// What the input has.
        found: Delimiter,
        /// Into how many columns it splits the header.
        columns: usize,
    },
    /// Several delimiters split the first rows alike.
    #[error(
        "{} split the header and the rows alike, so which of them is the delimiter cannot be told; say it with {}",
        words(candidates, plural, " and "),
        words(candidates, option, " or ")
    )]
    AmbiguousDelimiter {
        /// All of them; at least two.
        candidates: Vec<Delimiter>,
    },
    /// The input is JSON, or JSON Lines.
    #[error("{0}")]
    Json(Hint),
    /// A first line such as `sep=;` tells another delimiter than the publisher.
    #[error(
        "`sep={}`, which tells spreadsheets the delimiter, contradicts --delimiter {}; leave the option out, or remove the line",
        char::from(told.byte()).escape_debug(), argument(*given)
    )]
    ToldDelimiter {
        /// The input tells this one.
        told: Delimiter,
        /// The publisher gave this one.
        given: Delimiter,
    },
    /// Columns of the header have no name.
    #[error("{}", unnamed(numbers, *columns, *name_given))]
    UnnamedColumns {
        /// Which ones, from 1.
        numbers: Vec<usize>,
        /// How many columns the header has.
        columns: usize,
        /// Whether a name was given for one, and there are several.
        name_given: bool,
    },
    /// The first column has no name and does not count the rows.
    #[error(
        "column 1 has no name in the header, and is no plain counter (0, 1, 2 … or 1, 2, 3 …), which would be left out: line \
         {line} has `{}`; --unnamed NAME names it, --unnamed drop leaves it out",
        value.escape_debug()
    )]
    NoCounter {
        /// The first line where it does not count on.
        line: u64,
        /// What stands there, cut to 40 characters.
        value: String,
    },
    /// Not one column of the header has a name.
    #[error("{}", no_names(*columns))]
    NoNames {
        /// How many columns it has.
        columns: usize,
    },
    /// Two columns of the header have the same name.
    #[error("the header has two columns of this name, expected each once; rename one")]
    RepeatedColumn,
    /// A column whose type was given is not there.
    #[error("the header has no such column, though its type is given; it has {}; is the delimiter right? With several datasets, --column NAME=COLUMN=TYPE is for one alone", columns.escape_debug())]
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
    /// The first row has one field more than the header.
    #[error(
        "expected {expected} as in the header, found one more; R's write.table writes row names like this: col.names = NA gives \
         them a place in the header, row.names = FALSE leaves them out; else a field with a delimiter in it stands in quotes",
        expected = fields(*expected)
    )]
    RowNames {
        /// How many columns there are.
        expected: usize,
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
    #[error(
        "a carriage return without a line feed; where it ends a line, tr '\\r' '\\n' makes line feeds of all, and a field that \
         has one stands in quotes"
    )]
    CarriageReturn,
    /// Lines end with a carriage return alone.
    #[error(
        "lines end with a carriage return alone, expected LF or CRLF; tr '\\r' '\\n' < FILE > NEW makes line feeds of them"
    )]
    CarriageReturnsAlone,
    /// A byte order mark where a second file starts.
    #[error(
        "a byte order mark (U+FEFF) in the middle of the input, as where a second file was joined to the first with its \
         header; join them with {{ cat FIRST; echo; tail -n +2 SECOND; }} > NEW"
    )]
    Joined,
    /// A byte order mark would become an invisible part of a name or a value.
    #[error(
        "a byte order mark (U+FEFF), which would be an invisible part of this; remove it with sed 's/\\xEF\\xBB\\xBF//g' FILE > NEW"
    )]
    ByteOrderMark,
    /// A row is longer than [`MAX_ROW_BYTES`].
    #[error("expected a row of at most {MAX_ROW_BYTES} bytes, found more; is a quote not closed?")]
    RowTooLong,
    /// Bytes that are not UTF-8.
    #[error("expected UTF-8, found {}; {advice}", hex(bytes))]
    InvalidUtf8 {
        /// The bytes, one to three, that no character starts with.
        bytes: Vec<u8>,
        /// What it may be written in.
        advice: Advice,
    },
    /// The input is UTF-16 or UTF-32.
    #[error("expected UTF-8; {}", Advice::Wide { iconv })]
    Wide {
        /// The name of the encoding, as `iconv` takes it.
        iconv: &'static str,
    },
    /// A value does not fit the type that its column was given.
    #[error("expected {}, found `{}`{}", article(*expected), value.escape_debug(), meant(value, *notation))]
    Misfit {
        /// The type.
        expected: ColumnType,
        /// The value, cut to 40 characters.
        value: String,
        /// What it is in all likelihood meant for.
        notation: Option<Notation>,
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
            | RefusalKind::OtherDelimiter { .. }
            | RefusalKind::AmbiguousDelimiter { .. }
            | RefusalKind::ToldDelimiter { .. }
            | RefusalKind::Json(_)
            | RefusalKind::UnnamedColumns { .. }
            | RefusalKind::NoCounter { .. }
            | RefusalKind::NoNames { .. }
            | RefusalKind::RepeatedColumn
            | RefusalKind::MissingColumn { .. }
            | RefusalKind::TooManyColumns { .. } => "bad-header",
            RefusalKind::FieldCount { .. }
            | RefusalKind::RowNames { .. }
            | RefusalKind::UnclosedQuote
            | RefusalKind::StrayQuote
            | RefusalKind::AfterQuote
            | RefusalKind::CarriageReturn
            | RefusalKind::CarriageReturnsAlone
            | RefusalKind::RowTooLong => "bad-row",
            RefusalKind::Misfit { .. } => "bad-value",
            RefusalKind::Joined | RefusalKind::ByteOrderMark => "byte-order-mark",
            RefusalKind::InvalidUtf8 { .. } | RefusalKind::Wide { .. } => "invalid-utf8",
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
            (RefusalKind::OtherDelimiter { found, .. }, _) => Some(option(*found)),
            (RefusalKind::Json(hint), _) => hint.way_out(),
            (RefusalKind::ToldDelimiter { told, .. }, _) => Some(option(*told)),
            (RefusalKind::UnnamedColumns { .. } | RefusalKind::NoCounter { .. }, _) => {
                Some("--unnamed drop".to_owned())
            }
            (RefusalKind::Misfit { notation: Some(Notation::Null), value, .. }, _) => Some(null_option(value)),
            // Not to be typed, nor to be shown to a terminal.
            (RefusalKind::Misfit { .. }, Some(column)) if column.contains(char::is_control) => None,
            (RefusalKind::Misfit { .. }, Some(column)) => Some(as_text(column)),
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
        if let (RefusalKind::Misfit { .. }, Some(column)) = (&self.kind, &self.column)
            && !column.contains(char::is_control)
        {
            write!(f, " with {}", as_text(column))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// A piece of the input as far as a refusal quotes it.
pub(crate) fn excerpt(text: &str) -> String {
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

/// The option that publishes a column as text.
pub(super) fn as_text(column: &str) -> String {
    format!("--column {}", quoted(&format!("{column}=text")))
}

/// The option that gives the type of a column of one dataset.
pub(crate) fn of_type(dataset: &DatasetName, column: &str, kind: &str) -> String {
    format!("--column {}", quoted(&format!("{dataset}={column}={kind}")))
}

/// The option that makes a word null.
pub(super) fn null_option(word: &str) -> String {
    // What starts with a minus sign would look like an option.
    let separator = if word.starts_with('-') { '=' } else { ' ' };
    format!("--null{separator}{}", quoted(word))
}

/// What is wrong with a value, and what can be done.
fn meant(value: &str, notation: Option<Notation>) -> String {
    match notation {
        Some(Notation::Null) => {
            format!("; if it stands for null, {} says so; or publish the column as text", null_option(value))
        }
        Some(notation) => format!(
            ", {notation}; write it with a decimal point and no separators of thousands, or publish the column as text"
        ),
        None => "; correct it, or publish the column as text".to_owned(),
    }
}

/// What a delimiter is called.
pub(super) fn plural(delimiter: Delimiter) -> String {
    match delimiter.byte() {
        b',' => "commas".to_owned(),
        b';' => "semicolons".to_owned(),
        b'\t' => "tabs".to_owned(),
        b'|' => "vertical bars".to_owned(),
        byte => format!("`{}`", char::from(byte).escape_debug()),
    }
}

/// A delimiter as a shell takes it.
pub(super) fn argument(delimiter: Delimiter) -> String {
    match delimiter.byte() {
        b',' => ",".to_owned(),
        b'\t' => "tab".to_owned(),
        // As it is named, for it must not be shown to a terminal.
        byte if byte.is_ascii_control() => format!("'{}'", char::from(byte).escape_debug()),
        byte => quoted(&char::from(byte).to_string()),
    }
}

fn option(delimiter: Delimiter) -> String {
    format!("--delimiter {}", argument(delimiter))
}

fn words(delimiters: &[Delimiter], word: fn(Delimiter) -> String, between: &str) -> String {
    delimiters.iter().map(|&delimiter| word(delimiter)).collect::<Vec<_>>().join(between)
}

fn unnamed(numbers: &[usize], columns: usize, name_given: bool) -> String {
    let listed: Vec<String> = numbers.iter().take(8).map(usize::to_string).collect();
    let listed = listed.join(", ") + if numbers.len() > 8 { " …" } else { "" };
    let at_the_end = numbers.iter().rev().zip((1..=columns).rev()).all(|(&number, last)| number == last);
    let them = match numbers.len() {
        1 => format!("column {listed} has no name"),
        _ => format!("columns {listed} have no names"),
    };
    match (name_given, at_the_end) {
        (true, _) => format!(
            "{them} in the header, and --unnamed names only one; name them there, or --unnamed drop leaves them out"
        ),
        (false, true) => format!(
            "{them}, because the header ends with a delimiter, as spreadsheets write empty cells; --unnamed drop leaves out \
             what has no name{}",
            if numbers.len() == 1 { ", --unnamed NAME names it" } else { "" }
        ),
        (false, false) if numbers.len() == 1 => {
            format!("{them} in the header; --unnamed NAME names it, --unnamed drop leaves it out")
        }
        (false, false) => format!("{them} in the header; name them there, or --unnamed drop leaves them out"),
    }
}

fn no_names(columns: usize) -> String {
    match columns {
        1 => "the only column has no name in the header; --unnamed NAME names it".to_owned(),
        _ => "expected a header with the names of the columns, found a row of empty fields; remove what stands before the header"
            .to_owned(),
    }
}
