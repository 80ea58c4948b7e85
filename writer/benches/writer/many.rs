//! Feeds of many datasets, and how fast a feed is verified.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lastgood::protocol::name::DatasetName;
use lastgood::{Feed, Item};

use crate::data;
use crate::measure::{Contestant, Spread, Target, race};
use crate::publish::settings;

pub(crate) fn one_of_many(dir: &Path, rounds: usize) {
    let [few, many] = [10, 10_000].map(|datasets| feed_of(dir.join(format!("of-{datasets}")), datasets));
    let publish = |feed: &Feed, round: usize| {
        let dataset = DatasetName::parse("dataset3").expect("a name");
        let payload = format!("[{round}]");
        feed.publish(vec![Item::new(dataset, payload.as_bytes())]).expect("it is published");
    };
    let contestants = vec![
        Contestant::new("one dataset of 10", |round| publish(&few, round)),
        Contestant::new("one dataset of 10 000", |round| publish(&many, round)),
    ];
    let targets = [("one dataset of 10 000", Target::AtMost(5.0))];
    race("publishing one dataset, compression off", rounds, contestants, &targets);
}

fn feed_of(dir: PathBuf, datasets: usize) -> Feed {
    let feed = Feed::open(dir).with_settings(settings());
    let payloads: Vec<String> = (0..datasets).map(|number| format!("[\"{number}\"]")).collect();
    // In parts: each dataset of a call has files open.
    for (part, payloads) in payloads.chunks(100).enumerate() {
        let item = |(index, payload): (usize, &'_ String)| {
            let dataset = DatasetName::parse(&format!("dataset{}", part * 100 + index)).expect("a name");
            Item::new(dataset, std::io::Cursor::new(payload.clone()))
        };
        feed.publish(payloads.iter().enumerate().map(item).collect()).expect("it is published");
    }
    feed
}

pub(crate) fn verify(dir: &Path, rounds: usize) {
    let feed = Feed::open(dir.join("verified")).with_settings(settings());
    let mut payload = data::rows(64 << 20);
    let rules = lastgood::protocol::payload::Rules { max_bytes: 1 << 30, ..Default::default() };
    for number in 0..8 {
        data::stamp(&mut payload, number);
        let dataset = DatasetName::parse(&format!("dataset{number}")).expect("a name");
        feed.publish(vec![Item::new(dataset, &payload[..]).rules(rules)]).expect("it is published");
    }
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        let found = feed.verify().expect("it is verified");
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        rates.push(found.bytes as f64 / 1e9 / begin.elapsed().as_secs_f64());
    }
    let rate = Spread::of(rates);
    println!("\nverify, files in the page cache: {rounds} rounds");
    println!("  {rate} GB/s   {}", Target::AtLeast(1.0).verdict(rate.median));
}
