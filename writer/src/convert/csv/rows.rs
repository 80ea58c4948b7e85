//! The rows of an input, one after another, in a buffer that grows only with the longest of them.

use lastgood_protocol::payload;

use super::dialect::{Dialect, HEAD_BYTES};
use super::lexer::{Fault, Field, Lexed, lex};
use super::refusal::RefusalKind;
use super::{Delimiter, MAX_COLUMNS, MAX_ROW_BYTES};
use crate::convert::bytes::{has_mark, newlines};
use crate::convert::{Source, encoding};
use crate::error::Error;

const BUFFER_BYTES: usize = 256 * 1024;

pub(super) struct Rows<S> {
    source: S,
    delimiter: Delimiter,
    /// How many more bytes the input may have.
    room: u64,
    max_bytes: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that was read and not yet passed.
    start: usize,
    end: usize,
    /// Up to here, what was read is UTF-8.
    valid: usize,
    /// How many characters of more than one byte there were up to there, since the start.
    wide: u64,
    /// Whether there may be a byte order mark in what is in the buffer.
    marks: bool,
    /// Whether the head has lines that end with a carriage return alone, and no other.
    carriage_returns: bool,
    /// Nothing follows what is in the buffer.
    last: bool,
    /// Where the present row is: its line, and how many lines and bytes it takes.
    line: u64,
    lines: u64,
    len: usize,
    fields: Vec<Field>,
    max_fields: usize,
    count: usize,
}

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) bytes: &'a [u8],
    /// No more than there are columns.
    pub(super) fields: &'a [Field],
    /// How many fields it has.
    pub(super) count: usize,
    pub(super) line: u64,
}

impl Row<'_> {
    /// The content of a field. Doubled quotes in it stay doubled.
    #[inline]
    pub(super) fn content(&self, field: Field) -> &[u8] {
        &self.bytes[field.start..field.end]
    }

    /// The line on which the byte at `at` stands.
    pub(super) fn line_at(&self, at: usize) -> u64 {
        self.line + newlines(&self.bytes[..at])
    }
}

/// Why there is no next row.
pub(super) enum Stop {
    /// What comes next is no row.
    Fault(Misplaced),
    /// The input cannot be read.
    Error(Error),
}

/// A fault with its place in the input.
pub(super) struct Misplaced {
    pub(super) line: u64,
    /// The column, counted from 0.
    pub(super) column: Option<usize>,
    pub(super) kind: RefusalKind,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

impl<S: Source> Rows<S> {
    /// The rows of `source`, which may have `max_bytes` bytes.
    pub(super) fn new(source: S, max_bytes: u64) -> Self {
        Self {
            source,
            delimiter: Delimiter::COMMA,
            room: max_bytes,
            max_bytes,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            valid: 0,
            wide: 0,
            marks: false,
            carriage_returns: false,
            last: false,
            line: 1,
            lines: 0,
            len: 0,
            fields: Vec::new(),
            max_fields: MAX_COLUMNS + 1,
            count: 0,
        }
    }

    /// The start of the input, before any row was read, and whether nothing follows it. However the input comes, it is the
    /// same.
    pub(super) fn head(&mut self) -> Result<(&[u8], bool), Stop> {
        let head = self.read_ahead(HEAD_BYTES)?;
        let (len, last) = (head.len(), self.last && self.end <= HEAD_BYTES);
        self.carriage_returns = !self.buffer[..len].contains(&b'\n');
        Ok((&self.buffer[..len], last))
    }

    /// Reads the rows from here on in this way.
    pub(super) fn begin(&mut self, dialect: Dialect) {
        self.delimiter = dialect.delimiter;
        self.start = dialect.start;
        self.line += dialect.lines;
    }

    /// From now on, fields beyond the first `columns` are only counted.
    pub(super) fn expect_columns(&mut self, columns: usize) {
        self.max_fields = columns;
    }

    /// Goes to the next row that is not a blank line; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Stop> {
        loop {
            self.start += self.len;
            self.line += self.lines;
            (self.len, self.lines) = (0, 0);
            while !self.lex()? {
                if self.last {
                    return Ok(false);
                }
                self.fill()?;
            }
            if self.len > MAX_ROW_BYTES {
                return Err(self.fault(RefusalKind::RowTooLong));
            }
            let blank = self.count == 1 && self.fields.iter().all(|field| field.start == field.end && !field.quoted);
            if !blank {
                return Ok(true);
            }
        }
    }

