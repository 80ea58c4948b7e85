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

/// Every command that prints, with whether it has changed something by then: that has happened, whoever is told.
const PRINTING: &[(&[&str], bool)] = &[
    (&["--version"], false),
    (&["--help"], false),
    (&["status", "--help"], false),
    (&["publish", "p=p.json"], true),
    (&["rollback", "p"], true),
    (&["history"], false),
    (&["cat", "p"], false),
    (&["status"], false),
    (&["verify"], false),
    (&["recover"], true),
    (&["doctor", "--list"], false),
    (&["gc", "--dry-run"], false),
    (&["gc"], true),
    (&["completions", "bash"], false),
    (&["completions", "zsh"], false),
    (&["man"], false),
];

#[test]
fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_one() {
    let feed = TestFeed::new();
    feed.input("p.json", "[2]");
    feed.publish("p", "[1]");
    feed.publish("p", "[2]");
    for (arguments, changes) in PRINTING {
        for json in [&[][..], &["--json"]] {
            let arguments = [arguments, json].concat();
            // What is asked for before anything is published is told again, so the rollback has something to go back to.
            if *changes {
                feed.publish("p", "[1]");
                feed.publish("p", "[2]");
            }
            // A pipe that nobody reads.
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut command = feed.command(&arguments);
            command.stdout(writer).stderr(Stdio::piped());
            let ran = Ran::end_of(command.spawn().unwrap());
            assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{arguments:?}");
            let shell = |redirection: &str| {
                let mut shell = std::process::Command::new("sh");
                shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]).arg(lastgood_tests::binary());
                shell.args(&arguments).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
                if *changes {
                    feed.publish("p", "[1]");
                    feed.publish("p", "[2]");
                }
                Ran::of(shell, b"")
            };
            let closed = shell(">&-");
            assert_eq!((closed.code, &*closed.stderr), (Some(0), ""), "{arguments:?}");
            let full = shell("> /dev/full");
            assert_eq!(full.code, Some(if *changes { 0 } else { 1 }), "{arguments:?}: {}", full.stderr);
            full.says(&["No space left on device"]);
        }
    }
    feed.expect_clean();
}

/// What is worse than that it cannot be printed is told by the exit code all the same.
#[test]
fn a_verdict_that_cannot_be_printed_is_still_one() {
    let feed = TestFeed::new();
    feed.publish("p", "[1]");
    let full = |arguments: &[&str]| {
        let mut command = feed.command(arguments);
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap()).stderr(Stdio::piped());
        Ran::end_of(command.spawn().unwrap())
    };
    let old = full(&["status", "--max-age", "0s"]);
    assert_eq!(old.code, Some(1));
    old.says(&["No space left", "older than the --max-age: p"]);
    let sha256 = feed.manifest()["datasets"]["p"]["sha256"].as_str().unwrap().to_owned();
    std::fs::write(feed.path(&format!("objects/{sha256}.json")), "[0]").unwrap();
    assert_eq!(full(&["verify"]).code, Some(5));
    assert_eq!(full(&["cat", "nope", "--json"]).code, Some(2));
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
