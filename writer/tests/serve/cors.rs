//! The switch for other origins.

use lastgood::serve::{Config, Cors};

use crate::support::{Folder, HASH, Server, put_with_siblings};

const EXPOSED: [&str; 5] = ["age", "content-length", "date", "etag", "retry-after"];

/// A path, request headers, and the status that they lead to.
type Case = (String, Vec<(&'static str, &'static str)>, u16);

fn cases() -> [Case; 8] {
    let object = format!("/data/objects/{HASH}.json");
    [
        ("/data/manifest.json".to_owned(), vec![], 200),
        (object.clone(), vec![], 200),
        (object.clone(), vec![("range", "bytes=0-1")], 206),
        (object.clone(), vec![("range", "bytes=99-")], 416),
        (object, vec![("if-none-match", "*")], 304),
        ("/data/.lock".to_owned(), vec![], 204),
        ("/data/missing.json".to_owned(), vec![], 404),
        ("/".to_owned(), vec![], 200),
    ]
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    put_with_siblings(&folder, &format!("data/objects/{HASH}.json"));
    folder.put("www/index.html", "page");
    folder
}

#[test]
fn off_by_default() {
    let folder = folder();
    let server = Server::start(&Config {
        cors: Cors::default(),
        ..folder.config()
    });
    for (path, mut headers, status) in cases() {
        headers.push(("origin", "https://example.org"));
        let reply = server.get_with(&path, &headers);
        assert_eq!(reply.status, status, "{path} {headers:?}");
        let cors = reply
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{path}");
    }
}

#[test]
fn on_every_answer_when_it_is_on() {
    let folder = folder();
    for (cors, allowed) in [("*", "*"), ("https://example.org", "https://example.org")] {
        let cors = cors.parse().unwrap();
        let server = Server::start(&Config {
            cors,
            ..folder.config()
        });
        for (path, mut headers, status) in cases() {
            headers.push(("origin", "https://example.org"));
            let reply = server.get_with(&path, &headers);
            assert_eq!(reply.status, status, "{path} {headers:?}");
            assert_eq!(reply.header("access-control-allow-origin"), allowed);
            let exposed = reply
                .header("access-control-expose-headers")
                .to_ascii_lowercase();
            let mut exposed: Vec<_> = exposed.split(',').map(str::trim).collect();
            exposed.sort_unstable();
            assert_eq!(exposed, EXPOSED);
            let negotiated = status != 416 && (path == "/" || path.contains("objects"));
            let vary = if negotiated { "accept-encoding" } else { "" };
            assert_eq!(
                reply.header("vary"),
                vary,
                "the same for every origin: {path} {status}"
            );
        }
        let answer = server
            .raw("DELETE /data/manifest.json HTTP/1.1")
            .to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 405 "), "{answer}");
        assert!(
            answer.contains(&format!("access-control-allow-origin: {allowed}\r\n")),
            "{answer}"
        );
    }
}

#[test]
fn a_preflight_is_answered_when_it_is_on() {
    let folder = folder();
    let server = Server::start(&Config {
        cors: Cors::AnyOrigin,
        ..folder.config()
    });
    let headers = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    let reply = server.request("OPTIONS", "/data/manifest.json", &headers);
    assert!(reply.status.is_success());
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-methods"), "GET,HEAD");
    assert_eq!(reply.header("access-control-allow-headers"), "*");
}

#[test]
fn an_origin_is_what_a_browser_would_send() {
    for origin in [
        "https://example.org",
        "http://localhost:5173",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "https://example.org:80",
    ] {
        assert!(matches!(origin.parse(), Ok(Cors::One(_))), "{origin}");
    }
    assert_eq!("*".parse(), Ok(Cors::AnyOrigin));
    assert_eq!("off".parse(), Ok(Cors::Off));
    for text in [
        "",
        "on",
        "example.org",
        "https://",
        "https://example.org/",
        "https://example.org/path",
        "https://example.org?x",
        "https://user@example.org",
        "https://Example.org",
        "HTTPS://example.org",
        "https://example.org:443",
        "http://example.org:80",
        "https://*.example.org",
        "ftp://example.org",
        "https://a.org, https://b.org",
        "https://example.org\r\nx: y",
        "null",
    ] {
        let error = text.parse::<Cors>().unwrap_err().to_string();
        assert!(error.contains("https://example.org"), "{error}");
    }
}
