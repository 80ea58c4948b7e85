//! Rolling back, undisturbed: what is published again, and what is refused.

use std::sync::atomic::{AtomicBool, Ordering};

use lastgood::protocol::layout;
use lastgood::protocol::manifest::{Entry, Generation};
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Error, NoRollback};

use crate::faulty::{Call, Death, Fate, Faulty};
use crate::site::{ARTIFACT, BARE, Round, Site, feed, files, manifest, memory, name, payload, publish, write};

fn published(rounds: &[Round<'_>]) -> Site<MemoryStorage> {
    let site = memory();
    for round in rounds {
        publish(site.storage.clone(), round).unwrap();
    }
    site
}

fn roll_back(site: &Site<MemoryStorage>, datasets: &[&str], to: Option<u64>) -> Result<lastgood::Rollback, Error> {
    let datasets: Vec<_> = datasets.iter().copied().map(name).collect();
    feed(site.storage.clone(), true).rollback(&datasets, to.map(|to| Generation::new(to).unwrap()))
}

fn entry(site: &Site<MemoryStorage>, dataset: &str) -> Entry {
    manifest(&site.storage).unwrap().datasets[&name(dataset)].clone()
}

fn expect_refused(site: &Site<MemoryStorage>, datasets: &[&str], to: Option<u64>) -> NoRollback {
    let before = files(&site.storage);
    match roll_back(site, datasets, to).unwrap_err() {
        Error::NoRollback { reason, .. } => {
            assert!(files(&site.storage) == before, "something has changed");
            reason
        }
        other => panic!("{other}"),
    }
}

#[test]
fn everything_that_belongs_to_a_payload_comes_back() {
    let site = published(&[&[("a", ARTIFACT)], &[("a", 2)], &[("a", 3)]]);
    let old = entry(&site, "a");
    let rollback = roll_back(&site, &["a"], Some(1)).unwrap();
    assert_eq!(rollback.publication.generation.get(), 4, "a rollback makes a new generation");
    assert_eq!((rollback.restored[0].generation.get(), rollback.restored.len()), (1, 1));
    let new = entry(&site, "a");
    assert_eq!((new.ext.as_str(), new.meta.unwrap().as_str()), ("csv", r#"{"round":100}"#));
    assert_eq!((new.generation.get(), old.generation.get()), (4, 3));
    assert_eq!(
        site.storage.read(&layout::plain_copy(&name("a"), &new.ext), 9999).unwrap().unwrap(),
        payload("a", 100).into_bytes()
    );
    site.expect_clean("rolled back");
    // And back again: what was before is now this.
    roll_back(&site, &["a"], None).unwrap();
    assert_eq!(entry(&site, "a").sha256, old.sha256);
    site.expect_clean("rolled back twice");
}

#[test]
fn without_plain_copies_there_are_none_after_it_either() {
    let site = published(&[&[("a", 1)], &[("a", BARE + 2)]]);
    roll_back(&site, &["a"], None).unwrap();
    assert!(!entry(&site, "a").plain_copy);
    site.expect_clean("rolled back");
}

#[test]
fn what_cannot_be_is_refused() {
    let site = published(&[&[("a", 1)], &[("a", 2), ("b", 1)], &[("a", 2)]]);
    assert!(matches!(expect_refused(&site, &["c"], None), NoRollback::NotPublished { known } if known == "a, b"));
    assert!(matches!(expect_refused(&site, &["b"], None), NoRollback::NothingBefore { .. }));
    assert!(matches!(expect_refused(&site, &["a", "b"], None), NoRollback::NothingBefore { .. }));
    assert!(matches!(expect_refused(&site, &["b"], Some(1)), NoRollback::NotInGeneration { .. }));
    assert!(matches!(expect_refused(&site, &["a", "b"], Some(2)), NoRollback::AlreadyCurrent { .. }));
    assert!(matches!(
        expect_refused(&site, &["a"], Some(9)),
        NoRollback::NotRetained { retained, .. } if retained == "1 to 3"
    ));
    assert_eq!(roll_back(&site, &["a", "a"], None).unwrap_err().code(), "repeated-dataset");
    site.expect_clean("refused");
}

#[test]
fn a_damaged_payload_is_never_published_again() {
    for damage in [&b"[]"[..], b""] {
        let site = published(&[&[("a", 1)], &[("a", 2)]]);
        let first = layout::history(Generation::FIRST);
        let manifest =
            lastgood::protocol::manifest::Manifest::verify(&site.storage.read(&first, 9999).unwrap().unwrap());
        let old = &manifest.unwrap().datasets[&name("a")];
        let object = layout::object(&old.sha256, &old.ext);
        for path in [object, first] {
            write(&site.storage, &path, damage);
            let reason = expect_refused(&site, &["a"], None);
            assert!(matches!(&reason, NoRollback::Damaged { path: named, .. } if *named == path), "{reason}");
        }
    }
}

/// The payload that is to be replaced is replaced by someone else while the old one is copied.
#[test]
fn a_publish_in_between_is_not_undone() {
    let site = published(&[&[("a", 1), ("b", 1)], &[("a", 2), ("b", 2)]]);
    let inner = site.storage.clone();
    let done = AtomicBool::new(false);
    let storage = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        if call.operation == "try_lock" && !done.swap(true, Ordering::Relaxed) {
            publish(inner.clone(), &[("b", 3)]).unwrap();
        }
        Fate::Works
    });
    let error = feed(storage, true).rollback(&["a", "b"].map(name), None).unwrap_err();
    assert!(matches!(&error, Error::Conflict { dataset } if *dataset == name("b")), "{error}");
    assert_eq!(site.generation(), 3);
    site.expect_clean("refused");
    let now = site.feed().read(&name("b")).unwrap().value;
    assert_eq!(now, payload("b", 3).into_bytes());
}
