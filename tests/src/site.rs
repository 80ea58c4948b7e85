//! A website with a feed on a real server, which records requests and can be made to misbehave.

#![allow(clippy::disallowed_methods, reason = "the tests make and break files on purpose")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use lastgood::serve::{self, Config, Cors};
use lastgood::{Feed, Item, Publication};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::name::DatasetName;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// What the server does to an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers with the page of a single-page app, as such servers do for every path.
    HtmlPage,
    /// Sends the right headers and half of the body, then breaks the connection.
    Truncate,
    /// Changes one byte of the body.
    Corrupt,
    /// Sends this body instead.
    Body(Vec<u8>),
    /// Sends this body and says that it does so at this time.
    Dated(Vec<u8>, SystemTime),
    /// Never answers.
    Silence,
}

/// A site at an address of its own, which to a browser is an origin of its own: nothing is shared between two.
pub struct Site {
    dir: tempfile::TempDir,
    www: PathBuf,
    url: String,
    shared: Arc<Shared>,
    /// What was ever published, by digest.
    published: Mutex<BTreeMap<String, serde_json::Value>>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<String>>,
    faults: Mutex<Vec<(String, Fault)>>,
}

impl Site {
    /// Starts a site with an empty page, the packed npm package at `/lastgood/` and a feed at `/data/`.
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let www = dir.path().join("www");
        copy(&built("PACKAGE", "target/npm/package"), &www.join("lastgood"));
        fs::write(www.join("index.html"), PAGE).expect("the page can be written");
        Self::serve(dir, www)
    }

    /// Starts a site with the dashboard, as it has been built, and a feed at `/data/`.
    #[must_use]
    pub fn dashboard() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let www = dir.path().join("www");
        copy(&built("WWW", "www/dist"), &www);
        Self::serve(dir, www)
    }

    /// Starts a site with the files of a directory, which it serves as they are now and will be, and a feed at `/data/`.
    #[must_use]
    pub fn of(www: PathBuf) -> Self {
        Self::serve(tempfile::tempdir().expect("a temporary directory can be made"), www)
    }

    fn serve(dir: tempfile::TempDir, www: PathBuf) -> Self {
        fs::create_dir(dir.path().join("data")).expect("the feed's directory can be made");
        let shared = Arc::new(Shared::default());
        let runtime = Runtime::new().expect("a runtime can be started");
        let (stop, url) = run(&runtime, dir.path(), &www, &shared, "127.0.0.1:0");
        Self { dir, www, url, shared, published: Mutex::default(), stop: Some(stop), runtime: Some(runtime) }
    }

    /// The address of the page, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The directory of the site's own files.
    #[must_use]
    pub fn www(&self) -> PathBuf {
        self.www.clone()
    }

    /// The directory of the feed.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The feed, for publishing.
    #[must_use]
    pub fn feed(&self) -> Feed {
        Feed::open(self.data())
    }

    /// Publishes datasets in one generation.
    pub fn publish(&self, datasets: &[(&str, &str)]) -> Publication {
        let mut published = self.published.lock().expect("no test panics while publishing");
        for (_, json) in datasets {
            let value = serde_json::from_str(json).expect("the tests publish JSON");
            published.insert(Sha256::of(json.as_bytes()).to_string(), value);
        }
        let items = datasets.iter().map(|(name, json)| Item::new(dataset(name), json.as_bytes())).collect();
        self.feed().publish(items).expect("the tests' own data can be published")
    }

    /// The value that was published with this digest.
    #[must_use]
    pub fn published(&self, sha256: &str) -> Option<serde_json::Value> {
        self.published.lock().expect("no test panics while publishing").get(sha256).cloned()
    }

    /// From now on answers to paths that end in `suffix` are faulty.
    pub fn fail(&self, suffix: &str, fault: Fault) {
        self.shared.faults.lock().expect("not poisoned").push((suffix.to_owned(), fault));
    }

    /// From now on all answers are right.
    pub fn heal(&self) {
        self.shared.faults.lock().expect("not poisoned").clear();
    }

    /// The requests to the feed since the last call, as `METHOD path status`, sorted.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut *self.shared.requests.lock().expect("not poisoned"));
        requests.retain(|request| request.contains(" /data/"));
        requests.sort();
        requests
    }

    /// Stops the server. The files stay.
    pub fn stop(&mut self) {
        self.stop = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// Starts the server again at the same address.
    pub fn restart(&mut self) {
        self.stop();
        let address = self.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let runtime = Runtime::new().expect("a runtime can be started");
        let (stop, _) = run(&runtime, self.dir.path(), &self.www, &self.shared, &address);
        (self.stop, self.runtime) = (Some(stop), Some(runtime));
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A dataset name that a test has written down.
#[must_use]
pub fn dataset(name: &str) -> DatasetName {
    DatasetName::parse(name).expect("the tests use valid names")
}

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"lastgood": "/lastgood/lastgood.js"}}</script></head>
<body></body></html>
"#;

