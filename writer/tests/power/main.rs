//! The power goes: at every moment of every operation, with everything that a file system may then have kept of what was
//! not synced. Or a call fails, each in every way. Readers see one whole generation, and the feed puts itself in order (I1 to I10).
//!
//! Every run goes through part of it; `cargo xtask power` goes through all of it, which takes long.

#![allow(clippy::disallowed_methods, reason = "the simulated machine has files of its own")]
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod disk;
mod expected;
mod explore;
mod faults;
mod machine;
#[path = "../publish/moment.rs"]
mod moment;
mod plan;
mod scenarios;
#[path = "../publish/site.rs"]
#[allow(dead_code, reason = "shared with the tests of publishing, which use more of it")]
mod site;

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use explore::{Count, Cuts, Extent, exhaust, report, sample, timed};
use faults::Tried;
use machine::Model;
use scenarios::{Act, SCENARIOS, Scenario};

/// Whether everything is to be gone through.
fn all() -> bool {
    std::env::var_os("LASTGOOD_TEST_POWER").is_some_and(|power| power == "all")
}

/// A number from the environment.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// What a run goes through unless it is all: another share each day.
fn extent() -> Extent {
    let day = now().as_secs() / (24 * 3600);
    if all() { Extent::All } else { Extent::Share { seed: number("LASTGOOD_TEST_POWER_SEED").unwrap_or(day) } }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn exhaust_each(cuts: Cuts, wanted: impl Fn(&Scenario, Model) -> bool) -> Count {
    let (begin, extent) = (Instant::now(), extent());
    println!("{extent:?}");
    let only = std::env::var("LASTGOOD_TEST_POWER_ONLY").unwrap_or_default();
    let mut each: Vec<_> = SCENARIOS.iter().flat_map(|scenario| Model::ALL.map(|model| (scenario, model))).collect();
    each.retain(|&(scenario, model)| {
        wanted(scenario, model) && format!("{}, {model:?}", scenario.name).contains(&only)
    });
    let waiting = Mutex::new(each.into_iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || {
        let mut total = Count::default();
        while let Some((scenario, model)) = next() {
            total += timed(&format!("{}, {model:?}", scenario.name), || exhaust(scenario, model, cuts, extent));
        }
        total
    };
    // The other tests have the other cores, unless all of this is to be gone through.
    let threads = if all() { thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    let total = thread::scope(|scope| {
        let shares: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        let mut total = Count::default();
        for share in shares {
            total += share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        total
    });
    report("in all", total, begin.elapsed());
    total
}

#[test]
fn one_cut() {
    let count = exhaust_each(Cuts::Once, |scenario, model| all() || scenario.quick.contains(&model));
    assert!(all() || count.cases > 10_000, "{count:?}");
}

/// Every system call fails, in every way.
#[test]
fn every_call_fails() {
    let (begin, mut total) = (Instant::now(), Tried::default());
    let models = if all() { &Model::ALL[..] } else { &[Model::Ordered] };
    // These are longer, or make the same calls as others.
    let long = ["of three", "of two", "from a kill"];
    // What fails under a lock has tests of its own (`publish/hold.rs`), and so has a manifest that is lost.
    let elsewhere = ["under a lock", "puts the manifest back"];
    let is_one_of = |names: &[&str], name: &str| names.iter().any(|part| name.contains(part));
    let wanted = |name: &str| !is_one_of(&elsewhere, name) && (all() || !is_one_of(&long, name));
    for scenario in SCENARIOS.iter().filter(|scenario| wanted(scenario.name)) {
        for model in models {
            let tried = faults::exhaust(scenario, *model, all());
            println!("{}, {model:?}: {tried:?}", scenario.name);
            total += tried;
        }
    }
    println!("in all: {total:?}, {:.1} s", begin.elapsed().as_secs_f64());
    assert!(total.calls > 1_000 && total.faults >= total.calls - 50, "{total:?}");
    assert!(total.done > 100 && total.not_committed > 500 && total.unknown > 20 && total.cuts > 100, "{total:?}");
}

/// The second cut comes while the feed is put in order after the first.
#[test]
fn two_cuts() {
    let quick = |scenario: &Scenario, model| model == Model::Ordered || matches!(scenario.act, Act::Gc);
    let count = exhaust_each(Cuts::Twice, |scenario, model| scenario.twice && (all() || quick(scenario, model)));
    assert!(all() || count.cases > 50_000, "{count:?}");
}

/// As many cuts as chance will have it, one after the other.
#[test]
fn cuts_by_chance() {
    let first = number("LASTGOOD_TEST_POWER_SEED").unwrap_or(now().as_nanos() as u64);
    let samples = number("LASTGOOD_TEST_POWER_SAMPLES").unwrap_or(if all() { 100_000 } else { 1_000 });
    let (begin, mut total) = (Instant::now(), Count::default());
    for seed in (0..samples).map(|number| first.wrapping_add(number)) {
        let scenario = &SCENARIOS[seed as usize % SCENARIOS.len()];
        let model = Model::ALL[seed as usize / SCENARIOS.len() % Model::ALL.len()];
        let done = std::panic::catch_unwind(|| sample(scenario, model, seed));
        match done {
            Ok(count) => total += count,
            Err(panic) => {
                eprintln!("again with LASTGOOD_TEST_POWER_SEED={seed} LASTGOOD_TEST_POWER_SAMPLES=1");
                std::panic::resume_unwind(panic);
            }
        }
    }
    report(&format!("by chance, from seed {first}"), total, begin.elapsed());
    assert!(total.cases >= samples, "{total:?}");
}