    /// The row that it went to.
    #[inline]
    pub(super) fn row(&self) -> Row<'_> {
        let bytes = &self.buffer[self.start..self.start + self.len];
        Row { bytes, fields: &self.fields, count: self.count, line: self.line }
    }

    /// Whether the present row is UTF-8. Looks at all that was read, because a look costs more than a short row takes.
    #[inline]
    pub(super) fn is_utf8(&mut self) -> bool {
        let end = self.start + self.len;
        if self.valid < end {
            let read = &self.buffer[self.start..self.end];
            let valid = str::from_utf8(read).map_or_else(|error| error.valid_up_to(), str::len);
            let new = &self.buffer[self.valid.max(self.start)..self.start + valid];
            if !new.is_ascii() {
                self.wide += wide_characters(new);
            }
            self.valid = self.start + valid;
            self.marks = has_mark(&self.buffer[self.start..self.valid]);
        }
        self.valid >= end
    }

    /// Whether a row that is UTF-8 can have a byte order mark in it.
    #[inline]
    pub(super) fn may_have_marks(&self) -> bool {
        self.marks
    }

    /// Why the present row, which is not UTF-8, is refused.
    #[cold]
    pub(super) fn not_utf8(&mut self) -> Stop {
        let row = self.row();
        let at = str::from_utf8(row.bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let bytes = row.bytes[at..].utf8_chunks().next().map_or(&[][..], |chunk| chunk.invalid()).to_vec();
        let column = row.fields.iter().position(|field| at < field.end);
        let line = row.line_at(at);
        let wide = self.wide;
        match self.read_ahead(at + HEAD_BYTES) {
            Ok(ahead) => {
                // Of a long row what is near the fault is enough, from the start of a character on.
                let near = at.saturating_sub(HEAD_BYTES);
                let from = (near..at).find(|&from| ahead[from] & 0xC0 != 0x80).unwrap_or(at);
                let advice = encoding::advice(&ahead[from..], wide - wide_characters(&ahead[from..at]));
                Stop::Fault(Misplaced { line, column, kind: RefusalKind::InvalidUtf8 { bytes, advice } })
            }
            Err(stop) => stop,
        }
    }

    /// Whether there is a whole row in the buffer; then it is the present one.
    #[inline]
    fn lex(&mut self) -> Result<bool, Stop> {
        let bytes = &self.buffer[self.start..self.end];
        if bytes.is_empty() {
            return Ok(false);
        }
        match lex(bytes, self.delimiter.byte(), self.last, self.max_fields, &mut self.fields) {
            Ok(Lexed::Row { len, lines, fields }) => {
                (self.len, self.lines, self.count) = (len, lines, fields);
                Ok(true)
            }
            Ok(Lexed::Part) if bytes.len() > MAX_ROW_BYTES => Err(self.fault(RefusalKind::RowTooLong)),
            Ok(Lexed::Part) => Ok(false),
            // The header of a second file, of which the mark hides that its first field starts with a quote.
            Err(Fault { at, kind: RefusalKind::StrayQuote, .. }) if has_mark(&bytes[..at]) => {
                Err(self.fault(RefusalKind::Joined))
            }
            Err(Fault { at, field, kind }) => {
                let line = self.line + newlines(&bytes[..at]);
                let kind = match kind {
                    RefusalKind::CarriageReturn if self.carriage_returns => RefusalKind::CarriageReturnsAlone,
                    kind => kind,
                };
                Err(Stop::Fault(Misplaced { line, column: Some(field), kind }))
            }
        }
    }

    /// So many bytes from the start of the present row on, or as many as follow.
    fn read_ahead(&mut self, bytes: usize) -> Result<&[u8], Stop> {
        while !self.last && self.end - self.start <= bytes {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + bytes)])
    }

    /// Reads on. At least as much again as there is of the present row: so a long row is not looked at for every few bytes
    /// that come.
    fn fill(&mut self) -> Result<(), Stop> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.valid = self.valid.saturating_sub(self.start);
        self.start = 0;
        let wanted = 2 * self.end;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        loop {
            let size = self.source.read(&mut self.buffer[self.end..])?;
            self.last = size == 0;
            self.end += size;
            let Some(room) = self.room.checked_sub(size as u64) else {
                let kind = payload::RefusalKind::TooLarge { max_bytes: self.max_bytes };
                return Err(self.fault(RefusalKind::Rule(kind)));
            };
            self.room = room;
            if self.last || self.end >= wanted {
                return Ok(());
            }
        }
    }

    #[cold]
    fn fault(&self, kind: RefusalKind) -> Stop {
        Stop::Fault(Misplaced { line: self.line, column: None, kind })
    }
}

/// How many characters of more than one byte start in this text.
fn wide_characters(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte >= 0xC0).count() as u64
}
