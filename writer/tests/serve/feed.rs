//! What the feed answers: types, lock markers, methods, errors.

use crate::support::{Folder, HASH, Server};
use lastgood::serve::{Config, Cors, router};

#[test]
fn files_come_with_their_type() {
    let folder = Folder::new();
    for (path, media_type) in [
        ("manifest.json", "application/json"),
        ("performance.json", "application/json"),
        ("performance_backup.json", "application/json"),
        ("history/41.json", "application/json"),
        (&format!("objects/{HASH}.json"), "application/json"),
        (&format!("objects/{HASH}.png"), "image/png"),
        (&format!("objects/{HASH}.csv"), "text/csv; charset=utf-8"),
        ("last_update.txt", "text/plain; charset=utf-8"),
        ("notes.unheard-of", "application/octet-stream"),
    ] {
        folder.put(&format!("data/{path}"), path);
        let reply = folder.serve().get(&format!("/data/{path}"));
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), media_type, "{path}");
        assert_eq!(reply.header("content-length"), path.len().to_string());
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.text(), path);
    }
}

#[test]
fn a_missing_lock_marker_is_an_answer_without_content() {
    let folder = Folder::new();
    let server = folder.serve();
    let longest = "a".repeat(64);
    for marker in [
        ".lock",
        ".performance_lock",
        ".0_lock",
        ".a-b_c_lock",
        &format!(".{longest}_lock"),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = server.request(method, &format!("/data/{marker}"), &[]);
            assert_eq!(reply.status, 204, "{marker}");
            assert_eq!(reply.header("cache-control"), "no-store");
            assert_eq!(reply.header("content-length"), "", "{method}");
            assert_eq!(reply.body, b"");
        }
    }
}

#[test]
fn only_lock_markers_are_answered_without_content() {
    let folder = Folder::new();
    let server = folder.serve();
    let too_long = "a".repeat(65);
    for path in [
        "/data/._lock",
        "/data/.-x_lock",
        "/data/.Performance_lock",
        "/data/.a.b_lock",
        "/data/.locked",
        "/data/lock",
        "/data/performance_lock",
        "/data/history/.lock",
        "/data/.lock/",
        "/.lock",
        &format!("/data/.{too_long}_lock"),
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_lock_marker_is_served_with_the_time_at_which_to_judge_it() {
    let folder = Folder::new();
    let server = folder.serve();
    for marker in [".lock", ".performance_lock"] {
        folder.put(&format!("data/{marker}"), r#"{"format":1}"#);
        let reply = server.get(&format!("/data/{marker}"));
        assert_eq!(reply.status, 200);
        assert_eq!(reply.text(), r#"{"format":1}"#);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("date").ends_with(" GMT"), "{reply:?}");
    }
}

#[test]
fn what_is_missing_is_a_short_text_that_no_cache_keeps() {
    let folder = Folder::new();
    let server = folder.serve();
    for path in [
        "/data/manifest.json",
        "/data/objects/x.json",
        &format!("/data/objects/{HASH}.json"),
        "/data/history/1.json",
        "/missing",
        "/assets/index-BfYQtAy3.js",
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!((1..100).contains(&reply.body.len()));
    }
}

#[test]
fn directories_are_never_listed() {
    let folder = Folder::new();
    folder.put("data/history/1.json", "{}");
    folder.put("data/index.html", "not a page of the site");
    let server = folder.serve();
    for path in [
        "/data",
        "/data/",
        "/data/history",
        "/data/history/",
        "/data/objects/",
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains("1.json"));
    }
}

#[test]
fn a_head_request_is_answered_with_the_headers_of_a_get() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    folder.put("data/performance.json", vec![b' '; 1_000_000]);
    let server = folder.serve();
    for path in [
        "/data/manifest.json",
        "/data/performance.json",
        "/data/missing.json",
    ] {
        let (mut get, mut head) = (server.get(path), server.request("HEAD", path, &[]));
        assert_eq!(head.status, get.status);
        assert_eq!(head.body, b"");
        for reply in [&mut get, &mut head] {
            reply.headers.remove("date");
            reply.headers.remove("last-modified");
        }
        assert_eq!(head.headers, get.headers);
    }
}

#[test]
fn only_get_and_head_are_allowed() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    let server = folder.serve();
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        for path in ["/", "/data/manifest.json", "/data/.lock", "/missing"] {
            let answer = server
                .raw(&format!("{method} {path} HTTP/1.1"))
                .to_ascii_lowercase();
            assert!(
                answer.starts_with("http/1.1 405 "),
                "{method} {path}: {answer}"
            );
            assert!(answer.contains("\r\nallow: get, head\r\n"), "{answer}");
            assert!(
                answer.contains("\r\ncache-control: no-store\r\n"),
                "{answer}"
            );
        }
    }
    assert_eq!(server.get("/data/manifest.json").text(), "{}");
}

#[test]
fn without_a_site_the_root_says_where_the_feed_is() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    let server = Server::start(&Config {
        www: None,
        ..folder.config()
    });
    let reply = server.get("/");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    assert!(reply.text().contains("/data/manifest.json"));
    assert_eq!(server.get("/data/manifest.json").text(), "{}");
    assert_eq!(server.get("/index.html").status, 404);
}

#[test]
fn a_directory_that_is_not_there_is_refused_by_name() {
    let folder = Folder::new();
    folder.put("file", "");
    let good = folder.config();
    for (config, named) in [
        (
            Config {
                feed: folder.path("nowhere"),
                ..good.clone()
            },
            "the feed from",
        ),
        (
            Config {
                feed: folder.path("file"),
                ..good.clone()
            },
            "the feed from",
        ),
        (
            Config {
                www: Some(folder.path("nowhere")),
                cors: Cors::Off,
                ..good
            },
            "the site from",
        ),
    ] {
        let message = router(&config).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
        assert!(
            message.contains(folder.path("").to_str().unwrap()),
            "{message}"
        );
    }
}
