//! Numbers as they are written, compared exactly: no digit is lost to a double.

use core::cmp::Ordering;

/// Exponents saturate here: far beyond the digits of any text, and low enough for the two to be added.
const MAX_EXPONENT: i64 = 1 << 60;

/// The number without what is behind the point; `None` when it has an exponent or is long. Of numbers whose whole parts are
/// different, these decide which is larger.
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    if text.len() > 18 {
        return None;
    }
    let mut whole = 0;
    let mut point = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' if point => {}
            b'0'..=b'9' => whole = 10 * whole + i64::from(byte - b'0'),
            b'.' => point = true,
            _ => return None,
        }
    }
    Some(if negative { -whole } else { whole })
}

/// A JSON number. Apart from the sign it is `0.digits × 10^(order + 1)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    negative: bool,
    /// From the first digit that is not zero to the last, with the point if it is between them; empty for zero.
    digits: &'a [u8],
    /// The power of ten of the first digit.
    order: i64,
    /// The power of ten of the last digit.
    lowest: i64,
}

impl<'a> Decimal<'a> {
    /// Takes a number that is written as JSON wants it.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (negative, bytes) = match bytes.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, bytes),
        };
        let (mut first, mut last, mut point, mut end) = (None, 0, None, bytes.len());
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'0' => {}
                b'1'..=b'9' => {
                    first = first.or(Some(at));
                    last = at;
                }
                b'.' => point = Some(at),
                _ => {
                    end = at;
                    break;
                }
            }
        }
        let Some(first) = first else {
            return Self { negative: false, digits: &[], order: 0, lowest: 0 };
        };
        let point = point.unwrap_or(end);
        let exponent = exponent_of(bytes.get(end..).unwrap_or_default());
        let power = |at: usize| point as i64 - at as i64 - i64::from(at < point) + exponent;
        Self { negative, digits: bytes.get(first..=last).unwrap_or_default(), order: power(first), lowest: power(last) }
    }

    pub(super) fn is_integer(self) -> bool {
        self.lowest >= 0
    }

    pub(super) fn is_zero(self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten of its first digit, and its digits: what numbers that are equal have in common.
    pub(super) fn normal(self) -> (bool, i64, impl Iterator<Item = u8>) {
        (self.negative, self.order, self.digits())
    }

    pub(super) fn compare(self, other: Decimal<'_>) -> Ordering {
        match (self.sign(), other.sign()) {
            (1, 1) => self.magnitude(other),
            (-1, -1) => other.magnitude(self),
            (sign, others) => sign.cmp(&others),
        }
    }

    /// The integer, if it is one that is not negative; the largest there is for one that is larger.
    pub(super) fn count(self) -> Option<u64> {
        if self.negative || !self.is_integer() {
            return None;
        }
        let zeros = u32::try_from(self.lowest).unwrap_or(u32::MAX);
        let digits = self.digits().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit)));
        Some(digits.saturating_mul(10_u64.saturating_pow(zeros)))
    }

    fn sign(self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn magnitude(self, other: Decimal<'_>) -> Ordering {
        // The last digit is not zero, so of two that begin alike the longer is larger.
        self.order.cmp(&other.order).then_with(|| self.digits().cmp(other.digits()))
    }

    fn digits(self) -> impl Iterator<Item = u8> {
        self.digits.iter().filter(|&&byte| byte != b'.').map(|byte| byte - b'0')
    }
}

/// The value of an exponent with its mark and sign.
fn exponent_of(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let exponent =
        digits.fold(0_i64, |sum, byte| sum.saturating_mul(10).saturating_add(i64::from(byte - b'0')).min(MAX_EXPONENT));
    if text.get(1) == Some(&b'-') { -exponent } else { exponent }
}

/// What numbers are to be a multiple of: `digits × 10^lowest`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Divisor {
    digits: u64,
    lowest: i64,
}

/// How many digits a divisor may have, so that ten times a remainder and one more digit fit into 64 bits.
pub(super) const DIVISOR_DIGITS: usize = 18;

impl Divisor {
    /// `None` for what is not above zero or has more than [`DIVISOR_DIGITS`].
    pub(super) fn new(number: Decimal<'_>) -> Option<Self> {
        if number.negative || number.is_zero() || number.digits().count() > DIVISOR_DIGITS {
            return None;
        }
        let digits = number.digits().fold(0, |sum, digit| sum * 10 + u64::from(digit));
        Some(Self { digits, lowest: number.lowest })
    }

    pub(super) fn divides(self, number: Decimal<'_>) -> bool {
        if number.is_zero() {
            return true;
        }
        // The last digit of the number is not zero, so no multiple of ten times the divisor's digits makes it.
        let Ok(zeros) = u64::try_from(number.lowest - self.lowest) else {
            return false;
        };
        // A divisor below 2^60 has fewer factors of two and of five than this; more zeros change nothing.
        let zeros = zeros.min(60) as usize;
        let digits = number.digits().chain(core::iter::repeat_n(0, zeros));
        digits.fold(0, |rest, digit| (rest * 10 + u64::from(digit)) % self.digits) == 0
    }
}
