//! References to URIs, as far as `$id` and `$ref` need them: RFC 3986, section 5.2.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// The parts of a reference with what marks them, such as `https:`, `//example.com`, `/path` and `?query`; empty without.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

/// The reference and its fragment, if it has one.
pub(super) fn split_fragment(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('#') {
        Some((uri, fragment)) => (uri, Some(fragment)),
        None => (reference, None),
    }
}

/// What a reference without a fragment means in a document at `base`.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    let (base, reference) = (parts(base), parts(reference));
    let (scheme, authority) = match (reference.scheme, reference.authority) {
        ("", "") => (base.scheme, base.authority),
        ("", authority) => (base.scheme, authority),
        own => own,
    };
    let has_root = reference.scheme.len() + reference.authority.len() > 0 || reference.path.starts_with('/');
    let (path, query) = match (reference.path, reference.query) {
        (path, query) if has_root => (without_dots(path), query),
        ("", "") => (base.path.to_owned(), base.query),
        ("", query) => (base.path.to_owned(), query),
        (path, query) => {
            let (folder, slash) = match base.path.rsplit_once('/') {
                Some((folder, _)) => (folder, "/"),
                None if base.authority.is_empty() => ("", ""),
                None => ("", "/"),
            };
            (without_dots(&[folder, slash, path].concat()), query)
        }
    };
    [scheme, authority, &path, query].concat()
}

/// Whether all of it may stand in a URI; what may not is written with percent signs.
pub(super) fn is_reference(text: &str) -> bool {
    !text.bytes().any(|byte| byte <= b' ' || b"\"<>\\^`{|}\x7f".contains(&byte))
}

/// The text that percent signs stand for; `None` when it is none.
pub(super) fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || (rest.next()? as char).to_digit(16);
            bytes.push((digit()? << 4 | digit()?) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn parts(text: &str) -> Parts<'_> {
    let (text, query) = split(text, text.find('?').unwrap_or(text.len()));
    let scheme = text.find(':').filter(|&colon| is_scheme(split(text, colon).0));
    let (scheme, text) = split(text, scheme.map_or(0, |colon| colon + 1));
    let (authority, path) = match text.strip_prefix("//") {
        Some(rest) => split(text, rest.find('/').map_or(text.len(), |slash| slash + 2)),
        None => ("", text),
    };
    Parts { scheme, authority, path, query }
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The path with `.` and `..` carried out.
fn without_dots(path: &str) -> String {
    if !path.split('/').any(|segment| segment == "." || segment == "..") {
        return path.to_owned();
    }
    let mut kept = Vec::new();
    let mut is_folder = false;
    for segment in path.split('/') {
        is_folder = matches!(segment, "." | "..");
        match segment {
            // The empty segment before the first slash stays.
            ".." if kept.len() > usize::from(path.starts_with('/')) => {
                kept.pop();
            }
            "." | ".." => {}
            _ => kept.push(segment),
        }
    }
    if is_folder {
        kept.push("");
    }
    kept.join("/")
}
