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
    let told = |options: &[&str], exit: i32| {
        feed.run_with(&[&["publish", "performance"], options].concat(), "1").expect(0);
        let text = feed.run(&["status"]).expect(exit).text();
        let json = feed.run(&["status", "--json", "performance"]).expect(exit).json();
        let lines: Vec<String> = text.lines().filter(|line| line.contains("expire")).map(str::to_owned).collect();
        let dataset = &json["datasets"][0];
        assert_eq!(dataset["expires_at"], feed.manifest()["datasets"]["performance"]["expires_at"]);
        (lines.join("\n"), dataset["expires_at"].clone(), dataset["expired"].clone())
    };
    assert_eq!(told(&[], 0), (String::new(), serde_json::Value::Null, false.into()));
    let (text, at, expired) = told(&["--expires-in", "26h"], 0);
    assert!(at.is_string() && expired == false && text.contains("; expires in "), "{text}");
    // Over before the next command has begun: it takes longer to start.
    let (text, at, expired) = told(&["--expires-in", "1ms"], 1);
    assert!(at.is_string() && expired == true && text.contains("; expired "), "{text}");
    // The option wins over the file, also to say that there is no end.
    feed.input("lastgood.toml", "expires_in = '1ms'\n");
    assert_eq!(told(&[], 1).2, true);
    assert_eq!(told(&["--expires-in", "never"], 0).1, serde_json::Value::Null);
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
