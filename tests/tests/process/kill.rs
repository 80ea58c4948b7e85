//! A publisher that is killed at a certain step: the next publish succeeds and leaves nothing of the dead one behind.

use std::fs;
use std::io::Write;
use std::process::Child;

use lastgood_tests::{Ran, TestFeed, until};

use crate::reading::payload;

/// Two datasets of one round, in the files that [`PUBLISH`] publishes.
fn prepare(feed: &TestFeed, round: u64) {
    for dataset in ["performance", "transactions"] {
        feed.input(&format!("{dataset}.in"), payload(dataset, round));
    }
}

const PUBLISH: [&str; 3] = ["publish", "performance=performance.in", "transactions=transactions.in"];

/// What must hold after a kill, whenever it came, and after the publish that follows.
fn expect_recovery(feed: &TestFeed, round: u64, before: u64) {
    let after_kill = feed.manifest()["generation"].as_u64().unwrap();
    assert!((before..=before + 1).contains(&after_kill), "{before} became {after_kill}");
    prepare(feed, round);
    let report = feed.run(&[&PUBLISH[..], &["--json"]].concat()).expect(0).json();
    // A commit that was begun may have taken a number, which is left out then: it is given to nobody else (I5).
    let next = report["generation"].as_u64().unwrap();
    assert!((after_kill + 1..=before + 2).contains(&next), "{before} became {after_kill}, and then {next}");
    feed.expect_clean();
}

fn kill(child: Child) {
    let mut child = child;
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Kills when a given thing is there to be seen: each step of a commit leaves its trace in the directory.
#[test]
fn killed_when_a_step_has_been_seen() {
    let feed = TestFeed::new();
    prepare(&feed, 1);
    feed.run(&PUBLISH).expect(0);
    let mut round = 2;
    for trace in [".lock", ".transactions_lock", "manifest", "history", "performance_backup.json"] {
        for _ in 0..4 {
            let before = feed.manifest()["generation"].as_u64().unwrap();
            prepare(&feed, round);
            let seen_before = fs::metadata(feed.path("manifest.json")).unwrap().modified().unwrap();
            let mut publisher = feed.spawn(&PUBLISH);
            until(trace, || {
                let ended = publisher.try_wait().unwrap().is_some();
                ended
                    || match trace {
                        "manifest" => {
                            fs::metadata(feed.path("manifest.json")).unwrap().modified().unwrap() != seen_before
                        }
                        "history" => feed.path(&format!("history/{}.json", before + 1)).exists(),
                        name => feed.path(name).exists(),
                    }
            });
            kill(publisher);
            expect_recovery(&feed, round + 1, before);
            round += 2;
        }
    }
}

/// Killed while it reads its input: the lock was never taken, nothing was announced, and what it had staged is swept.
#[test]
fn killed_while_preparing() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let mut publisher = feed.spawn(&["publish", "performance"]);
    // More than a pipe holds: when this returns, the publisher has begun to read.
    publisher.stdin.as_mut().unwrap().write_all(&[b' '; 300_000]).unwrap();
    until("staging", || !feed.names(".lastgood/staging").is_empty());
    assert!(!feed.path(".lock").exists(), "nothing is locked while preparing");
    // Another publisher does not wait for it and leaves its staging alone.
    feed.publish("performance", "2");
    assert_ne!(feed.names(".lastgood/staging"), [""; 0], "the staging of a living publisher was swept");
    kill(publisher);
    assert_eq!(feed.manifest()["generation"], 2);
    let report = feed.run_with(&["publish", "performance", "--json"], "3").expect(0).json();
    assert_eq!(report["recovered"], true);
    feed.expect_clean();
}

/// A publisher that does not die but stands still while it prepares hinders no one, and ends well when it goes on.
#[test]
fn stopped_while_preparing_and_continued() {
    use rustix::process::{Pid, Signal, kill_process};
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let mut publisher = feed.spawn(&["publish", "performance", "--json"]);
    publisher.stdin.as_mut().unwrap().write_all(&[b' '; 300_000]).unwrap();
    kill_process(Pid::from_child(&publisher), Signal::STOP).unwrap();
    feed.publish("performance", "2");
    kill_process(Pid::from_child(&publisher), Signal::CONT).unwrap();
    publisher.stdin.take().unwrap().write_all(b"3").unwrap();
    let report = Ran::end_of(publisher).expect(0).json();
    assert_eq!(report["generation"], 3);
    assert_eq!(feed.read("performance_backup.json"), b"2");
    feed.expect_clean();
}

/// `recover` does alone what the next publish does.
#[test]
fn recover_after_a_kill() {
    let feed = TestFeed::new();
    prepare(&feed, 1);
    feed.run(&PUBLISH).expect(0);
    for round in 2..12 {
        prepare(&feed, round);
        let mut publisher = feed.spawn(&PUBLISH);
        until("the marker", || publisher.try_wait().unwrap().is_some() || feed.path(".lock").exists());
        kill(publisher);
        feed.run(&["recover"]).expect(0);
        feed.expect_clean();
    }
}
