//! Requests that no honest client sends: each is refused or answered like any other, and the server goes on.

use std::time::Duration;

use lastgood::serve::Limits;

use crate::support::{Folder, Server};

const MANIFEST: &str = "the manifest";

/// A server that soon closes a connection on which nothing more comes.
fn server(folder: &Folder) -> Server {
    folder.put("data/manifest.json", MANIFEST);
    folder.put("data/.lastgood/secret", "nobody may read this");
    Server::within(Limits { head: Duration::from_secs(1), ..Limits::default() }, &folder.config())
}

/// What the server answers to these bytes: the status, 0 when it closes the connection without a word.
fn status(answer: &str) -> u16 {
    let Some(rest) = answer.strip_prefix("HTTP/1.") else {
        assert_eq!(answer, "");
        return 0;
    };
    rest[2..5].parse().unwrap()
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = Folder::new();
    let server = server(&folder);
    let hello = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(), &[0; 200], b"\r\n\r\n"].concat();
    let every_byte: Vec<u8> = (0..=255).collect();
    for (what, bytes, expected) in [
        ("HTTP/0.9", b"GET /data/manifest.json\r\n\r\n".as_slice(), 400),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
        ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 400),
        ("HTTP/3", b"GET / HTTP/3\r\nHost: x\r\n\r\n", 400),
        ("TLS", &hello, 400),
        ("every byte", &every_byte, 400),
        ("zeros", &[0; 5000], 400),
        ("line breaks alone", &b"\r\n".repeat(5000), 0),
        ("nothing", b"", 0),
        ("no path", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("bytes above ASCII in the path", b"GET /data/\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("a NUL in the path", b"GET /data/\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("a NUL in a header", b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 400),
        ("a folded header", b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400),
        ("a space before the colon", b"GET / HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n", 400),
        ("no host", b"GET /data/manifest.json HTTP/1.1\r\n\r\n", 400),
        ("two hosts", b"GET /data/manifest.json HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ] {
        assert_eq!(status(&server.bytes(bytes)), expected, "{what}");
        assert_eq!(server.get("/data/manifest.json").text(), MANIFEST, "after {what}");
    }
}

#[test]
fn unusual_targets_and_methods_lead_nowhere_else() {
    let folder = Folder::new();
    let server = server(&folder);
    for (line, expected) in [
        ("GET http://other.example/data/manifest.json HTTP/1.1", 200),
        ("GET ftp://other.example/data/manifest.json HTTP/1.1", 200),
        ("GET http://other.example/data/.lastgood/secret HTTP/1.1", 404),
        ("GET http://other.example HTTP/1.1", 404),
        ("GET file:///data/.lastgood/secret HTTP/1.1", 400),
        ("GET other.example:80 HTTP/1.1", 404),
        ("GET * HTTP/1.1", 404),
        ("GET /data/manifest.json#fragment HTTP/1.1", 200),
        ("GET /data/manifest.json?../../.lastgood/secret HTTP/1.1", 200),
        ("HEAD /data/manifest.json HTTP/1.0", 200),
        ("get /data/manifest.json HTTP/1.1", 405),
        ("CONNECT other.example:80 HTTP/1.1", 405),
        ("CONNECT /data/manifest.json HTTP/1.1", 405),
        ("TRACE /data/manifest.json HTTP/1.1", 405),
        ("OPTIONS * HTTP/1.1", 405),
        ("PUT /data/manifest.json HTTP/1.1", 405),
        ("DELETE /data/manifest.json HTTP/1.1", 405),
        ("PROPFIND /data/ HTTP/1.1", 405),
    ] {
        let answer = server.raw(line);
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert!(!answer.contains("nobody may read"), "{line}");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // TRACE would send back the cookies of whoever is made to ask for it.
        assert!(["", MANIFEST, "There is no such file here.\n"].contains(&body), "{line}: {body}");
    }
}

/// A body that is read to another end than the one that a proxy sees would begin another request.
#[test]
fn a_body_never_becomes_a_request() {
    let folder = Folder::new();
    let server = server(&folder);
    let smuggled = "GET /data/manifest.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let length = smuggled.len();
    for (headers, expected) in [
        (format!("Content-Length: {length}\r\nContent-Length: 0"), 400),
        (format!("Content-Length: 0\r\nContent-Length: {length}"), 400),
        ("Content-Length: 0, 0".to_owned(), 400),
        ("Content-Length: -1".to_owned(), 400),
        ("Content-Length: +1".to_owned(), 400),
        ("Content-Length: 0x10".to_owned(), 400),
        ("Content-Length: 99999999999999999999999".to_owned(), 400),
        (format!("Content-Length: {}", u64::MAX), 431),
        ("Transfer-Encoding: xchunked".to_owned(), 400),
        ("Transfer-Encoding: chunked, identity".to_owned(), 400),
        (format!("Content-Length: {length}"), 405),
        ("Content-Length: 1000000000".to_owned(), 405),
        ("Content-Length: 1000000000\r\nExpect: 100-continue".to_owned(), 405),
        ("Transfer-Encoding: chunked".to_owned(), 405),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked".to_owned(), 405),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".to_owned(), 405),
    ] {
        let answer = server.bytes(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{smuggled}").as_bytes());
        assert_eq!(status(&answer), expected, "{headers}: {answer}");
        assert!(!answer.contains(MANIFEST), "{headers}: {answer}");
    }
    // Without a length there is no body: what follows is the next request, as everybody sees it.
    let answer = server.bytes(format!("POST / HTTP/1.1\r\nHost: x\r\n\r\n{smuggled}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.ends_with(MANIFEST), "{answer}");
    // Chunks without end: the answer does not wait for them.
    for chunk in ["ffffffffffffffffff\r\nx", "fffffff\r\nx", "0\r\nTrailer: ", "1;extension=", "-1\r\n", "\r\n"] {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = server.bytes(format!("{head}{chunk}").as_bytes());
        assert_eq!(status(&answer), 405, "{chunk}: {answer}");
    }
}

#[test]
fn a_head_has_a_largest_size() {
    let folder = Folder::new();
    let server = server(&folder);
    let limit = Limits::default().head_bytes;
    let request = |line: &str, headers: &str| server.bytes(format!("{line}\r\nHost: x\r\n{headers}\r\n").as_bytes());
    let close = "Connection: close\r\n";
    let long = |bytes: usize| "a".repeat(bytes);
    for (bytes, expected) in [(limit / 2, 404), (limit + 1, 431), (limit * 100, 431)] {
        let answer = request(&format!("GET /{} HTTP/1.1", long(bytes)), close);
        // Where the length of the line alone is beyond what a path may have, that is what is said.
        let answered = status(&answer);
        assert!(answered == expected || (expected == 431 && answered == 414), "{bytes}: {answered}");
    }
    for (bytes, expected) in [(limit / 2, 200), (limit + 1, 431), (limit * 100, 431)] {
        let line = "GET /data/manifest.json HTTP/1.1";
        assert_eq!(status(&request(line, &format!("X: {}\r\n{close}", long(bytes)))), expected, "{bytes}");
        let name = format!("{}: x\r\n{close}", long(bytes));
        // A name has a limit of its own in the parser.
        assert!([expected, 400, 431].contains(&status(&request(line, &name))), "{bytes}");
    }
    for (count, expected) in [(50, 200), (1000, 431), (100_000, 431)] {
        let headers = "X: a\r\n".repeat(count);
        let answer = request("GET /data/manifest.json HTTP/1.1", &format!("{headers}{close}"));
        assert_eq!(status(&answer), expected, "{count} headers");
    }
    assert_eq!(status(&request(&format!("{} / HTTP/1.1", "A".repeat(limit / 2)), close)), 405);
    assert_eq!(server.get("/data/manifest.json").text(), MANIFEST);
}

/// One at a time and in order, however many are sent before the first answer is read.
#[test]
fn requests_sent_ahead_are_answered_in_order() {
    use std::io::{Read, Write};

    const COUNT: usize = 5000;
    let folder = Folder::new();
    folder.put("data/manifest.json", MANIFEST);
    let server = folder.serve();
    let mut requests = String::new();
    for number in 0..COUNT {
        let path = if number % 2 == 0 { "manifest.json" } else { "missing" };
        let close = if number + 1 == COUNT { "Connection: close\r\n" } else { "" };
        requests.push_str(&format!("GET /data/{path} HTTP/1.1\r\nHost: x\r\n{close}\r\n"));
    }
    let mut stream = server.connect();
    let mut sending = stream.try_clone().unwrap();
    let mut answers = String::new();
    std::thread::scope(|scope| {
        scope.spawn(move || sending.write_all(requests.as_bytes()).unwrap());
        stream.read_to_string(&mut answers).unwrap();
    });
    let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses.len(), COUNT);
    assert!(statuses.iter().enumerate().all(|(number, status)| *status == ["200", "404"][number % 2]));
}
