//! Every call of the storage fails once: a publish ends in one of three ways, and says truly in which (I4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lastgood::protocol::layout;
use lastgood::protocol::manifest::Generation;
use lastgood::storage::Storage;
use lastgood::{Committed, Error, Publication};

use crate::faulty::{Call, Death, Fate, Faulty, is_commit};
use crate::site::{SCENARIOS, Scenario, Site, files, manifest, memory, posix, publish};

/// How often each way was gone, so that none of them is asserted about in vain.
#[derive(Default, Debug)]
struct Seen {
    unharmed: usize,
    not_committed: usize,
    unknown: usize,
}

#[test]
fn on_memory() {
    every_call_fails(memory, &SCENARIOS);
}

#[test]
fn on_posix() {
    // Those that touch the most; each commit waits for the disk.
    every_call_fails(posix, &SCENARIOS[..2]);
}

fn every_call_fails<S: Storage + Clone>(site: impl Fn() -> Site<S>, scenarios: &[Scenario]) {
    for scenario in scenarios {
        for fate in [Fate::Fails, Fate::FailsAfterwards] {
            let mut seen = Seen::default();
            let mut number = 0;
            while call_fails(&site(), scenario, fate, number, &mut seen) {
                number += 1;
            }
            assert!(number > 30, "{}: only {number} calls", scenario.name);
            assert!(seen.unharmed > 0 && seen.not_committed > 10 && seen.unknown > 0, "{}: {seen:?}", scenario.name);
        }
    }
}

/// Whether there was such a call.
fn call_fails<S: Storage + Clone>(
    site: &Site<S>,
    scenario: &Scenario,
    fate: Fate,
    number: usize,
    seen: &mut Seen,
) -> bool {
    let context = format!("{}, call {number} {fate:?}", scenario.name);
    let old = scenario.prepare(site);
    let new = scenario.disturbed.after(&old);
    let (before, generation) = (files(&site.storage), site.generation());
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| match call.number == number {
        true => fate,
        false => Fate::Works,
    });
    let result = scenario.disturbed.run(faulty.clone());
    match &result {
        Ok(publication) => {
            seen.unharmed += 1;
            assert_eq!(publication.generation.get(), generation + 1, "{context}");
            assert_eq!(manifest(&site.storage).unwrap().commit, publication.commit, "{context}");
            site.expect_readable(&new, &context);
            if !publication.warnings.is_empty() {
                site.feed().recover().unwrap();
            }
            site.expect_clean(&context);
        }
        Err(error) if error.committed() == Committed::No => {
            seen.not_committed += 1;
            assert!(files(&site.storage) == before, "{context}: {error}: something has changed");
        }
        Err(error) => {
            seen.unknown += 1;
            expect_unknown(site, error, generation, &context);
            let took_place = site.generation() > generation;
            site.expect_readable(if took_place { &new } else { &old }, &context);
        }
    }
    site.expect_no_staging(&context);
    expect_next_works(site, &result, &context);
    faulty.struck()
}

/// The error names the commit; if that is what stands there, it is the next generation.
fn expect_unknown<S: Storage + Clone>(site: &Site<S>, error: &Error, generation: u64, context: &str) {
    let Error::Unknown { generation: intended, commit, .. } = error else { panic!("{context}: {error}") };
    assert_eq!(intended.get(), generation + 1, "{context}");
    let took_place = manifest(&site.storage).is_some_and(|manifest| manifest.commit == *commit);
    assert_eq!(site.generation(), generation + u64::from(took_place), "{context}");
}

/// The number of a commit that may have been seen is not given again (I5); that of one that surely was not is.
fn expect_next_works<S: Storage + Clone>(site: &Site<S>, result: &Result<Publication, Error>, context: &str) {
    let begun = match result {
        Err(Error::Unknown { generation, .. }) => generation.get(),
        _ => site.generation(),
    };
    let publication = publish(site.storage.clone(), &[("b", 9)]).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(publication.generation.get(), begun + 1, "{context}");
    site.expect_clean(context);
}

/// The rename of the manifest reports an error: what stands there decides.
#[test]
fn a_rename_that_lost_its_answer_is_settled_by_reading_back() {
    for scenario in &SCENARIOS {
        let site = memory();
        let new = scenario.disturbed.after(&scenario.prepare(&site));
        let lost = |call: &Call<'_>| if is_commit(call) { Fate::FailsAfterwards } else { Fate::Works };
        let publication = scenario.disturbed.run(Faulty::new(site.storage.clone(), Death::Unwind, lost)).unwrap();
        assert_eq!(publication.warnings, [""; 0]);
        site.expect_readable(&new, scenario.name);
        site.expect_clean(scenario.name);
    }
}

/// The rename reports an error and nobody can look: nothing is deleted, neither what is old nor what is new.
#[test]
fn an_answer_that_cannot_be_read_back_is_unknown() {
    for scenario in &SCENARIOS {
        for fate in [Fate::Fails, Fate::FailsAfterwards] {
            let site = memory();
            let context = format!("{}, {fate:?}", scenario.name);
            let old = scenario.prepare(&site);
            let new = scenario.disturbed.after(&old);
            let (before, generation) = (files(&site.storage), site.generation());
            let blind = Arc::new(AtomicBool::new(false));
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
                if is_commit(call) {
                    blind.store(true, Ordering::Relaxed);
                    fate
                } else if call.is("open", &layout::manifest()) && blind.load(Ordering::Relaxed) {
                    Fate::Fails
                } else {
                    Fate::Works
                }
            });
            let error = scenario.disturbed.run(faulty).unwrap_err();
            assert_eq!(error.code(), "outcome-unknown", "{context}");
            expect_unknown(&site, &error, generation, &context);
            let took_place = fate == Fate::FailsAfterwards;
            assert_eq!(site.generation(), generation + u64::from(took_place), "{context}");
            let now = files(&site.storage);
            assert!(before.keys().all(|path| now.contains_key(path)), "{context}: something was deleted");
            site.expect_readable(if took_place { &new } else { &old }, &context);
            expect_next_works(&site, &Err(error), &context);
        }
    }
}

/// The history's copy cannot be put in place: the commit holds, and the next publish writes the copy.
#[test]
fn a_missing_history_copy_is_made_up_for() {
    let site = memory();
    let first = layout::history(Generation::FIRST);
    let failing = first.clone();
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        if call.is("replace", &failing) { Fate::Fails } else { Fate::Works }
    });
    let publication = publish(faulty, &[("a", 1)]).unwrap();
    assert_eq!(publication.warnings.len(), 1, "{:?}", publication.warnings);
    assert_eq!(site.storage.info(&first).unwrap(), None);
    let publication = publish(site.storage.clone(), &[("a", 2)]).unwrap();
    assert_eq!(publication.recovery.rebuilt, [first]);
    site.expect_clean("after the next publish");
}

/// Another writer makes the feed while this one looks whether there is one.
#[test]
fn two_first_publishes_at_once_are_two_generations() {
    for nth in 1..=2 {
        let site = memory();
        let (other, lists) = (site.storage.clone(), std::sync::atomic::AtomicUsize::new(0));
        let between = move |call: &Call<'_>| {
            if call.operation == "list" && lists.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                publish(other.clone(), &[("b", 1)]).unwrap();
            }
            Fate::Works
        };
        let publication = publish(Faulty::new(site.storage.clone(), Death::Unwind, between), &[("a", 1)]).unwrap();
        assert_eq!(publication.generation.get(), 2, "before list {nth}");
        site.expect_clean("after both");
    }
}
