//! What a setting can be: one parser for each kind of value, which the keys of `lastgood.toml` and the options of the command
//! share, so that neither takes what the other refuses.

use std::time::Duration;

use lastgood_protocol::marker::MAX_LEASE_MS;

pub(super) const TIME: &str = "a time such as \"30s\", \"5m\" or \"1h\"";
pub(super) const SIZE: &str = "a size such as \"500KiB\" or \"64MiB\", or a number of bytes";
pub(super) const LEASE: &str = "a time up to \"1h\", such as \"60s\"";
pub(super) const AGE: &str = "a time such as \"2h\", or \"never\"";
pub(super) const LIFETIME: &str = "a time above zero such as \"26h\", or \"never\"";
pub(super) const GZIP: &str = "a level from 1 to 9, or \"off\"";
pub(super) const BROTLI: &str = "a quality from 0 to 11, or \"off\"";
pub(super) const KEEP: &str = "a number of generations from 1";
pub(super) const VERSION: &str = "a number from 1";
pub(super) const ROWS: &str = "a number of rows";

/// A text that is no value of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Unfit {
    /// What it can be.
    pub expected: &'static str,
}

/// A time after which something holds no longer; without one it holds for ever.
///
/// A type of its own, because an `Option` that is a value differs from a value that is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Duration>);

/// A level of compression; without one there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(pub Option<u32>);

/// A span of time: how long to wait, or how old something may be.
///
/// # Errors
/// When it is none, or has no unit.
pub fn time(text: &str) -> Result<Duration, Unfit> {
    humantime::parse_duration(text).map_err(|_| Unfit { expected: TIME })
}

/// How long readers believe a lock marker.
///
/// # Errors
/// Also when it is longer than they honour, or zero.
pub fn lease(text: &str) -> Result<Duration, Unfit> {
    let lease = time(text).ok().filter(|time| i64::try_from(time.as_millis()).is_ok_and(|ms| ms <= MAX_LEASE_MS));
    lease.filter(lasts).ok_or(Unfit { expected: LEASE })
}

/// From which age on a lock marker counts as left behind, or `never`.
///
/// # Errors
/// When it is neither.
pub fn age(text: &str) -> Result<Limit, Unfit> {
    limit(text).ok_or(Unfit { expected: AGE })
}

/// How long what is published counts as current, or `never` for no limit. What had expired when it was published would be
/// of no use to any reader.
///
/// # Errors
/// When it is neither, or ends at once.
pub fn lifetime(text: &str) -> Result<Limit, Unfit> {
    limit(text).filter(|limit| limit.0.as_ref().is_none_or(lasts)).ok_or(Unfit { expected: LIFETIME })
}

/// A number of bytes.
///
/// # Errors
/// When it is none.
pub fn size(text: &str) -> Result<u64, Unfit> {
    text.parse::<bytesize::ByteSize>().map(|size| size.as_u64()).map_err(|_| Unfit { expected: SIZE })
}

/// The level of gzip, or `off`.
///
/// # Errors
/// When it is neither, or beyond what there is.
pub fn gzip(text: &str) -> Result<Level, Unfit> {
    level(text, 1, 9).ok_or(Unfit { expected: GZIP })
}

/// The quality of Brotli, or `off`.
///
/// # Errors
/// When it is neither, or beyond what there is.
pub fn brotli(text: &str) -> Result<Level, Unfit> {
    level(text, 0, 11).ok_or(Unfit { expected: BROTLI })
}

/// How many generations are kept.
///
/// # Errors
/// When it is no number, or none would be.
pub fn keep(text: &str) -> Result<usize, Unfit> {
    number(text).and_then(|keep| keep.try_into().ok()).filter(|&keep| keep > 0).ok_or(Unfit { expected: KEEP })
}

/// The publisher's own number for a shape.
///
/// # Errors
/// When it is none, or zero.
pub fn version(text: &str) -> Result<u32, Unfit> {
    let version = number(text).and_then(|version| version.try_into().ok());
    version.filter(|&version| version > 0).ok_or(Unfit { expected: VERSION })
}

/// A number of rows.
///
/// # Errors
/// When it is none.
pub fn rows(text: &str) -> Result<u64, Unfit> {
    number(text).ok_or(Unfit { expected: ROWS })
}

fn limit(text: &str) -> Option<Limit> {
    if text == "never" { Some(Limit(None)) } else { time(text).ok().map(|time| Limit(Some(time))) }
}

fn level(text: &str, least: u64, most: u64) -> Option<Level> {
    if text == "off" {
        return Some(Level(None));
    }
    let level = number(text).filter(|level| (least..=most).contains(level))?;
    u32::try_from(level).ok().map(|level| Level(Some(level)))
}

/// Digits alone: what TOML writes as a number has no sign and no space here.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a time is more than nothing, in the milliseconds that the manifest and the markers count.
fn lasts(time: &Duration) -> bool {
    time.as_millis() > 0
}
