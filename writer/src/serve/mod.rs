//! A static server for a feed, and for a site beside it.
//!
//! It answers `GET` and `HEAD` below `/data/` from the feed and everything else
//! from the site, with the headers that a reader of the feed relies on. It is
//! meant for development and for small sites; `docs/operations.md` says how to
//! get the same from nginx, Caddy or object storage.
//!
//! # Guarantees
//!
//! - A response is wholly one version of a file: the file is opened once, and
//!   length, entity tag and content come from that handle, also while a
//!   publisher replaces it.
//! - Nothing outside the two directories is served, and no file whose path has
//!   a component that begins with a dot, except lock markers at the top of the
//!   feed and `.well-known` at the top of the site. Symbolic links below the
//!   two directories are not followed; the directories themselves may be links
//!   and are looked up anew for every request.
//! - What may be cached for ever is exactly what can never change: objects, and
//!   assets of the site that carry a hash in their name. Errors are never
//!   cached.
//!
//! # Why not `tower_http::services::ServeDir`
//!
//! Its entity tag is size and modification time, which two commits within one
//! tick of the file system's clock can share; it answers `HEAD` from another
//! look-up than `GET`, takes ranges of compressed bytes, follows symbolic links
//! out of the directory and serves dot files. Each of these would need a layer
//! that mends it; one handler that opens a file once is shorter.

mod accept;
mod connections;
mod file;
mod limits;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "windows.rs")]
mod platform;
mod resource;
mod respond;
mod run;
mod tags;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    AGE, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, DATE, ETAG, HOST, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode, Uri, Version};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

pub use limits::Limits;
use resource::Roots;
pub use run::{run, run_within};

/// What to serve, and to whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of the feed, served below `/data/`. It must exist; it need
    /// not hold a manifest yet.
    pub feed: PathBuf,
    /// The directory of a site, served at `/`. A `data` folder in it is never
    /// served: the feed takes its place.
    pub www: Option<PathBuf>,
    /// Whether the site is a single-page app, which makes its pages in the
    /// browser: its `/index.html` answers for pages that are not files. Never
    /// for the feed, for assets, or for requests that want no page.
    pub spa: bool,
    /// Which other origins may read the responses in a browser.
    pub cors: Cors,
}

/// Which other origins a browser lets read the responses (cross-origin resource
/// sharing).
///
/// Parses from `off`, `*` or an origin such as `https://example.org`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// None: only pages from this server's own address.
    #[default]
    Off,
    /// Every origin.
    AnyOrigin,
    /// One origin.
    One(Origin),
}

impl FromStr for Cors {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "off" => Ok(Self::Off),
            "*" => Ok(Self::AnyOrigin),
            origin => origin.parse().map(Self::One),
        }
    }
}

/// The origin of a page as browsers write it: scheme, host and, where it is not
/// the scheme's own, port.
///
/// Invariant: the value is byte for byte what a browser sends and compares, so
/// it has no path, no user name, no upper case and no default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not an origin: expected scheme, host and perhaps a port in lower case, without \
     a path or a default port, such as https://example.org or http://localhost:5173"
)]
pub struct OriginError {
    found: String,
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let written_by_a_browser = |uri: &Uri| {
            let (scheme, host) = (uri.scheme_str()?, uri.host()?);
            let port = match (scheme, uri.port_u16()) {
                ("http", Some(80)) | ("https", Some(443)) | (_, None) => String::new(),
                (_, Some(port)) => format!(":{port}"),
            };
            let canonical = format!("{scheme}://{host}{port}").to_ascii_lowercase();
            let names_one_host = !host.contains('*');
            (canonical == text && ["http", "https"].contains(&scheme) && names_one_host).then_some(())
        };
        text.parse()
            .ok()
            .as_ref()
            .and_then(written_by_a_browser)
            .and_then(|()| HeaderValue::from_str(text).ok())
            .map(Self)
            .ok_or_else(|| OriginError { found: text.to_owned() })
    }
}

/// A directory that was to be served cannot be.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve the {role} from {}: {source}; create the directory or name another", path.display())]
pub struct ConfigError {
    role: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

/// Builds the service: every path, every header.
///
/// # Errors
///
/// When a directory named in `config` does not exist or is not a directory, so
/// that a mistyped path is noticed here and not by readers.
pub fn router(config: &Config) -> Result<Router, ConfigError> {
    let roots = Arc::new(Roots {
        feed: directory("feed", &config.feed)?,
        site: config.www.as_deref().map(|www| directory("site", www)).transpose()?,
        spa: config.spa,
    });
    let router = Router::new()
        .fallback(answer)
        .with_state(roots)
        // Files bring their own rule. What does not is an error, and browsers
        // may cache some errors for as long as they like unless told otherwise.
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    let router = match &config.cors {
        Cors::Off => router,
        Cors::AnyOrigin => router.layer(cors_layer().allow_origin(Any)),
        Cors::One(Origin(origin)) => router.layer(cors_layer().allow_origin(origin.clone())),
    };
    Ok(router.layer(from_fn(log)))
}

/// Checks that `path` is a directory and makes it independent of the working
/// directory, but keeps symbolic links: a deployment may repoint one.
fn directory(role: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
    let checked = || {
        if std::fs::metadata(path)?.is_dir() {
            std::path::absolute(path)
        } else {
            Err(std::io::ErrorKind::NotADirectory.into())
        }
    };
    checked().map_err(|source| ConfigError { role, path: path.to_owned(), source })
}

fn cors_layer() -> CorsLayer {
    CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(Any)
        // A reader measures ages and leases by the server's clock.
        .expose_headers([DATE, AGE, ETAG, CONTENT_LENGTH, RETRY_AFTER])
}

async fn answer(State(roots): State<Arc<Roots>>, request: Request) -> Response {
    // Which host it is for makes no difference here, but may to what stands in between (RFC 9112, section 3.2).
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match *request.method() {
        Method::GET | Method::HEAD => {
            respond::respond(&roots, request.method(), request.uri(), request.headers()).await
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
    }
}

async fn log(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let bytes = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    tracing::debug!(
        %method,
        path = uri.path(),
        status = response.status().as_u16(),
        bytes,
        "request"
    );
    response
}
