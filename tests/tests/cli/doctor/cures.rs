//! What the doctor says of real servers, and what its remedies make of them: each setting that it names is tried.

use std::fs;

use lastgood_tests::TestFeed;
use lastgood_tests::server::{Server, Software};

use super::{Diagnosis, doctor, published, set_mode};

const ORIGIN: &str = "https://www.example.org";

/// What a remedy names for nginx: settings of the `location` of the feed, and of the server.
fn nginx_settings(remedy: &str) -> (String, String) {
    let line = |start: &str| remedy.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().to_owned();
    let settings = line("nginx, in location /data/ { … }: ");
    assert_ne!(settings, "", "{remedy}");
    // What follows is prose.
    let settings = settings.split("; and ").next().unwrap().split(" and no rewrite").next().unwrap().to_owned();
    let end = if settings.ends_with([';', '}']) { "" } else { ";" };
    (format!("{settings}{end}"), line("nginx, in the server: "))
}

/// What a remedy names for Caddy, in the `handle_path` of the feed.
fn caddy_settings(remedy: &str) -> String {
    remedy.split_once("Caddy, in handle_path /data/* { … }:\n").unwrap_or_else(|| panic!("{remedy}")).1.to_owned()
}

fn ask(feed: &TestFeed, server: &Server) -> Diagnosis {
    doctor(feed, &["--url", &server.feed(), "--origin", ORIGIN])
}

/// A feed with a page beside it, whose private directory the server could read.
fn site() -> TestFeed {
    let feed = published();
    fs::write(feed.root().join("index.html"), "<!doctype html><title>app</title>").unwrap();
    for (name, mode) in [(".lastgood", 0o755), (".lastgood/lock", 0o644)] {
        set_mode(&feed.path(name), mode);
    }
    feed
}

#[test]
fn what_revalidation_lacks_is_cured_by_the_setting_that_is_named() {
    let feed = published();
    let ask = |settings: &str| ask(&feed, &Server::nginx_with(feed.root(), settings, ""));
    for (settings, words) in [
        ("", &["If-Modified-Since is heeded", "within one second"][..]),
        ("etag off;", &["without ETag", "Last-Modified knows only the second"]),
        ("etag off; if_modified_since off;", &["without ETag", "downloads it whole"]),
        ("etag off; add_header Last-Modified '';", &["without ETag and Last-Modified", "downloads it whole"]),
    ] {
        let remedy = ask(settings).finds("url-revalidation", "note", words);
        ask(&nginx_settings(&remedy).0).fine("url-revalidation");
    }
    // As the documentation has it.
    fs::create_dir(feed.root().join("site")).unwrap();
    let server = Server::start(Software::Nginx, feed.root());
    doctor(&feed, &["--url", &server.feed()]).fine("url-revalidation");
}

/// nginx says nothing of caching by itself, neither for the manifest nor for plain copies.
#[test]
fn caching_that_nobody_has_set_is_found_on_plain_copies_too() {
    let feed = published();
    let found = ask(&feed, &Server::nginx_with(feed.root(), "", ""));
    found.finds("url-manifest-caching", "warning", &["no Cache-Control"]);
    found.finds("url-plain-copy", "warning", &["performance.json is sent with no Cache-Control"]);
    let found = ask(&feed, &Server::nginx_with(feed.root(), "add_header Cache-Control no-cache;", ""));
    found.fine("url-plain-copy");
}

