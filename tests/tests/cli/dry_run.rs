//! `publish --dry-run`: everything but the commit.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

/// Every file with its content, and when anything was changed, directories included.
fn everything(dir: &Path) -> Vec<(String, i64, i64, u64, Vec<u8>)> {
    let mut found = Vec::new();
    for name in tree(dir).into_keys().chain([String::new()]) {
        let path = dir.join(&name);
        let metadata = fs::symlink_metadata(&path).unwrap();
        let content = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        found.push((name, metadata.ctime(), metadata.ctime_nsec(), metadata.ino(), content));
    }
    found
}

#[test]
fn nothing_is_changed_and_what_would_be_published_is_told() {
    let feed = TestFeed::new();
    feed.publish("a", "[1,2,3]");
    feed.input("a.csv", "id,x\n1,2\n3,4\n");
    feed.input("schema.json", r#"{"items": {"required": ["id"]}}"#);
    // What a crashed publish has left stays for the next one.
    fs::create_dir(feed.path(".lastgood/staging/0123456789abcdef0123456789abcdef")).unwrap();
    let before = everything(&feed.dir());
    let arguments = ["publish", "a=a.csv", "b=a.csv", "--schema", "b=schema.json", "--dry-run"];
    let text = feed.run(&arguments).expect(0).text();
    assert!(text.contains("would publish generation 2") && text.contains("nothing was changed"), "{text}");
    assert!(text.contains("changed") && text.contains("matches its schema"), "{text}");
    let report = feed.run(&[&arguments[..], &["--json"]].concat()).expect(0).json();
    assert_eq!((&report["dry_run"], &report["generation"], &report["commit"]), (&json!(true), &json!(2), &json!(null)));
    assert_eq!((&report["datasets"][0]["rows"], &report["datasets"][1]["new"]), (&json!(2), &json!(true)));
    assert_eq!(everything(&feed.dir()), before);
    // The real one then does just that.
    let done = feed.run(&["publish", "a=a.csv", "b=a.csv", "--schema", "b=schema.json", "--json"]).expect(0).json();
    for at in [0, 1] {
        assert_eq!(done["datasets"][at]["sha256"], report["datasets"][at]["sha256"]);
    }
    assert_eq!(done["generation"], 2);
}

#[test]
fn what_would_be_refused_is_refused_as_by_a_publish() {
    let feed = TestFeed::new();
    feed.publish("a", "[1,2,3,4]");
    let before = everything(&feed.dir());
    let dry =
        |options: &[&str], payload: &str| feed.run_with(&[&["publish", "a", "--dry-run"], options].concat(), payload);
    dry(&[], "[NaN]").expect(3).says(&["NaN is not JSON"]);
    dry(&["--max-shrink", "50%"], "[1]").expect(3).says(&["guard max_shrink"]);
    let report = dry(&["--max-shrink", "50%", "--force", "--json"], "[1]").expect(0).json();
    assert_eq!(report["datasets"][0]["forced"], "max_shrink");
    dry(&["--meta", "a"], "[1]").expect(2);
    assert_eq!(everything(&feed.dir()), before);
    fs::write(feed.path("manifest.json"), "{").unwrap();
    dry(&[], "[1]").expect(5).says(&["lastgood recover"]);
}

#[test]
fn a_feed_that_is_not_there_is_not_made() {
    let feed = TestFeed::new();
    let text = feed.run_with(&["publish", "a", "--dry-run"], "[1]").expect(0).text();
    assert!(text.contains("would publish generation 1") && text.contains("a new feed"), "{text}");
    assert!(!feed.dir().exists());
    fs::create_dir(feed.dir()).unwrap();
    fs::write(feed.path("index.html"), "x").unwrap();
    feed.run_with(&["publish", "a", "--dry-run"], "[1]").expect(1).says(&["--create"]);
    feed.run_with(&["publish", "a", "--dry-run", "--create"], "[1]").expect(0);
    assert_eq!(feed.names(""), ["index.html"]);
}

/// No lock is taken or waited for, and no metrics are written: nothing was published.
#[test]
fn a_dry_run_waits_for_nobody_and_counts_for_nothing() {
    let feed = TestFeed::new();
    feed.publish("a", "[1]");
    let inner = format!("{} publish a --dry-run --metrics m.prom < in.json", lastgood_tests::binary().display());
    feed.input("in.json", "[2]");
    feed.run(&["lock", "a", "--", "env", "-u", "LASTGOOD_LOCK", "sh", "-c", &inner]).expect(0);
    assert!(!feed.root().join("m.prom").exists());
    assert_eq!(feed.manifest()["generation"], 1);
}
