//! How long readers see the lock marker during a publish.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lastgood::protocol::name::DatasetName;
use lastgood::{Feed, Item};

use crate::data;
use crate::measure::Spread;
use crate::publish::settings;

pub(crate) fn visible(dir: &Path, rounds: usize) {
    let feed = Feed::open(dir.join("marked")).with_settings(settings());
    let dataset = DatasetName::parse("performance").expect("a name");
    let mut payload = data::rows(1_000_000);
    let publish = |payload: &[u8]| {
        feed.publish(vec![Item::new(dataset.clone(), payload)]).expect("it is published");
    };
    publish(&payload);
    let marker = dir.join("marked/.lock");
    let over = AtomicBool::new(false);
    let times = std::thread::scope(|scope| {
        // Looks without a pause, from another core: what it sees is what a reader would.
        let watcher = scope.spawn(|| {
            let (mut seen, mut since) = (Vec::new(), None::<Instant>);
            while !over.load(Ordering::Relaxed) {
                match (marker.exists(), since) {
                    (true, None) => since = Some(Instant::now()),
                    (false, Some(begin)) => {
                        seen.push(begin.elapsed());
                        since = None;
                    }
                    _ => {}
                }
            }
            seen
        });
        for round in 1..=rounds {
            data::stamp(&mut payload, round);
            publish(&payload);
        }
        over.store(true, Ordering::Relaxed);
        watcher.join().expect("the watcher does not panic")
    });
    let ms: Vec<f64> = times.iter().map(|time: &Duration| time.as_secs_f64() * 1e3).collect();
    let count = ms.len();
    let spread = Spread::of(ms);
    println!("\ntime that the marker is visible during a publish of 1 MB: {count} of {rounds} seen");
    println!("  median {:.2} ms, 99th percentile {:.2} ms", spread.median, spread.percentile(0.99));
}
