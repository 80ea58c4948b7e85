//! What the retained manifests say about the past.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lastgood::protocol::layout::{self, Dir};
use lastgood::protocol::manifest::Generation;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Change, Feed, History, Item};

use crate::faulty::{Call, Death, Fate, Faulty};
use crate::site::{Site, memory, name, publish, write};

/// Rounds that come, stay, and come back.
const A: [u32; 9] = [1, 2, 2, 1, 3, 3, 2, 4, 1];
/// Published from the third commit on, in every second.
const B: [u32; 4] = [1, 1, 2, 1];

fn published() -> Site<MemoryStorage> {
    let site = memory();
    for (number, &round) in A.iter().enumerate() {
        match number >= 2 && number % 2 == 0 {
            true => publish(site.storage.clone(), &[("a", round), ("b", B[(number - 2) / 2])]).unwrap(),
            false => publish(site.storage.clone(), &[("a", round)]).unwrap(),
        };
    }
    site
}

/// What was done to a dataset in each commit, in the order of the commits, by the definition: comparing with all before.
fn expected(rounds: &[(u64, u32)]) -> BTreeMap<u64, Change> {
    let mut changes = BTreeMap::new();
    for (number, &(generation, round)) in rounds.iter().enumerate() {
        let before = &rounds[..number];
        let change = match before.last() {
            None => Change::New,
            Some(&(_, last)) if last == round => Change::Unchanged,
            Some(_) => match before.iter().rposition(|&(_, earlier)| earlier == round) {
                None => Change::Changed,
                // It was current until the next commit changed it.
                Some(at) => Change::BackTo(Generation::new(rounds[at + 1].0 - 1).unwrap()),
            },
        };
        changes.insert(generation, change);
    }
    changes
}

fn rounds_of(dataset: &str) -> Vec<(u64, u32)> {
    match dataset {
        "a" => (1..).zip(A).collect(),
        _ => (0..).map(|number| 3 + 2 * number).zip(B).collect(),
    }
}

fn changes(history: &History, dataset: &str) -> BTreeMap<u64, Change> {
    let of = |commit: &lastgood::PastCommit| {
        let past = commit.datasets.iter().find(|past| past.dataset == name(dataset))?;
        Some((commit.generation.get(), past.change))
    };
    history.commits.iter().filter_map(of).collect()
}

#[test]
fn every_commit_says_what_it_changed() {
    let site = published();
    let history = site.feed().history(None, None).unwrap();
    let generations: Vec<u64> = history.commits.iter().map(|commit| commit.generation.get()).collect();
    assert_eq!(generations, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert!(history.damaged.is_empty() && !history.more);
    for dataset in ["a", "b"] {
        assert_eq!(changes(&history, dataset), expected(&rounds_of(dataset)), "{dataset}");
        let only = site.feed().history(Some(&name(dataset)), None).unwrap();
        assert_eq!(changes(&only, dataset), expected(&rounds_of(dataset)), "{dataset} alone");
        assert!(only.commits.iter().all(|commit| commit.datasets.len() == 1));
    }
    let newest = &history.commits[0].datasets[0];
    assert_eq!(newest.meta.as_ref().unwrap().as_str(), r#"{"round":1}"#);
    assert_eq!(newest.size, crate::site::payload("a", 1).len() as u64);
}

/// A limit leaves out older commits and changes nothing about those that it leaves.
#[test]
fn a_limit_is_a_prefix() {
    let site = published();
    for dataset in [None, Some(name("b"))] {
        let all = site.feed().history(dataset.as_ref(), None).unwrap().commits;
        for limit in 0..=all.len() + 1 {
            let history = site.feed().history(dataset.as_ref(), Some(limit)).unwrap();
            assert_eq!(history.commits, all[..limit.min(all.len())], "{limit}");
            assert_eq!(history.more, limit < all.len(), "{limit}");
        }
    }
}

#[test]
fn what_is_damaged_or_gone_is_left_out_and_the_rest_is_told() {
    let site = published();
    let path = |number| layout::history(Generation::new(number).unwrap());
    write(&site.storage, &path(7), b"{}");
    site.storage.remove(&path(4)).unwrap();
    let history = site.feed().history(None, None).unwrap();
    let generations: Vec<u64> = history.commits.iter().map(|commit| commit.generation.get()).collect();
    assert_eq!(generations, [9, 8, 6, 5, 3, 2, 1]);
    assert_eq!(history.damaged.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [path(7)]);
    // What came with 4 cannot be known to be new with 5, only to be other than in 3.
    assert_eq!(changes(&history, "a")[&5], Change::Changed);
    // The copy of the published manifest may be missing after a crash.
    site.storage.remove(&path(9)).unwrap();
    assert_eq!(site.feed().history(None, None).unwrap().commits[0].generation.get(), 9);
}

/// Two commits at the same instant are told apart.
#[test]
fn the_clock_stands_still() {
    let site = memory();
    let instant = lastgood::protocol::time::Timestamp::from_ms(1_800_000_000_000);
    let feed = Feed::on(site.storage.clone()).with_clock(move || instant);
    for dataset in ["a", "b", "a"] {
        feed.publish(vec![Item::new(name(dataset), &b"1"[..])]).unwrap();
    }
    let history = feed.history(None, None).unwrap();
    let published: Vec<Vec<&str>> = history
        .commits
        .iter()
        .map(|commit| commit.datasets.iter().map(|past| past.dataset.as_str()).collect())
        .collect();
    // That the third published "a" again left no trace.
    assert_eq!(published, [vec![], vec!["b"], vec!["a"]]);
}

#[test]
fn a_new_identity_is_a_commit_without_datasets() {
    let site = published();
    site.feed().recover_as_new_feed().unwrap();
    let history = site.feed().history(None, Some(2)).unwrap().commits;
    assert_eq!((history[0].generation.get(), history[0].datasets.len()), (10, 0));
    assert_ne!(history[0].feed, history[1].feed);
}

/// However many there are, each manifest is read once.
#[test]
fn thousands_of_generations() {
    const MANY: u32 = 2000;
    let site = memory();
    let feed = site.feed();
    for round in 0..MANY {
        feed.publish(vec![Item::new(name("a"), (round % 500).to_string().as_bytes())]).unwrap();
    }
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let counting = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        let reads = call.operation == "open" && call.path.is_some_and(|path| path.dir() == Dir::History);
        counted.fetch_add(usize::from(reads), Ordering::Relaxed);
        Fate::Works
    });
    let history = Feed::on(counting).history(None, Some(10)).unwrap();
    assert_eq!(history.commits.len(), 10);
    let back_to = |commit: &lastgood::PastCommit| commit.datasets[0].change;
    assert_eq!(back_to(&history.commits[0]), Change::BackTo(Generation::new(u64::from(MANY) - 500).unwrap()));
    assert!(reads.load(Ordering::Relaxed) < 600, "no further than is needed: {reads:?}");
    assert_eq!(site.feed().history(None, None).unwrap().commits.len(), MANY as usize);
}
