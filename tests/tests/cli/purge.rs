//! `lastgood purge`

use std::fs;

use lastgood_protocol::digest::Sha256;
use lastgood_tests::{Ran, TestFeed, tree};
use serde_json::Value;

const SECRET: &str = "4111";

/// Large enough for compressed siblings.
fn cards(round: usize) -> String {
    format!("[{}]", vec![format!("{{\"round\":{round},\"card\":\"{SECRET}\"}}"); 60].join(","))
}

/// The files of the feed, the private ones too, that have a payload in any form.
fn holding(feed: &TestFeed, payload: &str) -> Vec<String> {
    let digest = Sha256::of(payload.as_bytes()).to_string();
    let has = |content: &Option<Vec<u8>>| content.as_ref().is_some_and(|bytes| bytes == payload.as_bytes());
    let files = tree(&feed.dir()).into_iter();
    files.filter(|(name, state)| name.contains(&digest) || has(&state.content)).map(|(name, _)| name).collect()
}

/// A payload that nobody may have in generation 2, after it a clean one, and the same in another dataset's backup.
fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("tx", "[1]");
    feed.publish("tx", cards(2));
    feed.publish("copy", cards(2));
    feed.publish("tx", "[3]");
    feed.publish("copy", "[4]");
    assert_eq!(
        holding(&feed, &cards(2)).len(),
        5,
        "object, two siblings, two backups: {:?}",
        holding(&feed, &cards(2))
    );
    feed
}

#[test]
fn it_is_gone_wherever_it_was_and_nothing_misses_it() {
    let feed = published();
    let report = feed.run(&["purge", "tx", "--generation", "2", "--json"]).expect(0).json();
    assert_eq!((&report["generation"], report["removed"].as_array().unwrap().len()), (&6.into(), 5));
    assert_eq!(report["purged"], serde_json::json!([Sha256::of(cards(2).as_bytes()).to_string()]));
    assert_eq!(holding(&feed, &cards(2)), [""; 0]);
    feed.expect_clean();
    feed.run(&["verify", "--repair"]).expect(0);
    feed.run(&["recover"]).expect(0);
    assert!(!feed.path("tx_backup.json").exists() && !feed.path("copy_backup.json").exists());
    for (dataset, payload) in [("tx", "[3]"), ("copy", "[4]")] {
        assert_eq!(feed.run(&["cat", dataset]).expect(0).text(), payload);
    }
    feed.run(&["rollback", "tx"]).expect(1).says(&["generation 3 was purged at", "cannot come back"]);
    feed.run(&["rollback", "tx", "--to", "2"]).expect(1).says(&["generation 2 was purged at"]);
    let error = feed.run(&["cat", "tx", "--generation", "2", "--json"]).expect(1).says(&["was purged at"]).json();
    assert_eq!(error["error"]["code"], "not-found");
    let history = feed.run(&["history", "tx", "--json"]).expect(0).json();
    assert!(history["commits"][1]["datasets"][0]["purged_at"].is_string(), "{history}");
    feed.run(&["rollback", "tx", "--to", "1"]).expect(0);
    feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
    feed.expect_clean();
}

