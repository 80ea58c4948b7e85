//! Damaged feeds: exit code 5, every problem named, and the way back.

use std::fs;

use lastgood_tests::{TestFeed, tree};

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    feed.publish("performance", "[2]");
    feed
}

fn object(feed: &TestFeed) -> String {
    format!("objects/{}.json", feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap())
}

#[test]
fn a_corrupted_manifest_stops_everything_until_it_is_recovered() {
    let feed = published();
    let intact = feed.read("manifest.json");
    let corrupted = String::from_utf8(intact.clone()).unwrap().replace("\"generation\":2", "\"generation\":3");
    fs::write(feed.path("manifest.json"), corrupted).unwrap();
    let before = tree(&feed.dir());
    for arguments in [&["status"][..], &["cat", "performance"], &["verify"], &["publish", "performance"]] {
        feed.run_with(arguments, "[3]").expect(5).says(&["damaged", "SHA-256", "lastgood recover"]);
    }
    assert_eq!(tree(&feed.dir()), before);
    let text = feed.run(&["recover"]).expect(0).text();
    assert!(text.contains("put manifest.json back"), "{text}");
    assert_eq!(feed.read("manifest.json"), intact);
    feed.publish("performance", "[3]");
    feed.expect_clean();
}

#[test]
fn a_missing_manifest_is_damage_as_long_as_there_is_a_history() {
    let feed = published();
    fs::remove_file(feed.path("manifest.json")).unwrap();
    feed.run_with(&["publish", "performance"], "[3]").expect(5).says(&["missing", "generation 2", "lastgood recover"]);
    feed.run(&["recover"]).expect(0);
    assert_eq!(feed.manifest()["generation"], 2);
    feed.expect_clean();
}

#[test]
fn a_corrupted_object_is_never_handed_out() {
    let feed = published();
    let object = object(&feed);
    fs::write(feed.path(&object), "[3]").unwrap();
    // The plain copy still has the right bytes, and they are verified like any.
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "[2]");
    feed.run(&["cat", "performance", "--generation", "2"]).expect(5).says(&[&object]);
    let text = feed.run(&["verify"]).expect(5).text();
    assert!(text.contains(&object) && text.contains("generation 2"), "{text}");
    fs::write(feed.path("performance.json"), "[3]").unwrap();
    let ran = feed.run(&["cat", "performance"]).expect(5).says(&[&object, "SHA-256"]);
    assert_eq!(ran.text(), "");
    // Publishing the same content again re-hashes the object and mends it.
    feed.publish("performance", "[2]");
    feed.expect_clean();
}

#[test]
fn a_missing_object_is_damage() {
    let feed = published();
    fs::remove_file(feed.path(&object(&feed))).unwrap();
    fs::remove_file(feed.path("performance.json")).unwrap();
    feed.run(&["cat", "performance"]).expect(5);
    let problems = feed.run(&["verify", "--json"]).expect(5).json()["problems"].clone();
    let paths: Vec<&str> = problems.as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [&object(&feed), "performance.json"]);
}

#[test]
fn verify_lists_every_problem_and_recover_mends_what_is_derived() {
    let feed = published();
    fs::write(feed.path("performance.json"), "[9]").unwrap();
    fs::remove_file(feed.path("performance_backup.json")).unwrap();
    fs::write(feed.path("last_update.txt"), "never").unwrap();
    fs::remove_file(feed.path("history/2.json")).unwrap();
    let text = feed.run(&["verify"]).expect(5).text();
    for expected in
        ["performance.json", "performance_backup.json", "last_update.txt", "history/2.json", "lastgood recover"]
    {
        assert!(text.contains(expected), "expected {expected:?} in {text}");
    }
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
    let text = feed.run(&["recover"]).expect(0).text();
    assert!(text.contains("nothing was to be put in order"), "{text}");
}

#[test]
fn a_later_format_is_no_damage_and_is_left_alone() {
    let feed = published();
    let signed = feed.manifest().to_string().replace("\"format\":1", "\"format\":2");
    let sha256 = lastgood_protocol::digest::Sha256::of(signed.as_bytes());
    let later = format!("{{\"signed\":{signed},\"sha256\":\"{sha256}\"}}");
    fs::write(feed.path("manifest.json"), later).unwrap();
    let before = tree(&feed.dir());
    for arguments in [&["publish", "performance"][..], &["status"], &["recover"]] {
        feed.run_with(arguments, "[3]").expect(1).says(&["format 2", "update lastgood"]);
    }
    assert_eq!(tree(&feed.dir()), before);
}
