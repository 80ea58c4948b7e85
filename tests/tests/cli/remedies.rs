//! What a message tells people to do is done here, as it stands, and helps.

use std::fs;

use lastgood_tests::{Ran, TestFeed};
use serde_json::Value;

/// Carries out every command that a text quotes: `lastgood …`.
fn carry_out(feed: &TestFeed, text: &str) -> usize {
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|text| text.starts_with("lastgood ")).collect();
    for command in &quoted {
        let words = shlex::split(command).unwrap();
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let ran = feed.run(&arguments);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.stderr);
    }
    quoted.len()
}

fn error(ran: &Ran) -> Value {
    ran.json()["error"].clone()
}

/// The option that permits it stands in `way_out`, ready to be added.
#[test]
fn the_option_that_permits_a_payload_permits_it() {
    let feed = TestFeed::new();
    for (payload, value) in [
        ("[NaN]", None),
        ("[9007199254740993]", None),
        ("[1e999]", None),
        ("{\"a\": 1, \"a\": 2}", None),
        ("[\"\\ud800\"]", None),
        ("[1, 2, 3, 4]", Some("64MiB")),
    ] {
        let limit = ["--max-bytes", "10"];
        let limited = if value.is_some() { &limit[..] } else { &[] };
        let ran = feed.run_with(&[&["publish", "p", "--json"], limited].concat(), payload).expect(3);
        let way_out = error(&ran)["way_out"].as_str().unwrap().to_owned();
        assert!(ran.stderr.contains(&way_out), "{way_out} in {}", ran.stderr);
        let options: Vec<&str> = way_out.split(' ').chain(value).collect();
        feed.run_with(&[&["publish", "p"], &options[..]].concat(), payload).expect(0);
    }
    let ran = feed.run_with(&["publish", "p", "--min-rows", "5", "--json"], "[1]").expect(3).says(&["--force"]);
    let force = error(&ran)["way_out"].as_str().unwrap().to_owned();
    feed.run_with(&["publish", "p", "--min-rows", "5", &force], "[1]").expect(0);
    feed.input("a.bin", [0; 20]);
    let artifact = |limit: &str| feed.run(&["publish", "--artifact", "a=a.bin", "--max-bytes", limit]);
    artifact("10").expect(3).says(&["way out: --max-bytes"]);
    artifact("20").expect(0);
}

#[test]
fn what_is_to_be_written_instead_is_taken() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    feed.input("s.json", "{}");
    feed.input("rows", "a;b\n1;2\n");
    for (wrong, said, right) in [
        (&["publish", "p.json"][..], "write NAME=FILE", &["publish", "p=p.json"][..]),
        (&["publish", "--artifact", "p=p.json"], "write p=FILE without --artifact", &["publish", "p=p.json"]),
        (&["publish", "p", "q"], "write NAME=FILE for the others", &["publish", "p=p.json", "q=p.json"]),
        (
            &["publish", "p=p.json", "q=p.json", "--schema", "s.json"],
            "write --schema NAME=s.json",
            &["publish", "p=p.json", "q=p.json", "--schema", "p=s.json"],
        ),
        (
            &["publish", "p=rows", "--delimiter", ";"],
            "add --format csv",
            &["publish", "p=rows", "--delimiter", ";", "--format", "csv"],
        ),
        (
            &["publish", "p=p.json", "--meta", "model"],
            "--meta-json",
            &["publish", "p=p.json", "--meta-json", "[\"model\"]"],
        ),
        (
            &["publish", "p=p.json", "--meta", "model"],
            "model=ets-2.1",
            &["publish", "p=p.json", "--meta", "model=ets-2.1"],
        ),
        (&["serve", "--cors", "example.org", "--help"], "", &["serve", "--cors", "https://example.org", "--help"]),
    ] {
        let ran = feed.run(wrong);
        assert!(said.is_empty() || ran.code == Some(2), "{wrong:?}: {:?}", ran.code);
        ran.says(&[said]);
        feed.run(right).expect(0);
    }
    feed.input("lastgood.toml", "strict = true\n");
    feed.run(&["publish", "p=p.json"]).expect(2).says(&["add [datasets.p]"]);
    feed.input("lastgood.toml", "strict = true\n[datasets.p]\n");
    feed.run(&["publish", "p=p.json"]).expect(0);
}

