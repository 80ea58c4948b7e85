//! Payloads as they are served.

use std::io::Write;

use lastgood_protocol::digest::Sha256;
use lastgood_tests::TestFeed;

use super::server::{Answer, Asked, Server, body, header, page, status};
use super::{payload, published};

/// A fault of the objects alone; those that do not exist stay missing.
fn objects(feed: &TestFeed, fault: impl Fn(&mut Answer) + Send + Sync + 'static) -> Server {
    Server::faulty(feed, move |asked: &Asked, answer: &mut Answer| {
        if asked.path.starts_with("objects/") && answer.status() == 200 {
            fault(answer);
        }
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn objects_that_are_missing_or_altered_are_errors() {
    let feed = published();
    let server = objects(&feed, |answer| status(answer, 404));
    let remedy = server.doctor(&feed).finds("url-objects", "error", &["answered with 404"]);
    assert!(remedy.contains("objects first"), "{remedy}");
    server.doctor(&feed).fine("url-plain-copy");
    let server = objects(&feed, |answer| {
        header(answer, "content-encoding", None);
        // Of the same length.
        body(answer, payload("First"));
    });
    server.doctor(&feed).finds("url-objects", "error", &["is not what was published"]);
    let server = objects(&feed, page);
    server.doctor(&feed).finds("url-objects", "error", &["HTML page"]);
}

/// Of many datasets the newest, the largest and the smallest are fetched.
#[test]
fn of_many_datasets_the_telling_ones_are_fetched() {
    let feed = published();
    let names: Vec<String> = (0..20).map(|n| format!("d{n}=d{n}.json")).collect();
    for n in 0..20_usize {
        feed.input(&format!("d{n}.json"), payload("y").replace("end", &"y".repeat(100 + n)));
    }
    feed.run(&[vec!["publish"], names.iter().map(String::as_str).collect()].concat()).expect(0);
    feed.publish("newest", payload("y").replace("end", &"z".repeat(110)));
    let found = Server::right(&feed).doctor(&feed);
    found.fine("url-objects");
    let text = found.by("url-objects")[0]["found"].as_str().unwrap();
    assert!(text.starts_with("3 of 22"), "{text}");
    for (dataset, is_seen) in [("newest", true), ("performance", true), ("d0", true), ("d10", false)] {
        let sha256 = feed.manifest()["datasets"][dataset]["sha256"].as_str().unwrap().to_owned();
        let server = Server::faulty(&feed, move |asked, answer| {
            if asked.path.contains(&sha256) {
                status(answer, 500);
            }
        });
        let found = server.doctor(&feed);
        if is_seen {
            found.finds("url-objects", "error", &["500"]);
        } else {
            found.fine("url-objects");
        }
    }
}

#[test]
fn objects_that_browsers_may_not_keep_are_noted() {
    let feed = published();
    for value in [None, Some("no-cache"), Some("max-age=60"), Some("max-age=31536000, no-store")] {
        let server = objects(&feed, move |answer| header(answer, "cache-control", value));
        let remedy = server.doctor(&feed).finds("url-object-caching", "note", &["never change"]);
        assert!(remedy.contains("location /data/objects/") && remedy.contains("immutable"), "{remedy}");
    }
}

#[test]
fn json_that_is_not_called_json_is_found() {
    let feed = published();
    for (value, words) in [(Some("text/plain"), "text/plain"), (None, "no Content-Type")] {
        let server = objects(&feed, move |answer| header(answer, "content-type", value));
        server.doctor(&feed).finds("url-content-type", "warning", &[words]);
    }
    let server = objects(&feed, |answer| header(answer, "content-type", Some("application/json; charset=utf-8")));
    server.doctor(&feed).fine("url-content-type");
}

#[test]
fn every_way_to_get_compression_wrong_is_told_apart() {
    let feed = published();
    let plain = payload("first");
    assert_eq!(feed.manifest()["datasets"]["performance"]["sha256"], Sha256::of(plain.as_bytes()).to_string());
    let once = gzip(plain.as_bytes());
    let twice = gzip(&once);
    let sends = |encoding: Option<&'static str>, bytes: &[u8]| {
        let bytes = bytes.to_vec();
        objects(&feed, move |answer| {
            header(answer, "content-encoding", encoding);
            body(answer, bytes.clone());
        })
    };
    sends(None, plain.as_bytes()).doctor(&feed).finds("url-compression", "note", &["uncompressed"]);
    sends(Some("gzip"), &once).doctor(&feed).fine("url-compression");
    sends(None, &once).doctor(&feed).finds("url-compression", "error", &["without Content-Encoding", "gzip"]);
    let found = sends(Some("gzip"), &twice).doctor(&feed);
    found.finds("url-compression", "error", &["compressed twice"]);
    found.fine("url-objects");
    sends(Some("gzip"), plain.as_bytes()).doctor(&feed).finds("url-compression", "error", &["but the body is not"]);
    sends(Some("zstd"), &once).doctor(&feed).finds("url-compression", "error", &["zstd, which was not asked for"]);
    let server = objects(&feed, |answer| header(answer, "vary", None));
    server.doctor(&feed).finds("url-compression", "warning", &["Vary"]);
    // Objects are as they should be, and what a first visit asks for is not.
    let copies = |encoding: Option<&'static str>, bytes: &[u8]| {
        let bytes = bytes.to_vec();
        Server::faulty(&feed, move |asked, answer| {
            if asked.path == "performance.json" {
                header(answer, "content-encoding", encoding);
                body(answer, bytes.clone());
            }
        })
    };
    copies(None, plain.as_bytes()).doctor(&feed).finds("url-compression", "note", &["uncompressed (plain copies)"]);
    copies(None, &once).doctor(&feed).finds("url-compression", "error", &["plain copies", "without Content-Encoding"]);
    copies(Some("gzip"), &once).doctor(&feed).fine("url-compression");
}

#[test]
fn plain_copies_that_are_old_or_may_become_so_are_found() {
    let feed = published();
    let copies = |fault: fn(&mut Answer)| {
        Server::faulty(&feed, move |asked, answer| {
            if asked.path == "performance.json" {
                fault(answer);
            }
        })
    };
    let server = copies(|answer| {
        header(answer, "content-encoding", None);
        body(answer, payload("old"));
    });
    server.doctor(&feed).finds("url-plain-copy", "warning", &["performance.json is not the current payload"]);
    let server = copies(|answer| header(answer, "cache-control", Some("max-age=3600")));
    server.doctor(&feed).finds("url-plain-copy", "warning", &["max-age=3600"]);
    let server = copies(|answer| header(answer, "cache-control", None));
    let remedy =
        server.doctor(&feed).finds("url-plain-copy", "warning", &["no Cache-Control", "for as long as they guess"]);
    assert!(remedy.contains("no-cache"), "{remedy}");
    let server = copies(|answer| status(answer, 404));
    server.doctor(&feed).finds("url-plain-copy", "warning", &["404"]);
}
