//! Several publishers at once: no commit is lost, no reader sees a mixture.

use std::sync::atomic::AtomicBool;
use std::thread;

use lastgood_tests::TestFeed;

use crate::reading::{self, Stop, watch};

/// Generations are 1 to N, each with its own manifest in the history, and each publisher's report is in one of them.
fn expect_every_generation(feed: &TestFeed, reported: &mut [u64]) {
    reported.sort_unstable();
    let all: Vec<u64> = (1..=reported.len() as u64).collect();
    assert_eq!(reported, all, "generations were lost or given twice");
    assert_eq!(feed.manifest()["generation"], reported.len());
    let mut history = feed.names("history");
    history.sort_by_key(|name| name.strip_suffix(".json").unwrap().parse::<u64>().unwrap());
    let expected: Vec<String> = all.iter().map(|generation| format!("{generation}.json")).collect();
    assert_eq!(history, expected);
    feed.expect_clean();
}

#[test]
fn eight_publishers_lose_nothing() {
    let feed = TestFeed::new();
    let mut reported: Vec<u64> = thread::scope(|scope| {
        let publisher = |publisher: u64| {
            let feed = &feed;
            move || {
                let round = |round: u64| {
                    // Datasets of their own and one that all share.
                    let name = format!("p{publisher}");
                    let input = feed.root().join(format!("{name}.in"));
                    std::fs::write(&input, format!("[{publisher},{round}]")).unwrap();
                    let input = input.display();
                    let arguments = [format!("{name}={input}"), format!("shared={input}")];
                    let report = feed.run(&["publish", &arguments[0], &arguments[1], "--json"]).expect(0).json();
                    report["generation"].as_u64().unwrap()
                };
                (0..25).map(round).collect::<Vec<u64>>()
            }
        };
        let running: Vec<_> = (0..8).map(|number| scope.spawn(publisher(number))).collect();
        running.into_iter().flat_map(|publisher| publisher.join().unwrap()).collect()
    });
    assert_eq!(reported.len(), 200);
    expect_every_generation(&feed, &mut reported);
    for publisher in 0..8 {
        assert_eq!(feed.read(&format!("p{publisher}.json")), format!("[{publisher},24]").as_bytes());
    }
    // Every generation changed exactly what its publisher published.
    let changed = |generation: u64| {
        let bytes = feed.read(&format!("history/{generation}.json"));
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let datasets = manifest["signed"]["datasets"].as_object().unwrap().clone();
        let of_this = datasets.into_iter().filter(|(_, entry)| entry["generation"] == generation);
        of_this.map(|(name, entry)| (name, entry["sha256"].clone())).collect::<Vec<_>>()
    };
    for generation in 1..=200 {
        let changed = changed(generation);
        assert_eq!(changed.len(), 2, "generation {generation}: {changed:?}");
        assert_eq!(changed[1].0, "shared");
        assert_eq!(changed[0].1, changed[1].1, "the two of one call have the same payload");
    }
}

#[test]
fn readers_see_whole_rounds_while_two_publish() {
    let feed = TestFeed::new();
    let stop = AtomicBool::new(false);
    let publish = |round: u64| reading::publish(&feed, round);
    publish(1);
    let reads = thread::scope(|scope| {
        let watching = scope.spawn(|| watch(&feed.dir(), &stop));
        let stop = Stop(&stop);
        // A second publisher commits between the rounds of the first, with a dataset of its own.
        let other = scope.spawn(|| {
            for round in 0..20 {
                feed.publish("other", round.to_string());
            }
        });
        (2..=30).for_each(publish);
        other.join().unwrap();
        drop(stop);
        watching.join().unwrap()
    });
    assert!(reads > 0);
    assert_eq!(feed.manifest()["generation"], 50);
    feed.expect_clean();
}
