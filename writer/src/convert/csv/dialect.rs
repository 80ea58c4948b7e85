//! How an input is written, as far as its first rows show it: byte order marks, the line `sep=;`, the delimiter.
//!
//! An input that is read with the wrong delimiter becomes one column of nonsense without breaking any rule. So a delimiter
//! that was not given is held against the first rows: where it splits nothing and another one splits the header and the
//! rows alike, the input is refused. A table of one column has no delimiter in its header and is left alone. A delimiter
//! that was given is used, and doubted in a warning where the other one would be refused.

use super::lexer::{Lexed, lex};
use super::refusal::{RefusalKind, argument, plural};
use super::{Delimiter, Separation};
use crate::convert::bytes::{BYTE_ORDER_MARK, newlines};
use crate::convert::{encoding, hint};

/// How much of the input is looked at, in bytes.
pub(in crate::convert) const HEAD_BYTES: usize = 64 * 1024;

/// How an input is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: Delimiter,
    /// Where the header may start: how many bytes and lines come before it.
    pub(super) start: usize,
    pub(super) lines: u64,
    /// What splits the header and every row, where the delimiter that was given splits nothing.
    doubt: Option<Delimiter>,
}

impl Dialect {
    /// The dialect of the input that starts with `head`, of which nothing follows if `last`.
    pub(super) fn of(head: &[u8], last: bool, separation: Separation) -> Result<Self, RefusalKind> {
        if let Some(name) = encoding::wide(head) {
            return Err(RefusalKind::Wide { iconv: name });
        }
        let mut start = 0;
        while head[start..].starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        if let Some((told, len)) = told(&head[start..]) {
            return match separation {
                Separation::Given(given) if given != told => Err(RefusalKind::ToldDelimiter { told, given }),
                _ => {
                    let lines = newlines(&head[start..start + len]);
                    Ok(Self { delimiter: told, start: start + len, lines, doubt: None })
                }
            };
        }
        let body = &head[start..];
        if let Some(json) = hint::json(body, !last) {
            return Err(RefusalKind::Json(json));
        }
        let (delimiter, doubt) = match separation {
            Separation::Given(given) => (given, better(body, last, given)),
            Separation::Assumed(assumed) => (checked(body, last, assumed)?, None),
            Separation::Detected => (detected(body, last)?, None),
        };
        Ok(Self { delimiter, start, lines: 0, doubt })
    }

    /// What the publisher should look at.
    pub(super) fn note(&self) -> Option<String> {
        let Self { delimiter, doubt, .. } = self;
        doubt.map(|other| {
            format!(
                "published as one column: there are no {} in the header, and {} split it and the rows alike; if there are to be \
                 more columns, --delimiter {}",
                plural(*delimiter), plural(other), argument(other)
            )
        })
    }
}

/// The delimiter that a first line such as `sep=;` tells a spreadsheet, and the length of that line.
fn told(head: &[u8]) -> Option<(Delimiter, usize)> {
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let len = match head[end..] {
        [b'\r', b'\n', ..] => end + 2,
        [b'\n', ..] => end + 1,
        _ => return None,
    };
    let line = &head[..end];
    let (name, value) = line.split_at_checked(4 + usize::from(line.starts_with(b"\"")))?;
    if !name.strip_prefix(b"\"").unwrap_or(name).eq_ignore_ascii_case(b"sep=") {
        return None;
    }
    let delimiter = match value {
        [b'\\', b't', ..] => Delimiter::TAB,
        [byte, ..] => Delimiter::new(*byte)?,
        [] => return None,
    };
    // A spreadsheet that saves such a file again puts the line into quotes, and delimiters behind it.
    let rest = value.strip_prefix(br"\t").unwrap_or(&value[1..]);
    let rest = if name.len() == 5 { rest.strip_prefix(b"\"")? } else { rest };
    rest.iter().all(|&byte| byte == delimiter.byte()).then_some((delimiter, len))
}

/// How a delimiter splits the first rows.
#[derive(Debug, Clone, Copy)]
struct Fit {
    delimiter: Delimiter,
    /// How many fields the header has.
    fields: usize,
    rows: usize,
    /// How many rows have as many fields as the header.
    alike: usize,
    /// Whether all that was looked at are rows.
    clean: bool,
}

