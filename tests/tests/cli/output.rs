//! Results on stdout, everything else on stderr; one JSON document for machines, whatever happens.

use std::process::Stdio;

use lastgood_tests::{Ran, TestFeed};
use serde_json::json;

#[test]
fn without_arguments_it_helps() {
    let ran = TestFeed::new().run(&[]).expect(2).says(&["Usage: lastgood", "publish", "serve"]);
    assert_eq!(ran.text(), "");
}

#[test]
fn help_and_version_are_results() {
    let feed = TestFeed::new();
    assert!(feed.run(&["--version"]).expect(0).text().starts_with("lastgood "));
    for command in [
        "publish",
        "rollback",
        "history",
        "cat",
        "status",
        "verify",
        "recover",
        "lock",
        "adopt",
        "gc",
        "doctor",
        "serve",
        "init",
        "completions",
        "man",
    ] {
        let ran = feed.run(&[command, "--help"]).expect(0);
        assert!(ran.text().contains(&format!("lastgood {command}")), "{}", ran.text());
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn every_command_has_one_document() {
    let feed = TestFeed::new();
    let published = feed.run_with(&["publish", "performance", "--json"], "[1,2]").expect(0).json();
    assert_eq!(published["created"], true);
    assert_eq!(published["generation"], 1);
    let dataset = &published["datasets"][0];
    assert_eq!(
        (&dataset["dataset"], &dataset["rows"], &dataset["size"]),
        (&json!("performance"), &json!(2), &json!(5))
    );
    assert_eq!(feed.run(&["--json", "cat", "performance"]).expect(0).json()["data"], json!([1, 2]));
    assert_eq!(feed.run(&["status", "--json"]).expect(0).json()["generation"], 1);
    assert_eq!(feed.run(&["verify", "--json"]).expect(0).json()["problems"], json!([]));
    assert_eq!(feed.run(&["recover", "--json"]).expect(0).json()["rebuilt"], json!([]));
}

#[test]
fn an_error_is_a_document_too_and_still_said_to_people() {
    let feed = TestFeed::new();
    let error = |arguments: &[&str], input: &str, code: i32, said: &str| {
        feed.run_with(&[arguments, &["--json"]].concat(), input).expect(code).says(&["error:", said]).json()["error"]
            .clone()
    };
    let refused = error(&["publish", "performance"], r#"{"a":NaN}"#, 3, "--nan null");
    assert_eq!(refused["code"], "nan");
    assert_eq!(refused["exit"], 3);
    assert_eq!((&refused["line"], &refused["column"], &refused["pointer"]), (&json!(1), &json!(6), &json!("/a")));
    assert_eq!((&refused["dataset"], &refused["way_out"]), (&json!("performance"), &json!("--nan null")));
    assert_eq!(error(&["publish", "Performance"], "", 2, "dataset name")["code"], "usage");
    assert_eq!(error(&["publish", "a=missing"], "", 3, "missing")["dataset"], "a");
    // The refused publish has made the directory, but there is no feed in it.
    assert_eq!(error(&["status"], "", 1, "no feed")["code"], "no-feed");
}

#[test]
fn a_result_that_nobody_reads_is_no_failure() {
    let feed = TestFeed::new();
    let mut command = feed.command(&["publish", "performance"]);
    command.stdout(Stdio::piped()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"[1]").unwrap();
    assert_eq!(Ran::end_of(child).code, Some(0));
    feed.expect_clean();
}

#[test]
fn logs_are_lines_of_text_or_json_on_stderr() {
    let feed = TestFeed::new();
    assert_eq!(feed.publish("performance", "1").stderr, "", "silent unless asked");
    let ran =
        feed.run_with(&["publish", "performance", "-v"], "2").expect(0).says(&["INFO", "published", "generation=2"]);
    assert!(!ran.stderr.contains('\u{1b}'), "no colours where no terminal is: {}", ran.stderr);
    let ran = feed.run_with(&["publish", "performance", "-v", "--log-format", "json"], "3").expect(0);
    let lines: Vec<serde_json::Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["fields"]["message"] == "published"), "{}", ran.stderr);
}
