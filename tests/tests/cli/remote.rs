//! `cat --url` and `status --url`: what is served, read and verified as a browser would.

use std::fs;

use lastgood_tests::TestFeed;
use serde_json::json;

use crate::doctor::server::{Server, body, header, status};
use crate::expiry::rewrite;

fn site() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    feed.publish("performance", format!("[{}2]", "2,".repeat(3000)));
    feed.input("chart.png", [0, 255, 7]);
    feed.run(&["publish", "--artifact", "chart=chart.png"]).expect(0);
    feed
}

#[test]
fn what_is_served_is_printed_verified() {
    let feed = site();
    let server = Server::right(&feed);
    // From a machine without the feed.
    let elsewhere = TestFeed::new();
    let cat = |arguments: &[&str]| elsewhere.run(&[&["cat", "--url", &server.url], arguments].concat());
    // It is sent compressed, and printed as it was published.
    assert_eq!(cat(&["performance"]).expect(0).stdout, feed.read("performance.json"));
    assert_eq!(cat(&["performance", "--generation", "1"]).expect(0).text(), "[1]");
    assert_eq!(cat(&["chart"]).expect(0).stdout, [0, 255, 7]);
    let report = cat(&["performance", "--json", "--generation", "1"]).expect(0).json();
    assert_eq!((&report["generation"], &report["data"]), (&json!(1), &json!([1])));
    cat(&["performanse"]).expect(2).says(&["did you mean \"performance\"?"]);
    cat(&["performance", "--generation", "9"]).expect(1).says(&["generation 9 is not retained"]);
    let ran = cat(&["performance", "--max-bytes", "1KiB", "--json"]).expect(1);
    assert_eq!(ran.json()["error"]["code"], "too-large");
    assert!(!elsewhere.dir().exists());
    // What is in the place of the directory does not matter.
    elsewhere.input("data", "a file");
    assert_eq!(cat(&["chart"]).expect(0).stdout, [0, 255, 7]);
}

#[test]
fn what_is_not_what_was_published_is_never_printed() {
    let feed = site();
    let object = |fault: fn(&mut crate::doctor::server::Answer)| {
        Server::faulty(&feed, move |asked, answer| {
            // Readers guess that the plain copy is it, too.
            if asked.path.starts_with("objects/") || asked.path == "performance.json" {
                header(answer, "content-encoding", None);
                fault(answer);
            }
        })
    };
    let cat = |server: &Server| feed.run(&["cat", "performance", "--url", &server.url, "--json"]);
    let code = |ran: &lastgood_tests::Ran| ran.json()["error"]["code"].as_str().unwrap().to_owned();
    assert_eq!(code(&cat(&object(|answer| body(answer, "[7]"))).expect(5)), "checksum-mismatch");
    assert_eq!(code(&cat(&object(|answer| status(answer, 500))).expect(1)), "http");
    let server = object(|answer| {
        header(answer, "content-encoding", Some("gzip"));
        body(answer, "[7]");
    });
    cat(&server).expect(1).says(&["is not gzip"]);
    let server = Server::faulty(&feed, |asked, answer| {
        if asked.path == "manifest.json" {
            body(answer, "<!doctype html>");
        }
    });
    assert_eq!(code(&cat(&server).expect(5)), "not-json");
    feed.run(&["status", "--url", &server.url]).expect(5);
    let server = Server::faulty(&feed, |_, answer| {
        status(answer, 301);
        header(answer, "location", Some("https://example.org/data/manifest.json"));
    });
    cat(&server).expect(1).says(&["redirected to https://example.org/data/manifest.json"]);
}

#[test]
fn a_server_that_is_not_there_is_no_damage() {
    let feed = TestFeed::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/data/", listener.local_addr().unwrap());
    drop(listener);
    let ran = feed.run(&["cat", "a", "--url", &url, "--json"]).expect(1);
    assert_eq!(ran.json()["error"]["code"], "offline");
    feed.run(&["cat", "a", "--url", "nonsense"]).expect(2).says(&["is not the address of a feed"]);
    feed.run(&["cat", "a", "--timeout", "1s"]).expect(2).says(&["--url"]);
}

#[test]
fn the_status_of_what_is_served_is_told_and_judged() {
    let feed = site();
    let server = Server::right(&feed);
    let elsewhere = TestFeed::new();
    let status = |arguments: &[&str]| elsewhere.run(&[&["status", "--url", &server.url], arguments].concat());
    let text = status(&[]).expect(0).text();
    assert!(text.contains(&format!("address     {}", server.url)) && text.contains("performance"), "{text}");
    assert!(!text.contains("directory") && !text.contains("lock "), "{text}");
    let report = status(&["--json", "--max-age", "1h"]).expect(0).json();
    let here = feed.run(&["status", "--json"]).expect(0).json();
    assert_eq!((&report["commit"], &report["feed"]), (&here["commit"], &here["feed"]));
    assert_eq!(report["datasets"].as_array().unwrap().len(), 2);
    assert_eq!((&report["url"], &report["dir"]), (&json!(server.url), &json!(null)));
    status(&["--max-age", "0s"]).expect(1).says(&["older than the --max-age"]);
    status(&["other"]).expect(2);
    // What was published since is not served here.
    fs::write(feed.path("manifest.json"), feed.read("history/1.json")).unwrap();
    assert_eq!(status(&["--json"]).expect(0).json()["generation"], 1);
}

#[test]
fn what_has_expired_is_told_at_an_address_too() {
    let feed = site();
    feed.publish("forecast", "[1]");
    feed.publish("sales", "[2]");
    // The server tells whole seconds.
    rewrite(&feed, |manifest| {
        let entry = manifest.datasets.get_mut(&"forecast".parse().unwrap()).unwrap();
        entry.expires_at = Some(entry.published_at.plus_ms(-7_200_000));
    });
    let server = Server::right(&feed);
    let run = |arguments: &[&str]| feed.run(&[arguments, &["--url", &server.url]].concat());
    assert_eq!(run(&["cat", "forecast"]).expect(0).says(&["warning: forecast expired at"]).text(), "[1]");
    let refused = run(&["cat", "forecast", "--fresh-only", "--json"]).expect(1);
    assert_eq!(refused.json()["error"]["code"], "expired");
    assert_eq!(run(&["cat", "sales", "--fresh-only"]).expect(0).stderr, "");
    run(&["status"]).expect(1).says(&["expired, and readers do not take it for current: forecast"]);
    run(&["status", "sales"]).expect(0);
    feed.run(&["remove", "sales"]).expect(0);
    run(&["cat", "sales"]).expect(2).says(&["it was withdrawn at"]);
}