#[test]
fn a_directory_with_other_files_becomes_a_feed_with_the_option() {
    let feed = TestFeed::new();
    fs::create_dir(feed.dir()).unwrap();
    fs::write(feed.path("index.html"), "x").unwrap();
    feed.run_with(&["publish", "p"], "1").expect(1).says(&["pass --create"]);
    feed.run_with(&["publish", "p", "--create"], "1").expect(0);
}

#[test]
fn a_marker_in_the_way_is_passed_as_told() {
    let feed = TestFeed::new();
    feed.publish("p", "1");
    let blocked = |options: &[&str]| {
        fs::write(feed.path(".lock"), "of a script").unwrap();
        feed.run_with(&[&["publish", "p", "--lock-wait", "0s"], options].concat(), "2")
    };
    blocked(&[]).expect(4).says(&["remove the file or pass --stale-marker-after"]);
    fs::remove_file(feed.path(".lock")).unwrap();
    feed.publish("p", "2");
    blocked(&["--stale-marker-after", "0s"]).expect(0);
    feed.input("p.json", "1");
    let outside = feed.run(&["lock", "p", "--", lastgood_tests::binary().to_str().unwrap(), "publish", "q=p.json"]);
    assert!(outside.stderr.contains("lastgood lock … q -- COMMAND"), "{}", outside.stderr);
    feed.run(&["lock", "p", "q", "--", lastgood_tests::binary().to_str().unwrap(), "publish", "q=p.json"]).expect(0);
}

#[test]
fn the_commands_that_messages_quote_help() {
    let feed = TestFeed::new();
    feed.publish("p", "[1]");
    feed.publish("p", "[2]");
    feed.publish("late", "1");
    let said = feed.run(&["rollback", "late", "--to", "1"]).expect(1).stderr;
    assert_eq!(carry_out(&feed, &said), 1, "{said}");
    // A plain copy that somebody has edited.
    fs::write(feed.path("p.json"), "[0]").unwrap();
    let said = feed.run(&["verify"]).expect(5).text();
    assert!(carry_out(&feed, &said) > 0, "{said}");
    feed.run(&["verify"]).expect(0);
    // The manifest.
    fs::write(feed.path("manifest.json"), "{}").unwrap();
    let said = feed.run(&["status"]).expect(5).stderr;
    assert!(carry_out(&feed, &said) > 0, "{said}");
    feed.run(&["status"]).expect(0);
    // The object of what is published: nothing can rebuild it, but an older one is intact.
    let sha256 = feed.manifest()["datasets"]["p"]["sha256"].as_str().unwrap().to_owned();
    for path in [format!("objects/{sha256}.json"), "p.json".to_owned()] {
        fs::write(feed.path(&path), "[7]").unwrap();
    }
    let said = feed.run(&["verify"]).expect(5).text();
    let rollback =
        said.split('`').find(|text| text.starts_with("lastgood rollback")).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(carry_out(&feed, &format!("`{rollback}`")), 1);
    assert_eq!(feed.run(&["cat", "p"]).expect(0).text(), "[1]");
    // What was asked for instead of what was meant.
    let said = feed.run(&["cat", "lat"]).expect(2).stderr;
    let meant = said.split("did you mean \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    feed.run(&["cat", meant]).expect(0);
}

#[test]
fn bad_files_are_left_out_of_an_adoption_as_told() {
    let feed = TestFeed::new();
    fs::create_dir(feed.dir()).unwrap();
    fs::write(feed.path("good.json"), "[1]").unwrap();
    fs::write(feed.path("bad.json"), "{").unwrap();
    let ran = feed.run(&["adopt"]).expect(3);
    let said = format!("{}{}", ran.text(), ran.stderr);
    assert!(said.contains("--skip-bad"), "{said}");
    feed.run(&["adopt", "--skip-bad"]).expect(0);
    assert_eq!(feed.run(&["cat", "good"]).expect(0).text(), "[1]");
}