#[test]
fn what_is_published_is_refused_with_what_to_do_first() {
    let feed = published();
    let before = tree(&feed.dir());
    let refused = |arguments: &[&str], code: i32, said: &[&str], stable: &str| {
        let ran = feed.run(&[&["purge", "--json"], arguments].concat()).expect(code).says(said);
        assert_eq!(ran.json()["error"]["code"], stable, "{arguments:?}");
        assert_eq!(tree(&feed.dir()), before);
    };
    let remedies = ["lastgood publish tx", "lastgood rollback tx", "lastgood remove tx"];
    refused(&["tx", "--generation", "4"], 1, &remedies, "published");
    refused(&["tx", "--generation", "5"], 1, &["is what is published"], "published");
    // By whatever name it is published.
    refused(&["tx", "--sha256", &Sha256::of(b"[4]").to_string()], 1, &["as copy of generation 5"], "published");
    refused(&["tx", "--generation", "9"], 1, &["not retained", "1 to 5", "--sha256"], "not-retained");
    refused(&["copy", "--generation", "1"], 1, &["generation 1 did not have it"], "not-in-generation");
    refused(&["tx", "--all-before", "6"], 1, &["generation 6 is not published yet"], "not-yet");
    refused(&["txx", "--generation", "1"], 2, &["did you mean \"tx\"?"], "not-found");
    refused(&["txx", "--sha256", &"0".repeat(64)], 2, &["no dataset \"txx\""], "not-found");
    for arguments in [&["tx"][..], &["tx", "--generation", "1", "--all-before", "2"], &["tx", "--sha256", "abc"]] {
        feed.run(&[&["purge"], arguments].concat()).expect(2);
    }
    TestFeed::new().run(&["purge", "a", "--generation", "1"]).expect(1).says(&["there is no feed"]);
    // One of the remedies.
    feed.run(&["remove", "tx"]).expect(0);
    feed.run(&["purge", "tx", "--generation", "4"]).expect(0);
    assert_eq!(holding(&feed, "[3]"), [""; 0]);
    feed.expect_clean();
}

#[test]
fn all_before_a_generation_goes_but_what_it_has_had_since() {
    let feed = TestFeed::new();
    for payload in ["[1]", "[2]", "[3]", "[1]", "[5]"] {
        feed.publish("tx", payload);
    }
    feed.publish("other", "[2]");
    feed.run(&["purge", "tx", "--all-before", "4"]).expect(1).says(&["as other of generation 6"]);
    feed.publish("other", "[6]");
    let report = feed.run(&["purge", "tx", "--all-before", "4", "--json"]).expect(0).json();
    assert_eq!(report["purged"].as_array().unwrap().len(), 2);
    for (payload, gone) in [("[1]", false), ("[2]", true), ("[3]", true), ("[5]", false), ("[6]", false)] {
        assert_eq!(holding(&feed, payload).is_empty(), gone, "{payload}");
    }
    feed.expect_clean();
    let generation = feed.manifest()["generation"].clone();
    let again = feed.run(&["purge", "tx", "--all-before", "4"]).expect(0).text();
    assert!(again.contains("has said before"), "{again}");
    let nothing = feed.run(&["purge", "tx", "--all-before", "1"]).expect(0).text();
    assert!(nothing.contains("nothing to be purged"), "{nothing}");
    assert_eq!(feed.manifest()["generation"], generation, "no generation for what was said before");
}

#[test]
fn a_digest_that_nothing_has_is_noted_for_readers_with_a_warning() {
    let feed = published();
    let digest = Sha256::of(b"collected long ago").to_string();
    feed.run(&["purge", "tx", "--sha256", &digest]).expect(0).says(&["no file of the feed had this SHA-256"]);
    assert!(feed.manifest()["purged"][&digest].is_string());
    feed.run(&["purge", "tx", "--sha256", &Sha256::of(cards(2).as_bytes()).to_string()]).expect(0);
    assert_eq!(holding(&feed, &cards(2)), [""; 0]);
    // It is handed on by whatever is published.
    feed.publish("other", "[1]");
    feed.run(&["recover", "--new-feed"]).expect(0);
    assert_eq!(feed.manifest()["purged"].as_object().unwrap().len(), 2);
}

#[test]
fn the_same_bytes_can_be_published_again() {
    let feed = published();
    feed.run(&["purge", "tx", "--generation", "2"]).expect(0);
    feed.publish("tx", cards(2)).says(&["tx: these bytes were purged at", "published again"]);
    assert!(feed.manifest().get("purged").is_none());
    assert_eq!(feed.run(&["cat", "tx"]).expect(0).text(), cards(2));
    assert_eq!(feed.run(&["cat", "tx", "--generation", "2"]).expect(0).text(), cards(2), "it is there again");
    feed.expect_clean();
    assert_eq!(feed.publish("tx", "[9]").stderr, "");
    feed.expect_clean();
}

