//! Start, shutdown, and what the log says.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use lastgood::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Folder, Server};

const LENGTH: usize = 32 << 20;
const REQUEST: &str = "GET /data/performance.json HTTP/1.1\r\nHost: x\r\n\r\n";

fn large_feed() -> Folder {
    let folder = Folder::new();
    folder.put("data/performance.json", vec![b'x'; LENGTH]);
    folder
}

/// Far more than the buffers between the two of them hold, so that the response
/// is still running when the server is told to stop.
#[test]
fn a_shutdown_lets_a_running_response_finish() {
    let folder = large_feed();
    let mut server = folder.serve();
    let address = server.address;
    let mut running = server.connect();
    running.write_all(REQUEST.as_bytes()).unwrap();
    let mut answer = vec![0; 1000];
    running.read_exact(&mut answer).unwrap();

    // This connection was told of the shutdown when it is closed.
    let mut idle = server.connect();
    server.stop();
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0);
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "still accepts"
    );

    running.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    assert!(answer.len() > LENGTH, "{} bytes", answer.len());
    server.join().unwrap();
}

/// Time stands still unless everybody waits, then it leaps to the next timer. So
/// a shutdown that took a time limit to complete shows on the clock.
#[tokio::test(start_paused = true)]
async fn idle_connections_do_not_hold_a_shutdown_up() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    let (address, stop, server) = start(&folder).await;
    // Browsers keep spare connections on which they never ask for anything.
    let mut unused = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut kept_alive = tokio::net::TcpStream::connect(address).await.unwrap();
    kept_alive
        .write_all(b"GET /data/.lock HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    kept_alive.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");

    let before = tokio::time::Instant::now();
    drop(stop);
    server.await.unwrap().unwrap();
    assert_eq!(before.elapsed().as_secs(), 0);
    unused.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_does_not_hold_a_shutdown_up_for_ever() {
    let folder = large_feed();
    let (address, stop, server) = start(&folder).await;
    let mut stalled = tokio::net::TcpStream::connect(address).await.unwrap();
    stalled.write_all(REQUEST.as_bytes()).await.unwrap();
    stalled.read_exact(&mut [0; 12]).await.unwrap();
    drop(stop);
    server.await.unwrap().unwrap();
    let mut rest = Vec::new();
    let _cut_off = stalled.read_to_end(&mut rest).await;
    assert!(rest.len() < LENGTH);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_request_is_cut_off() {
    let folder = Folder::new();
    let (address, _stop, _server) = start(&folder).await;
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /data/manifest.json HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 2"));
}

async fn start(
    folder: &Folder,
) -> (
    std::net::SocketAddr,
    tokio::sync::oneshot::Sender<()>,
    tokio::task::JoinHandle<std::io::Result<()>>,
) {
    let router = serve::router(&folder.config()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let server = tokio::spawn(serve::run(listener, router, async { drop(stopped.await) }));
    (address, stop, server)
}

#[test]
fn the_log_has_one_event_for_each_request() {
    let folder = Folder::new();
    folder.put("data/logged.json", "12345");
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server: Server = folder.serve();
    let port = server.address.port();
    server.get("/data/logged.json?once");
    server.request("HEAD", "/data/logged-missing.json?once", &[]);
    server.join().unwrap();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines = |words: &[&str]| {
        log.lines()
            .filter(|line| words.iter().all(|word| line.contains(word)))
            .count()
    };
    let port = format!("127.0.0.1:{port}");
    assert_eq!(lines(&["INFO", "serving", &port]), 1, "{log}");
    assert_eq!(lines(&["INFO", "stopped", &port]), 1, "{log}");
    let get = [
        "DEBUG",
        "method=GET",
        "path=\"/data/logged.json\"",
        "status=200",
        "bytes=\"5\"",
    ];
    assert_eq!(lines(&get), 1, "{log}");
    let head = [
        "DEBUG",
        "method=HEAD",
        "path=\"/data/logged-missing.json\"",
        "status=404",
    ];
    assert_eq!(lines(&head), 1, "{log}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
