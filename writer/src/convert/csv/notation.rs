//! What people and programs write where JSON has a number or `null`, for the messages that say so.

use std::fmt;

/// A value that is text by the rules, and in all likelihood not meant as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// A word for a value that is missing.
    Null,
    /// A number with a decimal comma, such as `1,5`.
    DecimalComma,
    /// A number with separators of thousands, such as `1,234.5` or `1.234,5`.
    Thousands,
    /// A number that can be either, such as `1,234`.
    Comma,
}

impl Notation {
    /// The notation of a text; `None` for what is just text.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        match text {
            [] => None,
            _ if is_null(text) => Some(Self::Null),
            [b'0'..=b'9' | b'+' | b'-', ..] if text.iter().any(|byte| b",. '".contains(byte)) => number(text),
            _ => None,
        }
    }
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "a word for null",
            Self::DecimalComma => "a number with a decimal comma",
            Self::Thousands => "a number with separators of thousands",
            Self::Comma => "a number with a decimal comma or with a separator of thousands",
        })
    }
}

fn is_null(text: &[u8]) -> bool {
    const WORDS: [&str; 16] =
        ["na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "nat", "null", "none", "nil", "\\n", "-", "--", "?", "."];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

/// Groups of digits with separators between them.
fn number(text: &[u8]) -> Option<Notation> {
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let separators: Vec<u8> = digits.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
    let groups: Vec<usize> = digits.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).collect();
    let (&last, separators_before) = separators.split_last()?;
    if groups.contains(&0) || !separators.iter().all(|byte| b",. '".contains(byte)) {
        return None;
    }
    let threes = |groups: &[usize]| groups.iter().all(|&group| group == 3) && !groups.is_empty();
    let inner = &groups[1..groups.len() - 1];
    match separators_before {
        [] if last == b',' && (groups[1] != 3 || groups[0] > 3) => Some(Notation::DecimalComma),
        [] if last == b',' => Some(Notation::Comma),
        // A point is what JSON has.
        [] if last == b'.' => None,
        [] => (groups[1] == 3 && groups[0] <= 3).then_some(Notation::Thousands),
        // One sign between the thousands, and perhaps another one before the decimals.
        [first, rest @ ..] if groups[0] <= 3 && rest.iter().all(|byte| byte == first) && threes(inner) => {
            let thousands = if last == *first { groups[groups.len() - 1] == 3 } else { b",.".contains(&last) };
            thousands.then_some(Notation::Thousands)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        use Notation::{Comma, DecimalComma, Null, Thousands};
        for (text, notation) in [
            ("NA", Some(Null)),
            ("n/a", Some(Null)),
            ("NULL", Some(Null)),
            ("None", Some(Null)),
            ("-", Some(Null)),
            ("\\N", Some(Null)),
            ("NaN", Some(Null)),
            ("Nadja", None),
            ("1,5", Some(DecimalComma)),
            ("-0,25", Some(DecimalComma)),
            ("1234,567", Some(DecimalComma)),
            ("1,2345", Some(DecimalComma)),
            ("1,234", Some(Comma)),
            ("1,234,567", Some(Thousands)),
            ("1,234.5", Some(Thousands)),
            ("1.234,5", Some(Thousands)),
            ("1.234.567", Some(Thousands)),
            ("1 234", Some(Thousands)),
            ("1 234,5", Some(Thousands)),
            ("1'234.50", Some(Thousands)),
            ("1.5", None),
            ("1,2,3", None),
            ("12,34,567", None),
            ("1.2.3", None),
            ("1,", None),
            (",5", None),
            ("1-2", None),
            ("12 34", None),
            ("", None),
        ] {
            assert_eq!(Notation::of(text.as_bytes()), notation, "{text}");
        }
    }
}
