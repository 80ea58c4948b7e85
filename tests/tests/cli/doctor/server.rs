//! A server of a feed that can be made to misbehave in any way.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use lastgood::serve::{self, Config, Cors};
use lastgood_tests::TestFeed;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Diagnosis, doctor};

/// What was asked for.
pub(crate) struct Asked {
    /// The path below `/data/`.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// An answer before it is sent.
pub(crate) type Answer = Response<Bytes>;

type Fault = dyn Fn(&Asked, &mut Answer) + Send + Sync;

/// A running server. Dropping it stops it.
pub(crate) struct Server {
    /// Where the feed is.
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Serves the feed as `lastgood serve` does.
    pub(crate) fn right(feed: &TestFeed) -> Self {
        Self::start(feed.dir(), Cors::Off, |_, _| {})
    }

    /// Serves the feed with `fault` done to each answer.
    pub(crate) fn faulty(feed: &TestFeed, fault: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> Self {
        Self::start(feed.dir(), Cors::Off, fault)
    }

    pub(crate) fn start(dir: PathBuf, cors: Cors, fault: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> Self {
        let router = serve::router(&Config { feed: dir, www: None, spa: false, cors }).unwrap();
        let fault: Arc<Fault> = Arc::new(fault);
        let router: Router = router.layer(from_fn_with_state(fault, misbehave));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/data/", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(serve::run(listener, router, async {
            let _ = stopped.await;
        }));
        Self { url, stop: Some(stop), runtime: Some(runtime) }
    }

    /// Asks the doctor about the feed and this server.
    pub(crate) fn doctor(&self, feed: &TestFeed) -> Diagnosis {
        doctor(feed, &["--url", &self.url])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn misbehave(State(fault): State<Arc<Fault>>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path();
    let path = path.strip_prefix("/data/").unwrap_or(path).to_owned();
    let asked = Asked { path, headers: request.headers().clone() };
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut answer = Response::from_parts(parts, bytes);
    tokio::task::spawn_blocking(move || {
        fault(&asked, &mut answer);
        answer.map(Body::from)
    })
    .await
    .unwrap()
}

/// Sets a header, or removes it.
pub(crate) fn header(answer: &mut Answer, name: &'static str, value: Option<&str>) {
    let name = HeaderName::from_static(name);
    match value {
        Some(value) => drop(answer.headers_mut().insert(name, HeaderValue::from_str(value).unwrap())),
        None => drop(answer.headers_mut().remove(name)),
    }
}

/// Sends another body; its length goes with it.
pub(crate) fn body(answer: &mut Answer, bytes: impl Into<Bytes>) {
    *answer.body_mut() = bytes.into();
    header(answer, "content-length", None);
}

/// Sends another status.
pub(crate) fn status(answer: &mut Answer, status: u16) {
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
}

/// Sends the page of a single-page app, as such servers do for every path that they do not know.
pub(crate) fn page(answer: &mut Answer) {
    status(answer, 200);
    header(answer, "content-encoding", None);
    header(answer, "content-type", Some("text/html"));
    body(answer, "<!doctype html><title>app</title>");
}
