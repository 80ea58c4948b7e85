//! What the server does beyond the feed's files.

use std::fs;
use std::time::{Duration, SystemTime};

use lastgood::serve::Cors;

use super::server::{Server, body, header, page, status};
use super::{doctor, published};

#[test]
fn a_missing_object_must_be_a_404_that_nobody_keeps() {
    let feed = published();
    let missing = |fault: fn(&mut super::server::Answer)| {
        Server::faulty(&feed, move |asked, answer| {
            if asked.path.starts_with("objects/000") {
                fault(answer);
            }
        })
    };
    let remedy = missing(page).doctor(&feed).finds("url-missing", "error", &["200", "HTML page"]);
    assert!(remedy.contains("try_files $uri =404"), "{remedy}");
    missing(|answer| status(answer, 403)).doctor(&feed).finds("url-missing", "note", &["403"]);
    let server = missing(|answer| header(answer, "cache-control", Some("max-age=300")));
    server.doctor(&feed).finds("url-missing", "warning", &["missing for 300 s"]);
    missing(|answer| status(answer, 410)).doctor(&feed).fine("url-missing");
}

#[test]
fn the_lock_marker_is_answered_quietly_and_never_from_a_cache() {
    let feed = published();
    let lock = |fault: fn(&mut super::server::Answer)| {
        Server::faulty(&feed, move |asked, answer| {
            if asked.path == ".lock" {
                fault(answer);
            }
        })
    };
    let remedy = lock(|answer| status(answer, 404)).doctor(&feed).finds("url-lock", "note", &["404", "console"]);
    assert!(remedy.contains("location = /data/.lock") && remedy.contains("return 204"), "{remedy}");
    lock(page).doctor(&feed).finds("url-lock", "warning", &["no marker"]);
    let server = lock(|answer| header(answer, "cache-control", Some("max-age=10")));
    server.doctor(&feed).finds("url-lock", "warning", &["max-age=10"]);
}

#[test]
fn the_private_directory_must_not_be_served() {
    let feed = published();
    let private = |fault: fn(&mut super::server::Answer)| {
        Server::faulty(&feed, move |asked, answer| {
            if asked.path == ".lastgood/lock" {
                fault(answer);
            }
        })
    };
    let server = private(|answer| {
        status(answer, 200);
        body(answer, "");
    });
    let remedy = server.doctor(&feed).finds("url-private", "error", &[".lastgood/lock is served"]);
    assert!(remedy.contains("location ^~ /data/.lastgood/ { return 404; }"), "{remedy}");
    // The page of a single-page app gives nothing away.
    private(page).doctor(&feed).fine("url-private");
}

#[test]
fn listed_directories_are_noted() {
    let feed = published();
    let sha256 = feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    let server = Server::faulty(&feed, move |asked, answer| {
        if asked.path == "objects/" {
            status(answer, 200);
            body(answer, format!("<a href=\"{sha256}.json\">"));
        }
    });
    let remedy = server.doctor(&feed).finds("url-listing", "note", &["/data/objects/"]);
    assert!(remedy.contains("autoindex off"), "{remedy}");
    let server = Server::faulty(&feed, |asked, answer| {
        if asked.path.is_empty() {
            page(answer);
        }
    });
    server.doctor(&feed).fine("url-listing");
}

#[test]
fn pages_of_other_origins_are_asked_about_by_name() {
    let feed = published();
    let server = Server::right(&feed);
    let ask = |server: &Server, origin: &str| doctor(&feed, &["--url", &server.url, "--origin", origin]);
    let origin = "https://www.example.org";
    let remedy = ask(&server, origin).finds("url-cors", "error", &[origin, "no Access-Control-Allow-Origin"]);
    assert!(remedy.contains(&format!("Access-Control-Allow-Origin {origin}")), "{remedy}");
    let server = Server::start(feed.dir(), Cors::One(origin.parse().unwrap()), |_, _| {});
    ask(&server, origin).fine("url-cors");
    ask(&server, "https://other.example.org").finds("url-cors", "error", &["only those of https://www.example.org"]);
    let hidden = |_: &super::server::Asked, answer: &mut super::server::Answer| {
        header(answer, "access-control-expose-headers", Some("ETag"));
    };
    let server = Server::start(feed.dir(), Cors::AnyOrigin, hidden);
    server.doctor(&feed).finds("url-cors", "warning", &["not the header Date"]);
    feed.run(&["doctor", "--origin", origin]).expect(2).says(&["--url"]);
}

#[test]
fn a_server_with_another_time_or_none_is_found() {
    let feed = published();
    let dated = |seconds: i64, age: Option<&'static str>| {
        Server::faulty(&feed, move |_, answer| {
            let by = Duration::from_secs(seconds.unsigned_abs());
            let now = SystemTime::now();
            let there = if seconds < 0 { now - by } else { now + by };
            header(answer, "date", Some(&httpdate::fmt_http_date(there)));
            header(answer, "age", age);
        })
    };
    dated(7200, None).doctor(&feed).finds("url-clock", "warning", &["hour"]);
    dated(-7200, None).doctor(&feed).finds("url-clock", "warning", &["hour"]);
    dated(15, None).doctor(&feed).finds("url-clock", "note", &["seconds"]);
    dated(-15, None).doctor(&feed).finds("url-clock", "note", &["seconds"]);
    // What a cache has kept for an hour was dated an hour ago, rightly.
    dated(-3600, Some("3600")).doctor(&feed).fine("url-clock");
    let server = Server::faulty(&feed, |_, answer| header(answer, "date", Some("today")));
    server.doctor(&feed).finds("url-clock", "warning", &["does not tell the time"]);
}

/// `lastgood serve` itself, as a process.
#[test]
fn the_server_of_the_command_is_healthy() {
    use std::io::{BufRead, BufReader};
    let feed = published();
    fs::create_dir(feed.root().join("site")).unwrap();
    let mut child = feed.spawn(&["serve", "--listen", "127.0.0.1:0", "--www", "site", "--json"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let found = doctor(&feed, &["--url", said["feed"].as_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    found.healthy();
}
