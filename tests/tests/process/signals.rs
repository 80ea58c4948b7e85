//! SIGINT and SIGTERM: a publish that has not begun its commit leaves nothing behind, one that has finishes it.

use std::io::{BufRead, BufReader, Write};

use lastgood::storage::{Modes, PosixStorage, Storage};
use lastgood_tests::{Ran, TestFeed, tree, until};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn while_it_waits_for_its_input() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let before = tree(&feed.dir());
    for signal in [Signal::INT, Signal::TERM] {
        let mut publisher = feed.spawn(&["publish", "performance", "--json"]);
        // More than a pipe holds: when this returns, the publisher has begun to read. The pipe stays open.
        let mut stdin = publisher.stdin.take().unwrap();
        stdin.write_all(&[b' '; 300_000]).unwrap();
        kill_process(Pid::from_child(&publisher), signal).unwrap();
        let ran = Ran::end_of(publisher).expect(1).says(&["stopped", "nothing was published"]);
        assert_eq!(ran.json()["error"]["code"], "cancelled");
        assert_eq!(tree(&feed.dir()), before);
        drop(stdin);
    }
    feed.expect_clean();
}

#[test]
fn while_it_waits_for_the_lock() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let storage = PosixStorage::new(feed.dir(), Modes::default());
    let held = storage.try_lock("{}").unwrap().expect("the lock is free");
    let before = tree(&feed.dir());
    for command in [&["publish", "performance=p.in", "--lock-wait", "1h", "-v"][..], &["recover", "-v"]] {
        feed.input("p.in", "2");
        let mut publisher = feed.spawn(command);
        let mut stderr = BufReader::new(publisher.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("waiting") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended without waiting");
        }
        kill_process(Pid::from_child(&publisher), Signal::TERM).unwrap();
        Ran::end_of(publisher).expect(1);
        assert_eq!(tree(&feed.dir()), before);
    }
    drop(held);
    feed.expect_clean();
}

/// Whenever it comes, the exit code tells the truth about what is published, and nothing is left behind.
#[test]
fn at_any_moment() {
    let feed = TestFeed::new();
    feed.publish("performance", "0");
    for round in 1..=40_u32 {
        let before = feed.manifest()["generation"].as_u64().unwrap();
        let mut publisher = feed.spawn(&["publish", "performance"]);
        let mut stdin = publisher.stdin.take().unwrap();
        stdin.write_all(&[b' '; 300_000]).unwrap();
        stdin.write_all(round.to_string().as_bytes()).unwrap();
        drop(stdin);
        // Every other time in the midst of the commit, as the marker tells.
        let in_commit = round % 2 == 0;
        if in_commit {
            until("the marker", || publisher.try_wait().unwrap().is_some() || feed.path(".lock").exists());
        }
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&publisher), Signal::INT);
        let ran = Ran::end_of(publisher);
        let after = feed.manifest()["generation"].as_u64().unwrap();
        match ran.code {
            Some(0) => assert_eq!(after, before + 1),
            Some(1) if !in_commit => assert_eq!(after, before),
            other => panic!("in commit: {in_commit}, {other:?}: {}", ran.stderr),
        }
        feed.expect_clean();
    }
}
