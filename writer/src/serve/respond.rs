//! From a request to a response: preconditions and ranges (RFC 9110).

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, IntoResponseParts, Response};
use headers::{ContentLength, HeaderMapExt, IfModifiedSince, IfUnmodifiedSince, LastModified};
use http_range_header::{EndPosition, StartPosition, SyntacticallyCorrectRange};
use tokio_util::io::ReaderStream;

use super::accept::{self, accepted};
use super::file::{Failure, Representation, open};
use super::resource::{Fallback, Kind, Resource, Roots, Target};
use super::tags::Comparison;

const WELCOME: &str = "This is a feed of datasets. Its manifest is at /data/manifest.json\n";

/// Answers a `GET` or `HEAD`. The body may be given for `HEAD` too: it is not
/// read unless it is sent.
pub(super) async fn respond(roots: &Roots, method: &Method, uri: &Uri, request: &HeaderMap) -> Response {
    let resource = match roots.target(uri.path()) {
        Target::Resource(resource) => resource,
        Target::Welcome => return text(StatusCode::OK, WELCOME),
        Target::Nothing => return not_found(),
    };
    let may_be_page = match resource.fallback {
        Fallback::None => false,
        Fallback::Page => accept::is_page_accepted(request),
        Fallback::PageIfNamed => accept::is_page_named(request),
    };

    // Ranges are of the plain bytes, whatever else the client accepts: so parts
    // fit together that were fetched by clients with different codings.
    let range = (method == Method::GET).then(|| single_range(request)).flatten();
    let codings = if range.is_some() { Vec::new() } else { accepted(request) };

    let found = tokio::task::spawn_blocking(move || match open(&resource, &codings) {
        Err(Failure::NotFound) if may_be_page => {
            let page = resource.index_page();
            (open(&page, &codings), page, Found::InItsPlace)
        }
        opened => (opened, resource, Found::Itself),
    });
    let (opened, resource, found) = match found.await {
        Ok(found) => found,
        Err(panic) => return failed(uri, &panic.into()),
    };
    let (kind, media_type) = (resource.kind.clone(), media_type(&resource));
    match opened {
        Ok(representation) => {
            let response = representation.into_response(&kind, media_type, request, range);
            let mut response = response.unwrap_or_else(|error| failed(uri, &error));
            if found == Found::InItsPlace {
                // Who asks for something else than a page gets none.
                response.headers_mut().insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
            }
            response
        }
        // An answer without content, so that a page that polls for the marker
        // does not fill its console with errors.
        Err(Failure::NotFound | Failure::Directory) if kind == Kind::Marker => {
            without_content(StatusCode::NO_CONTENT, [(CACHE_CONTROL, kind.cache_control())])
        }
        Err(Failure::Directory) if kind.has_index() => with_slash(uri),
        Err(Failure::NotFound | Failure::Directory) => not_found(),
        Err(Failure::Forbidden) => {
            tracing::warn!(path = uri.path(), "the file is there, but this process may not read it");
            text(StatusCode::FORBIDDEN, "The server may not read this file.\n")
        }
        Err(Failure::Io(error)) => failed(uri, &error),
    }
}

/// What was opened for a resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Itself,
    /// The index page of a single-page app.
    InItsPlace,
}

impl Representation {
    fn into_response(
        self,
        kind: &Kind,
        media_type: HeaderValue,
        request: &HeaderMap,
        range: Option<SyntacticallyCorrectRange>,
    ) -> std::io::Result<Response> {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, kind.cache_control());
        headers.insert(ETAG, self.etag.header());
        if let Some(modified) = self.last_modified {
            headers.typed_insert(LastModified::from(modified));
        }
        if kind.has_siblings() {
            headers.insert(VARY, ACCEPT_ENCODING.into());
        }
        match self.precondition(request) {
            Precondition::Holds => {}
            Precondition::NotModified => {
                return Ok(without_content(StatusCode::NOT_MODIFIED, headers));
            }
            Precondition::Failed => {
                return Ok(text(
                    StatusCode::PRECONDITION_FAILED,
                    "The file is not the one that the request was made for.\n",
                ));
            }
        }

