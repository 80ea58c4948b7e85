//! Publishers, rollbacks, garbage collection and readers at once: no reading fails, no commit is lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use lastgood_tests::TestFeed;

use crate::reading::{self, Stop, payload, watch};

/// Long for a reader, who holds a manifest for as long as one read takes; short for a test.
const GC: [&str; 6] = ["gc", "--keep", "2", "--grace", "500ms", "--json"];

#[test]
fn readers_see_whole_rounds_while_garbage_is_collected() {
    let feed = TestFeed::new();
    let publish = |round: u64| reading::publish(&feed, round);
    publish(1);
    let (stop, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let (commits, collected) = (AtomicU64::new(1), AtomicU64::new(0));
    let reads = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&feed.dir(), &stop));
        let stop = Stop(&stop);
        // Payloads of its own that come back again and again, so that objects lose their last name and get one again.
        let other = scope.spawn(|| {
            for round in 0..40 {
                feed.publish("other", payload("other", round % 3));
                commits.fetch_add(1, Ordering::Relaxed);
            }
        });
        let collector = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let report = feed.run(&GC).expect(0).json();
                collected.fetch_add(report["objects"].as_array().unwrap().len() as u64, Ordering::Relaxed);
            }
        });
        let end = Stop(&over);
        for round in 2..=40 {
            publish(round);
            commits.fetch_add(1, Ordering::Relaxed);
        }
        other.join().unwrap();
        drop(end);
        collector.join().unwrap();
        drop(stop);
        watching.join().unwrap()
    });
    assert!(reads > 0);
    assert_eq!(feed.manifest()["generation"], commits.load(Ordering::Relaxed), "a commit was lost");
    let report = feed.run(&["gc", "--keep", "1", "--grace", "0s", "--json"]).expect(0).json();
    collected.fetch_add(report["objects"].as_array().unwrap().len() as u64, Ordering::Relaxed);
    // Every round of the first two but the last and the one of its backup; of the third, all but two of three.
    assert!(collected.load(Ordering::Relaxed) >= 2 * 38, "{collected:?}");
    feed.expect_clean();
}

/// Killed while it collects: what is retained stays whole, and the next one does the rest.
#[test]
fn killed_while_collecting() {
    let feed = TestFeed::new();
    for _ in 0..8 {
        for round in 0..12 {
            feed.publish("performance", payload("performance", round));
        }
        let mut collector = feed.spawn(&["gc", "--keep", "1", "--grace", "0s"]);
        // From the first generation that goes on; it may be over before this is seen.
        let before = feed.names("history").len();
        lastgood_tests::until("the first removal", || {
            collector.try_wait().unwrap().is_some() || feed.names("history").len() < before
        });
        collector.kill().unwrap();
        collector.wait().unwrap();
        feed.run(&["verify"]).expect(0);
        feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
        assert_eq!(feed.names("history").len(), 2, "the published one and the source of its backup");
        assert_eq!(feed.names("objects").iter().filter(|name| name.ends_with(".json")).count(), 2);
        feed.expect_clean();
    }
}
