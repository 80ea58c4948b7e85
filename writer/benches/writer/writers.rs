//! Sixteen processes that publish at once against one that publishes as often.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use lastgood::protocol::name::DatasetName;
use lastgood::{Feed, Item, Settings};

use crate::measure::{Spread, Target};
use crate::publish::settings;

const WRITERS: usize = 16;
const EACH: usize = 100;
const ROLE: &str = "LASTGOOD_BENCH_WRITER";

/// What a writer does: this very program, started again. Says whether it was one.
pub(crate) fn is_writer() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let [dir, name, times] = role.split('\n').collect::<Vec<_>>()[..] else { panic!("the role is not of its form") };
    let dataset = DatasetName::parse(name).expect("a name");
    let lock_wait = std::time::Duration::from_secs(600);
    let feed = Feed::open(dir).with_settings(Settings { lock_wait, ..settings() });
    for round in 0..times.parse().expect("a number") {
        let payload = format!("[{{\"writer\":\"{name}\",\"round\":{round}}}]");
        feed.publish(vec![Item::new(dataset.clone(), payload.as_bytes())]).expect("it is published");
    }
    true
}

pub(crate) fn race(dir: &Path, rounds: usize) {
    let mut ratios = Vec::new();
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let alone = throughput(&dir.join(format!("one-{round}")), 1, WRITERS * EACH);
        let together = throughput(&dir.join(format!("many-{round}")), WRITERS, EACH);
        ratios.push(together / alone);
        one.push(alone);
        many.push(together);
    }
    let ratio = Spread::of(ratios);
    println!("\n{WRITERS} processes publishing {EACH} times each: {rounds} rounds, publishes a second");
    println!("  one process {}", Spread::of(one));
    println!("  {WRITERS} processes {}", Spread::of(many));
    println!("  ratio {ratio}   {}", Target::AtLeast(0.8).verdict(ratio.median));
}

/// Publishes a second.
fn throughput(dir: &Path, writers: usize, each: usize) -> f64 {
    let begin = Instant::now();
    let children: Vec<_> = (0..writers)
        .map(|writer| {
            let role = format!("{}\nwriter{writer}\n{each}", dir.display());
            let program = std::env::current_exe().expect("this program has a path");
            Command::new(program).env(ROLE, role).spawn().expect("a writer starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("the writer is ours").success(), "a writer failed");
    }
    let time = begin.elapsed();
    let generation = Feed::open(dir).manifest().expect("the feed is whole").generation.get();
    assert_eq!(generation, (writers * each) as u64, "generations were lost");
    (writers * each) as f64 / time.as_secs_f64()
}
