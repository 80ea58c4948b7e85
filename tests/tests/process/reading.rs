//! A consumer that watches a feed while others publish it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use lastgood::Feed;
use lastgood::protocol::name::DatasetName;
use lastgood_tests::TestFeed;
use serde_json::{Value, json};

/// A payload of `dataset` that says which round it belongs to, large enough that a torn one would show.
pub(crate) fn payload(dataset: &str, round: u64) -> String {
    let rows = vec![json!({"dataset": dataset, "round": round}); 400];
    Value::Array(rows).to_string()
}

/// The round that a whole payload of `dataset` belongs to.
#[track_caller]
pub(crate) fn round_of(dataset: &str, payload: &[u8]) -> u64 {
    let value: Value = serde_json::from_slice(payload).expect("a whole payload");
    let round = value[0]["round"].as_u64().unwrap();
    assert_eq!(value, serde_json::from_str::<Value>(&self::payload(dataset, round)).unwrap(), "a mixed payload");
    round
}

/// Tells a [`watch`] to stop when it is dropped, also by a test that fails.
pub(crate) struct Stop<'a>(pub(crate) &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads until told to stop: plain copies as a page without lastgood does, and verified snapshots. Neither ever sees
/// anything but whole payloads, a snapshot only such of one round, and rounds only rise. Returns how many reads it did.
pub(crate) fn watch(dir: &Path, stop: &AtomicBool) -> u64 {
    let feed = Feed::open(dir);
    let names = ["performance", "transactions"].map(|name| DatasetName::parse(name).unwrap());
    let (mut reads, mut plain_rounds, mut last) = (0, [0, 0], 0);
    while !stop.load(Ordering::Relaxed) || reads == 0 {
        for (name, last) in names.iter().zip(&mut plain_rounds) {
            let plain = fs::read(dir.join(format!("{name}.json"))).expect("a plain copy is always there");
            let round = round_of(name.as_str(), &plain);
            assert!(round >= *last, "{name} went back from {last} to {round}");
            *last = round;
        }
        let snapshot = feed.snapshot(&names).expect("the feed can always be read");
        let rounds: Vec<u64> =
            snapshot.iter().map(|reading| round_of(reading.dataset.as_str(), &reading.value)).collect();
        assert_eq!(rounds[0], rounds[1], "a snapshot of two rounds");
        assert!(snapshot[0].generation.get() >= last, "the generation went back");
        last = snapshot[0].generation.get();
        reads += 1;
    }
    reads
}

/// Publishes both datasets of a round, from files of their own.
pub(crate) fn publish(feed: &TestFeed, round: u64) {
    let name = |dataset: &str| format!("{dataset}-{round}.in");
    for dataset in ["performance", "transactions"] {
        std::fs::write(feed.root().join(name(dataset)), payload(dataset, round)).unwrap();
    }
    let inputs = ["performance", "transactions"].map(|dataset| format!("{dataset}={}", name(dataset)));
    feed.run(&["publish", &inputs[0], &inputs[1]]).expect(0);
}
