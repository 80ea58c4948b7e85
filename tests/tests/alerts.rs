//! The alerts of the documentation, tested by Prometheus' own tool.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make files, and fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lastgood_tests::docs::example;
use lastgood_tests::site::workspace;
use lastgood_tests::{Ran, TestFeed};

/// The rules of a page, and their unit tests.
const PAGES: [(&str, &str, &str); 2] =
    [("docs/operations.md", "alert", "operations.yml"), ("docs/metrics.md", "alerts", "metrics.yml")];

fn promtool(feed: &TestFeed, arguments: &[&str]) -> Ran {
    let program = std::env::var_os("LASTGOOD_TEST_PROMTOOL").map_or_else(|| "promtool".into(), PathBuf::from);
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(feed.root());
    assert!(command.output().is_ok(), "{}: `cargo xtask test` installs it or says how", program.display());
    Ran::of(command, b"")
}

/// The values of `alert:` or of `alertname:` in YAML.
fn names(yaml: &str, key: &str) -> BTreeSet<String> {
    let key = format!("{key}: ");
    let after = yaml.split(&key).skip(1);
    after.map(|rest| rest.split([',', '\n']).next().unwrap().trim().to_owned()).collect()
}

#[test]
fn every_rule_fires_when_it_should_and_only_then() {
    for (page, block, tests) in PAGES {
        let feed = TestFeed::new();
        let rules = example(page, block);
        let tests = fs::read_to_string(workspace().join("tests/tests/alerts").join(tests)).unwrap();
        feed.input("rules.yml", &rules);
        feed.input("tests.yml", &tests);
        promtool(&feed, &["check", "rules", "rules.yml"]).expect(0);
        promtool(&feed, &["test", "rules", "tests.yml"]).expect(0);
        let tested = |fires: bool| -> BTreeSet<String> {
            let cases = tests.split("eval_time:").skip(1);
            let cases = cases.filter(|case| case.contains("exp_alerts: []") != fires);
            cases.flat_map(|case| names(case, "alertname")).collect()
        };
        let alerts = names(&rules, "- alert");
        assert!(!alerts.is_empty());
        assert_eq!(
            (tested(true), tested(false)),
            (alerts.clone(), alerts),
            "{page}: each fires in one test and not in another"
        );
    }
}

/// What the rules ask for is what is written: names of metrics, and of the labels that are given.
#[test]
fn the_rules_ask_for_what_is_written() {
    let feed = TestFeed::new();
    let metrics = ["--metrics", "m.prom"];
    feed.run_with(&[&["publish", "performance"], &metrics[..]].concat(), "[1]").expect(0);
    feed.run_with(&[&["publish", "performance"], &metrics[..]].concat(), "[2]").expect(0);
    feed.run_with(&[&["publish", "performance"], &metrics[..]].concat(), "[").expect(3);
    feed.run(&[&["rollback", "performance"], &metrics[..]].concat()).expect(0);
    feed.run_with(&[&["publish", "forecast", "--expires-in", "26h"], &metrics[..]].concat(), "[1]").expect(0);
    feed.run(&[&["verify"], &metrics[..]].concat()).expect(0);
    let written = fs::read_to_string(feed.root().join("m.prom")).unwrap();
    for (page, block, _) in PAGES {
        let rules = example(page, block);
        for expression in rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
            for name in
                expression.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|it| it.starts_with("lastgood_"))
            {
                assert!(written.contains(&format!("\n{name}{{")), "{name} of {page} is not in {written}");
            }
            for label in expression.split("operation=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(written.contains(&format!("operation=\"{label}\"")), "{label}");
            }
        }
    }
    // A rollback has its own time, which is no publish's.
    assert!(
        written.contains("lastgood_last_success_timestamp_seconds{dir=") && written.contains("operation=\"rollback\"")
    );
}
