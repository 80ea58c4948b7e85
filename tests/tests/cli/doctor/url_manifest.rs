//! The manifest as it is served: reached, intact, the one that was published, revalidated.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use lastgood::serve::Cors;
use lastgood_tests::TestFeed;

use super::server::{Server, body, header, page, status};
use super::{Diagnosis, copy, doctor, payload, published};

const MANIFEST: &str = "manifest.json";

#[test]
fn what_lastgood_serves_is_as_it_should_be() {
    let feed = published();
    feed.publish("transactions", payload("other"));
    for cors in [Cors::Off, Cors::AnyOrigin] {
        let server = Server::start(feed.dir(), cors, |_, _| {});
        let found = server.doctor(&feed);
        found.healthy();
        let url = |finding: &&serde_json::Value| finding["check"].as_str().unwrap().starts_with("url-");
        for finding in found.findings.iter().filter(url) {
            assert_eq!(finding["severity"], "ok", "{finding}");
        }
        assert_eq!(found.findings.iter().filter(url).count(), 19, "every check was made");
    }
}

#[test]
fn the_address_may_be_given_in_any_form() {
    let feed = published();
    let server = Server::right(&feed);
    for url in [server.url.clone(), server.url.trim_end_matches('/').to_owned(), format!("{}manifest.json", server.url)]
    {
        doctor(&feed, &["--url", &url]).fine("url-generation");
    }
    feed.run(&["doctor", "--url", "example.org/data"]).expect(2).says(&["example.org/data", "https://"]);
}

/// As browsers do it.
#[test]
fn a_proxy_is_not_asked_for_what_is_on_this_machine() {
    let feed = published();
    let server = Server::right(&feed);
    let mut command = feed.command(&["doctor", "--json", "--url", &server.url]);
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
    }
    Diagnosis::of(command).healthy();
}

#[test]
fn without_a_directory_the_server_alone_is_looked_at() {
    let feed = published();
    let server = Server::right(&feed);
    let elsewhere = TestFeed::new();
    let found = server.doctor(&elsewhere);
    found.finds("directory", "note", &["only the URL"]);
    found.fine("url-objects");
    assert!(found.by("url-generation").is_empty());
    found.healthy();
}

#[test]
fn a_server_that_does_not_answer_is_told_apart_by_how() {
    let feed = published();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let found = doctor(&feed, &["--url", &format!("http://{address}/")]);
    found.finds("url-reachable", "error", &["refused"]);
    // It takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let remedy = doctor(&feed, &["--url", &url, "--timeout", "100ms"]).finds("url-reachable", "error", &["timeout"]);
    assert!(remedy.contains("--timeout"), "{remedy}");
    let remedy = doctor(&feed, &["--url", "http://lastgood.invalid/"]).finds("url-reachable", "error", &[]);
    assert!(remedy.contains("host name"), "{remedy}");
    for (code, words) in [(403, "--as-user"), (404, "location /data/"), (500, "error log")] {
        let server = Server::faulty(&feed, move |_, answer| status(answer, code));
        let remedy = server.doctor(&feed).finds("url-reachable", "error", &[&code.to_string()]);
        assert!(remedy.contains(words), "{remedy}");
    }
}

#[test]
fn redirects_are_told_and_followed_as_long_as_they_lead_to_a_feed() {
    let feed = published();
    let target = Server::right(&feed);
    let to = format!("{}manifest.json", target.url);
    let server = Server::faulty(&feed, move |_, answer| {
        status(answer, 301);
        header(answer, "location", Some(&to));
    });
    let found = server.doctor(&feed);
    let remedy = found.finds("url-redirect", "warning", &[&server.url, "301 to", &target.url]);
    assert!(remedy.contains(&format!("open(\"{}\")", target.url)), "{remedy}");
    found.fine("url-generation");
    for location in ["/login", "/data/manifest.json"] {
        let server = Server::faulty(&feed, move |_, answer| {
            status(answer, 302);
            header(answer, "location", Some(location));
        });
        let found = server.doctor(&feed);
        found.finds("url-redirect", "error", &["leads away", location]);
        let text = found.by("url-redirect")[0]["found"].as_str().unwrap();
        assert!(text.matches("302 to").count() <= 6, "{text}");
    }
}

