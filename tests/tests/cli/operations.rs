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
