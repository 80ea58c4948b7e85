//! What the doctor says of the real nginx, and what its remedies make of it.

use lastgood_tests::server::{Server, Software};

use super::{Diagnosis, doctor, published};

/// The setting that a remedy names for nginx.
fn setting(remedy: &str) -> &str {
    let setting = remedy.split_once("{ … }: ").unwrap_or_else(|| panic!("{remedy}")).1;
    setting.split("; and ").next().unwrap()
}

#[test]
fn what_revalidation_lacks_is_cured_by_the_setting_that_is_named() {
    let feed = published();
    let ask = |settings: &str| -> Diagnosis {
        let server = Server::nginx_with(feed.root(), settings);
        doctor(&feed, &["--url", &server.feed()])
    };
    for (settings, words) in [
        ("", &["If-Modified-Since is heeded", "within one second"][..]),
        ("etag off;", &["without ETag", "Last-Modified knows only the second"]),
        ("etag off; if_modified_since off;", &["without ETag", "downloads it whole"]),
        ("etag off; add_header Last-Modified '';", &["without ETag and Last-Modified", "downloads it whole"]),
    ] {
        let remedy = ask(settings).finds("url-revalidation", "note", words);
        let cured = format!("{};", setting(&remedy).trim_end_matches(';'));
        ask(&cured).fine("url-revalidation");
    }
    // As the documentation has it.
    std::fs::create_dir(feed.root().join("site")).unwrap();
    let server = Server::start(Software::Nginx, feed.root());
    doctor(&feed, &["--url", &server.feed()]).fine("url-revalidation");
}

/// nginx says nothing of caching by itself, neither for the manifest nor for plain copies.
#[test]
fn caching_that_nobody_has_set_is_found_on_plain_copies_too() {
    let feed = published();
    let server = Server::nginx_with(feed.root(), "");
    let found = doctor(&feed, &["--url", &server.feed()]);
    found.finds("url-manifest-caching", "warning", &["no Cache-Control"]);
    found.finds("url-plain-copy", "warning", &["performance.json is sent with no Cache-Control"]);
    let server = Server::nginx_with(feed.root(), "add_header Cache-Control no-cache;");
    doctor(&feed, &["--url", &server.feed()]).fine("url-plain-copy");
}
