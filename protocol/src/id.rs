//! Random identifiers: of a feed, of a commit.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::hex;

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The identity of a feed, a version-4 UUID drawn when the feed is created.
///
/// It tells a feed that was created again (whose generations start again) from one that was rolled back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FeedId([u8; 16]);

impl FeedId {
    /// Makes an id from 16 random bytes.
    #[must_use]
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        // Version and variant of RFC 9562, section 5.4.
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

/// The identity of a commit: 128 random bits, unique; as text 32 lower-case hex digits.
///
/// A writer that lost the answer to its own commit finds out by it whether the commit happened (I4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId([u8; 16]);

impl CommitId {
    /// Makes an id from 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected {expected}")]
pub struct InvalidId {
    /// The form that was expected.
    pub expected: &'static str,
}

impl FromStr for FeedId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { expected: "a UUID in lower case, such as 6f1c0b52-9a3e-4d67-8f00-1b2c3d4e5f60" };
        let shaped = text.len() == 36 && text.bytes().enumerate().all(|(i, b)| HYPHENS.contains(&i) == (b == b'-'));
        let digits: String = text.chars().filter(|&c| c != '-').collect();
        let mut bytes = [0; 16];
        if !shaped || hex::decode(&digits, &mut bytes).is_none() {
            return Err(invalid);
        }
        Ok(Self(bytes))
    }
}

impl FromStr for CommitId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 16];
        hex::decode(text, &mut bytes).ok_or(InvalidId { expected: "32 lower-case hex digits" })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = hex::encode(&self.0);
        for at in HYPHENS {
            text.insert(at, '-');
        }
        f.write_str(&text)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

macro_rules! text_conversions {
    ($($type:ident),+) => {$(
        impl TryFrom<String> for $type {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(id: $type) -> String {
                id.to_string()
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }
    )+};
}
text_conversions!(FeedId, CommitId);
