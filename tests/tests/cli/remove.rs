//! `lastgood remove`

use lastgood_tests::{TestFeed, tree};
use serde_json::Value;

fn published() -> TestFeed {
    let feed = TestFeed::new();
    for round in 1..=2 {
        feed.publish("performance", format!("[{round}]"));
        feed.publish("sales", format!("[{round}]"));
    }
    feed
}

#[test]
fn a_removed_dataset_is_gone_for_readers_and_can_come_back() {
    let feed = published();
    let report = feed.run(&["remove", "performance", "--json"]).expect(0).json();
    assert_eq!((&report["generation"], &report["withdrawn"]), (&5.into(), &serde_json::json!(["performance"])));
    let json: Vec<String> = feed.names("").into_iter().filter(|name| name.ends_with(".json")).collect();
    assert_eq!(json, ["manifest.json", "sales.json", "sales_backup.json"]);
    feed.expect_clean();
    for command in ["cat", "status", "history", "rollback"] {
        let ran = feed.run(&[command, "performance"]);
        assert!(command == "history" || ran.stderr.contains("withdrawn at"), "{command}: {}", ran.stderr);
    }
    feed.run(&["cat", "performance"])
        .expect(2)
        .says(&["no dataset \"performance\": it was withdrawn at", "it has: sales"]);
    let text = feed.run(&["history", "performance"]).expect(0).text();
    assert!(text.contains("performance  withdrawn"), "{text}");
    // Kept generations have it.
    assert_eq!(feed.run(&["cat", "performance", "--generation", "3"]).expect(0).text(), "[2]");
    let said = feed.run(&["rollback", "performance"]).expect(1).stderr;
    let command = said.split('`').nth(1).unwrap().strip_prefix("lastgood ").unwrap();
    feed.run(&command.split(' ').collect::<Vec<_>>()).expect(0);
    assert_eq!((feed.read("performance.json"), feed.path("performance_backup.json").exists()), (b"[2]".into(), false));
    assert!(feed.manifest().get("withdrawn").is_none());
    feed.expect_clean();
    feed.run(&["remove", "performance"]).expect(0);
    let report = feed.run_with(&["publish", "performance", "--json"], "[9]").expect(0).json();
    assert_eq!(report["datasets"][0]["new"], true);
    feed.expect_clean();
}

#[test]
fn monitoring_does_not_wait_for_it() {
    let feed = published();
    feed.run(&["publish", "--metrics", "m.prom", "performance=data/performance.json"]).expect(0);
    feed.run(&["publish", "--metrics", "m.prom", "sales=data/sales.json"]).expect(0);
    feed.run(&["status", "--max-age", "0s"]).expect(1).says(&["performance, sales"]);
    feed.run(&["remove", "performance", "--metrics", "m.prom"]).expect(0);
    let ran = feed.run(&["status", "--max-age", "0s"]).expect(1).says(&["--max-age: sales\n"]);
    assert!(!ran.text().contains("performance"), "{}", ran.text());
    let metrics = std::fs::read_to_string(feed.root().join("m.prom")).unwrap();
    assert!(!metrics.contains("performance") && metrics.contains("dataset=\"sales\""), "{metrics}");
    assert!(metrics.contains("operation=\"remove\""), "{metrics}");
}

#[test]
fn the_last_one_can_go_and_the_feed_goes_on() {
    let feed = published();
    feed.run(&["remove", "performance", "sales"]).expect(0);
    assert_eq!(feed.manifest()["datasets"], serde_json::json!({}));
    feed.expect_clean();
    feed.run(&["status"]).expect(0);
    feed.run(&["status", "--max-age", "1s"]).expect(0);
    feed.run(&["cat", "sales"]).expect(2).says(&["withdrawn at", "it has: none"]);
    feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
    assert_eq!(feed.names("objects"), [""; 0], "nothing names anything any more");
    feed.run(&["rollback", "sales"]).expect(1).says(&["no payload of it is retained"]);
    feed.publish("sales", "[1]");
    assert_eq!(feed.manifest()["generation"], 6);
    feed.expect_clean();
}

#[test]
fn what_cannot_be_removed_is_refused_and_changes_nothing() {
    let feed = published();
    feed.run(&["remove", "performance"]).expect(0);
    let before = tree(&feed.dir());
    let refused = |arguments: &[&str], said: &[&str], code: &str| {
        let ran = feed.run(&[&["remove", "--json"], arguments].concat()).expect(2).says(said);
        assert_eq!(ran.json()["error"]["code"], code);
        assert_eq!(tree(&feed.dir()), before);
    };
    refused(&["performance"], &["withdrawn at"], "not-found");
    refused(&["sales", "performance"], &["withdrawn at"], "not-found");
    refused(&["sale"], &["did you mean \"sales\"?"], "not-found");
    refused(&["sales", "sales"], &["more than once"], "repeated-dataset");
    let error = feed.run(&["remove", "performance", "--json"]).expect(2).json();
    assert_eq!(error["error"]["withdrawn_at"], feed.manifest()["withdrawn"]["performance"]);
    TestFeed::new().run(&["remove", "a"]).expect(1).says(&["there is no feed"]);
}

#[test]
fn under_a_lock_it_takes_a_turn() {
    let feed = published();
    let lastgood = lastgood_tests::binary();
    let lastgood = lastgood.to_str().unwrap();
    feed.run(&["lock", "sales", "--", lastgood, "remove", "performance"])
        .expect(2)
        .says(&["not among the datasets of the lock"]);
    assert_eq!(feed.manifest()["generation"], 4);
    feed.run(&["lock", "performance", "--", lastgood, "remove", "performance"]).expect(0);
    assert_eq!(feed.manifest()["datasets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["sales"]);
    feed.expect_clean();
    // Another program's marker is respected, as by a publish.
    std::fs::write(feed.path(".sales_lock"), "").unwrap();
    feed.run(&["remove", "sales", "--lock-wait", "0s"]).expect(4).says(&[".sales_lock"]);
}

#[test]
fn the_operation_log_has_it() {
    let feed = published();
    feed.run(&["remove", "performance"]).expect(0);
    let log = String::from_utf8(feed.read(".lastgood/operations.jsonl")).unwrap();
    let record: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&record["operation"], &record["outcome"], &record["generation"]),
        (&"remove".into(), &"done".into(), &5.into())
    );
    assert_eq!(record["datasets"], serde_json::json!([{"dataset": "performance"}]));
}
