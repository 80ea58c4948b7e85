//! Little that becomes a lot: compressed siblings, and servers that do not stop sending.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{COMMANDS, copy, each_in_parallel, ends, feed, try_to_end};

const GIGABYTE: usize = 1 << 30;

/// As many zeros, compressed to a hundredth or less: parts of 16 MiB one after the other, as gzip allows.
fn gzip_bomb(bytes: usize) -> Vec<u8> {
    let part = 16 << 20;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&vec![0; part]).unwrap();
    encoder.finish().unwrap().repeat(bytes / part)
}

/// Within a quarter of the memory that it would become, and the sibling is named as wrong.
#[test]
fn a_sibling_that_inflates_to_gigabytes_is_read_no_further_than_the_object() {
    let template = feed();
    let current = template.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    let bomb = gzip_bomb(GIGABYTE);
    for name in ["gz", "br"] {
        fs::write(template.path(&format!("objects/{current}.json.{name}")), &bomb).unwrap();
    }
    each_in_parallel(&COMMANDS, |arguments| {
        let feed = copy(&template);
        feed.input("in.json", "[4]");
        try_to_end(&feed, arguments).map(drop)
    });
    let ran = ends(&template, &["verify", "--json"]).expect(5);
    let problems = ran.text();
    assert!(problems.contains(".json.gz") && problems.contains(".json.br"), "{problems}");
    ends(&template, &["verify", "--repair"]).expect(0);
    ends(&template, &["verify"]).expect(0);
}

/// A server that answers everything with `head` and then `part`, over and over, until the client has enough.
struct Endless {
    url: String,
    sent: Arc<AtomicU64>,
}

impl Endless {
    fn start(head: &'static str, part: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/data/", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicU64::new(0));
        let (counted, part) = (Arc::clone(&sent), Arc::new(part));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (counted, part) = (Arc::clone(&counted), Arc::clone(&part));
                std::thread::spawn(move || answer(stream.unwrap(), head, &part, &counted));
            }
        });
        Self { url, sent }
    }
}

fn answer(mut stream: TcpStream, head: &str, part: &[u8], sent: &AtomicU64) {
    let _ = stream.read(&mut [0; 8192]);
    let mut written = stream.write_all(head.as_bytes());
    while written.is_ok() && sent.load(Ordering::Relaxed) < 20 * GIGABYTE as u64 {
        written = stream.write_all(part);
        sent.fetch_add(part.len() as u64, Ordering::Relaxed);
    }
}

#[test]
fn a_server_that_never_stops_sending_is_not_listened_to_for_ever() {
    let feed = feed();
    let megabyte = |byte: u8| vec![byte; 1 << 20];
    let mut chunk = b"100000\r\n".to_vec();
    chunk.extend(megabyte(b'['));
    chunk.extend(b"\r\n");
    for (what, head, part) in [
        ("a body without end", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", megabyte(b'[')),
        ("a length of 2^63", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", megabyte(b' ')),
        ("chunks without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk),
        ("a head without end", "HTTP/1.1 200 OK\r\n", b"X: y\r\n".repeat(10_000)),
        ("a line without end", "HTTP/1.1 200 OK\r\nX: ", megabyte(b'x')),
        ("no HTTP", "", megabyte(b'x')),
        (
            "a body that inflates to gigabytes",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n",
            gzip_bomb(GIGABYTE),
        ),
        (
            "redirects without end",
            "HTTP/1.1 302 Found\r\nLocation: /data/manifest.json\r\nContent-Length: 0\r\n\r\n",
            Vec::new(),
        ),
    ] {
        let server = Endless::start(head, part);
        let ran = ends(&feed, &["doctor", "--url", &server.url, "--timeout", "5s"]);
        assert_ne!(ran.code, Some(0), "{what}: {ran:?}");
        let sent = server.sent.load(Ordering::Relaxed);
        assert!(sent < GIGABYTE as u64, "{what}: {sent} bytes were taken");
    }
}
