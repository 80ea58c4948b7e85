//! References to URIs, as far as `$id` and `$ref` need them: RFC 3986, section 5.2.

/// What the five parts of a reference are.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
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
    if reference.scheme.is_some() {
        return unparted(reference.scheme, reference.authority, &without_dots(reference.path), reference.query);
    }
    if reference.authority.is_some() {
        return unparted(base.scheme, reference.authority, &without_dots(reference.path), reference.query);
    }
    let (path, query) = if reference.path.is_empty() {
        (base.path.to_owned(), reference.query.or(base.query))
    } else if reference.path.starts_with('/') {
        (without_dots(reference.path), reference.query)
    } else {
        let folder = match base.path.rsplit_once('/') {
            Some((folder, _)) => [folder, "/"].concat(),
            None if base.authority.is_some() => "/".to_owned(),
            None => String::new(),
        };
        (without_dots(&(folder + reference.path)), reference.query)
    };
    unparted(base.scheme, base.authority, &path, query)
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
    let (text, query) = match text.split_once('?') {
        Some((text, query)) => (text, Some(query)),
        None => (text, None),
    };
    let (scheme, text) = match text.split_once(':') {
        Some((scheme, text)) if is_scheme(scheme) => (Some(scheme), text),
        _ => (None, text),
    };
    match text.strip_prefix("//") {
        None => Parts { scheme, authority: None, path: text, query },
        Some(text) => {
            let (authority, path) = text.find('/').and_then(|slash| text.split_at_checked(slash)).unwrap_or((text, ""));
            Parts { scheme, authority: Some(authority), path, query }
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn unparted(scheme: Option<&str>, authority: Option<&str>, path: &str, query: Option<&str>) -> String {
    let mut uri = String::new();
    if let Some(scheme) = scheme {
        uri.push_str(scheme);
        uri.push(':');
    }
    if let Some(authority) = authority {
        uri.push_str("//");
        uri.push_str(authority);
    }
    uri.push_str(path);
    if let Some(query) = query {
        uri.push('?');
        uri.push_str(query);
    }
    uri
}

/// The path with `.` and `..` carried out.
fn without_dots(path: &str) -> String {
    if !path.split('/').any(|segment| segment == "." || segment == "..") {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                // The empty segment before the first slash stays.
                if kept.len() > usize::from(path.starts_with('/')) {
                    kept.pop();
                }
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    let mut path = String::new();
    for (place, segment) in kept.into_iter().enumerate() {
        path.push_str(if place == 0 { "" } else { "/" });
        path.push_str(segment);
    }
    path
}
