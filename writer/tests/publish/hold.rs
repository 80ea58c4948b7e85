//! A lock held for longer than a commit, and the publishes under it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use lastgood::protocol::layout;
use lastgood::protocol::marker::LockMarker;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::Storage;
use lastgood::{Compression, Error, Feed, Item, Publication, Settings};

use crate::faulty::{Death, Died, Fate, Faulty};
use crate::site::{Commit, SCENARIOS, Site, after, memory, name, payload, posix, publish};

fn settings(under_lock: Option<&str>) -> Settings {
    let under_lock = under_lock.map(str::to_owned);
    // One sibling: a thread that dies beside another would be told of in another way.
    let compression = Compression { brotli: None, ..Compression::default() };
    Settings { under_lock, compression, lock_wait: Duration::ZERO, ..Settings::default() }
}

/// Publishes under the lock with this token.
fn publish_under<S: Storage>(storage: S, token: &str, round: &[(&str, u32)]) -> Result<Publication, Error> {
    let item = |&(dataset, round): &(&str, u32)| {
        Item::new(name(dataset), std::io::Cursor::new(payload(dataset, round))).meta(format!("{{\"round\":{round}}}"))
    };
    Feed::on(storage).with_settings(settings(Some(token))).publish(round.iter().map(item).collect())
}

fn marker(storage: &impl Storage, dataset: &str) -> Option<LockMarker> {
    let paths = [layout::lock(), layout::dataset_lock(&name(dataset))];
    let [lock, dataset] = paths.map(|path| storage.read(&path, 9999).unwrap());
    assert_eq!(lock, dataset, "both markers say the same");
    lock.map(|bytes| LockMarker::decode(&bytes).unwrap())
}

fn with_a_and_b<S: Storage + Clone>(site: Site<S>) -> Site<S> {
    publish(site.storage.clone(), &[("a", 1), ("b", 1)]).unwrap();
    site
}

#[test]
fn publishes_under_it_take_turns_and_leave_its_markers() {
    fn check<S: Storage + Clone>(site: Site<S>) {
        let site = with_a_and_b(site);
        let feed = site.feed().with_settings(settings(None));
        let hold = feed.hold(&[name("a")]).unwrap();
        let raised = marker(&site.storage, "a").unwrap();
        assert_eq!((raised.holder.token.as_str(), &raised.datasets[..]), (hold.token(), &[name("a")][..]));
        for round in 2..4 {
            let published = publish_under(site.storage.clone(), hold.token(), &[("a", round)]).unwrap();
            assert_eq!(published.generation.get(), u64::from(round));
            assert!(!published.recovery.did_something(), "nothing was interrupted");
            assert_eq!(marker(&site.storage, "a").as_ref(), Some(&raised));
        }
        let recovery = Feed::on(site.storage.clone()).with_settings(settings(Some(hold.token()))).recover().unwrap();
        assert!(!recovery.did_something());
        assert_eq!(marker(&site.storage, "a"), Some(raised));
        // Nobody else publishes, also nothing that the lock does not cover.
        for (token, dataset) in [("another", "a"), ("another", "b")] {
            let refused = publish_under(site.storage.clone(), token, &[(dataset, 9)]).unwrap_err();
            assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        }
        let refused = publish_under(site.storage.clone(), hold.token(), &[("a", 9), ("b", 9)]).unwrap_err();
        assert!(matches!(&refused, Error::OutsideLock { dataset } if *dataset == name("b")), "{refused}");
        hold.release().unwrap();
        site.expect_clean("released");
        publish(site.storage.clone(), &[("a", 4), ("b", 4)]).unwrap();
        assert_eq!(site.generation(), 4);
    }
    check(memory());
    check(posix());
}

#[test]
fn dropping_it_releases_it() {
    let site = with_a_and_b(posix());
    drop(site.feed().hold(&[name("a")]).unwrap());
    site.expect_clean("dropped");
    // A token that no lock has any more is none.
    publish_under(site.storage.clone(), "old", &[("b", 2)]).unwrap();
    site.expect_clean("published");
}

