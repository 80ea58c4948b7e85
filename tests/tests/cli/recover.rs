//! `lastgood recover --new-feed`

use std::fs;

use lastgood_tests::TestFeed;

#[test]
fn a_feed_restored_from_an_old_copy_gets_a_new_identity() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    feed.publish("performance", "[2]");
    let old = feed.manifest();
    let text = feed.run(&["recover", "--new-feed"]).expect(0).text();
    let new = feed.manifest();
    assert_ne!(new["feed"], old["feed"]);
    assert_eq!((&new["generation"], &new["datasets"]), (&3.into(), &old["datasets"]));
    assert!(text.contains(new["feed"].as_str().unwrap()) && text.contains("generation 3"), "{text}");
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "[2]");
    feed.expect_clean();
    let report = feed.run(&["recover", "--new-feed", "--json"]).expect(0).json();
    assert_eq!((&report["new_feed"], &report["generation"]), (&feed.manifest()["feed"], &4.into()));
    // Without it the identity stays.
    fs::remove_file(feed.path("performance.json")).unwrap();
    let report = feed.run(&["recover", "--json"]).expect(0).json();
    assert_eq!((&report["new_feed"], &report["generation"]), (&serde_json::Value::Null, &4.into()));
    feed.expect_clean();
}
