//! The operation log, as processes write it.

use std::process::Command;

use lastgood_tests::{Ran, TestFeed};
use serde_json::Value;

fn log(feed: &TestFeed) -> Vec<Value> {
    let text = String::from_utf8(feed.read(".lastgood/operations.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_operation_says_who_did_it() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1,2]");
    let publish = ["publish", "performance=p.json"];
    Ran::of(feed.command(&publish), b"").expect(0);
    let mut command = feed.command(&publish);
    command.env("LASTGOOD_WHO", "airflow run 8841\n");
    Ran::of(command, b"").expect(0);
    feed.run_with(&["publish", "performance"], "[NaN]").expect(3);
    let log = log(&feed);
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let users: Vec<&str> = log.iter().map(|record| record["who"]["user"].as_str().unwrap()).collect();
    assert_eq!(users, [user.trim(), "airflow run 8841", user.trim()]);
    assert_eq!((&log[1]["operation"], &log[1]["outcome"]), (&"publish".into(), &"done".into()));
    assert_eq!((&log[1]["commit"], &log[1]["generation"]), (&feed.manifest()["commit"], &2.into()));
    assert_eq!((&log[1]["datasets"][0]["dataset"], &log[1]["datasets"][0]["rows"]), (&"performance".into(), &2.into()));
    assert_eq!((&log[2]["outcome"], &log[2]["code"]), (&"refused".into(), &"nan".into()));
}

#[test]
fn processes_do_not_mix_their_lines() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    let runs: Vec<_> = (0..8).map(|n| feed.spawn(&["publish", &format!("d{n}=p.json")])).collect();
    for run in runs {
        Ran::end_of(run).expect(0);
    }
    let mut generations: Vec<u64> = log(&feed).iter().map(|record| record["generation"].as_u64().unwrap()).collect();
    generations.sort_unstable();
    assert_eq!(generations, (1..=8).collect::<Vec<u64>>());
}

#[test]
fn every_command_that_changes_a_feed_is_recorded() {
    let feed = TestFeed::new();
    feed.publish("a", "[1,2,3]");
    feed.run_with(&["publish", "a", "--min-rows", "3"], "[1]").expect(3);
    feed.run_with(&["publish", "a", "--min-rows", "3", "--force"], "[1]").expect(0);
    feed.run(&["rollback", "a"]).expect(0);
    feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
    feed.run(&["gc", "--dry-run"]).expect(0);
    std::fs::remove_file(feed.path("a.json")).unwrap();
    feed.run(&["verify", "--repair"]).expect(0);
    feed.run(&["recover"]).expect(0);
    feed.run(&["recover", "--new-feed"]).expect(0);
    feed.run(&["lock", "a", "--", "true"]).expect(0);
    let log = log(&feed);
    let told: Vec<(&str, &str)> =
        log.iter().map(|record| (record["operation"].as_str().unwrap(), record["outcome"].as_str().unwrap())).collect();
    let done =
        ["publish", "rollback", "gc", "repair", "recover", "recover", "lock"].map(|operation| (operation, "done"));
    assert_eq!(told[..2], [("publish", "done"), ("publish", "refused")]);
    assert_eq!(told[2..], done, "what changes nothing is not recorded");
    assert_eq!(log[1]["code"], "guard-min-rows");
    assert_eq!(log[2]["datasets"][0]["forced"], serde_json::json!(["min_rows"]));
    assert_eq!(log[3]["datasets"][0]["size"], 7);
    assert!(log[4]["bytes"].as_u64().unwrap() > 0, "what was collected has a size");
    assert_eq!((&log[5]["recovered"], &log[6]["recovered"]), (&true.into(), &false.into()));
    assert_eq!(log[7]["commit"], feed.manifest()["commit"]);

    let plain = TestFeed::new();
    plain.run(&["adopt", "--dir", "."]).expect(0);
    assert!(!plain.root().join(".lastgood").exists(), "there was nothing to be adopted");
    plain.input("a.json", "[1]");
    plain.run(&["adopt", "--dir", "."]).expect(0);
    let log = std::fs::read_to_string(plain.root().join(".lastgood/operations.jsonl")).unwrap();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&last["operation"], &last["datasets"][0]["dataset"]), (&"adopt".into(), &"a".into()));
}
