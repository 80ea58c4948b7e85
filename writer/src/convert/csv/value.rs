//! What the text of a field can be.

/// The largest integer that a double holds together with all its neighbours: 2^53 − 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Every integer with at most this many digits is safe.
const SAFE_DIGITS: usize = 15;

/// Every number with at most this many digits before the point and no exponent is less than the largest double.
const FINITE_DIGITS: usize = 308;

/// The narrowest reading of a field that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// An integer of JSON within ±(2^53 − 1).
    Integer,
    /// An integer of JSON beyond that: a browser may change it.
    UnsafeInteger,
    /// Another number of JSON.
    Float,
    /// Another number of JSON that overflows a double.
    UnsafeFloat,
    /// NaN or infinite.
    NotFinite,
    /// True or false.
    Boolean,
    /// Nothing of that.
    Text,
}

impl Value {
    #[inline]
    pub(super) fn of(field: &[u8]) -> Self {
        match field.first() {
            Some(b'0'..=b'9') => number(field),
            Some(b'-') if field.get(1).is_some_and(u8::is_ascii_digit) => number(field),
            Some(b't' | b'T' | b'f' | b'F') if boolean(field).is_some() => Self::Boolean,
            Some(b'n' | b'N' | b'i' | b'I' | b'+' | b'-') if not_finite(field).is_some() => Self::NotFinite,
            _ => Self::Text,
        }
    }
}

/// `true` or `false`, in any case.
pub(super) fn boolean(field: &[u8]) -> Option<&'static str> {
    match field.len() {
        4 if field.eq_ignore_ascii_case(b"true") => Some("true"),
        5 if field.eq_ignore_ascii_case(b"false") => Some("false"),
        _ => None,
    }
}

/// The numbers that JSON lacks, as Python, R and C write them, in the notation of Python's JSON.
pub(super) fn not_finite(field: &[u8]) -> Option<&'static str> {
    let (negative, word) = match field {
        [b'-', word @ ..] => (true, word),
        [b'+', word @ ..] => (false, word),
        word => (false, word),
    };
    if word.eq_ignore_ascii_case(b"nan") {
        return Some("NaN");
    }
    let infinite = word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"infinity");
    infinite.then_some(if negative { "-Infinity" } else { "Infinity" })
}

/// A field that starts with a digit, or with a minus sign and a digit.
fn number(field: &[u8]) -> Value {
    let mut at = usize::from(field[0] == b'-');
    let integer = digits(field, at);
    if field[at] == b'0' && integer > 1 {
        return Value::Text;
    }
    let first = at;
    at += integer;
    if at == field.len() {
        return match integer <= SAFE_DIGITS || is_safe(&field[first..]) {
            true => Value::Integer,
            false => Value::UnsafeInteger,
        };
    }
    if field[at] == b'.' {
        let fraction = digits(field, at + 1);
        if fraction == 0 {
            return Value::Text;
        }
        at += 1 + fraction;
    }
    if at == field.len() {
        return if integer <= FINITE_DIGITS || is_finite(field) { Value::Float } else { Value::UnsafeFloat };
    }
    if !matches!(field[at], b'e' | b'E') {
        return Value::Text;
    }
    at += 1 + usize::from(matches!(field.get(at + 1), Some(b'+' | b'-')));
    let exponent = digits(field, at);
    match exponent > 0 && at + exponent == field.len() {
        true if is_finite(field) => Value::Float,
        true => Value::UnsafeFloat,
        false => Value::Text,
    }
}

#[inline]
fn digits(field: &[u8], from: usize) -> usize {
    field[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_safe(digits: &[u8]) -> bool {
    let value = str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
    value.is_some_and(|value| value <= MAX_SAFE_INTEGER)
}

fn is_finite(number: &[u8]) -> bool {
    let value = str::from_utf8(number).ok().and_then(|number| number.parse::<f64>().ok());
    value.is_some_and(f64::is_finite)
}