#[test]
fn what_comes_back_is_found_and_removed() {
    let feed = published();
    let object = format!("objects/{}.json", Sha256::of(cards(2).as_bytes()));
    feed.run(&["purge", "tx", "--generation", "2"]).expect(0);
    let restore = || {
        fs::write(feed.path(&object), cards(2)).unwrap();
        fs::write(feed.path("tx_backup.json"), cards(2)).unwrap();
    };
    restore();
    let said = feed.run(&["verify"]).expect(5).text();
    assert!(
        said.contains(&format!("{object} was purged and is there all the same; `lastgood recover` removes it")),
        "{said}"
    );
    assert!(said.contains("tx_backup.json was purged"), "{said}");
    let said = feed.run(&["recover"]).expect(0).text();
    assert!(said.contains(&format!("removed {object}, which was purged")), "{said}");
    assert_eq!(holding(&feed, &cards(2)), [""; 0]);
    feed.expect_clean();
    for remedy in [&["verify", "--repair"][..], &["purge", "tx", "--generation", "2"]] {
        restore();
        feed.run(remedy).expect(0);
        assert_eq!(holding(&feed, &cards(2)), [""; 0], "{remedy:?}");
        feed.expect_clean();
    }
    fs::write(feed.path(&object), cards(2)).unwrap();
    feed.run(&["gc"]).expect(0);
    assert!(!feed.path(&object).exists(), "gc does, however young it is");
}

#[test]
fn what_cannot_be_removed_is_named_and_is_no_success() {
    let feed = published();
    let object = format!("objects/{}.json", Sha256::of(cards(2).as_bytes()));
    fs::remove_file(feed.path(&object)).unwrap();
    fs::create_dir_all(feed.path(&object).join("full")).unwrap();
    let ran = feed.run(&["purge", "tx", "--generation", "2", "--json"]).expect(1);
    assert!(ran.stderr.contains(&format!("not everything is gone: {object} is still there")), "{}", ran.stderr);
    assert_eq!(ran.json()["left"].as_array().unwrap().len(), 1);
    fs::remove_dir_all(feed.path(&object)).unwrap();
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
}

#[test]
fn the_operation_log_says_who_and_not_what() {
    let feed = published();
    let mut command = feed.command(&["purge", "tx", "--generation", "2"]);
    command.env("LASTGOOD_WHO", "ticket 8841");
    Ran::of(command, b"").expect(0);
    let log = String::from_utf8(feed.read(".lastgood/operations.jsonl")).unwrap();
    let line = log.lines().last().unwrap();
    let record: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&record["operation"], &record["outcome"]), (&"purge".into(), &"done".into()));
    assert_eq!((&record["who"]["user"], &record["generation"]), (&"ticket 8841".into(), &6.into()));
    assert_eq!(record["datasets"], serde_json::json!([{"dataset": "tx"}]));
    assert!(!line.contains(&Sha256::of(cards(2).as_bytes()).to_string()), "{line}");
}

/// What is damaged may go back to what it was, but not to what was purged.
#[test]
fn the_way_back_leads_past_what_was_purged() {
    let feed = TestFeed::new();
    for payload in ["[1]", "[22]", "[333]"] {
        feed.publish("tx", payload);
    }
    feed.run(&["purge", "tx", "--generation", "2"]).expect(0);
    for path in [&format!("objects/{}.json", Sha256::of(b"[333]")), "tx.json"] {
        fs::write(feed.path(path), "[0]").unwrap();
    }
    let said = feed.run(&["verify"]).expect(5).text();
    assert!(said.contains("`lastgood rollback tx --to 1`"), "{said}");
    feed.run(&["rollback", "tx", "--to", "1"]).expect(0);
    assert_eq!(feed.run(&["cat", "tx"]).expect(0).text(), "[1]");
}
