//! How much smaller a payload may be than the one before it.

use std::fmt;
use std::str::FromStr;

const WHOLE: u64 = 1_000_000;

/// A part of a whole, such as `50%` or `0.5`, exact to a millionth.
///
/// ```
/// use lastgood::Shrink;
///
/// let shrink: Shrink = "12.5%".parse()?;
/// assert_eq!(shrink, "0.125".parse()?);
/// assert_eq!(shrink.to_string(), "12.5%");
/// assert!("120%".parse::<Shrink>().is_err());
/// # Ok::<(), lastgood::InvalidShrink>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shrink {
    millionths: u64,
}

/// A text that is not a part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a part from 0% to 100%, such as 50% or 0.5")]
pub struct InvalidShrink;

impl Shrink {
    /// What at least remains of `whole` after shrinking by this much.
    pub(super) fn least_of(self, whole: u64) -> u64 {
        let rest = u128::from(whole) * u128::from(WHOLE - self.millionths);
        u64::try_from(rest.div_ceil(u128::from(WHOLE))).expect("a part of a u64 is one")
    }
}

impl FromStr for Shrink {
    type Err = InvalidShrink;

    fn from_str(text: &str) -> Result<Self, InvalidShrink> {
        let (number, decimals) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 4),
            None => (text, 6),
        };
        let (integer, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(integer, 3) || !digits(fraction, decimals) {
            return Err(InvalidShrink);
        }
        // The digits with the point moved: "12.5" per cent are 125000 millionths.
        let millionths = format!("{integer}{fraction:0<decimals$}").parse().map_err(|_| InvalidShrink)?;
        if millionths > WHOLE { Err(InvalidShrink) } else { Ok(Self { millionths }) }
    }
}

impl fmt::Display for Shrink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        match rest {
            0 => write!(f, "{percent}%"),
            _ => write!(f, "{percent}.{}%", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}
