//! The process dies before every call of the storage: whatever stands there is whole, and the next publish puts it in
//! order (I1, I2, I5, I8, I10).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use lastgood::protocol::layout::{self, Dir};
use lastgood::storage::{MemoryStorage, Modes, PosixStorage, Storage};

use crate::faulty::{Call, Death, Died, Fate, Faulty};
use crate::site::{Commit, Payloads, Round, SCENARIOS, Scenario, Site, after, memory, posix, publish};

fn dies_at(number: usize) -> impl Fn(&Call<'_>) -> Fate + Send + Sync + 'static {
    move |call| if call.number == number { Fate::Dies } else { Fate::Works }
}

/// What must hold whenever a process has died: readers get the old or the new payloads, wholly. Returns which.
fn expect_whole<S: Storage + Clone>(
    site: &Site<S>,
    generation: u64,
    old: &Payloads,
    new: &Payloads,
    context: &str,
) -> Payloads {
    let now = site.generation();
    assert!((generation..=generation + 2).contains(&now), "{context}: generation {generation} became {now}");
    let payloads = if now > generation { new } else { old };
    site.expect_readable(payloads, context);
    // The marker that names all datasets comes first and goes last.
    let names = site.storage.list(Dir::Root).unwrap();
    let announced = names.iter().any(|name| name == layout::lock().as_str());
    assert!(announced || !names.iter().any(|name| name.ends_with("_lock")), "{context}: {names:?}");
    // A server may send a sibling in the place of a file that is not there.
    let siblings = names.iter().filter_map(|name| layout::parse_copy_sibling(name));
    for (dataset, ext, encoding) in siblings {
        let plain_copy = layout::plain_copy(&dataset, &ext);
        let is_there = names.iter().any(|name| name == plain_copy.as_str());
        assert!(is_there, "{context}: the {encoding:?} sibling of {plain_copy} is alone");
    }
    payloads.clone()
}

/// The publish that recovers and dies as well.
const RECOVERING: Commit = Commit::Publish(&[("a", 8)]);

/// The publish after all the dying.
const LAST: Round<'static> = &[("b", 9)];

fn expect_recovery<S: Storage + Clone>(site: &Site<S>, payloads: &Payloads, context: &str) {
    let generation = site.generation();
    let publication = publish(site.storage.clone(), LAST).unwrap_or_else(|error| panic!("{context}: {error}"));
    // The number of a commit that was begun is not given again, whoever may have seen it (I5).
    let next = publication.generation.get();
    assert!((generation + 1..=generation + 3).contains(&next), "{context}: generation {generation} became {next}");
    site.expect_readable(&after(payloads, LAST), context);
    site.expect_clean(context);
}

/// Whether there was such a call.
fn dies(storage: &MemoryStorage, number: usize, commit: Commit) -> bool {
    let faulty = Faulty::new(storage.clone(), Death::Unwind, dies_at(number));
    match catch_unwind(AssertUnwindSafe(|| commit.run(faulty))) {
        Ok(result) => {
            result.unwrap();
            false
        }
        Err(panic) => {
            assert!(panic.is::<Died>(), "another panic");
            true
        }
    }
}

/// A panic at every call, in a process that goes on: nothing is tidied up that a commit may need.
#[test]
fn on_memory_with_a_panic() {
    for scenario in &SCENARIOS[..2] {
        for number in 0.. {
            let context = format!("{}, panicked at {number}", scenario.name);
            let site = memory();
            let old = scenario.prepare(&site);
            let generation = site.generation();
            let panics = move |call: &Call<'_>| if call.number == number { Fate::Panics } else { Fate::Works };
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, panics);
            if catch_unwind(AssertUnwindSafe(|| scenario.disturbed.run(faulty))).is_ok() {
                assert!(number > 30, "{}: only {number} calls", scenario.name);
                break;
            }
            let payloads = expect_whole(&site, generation, &old, &scenario.disturbed.after(&old), &context);
            expect_recovery(&site, &payloads, &context);
        }
    }
}

/// Dies at every call, and for each of them again at every call of the publish that recovers.
#[test]
fn on_memory_twice() {
    // Those that touch the most: this is quadratic in the number of calls.
    for scenario in &SCENARIOS[..2] {
        let mut first = 0;
        while dies_twice(scenario, first) {
            first += 1;
        }
        assert!(first > 30, "{}: only {first} calls", scenario.name);
    }
}

fn dies_twice(scenario: &Scenario, first: usize) -> bool {
    let mut second = 0;
    loop {
        let context = format!("{}, died at {first}, then at {second}", scenario.name);
        let site = memory();
        let old = scenario.prepare(&site);
        let generation = site.generation();
        if !dies(&site.storage, first, scenario.disturbed) {
            return false;
        }
        let old = expect_whole(&site, generation, &old, &scenario.disturbed.after(&old), &context);
        let generation = site.generation();
        if !dies(&site.storage, second, RECOVERING) {
            return true;
        }
        let old = expect_whole(&site, generation, &old, &RECOVERING.after(&old), &context);
        expect_recovery(&site, &old, &context);
        second += 1;
    }
}

