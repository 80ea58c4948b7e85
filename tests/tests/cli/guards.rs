//! Guards: exit code 3, what was expected and found, and `--force`.

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

#[test]
fn a_broken_guard_refuses_the_publish_and_says_the_way_out() {
    let feed = TestFeed::new();
    feed.input("lastgood.toml", "[datasets.performance]\nmin_rows = 2\nmax_shrink = '50%'\n");
    feed.publish("performance", "[1,2,3,4,5,6]");
    let before = tree(&feed.dir());
    feed.run_with(&["publish", "performance"], "[1]").expect(3).says(&[
        "performance: guard min_rows: expected an array of at least 2 rows, found 1 row",
        "guard max_shrink: expected at least 3 rows (50% less than the published 6), found 1 row",
        "--force",
    ]);
    let error = feed.run_with(&["publish", "performance", "--json"], "[1]").expect(3).json()["error"].clone();
    assert_eq!((&error["code"], &error["dataset"]), (&json!("guard-min-rows"), &json!("performance")));
    assert_eq!(error["guards"][1]["guard"], "max_shrink");
    assert_eq!((&error["guards"][1]["found"], &error["way_out"]), (&json!("1 row"), &json!("--force")));
    assert_eq!(tree(&feed.dir()), before);
    // Another dataset is none of theirs.
    feed.publish("transactions", "[1]");
}

#[test]
fn force_publishes_and_is_recorded() {
    let feed = TestFeed::new();
    let text = feed.run_with(&["publish", "a", "--min-rows", "2", "--force"], "[1]").expect(0).text();
    assert!(text.contains("forced although broken: min_rows"), "{text}");
    assert_eq!(feed.manifest()["datasets"]["a"]["forced"], "min_rows");
    let report = feed.run_with(&["publish", "a", "--min-rows", "2", "--force", "--json"], "[1,2]").expect(0).json();
    assert_eq!(report["datasets"][0]["forced"], json!(null));
    assert_eq!(feed.manifest()["datasets"]["a"]["forced"], json!(null));
    feed.expect_clean();
}

#[test]
fn options_come_on_top_of_the_file() {
    let feed = TestFeed::new();
    feed.input("lastgood.toml", "[defaults]\nmin_rows = 3\nrequire_meta = ['run']\ntime_column = 'day'\n");
    let publish = |options: &[&str], payload: &str| {
        feed.run_with(&[&["publish", "a", "--min-rows", "1", "--meta", "run=1"], options].concat(), payload)
    };
    publish(&[], r#"[{"day":2}]"#).expect(0);
    publish(&[], r#"[{"day":1}]"#).expect(3).says(&["time_column", "published 2"]);
    publish(&["--time-column", "t"], r#"[{"t":1}]"#).expect(0);
    publish(&["--require-meta", "model"], r#"[{"day":2}]"#).expect(3).says(&["run, model", "without model"]);
    publish(&["--max-shrink", "0%"], "[]").expect(3).says(&["min_rows", "max_shrink"]);
    publish(&["--max-shrink", "a bit"], "[]").expect(2).says(&["such as 50%"]);
}
