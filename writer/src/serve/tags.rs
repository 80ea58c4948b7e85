//! Entity tags, and the lists of them in preconditions (RFC 9110, sections 8.8.3 and 13.1).

use axum::http::header::HeaderName;
use axum::http::{HeaderMap, HeaderValue};

/// A strong entity tag of this server.
///
/// Invariant: a quotation mark, visible ASCII characters that are none, a quotation mark.
#[derive(Clone, Debug)]
pub(super) struct EntityTag(HeaderValue);

/// Whether a tag that is marked as weak (`W/`) can be the one that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Strong,
    Weak,
}

impl EntityTag {
    /// `opaque` is made of letters, digits, hyphens and dots.
    pub(super) fn new(opaque: &str) -> Self {
        let quoted = format!("\"{opaque}\"");
        Self(quoted.try_into().expect("letters, digits and ASCII punctuation make a header value"))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether the header `name` of a request lists this tag, or is `*`; `None` when there is no such header. What is
    /// malformed lists nothing from there on.
    // Not `headers::IfNoneMatch`: it asserts that tags are well-formed instead of refusing them.
    pub(super) fn is_listed(&self, request: &HeaderMap, name: &HeaderName, comparison: Comparison) -> Option<bool> {
        let lines = request.get_all(name);
        let mut lines = lines.iter().peekable();
        lines.peek()?;
        Some(lines.any(|line| self.is_in(line.as_bytes(), comparison)))
    }

    fn is_in(&self, list: &[u8], comparison: Comparison) -> bool {
        if list.trim_ascii() == b"*" {
            return true;
        }
        let mut rest = list;
        loop {
            rest = trim_separators(rest);
            let (weak, tag) = rest.strip_prefix(b"W/").map_or((false, rest), |tag| (true, tag));
            let Some(len) = quoted(tag) else { return false };
            let (tag, after) = tag.split_at(len);
            if tag == self.0.as_bytes() && (!weak || comparison == Comparison::Weak) {
                return true;
            }
            rest = after;
        }
    }
}

fn trim_separators(list: &[u8]) -> &[u8] {
    let begin = list.iter().position(|byte| !b" \t,".contains(byte)).unwrap_or(list.len());
    &list[begin..]
}

/// The length of the quoted text that `bytes` begin with.
fn quoted(bytes: &[u8]) -> Option<usize> {
    let inside = bytes.strip_prefix(b"\"")?;
    Some(inside.iter().position(|byte| *byte == b'"')? + 2)
}
