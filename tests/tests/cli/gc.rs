//! `lastgood gc`

use std::fs;

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

fn published() -> TestFeed {
    let feed = TestFeed::new();
    for round in 1..=5 {
        feed.publish("performance", format!("[{round}]"));
    }
    feed
}

#[test]
fn within_the_grace_period_everything_stays() {
    let feed = published();
    let before = tree(&feed.dir());
    let report = feed.run(&["gc", "--keep", "1", "--json"]).expect(0).json();
    assert_eq!((&report["generations"], &report["objects"], &report["bytes"]), (&json!([]), &json!([]), &json!(0)));
    assert_eq!(tree(&feed.dir()), before);
}

#[test]
fn a_dry_run_foretells_what_goes() {
    let feed = published();
    fs::write(feed.path("objects/README"), "none of ours").unwrap();
    let before = tree(&feed.dir());
    let options = ["gc", "--keep", "2", "--grace", "0s"];
    let text = feed.run(&[&options[..], &["--dry-run"]].concat()).expect(0).text();
    for expected in ["would remove 3 generation(s) and 3 object(s)", "history/1.json", "objects/README"] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    let foretold = feed.run(&[&options[..], &["--dry-run", "--json"]].concat()).expect(0).json();
    assert_eq!(tree(&feed.dir()), before, "a dry run changes nothing");
    let done = feed.run(&[&options[..], &["--json"]].concat()).expect(0).json();
    assert_eq!((&done["dry_run"], &foretold["dry_run"]), (&json!(false), &json!(true)));
    for member in ["generation", "retained", "generations", "objects", "bytes", "unknown"] {
        assert_eq!(done[member], foretold[member], "{member}");
    }
    assert_eq!((&done["retained"], &done["generations"]), (&json!([4, 5]), &json!([1, 2, 3])));
    assert_eq!(feed.names("history"), ["4.json", "5.json"]);
    assert_eq!(feed.names("objects").len(), 3);
    feed.expect_clean();
    feed.run(&["cat", "performance", "--generation", "3"]).expect(1).says(&["not retained"]);
    feed.run(&["rollback", "performance", "--to", "3"]).expect(1).says(&["retained are: 4 to 5"]);
    feed.run(&["rollback", "performance"]).expect(0);
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "[4]");
    feed.expect_clean();
}

#[test]
fn a_damaged_generation_stops_it_with_the_way_out() {
    let feed = published();
    fs::write(feed.path("history/4.json"), "{}").unwrap();
    let before = tree(&feed.dir());
    for dry_run in [&[][..], &["--dry-run"]] {
        let ran = feed.run(&[&["gc", "--keep", "2", "--grace", "0s"], dry_run].concat()).expect(5);
        ran.says(&["history/4.json", "nothing is collected", "remove it"]);
        assert_eq!(tree(&feed.dir()), before);
    }
    fs::remove_file(feed.path("history/4.json")).unwrap();
    feed.run(&["gc", "--keep", "2", "--grace", "0s"]).expect(0);
    feed.expect_clean();
}

#[test]
fn without_a_feed_there_is_nothing_to_collect() {
    let feed = TestFeed::new();
    feed.run(&["gc"]).expect(1).says(&["no feed"]);
    assert!(!feed.dir().exists());
}
