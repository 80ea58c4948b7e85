//! Why a payload is refused, where, and what the publisher can do.

use std::fmt;

use super::MAX_DEPTH;

/// How many characters of the input a message quotes at most.
const QUOTED: usize = 40;

/// How many characters of a JSON pointer a message shows at most.
const SHOWN_POINTER: usize = 200;

/// A payload that must not be published, with the first reason found.
///
/// The place is the start of the offending token: of the number, word, escape
/// sequence or character, and for a duplicate name its second opening quote.
/// For a truncated or too large payload it is where the input ends, or where it
/// passes the limit.
///
/// Displayed, it reads `line 1, column 6, at /a: …`, with what was expected,
/// what was found and the way out. It cannot name the dataset; the caller does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub kind: RefusalKind,
    /// The line, from 1. Lines end with a line feed.
    pub line: u64,
    /// The column, from 1, in Unicode code points.
    pub column: u64,
    /// The JSON pointer (RFC 6901) of the offending value, or of the array or
    /// object around it where no value is at fault. Empty for the whole payload.
    pub pointer: String,
}

/// What can be wrong with a payload.
///
/// Quoted tokens and names are cut to 40 characters, with `…` behind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalKind {
    /// The input breaks the grammar of RFC 8259.
    #[error("expected {expected}, found {}{}", quote(found), hint(found))]
    NotJson {
        /// What the grammar allows here.
        expected: &'static str,
        /// The token or character instead.
        found: String,
    },
    /// The input ends before the value does. Empty input is truncated, too.
    #[error("the input ends here, expected {expected}; publish the whole document")]
    Truncated {
        /// What the grammar wants next.
        expected: &'static str,
    },
    /// Something follows the value.
    #[error(
        "expected the end of the input, found {}; a payload is one JSON value",
        quote(found)
    )]
    TrailingData {
        /// The token or character that follows.
        found: String,
    },
    /// The input starts with U+FEFF.
    #[error("expected a value, found a byte order mark; save the input as UTF-8 without one")]
    ByteOrderMark,
    /// The input is not UTF-8.
    #[error("expected UTF-8, found {}; convert the input to UTF-8", hex(bytes))]
    InvalidUtf8 {
        /// The bytes, one to three, that no character starts with.
        bytes: Vec<u8>,
    },
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error(
        "expected at most {MAX_DEPTH} levels of arrays and objects, found one more; flatten the data"
    )]
    TooDeep,
    /// A number of JavaScript or Python that JSON does not have.
    #[error(
        "{token} is not JSON (Python's json.dump writes it for {}); --nan null publishes it as null",
        nan_origin(token)
    )]
    Nan {
        /// `NaN`, `Infinity` or `-Infinity`.
        token: &'static str,
    },
    /// A number that a browser would silently change.
    #[error(
        "{} {reason}; publish it as a string, or as it is with --allow unsafe-numbers",
        quote(token)
    )]
    UnsafeNumber {
        /// The number.
        token: String,
        /// What a browser would do to it.
        reason: UnsafeNumber,
    },
    /// A member name occurs twice in an object, whichever way it is escaped.
    #[error(
        "the name {} occurs twice in this object, readers would keep one member and drop the other; rename one, or publish both with --allow duplicate-names",
        quote(name)
    )]
    DuplicateName {
        /// The unescaped name.
        name: String,
    },
    /// A `\u` escape for one half of a surrogate pair.
    #[error(
        "{escape} is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"
    )]
    UnpairedSurrogate {
        /// The escape sequence.
        escape: String,
    },
    /// The input, or what would be published of it, is larger than the limit.
    #[error(
        "expected at most {max_bytes} bytes, found more; split the dataset, or raise the limit with --max-bytes"
    )]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
}

/// Why a number is unsafe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsafeNumber {
    /// An integer beyond ±(2^53 − 1): a double may not hold it.
    Integer,
    /// The nearest double is infinite.
    Overflow,
}

impl RefusalKind {
    /// The stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "not-json",
            Self::Truncated { .. } => "truncated",
            Self::TrailingData { .. } => "trailing-data",
            Self::ByteOrderMark => "byte-order-mark",
            Self::InvalidUtf8 { .. } => "invalid-utf8",
            Self::TooDeep => "too-deep",
            Self::Nan { .. } => "nan",
            Self::UnsafeNumber { .. } => "unsafe-number",
            Self::DuplicateName { .. } => "duplicate-name",
            Self::UnpairedSurrogate { .. } => "unpaired-surrogate",
            Self::TooLarge { .. } => "too-large",
        }
    }

    /// The command-line option that permits it, if there is one.
    pub fn way_out(&self) -> Option<&'static str> {
        match self {
            Self::Nan { .. } => Some("--nan null"),
            Self::UnsafeNumber { .. } => Some("--allow unsafe-numbers"),
            Self::DuplicateName { .. } => Some("--allow duplicate-names"),
            Self::UnpairedSurrogate { .. } => Some("--allow unpaired-surrogates"),
            Self::TooLarge { .. } => Some("--max-bytes"),
            Self::NotJson { .. }
            | Self::Truncated { .. }
            | Self::TrailingData { .. }
            | Self::ByteOrderMark
            | Self::InvalidUtf8 { .. }
            | Self::TooDeep => None,
        }
    }
}

impl Refusal {
    /// The stable code for machines.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The command-line option that permits it, if there is one.
    pub fn way_out(&self) -> Option<&'static str> {
        self.kind.way_out()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if !self.pointer.is_empty() {
            let pointer = abbreviated(&self.pointer, SHOWN_POINTER);
            write!(f, ", at {}", printable(&pointer))?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for UnsafeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => {
                "is an integer beyond ±9007199254740991, which a browser may silently change"
            }
            Self::Overflow => "overflows a double, a browser would silently read it as infinite",
        })
    }
}

/// A piece of the input as far as a refusal quotes it.
pub(super) fn excerpt(text: &str) -> String {
    abbreviated(text, QUOTED)
}

fn abbreviated(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Escapes what a terminal would interpret or not show.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    shown
}

fn quote(text: &str) -> String {
    let printable = printable(text);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) if printable != text => format!("U+{:04X}", u32::from(char)),
        _ => format!("`{printable}`"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02X}")).collect();
    bytes.join(" ")
}

fn nan_origin(token: &str) -> &'static str {
    match token {
        "NaN" => "a missing value",
        _ => "an infinite number",
    }
}

/// Advice for what people write most often instead of JSON.
fn hint(found: &str) -> &'static str {
    match found {
        "'" => "; strings stand in double quotes",
        "/" | "#" => "; JSON has no comments",
        "<" => "; this looks like HTML or XML",
        "None" | "True" | "False" => "; this is Python's notation, write the input with json.dump",
        "nan" | "-nan" | "inf" | "-inf" | "Inf" | "-Inf" | "-NaN" | "NA" | "undefined" => {
            "; JSON writes null for a missing value"
        }
        _ => "",
    }
}
