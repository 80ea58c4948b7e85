//! What stands between the quotes of a string.

use alloc::vec::Vec;

/// Where the plain text that starts at `at` ends: at a quote, a backslash, a
/// control character or the end of `bytes`.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    // Eight bytes at a time. Each term sets the high bit of the bytes that it
    // looks for; a borrow can set further ones, but only behind the first.
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    while let Some(&block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(block);
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let backslash = zeros(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | backslash | control) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += block.len();
    }
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        at += 1;
    }
    at
}

/// An escape sequence, or the pair of them that makes up one character.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    Char {
        char: char,
        len: usize,
    },
    /// Half of a surrogate pair without the other half.
    Unpaired {
        unit: u16,
        len: usize,
    },
    /// The text ends before the escape is decided.
    Incomplete,
    /// Not an escape; `len` includes the character that spoils it.
    Invalid {
        expected: &'static str,
        len: usize,
    },
}

/// Reads the escape at the start of `text`, which is a backslash.
pub(crate) fn escape(text: &str) -> Escape {
    let Some(kind) = text.chars().nth(1) else {
        return Escape::Incomplete;
    };
    let char = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(text),
        _ => {
            return Escape::Invalid {
                expected: r#"one of " \ / b f n r t u after a backslash"#,
                len: 1 + kind.len_utf8(),
            };
        }
    };
    Escape::Char { char, len: 2 }
}

fn unicode_escape(text: &str) -> Escape {
    const LEN: usize = r"\u0000".len();
    let unit = match hex_unit(behind(text, 2)) {
        Hex::Unit(unit) => unit,
        Hex::Incomplete => return Escape::Incomplete,
        Hex::Invalid(len) => {
            return Escape::Invalid { expected: r"four hexadecimal digits after \u", len: 2 + len };
        }
    };
    if let Some(char) = char::from_u32(u32::from(unit)) {
        return Escape::Char { char, len: LEN };
    }
    let unpaired = Escape::Unpaired { unit, len: LEN };
    if unit >= 0xdc00 {
        return unpaired;
    }
    let rest = behind(text, LEN);
    let Some(second) = rest.strip_prefix(r"\u") else {
        return match r"\u".starts_with(rest) {
            true => Escape::Incomplete,
            false => unpaired,
        };
    };
    match hex_unit(second) {
        Hex::Incomplete => Escape::Incomplete,
        Hex::Unit(low) => match char::decode_utf16([unit, low]).next() {
            Some(Ok(char)) => Escape::Char { char, len: 2 * LEN },
            _ => unpaired,
        },
        Hex::Invalid(_) => unpaired,
    }
}

fn behind(text: &str, len: usize) -> &str {
    text.get(len..).unwrap_or_default()
}

enum Hex {
    Unit(u16),
    Incomplete,
    /// The length up to and including what is not a digit.
    Invalid(usize),
}

fn hex_unit(text: &str) -> Hex {
    let mut unit = 0;
    let mut digits = 0;
    for (at, char) in text.char_indices().take(4) {
        let Some(digit) = char.to_digit(16) else {
            return Hex::Invalid(at + char.len_utf8());
        };
        unit = unit << 4 | digit;
        digits += 1;
    }
    match u16::try_from(unit) {
        Ok(unit) if digits == 4 => Hex::Unit(unit),
        _ => Hex::Incomplete,
    }
}

/// Appends a surrogate to unescaped text as if it were a character (WTF-8), so
/// that different texts stay different.
pub(crate) fn push_surrogate(text: &mut Vec<u8>, unit: u16) {
    let [high, low] = unit.to_be_bytes();
    text.extend([
        0b1110_0000 | high >> 4,
        0b1000_0000 | (high & 0b1111) << 2 | low >> 6,
        0b1000_0000 | low & 0b11_1111,
    ]);
}
