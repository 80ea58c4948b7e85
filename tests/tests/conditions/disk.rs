//! A disk that is full, with every amount of room from none upwards, in bytes and in inodes: nothing changes or everything
//! does, nothing is left behind, and what frees room works without any.

use std::fs::{self, File};
use std::io::Write;

use lastgood_tests::{Ran, TestFeed};

use crate::mount::Mount;
use crate::scenario::{generation, visible};

const PAGE: u64 = 4096;

/// A feed with a history, on a file system of its own.
struct Disk {
    // Dropped in this order.
    _mount: Mount,
    feed: TestFeed,
}

#[derive(Debug, Clone, Copy)]
enum Medium {
    Memory,
    Ext4,
}

/// Several pages, another one for each round, that cannot be compressed to nothing.
fn payload(dataset: &str, round: u64) -> String {
    let mut random = fastrand::Rng::with_seed(round);
    let numbers: Vec<String> = (0..1500).map(|_| random.u32(..).to_string()).collect();
    format!("[\"{dataset}\",{}]", numbers.join(","))
}

const PUBLISH: [&str; 4] = ["publish", "a=a.in", "b=b.in", "--json"];
const GC: [&str; 6] = ["gc", "--keep", "1", "--grace", "0s", "--json"];

fn inputs(feed: &TestFeed, round: u64) {
    for dataset in ["a", "b"] {
        feed.input(&format!("{dataset}.in"), payload(dataset, round));
    }
}

impl Disk {
    fn new(medium: Medium) -> Self {
        let feed = TestFeed::new();
        let mount = match medium {
            Medium::Memory => Mount::tmpfs(&feed.dir(), "size=2m"),
            Medium::Ext4 => Mount::ext4(&feed.dir(), 4),
        };
        Self::published(feed, mount)
    }

    fn published(feed: TestFeed, mount: Mount) -> Self {
        for round in 1..=5 {
            inputs(&feed, round);
            feed.run(&PUBLISH).expect(0);
        }
        inputs(&feed, 9);
        Self { _mount: mount, feed }
    }

    /// Leaves room for so many pages.
    fn fill(&self, pages: u64) {
        let path = self.feed.path("filler");
        // Anew: what was freed in between is to be filled as well.
        let _ = fs::remove_file(&path);
        let mut filler = File::create(&path).unwrap();
        let mut size = 0;
        for chunk in [PAGE as usize, 512] {
            while let Ok(written @ 1..) = filler.write(&[0xa5; PAGE as usize][..chunk]) {
                size += written as u64;
            }
            // What has only been promised so far may turn out not to be there.
            let _ = filler.sync_all();
        }
        filler.set_len(size.saturating_sub(pages * PAGE)).unwrap();
        filler.sync_all().unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.feed.path("filler")).unwrap();
    }
}

/// It failed for want of room, said so, and changed nothing that is published.
#[track_caller]
fn expect_full(feed: &TestFeed, ran: &Ran, before: &std::collections::BTreeMap<String, Vec<u8>>, context: &str) {
    assert_eq!(ran.code, Some(1), "{context}: {}", ran.stderr);
    for said in ["No space left on device", &*feed.dir().display().to_string(), "lastgood gc"] {
        assert!(ran.stderr.contains(said), "{context}: expected {said:?} in {}", ran.stderr);
    }
    assert!(visible(feed) == *before, "{context}: what is published has changed");
    feed.expect_clean();
}

/// With more and more room the command fails until it works; after each failure `Disk` is as before, and works when there
/// is room.
fn until_it_works(medium: Medium, command: &[&str], may_work_at_once: bool) {
    let disk = Disk::new(medium);
    let feed = &disk.feed;
    let mut failures = 0;
    // The blocks of ext4 are the smaller ones, but it takes the longer to be filled.
    let step = if matches!(medium, Medium::Memory) { 1 } else { 4 };
    for pages in (0..64).step_by(step).chain([100, 200]) {
        let context = format!("{command:?} with room for {pages} pages on {medium:?}");
        let generation_before = generation(feed);
        disk.fill(pages);
        let before = visible(feed);
        let ran = feed.run(command);
        if ran.code == Some(0) {
            feed.expect_clean();
            assert_eq!(generation(feed), generation_before + u64::from(command[0] != "gc"), "{context}");
            assert!(failures > 0 || may_work_at_once, "{context}: it never failed");
            disk.make_room();
            feed.run(&PUBLISH).expect(0);
            feed.expect_clean();
            return;
        }
        expect_full(feed, &ran, &before, &context);
        failures += 1;
    }
    panic!("{command:?} never worked");
}

#[test]
fn publish_one() {
    for medium in [Medium::Memory, Medium::Ext4] {
        until_it_works(medium, &["publish", "a=a.in", "--json"], false);
    }
}

#[test]
fn publish_two() {
    for medium in [Medium::Memory, Medium::Ext4] {
        until_it_works(medium, &PUBLISH, false);
    }
}

#[test]
fn roll_back() {
    for medium in [Medium::Memory, Medium::Ext4] {
        until_it_works(medium, &["rollback", "a", "b", "--to", "2", "--json"], false);
    }
}

/// Without any room at all garbage is collected, and then there is some.
#[test]
fn collect_garbage_to_make_room() {
    for medium in [Medium::Memory, Medium::Ext4] {
        let disk = Disk::new(medium);
        let feed = &disk.feed;
        disk.fill(0);
        feed.run(&PUBLISH).expect(1);
        let report = feed.run(&GC).expect(0).json();
        assert!(report["bytes"].as_u64().unwrap() > 3 * 15_000, "{report}");
        feed.expect_clean();
        feed.run(&PUBLISH).expect(0);
        feed.expect_clean();
    }
}