/// The process dies right after its commit, and the recovery by the next publish fails at every call: what the dead one has
/// left undone is still announced, and the publish after that does it.
#[test]
fn a_recovery_that_fails_is_made_up_for() {
    let scenario = &SCENARIOS[1];
    for number in 0.. {
        let context = format!("failed at {number}");
        let site = memory();
        let payloads = scenario.disturbed.after(&scenario.prepare(&site));
        let committed = std::sync::atomic::AtomicBool::new(false);
        let after_commit = move |call: &Call<'_>| {
            let before = committed.fetch_or(crate::faulty::is_commit(call), std::sync::atomic::Ordering::Relaxed);
            if before { Fate::Dies } else { Fate::Works }
        };
        let dying = Faulty::new(site.storage.clone(), Death::Unwind, after_commit);
        assert!(catch_unwind(AssertUnwindSafe(|| scenario.disturbed.run(dying))).is_err(), "{context}: it lives");
        let fails = move |call: &Call<'_>| if call.number == number { Fate::Fails } else { Fate::Works };
        let failing = Faulty::new(site.storage.clone(), Death::Unwind, fails);
        let payloads = match RECOVERING.run(failing.clone()) {
            Ok(publication) if publication.warnings.is_empty() => RECOVERING.after(&payloads),
            // Such as a derived file that could not be put in place, or an outcome that is unknown.
            Ok(_) => continue,
            Err(error) if error.committed() == lastgood::Committed::Unknown => continue,
            Err(_) => payloads,
        };
        expect_recovery(&site, &payloads, &context);
        if !failing.struck() {
            assert!(number > 30, "only {number} calls");
            return;
        }
    }
}

/// The same `recover` as a call of its own, dying at every call.
#[test]
fn recover_on_memory() {
    let scenario = &SCENARIOS[1];
    let mut first = 0;
    loop {
        let mut second = 0;
        loop {
            let context = format!("died at {first}, recovery died at {second}");
            let site = memory();
            let old = scenario.prepare(&site);
            let generation = site.generation();
            if !dies(&site.storage, first, scenario.disturbed) {
                return;
            }
            let old = expect_whole(&site, generation, &old, &scenario.disturbed.after(&old), &context);
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies_at(second));
            let died = catch_unwind(AssertUnwindSafe(|| lastgood::Feed::on(faulty).recover().unwrap())).is_err();
            site.expect_readable(&old, &context);
            if !died {
                site.expect_clean(&context);
                break;
            }
            site.feed().recover().unwrap();
            site.expect_clean(&context);
            site.expect_readable(&old, &context);
            second += 1;
        }
        first += 1;
    }
}

const DIR: &str = "LASTGOOD_TEST_DIES_IN";
const NUMBER: &str = "LASTGOOD_TEST_DIES_AT";
const SCENARIO: &str = "LASTGOOD_TEST_DIES_DURING";

/// Real processes on a real file system: this very test, started again, is the publisher that dies.
#[test]
fn on_posix() {
    if let Ok(dir) = std::env::var(DIR) {
        let number = |variable| std::env::var(variable).unwrap().parse::<usize>().unwrap();
        let storage = PosixStorage::new(dir, Modes::default());
        let faulty = Faulty::new(storage, Death::Abort, dies_at(number(NUMBER)));
        SCENARIOS.get(number(SCENARIO)).map_or(RECOVERING, |scenario| scenario.disturbed).run(faulty).unwrap();
        return;
    }
    for (index, scenario) in SCENARIOS.iter().enumerate() {
        let mut number = 0;
        loop {
            let context = format!("{}, died at {number}", scenario.name);
            let site = posix();
            let old = scenario.prepare(&site);
            let generation = site.generation();
            let dir = site.dir.as_ref().unwrap().path();
            if !process_dies(dir, number, index) {
                break;
            }
            let old = expect_whole(&site, generation, &old, &scenario.disturbed.after(&old), &context);
            // The publish that recovers dies at some other call.
            let generation = site.generation();
            process_dies(dir, number * 7 % 41, SCENARIOS.len());
            let old = expect_whole(&site, generation, &old, &RECOVERING.after(&old), &context);
            expect_recovery(&site, &old, &context);
            number += 1;
        }
        assert!(number > 30, "{}: only {number} calls", scenario.name);
    }
}

/// Whether there was such a call. Past the last scenario it is the publish that recovers.
fn process_dies(dir: &Path, number: usize, scenario: usize) -> bool {
    let mut publisher = Command::new(std::env::current_exe().unwrap());
    publisher.args(["--exact", "crashes::on_posix"]);
    publisher.env(DIR, dir).env(NUMBER, number.to_string()).env(SCENARIO, scenario.to_string());
    let output = publisher.output().unwrap();
    match output.status.code() {
        Some(0) => false,
        // A signal ended it.
        None => true,
        Some(_) => panic!("{}", String::from_utf8_lossy(&output.stdout)),
    }
}
