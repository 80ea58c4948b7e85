//! Finding bytes in short texts. For long ones there is `memchr`, whose call costs more than a short field takes.

/// U+FEFF, as some programs write it at the start of a file in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

const ONES: u64 = u64::MAX / 0xff;
const HIGH: u64 = ONES << 7;

/// Where the first of these stands from `at` on: a quote, `other`, or a control character (below U+0020). The length of
/// `bytes` if there is none.
#[inline]
pub(super) fn special(bytes: &[u8], mut at: usize, other: u8) -> usize {
    // Eight bytes at a time. Each term sets the high bit of the bytes that it looks for; a borrow can set further ones,
    // but only behind the first.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let other_word = ONES * u64::from(other);
    while let Some(&block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(block);
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (quote | zeros(word ^ other_word) | control) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += block.len();
    }
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x20 || byte == b'"' || byte == other {
            break;
        }
        at += 1;
    }
    at
}

/// The pieces of `bytes` from `at` on that end with `separator`, up to the first other [`special`] byte. Returns where the
/// piece with that byte starts, and where the byte stands.
#[inline]
pub(super) fn specials(bytes: &[u8], at: usize, separator: u8, mut piece: impl FnMut(usize, usize)) -> (usize, usize) {
    // As above, but each term is exact, so that all of a word can be used.
    const LOW: u64 = !HIGH;
    let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
    let separator_word = ONES * u64::from(separator);
    let mut start = at;
    let mut base = at;
    while let Some(&block) = bytes.get(base..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(block);
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let control = zeros(word & (ONES * 0xe0));
        let mut found = zeros(word ^ separator_word) | quote | control;
        while found != 0 {
            let end = base + (found.trailing_zeros() / 8) as usize;
            if bytes[end] != separator {
                return (start, end);
            }
            piece(start, end);
            start = end + 1;
            found &= found - 1;
        }
        base += block.len();
    }
    let mut end = special(bytes, base.min(bytes.len()), separator);
    while bytes.get(end) == Some(&separator) {
        piece(start, end);
        start = end + 1;
        end = special(bytes, start, separator);
    }
    (start, end)
}

/// How many line feeds there are.
pub(super) fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// How many characters start in them.
pub(super) fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0b1100_0000 != 0b1000_0000).count() as u64
}

/// Whether there is a byte order mark in them.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, BYTE_ORDER_MARK).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of bytes at every place of a text that is longer than a word, against the obvious search.
    #[test]
    fn special_finds_the_first() {
        let mut text = [b'x'; 19];
        for other in [b',', b'\\', b'\t', b'|'] {
            for place in 0..text.len() {
                for byte in 0..=u8::MAX {
                    text[place] = byte;
                    for from in [0, 1, 8, place] {
                        let wanted = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == other;
                        let found = text[from..].iter().position(wanted).map_or(text.len(), |found| from + found);
                        assert_eq!(special(&text, from, other), found, "{byte} at {place}, {other} from {from}");
                    }
                }
                text[place] = [0x80, 0x21, 0x1f, b'"', 0xff][place % 5];
            }
            text = [b'x'; 19];
        }
    }
}
