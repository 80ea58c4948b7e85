//! The rules for payloads: strict RFC 8259 JSON in UTF-8 that every browser
//! reads as it was written.
//!
//! A [`Scanner`] takes a payload in chunks of any size, in constant memory apart
//! from the names of the objects that are open, and refuses what readers would
//! choke on or silently change, with the place and the way out. What it accepts
//! passes through byte for byte; the one exception is [`Nan::Null`].
//!
//! How the input is cut into chunks changes nothing: neither what is accepted,
//! nor what is handed out, nor the refusal. Where several rules are broken the
//! refusal is about the first breach in the input.
//!
//! ```
//! use lastgood_protocol::payload::{self, Rules};
//!
//! let summary = payload::check(br#"[{"price": 39.5}]"#, &Rules::default())?;
//! assert_eq!(summary.rows, Some(1));
//!
//! let refusal = payload::check(br#"{"a":NaN}"#, &Rules::default()).unwrap_err();
//! assert_eq!(refusal.code(), "nan");
//! assert_eq!((refusal.line, refusal.column, refusal.pointer.as_str()), (1, 6, "/a"));
//! assert_eq!(refusal.way_out(), Some("--nan null"));
//! # Ok::<(), payload::Refusal>(())
//! ```

mod grammar;
mod names;
mod number;
mod path;
mod position;
mod refusal;
mod scanner;
mod state;
mod word;

pub use refusal::{Refusal, RefusalKind, UnsafeNumber};
pub use scanner::Scanner;

pub use crate::json::MAX_DEPTH;

/// How large a payload may be unless the publisher says otherwise: 64 MiB.
pub const DEFAULT_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a publisher permits. The default refuses all that can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of `NaN`, `Infinity` and `-Infinity`.
    pub nan: Nan,
    /// Integer tokens beyond ±(2^53 − 1), and numbers that overflow a double.
    /// A number with a point or an exponent is no integer token.
    pub unsafe_numbers: Permit,
    /// Member names that occur twice in one object. Names are compared
    /// unescaped: `"a"` is `"\u0061"`.
    pub duplicate_names: Permit,
    /// `\u` escapes for one half of a surrogate pair.
    pub unpaired_surrogates: Permit,
    /// The limit in bytes for the input and for what is published of it.
    pub max_bytes: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            nan: Nan::default(),
            unsafe_numbers: Permit::default(),
            duplicate_names: Permit::default(),
            unpaired_surrogates: Permit::default(),
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }
}

/// What becomes of the numbers that Python's `json.dump` writes and JSON lacks:
/// `NaN`, `Infinity` and `-Infinity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nan {
    /// The payload is refused.
    #[default]
    Refuse,
    /// They are published as `null`.
    Null,
}

/// Whether something is let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Permit {
    /// The payload is refused.
    #[default]
    Refuse,
    /// It is published as it is.
    Allow,
}

/// What an accepted payload is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The length of the payload as published, in bytes.
    pub size: u64,
    /// How many tokens were mapped to `null`; zero unless [`Nan::Null`].
    pub nan_mapped: u64,
    /// The number of elements if the payload is an array.
    pub rows: Option<u64>,
}

/// Checks a payload that is in memory.
///
/// # Errors
///
/// The first breach of the rules.
pub fn check(bytes: &[u8], rules: &Rules) -> Result<Summary, Refusal> {
    let mut scanner = Scanner::new(*rules);
    let mut discard = |_: &[u8]| {};
    scanner.push(bytes, &mut discard)?;
    scanner.finish(&mut discard)
}
