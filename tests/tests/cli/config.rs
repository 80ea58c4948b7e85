//! `lastgood.toml` in force: for publish, and for every other command that it concerns.

use std::fs;

use lastgood_tests::{Ran, TestFeed, tree};

fn configured(text: &str) -> TestFeed {
    let feed = TestFeed::new();
    feed.input("lastgood.toml", text);
    feed
}

#[test]
fn a_dataset_is_published_as_its_table_says() {
    let feed = configured("[defaults]\nmeta.team = 'data'\n[datasets.a]\nnan = 'null'\nmax_bytes = 20\nmeta.run = 7\n");
    feed.input("nan.json", "[NaN]");
    feed.run(&["publish", "a=nan.json", "--meta", "model=x"]).expect(0);
    assert_eq!(feed.read("a.json"), b"[null]");
    let meta = serde_json::json!({"team": "data", "run": 7, "model": "x"});
    assert_eq!(feed.manifest()["datasets"]["a"]["meta"], meta);
    feed.run(&["publish", "b=nan.json"]).expect(3).says(&["b: ", "--nan null"]);
    // What is said on the command line wins.
    feed.run(&["publish", "a=nan.json", "--nan", "refuse"]).expect(3);
    feed.run(&["publish", "b=nan.json", "--nan", "null", "--meta-json", "[1]"]).expect(0);
    assert_eq!(feed.manifest()["datasets"]["b"]["meta"], serde_json::json!([1]));
    feed.run_with(&["publish", "a"], [b' '; 21]).expect(3).says(&["20 bytes"]);
    feed.run_with(&["publish", "a", "--max-bytes", "1KiB"], [b' '; 21]).expect(3).says(&["line 1"]);
    feed.expect_clean();
}

#[test]
fn input_is_converted_as_its_table_says() {
    let feed = configured("[datasets.sales]\nformat = 'csv'\ndelimiter = ';'\ncolumns.id = 'text'\n");
    let sales = |options: &[&str], input: &str| {
        feed.run_with(&[&["publish", "sales"], options].concat(), input).expect(0);
        let published: serde_json::Value = serde_json::from_slice(&feed.read("sales.json")).unwrap();
        published
    };
    assert_eq!(sales(&[], "id;n\n7;8\n"), serde_json::json!([{"id": "7", "n": 8}]));
    let given = sales(&["--column", "n=text", "--delimiter", "|"], "id|n\n7|8\n");
    assert_eq!(given, serde_json::json!([{"id": "7", "n": "8"}]));
    assert_eq!(sales(&["--format", "json"], "[1]"), serde_json::json!([1]));
}

#[test]
fn the_feed_is_published_as_the_file_says() {
    let feed = configured(
        "expires_in = '1h'\nplain_copies = false\nfile_mode = '0640'\ndir_mode = 0o750\n[compression]\nbrotli = 'off'\n",
    );
    let large = format!("[{}0]", "1234567,".repeat(5000));
    feed.publish("performance", &large);
    assert!(!feed.path("performance.json").exists());
    assert!(feed.manifest()["datasets"]["performance"]["expires_at"].is_string());
    let siblings: Vec<String> = feed.names("objects").into_iter().filter(|name| !name.ends_with(".json")).collect();
    assert!(matches!(&siblings[..], [gz] if gz.ends_with(".gz")), "{siblings:?}");
    for (name, state) in tree(&feed.dir()) {
        let expected = if state.content.is_some() { 0o640 } else { 0o750 };
        assert!(name.starts_with(".lastgood") || state.mode & 0o7777 == expected, "{name}: {:o}", state.mode);
    }
    // Recovery, too, publishes with these modes.
    fs::remove_file(feed.path("last_update.txt")).unwrap();
    feed.run(&["recover"]).expect(0);
    assert_eq!(tree(&feed.dir())["last_update.txt"].mode & 0o777, 0o640);
    feed.run_with(&["publish", "performance", "--plain-copies", "--gzip", "off", "--expires-in", "2h"], "1").expect(0);
    assert_eq!(feed.read("performance.json"), b"1");
    feed.expect_clean();
}

#[test]
fn waiting_is_configured_for_every_command() {
    let feed = configured("lock_wait = '0s'\nstale_marker_after = '1h'\n");
    feed.publish("performance", "1");
    fs::write(feed.path(".lock"), "of a script").unwrap();
    for command in [&["publish", "performance"][..], &["recover"]] {
        let said = feed.run_with(command, "2").expect(4).says(&[".lock"]).stderr;
        let waited: u32 = said.split_once("waited ").unwrap().1.split_once(" ms").unwrap().0.parse().unwrap();
        assert!(waited < 30_000, "as long as without the file: {said}");
    }
    feed.run_with(&["publish", "performance", "--stale-marker-after", "0s"], "2").expect(0);
}

