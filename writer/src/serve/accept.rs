//! Which content codings a client accepts, in the order in which it wants them, and whether it takes a page.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

/// A content coding of which the publisher may have put a file beside the plain
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// The better one first: it decides when a client wants both equally.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// What is appended to the plain file's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }
}

/// The codings that the client prefers to the plain bytes, most wanted first.
///
/// A request without `Accept-Encoding` gets plain bytes, as do clients that
/// refuse them (`identity;q=0`) where there is nothing else to give.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<Coding> {
    let weights = Weights::parse(headers, &ACCEPT_ENCODING);
    // Plain bytes that nobody mentions are acceptable, but any coding that is
    // mentioned goes before them.
    let plain = weights.of("identity").unwrap_or(0.0);
    let mut accepted: Vec<(Coding, f32)> = Coding::ALL
        .into_iter()
        .filter_map(|coding| Some((coding, weights.of(coding.name()).or(weights.of("*"))?)))
        .filter(|(_, weight)| *weight > 0.0 && *weight >= plain)
        .collect();
    accepted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    accepted.into_iter().map(|(coding, _)| coding).collect()
}

/// Whether the client takes an HTML page: it names it, or takes anything, as do
/// clients that do not say. What asks for JSON alone does not.
pub(super) fn is_page_accepted(headers: &HeaderMap) -> bool {
    let weights = Weights::parse(headers, &ACCEPT);
    let weight = ["text/html", "text/*", "*/*"].iter().find_map(|range| weights.of(range));
    weight.map_or(!headers.contains_key(ACCEPT), |weight| weight > 0.0)
}

/// Whether the client asks for an HTML page by name, as browsers do when a person
/// follows a link.
pub(super) fn is_page_named(headers: &HeaderMap) -> bool {
    Weights::parse(headers, &ACCEPT).of("text/html").is_some_and(|weight| weight > 0.0)
}

/// `Accept-Encoding` or `Accept`: names in lower case, each with its weight (`q`).
struct Weights(Vec<(String, f32)>);

impl Weights {
    fn parse(headers: &HeaderMap, name: &HeaderName) -> Self {
        let items = headers
            .get_all(name)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        Self(items.filter_map(Self::item).collect())
    }

    fn item(item: &str) -> Option<(String, f32)> {
        let (name, weight) = match item.split_once(';') {
            None => (item, 1.0),
            Some((name, parameter)) => {
                let (key, weight) = parameter.split_once('=')?;
                let weight = weight.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
                (name, key.trim().eq_ignore_ascii_case("q").then_some(weight)?)
            }
        };
        let name = name.trim().to_ascii_lowercase();
        // The old name of gzip, to be taken as the same.
        Some((if name == "x-gzip" { "gzip".to_owned() } else { name }, weight))
    }

    fn of(&self, name: &str) -> Option<f32> {
        self.0.iter().find(|(listed, _)| listed == name).map(|(_, weight)| *weight)
    }
}
