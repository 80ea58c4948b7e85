//! Mounts and links where the feed is: another file system under staging, a manifest that is a mount point, a feed that
//! becomes read-only, file systems of other kinds.

use std::fs;
use std::os::unix::fs::symlink;

use lastgood_tests::{Ran, TestFeed, tree};

use crate::mount::{Mount, run};
use crate::scenario::{generation, visible};

const PUBLISH: [&str; 4] = ["publish", "a=a.in", "b=b.in", "--json"];

fn inputs(feed: &TestFeed, round: u64) {
    for dataset in ["a", "b"] {
        feed.input(&format!("{dataset}.in"), format!("[\"{dataset}\",{round}]"));
    }
}

fn publish(feed: &TestFeed, rounds: std::ops::RangeInclusive<u64>) {
    for round in rounds {
        inputs(feed, round);
        feed.run(&PUBLISH).expect(0);
    }
}

fn published() -> TestFeed {
    let feed = TestFeed::new();
    publish(&feed, 1..=3);
    inputs(&feed, 4);
    feed
}

/// Every command that would change something is refused with these words, and nothing has changed.
#[track_caller]
fn refused(feed: &TestFeed, words: &[&str]) {
    let before = visible(feed);
    for command in [&PUBLISH[..], &["rollback", "a", "b"]] {
        feed.run(command).expect(1).says(words);
        assert!(visible(feed) == before, "{command:?} has changed something");
        let markers: Vec<String> = feed.names("").into_iter().filter(|name| name.ends_with("lock")).collect();
        assert_eq!((markers, feed.names(".lastgood/staging")), (vec![], vec![]), "{command:?} has left something");
    }
    feed.run(&["verify"]).expect(0);
}

#[test]
fn staging_on_another_file_system() {
    const WORDS: [&str; 2] = ["another file system", "keep the whole feed directory on one"];
    for inner in [".lastgood", ".lastgood/staging"] {
        let feed = published();
        // A mount.
        let mount = Mount::tmpfs(&feed.path(inner), "size=4m");
        fs::create_dir_all(feed.path(".lastgood/staging")).unwrap();
        refused(&feed, &WORDS);
        drop(mount);
        feed.run(&PUBLISH).expect(0);
        feed.expect_clean();
        // A link.
        let feed = published();
        let elsewhere = feed.root().join("elsewhere");
        let _mount = Mount::tmpfs(&elsewhere, "size=4m");
        fs::create_dir(elsewhere.join("staging")).unwrap();
        fs::remove_dir_all(feed.path(inner)).unwrap();
        symlink(if inner == ".lastgood" { elsewhere } else { elsewhere.join("staging") }, feed.path(inner)).unwrap();
        refused(&feed, &["it is a symbolic link", "put the directory itself there"]);
        fs::remove_file(feed.path(inner)).unwrap();
        feed.run(&PUBLISH).expect(0);
        feed.expect_clean();
    }
}

/// As when single files are mounted into a container.
#[test]
fn a_manifest_that_is_a_mount_point() {
    let feed = published();
    let file = feed.root().join("manifest");
    fs::copy(feed.path("manifest.json"), &file).unwrap();
    let mount = Mount::bind(&file, &feed.path("manifest.json"));
    refused(&feed, &["mount point", "mount the whole feed directory"]);
    drop(mount);
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}

