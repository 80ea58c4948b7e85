//! `lastgood history`

use std::fs;

use lastgood_tests::{Ran, TestFeed, tree};
use serde_json::{Value, json};

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.input("t.json", "{}");
    for round in 1..=2 {
        feed.input("p.json", format!("[{round}]"));
        let meta = format!("run={round}");
        feed.run(&["publish", "performance=p.json", "transactions=t.json", "--meta", &meta]).expect(0);
    }
    feed.run(&["rollback", "performance"]).expect(0);
    feed
}

#[test]
fn it_tells_what_changed() {
    let feed = published();
    let before = tree(&feed.dir());
    let text = feed.run(&["history"]).expect(0).text();
    for expected in ["back to generation 1", "unchanged", "new", "{\"run\":\"2\"}", "performance", "transactions"] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    let commits = feed.run(&["history", "performance", "--json"]).expect(0).json()["commits"].clone();
    let told: Vec<(&Value, &Value, &Value)> = commits
        .as_array()
        .unwrap()
        .iter()
        .map(|commit| (&commit["generation"], &commit["datasets"][0]["change"], &commit["datasets"][0]["back_to"]))
        .collect();
    let expected = [
        (json!(3), json!("back"), json!(1)),
        (json!(2), json!("changed"), json!(null)),
        (json!(1), json!("new"), json!(null)),
    ];
    assert!(told.iter().zip(&expected).all(|(told, (a, b, c))| *told == (a, b, c)), "{told:?}");
    assert_eq!(commits[0]["datasets"].as_array().unwrap().len(), 1);
    assert_eq!(commits[0]["datasets"][0]["meta"], json!({"run": "1"}));
    assert_eq!(commits[0]["commit"], feed.manifest()["commit"]);
    let limited = feed.run(&["history", "--limit", "1", "--json"]).expect(0).json();
    assert_eq!((limited["commits"].as_array().unwrap().len(), &limited["more"]), (1, &json!(true)));
    assert_eq!(tree(&feed.dir()), before);
}

#[test]
fn what_is_damaged_is_named_and_not_fatal() {
    let feed = published();
    fs::write(feed.path("history/2.json"), "{}").unwrap();
    let ran = feed.run(&["history", "--json"]).expect(0).says(&["history/2.json", "damaged"]);
    let report = ran.json();
    assert_eq!(
        (report["commits"].as_array().unwrap().len(), &report["damaged"][0]["path"]),
        (2, &json!("history/2.json"))
    );
}

#[test]
fn a_name_that_was_never_published_is_refused() {
    let feed = published();
    feed.run(&["history", "performnace"]).expect(2).says(&["no dataset \"performnace\"", "performance, transactions"]);
    TestFeed::new().run(&["history"]).expect(1).says(&["no feed"]);
}

/// From the operation log, which is private to who publishes: without it, the rest is told all the same.
#[test]
fn it_tells_who_and_how() {
    let feed = TestFeed::new();
    feed.publish("a", "[1,2]");
    let mut command = feed.command(&["publish", "a", "--min-rows", "2", "--force"]);
    command.env("LASTGOOD_WHO", "nightly job");
    Ran::of(command, b"[1]").expect(0);
    feed.run(&["rollback", "a"]).expect(0);
    let history = || feed.run(&["history", "--json"]).expect(0).json()["commits"].clone();
    let commits = history();
    let told = |number: usize| (&commits[number]["command"], &commits[number]["datasets"][0]["rows"]);
    assert_eq!(told(0), (&json!("rollback"), &json!(null)));
    assert_eq!(told(1), (&json!("publish"), &json!(1)));
    assert!(commits[1]["who"].as_str().unwrap().starts_with("nightly job@"), "{commits}");
    assert_eq!(commits[1]["datasets"][0]["forced"], json!(["min_rows"]));
    fs::remove_file(feed.path(".lastgood/operations.jsonl")).unwrap();
    let commits = history();
    assert_eq!((commits.as_array().unwrap().len(), &commits[1]["who"]), (3, &json!(null)));
    assert_eq!(commits[1]["datasets"][0]["forced"], json!(["min_rows"]), "that is in the manifest");
}