/// What is wrong with nginx, which finding tells it, and what of the settings stays when the remedy is followed.
#[test]
fn the_settings_for_nginx_cure_what_they_are_named_for() {
    let feed = site();
    let rewrite = r"location ~ ^/data/objects/(?<name>[0-9a-f]+\.json)$ { rewrite ^ /data/objects/$name.gz break; }";
    for (wrong, check, severity, stays) in [
        ("", "url-manifest-caching", "warning", ""),
        (
            "add_header Cache-Control max-age=60;",
            "url-manifest-caching",
            "error",
            "add_header Cache-Control max-age=60;",
        ),
        ("", "url-plain-copy", "warning", ""),
        ("add_header Cache-Control max-age=60;", "url-plain-copy", "warning", ""),
        ("add_header Cache-Control no-cache;", "url-object-caching", "note", "add_header Cache-Control no-cache;"),
        ("types { } default_type text/plain;", "url-content-type", "warning", ""),
        ("", "url-compression", "note", ""),
        ("gzip_static on;", "url-compression", "warning", "gzip_static on;"),
        (rewrite, "url-compression", "error", ""),
        ("try_files $uri /index.html;", "url-missing", "error", ""),
        ("", "url-lock", "note", ""),
        ("try_files $uri /index.html;", "url-lock", "warning", "try_files $uri =404;"),
        ("", "url-private", "error", ""),
        ("autoindex on;", "url-listing", "note", ""),
        ("", "url-cors", "error", ""),
        ("add_header Access-Control-Allow-Origin '*';", "url-cors", "warning", ""),
        ("add_header Access-Control-Allow-Origin https://other.example.org;", "url-cors", "error", ""),
    ] {
        let remedy = ask(&feed, &Server::nginx_with(feed.root(), wrong, "")).finds(check, severity, &[]);
        let (mut settings, of_server) = nginx_settings(&remedy);
        if check == "url-content-type" {
            assert!(
                settings.starts_with("include mime.types; (in http)"),
                "where it stands in this server: {settings}"
            );
            settings = String::new();
        }
        let server = Server::nginx_with(feed.root(), &format!("{stays} {settings}"), &of_server);
        ask(&feed, &server).fine(check);
    }
    // A page in the place of the manifest.
    let empty = published();
    fs::write(empty.root().join("index.html"), "<!doctype html><title>app</title>").unwrap();
    fs::rename(empty.path("manifest.json"), empty.path("away")).unwrap();
    let server = Server::nginx_with(empty.root(), "try_files $uri /index.html;", "");
    let remedy = doctor(&empty, &["--url", &server.feed()]).finds("url-manifest", "error", &[]);
    fs::rename(empty.path("away"), empty.path("manifest.json")).unwrap();
    ask(&empty, &Server::nginx_with(empty.root(), &nginx_settings(&remedy).0, "")).fine("url-manifest");
    // A missing object that caches keep.
    let wrong = "add_header Cache-Control max-age=300 always;";
    let remedy =
        ask(&feed, &Server::nginx_with(feed.root(), wrong, "")).finds("url-missing", "warning", &["for 300 s"]);
    assert!(remedy.contains("no `always` at add_header Cache-Control"), "{remedy}");
    ask(&feed, &Server::nginx_with(feed.root(), &wrong.replace(" always", ""), "")).fine("url-missing");
}

#[test]
fn the_settings_for_caddy_cure_what_they_are_named_for() {
    let feed = site();
    for (wrong, check, severity, stays) in [
        ("", "url-manifest-caching", "warning", ""),
        ("header Cache-Control max-age=60", "url-manifest-caching", "error", ""),
        ("", "url-plain-copy", "warning", ""),
        ("", "url-object-caching", "note", ""),
        ("", "url-compression", "note", ""),
        ("", "url-lock", "note", ""),
        ("", "url-private", "error", ""),
        ("", "url-cors", "error", ""),
        ("header Access-Control-Allow-Origin *", "url-cors", "warning", ""),
        ("", "url-revalidation", "note", ""),
        ("@json path *.json\nheader @json Content-Type text/plain", "url-content-type", "warning", ""),
    ] {
        let remedy = ask(&feed, &Server::caddy_with(feed.root(), wrong)).finds(check, severity, &[]);
        let settings = caddy_settings(&remedy);
        ask(&feed, &Server::caddy_with(feed.root(), &format!("{stays}\n{settings}"))).fine(check);
    }
    let remedy = ask(&feed, &Server::caddy_with(feed.root(), "file_server browse")).finds("url-listing", "note", &[]);
    assert_eq!(caddy_settings(&remedy).trim(), "file_server without `browse`");
    ask(&feed, &Server::caddy_with(feed.root(), "file_server")).fine("url-listing");
    let wrong = "try_files {path} /index.html";
    fs::write(feed.path("index.html"), "<!doctype html><title>app</title>").unwrap();
    let remedy = ask(&feed, &Server::caddy_with(feed.root(), wrong)).finds("url-missing", "error", &[]);
    assert!(caddy_settings(&remedy).starts_with("file_server, and no try_files"), "{remedy}");
    ask(&feed, &Server::caddy_with(feed.root(), "file_server")).fine("url-missing");
}