        let length = self.content.length();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let (status, part) = match range.filter(|_| range_applies(request, &headers)) {
            None => (StatusCode::OK, 0..length),
            Some(range) => match satisfy(&range, length) {
                Some(part) => {
                    let content_range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
                    headers.insert(CONTENT_RANGE, ascii(&content_range));
                    (StatusCode::PARTIAL_CONTENT, part)
                }
                None => {
                    let content_range = [(CONTENT_RANGE, ascii(&format!("bytes */{length}")))];
                    let body = "The file is shorter than the range begins.\n";
                    let refusal = text(StatusCode::RANGE_NOT_SATISFIABLE, body);
                    return Ok((content_range, refusal).into_response());
                }
            },
        };
        headers.insert(CONTENT_TYPE, media_type);
        if let Some(coding) = self.coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        }
        headers.typed_insert(ContentLength(part.end - part.start));
        Ok((status, headers, self.content.into_body(part)?).into_response())
    }

    /// In the order of RFC 9110, section 13.2.2: tags before times.
    fn precondition(&self, request: &HeaderMap) -> Precondition {
        let as_the_client_knows_it = match self.etag.is_listed(request, &IF_MATCH, Comparison::Strong) {
            Some(listed) => listed,
            None => match (request.typed_get::<IfUnmodifiedSince>(), self.last_modified) {
                (Some(since), Some(modified)) => since.precondition_passes(modified),
                // The time is too young to say.
                (Some(_), None) => false,
                (None, _) => true,
            },
        };
        if !as_the_client_knows_it {
            return Precondition::Failed;
        }
        let news_to_the_client = match self.etag.is_listed(request, &IF_NONE_MATCH, Comparison::Weak) {
            Some(listed) => !listed,
            None => match (request.typed_get::<IfModifiedSince>(), self.last_modified) {
                (Some(since), Some(modified)) => since.is_modified(modified),
                _ => true,
            },
        };
        if news_to_the_client { Precondition::Holds } else { Precondition::NotModified }
    }
}

enum Precondition {
    Holds,
    NotModified,
    Failed,
}

/// The range that is asked for. Several at once and what is not a range are
/// ignored, as the standard allows: the whole file answers them.
fn single_range(request: &HeaderMap) -> Option<SyntacticallyCorrectRange> {
    let value = request.get(RANGE)?.to_str().ok()?;
    match http_range_header::parse_range_header(value).ok()?.ranges.as_slice() {
        [range] => Some(*range),
        _ => None,
    }
}

/// Whether the file still is the one of which the client has a part already
/// (`If-Range`). A validator that matches is one that this server sent, so it
/// is compared as it was sent.
fn range_applies(request: &HeaderMap, response: &HeaderMap) -> bool {
    request
        .get(IF_RANGE)
        .is_none_or(|validator| [response.get(ETAG), response.get(LAST_MODIFIED)].contains(&Some(validator)))
}

/// The part of a file of `length` bytes that `range` means; never empty.
fn satisfy(range: &SyntacticallyCorrectRange, length: u64) -> Option<Range<u64>> {
    let part = match (range.start, range.end) {
        (StartPosition::FromLast(count), _) => length.saturating_sub(count)..length,
        (StartPosition::Index(first), EndPosition::LastByte) => first..length,
        (StartPosition::Index(first), EndPosition::Index(last)) => first..last.saturating_add(1).min(length),
    };
    (!part.is_empty()).then_some(part)
}

fn media_type(resource: &Resource) -> HeaderValue {
    let name = resource.names.last().map_or("", String::as_str);
    let essence = match resource.kind {
        Kind::Marker => "application/json",
        _ => mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream"),
    };
    // What a publisher writes as text is UTF-8; browsers would guess otherwise.
    if essence.starts_with("text/") {
        ascii(&format!("{essence}; charset=utf-8"))
    } else {
        HeaderValue::from_static(essence)
    }
}

/// Sends the client from `/docs` to `/docs/`, so that relative links in the
/// page lead below it.
fn with_slash(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match HeaderValue::try_from(format!("{}/{query}", uri.path())) {
        Ok(location) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response(),
        // A path with bytes that should have been percent-encoded.
        Err(_) => not_found(),
    }
}

/// For statuses that never have content. A body known to be empty would be
/// given a `Content-Length: 0`, which a 204 must not have and which would belie a
/// 304; so its length is left unknown.
fn without_content(status: StatusCode, headers: impl IntoResponseParts) -> Response {
    let nothing = Body::from_stream(ReaderStream::new(tokio::io::empty()));
    (status, headers, nothing).into_response()
}

fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such file here.\n")
}

fn failed(uri: &Uri, error: &std::io::Error) -> Response {
    tracing::error!(path = uri.path(), %error, "reading a file failed");
    text(StatusCode::INTERNAL_SERVER_ERROR, "The server could not read this file.\n")
}

fn text(status: StatusCode, body: &'static str) -> Response {
    // A plain string brings its type: text/plain in UTF-8.
    (status, body).into_response()
}

fn ascii(value: &str) -> HeaderValue {
    value.parse().expect("made of visible ASCII characters")
}
