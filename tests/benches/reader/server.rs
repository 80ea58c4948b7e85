//! `lastgood serve` as this process runs it, to count what it sends: browsers tell of that by rules of their own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use lastgood::serve::{self, Config, Cors};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::line;

/// A server with the pages at `/` and a feed at `/data/`. Dropping it ends it.
pub(crate) struct Server {
    port: u16,
    /// The same over a line as visitors have it.
    shaped: u16,
    sent: Arc<Counters>,
    _runtime: Runtime,
}

/// How a browser reaches the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// On this machine.
    Loopback,
    /// Over [`line`].
    Line,
}

/// What went over the wire.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) responses: u64,
    /// Heads and bodies.
    pub(crate) bytes: u64,
}

#[derive(Default)]
struct Counters {
    responses: AtomicU64,
    bytes: AtomicU64,
}

impl Server {
    pub(crate) fn start(feed: &Path) -> Self {
        let config = Config { feed: feed.to_owned(), www: Some(pages()), spa: false, cors: Cors::Off };
        let router = serve::router(&config).expect("both directories exist");
        let sent = Arc::new(Counters::default());
        let router: Router = router.layer(from_fn_with_state(Arc::clone(&sent), count));
        let runtime = Runtime::new().expect("a runtime can be started");
        // On every address of this machine, see `address`.
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        runtime.spawn(serve::run(listener, router, std::future::pending()));
        Self { port, shaped: line::to(port, &runtime), sent, _runtime: runtime }
    }

    /// The server as a host of its own: all of 127.0.0.0/8 is this machine, and to a browser each of them is another
    /// origin, of which it has nothing in any cache.
    pub(crate) fn address(&self, route: Route, host: u16) -> String {
        let [high, low] = host.to_be_bytes();
        let port = match route {
            Route::Loopback => self.port,
            Route::Line => self.shaped,
        };
        format!("http://{}:{port}/", Ipv4Addr::new(127, 1, high, low))
    }

    /// What has been sent since it was started.
    pub(crate) fn sent(&self) -> Sent {
        Sent { responses: self.sent.responses.load(Ordering::Relaxed), bytes: self.sent.bytes.load(Ordering::Relaxed) }
    }
}

async fn count(State(sent): State<Arc<Counters>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let headers = response.headers();
    // Each line of the head has a colon, a space and a line break.
    let head: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let body = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0);
    sent.responses.fetch_add(1, Ordering::Relaxed);
    sent.bytes.fetch_add(head as u64 + body, Ordering::Relaxed);
    response
}

/// Where `cargo xtask bench reader` says that the pages are, or else where it puts them.
fn pages() -> PathBuf {
    std::env::var_os("LASTGOOD_BENCH_PAGES")
        .map_or_else(|| lastgood_tests::site::workspace().join("target/bench/reader"), PathBuf::from)
}