/// The same for a derived file: the commit holds, and a warning names it.
#[test]
fn a_plain_copy_that_is_a_mount_point() {
    let feed = published();
    let file = feed.root().join("copy");
    fs::copy(feed.path("a.json"), &file).unwrap();
    let mount = Mount::bind(&file, &feed.path("a.json"));
    let report = feed.run(&PUBLISH).expect(0).says(&["a.json was not updated", "mount point"]).json();
    assert_eq!(report["generation"], 4);
    assert_eq!(feed.run(&["cat", "a"]).expect(0).text(), r#"["a",4]"#);
    drop(mount);
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
}

#[test]
fn a_feed_that_is_read_only() {
    let feed = TestFeed::new();
    let mount = Mount::tmpfs(&feed.dir(), "size=4m");
    publish(&feed, 1..=3);
    inputs(&feed, 4);
    mount.remount("ro");
    let before = tree(&feed.dir());
    for command in [&PUBLISH[..], &["rollback", "a", "b"], &["gc"], &["lock", "a", "--", "true"]] {
        feed.run(command).expect(1).says(&["Read-only file system", "mount it for writing"]);
    }
    for command in [&["verify"][..], &["status"], &["cat", "a"], &["history"], &["gc", "--dry-run"]] {
        feed.run(command).expect(0);
    }
    assert_eq!(tree(&feed.dir()), before);
    mount.remount("rw");
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}

/// The first line of a remedy of the doctor's, carried out.
#[track_caller]
fn paste_remedy(feed: &TestFeed, check: &str) {
    let report = feed.run(&["doctor", "--json"]).expect(1).json();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| found["check"] == check && found["severity"] == "error").unwrap();
    let command = found["remedy"].as_str().unwrap().lines().next().unwrap();
    let done = std::process::Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// What the doctor says of mounts is what ends their harm.
#[test]
fn the_doctors_remedies_for_mounts_mend_them() {
    let feed = TestFeed::new();
    let mount = Mount::tmpfs(&feed.dir(), "size=4m");
    publish(&feed, 1..=2);
    mount.remount("ro");
    paste_remedy(&feed, "read-only");
    publish(&feed, 3..=3);
    drop(mount);
    let feed = published();
    let file = feed.root().join("manifest");
    fs::copy(feed.path("manifest.json"), &file).unwrap();
    let mount = Mount::bind(&file, &feed.path("manifest.json"));
    feed.run(&PUBLISH).expect(1);
    paste_remedy(&feed, "mount-point");
    feed.run(&PUBLISH).expect(0);
    // It is unmounted already.
    std::mem::forget(mount);
    feed.expect_clean();
}

/// It becomes read-only and writable again while publishers are at work: each says truly what it has done.
#[test]
fn a_feed_that_becomes_read_only_again_and_again() {
    let feed = TestFeed::new();
    let mount = Mount::tmpfs(&feed.dir(), "size=8m");
    publish(&feed, 1..=3);
    let (mut done, mut failed) = (0, 0);
    for round in 4..=60_u64 {
        inputs(&feed, round);
        let before = generation(&feed);
        let publisher = feed.spawn(&PUBLISH);
        std::thread::sleep(std::time::Duration::from_micros(round * 150));
        // Refused while a file is open for writing; that is asked for again.
        let read_only = (0..200).any(|_| {
            let mut mount = std::process::Command::new("mount");
            mount.args(["-o", "remount,ro"]).arg(feed.dir()).stderr(std::process::Stdio::null());
            mount.status().unwrap().success()
        });
        assert!(read_only);
        let ran = Ran::end_of(publisher);
        let made = generation(&feed) - before;
        match ran.code {
            Some(0) => assert_eq!(made, 1, "{}", ran.stderr),
            Some(1) => assert_eq!(made, 0, "{}", ran.stderr),
            Some(6) => assert!(made <= 1),
            other => panic!("{other:?}: {}", ran.stderr),
        }
        if ran.code == Some(0) {
            done += 1
        } else {
            failed += 1
        }
        mount.remount("rw");
        feed.run(&["recover"]).expect(0);
        feed.expect_clean();
    }
    assert!(done > 0 && failed > 0, "{done} were done, {failed} failed");
}

#[test]
fn other_file_systems() {
    let layers = tempfile::tempdir().unwrap();
    let memory = Mount::tmpfs(layers.path(), "size=16m");
    let feed = TestFeed::new();
    let mounts: [&dyn Fn() -> Mount; 4] = [
        &|| Mount::overlay(&feed.dir(), layers.path()),
        &|| Mount::tmpfs(&feed.dir(), "size=16m"),
        &|| Mount::ext4(&feed.dir(), 16),
        &|| Mount::btrfs(&feed.dir(), 32),
    ];
    for mount in mounts {
        let mount = mount();
        publish(&feed, 1..=5);
        feed.run(&["rollback", "a", "b"]).expect(0);
        feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
        feed.run(&["lock", "a", "--", "true"]).expect(0);
        feed.expect_clean();
        drop(mount);
    }
    drop(memory);
}

/// A quota that the feed may not go beyond, although the disk has room.
#[test]
fn a_quota_that_is_used_up() {
    let feed = TestFeed::new();
    let disk = feed.root().join("disk");
    let _mount = Mount::btrfs(&disk, 64);
    let btrfs = |arguments: &[&str]| run(std::process::Command::new("btrfs").args(arguments).current_dir(&disk));
    btrfs(&["subvolume", "create", "feed"]);
    btrfs(&["quota", "enable", "."]);
    symlink(disk.join("feed"), feed.dir()).unwrap();
    publish(&feed, 1..=3);
    inputs(&feed, 4);
    let mut refusals = 0;
    for kib in (64..4096).step_by(64) {
        let before = visible(&feed);
        // As it is, the quota may not let even itself be changed.
        btrfs(&["quota", "disable", "."]);
        btrfs(&["quota", "enable", "."]);
        run(std::process::Command::new("sync").arg("-f").arg(&disk));
        btrfs(&["qgroup", "limit", &format!("{kib}k"), "feed"]);
        let ran = feed.run(&PUBLISH);
        if ran.code == Some(0) {
            break;
        }
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains("uota exceeded") && ran.stderr.contains("raise the quota"), "{}", ran.stderr);
        assert!(visible(&feed) == before);
        refusals += 1;
    }
    assert!(refusals > 0 && generation(&feed) == 4, "{refusals} refusals");
    btrfs(&["quota", "disable", "."]);
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}
