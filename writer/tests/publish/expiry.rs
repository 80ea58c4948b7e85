//! An expiry belongs to its dataset: what is done to others, or to the feed, leaves it as it is.

use std::time::Duration;

use lastgood::protocol::layout;
use lastgood::protocol::manifest::Generation;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Feed, Item, Purge, Retention, RollbackExpiry, Settings};

use crate::site::{Site, feed, feed_with, manifest, memory, name, payload, write};

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

fn item(dataset: &'static str, round: u32) -> Vec<Item<'static>> {
    vec![Item::new(name(dataset), std::io::Cursor::new(payload(dataset, round)))]
}

/// The feed, with what it publishes ending after a minute.
fn ending(storage: MemoryStorage) -> Feed<MemoryStorage> {
    feed_with(storage, Settings { expires_in: MINUTE, ..Settings::default() })
}

fn end(site: &Site<MemoryStorage>, dataset: &str) -> Option<Timestamp> {
    manifest(&site.storage).unwrap().datasets[&name(dataset)].expires_at
}

/// Three generations: `a` ends, `b` does not and has a payload before its current one.
fn published() -> Site<MemoryStorage> {
    let site = memory();
    ending(site.storage.clone()).publish(item("a", 1)).unwrap();
    (1..=2).for_each(|round| drop(feed(site.storage.clone(), true).publish(item("b", round)).unwrap()));
    site
}

fn put_back(storage: &MemoryStorage, generation: u64) {
    let path = layout::history(Generation::new(generation).unwrap());
    let bytes = storage.read(&path, 1 << 20).unwrap().unwrap();
    write(storage, &layout::manifest(), &bytes);
}

#[test]
fn what_is_done_to_others_leaves_it() {
    type Act = (&'static str, fn(&Feed<MemoryStorage>, &MemoryStorage));
    let acts: [Act; 11] = [
        ("a publish", |feed, _| drop(feed.publish(item("b", 3)).unwrap())),
        ("a rollback", |feed, _| drop(feed.rollback(&[name("b")], None).unwrap())),
        ("a removal", |feed, _| drop(feed.remove(&[name("b")]).unwrap())),
        ("a purge", |feed, _| {
            drop(feed.purge(&name("b"), Purge::Generation(Generation::new(2).unwrap())).unwrap());
        }),
        ("gc", |feed, _| drop(feed.gc(&Retention { keep: 1, grace: Duration::ZERO }).unwrap())),
        ("a recovery", |feed, _| drop(feed.recover().unwrap())),
        ("a new identity", |feed, _| drop(feed.recover_as_new_feed().unwrap())),
        ("a repair", |feed, storage| {
            write(storage, &layout::plain_copy(&name("a"), &"json".parse().unwrap()), b"damaged");
            drop(feed.repair(&|_| {}).unwrap());
        }),
        ("a manifest that is put back", |feed, storage| {
            storage.remove(&layout::manifest()).unwrap();
            assert!(feed.recover().unwrap().manifest_restored);
        }),
        ("an old copy that is accepted", |feed, storage| {
            put_back(storage, 2);
            assert!(feed.recover_accepting_older().unwrap().1.is_some());
        }),
        ("an old copy of another identity", |feed, storage| {
            put_back(storage, 2);
            drop(feed.recover_as_new_feed().unwrap());
        }),
    ];
    for (what, act) in acts {
        let site = published();
        let before = end(&site, "a");
        act(&feed(site.storage.clone(), true), &site.storage);
        assert!(before.is_some() && end(&site, "a") == before, "{what}");
        if let Some(b) = manifest(&site.storage).unwrap().datasets.get(&name("b")) {
            assert_eq!(b.expires_at, None, "{what}");
        }
        assert_eq!(site.feed().verify().unwrap().problems, [], "{what}");
    }
}

#[test]
fn whoever_publishes_it_again_decides_anew() {
    let site = published();
    feed(site.storage.clone(), true).publish(item("a", 1)).unwrap();
    assert_eq!(end(&site, "a"), None, "the same bytes, for ever");
    ending(site.storage.clone()).publish(item("b", 2)).unwrap();
    assert!(end(&site, "b").is_some());
}

#[test]
fn a_rollback_brings_the_old_end_back() {
    let site = published();
    let first = end(&site, "a");
    let publish = || drop(feed(site.storage.clone(), true).publish(item("a", 2)).unwrap());
    publish();
    let rollback = |rollback_expiry| {
        let settings = Settings { rollback_expiry, expires_in: Some(Duration::from_secs(7)), ..Settings::default() };
        feed_with(site.storage.clone(), settings).rollback(&[name("a")], Some(Generation::FIRST)).unwrap();
        end(&site, "a")
    };
    assert_eq!(rollback(RollbackExpiry::AsItWas), first);
    publish();
    assert_eq!(rollback(RollbackExpiry::In(None)), None);
    publish();
    assert!(rollback(RollbackExpiry::In(MINUTE)) > first);
}

/// It was the end of each dataset, too: the next commit has none of its own, and makes nothing younger.
#[test]
fn the_end_of_a_generation_stays_that_of_what_it_held_for() {
    let site = memory();
    let settings = |expires_in| Settings { expires_in, generation_expires_in: MINUTE, ..Settings::default() };
    let later = Some(Duration::from_secs(3600));
    for (dataset, expires_in) in [("a", None), ("b", later)] {
        feed_with(site.storage.clone(), settings(expires_in)).publish(item(dataset, 1)).unwrap();
    }
    let of_all = manifest(&site.storage).unwrap().expires_at.unwrap();
    for round in 1..=2 {
        feed(site.storage.clone(), true).publish(item("c", round)).unwrap();
        let now = manifest(&site.storage).unwrap();
        assert_eq!((now.expires_at, end(&site, "c")), (None, None));
        assert_eq!((end(&site, "a"), end(&site, "b")), (Some(of_all), Some(of_all)));
    }
    // What it had then ended with the generation.
    let feed = feed(site.storage.clone(), true);
    feed.publish(item("a", 2)).unwrap();
    feed.rollback(&[name("a")], Some(Generation::FIRST)).unwrap();
    assert!(end(&site, "a").is_some_and(|end| end <= of_all));
}
