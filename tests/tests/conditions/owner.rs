//! Files that belong to another user.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary, tree};

/// The user who owns nothing.
const NOBODY: u32 = 65534;

fn as_nobody(feed: &TestFeed, arguments: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
    command.arg("--").arg(binary()).args(arguments).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    Ran::of(command, b"[9]")
}

fn published() -> TestFeed {
    let feed = TestFeed::new();
    fs::set_permissions(feed.root(), fs::Permissions::from_mode(0o755)).unwrap();
    feed.publish("a", "[1]");
    feed.publish("a", "[2]");
    feed
}

#[test]
fn a_feed_of_somebody_else() {
    let feed = published();
    let before = tree(&feed.dir());
    for command in [&["publish", "a"][..], &["rollback", "a"], &["gc"], &["recover"], &["verify", "--repair"]] {
        let ran = as_nobody(&feed, command).expect(1).says(&["Permission denied", "data/.lastgood"]);
        // Root's, and root need not publish for ever: never that.
        let ran = ran.says(&["the feed belongs to root, and this is nobody; as root, let nobody publish here: chown"]);
        assert!(!ran.stderr.contains("sudo"), "{}", ran.stderr);
    }
    as_nobody(&feed, &["publish", "a", "--dry-run"]).expect(1).says(&["Permission denied", "the feed belongs to root"]);
    // Reading takes no more rights than any visitor has.
    for command in [&["cat", "a"][..], &["status"], &["verify"]] {
        as_nobody(&feed, command).expect(0);
    }
    assert_eq!(tree(&feed.dir()), before);
}

/// A publisher with other rights has left its files: the next one names the file that it may not use.
#[test]
fn a_feed_that_root_has_published_into_once() {
    let feed = published();
    let everything = Command::new("chown").arg("-R").arg(NOBODY.to_string()).arg(feed.dir()).status().unwrap();
    assert!(everything.success());
    as_nobody(&feed, &["publish", "a"]).expect(0);
    // As root: files that are replaced now belong to root, in directories that do not.
    feed.publish("a", "[5]");
    as_nobody(&feed, &["publish", "a"]).expect(0);
    feed.expect_clean();
    chown(feed.path(".lastgood/lock"), Some(0), Some(0)).unwrap();
    let before = feed.read("manifest.json");
    as_nobody(&feed, &["publish", "a"]).expect(1).says(&["Permission denied", "data/.lastgood/lock"]);
    assert_eq!(feed.read("manifest.json"), before);
    feed.expect_clean();
    // What the message says, carried out by root.
    let said = as_nobody(&feed, &["publish", "a"]).expect(1).stderr;
    assert!(said.contains("chown -R --from=0 65534 "), "{said}");
    paste(&feed, said.split("let nobody publish here: ").nth(1).unwrap());
    as_nobody(&feed, &["publish", "a"]).expect(0);
    feed.expect_clean();
}

/// Carries out a command as it stands in a message.
fn paste(feed: &TestFeed, command: &str) {
    let done = Command::new("sh").args(["-ec", command]).current_dir(feed.root()).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// What the doctor says as root of what root has left, carried out.
#[test]
fn what_root_has_left_goes_back_as_the_doctor_says() {
    let feed = published();
    assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(feed.dir()).status().unwrap().success());
    let finding = |check: &str, severity: &str| {
        let report = feed.run(&["doctor", "--json"]).json();
        let findings = report["findings"].as_array().unwrap().clone();
        let found = findings.iter().find(|found| found["check"] == check && found["severity"] == severity);
        found.unwrap_or_else(|| panic!("{findings:#?}"))["remedy"].as_str().unwrap_or_default().to_owned()
    };
    // Root is told not to publish here.
    assert_eq!(finding("write-access", "note"), "publish as nobody: sudo -u nobody lastgood publish …");
    feed.publish("a", "[5]");
    chown(feed.path(".lastgood/lock"), Some(0), Some(0)).unwrap();
    as_nobody(&feed, &["publish", "a"]).expect(1);
    let remedy = finding("ownership", "warning");
    let mut lines = remedy.lines();
    paste(&feed, lines.next().unwrap());
    assert_eq!(lines.next(), Some("and publish as nobody: sudo -u nobody lastgood publish …"));
    as_nobody(&feed, &["publish", "a"]).expect(0);
    finding("ownership", "ok");
    feed.expect_clean();
}

/// Whoever was refused is told whose feed it is, and the commands that are named are commands.
#[test]
fn the_wrong_user_is_told_what_to_run() {
    // Root's.
    let feed = published();
    let said = as_nobody(&feed, &["publish", "a"]).expect(1).stderr;
    paste(&feed, said.split("let nobody publish here: ").nth(1).unwrap());
    as_nobody(&feed, &["publish", "a"]).expect(0);
    // Another user's, who has no name here.
    let feed = published();
    assert!(Command::new("chown").args(["-R", "42001:42001"]).arg(feed.dir()).status().unwrap().success());
    let ran = as_nobody(&feed, &["publish", "a"]).expect(1);
    let ran = ran.says(&["the feed belongs to user 42001, and this is nobody", "sudo -u '#42001' lastgood publish"]);
    assert!(!ran.stderr.contains("publish as root"), "{}", ran.stderr);
    // No feed, and no right to make one.
    let feed = TestFeed::new();
    fs::set_permissions(feed.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let said = as_nobody(&feed, &["publish", "a"]).expect(1).says(&["belongs to root, and this is nobody"]).stderr;
    paste(&feed, said.split("make the feed directory: ").nth(1).unwrap());
    as_nobody(&feed, &["publish", "a"]).expect(0);
    feed.expect_clean();
}
