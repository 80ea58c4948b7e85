//! `lastgood rollback`

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

fn published() -> TestFeed {
    let feed = TestFeed::new();
    for round in 1..=3 {
        feed.input("p.json", format!("[{round}]"));
        feed.input("t.json", format!("{{\"round\":{round}}}"));
        let meta = format!("run={round}");
        feed.run(&["publish", "performance=p.json", "transactions=t.json", "--meta", &meta]).expect(0);
    }
    feed
}

#[test]
fn old_payloads_come_back_under_a_new_generation() {
    let feed = published();
    let text = feed.run(&["rollback", "performance"]).expect(0).text();
    assert!(text.contains("published generation 4") && text.contains("what it was in generation 2"), "{text}");
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"[2]".into(), b"[3]".into()));
    assert_eq!(feed.read("transactions.json"), b"{\"round\":3}");
    assert_eq!(feed.manifest()["datasets"]["performance"]["meta"], json!({"run": "2"}));
    feed.expect_clean();
    let report = feed.run(&["rollback", "performance", "transactions", "--to", "1", "--json"]).expect(0).json();
    assert_eq!(report["generation"], 5);
    assert_eq!(report["restored"][1]["dataset"], "transactions");
    assert_eq!(report["restored"][1]["generation"], 1);
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "[1]");
    assert_eq!(feed.run(&["cat", "transactions"]).expect(0).text(), "{\"round\":1}");
    feed.expect_clean();
}

#[test]
fn the_settings_of_a_publish_apply() {
    let feed = published();
    let options = ["--no-plain-copies", "--no-compress", "--expires-in", "1h"];
    feed.run(&[&["rollback", "performance"], &options[..]].concat()).expect(0);
    let entry = &feed.manifest()["datasets"]["performance"];
    assert!(!feed.path("performance.json").exists() && entry["expires_at"].is_string());
    feed.expect_clean();
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let feed = published();
    let before = tree(&feed.dir());
    let refused = |arguments: &[&str], code: i32, said: &[&str], stable: &str| {
        let ran = feed.run(&[&["rollback", "--json"], arguments].concat()).expect(code).says(said);
        assert_eq!(ran.json()["error"]["code"], stable);
        assert_eq!(tree(&feed.dir()), before);
    };
    refused(&["performance", "--to", "9"], 1, &["generation 9 is not retained", "1 to 3"], "not-retained");
    refused(&["performance", "--to", "3"], 1, &["performance", "the current one"], "already-current");
    refused(&["performnace"], 2, &["no dataset \"performnace\"", "performance, transactions"], "not-found");
    refused(&["performance", "performance"], 2, &["more than once"], "repeated-dataset");
    let sha256 = feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    feed.publish("performance", "[4]");
    let object = format!("objects/{sha256}.json");
    std::fs::write(feed.path(&object), "[0]").unwrap();
    let before = tree(&feed.dir());
    feed.run(&["rollback", "performance"]).expect(5).says(&[&object, "generation 3", "lastgood verify"]);
    assert_eq!(tree(&feed.dir()), before);
}