impl Fit {
    /// `None` when the header is not a row.
    fn of(head: &[u8], last: bool, delimiter: Delimiter) -> Option<Self> {
        let mut fit = Self { delimiter, fields: 0, rows: 0, alike: 0, clean: true };
        let (mut at, mut fields) = (0, Vec::new());
        while at < head.len() {
            match lex(&head[at..], delimiter.byte(), last, 1, &mut fields) {
                Ok(Lexed::Row { len, fields: count, .. }) => {
                    at += len;
                    let blank = count == 1 && fields.iter().all(|field| field.start == field.end && !field.quoted);
                    match blank {
                        true => {}
                        // The rows do not matter.
                        false if fit.fields == 0 && count == 1 => return Some(Self { fields: 1, ..fit }),
                        false if fit.fields == 0 => fit.fields = count,
                        false => {
                            fit.rows += 1;
                            fit.alike += usize::from(count == fit.fields);
                        }
                    }
                }
                Ok(Lexed::Part) => break,
                Err(_) => {
                    fit.clean = false;
                    break;
                }
            }
        }
        (fit.fields > 0).then_some(fit)
    }

    /// It splits the header, and every row alike.
    fn is_perfect(&self) -> bool {
        self.clean && self.fields > 1 && self.rows > 0 && self.alike == self.rows
    }

    /// It splits the header, and most rows alike: a row at fault does not hide the delimiter.
    fn is_plain(&self) -> bool {
        self.fields > 1 && self.rows > 0 && 2 * self.alike >= self.rows
    }
}

fn fits(head: &[u8], last: bool) -> impl Iterator<Item = Fit> {
    Delimiter::USUAL.into_iter().filter_map(move |delimiter| Fit::of(head, last, delimiter))
}

/// Refuses the assumed delimiter if the input is plainly written with another one.
fn checked(head: &[u8], last: bool, assumed: Delimiter) -> Result<Delimiter, RefusalKind> {
    let fit = Fit::of(head, last, assumed);
    let splits = fit.is_some_and(|fit| fit.fields > 1);
    let others = fits(head, last).filter(|fit| fit.delimiter != assumed);
    if fit.is_some_and(|fit| fit.is_perfect()) {
        let alike = others.filter(Fit::is_perfect).map(|fit| fit.delimiter);
        let candidates: Vec<Delimiter> = [assumed].into_iter().chain(alike).collect();
        return if candidates.len() == 1 { Ok(assumed) } else { Err(RefusalKind::AmbiguousDelimiter { candidates }) };
    }
    // If the assumed one splits the header, the rows will be refused for what is wrong with them; unless it is this.
    let other = others
        .filter(|fit| if splits { fit.is_perfect() } else { fit.is_plain() })
        .max_by_key(|fit| (fit.is_perfect(), fit.fields));
    match other {
        Some(fit) => Err(RefusalKind::OtherDelimiter { assumed, found: fit.delimiter, columns: fit.fields }),
        None => Ok(assumed),
    }
}

/// The delimiter that splits the header and every row of an input in which the `given` one splits nothing.
fn better(head: &[u8], last: bool, given: Delimiter) -> Option<Delimiter> {
    let splits = Fit::of(head, last, given).is_none_or(|fit| fit.fields > 1);
    fits(head, last).find(|fit| !splits && fit.is_perfect()).map(|fit| fit.delimiter)
}

/// The delimiter that the input is written with.
fn detected(head: &[u8], last: bool) -> Result<Delimiter, RefusalKind> {
    let fits: Vec<Fit> = fits(head, last).filter(|fit| fit.fields > 1).collect();
    let by = |of: fn(&Fit) -> bool| fits.iter().filter(|fit| of(fit)).map(|fit| fit.delimiter).collect::<Vec<_>>();
    for candidates in [by(Fit::is_perfect), by(Fit::is_plain), by(|_| true)] {
        match candidates[..] {
            [] => {}
            [only] => return Ok(only),
            _ => return Err(RefusalKind::AmbiguousDelimiter { candidates }),
        }
    }
    // One column.
    Ok(Delimiter::COMMA)
}

/// The delimiter of what is plainly CSV: a header and rows that it splits alike.
pub(in crate::convert) fn plain(head: &[u8], last: bool) -> Option<Delimiter> {
    fits(head, last).find(Fit::is_perfect).map(|fit| fit.delimiter)
}
