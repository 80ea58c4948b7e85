//! The rows of an input, one after another, in a buffer that grows only with the longest of them.

use lastgood_protocol::payload;

use super::lexer::{Fault, Field, Lexed, lex};
use super::refusal::RefusalKind;
use super::{Delimiter, MAX_COLUMNS, MAX_ROW_BYTES};
use crate::convert::Source;
use crate::convert::bytes::newlines;
use crate::error::Error;

const BUFFER_BYTES: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) struct Rows<S> {
    source: S,
    delimiter: u8,
    /// How many more bytes the input may have.
    room: u64,
    max_bytes: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that was read and not yet passed.
    start: usize,
    end: usize,
    /// Up to here, what was read is UTF-8.
    valid: usize,
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
    pub(super) fn new(source: S, delimiter: Delimiter, max_bytes: u64) -> Self {
        Self {
            source,
            delimiter: delimiter.byte(),
            room: max_bytes,
            max_bytes,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            valid: 0,
            last: false,
            line: 1,
            lines: 0,
            len: 0,
            fields: Vec::new(),
            max_fields: MAX_COLUMNS + 1,
            count: 0,
        }
    }

    /// From now on, fields beyond the first `columns` are only counted.
    pub(super) fn expect_columns(&mut self, columns: usize) {
        self.max_fields = columns;
    }

    /// Goes to the next row that is not a blank line; false at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, Stop> {
        if self.buffer_is_new() {
            self.skip_byte_order_mark()?;
        }
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
            self.valid = self.start + valid;
        }
        self.valid >= end
    }

    /// Whether there is a whole row in the buffer; then it is the present one.
    #[inline]
    fn lex(&mut self) -> Result<bool, Stop> {
        let bytes = &self.buffer[self.start..self.end];
        if bytes.is_empty() {
            return Ok(false);
        }
        match lex(bytes, self.delimiter, self.last, self.max_fields, &mut self.fields) {
            Ok(Lexed::Row { len, lines, fields }) => {
                (self.len, self.lines, self.count) = (len, lines, fields);
                Ok(true)
            }
            Ok(Lexed::Part) if bytes.len() > MAX_ROW_BYTES => Err(self.fault(RefusalKind::RowTooLong)),
            Ok(Lexed::Part) => Ok(false),
            Err(Fault { at, field, kind }) => {
                let line = self.line + newlines(&bytes[..at]);
                Err(Stop::Fault(Misplaced { line, column: Some(field), kind }))
            }
        }
    }

    fn buffer_is_new(&self) -> bool {
        self.end == 0 && !self.last
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), Stop> {
        while self.end < BYTE_ORDER_MARK.len() && !self.last {
            self.fill()?;
        }
        if self.buffer[..self.end].starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        Ok(())
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
