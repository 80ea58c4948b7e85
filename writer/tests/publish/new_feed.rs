//! A feed that was restored from an old copy.

use std::time::Duration;

use lastgood::protocol::layout;
use lastgood::protocol::manifest::Generation;
use lastgood::storage::Storage;
use lastgood::{Feed, Item, Settings};

use crate::site::{Payloads, after, manifest, memory, name, payload, publish, write};

#[test]
fn a_new_identity_changes_no_dataset_and_generations_rise() {
    let site = memory();
    for round in 1..=3 {
        publish(site.storage.clone(), &[("a", round)]).unwrap();
    }
    let before = manifest(&site.storage).unwrap();
    let (recovery, publication) = site.feed().recover_as_new_feed().unwrap();
    assert!(!recovery.did_something() && publication.datasets.is_empty());
    let now = manifest(&site.storage).unwrap();
    assert_eq!((now.generation.get(), &now.datasets), (4, &before.datasets));
    assert_ne!(now.feed, before.feed);
    assert_eq!((publication.feed, publication.generation), (now.feed, now.generation));
    let payloads = after(&Payloads::new(), &[("a", 3)]);
    site.expect_readable(&payloads, "renewed");
    site.expect_clean("renewed");
    // Publishing goes on under it.
    assert_eq!(publish(site.storage.clone(), &[("a", 4)]).unwrap().feed, now.feed);
    site.expect_clean("published");
}

/// Only the manifest was restored: what the history has of later generations is not written over.
#[test]
fn generations_of_the_history_are_not_given_again() {
    let site = memory();
    for round in 1..=5 {
        publish(site.storage.clone(), &[("a", round)]).unwrap();
    }
    let old = site.storage.read(&layout::history(Generation::new(2).unwrap()), 9999).unwrap().unwrap();
    write(&site.storage, &layout::manifest(), &old);
    let (_, publication) = site.feed().recover_as_new_feed().unwrap();
    assert_eq!(publication.generation.get(), 6);
    assert_eq!(site.feed().read(&name("a")).unwrap().value, payload("a", 2).into_bytes());
    site.expect_clean("renewed");
}

#[test]
fn it_makes_nothing_younger() {
    let site = memory();
    let minute = Some(Duration::from_secs(60));
    let settings = Settings { expires_in: minute, generation_expires_in: minute, ..Settings::default() };
    let feed = Feed::on(site.storage.clone()).with_settings(settings);
    feed.publish(vec![Item::new(name("a"), &b"1"[..])]).unwrap();
    let ends = || {
        let manifest = manifest(&site.storage).unwrap();
        (manifest.expires_at, manifest.datasets[&name("a")].expires_at)
    };
    let before = ends();
    assert!(before.0.is_some() && before.1.is_some());
    site.feed().recover_as_new_feed().unwrap();
    assert_eq!(ends(), before);
}

#[test]
fn without_a_feed_there_is_nothing_to_renew() {
    let site = memory();
    site.storage.create().unwrap();
    assert_eq!(site.feed().recover_as_new_feed().unwrap_err().code(), "no-feed");
    assert!(manifest(&site.storage).is_none());
}
