//! Which directory is used, and whether another could be taken for it.

use std::fs;
use std::os::unix::fs::symlink;

use lastgood_tests::TestFeed;

use super::{Diagnosis, copy, doctor, paste, payload, published, set_mode};

#[test]
fn the_directory_that_is_used_is_named_with_the_reason() {
    let feed = published();
    let found = doctor(&feed, &[]);
    found.fine("directory");
    found.fine("split-brain");
    let remedy = found.finds("directory-origin", "note", &[feed.dir().to_str().unwrap(), "the default", "cron"]);
    assert!(remedy.contains("LASTGOOD_DIR="), "{remedy}");
    doctor(&feed, &["--dir", "data"]).fine("directory-origin");
    fs::write(feed.root().join("lastgood.toml"), "dir = 'data'\n").unwrap();
    let found = doctor(&feed, &[]);
    found.fine("directory-origin");
    found.healthy();
}

#[test]
fn a_directory_without_a_feed_is_told_apart_by_what_is_there() {
    let feed = TestFeed::new();
    set_mode(feed.root(), 0o755);
    let dir = feed.dir();
    let path = dir.to_str().unwrap();
    let remedy = doctor(&feed, &[]).finds("directory", "error", &[path, "is not there"]);
    assert!(remedy.contains("--dir") && remedy.contains("lastgood publish"), "{remedy}");
    assert!(!dir.exists(), "the doctor makes nothing");
    fs::create_dir(&dir).unwrap();
    doctor(&feed, &[]).finds("directory", "warning", &[path, "is empty"]);
    fs::write(dir.join("notes.txt"), "x").unwrap();
    let remedy = doctor(&feed, &[]).finds("directory", "error", &["1 other file"]);
    assert!(remedy.contains("--create"), "{remedy}");
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "x").unwrap();
    doctor(&feed, &[]).finds("directory", "error", &["is a file, not a directory"]);
    fs::remove_file(&dir).unwrap();
    symlink("shared/data", &dir).unwrap();
    let remedy = doctor(&feed, &[]).finds("directory", "error", &["is a symbolic link", "which is not there"]);
    paste(&feed, remedy.lines().next().unwrap());
    doctor(&feed, &[]).finds("directory", "warning", &["is empty"]);
}

/// The backend has LASTGOOD_DIR, the person at the keyboard has not.
#[test]
fn two_feeds_are_named_with_feed_generation_and_age() {
    let feed = published();
    let other = feed.root().join("other");
    feed.run_with(&["publish", "performance", "--dir", "other"], "[1]").expect(0);
    feed.run_with(&["publish", "performance", "--dir", "other"], "[2]").expect(0);
    let id = |dir: &str| {
        let report = feed.run(&["status", "--json", "--dir", dir]).json();
        report["feed"].as_str().unwrap()[..8].to_owned()
    };
    let mut command = feed.command(&["doctor", "--json", "--dir", "data"]);
    command.env("LASTGOOD_DIR", &other);
    let remedy = Diagnosis::of(command).finds(
        "split-brain",
        "warning",
        &[
            "two feeds of their own",
            &format!("used:  {} (from --dir) has feed {}…, generation 1, published", feed.dir().display(), id("data")),
            &format!(
                "other: {} (from LASTGOOD_DIR) has feed {}…, generation 2, published",
                other.display(),
                id("other")
            ),
            " ago",
        ],
    );
    assert!(remedy.contains("--url"), "{remedy}");
}

#[test]
fn an_old_copy_in_the_site_is_found_and_the_remedy_joins_the_two() {
    let feed = published();
    fs::create_dir(feed.root().join("public")).unwrap();
    copy(&feed.dir(), &feed.root().join("public/data"));
    doctor(&feed, &[]).finds("split-brain", "warning", &["a copy of the same generation", "public/data"]);
    feed.publish("performance", payload("second"));
    let found = doctor(&feed, &[]);
    let remedy = found.finds("split-brain", "warning", &["an old copy", "folder public/ of a site", "generation 2"]);
    let join = remedy.lines().nth(1).unwrap().split("too: ").nth(1).unwrap();
    paste(&feed, join);
    let found = doctor(&feed, &[]);
    found.fine("split-brain");
    let text = found.by("split-brain")[0]["found"].as_str().unwrap();
    assert!(text.contains("public/data") && text.contains("is the same directory"), "{text}");
}

