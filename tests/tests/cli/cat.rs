//! `lastgood cat`

use std::io::Read;

use lastgood_protocol::manifest::Manifest;
use lastgood_tests::{Ran, TestFeed};

#[test]
fn retained_generations_can_be_read() {
    let feed = TestFeed::new();
    for payload in ["\"one\"", "\"two\"\n", "\"three\""] {
        feed.publish("performance", payload);
    }
    let cat = |arguments: &[&str]| feed.run(&[&["cat", "performance"], arguments].concat());
    assert_eq!(cat(&[]).expect(0).text(), "\"three\"");
    assert_eq!(cat(&["--generation", "1"]).expect(0).text(), "\"one\"");
    assert_eq!(cat(&["--generation", "2"]).expect(0).text(), "\"two\"\n");
    cat(&["--generation", "9"]).expect(1).says(&["generation 9 is not retained"]);
    cat(&["--generation", "0"]).expect(2);
    let document = cat(&["--generation", "2", "--json"]).expect(0).json();
    assert_eq!((&document["data"], &document["generation"]), (&"two".into(), &2.into()));
}

#[test]
fn json_keeps_every_digit() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1.10, 1e2, 0.1000000000000000055511151231257827]");
    let text = feed.run(&["cat", "performance", "--json"]).expect(0).text();
    assert!(text.contains("[1.10, 1e2, 0.1000000000000000055511151231257827]"), "{text}");
}

#[test]
fn a_mistyped_name_is_corrected() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    feed.publish("transactions", "1");
    feed.run(&["cat", "performnace"]).expect(2).says(&["no dataset \"performnace\"", "did you mean \"performance\"?"]);
    let stderr = feed.run(&["cat", "zebra"]).expect(2).says(&["performance, transactions"]).stderr;
    assert!(!stderr.contains("did you mean"), "{stderr}");
}

/// `lastgood cat x | head -c 1`
#[test]
fn a_reader_that_has_enough_is_no_error() {
    let feed = TestFeed::new();
    feed.publish("performance", format!("[{}0]", "1,".repeat(1_000_000)));
    let mut child = feed.spawn(&["cat", "performance"]);
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    drop(stdout);
    let ran = Ran::end_of(child).expect(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn what_does_not_satisfy_its_schema_is_damage() {
    let feed = TestFeed::new();
    for (schema, payload) in [("number", "1"), ("string", "\"a\"")] {
        feed.input("s.json", format!("{{\"type\":\"{schema}\"}}"));
        feed.input("p.json", payload);
        feed.run(&["publish", &format!("{schema}=p.json"), "--schema", "s.json"]).expect(0);
        assert_eq!(feed.run(&["cat", schema]).expect(0).text(), payload);
    }
    // Whatever has written this manifest, lastgood has not.
    let mut manifest = Manifest::verify(&feed.read("manifest.json")).unwrap();
    let text = manifest.datasets[&"string".parse().unwrap()].schema.clone();
    manifest.datasets.get_mut(&"number".parse().unwrap()).unwrap().schema = text;
    let generation = manifest.generation.to_string();
    for path in ["manifest.json", &format!("history/{generation}.json")] {
        std::fs::write(feed.path(path), manifest.encode()).unwrap();
    }
    for arguments in [&["cat", "number"][..], &["cat", "number", "--generation", &generation]] {
        feed.run(arguments).expect(5).says(&["does not satisfy its schema", "expected string, found 1"]);
    }
}
