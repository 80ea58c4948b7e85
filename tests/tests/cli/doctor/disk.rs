//! The file system, and what the doctor leaves on it: nothing.

use std::fs;

use lastgood_tests::tree;

use super::{doctor, me, published};

#[test]
fn a_healthy_feed_is_healthy_and_stays_as_it_is() {
    let feed = published();
    feed.publish("transactions", "[]");
    let before = tree(&feed.dir());
    for arguments in [&[][..], &["--as-user", &me()]] {
        let found = doctor(&feed, arguments);
        found.healthy();
        for check in ["free-space", "read-only", "same-filesystem", "mount-point", "lock", "staging", "manifest"] {
            assert!(!found.by(check).is_empty(), "{check} was not made");
        }
    }
    assert_eq!(tree(&feed.dir()), before);
    feed.expect_clean();
}

#[test]
fn the_text_shows_what_json_has() {
    let feed = published();
    fs::write(feed.path("performance.json"), "").unwrap();
    let text = feed.run(&["doctor"]).expect(1).text();
    assert!(text.contains("warning  derived"), "{text}");
    assert!(text.contains("> lastgood recover --dir "), "{text}");
    assert!(text.contains("0 error(s), 1 warning(s), 1 note(s), "), "{text}");
}

#[test]
fn sync_and_rename_are_tried_out_only_where_there_is_a_staging() {
    let feed = published();
    doctor(&feed, &[]).fine("durability");
    fs::remove_dir_all(feed.path(".lastgood")).unwrap();
    doctor(&feed, &[]).finds("durability", "note", &["not tried out"]);
    assert!(!feed.path(".lastgood").exists(), "the doctor makes nothing");
}

/// Memory is the one other file system that every Linux has.
#[test]
#[cfg(target_os = "linux")]
fn a_feed_in_memory_is_lost_on_a_reboot() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let feed = published();
    let dir = memory.path().join("data");
    let path = dir.to_str().unwrap();
    feed.run_with(&["publish", "performance", "--dir", path], "[1]").expect(0);
    doctor(&feed, &["--dir", path]).finds("filesystem", "warning", &["tmpfs", "lost on a reboot"]);
}

/// A part of the feed on another file system, by a link.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_leads_to_another_file_system_is_found() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let feed = published();
    super::copy(&feed.path("objects"), &memory.path().join("objects"));
    fs::remove_dir_all(feed.path("objects")).unwrap();
    std::os::unix::fs::symlink(memory.path().join("objects"), feed.path("objects")).unwrap();
    let found = doctor(&feed, &[]);
    found.finds("same-filesystem", "error", &["objects", "EXDEV"]);
    found.finds("links", "error", &["objects", "symbolic link"]);
}