#[test]
fn the_newer_one_of_two_copies_may_be_the_other() {
    let feed = published();
    copy(&feed.dir(), &feed.root().join("other"));
    feed.run_with(&["publish", "performance", "--dir", "other"], "[2]").expect(0);
    fs::write(feed.root().join("lastgood.toml"), "dir = 'other'\n").unwrap();
    let found = doctor(&feed, &["--dir", "data"]);
    found.finds("split-brain", "warning", &["the one that is used is an old copy", "lastgood.toml) has feed"]);
    // Published to on both sides.
    feed.run_with(&["publish", "performance", "--dir", "data"], payload("third")).expect(0);
    doctor(&feed, &["--dir", "data"]).finds("split-brain", "warning", &["both were published to since"]);
}

#[test]
fn plain_files_of_the_same_names_are_another_truth() {
    let feed = published();
    let other = feed.root().join("static/data");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("unrelated.json"), "1").unwrap();
    doctor(&feed, &[]).fine("split-brain");
    fs::write(other.join("performance.json"), "1").unwrap();
    doctor(&feed, &[]).finds("split-brain", "warning", &["plain files of the same names (performance.json)"]);
    let found = doctor(&feed, &["--dir", "static/data"]);
    found.finds("split-brain", "warning", &["plain files of the same names"]);
}

#[test]
fn a_configuration_further_up_names_another_directory() {
    let feed = published();
    let deep = feed.root().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    copy(&feed.dir(), &deep.join("near"));
    feed.publish("performance", payload("second"));
    fs::write(feed.root().join("lastgood.toml"), "dir = 'data'\n").unwrap();
    fs::write(deep.join("lastgood.toml"), "dir = 'near'\n").unwrap();
    let mut command = feed.command(&["doctor", "--json"]);
    command.current_dir(&deep);
    let above = format!("from {}", feed.root().join("lastgood.toml").display());
    Diagnosis::of(command).finds("split-brain", "warning", &[&above, feed.dir().to_str().unwrap(), "a/b/near"]);
    // One that leads nowhere is worth knowing.
    fs::write(feed.root().join("lastgood.toml"), "dir = 'nowhere'\n").unwrap();
    let mut command = feed.command(&["doctor", "--json"]);
    command.current_dir(&deep);
    Diagnosis::of(command).finds("split-brain", "note", &["nowhere", "is not there"]);
}

#[test]
fn looking_in_the_wrong_place_names_the_right_one() {
    let feed = published();
    let found = doctor(&feed, &["--dir", "dta"]);
    found.finds("directory", "error", &["dta", "is not there"]);
    found.finds("split-brain", "warning", &["the feed is in the other one", feed.dir().to_str().unwrap()]);
}

#[test]
fn a_link_to_the_same_directory_is_no_other() {
    let feed = published();
    symlink(feed.dir(), feed.root().join("linked")).unwrap();
    let mut command = feed.command(&["doctor", "--json", "--dir", "linked"]);
    command.env("LASTGOOD_DIR", feed.dir());
    Diagnosis::of(command).fine("split-brain");
}

#[test]
fn two_feeds_of_which_one_is_damaged_differ() {
    let feed = published();
    fs::create_dir(feed.root().join("www")).unwrap();
    copy(&feed.dir(), &feed.root().join("www/data"));
    fs::write(feed.path("manifest.json"), "{}").unwrap();
    doctor(&feed, &[]).finds("split-brain", "warning", &["one of them cannot be read"]);
}
