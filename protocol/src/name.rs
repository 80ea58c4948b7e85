//! Names that become part of a path or a URL.
//!
//! Both types can be built only by their parsing constructors, and [`layout`](crate::layout) derives every path from
//! them, so no input reaches a path unparsed.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::json::quoted;

/// The name of a dataset: `[a-z0-9][a-z0-9_-]{0,63}`, not `manifest`, not `last_update`, not ending in `_backup`.
///
/// The three exceptions would collide with `manifest.json`, with `last_update.txt` (the plain copy of a text artifact of
/// that name) and with the backup copy of another dataset. Upper case is left out because file systems and buckets
/// disagree about whether it differs from lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

impl DatasetName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Parses a name.
    ///
    /// # Errors
    /// Says which rule the name breaks.
    ///
    /// ```
    /// use lastgood_protocol::name::DatasetName;
    ///
    /// assert_eq!(DatasetName::parse("daily-sales_2").unwrap().as_str(), "daily-sales_2");
    /// assert!(DatasetName::parse("../etc/passwd").is_err());
    /// ```
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        let refuse = |problem| Err(InvalidName { name: name.chars().take(80).collect(), problem });
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match name.as_bytes() {
            [] => return refuse(NameProblem::Empty),
            [first, ..] if !allowed(*first) => return refuse(NameProblem::FirstCharacter),
            bytes if !bytes.iter().all(|&b| allowed(b) || b == b'_' || b == b'-') => {
                return refuse(NameProblem::Character);
            }
            bytes if bytes.len() > Self::MAX_LEN => return refuse(NameProblem::TooLong),
            _ => {}
        }
        if name == "manifest" || name == "last_update" || name.ends_with("_backup") {
            return refuse(NameProblem::Reserved);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that breaks a rule of [`DatasetName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is not a dataset name: {problem}; a name is 1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit",
    quoted(name)
)]
pub struct InvalidName {
    /// The beginning of the refused name.
    pub name: String,
    /// The rule that it breaks.
    pub problem: NameProblem,
}

/// The rule that a name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// The first character is none of `a-z0-9`.
    #[error("it starts with a character other than a-z and 0-9")]
    FirstCharacter,
    /// A later character is none of `a-z0-9_-`.
    #[error("it has a character other than a-z, 0-9, _ and -")]
    Character,
    /// It has more than 64 characters.
    #[error("it is longer than 64 characters")]
    TooLong,
    /// It is `manifest` or `last_update`, or it ends in `_backup`.
    #[error("\"manifest\", \"last_update\" and names ending in \"_backup\" are taken by the feed's own files")]
    Reserved,
}

/// The extension of an object: `[a-z0-9]{1,8}`; `json` unless the dataset is an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ext(Cow<'static, str>);

const JSON: &str = "json";

impl Ext {
    /// Parses an extension, given without its dot.
    ///
    /// # Errors
    /// When it is not `[a-z0-9]{1,8}`.
    pub fn parse(ext: &str) -> Result<Self, InvalidExt> {
        let fits = (1..=8).contains(&ext.len()) && ext.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if ext == JSON {
            Ok(Self::json())
        } else if fits {
            Ok(Self(ext.to_owned().into()))
        } else {
            Err(InvalidExt { ext: ext.chars().take(20).collect() })
        }
    }

    /// The extension of JSON payloads and of schemas.
    #[must_use]
    pub fn json() -> Self {
        // Borrowed: a large manifest has thousands of them.
        Self(Cow::Borrowed(JSON))
    }

    /// The extension as text, without a dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether payload rules and a schema apply.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.0 == JSON
    }
}

/// An extension that is not `[a-z0-9]{1,8}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not an extension: expected 1 to 8 of a-z and 0-9", quoted(ext))]
pub struct InvalidExt {
    /// The beginning of the refused extension.
    pub ext: String,
}

macro_rules! text_conversions {
    ($($type:ident, $error:ident);+) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $type {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.0.into()
            }
        }
    )+};
}
text_conversions!(DatasetName, InvalidName; Ext, InvalidExt);