fn run(
    runtime: &Runtime,
    dir: &Path,
    www: &Path,
    shared: &Arc<Shared>,
    address: &str,
) -> (oneshot::Sender<()>, String) {
    let config = Config { feed: dir.join("data"), www: Some(www.to_owned()), cors: Cors::Off };
    let router = serve::router(&config).expect("both directories exist");
    let router: Router = router.layer(from_fn_with_state(Arc::clone(shared), misbehave));
    let listener = runtime.block_on(TcpListener::bind(address)).expect("the address is free");
    let url = format!("http://{}/", listener.local_addr().expect("a listener has an address"));
    let (stop, stopped) = oneshot::channel();
    runtime.spawn(serve::run(listener, router, async {
        let _ = stopped.await;
    }));
    (stop, url)
}

async fn misbehave(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let fault = {
        let faults = shared.faults.lock().expect("not poisoned");
        faults.iter().find(|(suffix, _)| path.ends_with(suffix.as_str())).map(|(_, fault)| fault.clone())
    };
    let response = match fault {
        None => next.run(request).await,
        Some(fault) => answer(fault, request, next).await,
    };
    let line = format!("{method} {path} {}", response.status().as_u16());
    shared.requests.lock().expect("not poisoned").push(line);
    response
}

async fn answer(fault: Fault, mut request: Request, next: Next) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match fault {
        Fault::Status(status) => StatusCode::from_u16(status).expect("a valid status").into_response(),
        Fault::HtmlPage => ([(header::CONTENT_TYPE, "text/html")], PAGE).into_response(),
        Fault::Body(body) => (json, body).into_response(),
        Fault::Dated(body, time) => {
            let date = [(header::DATE, httpdate::fmt_http_date(time))];
            (json, date, body).into_response()
        }
        Fault::Silence => std::future::pending().await,
        Fault::Truncate | Fault::Corrupt => {
            // The bytes themselves are wanted, not a 304 and not a compressed form.
            for name in [header::ACCEPT_ENCODING, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
                request.headers_mut().remove(name);
            }
            let (mut parts, body) = next.run(request).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("the server's own file can be read");
            let body = if matches!(fault, Fault::Corrupt) {
                let mut bytes = body.to_vec();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                parts.headers.remove(header::ETAG);
                Body::from(bytes)
            } else {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
                let half = body.slice(..body.len() / 2);
                let break_off = async {
                    // So that the headers and the half are on their way before the connection ends.
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    Err(std::io::Error::other("the connection is broken on purpose"))
                };
                Body::from_stream(stream::once(async { Ok(half) }).chain(stream::once(break_off)))
            };
            Response::from_parts(parts, body)
        }
    }
}

/// The packed npm package, as it would be published.
#[must_use]
pub fn tarball() -> PathBuf {
    built("TARBALL", concat!("target/npm/lastgood-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// Where `cargo xtask test` says that something has been built, or else where it builds it.
fn built(what: &str, path: &str) -> PathBuf {
    std::env::var_os(format!("LASTGOOD_TEST_{what}")).map_or_else(|| workspace().join(path), PathBuf::from)
}

/// Copies a directory and what is in it.
fn copy(from: &Path, to: &Path) {
    let entries =
        fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` builds it", from.display()));
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in entries {
        let entry = entry.expect("the directory can be listed");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}

/// The root of this repository.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in the workspace").to_owned()
}
