//! `lastgood serve` in this process, which records requests and can be made to misbehave.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use lastgood::serve::{self, Config, Cors};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Host, PAGE};
use crate::server::is_new;

/// What the server does to an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers with the page of a single-page app, as such servers do for every path.
    HtmlPage,
    /// Sends the right headers and half of the body, then breaks the connection.
    Truncate,
    /// Breaks about half of the connections, anywhere in the body.
    Lossy,
    /// Sends the body in this many parts, with this pause before each.
    Drip(u32, Duration),
    /// Changes one byte of the body.
    Corrupt,
    /// Sends this body instead.
    Body(Vec<u8>),
    /// Sends this body and says that it does so at this time.
    Dated(Vec<u8>, SystemTime),
    /// Never answers.
    Silence,
}

/// The server of a [`Site`](super::Site), unless it asks for another.
pub struct Lastgood {
    dir: PathBuf,
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, Runtime)>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<String>>,
    faults: Mutex<Vec<(String, Fault)>>,
    /// How far its clock is ahead, in milliseconds.
    ahead_ms: AtomicI64,
    /// How often the dice have been thrown.
    thrown: AtomicUsize,
}

impl Shared {
    /// A random number, which is the same in every run.
    fn dice(&self) -> usize {
        let throw = self.thrown.fetch_add(1, Ordering::Relaxed);
        BuildHasherDefault::<DefaultHasher>::default().hash_one(throw) as usize
    }

    fn now(&self) -> SystemTime {
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        let ahead = Duration::from_millis(ahead_ms.unsigned_abs());
        if ahead_ms < 0 { SystemTime::now() - ahead } else { SystemTime::now() + ahead }
    }
}

impl Lastgood {
    pub(super) fn start_at(dir: &Path, ip: IpAddr) -> Self {
        let mut server =
            Self { dir: dir.to_owned(), address: SocketAddr::new(ip, 0), shared: Arc::default(), running: None };
        while server.running.is_none() {
            let listening = server.run();
            if is_new(listening.port()) {
                server.address = listening;
            } else {
                server.stop();
            }
        }
        server
    }

    pub(super) fn fail(&self, suffix: &str, fault: Fault) {
        self.shared.faults.lock().expect("not poisoned").push((suffix.to_owned(), fault));
    }

    pub(super) fn heal(&self) {
        self.shared.faults.lock().expect("not poisoned").clear();
    }

    pub(super) fn set_clock(&self, ahead_ms: i64) {
        self.shared.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }

    fn run(&mut self) -> SocketAddr {
        let config =
            Config { feed: self.dir.join("data"), www: Some(self.dir.join("site")), spa: false, cors: Cors::Off };
        let router = serve::router(&config).expect("both directories exist");
        let router: Router = router.layer(from_fn_with_state(Arc::clone(&self.shared), misbehave));
        let runtime = Runtime::new().expect("a runtime can be started");
        let listener = runtime.block_on(TcpListener::bind(self.address)).expect("the address is free");
        let address = listener.local_addr().expect("a listener has an address");
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(serve::run(listener, router, async {
            let _ = stopped.await;
        }));
        self.running = Some((stop, runtime));
        address
    }
}

impl Host for Lastgood {
    fn start(dir: &Path) -> Self {
        Self::start_at(dir, IpAddr::from([127, 0, 0, 1]))
    }

    fn address(&self) -> String {
        self.address.to_string()
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.requests.lock().expect("not poisoned"))
    }

    fn clock(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.now()
    }

    fn stop(&mut self) {
        if let Some((_, runtime)) = self.running.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    fn restart(&mut self) {
        self.stop();
        self.run();
    }
}

impl Drop for Lastgood {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn misbehave(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let fault = {
        let faults = shared.faults.lock().expect("not poisoned");
        faults.iter().find(|(suffix, _)| path.ends_with(suffix.as_str())).map(|(_, fault)| fault.clone())
    };
    let mut response = match fault {
        None => next.run(request).await,
        Some(fault) => answer(fault, &shared, request, next).await,
    };
    response.headers_mut().entry(header::DATE).or_insert_with(|| date(shared.now()));
    let line = format!("{method} {path} {}", response.status().as_u16());
    shared.requests.lock().expect("not poisoned").push(line);
    response
}

async fn answer(fault: Fault, shared: &Shared, request: Request, next: Next) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match fault {
        Fault::Status(status) => StatusCode::from_u16(status).expect("a valid status").into_response(),
        Fault::HtmlPage => ([(header::CONTENT_TYPE, "text/html")], PAGE).into_response(),
        Fault::Body(body) => (json, body).into_response(),
        Fault::Dated(body, time) => (json, [(header::DATE, date(time))], body).into_response(),
        Fault::Silence => std::future::pending().await,
        Fault::Corrupt => {
            let (mut parts, body) = whole(request, next).await;
            let mut bytes = body.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            parts.headers.remove(header::ETAG);
            Response::from_parts(parts, Body::from(bytes))
        }
        Fault::Truncate => {
            let (parts, body) = whole(request, next).await;
            let half = body.len() / 2;
            broken_off(parts, body, half)
        }
        Fault::Lossy => {
            let (parts, body) = whole(request, next).await;
            let at = shared.dice() % (2 * body.len().max(1));
            if at < body.len() { broken_off(parts, body, at) } else { Response::from_parts(parts, Body::from(body)) }
        }
        Fault::Drip(count, pause) => {
            let (parts, body) = whole(request, next).await;
            let size = body.len().div_ceil(count as usize).max(1);
            let drops: Vec<Bytes> = body.chunks(size).map(|part| body.slice_ref(part)).collect();
            let drops = stream::iter(drops).then(move |part| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::convert::Infallible>(part)
            });
            Response::from_parts(parts, Body::from_stream(drops))
        }
    }
}

fn date(time: SystemTime) -> HeaderValue {
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).expect("a date is a valid value")
}

/// The right answer with its bytes: not a 304, and not a compressed form.
async fn whole(mut request: Request, next: Next) -> (Parts, Bytes) {
    for name in [header::ACCEPT_ENCODING, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
        request.headers_mut().remove(name);
    }
    let (mut parts, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the server's own file can be read");
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    (parts, body)
}

/// The right headers, and the body up to here.
fn broken_off(parts: Parts, body: Bytes, at: usize) -> Response {
    let break_off = async {
        // So that the headers and the beginning are on their way before the connection ends.
        tokio::time::sleep(Duration::from_millis(200)).await;
        Err(std::io::Error::other("the connection is broken on purpose"))
    };
    let beginning = stream::once(async move { Ok(body.slice(..at)) });
    Response::from_parts(parts, Body::from_stream(beginning.chain(stream::once(break_off))))
}
