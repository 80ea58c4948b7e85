//! From a request path to a file, and to the rules of the place where it lies.

use std::path::PathBuf;

use axum::http::HeaderValue;
use lastgood_protocol::layout;
use percent_encoding::percent_decode_str;

/// The directories that are served.
pub(super) struct Roots {
    pub(super) feed: PathBuf,
    pub(super) site: Option<PathBuf>,
    /// Whether the pages of the site that are no files are made by its index page.
    pub(super) spa: bool,
}

/// A file that a request may ask for. Whether it exists is not known yet.
pub(super) struct Resource {
    /// The served directory in which it lies.
    pub(super) root: PathBuf,
    /// Names to follow from the root, at least one. Invariant: each stands for an
    /// entry of the directory before it or for nothing, so they only lead down.
    pub(super) names: Vec<String>,
    pub(super) kind: Kind,
    /// What answers when there is no such file.
    pub(super) fallback: Fallback,
}

/// What answers in place of a file of the site that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// Nothing: it is missing.
    None,
    /// The index page of a single-page app, for whoever takes a page.
    Page,
    /// The same, for whoever asks for a page by name: what looks like a file may
    /// be one that is missing.
    PageIfNamed,
}

/// What a file is, which decides how it may be cached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `.lock` or `.<dataset>_lock` of the feed.
    Marker,
    /// An immutable object of the feed, with the hash that is its name.
    Object { sha256: String },
    /// A plain copy of the feed: replaced by the next commit, with its siblings.
    PlainCopy,
    /// Any other file of the feed: replaced by the next commit.
    Current,
    /// A file of the site whose name changes with its content.
    HashedAsset,
    /// Any other file of the site.
    Page,
}

impl Kind {
    pub(super) fn cache_control(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Marker => "no-store",
            Self::PlainCopy | Self::Current | Self::Page => "no-cache",
            Self::Object { .. } | Self::HashedAsset => "public, max-age=31536000, immutable",
        })
    }

    /// Whether compressed siblings are looked for. Not beside files that a
    /// commit replaces without one: whatever is there is not lastgood's, and stale
    /// with the next publish.
    pub(super) fn has_siblings(&self) -> bool {
        !matches!(self, Self::Marker | Self::Current)
    }

    /// Whether a directory stands for the `index.html` in it.
    pub(super) fn has_index(&self) -> bool {
        matches!(self, Self::HashedAsset | Self::Page)
    }
}

/// What a request path leads to.
pub(super) enum Target {
    Resource(Resource),
    /// `/` of a server without a site.
    Welcome,
    /// Nothing that is ever served.
    Nothing,
}

impl Roots {
    /// Finds what `path`, still percent-encoded, stands for.
    pub(super) fn target(&self, path: &str) -> Target {
        let Some(mut names) = names(path) else {
            return Target::Nothing;
        };
        // Decided on decoded names, so that no spelling of `data` gets past
        // the feed to a folder of the site.
        let mut fallback = Fallback::None;
        let (root, kind) = if names.first().is_some_and(|name| name == "data") {
            names.remove(0);
            (&self.feed, feed_kind(&names))
        } else if let Some(site) = &self.site {
            if self.spa {
                fallback = route(&names);
            }
            if names.last().is_some_and(String::is_empty) {
                names.pop();
                names.push("index.html".to_owned());
            }
            (site, site_kind(&names))
        } else if names == [""] {
            return Target::Welcome;
        } else {
            return Target::Nothing;
        };
        match kind {
            Some(kind) => Target::Resource(Resource { root: root.clone(), names, kind, fallback }),
            None => Target::Nothing,
        }
    }
}

impl Resource {
    /// The page that a single-page app answers with, for a resource that is not
    /// there.
    pub(super) fn index_page(&self) -> Self {
        let names = vec!["index.html".to_owned()];
        Self { root: self.root.clone(), names, kind: Kind::Page, fallback: Fallback::None }
    }
}

/// Whether a path of the site can be a page that the app makes. One below
/// `assets/` or with the extension of a type of file is a file that is missing;
/// and a path with an empty name in it is none that an app writes.
fn route(names: &[String]) -> Fallback {
    // A slash at the end makes no difference.
    let names = match names {
        [names @ .., last] if last.is_empty() => names,
        names => names,
    };
    let last = names.last().map_or("", String::as_str);
    let is_file = mime_guess::from_path(last).first_raw().is_some();
    if is_file || names.iter().any(String::is_empty) || names.first().is_some_and(|name| name == "assets") {
        Fallback::None
    } else if last.contains('.') {
        Fallback::PageIfNamed
    } else {
        Fallback::Page
    }
}

/// Splits a path and decodes each part once. None if a part cannot be one file
/// name. A part may be empty, as after a slash at the end: that opens nothing.
fn names(path: &str) -> Option<Vec<String>> {
    let decode = |part| {
        let name = percent_decode_str(part).decode_utf8().ok()?;
        (!name.contains(['/', '\0'])).then(|| name.into_owned())
    };
    path.strip_prefix('/')?.split('/').map(decode).collect()
}

fn feed_kind(names: &[String]) -> Option<Kind> {
    match names {
        [name] if layout::parse_marker(name).is_some() => Some(Kind::Marker),
        _ if names.iter().any(|name| is_hidden(name)) => None,
        [] => None,
        [folder, name] if folder == layout::OBJECTS_DIR => Some(match layout::parse_object(name) {
            Some((sha256, _)) => Kind::Object { sha256: sha256.to_string() },
            None => Kind::Current,
        }),
        [name] if layout::parse_plain_copy(name).is_some() => Some(Kind::PlainCopy),
        _ => Some(Kind::Current),
    }
}

fn site_kind(names: &[String]) -> Option<Kind> {
    // The one dot folder that is made to be served (RFC 8615).
    let below_root = match names {
        [first, rest @ ..] if first == ".well-known" => rest,
        names => names,
    };
    match names {
        _ if below_root.iter().any(|name| is_hidden(name)) => None,
        [first, .., last] if first == "assets" && is_hashed(last) => Some(Kind::HashedAsset),
        _ => Some(Kind::Page),
    }
}

/// Also true of `.` and `..`: no path steps aside or up.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a build put a hash before the extension: `index-BfYQtAy3.js`,
/// `app.3f9c1a2b.css`.
///
/// A wrong yes would pin a changing file in every visitor's cache for a year, a
/// wrong no costs a revalidation, so words and dates do not pass: a hash has at
/// least eight letters and digits and both among them, or it is exactly eight
/// letters (what Vite writes) with capitals inside.
fn is_hashed(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    let Some((_, hash)) = stem.rsplit_once(['-', '.']) else {
        return false;
    };
    let has = |class: fn(&u8) -> bool| hash.as_bytes().iter().any(class);
    let mixed_case = hash.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && has(u8::is_ascii_lowercase);
    hash.len() >= 8
        && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && has(u8::is_ascii_alphabetic)
        && (has(u8::is_ascii_digit) || (hash.len() == 8 && mixed_case))
}
