//! A server that goes on answering, but ever so slowly: all that is asked of it has one end.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use lastgood_tests::TestFeed;

use super::{doctor, published};

/// Serves the files of a feed: of those whose path begins with `slow` one byte every few milliseconds. There is no end to that
/// within the life of a test.
fn drip(feed: &TestFeed, slow: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/data/", listener.local_addr().unwrap());
    let dir = feed.dir();
    thread::spawn(move || {
        for client in listener.incoming() {
            let dir = dir.clone();
            thread::spawn(move || answer(&client.unwrap(), &dir, slow));
        }
    });
    url
}

fn answer(client: &TcpStream, dir: &std::path::Path, slow: &str) {
    let mut lines = BufReader::new(client).lines();
    let Some(Ok(request)) = lines.next() else { return };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = request.split(' ').nth(1).unwrap().trim_start_matches("/data/").to_owned();
    let body = std::fs::read(dir.join(&path)).unwrap_or_default();
    let mut client = client;
    if path.starts_with(slow) {
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\nconnection: close\r\n\r\n");
        // Until the doctor has enough of it.
        while client.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
        return;
    }
    let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\ncache-control: no-cache\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = client.write_all(&[head.as_bytes(), &body].concat());
}

#[test]
fn the_time_limit_is_for_all_of_it() {
    let feed = published();
    let found = doctor(&feed, &["--url", &drip(&feed, "objects/"), "--timeout", "2s"]);
    found.fine("url-manifest");
    let remedy = found.finds("url-reachable", "error", &["not answered everything within 2 s"]);
    assert!(remedy.contains("--timeout 5m"), "{remedy}");
    // What came too late is not taken for a fault of the server's.
    for check in ["url-objects", "url-missing", "url-lock", "url-private", "url-cors", "url-clock"] {
        assert!(found.by(check).is_empty(), "{check}: {:#?}", found.by(check));
    }
    let found = doctor(&feed, &["--url", &drip(&feed, "manifest"), "--timeout", "300ms"]);
    found.finds("url-reachable", "error", &["timeout", "0.3 s"]);
    // The other commands that ask a server have the same limit.
    for command in [&["status"][..], &["cat", "performance"]] {
        let url = drip(&feed, "manifest");
        let ran = feed.run(&[command, &["--url", &url, "--timeout", "300ms", "--json"]].concat()).expect(1);
        assert_eq!(ran.says(&["timeout", "--timeout"]).json()["error"]["code"], "timeout");
    }
}