/// A publisher was killed when it had filled the disk: `recover` and `gc` make room again, and the next publish works.
#[test]
fn what_a_dead_publisher_left_is_swept_without_room() {
    for medium in [Medium::Memory, Medium::Ext4] {
        for command in [&["recover"][..], &["gc"], &["verify", "--repair"], &["publish", "a=a.in", "--json"]] {
            let disk = Disk::new(medium);
            let feed = &disk.feed;
            let mut publisher = feed.spawn(&["publish", "b"]);
            let beginning = payload("b", 7).replace(']', ",").repeat(20);
            publisher.stdin.as_mut().unwrap().write_all(beginning.as_bytes()).unwrap();
            lastgood_tests::until("staging", || {
                let stagings = feed.names(".lastgood/staging");
                stagings.iter().any(|name| !feed.names(&format!(".lastgood/staging/{name}")).is_empty())
            });
            publisher.kill().unwrap();
            publisher.wait().unwrap();
            disk.fill(0);
            feed.run(command).expect(0);
            assert_eq!(feed.names(".lastgood/staging"), [""; 0], "{command:?} on {medium:?}");
            feed.run(&["publish", "a=a.in", "--json"]).expect(0);
            feed.expect_clean();
        }
    }
}

/// What `recover` and `verify --repair` have to write does not fit: they say so, and work when there is room.
#[test]
fn recover_and_repair() {
    for medium in [Medium::Memory, Medium::Ext4] {
        for command in [&["recover"][..], &["verify", "--repair"]] {
            let disk = Disk::new(medium);
            let feed = &disk.feed;
            fs::remove_file(feed.path("manifest.json")).unwrap();
            fs::remove_file(feed.path("a.json")).unwrap();
            disk.fill(0);
            let before = visible(feed);
            let ran = feed.run(command);
            assert_eq!(ran.code, Some(1), "{command:?} on {medium:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("No space left on device"), "{}", ran.stderr);
            let now = visible(feed);
            assert!(before.iter().all(|(path, content)| now.get(path) == Some(content)), "something has changed");
            disk.make_room();
            feed.run(command).expect(0);
            feed.expect_clean();
        }
    }
}

#[test]
fn adopt() {
    for medium in [Medium::Memory, Medium::Ext4] {
        let mut failures = 0;
        for pages in (0..1000).step_by(if matches!(medium, Medium::Memory) { 2 } else { 10 }) {
            let feed = TestFeed::new();
            let mount = match medium {
                Medium::Memory => Mount::tmpfs(&feed.dir(), "size=1m"),
                Medium::Ext4 => Mount::ext4(&feed.dir(), 2),
            };
            let files = [("a.json", 2), ("a_backup.json", 1), ("b.json", 2)];
            let content = |name: &str, round| payload(&name[..1], round);
            files.iter().for_each(|(name, round)| fs::write(feed.path(name), content(name, *round)).unwrap());
            let disk = Disk { _mount: mount, feed };
            let feed = &disk.feed;
            disk.fill(pages);
            fs::rename(feed.path("filler"), feed.path("filler.bin")).unwrap();
            let ran = feed.run(&["adopt"]);
            for (name, round) in files {
                assert!(feed.read(name) == content(name, round).as_bytes(), "{name} has changed, {pages} pages");
            }
            if ran.code == Some(0) {
                assert!(failures > 0, "it never failed");
                feed.expect_clean();
                break;
            }
            assert_eq!(ran.code, Some(1), "{pages} pages on {medium:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("No space left on device"), "{}", ran.stderr);
            failures += 1;
            fs::remove_file(feed.path("filler.bin")).unwrap();
            feed.run(&["adopt"]).expect(0);
            feed.expect_clean();
            assert!(feed.read("a.json") == content("a.json", 2).as_bytes());
        }
    }
}

/// Bytes enough, but no file can be made.
#[test]
fn no_inodes() {
    let feed = TestFeed::new();
    let mount = Mount::tmpfs(&feed.dir(), "size=2m,nr_inodes=200");
    let disk = Disk::published(feed, mount);
    let feed = &disk.feed;
    let mut taken = 0;
    fs::create_dir(feed.path("taken")).unwrap();
    while File::create(feed.path(&format!("taken/{taken}"))).is_ok() {
        taken += 1;
    }
    let mut failures = 0;
    loop {
        let before = visible(feed);
        let ran = feed.run(&PUBLISH);
        if ran.code == Some(0) {
            break;
        }
        expect_full(feed, &ran, &before, &format!("after {failures} failures"));
        if failures == 0 {
            let report = feed.run(&["gc", "--dry-run", "--keep", "1", "--grace", "0s", "--json"]).expect(0).json();
            assert!(!report["objects"].as_array().unwrap().is_empty());
        }
        failures += 1;
        taken -= 1;
        fs::remove_file(feed.path(&format!("taken/{taken}"))).unwrap();
    }
    assert!(failures > 5, "{failures}");
    // Without any, garbage is collected all the same.
    while File::create(feed.path(&format!("taken/{taken}"))).is_ok() {
        taken += 1;
    }
    let report = feed.run(&GC).expect(0).json();
    assert!(!report["objects"].as_array().unwrap().is_empty());
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}
