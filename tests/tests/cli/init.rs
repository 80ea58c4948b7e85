//! `lastgood init`

use std::fs;

use lastgood_tests::TestFeed;

#[test]
fn it_writes_a_file_that_says_nothing_yet() {
    let feed = TestFeed::new();
    let text = feed.run(&["init"]).expect(0).text();
    for next in ["lastgood.toml", "lastgood publish", "lastgood adopt", "`dir`"] {
        assert!(text.contains(next), "{text}");
    }
    let written = fs::read_to_string(feed.root().join("lastgood.toml")).unwrap();
    assert!(written.contains("#lock_wait = \"30s\""), "{written}");
    assert!(!feed.dir().exists(), "the first publish makes the feed");
    feed.publish("performance", "1");
    feed.expect_clean();
}

#[test]
fn the_directory_is_relative_to_the_file() {
    let feed = TestFeed::new();
    fs::create_dir(feed.root().join("etc")).unwrap();
    fs::create_dir(feed.root().join("public")).unwrap();
    let dir_of = |file: &str| feed.run_with(&["publish", "a", "--json", "--config", file], "1").expect(0).json();
    feed.run(&["init", "--dir", "public/data"]).expect(0);
    let text = fs::read_to_string(feed.root().join("lastgood.toml")).unwrap();
    assert!(text.contains("\ndir = \"public/data\"\n"), "{text}");
    assert_eq!(dir_of("lastgood.toml")["dir"], feed.root().join("public/data").to_str().unwrap());
    let report = feed.run(&["init", "--dir", "public/other", "--config", "etc/x.toml", "--json"]).expect(0).json();
    assert_eq!(report["config"], feed.root().join("etc/x.toml").to_str().unwrap());
    assert_eq!(dir_of("etc/x.toml")["dir"], feed.root().join("public/other").to_str().unwrap());
}

#[test]
fn a_file_that_is_there_stays() {
    let feed = TestFeed::new();
    feed.input("lastgood.toml", "not even = [toml");
    feed.run(&["init"]).expect(1).says(&["lastgood.toml is there already"]);
    assert_eq!(fs::read(feed.root().join("lastgood.toml")).unwrap(), b"not even = [toml");
    assert_eq!(feed.run(&["init", "--json"]).expect(1).json()["error"]["code"], "exists");
    feed.run(&["init", "--config", "missing/x.toml"]).expect(1).says(&["missing/x.toml"]);
}
