//! What clients send to `lastgood serve`, to the router itself over a connection in memory.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use lastgood::serve::{self, Config, Cors};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

/// Stands in every file of the site that must never be served.
const SECRET: &[u8] = b"NOBODY MAY READ THIS";

/// What a connection holds at most before somebody reads; above all that is sent either way.
const BUFFER: usize = 1 << 20;

static SERVER: Mutex<Option<(Runtime, Router)>> = Mutex::new(None);

pub(crate) fn run(input: &[u8]) {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let (runtime, router) = server.get_or_insert_with(start);
    let answer = runtime.block_on(answer(router.clone(), input));
    assert!(!answer.windows(SECRET.len()).any(|window| window == SECRET), "what is private is served");
    if !answer.is_empty() {
        assert!(answer.starts_with(b"HTTP/1."), "this is no answer: {}", String::from_utf8_lossy(&answer));
    }
    let lost = answer.windows(13).any(|window| window == b"HTTP/1.1 500 ");
    assert!(!lost, "the server failed: {}", String::from_utf8_lossy(&answer));
}

fn start() -> (Runtime, Router) {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("site");
    let config = Config { feed: site.join("data"), www: Some(site.join("www")), spa: true, cors: Cors::AnyOrigin };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    (runtime, serve::router(&config).expect("the directories are committed beside this source"))
}

/// All that the server sends to a client that sends this and then nothing more.
async fn answer(router: Router, sent: &[u8]) -> Vec<u8> {
    let (mut client, server) = tokio::io::duplex(BUFFER);
    let serve = async {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30)).half_close(true);
        // Trouble with a connection ends that connection, which is what there is to be said of it.
        let _ = http.serve_connection(TokioIo::new(server), TowerToHyperService::new(router)).await;
    };
    let exchange = async {
        // A server that has heard enough closes the connection.
        let _ = client.write_all(sent).await;
        let _ = client.shutdown().await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("a connection in memory does not fail");
        answer
    };
    tokio::join!(exchange, serve).0
}
