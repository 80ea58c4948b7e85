//! Clients that cost more than they should: slow ones, silent ones, too many.
//!
//! Where the clock is paused it stands still unless everybody waits, then it leaps to the next timer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lastgood::serve::{self, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::support::{Folder, Server};

const LENGTH: usize = 64 << 20;
const LARGE: &[u8] = b"GET /data/large.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    folder.put("data/large.json", vec![b'x'; LENGTH]);
    folder
}

/// A server on the clock of the test, with the limits that it has by default.
async fn start(folder: &Folder) -> (std::net::SocketAddr, JoinHandle<std::io::Result<()>>) {
    let router = serve::router(&folder.config()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve::run(listener, router, std::future::pending())))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_cut_off() {
    let folder = folder();
    let (address, _server) = start(&folder).await;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(LARGE).await.unwrap();
    client.read_exact(&mut [0; 12]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let mut rest = Vec::new();
    let _cut_off = client.read_to_end(&mut rest).await;
    assert!(rest.len() < LENGTH, "all of it came");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_gets_everything() {
    let folder = folder();
    let (address, _server) = start(&folder).await;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(LARGE).await.unwrap();
    let mut part = vec![0; LENGTH / 16];
    for _ in 0..15 {
        client.read_exact(&mut part).await.unwrap();
        // In sum far beyond every limit.
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > LENGTH / 16, "{} bytes of the rest", rest.len());
}

/// A byte every ten seconds: each is progress, but the head is not there in time.
#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_in_is_cut_off() {
    let folder = folder();
    let (address, _server) = start(&folder).await;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let begin = tokio::time::Instant::now();
    while client.write_all(b"G").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(begin.elapsed() < Duration::from_secs(120), "still open after {:?}", begin.elapsed());
    }
}

/// It is answered before its body has come, and does not keep the connection.
#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_in_is_not_waited_for() {
    let folder = folder();
    let (address, _server) = start(&folder).await;
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = b"POST /data/manifest.json HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 405");
    let begin = tokio::time::Instant::now();
    while client.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(begin.elapsed() < Duration::from_secs(120), "still open after {:?}", begin.elapsed());
    }
}

fn few(connections: usize) -> Limits {
    Limits { connections, grace: Duration::from_millis(20), ..Limits::default() }
}

fn expect_an_answer(server: &Server) {
    assert_eq!(server.get("/data/manifest.json").text(), "{}");
}

/// `count` connections on each of which `bytes` have been sent, and nothing is read.
fn attackers(server: &Server, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let attack = |_| {
        let mut stream = server.connect();
        let _unless_closed = stream.write_all(bytes);
        stream
    };
    (0..count).map(attack).collect()
}

/// How many of these connections the server has not closed.
fn open(streams: &[TcpStream]) -> usize {
    let is_open = |stream: &&TcpStream| {
        stream.set_nonblocking(true).unwrap();
        loop {
            match (&mut &**stream).read(&mut [0; 1 << 16]) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    };
    streams.iter().filter(is_open).count()
}

#[test]
fn clients_who_only_hold_connections_keep_nobody_out() {
    let folder = folder();
    let server = Server::within(few(8), &folder.config());
    for bytes in [b"".as_slice(), b"GET /data/man", LARGE, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"] {
        let attackers = attackers(&server, 100, bytes);
        for _ in 0..3 {
            expect_an_answer(&server);
        }
        assert!(open(&attackers) <= 8, "{}", open(&attackers));
        drop(attackers);
        expect_an_answer(&server);
    }
}

/// The others make way for it because it goes on, although it came first.
#[test]
fn a_download_that_goes_on_is_not_closed_for_others() {
    let folder = folder();
    let server = Server::within(Limits { grace: Duration::from_millis(500), ..few(4) }, &folder.config());
    let mut honest = server.connect();
    honest.write_all(LARGE).unwrap();
    std::thread::scope(|scope| {
        let download = scope.spawn(move || {
            let (mut part, mut received) = (vec![0; 1 << 20], 0);
            loop {
                match honest.read(&mut part).unwrap() {
                    0 => return received,
                    size => received += size,
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let attackers = attackers(&server, 12, b"GET /");
        expect_an_answer(&server);
        assert!(download.join().unwrap() > LENGTH);
        drop(attackers);
    });
}

#[test]
fn a_shutdown_under_attack_ends_in_time() {
    let folder = folder();
    let limits = Limits { drain: Duration::from_millis(200), ..few(64) };
    let mut server = Server::within(limits, &folder.config());
    let mut held = Vec::new();
    for bytes in [b"".as_slice(), b"GET /data/man", LARGE, b"\r\n"] {
        held.extend(attackers(&server, 30, bytes));
    }
    expect_an_answer(&server);
    server.stop();
    // More come while it ends.
    while let Ok(stream) = TcpStream::connect(server.address) {
        held.push(stream);
    }
    server.join().unwrap();
}
