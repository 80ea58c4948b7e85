//! `lastgood adopt`

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use lastgood_tests::{Ran, TestFeed, tree};
use serde_json::{Value, json};

/// A directory as hand-made publishers leave it.
fn with(files: &[(&str, &str)]) -> TestFeed {
    let feed = TestFeed::new();
    fs::create_dir(feed.dir()).unwrap();
    for (name, content) in files {
        fs::write(feed.path(name), content).unwrap();
    }
    feed
}

/// Nothing is done, and the reason is said in the report.
#[track_caller]
fn refused(feed: &TestFeed, options: &[&str], texts: &[&str]) {
    let before = tree(&feed.dir());
    let text = feed.run(&[&["adopt"], options].concat()).expect(3).text();
    for expected in [texts, &["nothing was adopted"]].concat() {
        assert!(text.contains(expected), "expected {expected:?} in {text}");
    }
    assert_eq!(tree(&feed.dir()), before);
}

fn file<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["files"].as_array().unwrap().iter().find(|file| file["file"] == name).unwrap_or_else(|| panic!("{report}"))
}

fn kept(feed: &TestFeed) -> Vec<(String, String)> {
    feed.names(".lastgood/kept")
        .into_iter()
        .map(|name| (name.clone(), String::from_utf8(feed.read(&format!(".lastgood/kept/{name}"))).unwrap()))
        .collect()
}

#[test]
fn files_and_backups_become_two_generations_and_stay_what_they_are() {
    let files = [
        ("performance.json", "{ \"rows\": [1, 2.50] }\n"),
        ("performance_backup.json", "{}"),
        ("transactions.json", "[1,2,3]"),
        ("same.json", "[]"),
        ("same_backup.json", "[]"),
        ("last_update.txt", "yesterday"),
        ("index.html", "<html>"),
    ];
    let feed = with(&files);
    let text = feed.run(&["adopt"]).expect(0).text();
    assert!(text.contains("adopted 3 dataset(s)") && text.contains("generation 2"), "{text}");
    for (name, content) in files.iter().filter(|(name, _)| *name != "last_update.txt") {
        assert_eq!(feed.read(name), content.as_bytes(), "{name}");
    }
    assert_eq!(kept(&feed), [("last_update.txt".to_owned(), "yesterday".to_owned())]);
    let cat = |name: &str, generation: &str| feed.run(&["cat", name, "--generation", generation]);
    assert_eq!(cat("performance", "1").expect(0).text(), "{}");
    assert_eq!(cat("performance", "2").expect(0).text(), files[0].1);
    cat("transactions", "1").expect(1);
    assert_eq!(
        feed.manifest()["datasets"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["performance", "same", "transactions"]
    );
    feed.expect_clean();
    // The next publish goes on from there.
    feed.publish("performance", "[4]");
    assert_eq!(feed.read("performance_backup.json"), files[0].1.as_bytes());
    // Repeated, it finds nothing to do; a file that has come meanwhile is adopted beside the others.
    let text = feed.run(&["adopt"]).expect(0).text();
    assert!(text.contains("published already") && text.contains("nothing is to be adopted"), "{text}");
    fs::write(feed.path("late.json"), "7").unwrap();
    let report = feed.run(&["adopt", "--json"]).expect(0).json();
    assert_eq!((&report["generations"], &file(&report, "late.json")["role"]), (&json!([4]), &json!("current")));
    feed.expect_clean();
}

/// After the first of its two publishes an adoption can be repeated, and meanwhile every file is as it was.
#[test]
fn an_interrupted_adoption_goes_on() {
    let feed = with(&[("performance.json", "[2]"), ("performance_backup.json", "[1]"), ("other.json", "[3]")]);
    feed.run(&["publish", "--create", "--no-plain-copies", "performance=data/performance_backup.json"]).expect(0);
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"[2]".into(), b"[1]".into()));
    feed.run(&["recover"]).expect(0);
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"[2]".into(), b"[1]".into()));
    assert_eq!(feed.run(&["adopt", "--json"]).expect(0).json()["generations"], json!([2]));
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"[2]".into(), b"[1]".into()));
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "[2]");
    assert_eq!(feed.run(&["cat", "other"]).expect(0).text(), "[3]");
    feed.expect_clean();
}

