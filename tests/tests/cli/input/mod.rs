//! Inputs that are not what they seem. What would be published wrongly is refused, or named in a warning; and the way out
//! that a message names is taken, as it stands there, and leads out.

mod delimiters;
mod encodings;
mod kinds;
mod marks;
mod names;
mod null;
mod unnamed;

use std::fs;
use std::process::Command;

use lastgood_tests::{Ran, TestFeed};
use serde_json::{Value, json};

/// What is published of `rows`.
fn payload(feed: &TestFeed) -> Value {
    serde_json::from_slice(&feed.read("rows.json")).unwrap()
}

/// Publishes a file, with options as a shell takes them.
fn publish(feed: &TestFeed, file: &str, options: &str) -> Ran {
    let options = shlex::split(options).unwrap();
    let input = format!("rows={file}");
    let arguments = ["publish", &input].into_iter().chain(options.iter().map(String::as_str));
    feed.run(&arguments.collect::<Vec<_>>())
}

/// The file is refused, in words that contain these, and nothing is published.
#[track_caller]
fn refused(feed: &TestFeed, file: &str, options: &str, says: &[&str]) -> Value {
    let manifest = || fs::read(feed.path("manifest.json")).ok();
    let before = manifest();
    let people = publish(feed, file, options).expect(3).says(says);
    assert_eq!(manifest(), before, "refused, and something is published");
    let error = publish(feed, file, &format!("{options} --json")).expect(3).json()["error"].take();
    assert!(people.stderr.contains(error["message"].as_str().unwrap()), "{error}");
    error
}

/// The file is refused, and published when the option is given that the refusal names, which this is.
#[track_caller]
fn option_leads_out(file: &str, input: impl AsRef<[u8]>, says: &[&str], way_out: &str, published: &Value) {
    let feed = TestFeed::new();
    feed.input(file, input);
    let error = refused(&feed, file, "", says);
    assert_eq!(error["way_out"], way_out, "{error}");
    assert!(error["message"].as_str().unwrap().contains(way_out), "{error}");
    publish(&feed, file, way_out).expect(0);
    assert_eq!(payload(&feed), *published);
    feed.expect_clean();
}

/// The file is refused; the command in the message, with its file names, makes one that is published.
#[track_caller]
fn command_leads_out(file: &str, input: impl AsRef<[u8]>, command: &str, names: &[(&str, &str)], published: &Value) {
    let feed = TestFeed::new();
    feed.input(file, input);
    let error = refused(&feed, file, "", &[command]);
    assert_eq!(error["way_out"], Value::Null, "a command is no option: {error}");
    run(&feed, command, file, names);
    publish(&feed, &format!("new-{file}"), "").expect(0);
    assert_eq!(payload(&feed), *published, "{command}");
}

/// Runs a command of a message in a shell.
fn run(feed: &TestFeed, command: &str, file: &str, names: &[(&str, &str)]) {
    let mut command = command.to_owned();
    if !command.contains("NEW") {
        command += " < FILE > NEW";
    }
    let new = format!("new-{file}");
    for (name, file) in [("FILE", file), ("NEW", &new)].iter().chain(names) {
        command = command.replace(name, file);
    }
    let status = Command::new("sh").args(["-c", &command]).current_dir(feed.root()).status().unwrap();
    assert!(status.success(), "{command}");
}

#[track_caller]
fn published(file: &str, input: impl AsRef<[u8]>, options: &str, rows: &Value) -> Ran {
    let feed = TestFeed::new();
    feed.input(file, input);
    let ran = publish(&feed, file, options).expect(0);
    assert_eq!(payload(&feed), *rows, "{options}");
    feed.expect_clean();
    ran
}

#[test]
fn the_same_in_the_configuration() {
    let feed = TestFeed::new();
    feed.input(
        "lastgood.toml",
        "[defaults]\ndelimiter = \"auto\"\nnull = [\"NA\"]\n[datasets.rows]\nunnamed = \"drop\"\n[datasets.others]\nunnamed = \
         \"i\"\nnull = [\"-\"]\n",
    );
    feed.input("r.csv", ";a;\nx;NA;\n");
    publish(&feed, "r.csv", "").expect(0);
    assert_eq!(payload(&feed), json!([{"a": null}]));
    publish(&feed, "r.csv", "--null x --delimiter ';'").expect(0);
    feed.input("o.csv", ",a\nx,-\n");
    feed.run(&["publish", "others=o.csv"]).expect(0);
    assert_eq!(serde_json::from_slice::<Value>(&feed.read("others.json")).unwrap(), json!([{"i": "x", "a": null}]));
    feed.input("o.csv", ",a\nx,1\n");
    feed.run(&["publish", "others=o.csv", "--unnamed", "drop"]).expect(0);
    assert_eq!(serde_json::from_slice::<Value>(&feed.read("others.json")).unwrap(), json!([{"a": 1}]));
    for (text, problem) in [
        ("unnamed = \"\"", "`unnamed`: expected \"auto\", \"drop\" or a name"),
        ("null = \"NA\"", "`null`: expected a list of words"),
        ("delimiter = \"semicolon\"", "`delimiter`: expected one ASCII character, \"tab\" or \"auto\""),
    ] {
        feed.input("lastgood.toml", format!("[defaults]\n{text}\n"));
        publish(&feed, "r.csv", "").expect(2).says(&[problem]);
    }
}