/// 0.0.0.0 leads to this machine and is not among the addresses that browsers trust.
#[test]
fn plain_http_is_worth_a_note_unless_it_is_local() {
    let feed = published();
    let server = Server::right(&feed);
    server.doctor(&feed).fine("url-tls");
    let found = doctor(&feed, &["--url", &server.url.replace("127.0.0.1", "0.0.0.0")]);
    found.finds("url-tls", "note", &["crypto.subtle"]);
    found.healthy();
}

#[test]
fn a_page_in_place_of_the_manifest_is_told_with_the_setting() {
    let feed = published();
    let server = Server::faulty(&feed, |_, answer| page(answer));
    let remedy = server.doctor(&feed).finds("url-manifest", "error", &["HTML page"]);
    for expected in
        ["nginx, in location /data/ { … }: try_files $uri =404;", "Caddy, in handle_path /data/*", "bucket: "]
    {
        assert!(remedy.contains(expected), "{remedy}");
    }
    // Where the server says who it is, its own setting is enough.
    let server = Server::faulty(&feed, |_, answer| {
        page(answer);
        header(answer, "server", Some("nginx/1.26"));
    });
    let remedy = server.doctor(&feed).finds("url-manifest", "error", &[]);
    assert!(remedy.starts_with("nginx, in location") && !remedy.contains("Caddy"), "{remedy}");
}

#[test]
fn a_manifest_that_is_changed_on_the_way_is_found() {
    let feed = published();
    let server = Server::faulty(&feed, |asked, answer| {
        if asked.path == MANIFEST {
            let half = answer.body().slice(..answer.body().len() / 2);
            body(answer, half);
        }
    });
    server.doctor(&feed).finds("url-manifest", "error", &["damaged"]);
    // Only outside of what the checksum covers.
    let server = Server::faulty(&feed, |asked, answer| {
        if asked.path == MANIFEST && !answer.body().is_empty() {
            let mut bytes = answer.body().to_vec();
            bytes.extend(b"\n\n");
            body(answer, bytes);
        }
    });
    server.doctor(&feed).finds("url-manifest", "warning", &["not the same bytes"]);
}

/// The flagship: the backend writes one directory, the site serves another.
#[test]
fn a_server_of_another_feed_is_an_error_that_names_both() {
    let feed = published();
    let other = published();
    let server = Server::right(&other);
    let id = |feed: &TestFeed| feed.manifest()["feed"].as_str().unwrap().to_owned();
    let (here, there) = (id(&feed), id(&other));
    let words = [feed.dir().display().to_string(), here, server.url.clone(), there];
    let remedy = server.doctor(&feed).finds("url-feed", "error", &words.each_ref().map(String::as_str));
    assert!(remedy.contains("nginx -T") && remedy.contains("LASTGOOD_DIR"), "{remedy}");
}

#[test]
fn a_server_of_an_old_copy_is_behind_and_one_of_a_newer_copy_ahead() {
    let feed = published();
    let other = TestFeed::new();
    copy(&feed.dir(), &other.dir());
    feed.publish("performance", payload("second"));
    let server = Server::right(&other);
    let found = server.doctor(&feed);
    found.fine("url-feed");
    let words = ["an old copy", "has generation 2", "has generation 1", &server.url];
    let remedy = found.finds("url-generation", "error", &words);
    assert!(remedy.contains("manifest.json last"), "{remedy}");
    // The same, and a cache says so.
    let cached = Server::start(other.dir(), Cors::Off, |_, answer| header(answer, "age", Some("321")));
    let remedy = cached.doctor(&feed).finds("url-generation", "error", &["a cache on the way", "age: 321"]);
    assert!(remedy.contains("purge"), "{remedy}");
    let server = Server::right(&feed);
    server.doctor(&other).finds("url-generation", "error", &["ahead", "another directory or machine"]);
}

