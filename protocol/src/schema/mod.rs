//! JSON Schema, draft 2020-12: whether a payload has the shape that its publisher has promised.
//!
//! The publisher validates before it writes and the reader after it has read, through this one function. Every assertion and
//! applicator keyword is supported, and references inside the schema; `format` (unless an [`Engine`] asserts it) and other annotations assert nothing, as the
//! draft says by default. What is not supported is refused by [`Schema::compile`], never skipped: see [`SchemaErrorKind`]. Publishers
//! convert what is written in draft 7 or 2019-09 before (`convert`, with the feature `std`).
//!
//! - Numbers are compared as they are written, exactly: `1.0` is an integer, `0.3` is a multiple of `0.1`.
//! - Regular expressions have the meaning of ECMAScript in unicode mode; the host supplies the [`Engine`]. Half of a surrogate
//!   pair is U+FFFD to it.
//! - Of members that occur twice in an object, each is checked.
//! - Memory: none beside the payload for objects and arrays that fit and whose schemas have no more than `type`, `properties`,
//!   `required`, `additionalProperties`, `prefixItems` and `items`. Else 16 bytes for each value and member name in them, which
//!   is about twice the text of usual rows and eight times that of an array of digits. The elements of a payload that is an array are taken one at a time where the schema
//!   allows (`type`, `prefixItems`, `items`, `minItems` and `maxItems` at the root): then it is that of the largest.
//! - Time grows with the size of the payload, not with the number of ways through the schema: what recursive
//!   references have found about a value is remembered.
//!
//! ```
//! use lastgood_protocol::schema::{Engine, Invalid, Pattern, Schema};
//!
//! struct NoPatterns;
//! impl Engine for NoPatterns {
//!     type Pattern = NoPatterns;
//!     fn compile(&self, _: &str) -> Result<Self, String> {
//!         Err("regular expressions are not supported here".into())
//!     }
//! }
//! impl Pattern for NoPatterns {
//!     fn is_in(&self, _: &str) -> bool {
//!         false
//!     }
//! }
//!
//! let schema = Schema::compile(r#"{"items": {"properties": {"price": {"minimum": 0}}}}"#, &NoPatterns)?;
//! assert!(schema.validate(r#"[{"price": 39.5}]"#, 100).is_ok());
//!
//! let Err(Invalid::Violations(found)) = schema.validate(r#"[{"price": 39.5}, {"price": -1}]"#, 100) else { panic!() };
//! assert_eq!(
//!     found.to_string(),
//!     "at /1/price: expected a number of at least 0, found -1 (minimum at /items/properties/price/minimum)"
//! );
//! # Ok::<(), lastgood_protocol::schema::SchemaError>(())
//! ```

mod check;
mod compile;
#[cfg(feature = "std")]
mod convert;
mod decimal;
mod equal;
mod error;
mod keyword;
mod report;
mod rows;
mod sort;
mod stream;
mod tree;
mod uri;

use alloc::string::String;
use alloc::vec::Vec;

pub use crate::scalar::NotJson;
#[cfg(feature = "std")]
pub use convert::{Converted, Draft, convert};
pub use error::{DIALECT, SchemaError, SchemaErrorKind};
pub use report::{Invalid, Violation, Violations};

use keyword::Compiled;

/// What compiles regular expressions.
pub trait Engine {
    /// A regular expression that has been compiled.
    type Pattern: Pattern;

    /// Compiles a regular expression of ECMAScript in unicode mode (the flag `u`).
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn compile(&self, source: &str) -> Result<Self::Pattern, String>;

    /// What tells whether a text has a format, for an engine that asserts `format`; `None` where it is an annotation, as it is
    /// by default.
    ///
    /// # Errors
    ///
    /// Why the format cannot be asserted.
    fn format(&self, _name: &str) -> Result<Option<Self::Pattern>, String> {
        Ok(None)
    }
}

/// A regular expression.
pub trait Pattern {
    /// Whether it matches anywhere in the text.
    fn is_in(&self, text: &str) -> bool;
}

/// A schema that has been understood.
pub struct Schema<P> {
    compiled: Compiled,
    patterns: Vec<P>,
}

impl<P: Pattern> Schema<P> {
    /// Compiles the text of a schema.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong or not supported.
    pub fn compile<E: Engine<Pattern = P>>(text: &str, engine: &E) -> Result<Self, SchemaError> {
        let mut patterns = Vec::new();
        let compiled = compile::compile(text, &mut |test| {
            let pattern = match test {
                compile::Test::Pattern(source) => Some(engine.compile(source)?),
                compile::Test::Format(name) => engine.format(name)?,
            };
            let taken = pattern.is_some();
            patterns.extend(pattern);
            Ok(taken)
        })?;
        Ok(Self { compiled, patterns })
    }

    /// Checks the text of a payload, and lists at most `limit` violations.
    ///
    /// # Errors
    ///
    /// What is wrong with the payload.
    pub fn validate(&self, payload: &str, limit: usize) -> Result<(), Invalid> {
        let matches = |pattern: u32, text: &str| self.patterns.get(pattern as usize).is_some_and(|it| it.is_in(text));
        rows::validate(&self.compiled, &matches, payload, limit)
    }
}

impl<P> core::fmt::Debug for Schema<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.compiled.text)
    }
}
