//! CSV: RFC 4180 with a header row, published as an array of objects.
//!
//! - Fields are separated by the delimiter, rows by LF or CRLF. A field in quotes may contain all of them; a quote in it is
//!   doubled. A quote anywhere else is refused, because nobody can know what was meant.
//! - Byte order marks at the start, as spreadsheets write them, a first line such as `sep=;`, and blank lines are passed
//!   over.
//! - A delimiter that is assumed is held against the first rows ([`Separation`]).
//! - A column without a name is left out when it is a plain counter in the first place, else refused ([`Unnamed`]).
//! - The header row names the columns; each row has as many fields as the header, and becomes an object with all of them.
//! - An empty field is `null`. A quoted empty field is an empty text in a column of text, and `null` in any other.
//! - The type of a column is given ([`Options::columns`]) or inferred over the whole input: see [`ColumnType`].
//!
//! The input is read twice, because the last row can decide the type of a column: first to check every row and to infer
//! the types, then, from a copy in staging, to write the array.

mod column;
pub(super) mod dialect;
mod lexer;
mod notation;
mod refusal;
mod render;
mod rows;
mod seen;
mod unnamed;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::str::FromStr;

pub use self::notation::Notation;
pub use self::refusal::{Refusal, RefusalKind};
pub(crate) use self::refusal::{excerpt, of_type};

use self::column::Columns;
use self::dialect::Dialect;
use self::render::Array;
use self::rows::{Rows, Stop};
use super::pipe::{self, Write};
use super::spool::{Spool, Spooled};
use super::{Conversion, Remarks, Source};
use crate::error::Error;
use crate::storage::Staging;

/// How many columns there may be: as many as in a sheet of a spreadsheet.
pub const MAX_COLUMNS: usize = 16_384;

/// How long a row may be, in bytes: 8 MiB. What is longer is in all likelihood a quote that is not closed.
pub const MAX_ROW_BYTES: usize = 8 * 1024 * 1024;

/// How a CSV input is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What stands between two fields. Default: a comma, unless the input is plainly written otherwise.
    pub delimiter: Separation,
    /// Columns by name whose type is given. The types of the others are inferred.
    pub columns: BTreeMap<String, ColumnType>,
    /// What becomes of columns without a name.
    pub unnamed: Unnamed,
    /// Words that mean what an empty field means, besides the empty field: `null`, and in quotes the text in a column of
    /// text.
    pub null: Vec<String>,
}

/// How the delimiter of an input is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separation {
    /// From the kind of the input. An input that is plainly written with another delimiter is refused.
    Assumed(Delimiter),
    /// The publisher says it.
    Given(Delimiter),
    /// From the first rows of the input.
    Detected,
}

impl Default for Separation {
    fn default() -> Self {
        Self::Assumed(Delimiter::COMMA)
    }
}

impl From<Delimiter> for Separation {
    fn from(delimiter: Delimiter) -> Self {
        Self::Given(delimiter)
    }
}

impl FromStr for Separation {
    type Err = String;

    /// A delimiter, or `auto`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Detected),
            _ => text.parse().map(Self::Given),
        }
    }
}

/// What becomes of columns without a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unnamed {
    /// The first column is left out when it counts 0, 1, 2 … or 1, 2, 3 …, as the index does that pandas and R write. Any
    /// other is refused.
    #[default]
    Counter,
    /// They are left out.
    Drop,
    /// The only one has this name.
    Name(String),
}

impl FromStr for Unnamed {
    type Err = String;

    /// `auto`, `drop`, or a name.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("expected `auto`, `drop` or a name for the column, found nothing".to_owned()),
            "auto" => Ok(Self::Counter),
            "drop" => Ok(Self::Drop),
            name => Ok(Self::Name(name.to_owned())),
        }
    }
}

/// A column without a name that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Which one, from 1.
    pub column: usize,
    /// Whether it was left out because it is a plain counter.
    pub counter: bool,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Integers as JSON writes them: no plus sign, no leading zeros. Inferred when every value is one and is within
    /// ±(2^53 − 1); identifiers with more digits are text.
    Integer,
    /// Numbers as JSON writes them, published digit for digit; also NaN, Inf and Infinity, for which there is the payload
    /// rule [`Nan`](lastgood_protocol::payload::Nan). Inferred when every value is one, and not all are integers.
    Float,
    /// `true` and `false` in any case.
    Boolean,
    /// Anything.
    Text,
}

impl ColumnType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Integer, Self::Float, Self::Boolean, Self::Text];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        named.ok_or_else(|| format!("expected integer, float, boolean or text, found \"{text}\""))
    }
}

/// What stands between two fields: an ASCII character other than a quote and the ends of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(u8);

impl Delimiter {
    /// `,`
    pub const COMMA: Self = Self(b',');
    /// A tabulator.
    pub const TAB: Self = Self(b'\t');
    /// Those that are looked for.
    pub const USUAL: [Self; 4] = [Self::COMMA, Self(b';'), Self::TAB, Self(b'|')];

    /// The delimiter with this byte; `None` when it cannot be one.
    #[must_use]
    pub fn new(byte: u8) -> Option<Self> {
        let possible = byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r');
        possible.then_some(Self(byte))
    }

    /// Its byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl FromStr for Delimiter {
    type Err = String;

