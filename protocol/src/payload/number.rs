//! Number tokens: their grammar, and what a browser would make of their value.

use std::cmp::Ordering;

use super::word::is_word;

/// The largest integer that a double holds together with all its neighbours: 2^53 − 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Every integer with at most this many digits is safe.
const SAFE_DIGITS: usize = 15;

/// 2^1024 − 2^970, halfway between the largest double and the next power of
/// two: the smallest magnitude that rounds to infinity. Its first digit stands
/// for 10^[`OVERFLOW_ORDER`]; its last digit is not zero.
const OVERFLOW: &[u8; 309] = b"\
17976931348623158079372897140530341507993413271003782693617377898044496829276475\
09466490179775872070963302864166928879109465555478519404026306574886715058206819\
08902000708383676273854845817711531764475730270069855571366959622842914819860834\
936475292719074168444365510704342711559699508093042880177904174497792";
const OVERFLOW_ORDER: i64 = 308;

/// Exponents saturate here: far above the order of the digits of any token that
/// exists, and low enough for the two to be added.
const MAX_EXPONENT: i64 = 1 << 61;

/// The length of the number at the start of `bytes` when it ends there and is
/// plainly harmless: at most 15 integer digits, and an exponent that is negative
/// or has two digits.
///
/// Almost every number takes this way; [`Number`] decides about the rest.
#[inline]
pub(super) fn plain_number(bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let integer = digits(&bytes[at..]);
    if integer == 0 || integer > SAFE_DIGITS || (integer > 1 && bytes[at] == b'0') {
        return None;
    }
    at += integer;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(&bytes[at + 1..]);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        let sign = bytes.get(at).filter(|sign| matches!(sign, b'+' | b'-'));
        at += usize::from(sign.is_some());
        let exponent = digits(&bytes[at..]);
        if exponent == 0 || (exponent > 2 && sign != Some(&b'-')) {
            return None;
        }
        at += exponent;
    }
    bytes
        .get(at)
        .is_some_and(|&next| !is_word(next))
        .then_some(at)
}

#[inline]
fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(bytes.len())
}

/// What a double makes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Safe,
    /// An integer token beyond ±(2^53 − 1).
    UnsafeInteger,
    /// The nearest double is infinite.
    Overflow,
}

/// A number token that is read piece by piece, of any length, in constant memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    phase: Phase,
    /// The digits before the point, saturating.
    integer: u64,
    /// How many digits there are from the first one that is not zero.
    significant: u64,
    /// The significant digits so far, compared with as many of [`OVERFLOW`].
    against_overflow: Ordering,
    /// The power of ten of the first significant digit, before the exponent.
    order: i64,
    /// How many digits stood behind the point.
    fraction: i64,
    exponent: i64,
    exponent_negative: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Start,
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    ExponentMark,
    ExponentSign,
    Exponent,
}

impl Number {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Start,
            integer: 0,
            significant: 0,
            against_overflow: Ordering::Equal,
            order: 0,
            fraction: 0,
            exponent: 0,
            exponent_negative: false,
        }
    }

    /// Takes as many bytes as the grammar of a number allows and says how many.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            let Some(phase) = self.phase.after(byte) else {
                return at;
            };
            self.phase = phase;
            match phase {
                Phase::Zero | Phase::Integer => self.integer_digit(byte - b'0'),
                Phase::Fraction => self.fraction_digit(byte - b'0'),
                Phase::ExponentSign => self.exponent_negative = byte == b'-',
                Phase::Exponent => self.exponent_digit(byte - b'0'),
                Phase::Start | Phase::Minus | Phase::Point | Phase::ExponentMark => {}
            }
        }
        bytes.len()
    }

    /// Whether the bytes so far are a whole number.
    pub(super) fn is_complete(&self) -> bool {
        matches!(
            self.phase,
            Phase::Zero | Phase::Integer | Phase::Fraction | Phase::Exponent
        )
    }

    /// What the grammar wants next, or would have wanted instead of the byte
    /// that [`Number::advance`] stopped at.
    pub(super) fn expected(&self) -> &'static str {
        match self.phase {
            Phase::Start | Phase::Minus => "a digit after the minus sign",
            Phase::Zero => "a number without leading zeros",
            Phase::Point => "a digit after the decimal point",
            Phase::ExponentMark | Phase::ExponentSign => "a digit in the exponent",
            Phase::Integer | Phase::Fraction | Phase::Exponent => "a number",
        }
    }

    /// Judges a complete number, exactly.
    pub(super) fn verdict(&self) -> Verdict {
        let integer_token = matches!(self.phase, Phase::Zero | Phase::Integer);
        if self.overflows() {
            Verdict::Overflow
        } else if integer_token && self.integer > MAX_SAFE_INTEGER {
            Verdict::UnsafeInteger
        } else {
            Verdict::Safe
        }
    }

    fn overflows(&self) -> bool {
        let exponent = if self.exponent_negative {
            -self.exponent
        } else {
            self.exponent
        };
        // A token that agrees with all digits of the limit is at least the
        // limit; one that ends earlier is below it, because the limit goes on.
        let reaches_limit = match self.against_overflow {
            Ordering::Less => false,
            Ordering::Equal => self.significant >= OVERFLOW.len() as u64,
            Ordering::Greater => true,
        };
        match (self.order + exponent).cmp(&OVERFLOW_ORDER) {
            _ if self.significant == 0 => false,
            Ordering::Less => false,
            Ordering::Equal => reaches_limit,
            Ordering::Greater => true,
        }
    }

    fn integer_digit(&mut self, digit: u8) {
        self.integer = self
            .integer
            .saturating_mul(10)
            .saturating_add(u64::from(digit));
        if self.significant > 0 {
            self.order += 1;
        }
        self.significant_digit(digit);
    }

    fn fraction_digit(&mut self, digit: u8) {
        self.fraction += 1;
        if self.significant == 0 {
            self.order = -self.fraction;
        }
        self.significant_digit(digit);
    }

    fn significant_digit(&mut self, digit: u8) {
        if self.significant == 0 && digit == 0 {
            return;
        }
        if self.against_overflow == Ordering::Equal {
            let limit = usize::try_from(self.significant)
                .ok()
                .and_then(|place| OVERFLOW.get(place));
            if let Some(limit) = limit {
                self.against_overflow = digit.cmp(&(limit - b'0'));
            }
        }
        self.significant += 1;
    }

    fn exponent_digit(&mut self, digit: u8) {
        self.exponent = self
            .exponent
            .saturating_mul(10)
            .saturating_add(i64::from(digit))
            .min(MAX_EXPONENT);
    }
}

impl Phase {
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Start, b'-') => Self::Minus,
            (Self::Start | Self::Minus, b'0') => Self::Zero,
            (Self::Start | Self::Minus, b'1'..=b'9') => Self::Integer,
            (Self::Integer, b'0'..=b'9') => Self::Integer,
            (Self::Zero | Self::Integer, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Self::ExponentMark,
            (Self::ExponentMark, b'+' | b'-') => Self::ExponentSign,
            (Self::ExponentMark | Self::ExponentSign | Self::Exponent, b'0'..=b'9') => {
                Self::Exponent
            }
            _ => return None,
        })
    }
}
