//! `lastgood status`

use lastgood_tests::TestFeed;

#[test]
fn age_is_an_exit_code() {
    let feed = TestFeed::new();
    feed.input("p.json", "1");
    feed.run(&["publish", "performance=p.json", "transactions=p.json", "--meta", "run=7"]).expect(0);
    feed.run(&["status", "--max-age", "1h"]).expect(0);
    feed.run(&["status", "--max-age", "0s"]).expect(1).says(&["performance, transactions"]);
    feed.run(&["status", "--max-age", "0s", "performance"]).expect(1).says(&["--max-age: performance\n"]);
    feed.run(&["status", "performnace"]).expect(2).says(&["performnace", "performance, transactions"]);
    let json = feed.run(&["status", "--max-age", "0s", "--json"]).expect(1).json();
    assert_eq!(json["generation"], 1);
    assert_eq!(json["lock"], serde_json::Value::Null);
    assert_eq!(json["datasets"][0]["stale"], true);
    assert_eq!(json["datasets"][0]["meta"]["run"], "7");
    assert_eq!(json["commit"], feed.manifest()["commit"]);
}

#[test]
fn a_directory_without_a_feed_is_named_with_the_reason_for_looking_there() {
    let feed = TestFeed::new();
    for command in ["status", "verify", "recover"] {
        feed.run(&[command]).expect(1).says(&["there is no feed", feed.dir().to_str().unwrap(), "the default"]);
    }
    feed.run(&["cat", "performance"]).expect(1).says(&["there is no feed"]);
    assert!(!feed.dir().exists(), "looking makes nothing");
}
