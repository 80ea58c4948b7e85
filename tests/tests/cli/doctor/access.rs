//! Permissions as others meet them.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use lastgood_tests::{TestFeed, binary, tree};
use rustix::process::geteuid;

use super::{Diagnosis, copy, doctor, me, paste, published, set_mode};

/// The first line of a remedy: the command itself.
fn command_of(remedy: &str) -> &str {
    remedy.lines().next().unwrap()
}

#[test]
fn a_closed_directory_on_the_way_is_named() {
    let feed = TestFeed::new();
    set_mode(feed.root(), 0o755);
    let home = feed.root().join("home of alice");
    fs::create_dir(&home).unwrap();
    feed.run_with(&["publish", "performance", "--dir", "home of alice/data"], "[1]").expect(0);
    let arguments = ["--dir", "home of alice/data"];
    doctor(&feed, &arguments).fine("path-access");
    set_mode(&home, 0o700);
    let found = doctor(&feed, &arguments);
    let remedy = found.finds("path-access", "warning", &[home.to_str().unwrap(), "mode 0700", "403"]);
    assert!(remedy.contains("--as-user"), "{remedy}");
    // Certain where the user is known; the owner gets in.
    doctor(&feed, &[&arguments[..], &["--as-user", "daemon"]].concat()).finds("path-access", "error", &["user daemon"]);
    doctor(&feed, &[&arguments[..], &["--as-user", &me()]].concat()).fine("path-access");
    paste(&feed, command_of(&remedy));
    doctor(&feed, &arguments).fine("path-access");
}

#[test]
fn the_way_that_a_link_leads_is_looked_at_too() {
    let feed = published();
    let hidden = feed.root().join("hidden");
    fs::create_dir(&hidden).unwrap();
    fs::rename(feed.dir(), hidden.join("data")).unwrap();
    std::os::unix::fs::symlink(hidden.join("data"), feed.dir()).unwrap();
    doctor(&feed, &[]).fine("path-access");
    set_mode(&hidden, 0o711);
    doctor(&feed, &[]).fine("path-access");
    set_mode(&hidden, 0o710);
    doctor(&feed, &[]).finds("path-access", "warning", &[hidden.to_str().unwrap()]);
}

#[test]
fn files_that_others_cannot_read_are_named_and_the_remedy_opens_just_them() {
    let feed = published();
    feed.publish("performance", "[2]");
    doctor(&feed, &[]).fine("file-access");
    set_mode(&feed.path("manifest.json"), 0o600);
    set_mode(&feed.path("history"), 0o700);
    fs::write(feed.path(".htpasswd"), "not published").unwrap();
    set_mode(&feed.path(".htpasswd"), 0o600);
    let found = doctor(&feed, &[]);
    let remedy = found.finds("file-access", "warning", &["2 files or directories", "manifest.json", "history/"]);
    doctor(&feed, &["--as-user", "daemon"]).finds("file-access", "error", &["user daemon", "403"]);
    let private = |feed: &TestFeed| {
        let mut tree = tree(&feed.dir());
        tree.retain(|path, _| path.starts_with(".lastgood"));
        tree
    };
    let before = private(&feed);
    fs::create_dir(feed.path("theirs")).unwrap();
    fs::write(feed.path("theirs/secret.json"), "not published").unwrap();
    set_mode(&feed.path("theirs"), 0o700);
    set_mode(&feed.path("theirs/secret.json"), 0o600);
    let beside = || {
        let tree = tree(&feed.dir());
        [".htpasswd", "theirs", "theirs/secret.json"].map(|name| tree[name].mode & 0o777)
    };
    paste(&feed, command_of(&remedy));
    doctor(&feed, &[]).fine("file-access");
    assert_eq!(private(&feed), before, "what is private stays private");
    assert_eq!(beside(), [0o600, 0o700, 0o600], "what is no part of the feed is left alone");
}

#[test]
fn an_unknown_user_is_a_mistake_on_the_command_line() {
    let feed = published();
    feed.run(&["doctor", "--as-user", "www-dtaa"]).expect(2).says(&["www-dtaa", "no user"]);
}

/// Runs the doctor as somebody who is not root, from a place that everybody can reach.
fn doctor_as(feed: &TestFeed, uid: u32) -> Diagnosis {
    let program = feed.root().join("lastgood");
    if !program.exists() {
        // By another process: while this one has it open for writing, a fork of another test keeps it from being run.
        copy(binary(), &program);
        set_mode(&program, 0o755);
    }
    let mut command = Command::new(program);
    command.args(["doctor", "--json", "--dir", "data"]).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    if geteuid().is_root() {
        command.uid(uid).gid(uid);
    }
    Diagnosis::of(command)
}

const NOBODY: u32 = 65534;

#[test]
fn one_who_is_not_the_publisher_is_told_what_can_be_seen() {
    let feed = published();
    // Root's own feed is another user's to nobody; whoever else runs the tests shuts out everybody.
    if !geteuid().is_root() {
        set_mode(&feed.path(".lastgood"), 0o000);
    }
    let found = doctor_as(&feed, NOBODY);
    found.finds("lock", "note", &["cannot be looked at"]);
    found.finds("staging", "note", &["cannot be looked at"]);
    found.finds("durability", "note", &["not tried out"]);
    found.fine("manifest");
    found.fine("objects");
    set_mode(&feed.path(".lastgood"), 0o700);
}

#[test]
fn an_owner_without_the_right_to_write_cannot_publish() {
    let feed = published();
    if geteuid().is_root() {
        paste(&feed, "chown -R 65534:65534 data");
    }
    doctor_as(&feed, NOBODY).fine("write-access");
    for dir in ["", "objects", "history"] {
        set_mode(&feed.path(dir), 0o555);
    }
    let found = doctor_as(&feed, NOBODY);
    let remedy = found.finds("write-access", "error", &["cannot publish here", "mode 0555"]);
    paste(&feed, command_of(&remedy));
    doctor_as(&feed, NOBODY).fine("write-access");
}
