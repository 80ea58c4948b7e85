//! Where the fields of a row are.
//!
//! This is our own because the libraries take whatever comes: a quote that is not closed swallows the rest of the file, text
//! behind a closing quote becomes part of the field, and neither is told. Nor do they tell which fields were quoted.

use memchr::memchr;

use super::refusal::RefusalKind;
use crate::convert::bytes::{newlines, special, specials};

/// A field of a row, without its quotes. Doubled quotes in it stay doubled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

/// What the bytes at hand begin with.
pub(super) enum Lexed {
    /// A row.
    Row {
        /// Its length with the end of its last line, in bytes.
        len: usize,
        /// How many lines it takes.
        lines: u64,
        /// How many fields it has.
        fields: usize,
    },
    /// A part of a row.
    Part,
}

/// Something that is not CSV.
pub(super) struct Fault {
    /// Where in the row.
    pub(super) at: usize,
    /// In which field, counted from 0.
    pub(super) field: usize,
    pub(super) kind: RefusalKind,
}

/// Reads the row at the start of `bytes`, which are not empty, and puts its first `max_fields` fields into `fields`. `last`
/// says that nothing follows.
pub(super) fn lex(
    bytes: &[u8],
    delimiter: u8,
    last: bool,
    max_fields: usize,
    fields: &mut Vec<Field>,
) -> Result<Lexed, Fault> {
    fields.clear();
    let mut count = 0;
    let mut lines = 1;
    let mut at = 0;
    let mut push = |count: &mut usize, field| {
        if *count < max_fields {
            fields.push(field);
        }
        *count += 1;
    };
    loop {
        // Almost every field ends here; those that do not, and the last one, are looked at below.
        let (fields_end, end) = specials(bytes, at, delimiter, |start, end| {
            push(&mut count, Field { start, end, quoted: false });
        });
        at = fields_end;
        let field = match bytes.get(at) {
            Some(b'"') => match closing_quote(bytes, at + 1, last) {
                Quote::At(end) => {
                    lines += newlines(&bytes[at..end]);
                    Field { start: at + 1, end, quoted: true }
                }
                Quote::Missing => return Err(Fault { at, field: count, kind: RefusalKind::UnclosedQuote }),
                Quote::Unknown => return Ok(Lexed::Part),
            },
            _ => Field { start: at, end: plain_end(bytes, end, delimiter), quoted: false },
        };
        at = field.end + usize::from(field.quoted);
        push(&mut count, field);
        let len = match (bytes.get(at), bytes.get(at + 1)) {
            (Some(&byte), _) if byte == delimiter => {
                at += 1;
                continue;
            }
            (Some(b'\n'), _) => at + 1,
            (Some(b'\r'), Some(b'\n')) => at + 2,
            (None, _) if last => at,
            (None, _) | (Some(b'\r'), None) if !last => return Ok(Lexed::Part),
            (found, _) => {
                let kind = match found {
                    Some(b'\r') => RefusalKind::CarriageReturn,
                    Some(_) if !field.quoted => RefusalKind::StrayQuote,
                    _ => RefusalKind::AfterQuote,
                };
                return Err(Fault { at, field: count - 1, kind });
            }
        };
        return Ok(Lexed::Row { len, lines, fields: count });
    }
}

/// Where a field without quotes ends, of which the part before `at` is known: at a delimiter, a quote, the end of a line or
/// of `bytes`.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize, delimiter: u8) -> usize {
    loop {
        match bytes.get(at) {
            Some(&byte) if byte != delimiter && !matches!(byte, b'"' | b'\n' | b'\r') => {
                at = special(bytes, at + 1, delimiter);
            }
            _ => return at,
        }
    }
}

enum Quote {
    At(usize),
    Missing,
    /// What follows decides.
    Unknown,
}

/// The quote that closes the field whose content starts at `at`.
fn closing_quote(bytes: &[u8], mut at: usize, last: bool) -> Quote {
    loop {
        let Some(found) = memchr(b'"', &bytes[at..]) else {
            return if last { Quote::Missing } else { Quote::Unknown };
        };
        match bytes.get(at + found + 1) {
            Some(b'"') => at += found + 2,
            None if !last => return Quote::Unknown,
            _ => return Quote::At(at + found),
        }
    }
}
