//! What JSON is made of besides arrays and objects: strings, numbers and words. Whatever reads JSON finds their ends here.

use crate::text::{Escape, escape, plain_end};

/// A text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct NotJson {
    /// Where, in bytes from the start of the text.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// A value that is neither an array nor an object, or the name of a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    /// Where its text begins; that of a string behind the quote.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Of a string: it has escapes. Of a number: it has a point or an exponent.
    pub(crate) marked: bool,
}

impl Scalar {
    /// Reads what stands at `at`.
    pub(crate) fn read(text: &str, at: usize) -> Result<Self, NotJson> {
        let bytes = text.as_bytes();
        let (kind, word) = match bytes.get(at) {
            Some(b'"') => return string(text, at + 1),
            Some(b'-' | b'0'..=b'9') => return number(bytes, at),
            Some(b't') => (Kind::True, &b"true"[..]),
            Some(b'f') => (Kind::False, &b"false"[..]),
            _ => (Kind::Null, &b"null"[..]),
        };
        let end = at + word.len();
        if bytes.get(at..end) != Some(word) {
            return Err(NotJson { at, expected: "a value" });
        }
        Ok(Self { kind, start: at, end, marked: false })
    }

    /// Reads the name of a member that stands at `at`.
    pub(crate) fn read_name(text: &str, at: usize) -> Result<Self, NotJson> {
        match text.as_bytes().get(at) {
            Some(b'"') => Self::read(text, at),
            _ => Err(NotJson { at, expected: "the name of a member" }),
        }
    }

    /// Where what stands behind it begins.
    #[inline(always)]
    pub(crate) fn behind(self) -> usize {
        self.end + usize::from(self.kind == Kind::String)
    }
}

#[inline(always)]
fn string(text: &str, start: usize) -> Result<Scalar, NotJson> {
    let bytes = text.as_bytes();
    let mut at = start;
    let mut escaped = false;
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok(Scalar { kind: Kind::String, start, end: at, marked: escaped }),
            Some(b'\\') => {
                escaped = true;
                at += match text.get(at..).map(escape) {
                    Some(Escape::Char { len, .. } | Escape::Unpaired { len, .. }) => len,
                    _ => return Err(NotJson { at, expected: "an escape sequence" }),
                };
            }
            _ => return Err(NotJson { at, expected: "a quote or another character of the string" }),
        }
    }
}

#[inline(always)]
fn number(bytes: &[u8], start: usize) -> Result<Scalar, NotJson> {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    // No digits may follow a leading zero.
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(bytes, at)? };
    let integer = at;
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(Scalar { kind: Kind::Number, start, end: at, marked: at > integer })
}

#[inline(always)]
fn digits(bytes: &[u8], start: usize) -> Result<usize, NotJson> {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at == start { Err(NotJson { at, expected: "a digit" }) } else { Ok(at) }
}