#[test]
fn a_lock_within_a_lock_is_that_lock() {
    let site = with_a_and_b(memory());
    let feed = site.feed();
    let outer = feed.hold(&[name("a"), name("b")]).unwrap();
    let raised = marker(&site.storage, "a");
    let under = site.feed().with_settings(settings(Some(outer.token())));
    let inner = under.hold(&[name("b")]).unwrap();
    assert_eq!(inner.token(), outer.token());
    inner.renew().unwrap();
    publish_under(site.storage.clone(), inner.token(), &[("b", 2)]).unwrap();
    inner.release().unwrap();
    assert_eq!(marker(&site.storage, "a"), raised);
    assert!(matches!(under.hold(&[name("c")]).map(drop), Err(Error::OutsideLock { .. })));
    outer.release().unwrap();
    site.expect_clean("released");
}

/// Readers believe a marker for an hour after it was made, however long its lease: so it is made anew.
#[test]
fn a_renewed_lease_begins_now() {
    let site = with_a_and_b(memory());
    let now = Arc::new(AtomicI64::new(1_800_000_000_000));
    let clock = Arc::clone(&now);
    let feed = site.feed().with_clock(move || Timestamp::from_ms(clock.load(Ordering::Relaxed)));
    let hold = feed.hold(&[name("a")]).unwrap();
    for _ in 0..5 {
        let ms = now.fetch_add(50_000, Ordering::Relaxed);
        assert!(marker(&site.storage, "a").unwrap().lease_runs(Timestamp::from_ms(ms + 50_000)));
        hold.renew().unwrap();
    }
    now.fetch_add(7_200_000, Ordering::Relaxed);
    hold.renew().unwrap();
    let later = Timestamp::from_ms(now.load(Ordering::Relaxed) + 59_000);
    assert!(marker(&site.storage, "a").unwrap().covers(&name("a"), later));
    drop(hold);
    assert_eq!(marker(&site.storage, "a"), None);
}

#[test]
fn there_must_be_a_feed() {
    let site = memory();
    assert!(matches!(site.feed().hold(&[name("a")]).map(drop), Err(Error::NoFeed { .. })));
    assert!(site.storage.list(layout::Dir::Root).unwrap().is_empty());
}

/// A publish under the lock dies at every call: readers get the old or the new payloads, and the end of the lock puts the
/// rest in order; or the next publish, when the holder has died as well.
#[test]
fn a_publish_under_it_may_die_at_any_call() {
    let scenario = &SCENARIOS[1];
    let Commit::Publish(disturbed) = scenario.disturbed else { panic!("it is a publish") };
    let names: Vec<_> = ["a", "b", "c"].map(name).into();
    for holder_dies in [false, true] {
        let mut number = 0;
        loop {
            let context = format!("died at {number}, and the holder: {holder_dies}");
            let site = memory();
            let old = scenario.prepare(&site);
            let generation = site.generation();
            // The holder's own storage, whose calls do nothing any more once it has died.
            let dies = Arc::new(AtomicBool::new(false));
            let flag = Arc::clone(&dies);
            let holders = Faulty::new(site.storage.clone(), Death::Unwind, move |_| {
                if flag.load(Ordering::Relaxed) { Fate::Fails } else { Fate::Works }
            });
            let feed = Feed::on(holders).with_settings(settings(None));
            let hold = feed.hold(&names).unwrap();
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call| {
                if call.number == number { Fate::Dies } else { Fate::Works }
            });
            let token = hold.token().to_owned();
            let ended = catch_unwind(AssertUnwindSafe(|| publish_under(faulty, &token, disturbed)));
            let died = ended.is_err_and(|panic| panic.is::<Died>());
            assert!(marker(&site.storage, "c").is_some(), "{context}: the markers stand");
            let new = after(&old, disturbed);
            let now = if site.generation() > generation { new } else { old };
            site.expect_readable(&now, &context);
            if holder_dies {
                dies.store(true, Ordering::Relaxed);
                drop(hold);
                assert!(marker(&site.storage, "c").is_some(), "{context}: nobody has removed them");
                publish(site.storage.clone(), &[("b", 9)]).unwrap_or_else(|error| panic!("{context}: {error}"));
            } else {
                hold.release().unwrap();
            }
            site.expect_clean(&context);
            if !died {
                assert!(number > 30, "only {number} calls");
                break;
            }
            number += 1;
        }
    }
}