#[test]
fn a_dry_run_says_it_all_and_does_nothing() {
    let feed = with(&[("performance.json", "[1]"), ("performance_backup.json", "[0,0]"), ("x.tmp", "")]);
    let before = tree(&feed.dir());
    let report = feed.run(&["adopt", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(
        (&report["dry_run"], &report["adopted"], &report["generations"]),
        (&json!(true), &json!(true), &json!([]))
    );
    assert_eq!(file(&report, "performance.json")["role"], "current");
    assert_eq!(file(&report, "performance_backup.json")["rows"], 2);
    assert_eq!(file(&report, "x.tmp")["role"], "left");
    assert!(feed.run(&["adopt", "--dry-run"]).expect(0).text().contains("would adopt 1 dataset(s)"));
    fs::write(feed.path("bad.json"), "{").unwrap();
    refused(&feed, &["--dry-run"], &["bad.json"]);
    fs::remove_file(feed.path("bad.json")).unwrap();
    assert_eq!(tree(&feed.dir()).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_adopted_stops_all_unless_it_is_left_out() {
    let feed = with(&[
        ("good.json", "[1]"),
        ("good_backup.json", "[NaN]"),
        ("half.json", "[1, 2"),
        ("Sales Report.json", "[]"),
        (".json", "[]"),
        ("orphan_backup.json", "[]"),
        ("half.json.tmp", "["),
    ]);
    std::os::unix::fs::symlink("good.json", feed.path("link.json")).unwrap();
    refused(
        &feed,
        &[],
        &[
            "NaN is not JSON",
            "line 1, column 6",
            "rename it to sales-report.json",
            "orphan.json, which is not there",
            "a temporary file",
            "not a regular file",
            "--skip-bad",
        ],
    );
    let report = feed.run(&["adopt", "--skip-bad", "--json"]).expect(0).json();
    assert_eq!(report["generations"], json!([1]));
    assert_eq!(file(&report, "half.json")["role"], "bad");
    assert_eq!(feed.manifest()["datasets"].as_object().unwrap().len(), 1);
    assert_eq!(feed.read("half.json"), b"[1, 2");
    // What the next publish would overwrite is kept.
    assert_eq!(kept(&feed), [("good_backup.json".to_owned(), "[NaN]".to_owned())]);
    feed.publish("good", "[2]");
    assert_eq!(feed.read("good_backup.json"), b"[1]");
    feed.expect_clean();
}

/// A site that compresses its files has some that servers would go on sending.
#[test]
fn compressed_forms_of_others_are_kept_and_give_way() {
    let feed = with(&[("small.json", "[1]"), ("small.json.gz", "of the site"), ("small.json.br", "of the site, too")]);
    feed.run(&["adopt"]).expect(0);
    assert_eq!(feed.read("small.json"), b"[1]");
    let of_the_site = [("small.json.br", "of the site, too"), ("small.json.gz", "of the site")];
    for (name, content) in of_the_site {
        assert!(!feed.path(name).exists(), "{name} is none of what is published");
        assert!(kept(&feed).contains(&(name.to_owned(), content.to_owned())), "{:?}", kept(&feed));
    }
    feed.expect_clean();
}

#[test]
fn nan_becomes_null_when_asked_and_the_original_is_kept() {
    let feed = with(&[("a.json", "[NaN, 1]"), ("a_backup.json", "[Infinity]")]);
    refused(&feed, &[], &["--nan null"]);
    let report = feed.run(&["adopt", "--nan", "null", "--json"]).expect(0).json();
    assert_eq!(file(&report, "a.json")["notes"], json!(["1 NaN as null"]));
    assert_eq!((feed.read("a.json"), feed.read("a_backup.json")), (b"[null, 1]".into(), b"[null]".into()));
    let expected = [("a.json", "[NaN, 1]"), ("a_backup.json", "[Infinity]")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(kept(&feed), expected);
    feed.expect_clean();
}

/// The checksums are Python's: `hashlib.md5(json.dumps([1, 2.5]).encode()).hexdigest()`.
#[test]
fn envelopes_are_taken_off_when_asked() {
    let right = r#"{"data":[1,2.5],"checksum":"CHECKSUM"}"#.replace("CHECKSUM", &md5("[1, 2.5]"));
    let versioned = r#"{"version": 3, "data": {"a": 1.10}, "by": "cron"}"#;
    let feed = with(&[("sum.json", &right), ("versioned.json", versioned), ("plain.json", r#"{"data":1}"#)]);
    // Without the flag they are data like any.
    let text = feed.run(&["adopt", "--dry-run"]).expect(0).text();
    assert_eq!(text.matches("--unwrap publishes the data alone").count(), 2, "{text}");
    let report = feed.run(&["adopt", "--unwrap", "--json"]).expect(0).json();
    assert_eq!(file(&report, "sum.json")["notes"], json!(["unwrapped, the checksum is right"]));
    assert_eq!((feed.read("sum.json"), feed.read("versioned.json")), (b"[1,2.5]".into(), br#"{"a": 1.10}"#.into()));
    assert_eq!(feed.read("plain.json"), br#"{"data":1}"#);
    assert_eq!(feed.manifest()["datasets"]["versioned"]["meta"], json!({"version": 3, "by": "cron"}));
    let expected = [("sum.json", right.as_str()), ("versioned.json", versioned)];
    assert_eq!(kept(&feed), expected.map(|(name, content)| (name.to_owned(), content.to_owned())));
    feed.expect_clean();
}

#[test]
fn an_envelope_that_was_adopted_is_taken_off_later() {
    let feed = with(&[("a.json", r#"{"version":1,"data":[1,2.5]}"#)]);
    let text = feed.run(&["adopt"]).expect(0).text();
    assert!(text.contains("jq -c .data FILE | lastgood publish NAME"), "{text}");
    let taken_off = Command::new("jq").args(["-c", ".data"]).arg(feed.path("a.json")).output().unwrap();
    feed.run_with(&["publish", "a"], String::from_utf8(taken_off.stdout).unwrap().trim_end()).expect(0);
    assert_eq!(feed.read("a.json"), b"[1,2.5]");
    feed.expect_clean();
}

#[test]
fn a_wrong_checksum_is_refused_unless_it_is_to_be_ignored() {
    let wrong = r#"{"data":[1],"checksum":"CHECKSUM"}"#.replace("CHECKSUM", &md5("[2]"));
    let feed = with(&[("a.json", &wrong)]);
    refused(&feed, &["--unwrap"], &["the checksum in it is not that of its data", "--ignore-checksums"]);
    feed.run(&["adopt", "--ignore-checksums"]).expect(2);
    feed.run(&["adopt", "--unwrap", "--ignore-checksums"]).expect(0);
    assert_eq!(feed.read("a.json"), b"[1]");
    feed.expect_clean();
}

fn md5(text: &str) -> String {
    let mut command = std::process::Command::new("md5sum");
    command.arg("-");
    Ran::of(command, text.as_bytes()).text()[..32].to_owned()
}

#[test]
fn some_files_can_be_named() {
    let feed = with(&[("a.json", "1"), ("a_backup.json", "0"), ("b.json", "{"), ("c.json", "3")]);
    feed.input("elsewhere.json", "1");
    feed.run(&["adopt", "data/a.json", "c.json"]).expect(0);
    assert_eq!(feed.manifest()["datasets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(feed.run(&["cat", "a", "--generation", "1"]).expect(0).text(), "0");
    for (name, said) in [
        ("elsewhere.json", "lastgood publish NAME=FILE"),
        ("data/missing.json", "it is not in"),
        ("a_backup.json", "with the file that it belongs to"),
        ("data", "data: "),
    ] {
        feed.run(&["adopt", name]).expect(2).says(&[said]);
    }
    feed.expect_clean();
}

#[test]
fn locks_of_older_scripts_are_told_of_and_respected() {
    let feed = with(&[("performance.json", "[1]"), (".performance_lock", "of update.py")]);
    let modified = SystemTime::now() - Duration::from_secs(7200);
    File::options().write(true).open(feed.path(".performance_lock")).unwrap().set_modified(modified).unwrap();
    let text = feed.run(&["adopt", "--dry-run"]).expect(0).text();
    assert!(text.contains(".performance_lock") && text.contains("a lock file") && text.contains("2h"), "{text}");
    feed.run(&["adopt", "--lock-wait", "0s"]).expect(4).says(&[".performance_lock"]);
    assert_eq!(feed.read("performance.json"), b"[1]");
    feed.run(&["adopt", "--stale-marker-after", "1h"]).expect(0);
    feed.expect_clean();
}

#[test]
fn the_configuration_holds() {
    let feed = with(&[("a.json", "[NaN]"), ("typo.json", "1")]);
    feed.input("lastgood.toml", "strict = true\n[datasets.a]\nnan = 'null'\nmeta.team = 'data'\n");
    refused(&feed, &[], &["typo is not listed"]);
    feed.run(&["adopt", "--skip-bad"]).expect(0);
    assert_eq!(feed.manifest()["datasets"]["a"]["meta"], json!({"team": "data"}));
    assert_eq!(feed.read("a.json"), b"[null]");
}

#[test]
fn an_empty_directory_is_no_feed() {
    let feed = with(&[("index.html", "")]);
    let before = tree(&feed.dir());
    assert!(feed.run(&["adopt"]).expect(0).text().contains("nothing is to be adopted"));
    assert_eq!(tree(&feed.dir()), before);
    feed.run(&["adopt", "--dir", "missing"]).expect(1).says(&["missing"]);
}
