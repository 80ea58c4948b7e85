//! Any sequence of publishes, reads and outages against a model of the cache.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use lastgood::Error;
use lastgood::protocol::read::Source;
use proptest::prelude::*;

use crate::{World, name};

const DATASETS: [&str; 4] = ["a", "b", "c", "d"];
const CAPACITY: usize = 60;

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(usize, usize)>),
    Read(usize),
    Snapshot(Vec<usize>),
    Down(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || proptest::sample::subsequence((0..DATASETS.len()).collect::<Vec<_>>(), 1..=3).prop_shuffle();
    let publish = some().prop_flat_map(|datasets| {
        let lengths = proptest::collection::vec(1..35_usize, datasets.len());
        lengths.prop_map(move |lengths| Step::Publish(datasets.iter().copied().zip(lengths).collect()))
    });
    let step = prop_oneof![
        3 => publish,
        6 => (0..DATASETS.len()).prop_map(Step::Read),
        3 => some().prop_map(Step::Snapshot),
        1 => any::<bool>().prop_map(Step::Down),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The payloads of each generation, and what the reader should hold, the least recently used first.
#[derive(Default)]
struct Model {
    generations: Vec<BTreeMap<&'static str, String>>,
    /// How many generations there were when the reader last saw a manifest.
    seen: usize,
    cache: Vec<(&'static str, String)>,
}

impl Model {
    fn cached(&self, dataset: &str) -> Option<&String> {
        self.cache.iter().find(|(name, _)| *name == dataset).map(|(_, payload)| payload)
    }

    fn current(&self) -> Option<&BTreeMap<&'static str, String>> {
        self.generations.last()
    }

    /// A payload was handed out: it is the most recently used one, as far as it fits.
    fn used(&mut self, dataset: &'static str, payload: &str) {
        let hit = self.cached(dataset).is_some_and(|cached| cached == payload);
        self.cache.retain(|(name, _)| *name != dataset);
        if !hit && payload.len() > CAPACITY {
            return;
        }
        while self.bytes() + payload.len() > CAPACITY {
            self.cache.remove(0);
        }
        self.cache.push((dataset, payload.to_owned()));
    }

    /// Nothing was read: only what is still cached is used.
    fn touched(&mut self, dataset: &'static str) {
        if let Some(at) = self.cache.iter().position(|(name, _)| *name == dataset) {
            let entry = self.cache.remove(at);
            self.cache.push(entry);
        }
    }

    fn bytes(&self) -> usize {
        self.cache.iter().map(|(_, payload)| payload.len()).sum()
    }
}

/// A payload of some length that no other round has.
fn payload(round: usize, length: usize) -> String {
    format!("\"{}{round}\"", "x".repeat(length))
}

fn check(world: &World, model: &mut Model, down: bool, wanted: &[&'static str]) -> Result<(), TestCaseError> {
    let names: Vec<_> = wanted.iter().map(|dataset| name(dataset)).collect();
    let result = world.reader.snapshot(&names);
    let published = model.current().filter(|current| wanted.iter().all(|dataset| current.contains_key(dataset)));
    if let Some(published) = published.cloned().filter(|_| !down) {
        let readings = result.unwrap();
        model.seen = model.generations.len();
        for (reading, dataset) in readings.iter().zip(wanted) {
            prop_assert!(reading.fresh());
            prop_assert_eq!(reading.generation.get() as usize, model.generations.len());
            prop_assert_eq!(&*reading.value, published[dataset].as_bytes());
            let hit = model.cached(dataset).is_some_and(|cached| *cached == published[dataset]);
            prop_assert_eq!(reading.source == Source::Cache, hit, "{}", dataset);
        }
        for (reading, &dataset) in readings.iter().zip(wanted) {
            match reading.source {
                Source::Network => model.used(dataset, &published[dataset]),
                _ => model.touched(dataset),
            }
        }
    } else {
        let copies: Option<Vec<String>> = wanted.iter().map(|dataset| model.cached(dataset).cloned()).collect();
        match (result, copies) {
            (Ok(readings), Some(copies)) => {
                for (reading, copy) in readings.iter().zip(&copies) {
                    prop_assert!(reading.source == Source::Fallback && !reading.fresh());
                    prop_assert_eq!(&*reading.value, copy.as_bytes());
                }
                // Never mixed: there was a generation with all of them.
                let together = |generation: &BTreeMap<&str, String>| {
                    wanted.iter().zip(&copies).all(|(dataset, copy)| generation.get(dataset) == Some(copy))
                };
                prop_assert!(model.generations.iter().any(together), "{:?}", copies);
                wanted.iter().for_each(|dataset| model.touched(dataset));
            }
            (Ok(_), None) => prop_assert!(false, "something that is not cached was handed out"),
            (Err(Error::Read(_)), copies) => {
                // What the last manifest seen names belongs together.
                let last = model.seen.checked_sub(1).map(|last| &model.generations[last]);
                let whole = copies.zip(last).is_some_and(|(copies, last)| {
                    wanted.iter().zip(&copies).all(|(dataset, copy)| last.get(dataset) == Some(copy))
                });
                prop_assert!(!whole, "{wanted:?} is cached and was refused");
                if !down && model.current().is_some() {
                    // The manifest was seen, although not everything was in it.
                    return Ok(());
                }
            }
            (Err(error), _) => prop_assert!(false, "{}", error),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_cache_is_what_the_model_says(steps in steps()) {
        let mut world = World::new();
        world.reader = world.reader.with_capacity(CAPACITY as u64);
        let mut model = Model::default();
        let mut down = false;
        for (round, step) in steps.into_iter().enumerate() {
            match step {
                Step::Publish(datasets) => {
                    let mut next = model.current().cloned().unwrap_or_default();
                    let payloads: Vec<(&str, String)> = datasets
                        .into_iter()
                        // Every third publish repeats what is there.
                        .map(|(i, length)| (DATASETS[i], payload(round, length)))
                        .map(|(dataset, new)| (dataset, next.get(dataset).filter(|_| round % 3 == 0).cloned().unwrap_or(new)))
                        .collect();
                    let borrowed: Vec<(&str, &str)> = payloads.iter().map(|(name, payload)| (*name, payload.as_str())).collect();
                    world.publish(&borrowed);
                    next.extend(payloads);
                    model.generations.push(next);
                }
                Step::Read(i) => check(&world, &mut model, down, &[DATASETS[i]])?,
                Step::Snapshot(wanted) => {
                    let wanted: Vec<&str> = wanted.into_iter().map(|i| DATASETS[i]).collect();
                    check(&world, &mut model, down, &wanted)?;
                }
                Step::Down(is_down) => {
                    down = is_down;
                    world.down.store(down, Ordering::Relaxed);
                }
            }
            prop_assert_eq!(world.reader.cached_bytes() as usize, model.bytes());
            prop_assert!(model.bytes() <= CAPACITY);
        }
    }
}
