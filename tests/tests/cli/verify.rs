//! `lastgood verify --repair`

use std::fs;

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

/// Large enough for compressed siblings.
fn payload(round: u32) -> String {
    format!("[{}]", vec![format!("{{\"round\":{round}}}"); 300].join(","))
}

fn published() -> TestFeed {
    let feed = TestFeed::new();
    for round in 1..=3 {
        feed.publish("performance", payload(round));
    }
    feed
}

fn object(feed: &TestFeed) -> String {
    format!("objects/{}.json", feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap())
}

#[test]
fn a_repair_needs_nothing_when_all_is_well() {
    let feed = published();
    let before = tree(&feed.dir());
    let report = feed.run(&["verify", "--repair", "--json"]).expect(0).json();
    assert_eq!((&report["problems"], &report["intact"]), (&json!([]), &json!(3)));
    let nothing = json!({"made": [], "manifest_restored": false, "objects": [], "siblings": [], "siblings_removed": [], "derived": [],
        "purged": []});
    assert_eq!(report["repaired"], nothing);
    assert_eq!(tree(&feed.dir()), before);
    assert_eq!(feed.run(&["verify", "--json"]).expect(0).json()["repaired"], json!(null));
}

#[test]
fn what_can_be_rebuilt_is_and_each_is_named() {
    let feed = published();
    let intact: Vec<Vec<u8>> = ["manifest.json", &object(&feed), "performance.json"].map(|name| feed.read(name)).into();
    let sibling = format!("{}.gz", object(&feed));
    fs::write(feed.path(&object(&feed)), "[]").unwrap();
    fs::write(feed.path(&sibling), "no gzip").unwrap();
    fs::remove_file(feed.path("performance_backup.json")).unwrap();
    let found = feed.run(&["verify"]).expect(5).text();
    for expected in [
        &object(&feed),
        &sibling,
        "performance_backup.json",
        "newest intact generation is 2",
        "verify --repair",
        "lastgood rollback performance --to 2",
    ] {
        assert!(found.contains(expected), "{expected:?} in {found}");
    }
    let text = feed.run(&["verify", "--repair"]).expect(0).text();
    for expected in [
        format!("put back {}", object(&feed)),
        format!("made again {sibling}"),
        "rebuilt performance_backup.json".into(),
    ] {
        assert!(text.contains(&expected), "{expected:?} in {text}");
    }
    assert_eq!(["manifest.json", &object(&feed), "performance.json"].map(|name| feed.read(name)).to_vec(), intact);
    feed.expect_clean();
    // A lost manifest comes back from the history.
    fs::remove_file(feed.path("manifest.json")).unwrap();
    feed.run(&["verify"]).expect(5).says(&["missing", "generation 3", "lastgood recover"]);
    let report = feed.run(&["verify", "--repair", "--json"]).expect(0).json();
    assert_eq!(report["repaired"]["manifest_restored"], true);
    assert_eq!(feed.read("manifest.json"), intact[0]);
    feed.expect_clean();
}

#[test]
fn what_is_lost_is_named_with_a_way_out_that_works() {
    let feed = published();
    for name in [&object(&feed), "performance.json"] {
        fs::write(feed.path(name), "[]").unwrap();
    }
    for encoding in ["gz", "br"] {
        for name in [&object(&feed), "performance.json"] {
            fs::remove_file(feed.path(&format!("{name}.{encoding}"))).unwrap();
        }
    }
    let before = feed.read("manifest.json");
    let report = feed.run(&["verify", "--repair", "--json"]).expect(5).json();
    let lost: Vec<&str> = report["problems"].as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(lost, [&object(&feed), "performance.json"]);
    assert_eq!((&report["intact"], &report["problems"][0]["datasets"]), (&json!(2), &json!(["performance"])));
    let way_out = report["way_out"].to_string();
    assert!(way_out.contains("lastgood rollback performance --to 2") && !way_out.contains("--repair"), "{way_out}");
    assert_eq!(feed.read("manifest.json"), before);
    feed.run(&["rollback", "performance", "--to", "2"]).expect(0);
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), payload(2));
}

#[test]
fn a_repair_waits_for_publishers() {
    use lastgood::storage::{Modes, PosixStorage, Storage};
    let feed = published();
    let storage = PosixStorage::new(feed.dir(), Modes::default());
    let held = storage.try_lock(r#"{"host":"build-7","pid":4242,"token":"x"}"#).unwrap().expect("the lock is free");
    feed.run(&["verify"]).expect(0);
    feed.run(&["verify", "--repair", "--lock-wait", "20ms"]).expect(4).says(&["process 4242 on build-7"]);
    drop(held);
}