    /// One character; a tabulator also as `tab` or `\t`.
    fn from_str(text: &str) -> Result<Self, String> {
        let delimiter = match text {
            "tab" | r"\t" => Some(Self::TAB),
            _ => <[u8; 1]>::try_from(text.as_bytes()).ok().and_then(|[byte]| Self::new(byte)),
        };
        delimiter.ok_or_else(|| {
            "expected one ASCII character, such as `;` or `|`, or `tab`, or `auto`; not a quote and not the end of a line"
                .to_owned()
        })
    }
}

pub(super) fn convert<G: Staging>(
    conversion: &Conversion<'_, G>,
    options: &Options,
    input: impl Source,
    json: &mut (impl FnMut(&[u8]) -> Result<(), Error> + Send),
) -> Result<Remarks, Error> {
    let (checked, spooled) = check(conversion, options, input)?;
    write(conversion, &checked, &spooled, json)?;
    let notes = checked.dialect.note().into_iter().chain(checked.columns.notes()).collect();
    Ok(Remarks { left_out: checked.columns.left_out(), notes, inferred: checked.columns.inferred() })
}

/// What the first reading has found.
struct Checked {
    dialect: Dialect,
    columns: Columns,
}

/// The first reading: every fault of the input itself comes up here, and the types of the columns with it.
fn check<G: Staging>(
    conversion: &Conversion<'_, G>,
    options: &Options,
    mut input: impl Source,
) -> Result<(Checked, Spooled<G::File>), Error> {
    let mut spool = Spool::new(conversion.staging);
    let mut failed = None;
    let checked = pipe::beside(
        |pipe| {
            let source = |buffer: &mut [u8]| {
                let size = input.read(buffer)?;
                pipe.write(&buffer[..size]);
                if pipe.is_open() { Ok(size) } else { Err(conversion.cannot_spool(io::ErrorKind::BrokenPipe.into())) }
            };
            check_rows(conversion, options, source)
        },
        |bytes| {
            failed = spool.write(bytes).err();
            failed.is_none()
        },
    );
    // If the copy has failed, that is why the check has ended.
    failed.map_or(Ok(()), Err).map_err(|source| conversion.cannot_spool(source))?;
    let checked = checked?;
    let spooled = spool.finish().map_err(|source| conversion.cannot_spool(source))?;
    Ok((checked, spooled))
}

fn check_rows<G: Staging>(
    conversion: &Conversion<'_, G>,
    options: &Options,
    source: impl Source,
) -> Result<Checked, Error> {
    let mut rows = Rows::new(source, conversion.max_bytes);
    let refused = |refusal| conversion.refused_csv(refusal);
    let stopped = |stop, columns: &Columns| match stop {
        Stop::Error(error) => error,
        Stop::Fault(fault) => refused(columns.refusal(fault)),
    };
    let none = Columns::default();
    let dialect = {
        let (head, last) = rows.head().map_err(|stop| stopped(stop, &none))?;
        Dialect::of(head, last, options.delimiter).map_err(|kind| refused(Refusal::new(1, None, kind)))?
    };
    rows.begin(dialect);
    if !rows.advance().map_err(|stop| stopped(stop, &none))? {
        return Err(refused(Refusal::empty()));
    }
    if !rows.is_utf8() {
        return Err(stopped(rows.not_utf8(), &none));
    }
    let mut columns = Columns::of_header(&rows.row(), options).map_err(refused)?;
    rows.expect_columns(columns.len());
    while rows.advance().map_err(|stop| stopped(stop, &columns))? {
        if !rows.is_utf8() {
            return Err(stopped(rows.not_utf8(), &columns));
        }
        if rows.may_have_marks() {
            columns.refuse_marks(&rows.row()).map_err(refused)?;
        }
        columns.take(&rows.row()).map_err(refused)?;
    }
    Ok(Checked { dialect, columns })
}

/// The second reading: the array is written, beside the rules that it is to obey.
fn write<G: Staging>(
    conversion: &Conversion<'_, G>,
    checked: &Checked,
    spooled: &Spooled<G::File>,
    json: &mut (impl FnMut(&[u8]) -> Result<(), Error> + Send),
) -> Result<(), Error> {
    let mut obeyed = Ok(());
    let written = pipe::beside(
        |pipe| write_rows(conversion, checked, spooled, pipe),
        |bytes| {
            obeyed = json(bytes);
            obeyed.is_ok()
        },
    );
    // What was refused had been written before.
    obeyed.and(written)
}

fn write_rows<G: Staging>(
    conversion: &Conversion<'_, G>,
    Checked { dialect, columns }: &Checked,
    spooled: &Spooled<G::File>,
    pipe: &mut dyn Write,
) -> Result<(), Error> {
    let mut reader = spooled.reader().map_err(|source| conversion.cannot_spool(source))?;
    let source = |buffer: &mut [u8]| reader.read(buffer).map_err(|source| conversion.cannot_spool(source));
    let mut rows = Rows::new(source, u64::MAX);
    let stopped = |stop| match stop {
        Stop::Error(error) => error,
        Stop::Fault(fault) => conversion.refused_csv(columns.refusal(fault)),
    };
    let mut array = Array::begin(columns, pipe.chunk());
    rows.head().map_err(stopped)?;
    rows.begin(*dialect);
    // The header.
    rows.advance().map_err(stopped)?;
    rows.expect_columns(columns.len());
    while pipe.is_open() && rows.advance().map_err(stopped)? {
        array.row(&rows.row(), pipe.chunk());
        pipe.hand_on();
    }
    array.end(pipe.chunk());
    Ok(())
}
