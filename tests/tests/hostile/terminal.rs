//! What comes from elsewhere and is printed: no terminal obeys it, and it does not fill the screen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lastgood_tests::{Ran, TestFeed};
use serde_json::json;

use crate::support::{COMMANDS, copy, ends, feed};

/// Changes the title, moves the cursor, clears the screen, answers for the keyboard, turns the direction of writing.
const OBEYED: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{8}\r\u{7f}\u{202e}\u{2066}\nerror: line of its own";

fn expect_harmless(ran: &Ran, what: &str) {
    for text in [&ran.text(), &ran.stderr] {
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(obeyed), "{what}: {text:?}");
        // For machines it is whole.
        let limit = if text.starts_with('{') { 1_000_000 } else { 20_000 };
        assert!(text.len() < limit, "{what}: {} bytes are told", text.len());
        assert!(!text.lines().any(|line| line == "error: line of its own"), "{what}: {text}");
    }
}

fn expect_all_harmless(template: &TestFeed, what: &str) {
    for arguments in COMMANDS {
        for json in [&[][..], &["--json"]] {
            let feed = copy(template);
            feed.input("in.json", "[4]");
            // `lock` takes what follows for the command.
            let at = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
            let arguments = [&arguments[..at], json, &arguments[at..]].concat();
            expect_harmless(&ends(&feed, &arguments), &format!("{what}: {arguments:?}"));
        }
    }
}

fn marker(host: &str, datasets: &[&str], acquired: &str, expires: &str) -> String {
    let holder = json!({"host": host, "pid": 1, "token": OBEYED});
    json!({"format": 1, "holder": holder, "datasets": datasets, "acquired_at": acquired, "expires_at": expires})
        .to_string()
}

/// Ours by its mode, or somebody else's.
fn put_marker(feed: &TestFeed, name: &str, text: &str, mode: u32) {
    fs::write(feed.path(name), text).unwrap();
    fs::set_permissions(feed.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_hostile_lock_marker_is_told_in_plain_words() {
    let template = feed();
    // As long as a marker can be.
    let long = OBEYED.repeat(1000);
    let (past, now, century) = ("1970-01-01T00:00:00.000Z", "2026-11-20T14:39:00.123Z", "2126-11-20T14:39:00.123Z");
    for (host, acquired, expires) in
        [(OBEYED, now, century), (&*long, now, century), (OBEYED, past, past), (OBEYED, century, past)]
    {
        for mode in [0o444, 0o644] {
            for name in [".lock", ".performance_lock"] {
                let feed = copy(&template);
                put_marker(&feed, name, &marker(host, &["performance"], acquired, expires), mode);
                expect_all_harmless(&feed, &format!("{name} with mode {mode:o}, {} bytes, {expires}", host.len()));
            }
        }
    }
    // Whatever its lease says, what nobody holds is ours to remove, and nothing is left of it.
    put_marker(&template, ".lock", &marker(OBEYED, &["performance"], now, century), 0o444);
    template.publish("performance", "[9]");
    template.expect_clean();
}

#[test]
fn names_in_the_directory_are_told_in_plain_words() {
    let template = feed();
    for dir in ["", "objects", "history", ".lastgood/staging"] {
        for name in [&format!("{}.json", OBEYED.replace('/', "")), ".\u{1b}[2J_lock"] {
            let feed = copy(&template);
            fs::write(feed.path(dir).join(name), "planted").unwrap();
            expect_all_harmless(&feed, &format!("a file in {dir:?}"));
        }
    }
    // A directory that is no feed yet.
    let other = TestFeed::in_memory();
    fs::create_dir(other.dir()).unwrap();
    fs::write(other.path(&format!("{}.json", OBEYED.replace('/', ""))), "[1]").unwrap();
    expect_all_harmless(&other, "a file to be adopted");
}

#[test]
fn what_publishers_say_of_themselves_is_told_in_plain_words() {
    let feed = feed();
    for (who, meta) in [(OBEYED.to_owned(), OBEYED.to_owned()), ("w".repeat(100_000), "m".repeat(3000))] {
        let mut command = feed.command(&["publish", "performance", "--meta", &format!("model={meta}")]);
        command.env("LASTGOOD_WHO", who);
        let _refused_or_not = Ran::of(command, b"[7]");
    }
    expect_all_harmless(&feed, "who and meta");
    // The log is a file like any other.
    let forged = json!({"at": OBEYED, "operation": OBEYED, "who": {"user": OBEYED, "host": OBEYED, "pid": 1}, "message": OBEYED});
    let log = format!("{}\n{forged}\n", String::from_utf8(feed.read(".lastgood/operations.jsonl")).unwrap());
    fs::write(feed.path(".lastgood/operations.jsonl"), log).unwrap();
    expect_all_harmless(&feed, "the operation log");
}

#[test]
fn what_is_given_is_told_in_plain_words() {
    let feed = feed();
    feed.input("in.json", "[4]");
    feed.input("lastgood.toml", format!("{} = 1\n", serde_json::to_string(OBEYED).unwrap().replace("\\b", "\\u0008")));
    expect_harmless(&ends(&feed, &["status"]).expect(2), "a key of the configuration");
    fs::remove_file(feed.root().join("lastgood.toml")).unwrap();
    for input in [format!("[\"{OBEYED}"), OBEYED.to_owned(), format!("{{\"{}\":NaN}}", "\u{9b}31m")] {
        let ran = feed.run_with(&["publish", "performance"], &input).expect(3);
        expect_harmless(&ran, "a payload");
        let ran = feed.run_with(&["publish", "performance", "--format", "csv"], format!("a,a\n{input}\n"));
        expect_harmless(&ran, "CSV");
        let ran = feed.run_with(&["publish", "performance", "--format", "jsonl"], &input).expect(3);
        expect_harmless(&ran, "JSON Lines");
    }
}