#[test]
fn a_manifest_that_caches_may_keep_is_found() {
    let feed = published();
    for (value, severity, words) in [
        (Some("public, max-age=600"), "error", "max-age=600"),
        (Some("s-maxage=60, max-age=0"), "error", "s-maxage=60"),
        (None, "warning", "no Cache-Control"),
    ] {
        let server = Server::faulty(&feed, move |asked, answer| {
            if asked.path == MANIFEST {
                header(answer, "cache-control", value);
            }
        });
        let remedy = server.doctor(&feed).finds("url-manifest-caching", severity, &[words]);
        assert!(remedy.contains("location = /data/manifest.json"), "{remedy}");
    }
    let server = Server::faulty(&feed, |_, answer| header(answer, "age", Some("5")));
    server.doctor(&feed).finds("url-manifest-caching", "warning", &["kept it for 5 s"]);
    for fine in ["no-cache", "max-age=0, must-revalidate", "no-store", "no-cache, max-age=60"] {
        let server = Server::faulty(&feed, move |_, answer| header(answer, "cache-control", Some(fine)));
        server.doctor(&feed).fine("url-manifest-caching");
    }
}

#[test]
fn an_unchanged_manifest_that_is_sent_again_is_noted() {
    let feed = published();
    let server = Server::faulty(&feed, |_, answer| {
        header(answer, "etag", None);
        header(answer, "last-modified", None);
    });
    server.doctor(&feed).finds("url-revalidation", "note", &["without ETag"]);
    let server = Server::faulty(&feed, |asked, answer| {
        if asked.path == MANIFEST {
            header(answer, "etag", Some("\"another\""));
        }
    });
    server.doctor(&feed).finds("url-revalidation", "note", &["status 200 where 304 was due"]);
    // As nginx answers unless it is told otherwise: the ETag is right, but the time of modification is heeded, too.
    let heeding = |etag: Option<&'static str>| {
        Server::faulty(&feed, move |asked, answer| {
            if asked.path == MANIFEST {
                let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(0x6570_0000);
                header(answer, "last-modified", Some(&httpdate::fmt_http_date(time)));
                header(answer, "etag", etag);
                let (matches, modified) =
                    (asked.headers.contains_key("if-none-match"), asked.headers.contains_key("if-modified-since"));
                if matches && etag.is_some() || modified {
                    status(answer, 304);
                    body(answer, "");
                }
            }
        })
    };
    let remedy = heeding(Some("\"65700000-1f4\"")).doctor(&feed).finds("url-revalidation", "note", &["by it alone"]);
    assert!(remedy.contains("if_modified_since off; add_header Last-Modified \"\";"), "{remedy}");
    let remedy = heeding(None).doctor(&feed).finds("url-revalidation", "note", &["without ETag", "the second"]);
    assert!(remedy.contains("etag on;"), "{remedy}");
}

/// The doctor looks first at the one, then at the other: a commit in between is no fault.
#[test]
fn what_is_published_while_the_doctor_looks_is_no_fault() {
    let feed = published();
    let command = std::sync::Mutex::new(feed.command(&["publish", "performance=new.json"]));
    feed.input("new.json", payload("new"));
    let done = AtomicBool::new(false);
    let server = Server::faulty(&feed, move |asked, _| {
        if asked.path.starts_with("objects/") && !done.swap(true, Ordering::SeqCst) {
            assert!(command.lock().unwrap().output().unwrap().status.success());
        }
    });
    let found = server.doctor(&feed);
    found.healthy();
    found.fine("url-plain-copy");
    assert_eq!(feed.manifest()["generation"], 2);
}
