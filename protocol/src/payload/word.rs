//! Where tokens end.

/// Tokens shorter than this are left unread until their end is known; only
/// numbers and strings grow longer, and those are read piece by piece.
pub(super) const LOOKAHEAD: usize = 48;

/// So much of a word is enough to refuse it, and more than a message quotes.
const LONGEST_WORD: usize = LOOKAHEAD - 1;

/// The word or else the one character at `at`; nothing if the text to come
/// could make the word longer. Words beyond [`LONGEST_WORD`] are cut.
pub(super) fn word(text: &str, at: usize, last: bool) -> Option<&str> {
    let rest = &text[at..];
    let limit = rest.len().min(LONGEST_WORD);
    let len = rest.as_bytes()[..limit]
        .iter()
        .position(|&byte| !is_word(byte))
        .unwrap_or(limit);
    if len == rest.len() && len < LONGEST_WORD && !last {
        return None;
    }
    let first = rest.chars().next().map_or(0, char::len_utf8);
    Some(&rest[..len.max(first)])
}

/// Whether a byte belongs to the same token as the word or number before it.
#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

#[inline]
pub(super) fn skip_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}
