//! Bad input: refused with a way out, and not a byte of the feed changes.

use lastgood_tests::{Ran, TestFeed, tree};

/// Runs a publish that is to be refused and expects the whole feed to be as before: bytes, modes, files, times.
#[track_caller]
fn refused(feed: &TestFeed, arguments: &[&str], input: &[u8], code: i32) -> Ran {
    let before = tree(&feed.dir());
    let ran = feed.run_with(arguments, input).expect(code);
    assert_eq!(tree(&feed.dir()), before, "the feed has changed");
    assert_eq!(ran.text(), "", "a refusal prints no result");
    ran
}

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("performance", r#"{"a":1}"#);
    feed.publish("performance", r#"{"a":2}"#);
    feed
}

#[test]
fn a_nan_names_its_place_and_the_way_out() {
    let feed = published();
    refused(&feed, &["publish", "performance"], br#"{"a":NaN}"#, 3).says(&[
        "performance",
        "line 1, column 6",
        "/a",
        "--nan null",
    ]);
}

#[test]
fn every_rule_names_its_way_out() {
    let feed = published();
    let cases: [(&[u8], &[&str]); 10] = [
        (br#"[{"id": 9007199254740993}]"#, &["line 1, column 9", "/0/id", "--allow unsafe-numbers"]),
        (b"1e999", &["--allow unsafe-numbers"]),
        (br#"{"a":1,"a":2}"#, &["line 1, column 8", "/a", "--allow duplicate-names"]),
        (br#"["\ud800"]"#, &["/0", "--allow unpaired-surrogates"]),
        (b"\xef\xbb\xbf{}", &["byte order mark"]),
        (b"[\"\xff\"]", &["UTF-8"]),
        (b"{} {}", &["line 1, column 4"]),
        (b"{\n  \"a\": [1,\n", &["line 3, column 1", "/a"]),
        (b"", &["line 1, column 1"]),
        (b"<!doctype html>", &["line 1, column 1"]),
    ];
    for (payload, texts) in cases {
        refused(&feed, &["publish", "performance"], payload, 3).says(texts);
    }
    refused(&feed, &["publish", "performance", "--max-bytes", "1KiB"], &[b' '; 1025], 3).says(&["1024", "--max-bytes"]);
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    refused(&feed, &["publish", "performance"], deep.as_bytes(), 3).says(&["128"]);
}

/// The producer died in the middle: its pipe ends early.
#[test]
fn a_truncated_stream_is_refused() {
    let feed = published();
    let whole = format!("[{}0]", "12345,".repeat(100_000));
    refused(&feed, &["publish", "performance"], &whole.as_bytes()[..whole.len() / 2], 3).says(&["the input ends here"]);
}

#[test]
fn one_bad_dataset_stops_all() {
    let feed = published();
    feed.input("good.json", "{}");
    feed.input("bad.json", "{");
    for order in [["a=good.json", "b=bad.json"], ["b=bad.json", "a=good.json"]] {
        refused(&feed, &["publish", order[0], order[1]], b"", 3).says(&["b: line 1, column 2"]);
    }
}

#[test]
fn an_unreadable_source_is_input_refused() {
    let feed = published();
    refused(&feed, &["publish", "performance=missing.json"], b"", 3).says(&["performance", "missing.json"]);
    refused(&feed, &["publish", "performance=."], b"", 3).says(&["performance", "directory"]);
}

#[test]
fn usage_errors_name_the_rule_and_change_nothing() {
    let feed = published();
    feed.input("p.json", "{}");
    let cases: [(&[&str], &[&str]); 14] = [
        (&["publish"], &["NAME=FILE"]),
        (&["publish", "Performance=p.json"], &["\"Performance\" is not a dataset name", "a-z"]),
        (&["publish", "manifest=p.json"], &["taken by the feed's own files"]),
        (&["publish", "p_backup=p.json"], &["taken by the feed's own files"]),
        (&["publish", "p.json"], &["NAME=FILE"]),
        (&["publish", "a="], &["expected a file after `a=`"]),
        (&["publish", "a", "b=-"], &["a and b", "stdin"]),
        (&["publish", "a=p.json", "a=p.json"], &["a is given more than once"]),
        (&["publish", "a=p.json", "--meta", "model"], &["KEY=VALUE"]),
        (&["publish", "a=p.json", "--meta", "k=1", "--meta", "k=2"], &["k=", "more than once"]),
        (&["publish", "a=p.json", "--meta-json", "{"], &["meta is not JSON"]),
        (&["publish", "a=p.json", "--allow", "anything"], &["unsafe-numbers", "duplicate-names"]),
        (&["publish", "a=p.json", "--gzip", "12"], &["expected a level from 1 to 9"]),
        (&["publihs", "a=p.json"], &["publish"]),
    ];
    for (arguments, texts) in cases {
        refused(&feed, arguments, b"{}", 2).says(texts);
    }
    let long = format!("k={}", "x".repeat(5000));
    refused(&feed, &["publish", "a=p.json", "--meta", &long], b"", 2).says(&["4096"]);
}

/// A mistyped path must not make a second feed out of whatever is there.
#[test]
fn a_directory_with_other_files_is_refused() {
    let feed = TestFeed::new();
    std::fs::create_dir(feed.dir()).unwrap();
    std::fs::write(feed.path("index.html"), "<html>").unwrap();
    refused(&feed, &["publish", "performance"], b"{}", 1).says(&["is not a feed", "index.html", "--create"]);
    feed.run_with(&["publish", "performance", "--create"], b"{}").expect(0);
    feed.expect_clean();
}

#[test]
fn a_first_publish_that_is_refused_publishes_nothing() {
    let feed = TestFeed::new();
    feed.run_with(&["publish", "performance"], b"NaN").expect(3);
    assert!(!feed.path("manifest.json").exists());
    assert!(!feed.path("performance.json").exists());
    feed.run(&["status"]).expect(1).says(&["there is no feed"]);
    feed.publish("performance", "{}");
    feed.expect_clean();
}

/// What Python's `json.dump` writes can be published after all, when it is asked for.
#[test]
fn the_ways_out_lead_out() {
    let feed = published();
    let ran = feed.run_with(&["publish", "performance", "--nan", "null"], b"[NaN, -Infinity]").expect(0);
    assert!(ran.text().contains("2 NaN published as null"), "{}", ran.text());
    assert_eq!(feed.read("performance.json"), b"[null, null]");
    let odd = br#"{"a":9007199254740993,"a":"\ud800"}"#;
    let all = ["publish", "performance", "--allow", "unsafe-numbers,duplicate-names", "--allow", "unpaired-surrogates"];
    feed.run_with(&all, odd).expect(0);
    assert_eq!(feed.read("performance.json"), odd);
    feed.run_with(&["publish", "performance", "--max-bytes", "4"], b"1234").expect(0);
    feed.expect_clean();
}
