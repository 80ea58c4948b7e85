//! Locks: exit code 4, the holder named, the feed untouched.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use lastgood::storage::{Modes, PosixStorage, Storage};
use lastgood_tests::{TestFeed, tree};

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    feed
}

#[test]
fn another_publisher_is_waited_for_and_named() {
    let feed = published();
    let storage = PosixStorage::new(feed.dir(), Modes::default());
    let held = storage.try_lock(r#"{"host":"build-7","pid":4242,"token":"x"}"#).unwrap().expect("the lock is free");
    let before = tree(&feed.dir());
    let publish = ["publish", "performance", "--lock-wait", "20ms"];
    feed.run_with(&publish, "2").expect(4).says(&["process 4242 on build-7", "--lock-wait"]);
    feed.run(&["status"]).expect(0);
    let text = feed.run(&["status"]).expect(0).text();
    assert!(text.contains("held by process 4242 on build-7"), "{text}");
    assert_eq!(tree(&feed.dir()), before);
    // Readers need no lock.
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "1");
    drop(held);
    feed.run_with(&publish, "2").expect(0);
    feed.expect_clean();
}

#[test]
fn the_marker_of_an_older_script_is_respected_until_it_is_old() {
    let feed = published();
    let marker = feed.path(".performance_lock");
    fs::write(&marker, "locked by update.py").unwrap();
    let written = SystemTime::now() - Duration::from_secs(3 * 3600);
    File::options().write(true).open(&marker).unwrap().set_modified(written).unwrap();
    let before = tree(&feed.dir());
    let publish = |stale_after: &str| {
        let options = ["publish", "performance", "--lock-wait", "0s", "--stale-marker-after", stale_after];
        feed.run_with(&options, "2")
    };
    feed.run_with(&["publish", "performance", "--lock-wait", "0s"], "2").expect(4).says(&[
        ".performance_lock",
        "1080",
        "--stale-marker-after",
    ]);
    publish("4h").expect(4);
    assert_eq!(tree(&feed.dir()), before);
    let status = feed.run(&["status"]).expect(0).text();
    assert!(status.contains(".performance_lock") && status.contains("3 hours"), "{status}");
    // It concerns its own dataset only.
    feed.publish("transactions", "1");
    assert_eq!(fs::read(&marker).unwrap(), b"locked by update.py");
    publish("2h").expect(0);
    feed.expect_clean();
}

#[test]
fn a_directory_as_a_marker_is_respected_too() {
    let feed = published();
    fs::create_dir(feed.path(".performance_lock")).unwrap();
    feed.run_with(&["publish", "performance", "--lock-wait", "0s"], "2").expect(4).says(&[".performance_lock"]);
    fs::remove_dir(feed.path(".performance_lock")).unwrap();
    feed.publish("performance", "2");
}