#[test]
fn a_strict_file_catches_mistyped_names() {
    let feed = configured("strict = true\n[datasets.performance]\n");
    feed.publish("performance", "1");
    let before = tree(&feed.dir());
    let error = feed.run_with(&["publish", "performnace", "--json"], "1").expect(2).json();
    assert_eq!(error["error"]["code"], "unlisted");
    assert!(error["error"]["message"].as_str().unwrap().contains("did you mean performance?"), "{error}");
    assert_eq!(tree(&feed.dir()), before);
}

#[test]
fn a_configured_schema_is_validated_and_published() {
    let feed = configured("[datasets.performance]\nschema = 'etc/p.json'\nschema_version = 3\n");
    fs::create_dir(feed.root().join("etc")).unwrap();
    feed.run_with(&["publish", "performance"], "[1]").expect(2).says(&["etc/p.json", "cannot read the schema"]);
    feed.input("etc/p.json", r#"{"type": "array"}"#);
    feed.input("other.json", r#"{"type": "object"}"#);
    feed.publish("performance", "[1]");
    assert_eq!(feed.manifest()["datasets"]["performance"]["schema"]["version"], 3);
    feed.run_with(&["publish", "performance"], "{}").expect(3);
    feed.run_with(&["publish", "performance", "--schema", "other.json"], "{}").expect(0);
    feed.publish("transactions", "{}");
    feed.expect_clean();
}

#[test]
fn another_file_can_be_named() {
    let feed = configured("dir = 'of-the-nearest'\n");
    fs::create_dir(feed.root().join("etc")).unwrap();
    feed.input("etc/option.toml", "dir = '../of-the-option'\n");
    feed.input("etc/variable.toml", "dir = '../of-the-variable'\n");
    let dir = |options: &[&str]| {
        let mut command = feed.command(&[&["publish", "a", "--json"], options].concat());
        command.env("LASTGOOD_CONFIG", "etc/variable.toml");
        Ran::of(command, b"1").expect(0).json()["dir"].as_str().unwrap().to_owned()
    };
    assert!(dir(&[]).ends_with("of-the-variable"));
    assert!(dir(&["--config", "etc/option.toml"]).ends_with("of-the-option"));
    assert!(dir(&["--dir", "elsewhere"]).ends_with("elsewhere"));
    feed.run(&["status", "--config", "missing.toml"]).expect(2).says(&["missing.toml", "named by --config"]);
}

#[test]
fn verbose_says_what_the_file_sets() {
    let feed = configured("lock_wait = '1s'\n[datasets.performance]\nmin_rows = 1\n");
    let said = feed.run_with(&["publish", "performance", "-v", "--lock-wait=2s", "--force"], "[1]").expect(0);
    said.says(&["lastgood.toml", "lock_wait", "datasets.performance.min_rows", "--lock-wait --force"]);
}

#[test]
fn a_mistake_stops_every_command_and_shows_its_place() {
    let feed = configured("dir = 'data'\n\n[datasets.performance]\nmin_row = 3\n");
    let place = "lastgood.toml: line 4, column 1: unknown key `min_row`; did you mean `min_rows`?";
    for command in ["status", "verify", "recover"] {
        feed.run(&[command]).expect(2).says(&[place]);
    }
    assert_eq!(feed.run(&["status", "--json"]).expect(2).json()["error"]["code"], "config-invalid");
}

#[test]
fn a_publish_collects_garbage_when_the_file_says_so() {
    let feed = configured("[retention]\nkeep = 2\ngrace = \"0s\"\n");
    for round in 0..5 {
        feed.publish("a", format!("[{round}]"));
    }
    assert_eq!(feed.names("history").len(), 5, "only when it is asked for");
    feed.run(&["gc"]).expect(0);
    assert_eq!(feed.names("history"), ["4.json", "5.json"], "as many as the file says");
    feed.input("lastgood.toml", "[retention]\nkeep = 1\ngrace = \"0s\"\nauto = true\n");
    feed.publish("a", "[5]");
    // And the one that the backup comes from.
    assert_eq!(feed.names("history"), ["5.json", "6.json"]);
    feed.expect_clean();
}
