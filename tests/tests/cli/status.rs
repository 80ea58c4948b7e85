//! `lastgood status`

use lastgood_tests::TestFeed;

#[test]
fn age_is_an_exit_code() {
    let feed = TestFeed::new();
    feed.input("p.json", "1");
    feed.run(&["publish", "performance=p.json", "transactions=p.json", "--meta", "run=7"]).expect(0);
    feed.run(&["status", "--max-age", "1h"]).expect(0);
    feed.run(&["status", "--max-age", "0s"]).expect(1).says(&["performance, transactions"]);
    feed.run(&["status", "--max-age", "0s", "performance"]).expect(1).says(&["--max-age: performance\n"]);
    feed.run(&["status", "performnace"]).expect(2).says(&["performnace", "performance, transactions"]);
    let json = feed.run(&["status", "--max-age", "0s", "--json"]).expect(1).json();
    assert_eq!(json["generation"], 1);
    assert_eq!(json["lock"], serde_json::Value::Null);
    assert_eq!(json["datasets"][0]["stale"], true);
    assert_eq!(json["datasets"][0]["meta"]["run"], "7");
    assert_eq!(json["commit"], feed.manifest()["commit"]);
}

#[test]
fn what_readers_take_for_stale_is_told() {
    let feed = TestFeed::new();
    let told = |options: &[&str]| {
        feed.run_with(&[&["publish", "performance"], options].concat(), "1").expect(0);
        let text = feed.run(&["status"]).expect(0).text();
        let json = feed.run(&["status", "--json", "performance"]).expect(0).json();
        let lines: Vec<String> = text.lines().filter(|line| line.contains("expire")).map(str::to_owned).collect();
        (lines.join("\n"), json["expires_at"].clone(), json["expired"].clone())
    };
    assert_eq!(told(&[]), (String::new(), serde_json::Value::Null, false.into()));
    let (text, at, expired) = told(&["--expires-in", "26h"]);
    assert_eq!((at, expired), (feed.manifest()["expires_at"].clone(), false.into()));
    assert!(text.contains(feed.manifest()["expires_at"].as_str().unwrap()) && text.contains("(in "), "{text}");
    // Over before the next command has begun: it takes longer to start.
    let (text, at, expired) = told(&["--expires-in", "1ms"]);
    assert_eq!((at, expired), (feed.manifest()["expires_at"].clone(), true.into()));
    assert!(text.contains("ago: every reader takes all datasets for stale"), "{text}");
    // The option wins over the file, also to say that there is no end.
    feed.input("lastgood.toml", "expires_in = '1ms'\n");
    assert_eq!(told(&[]).2, true);
    assert_eq!(told(&["--expires-in", "never"]).1, serde_json::Value::Null);
}

#[test]
fn a_directory_without_a_feed_is_named_with_the_reason_for_looking_there() {
    let feed = TestFeed::new();
    for command in ["status", "verify", "recover"] {
        feed.run(&[command]).expect(1).says(&["there is no feed", feed.dir().to_str().unwrap(), "the default"]);
    }
    feed.run(&["cat", "performance"]).expect(1).says(&["there is no feed"]);
    assert!(!feed.dir().exists(), "looking makes nothing");
}
