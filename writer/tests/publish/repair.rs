//! Verification and repair: every file is damaged in turn, and it is told what and put in order what can be.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::protocol::manifest::Generation;
use lastgood::storage::{MemoryStorage, PosixStorage, Storage};
use lastgood::{Compression, Feed, Item, Purge, Repair, Retention, Settings, Verification};

use crate::faulty::{Call, Death, Died, Fate, Faulty};
use crate::site::{
    ARTIFACT, BARE, Payloads, Round, Site, after, feed, files, memory, name, payload, posix, publish, write,
};

const ROUNDS: [Round<'static>; 4] =
    [&[("a", 1), ("b", 1)], &[("a", 2), ("c", ARTIFACT)], &[("a", 3)], &[("b", BARE + 2)]];

fn published<S: Storage + Clone>(site: &Site<S>) -> Payloads {
    ROUNDS.iter().fold(Payloads::new(), |payloads, round| {
        publish(site.storage.clone(), round).unwrap();
        after(&payloads, round)
    })
}

/// With the compression that the site is published with.
fn repair<S: Storage>(storage: S) -> Result<Repair, lastgood::Error> {
    feed(storage, true).repair(&|_| {})
}

/// Ways in which a file can be damaged.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Removed,
    Truncated,
    Flipped,
    Emptied,
    Longer,
}

const DAMAGES: [Damage; 5] = [Damage::Removed, Damage::Truncated, Damage::Flipped, Damage::Emptied, Damage::Longer];

fn damage(storage: &impl Storage, path: &FeedPath, how: Damage) {
    let mut bytes = storage.read(path, 99_999).unwrap().unwrap();
    let middle = bytes.len() / 2;
    match how {
        Damage::Removed => {
            storage.remove(path).unwrap();
            return;
        }
        Damage::Truncated => bytes.truncate(middle),
        Damage::Flipped => bytes[middle] ^= 1,
        Damage::Emptied => bytes.clear(),
        Damage::Longer => bytes.push(b'x'),
    }
    write(storage, path, &bytes);
}

fn paths(verification: &Verification) -> Vec<FeedPath> {
    verification.problems.iter().map(|problem| problem.path.clone()).collect()
}

fn is_sibling(path: &FeedPath) -> bool {
    layout::parse_sibling(path.file_name()).is_some()
}

fn is_copy_sibling(path: &FeedPath) -> bool {
    layout::parse_copy_sibling(path.as_str()).is_some()
}

/// Every payload has a sibling, so the only files that nothing else can give back are the older manifests.
#[test]
fn one_damaged_file_is_found_and_put_back_to_the_byte() {
    let (mut found_and_repaired, mut lost) = (0, 0);
    let intact = files(&{
        let site = memory();
        published(&site);
        site.storage
    });
    let names: Vec<FeedPath> = intact.keys().cloned().collect();
    for (number, _) in names.iter().enumerate() {
        for how in DAMAGES {
            let site = memory();
            let payloads = published(&site);
            let before = files(&site.storage);
            let path = before.keys().nth(number).unwrap().clone();
            let context = format!("{path} {how:?}");
            damage(&site.storage, &path, how);
            let is_old_manifest = path.dir() == Dir::History && path != layout::history(Generation::new(4).unwrap());
            // Nothing says that it should be there.
            let may_be_missing = is_old_manifest || is_sibling(&path) || is_copy_sibling(&path);
            let unnoticed = matches!(how, Damage::Removed) && may_be_missing;
            let damaged = files(&site.storage);
            match site.feed().verify() {
                Err(error) => assert_eq!((error.code(), &path), ("damaged", &layout::manifest()), "{context}"),
                Ok(verification) => {
                    let expected = if unnoticed { vec![] } else { vec![path.clone()] };
                    assert_eq!(paths(&verification), expected, "{context}");
                }
            }
            assert!(files(&site.storage) == damaged, "{context}: verifying has changed something");

            let done = repair(site.storage.clone()).unwrap_or_else(|error| panic!("{context}: {error}"));
            if is_old_manifest || unnoticed && !is_copy_sibling(&path) {
                lost += 1;
                assert!(files(&site.storage) == damaged, "{context}: something has changed");
            } else {
                found_and_repaired += 1;
                assert_eq!(done.verification.problems, [], "{context}");
                assert!(files(&site.storage) == before, "{context}: it is not what it was");
            }
            site.expect_readable_but_for(&payloads, &paths(&done.verification), &context);
        }
    }
    assert!(found_and_repaired > 80 && lost > 10, "{found_and_repaired} {lost}");
}

/// What is there is hashed before a manifest refers to it again (I6).
#[test]
fn publishing_the_same_again_puts_its_damaged_files_right() {
    for how in DAMAGES {
        let site = memory();
        publish(site.storage.clone(), &[("a", 1)]).unwrap();
        let intact = files(&site.storage);
        let has_it = |path: &FeedPath| path.dir() == Dir::Objects || path.as_str().starts_with("a.json");
        let with_payload = || intact.iter().filter(|(path, _)| has_it(path));
        assert_eq!(with_payload().count(), 4, "an object and a plain copy, each with its sibling");
        for (path, bytes) in with_payload() {
            damage(&site.storage, path, how);
            publish(site.storage.clone(), &[("a", 1)]).unwrap();
            assert!(files(&site.storage)[path] == *bytes, "{path} {how:?}");
            site.expect_clean("published again");
        }
    }
}

/// Without siblings, an object comes back from a plain copy or a backup, and one that has neither is lost and named.
#[test]
fn an_object_comes_back_from_any_intact_copy_and_is_never_invented() {
    let site = memory();
    let bare = |storage: MemoryStorage| {
        Feed::on(storage).with_settings(Settings { compression: Compression::OFF, ..Settings::default() })
    };
    let mut objects = Vec::new();
    for round in 1..=4 {
        let publication =
            bare(site.storage.clone()).publish(vec![Item::new(name("a"), payload("a", round).as_bytes())]).unwrap();
        objects.push(layout::object(&publication.datasets[0].sha256, &lastgood::protocol::name::Ext::json()));
    }
    for object in &objects {
        damage(&site.storage, object, Damage::Flipped);
    }
    let verification = site.feed().verify().unwrap();
    assert_eq!(verification.intact, None);
    let current = verification.problems.iter().find(|problem| problem.path == objects[3]).unwrap();
    assert_eq!((current.datasets.as_slice(), current.size), (&[name("a")][..], Some(payload("a", 4).len() as u64)));

    let done = bare(site.storage.clone()).repair(&|_| {}).unwrap();
    let mut expected = objects[2..].to_vec();
    expected.sort();
    assert_eq!(done.objects, expected, "those of the plain copy and of the backup");
    let mut lost = objects[..2].to_vec();
    lost.sort();
    assert_eq!(paths(&done.verification), lost);
    assert_eq!(done.verification.intact.map(Generation::get), Some(4));
    // With the plain copy damaged as well, there is nothing to take it from.
    for path in [&objects[3], &layout::plain_copy(&name("a"), &lastgood::protocol::name::Ext::json())] {
        damage(&site.storage, path, Damage::Flipped);
    }
    let before = files(&site.storage);
    let done = bare(site.storage.clone()).repair(&|_| {}).unwrap();
    assert_eq!((done.objects.len(), done.verification.intact.map(Generation::get)), (0, Some(3)));
    assert!(files(&site.storage) == before, "something was invented");
    // The way out that is named works.
    bare(site.storage.clone()).rollback(&[name("a")], Generation::new(3).ok()).unwrap();
    assert_eq!(site.feed().read(&name("a")).unwrap().value, payload("a", 3).into_bytes());
}

/// When neither the object nor its sibling nor the plain copy is left.
#[test]
fn an_object_comes_back_from_the_sibling_of_a_plain_copy() {
    let site = memory();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let intact = files(&site.storage);
    let sibling = |path: &&FeedPath| is_copy_sibling(path);
    assert_eq!(intact.keys().filter(sibling).count(), 1);
    for path in intact.keys().filter(|path| path.dir() == Dir::Objects || path.as_str() == "a.json") {
        damage(&site.storage, path, Damage::Flipped);
    }
    assert_eq!(repair(site.storage.clone()).unwrap().objects.len(), 1);
    assert!(files(&site.storage) == intact);
}

/// A feed of an earlier version has no siblings beside its plain copies: that is no damage, and a recovery makes them.
#[test]
fn siblings_of_plain_copies_that_were_never_made_are_made_by_a_recovery() {
    let site = memory();
    published(&site);
    let intact = files(&site.storage);
    let made: Vec<FeedPath> = intact.keys().filter(|path| is_copy_sibling(path)).cloned().collect();
    made.iter().for_each(|path| damage(&site.storage, path, Damage::Removed));
    assert_eq!(site.feed().verify().unwrap().problems, []);
    assert_eq!(site.feed().recover().unwrap().rebuilt, made);
    assert!(files(&site.storage) == intact);
}

/// A sibling that would not be made is not made again either.
#[test]
fn a_damaged_sibling_goes_when_there_is_to_be_none() {
    let site = memory();
    published(&site);
    let siblings: Vec<FeedPath> = files(&site.storage).into_keys().filter(is_sibling).collect();
    siblings.iter().for_each(|path| damage(&site.storage, path, Damage::Flipped));
    let intact = site.feed().verify().unwrap().intact;
    assert_eq!(intact.map(Generation::get), Some(4), "readers get along without siblings");
    let off = Settings { compression: Compression::OFF, ..Settings::default() };
    let done = site.feed().with_settings(off).repair(&|_| {}).unwrap();
    assert_eq!((done.siblings_removed, done.verification.problems), (siblings, vec![]));
}

/// The generation that is named intact is, and every newer one is not.
#[test]
fn the_newest_intact_generation_is_found() {
    for number in 1..=4 {
        let site = memory();
        published(&site);
        let manifest = site.feed().manifest().unwrap();
        let history = |number| layout::history(Generation::new(number).unwrap());
        // All that generations from `number` on have brought.
        for entry in manifest.datasets.values().filter(|entry| entry.generation.get() >= number) {
            damage(&site.storage, &layout::object(&entry.sha256, &entry.ext), Damage::Emptied);
        }
        let first_broken =
            manifest.datasets.values().map(|entry| entry.generation.get()).filter(|&at| at >= number).min();
        let expected = first_broken.map(|broken| broken - 1);
        assert_eq!(site.feed().verify().unwrap().intact.map(Generation::get), expected.filter(|&number| number > 0));
        if let Some(expected) = expected.filter(|&number| number > 1) {
            damage(&site.storage, &history(expected), Damage::Emptied);
            assert_eq!(site.feed().verify().unwrap().intact.map(Generation::get), Some(expected - 1));
        }
    }
}

type Files = BTreeMap<FeedPath, Vec<u8>>;

/// Several things at once, so that a repair has much to do.
fn damaged<S: Storage + Clone>(site: &Site<S>) -> (Files, Files) {
    published(site);
    let intact = files(&site.storage);
    let objects = intact.keys().filter(|path| path.dir() == Dir::Objects && !is_sibling(path)).take(2);
    let siblings = intact.keys().filter(|path| is_sibling(path)).skip(3).take(2);
    let json = lastgood::protocol::name::Ext::json();
    let derived =
        [layout::plain_copy(&name("a"), &json), layout::last_update(), layout::history(Generation::new(4).unwrap())];
    for path in objects.chain(siblings).chain(&derived) {
        damage(&site.storage, path, Damage::Truncated);
    }
    (intact, files(&site.storage))
}

/// Whatever a repair that was disturbed has left: each file as it was or as it is to be, and the next one does the rest.
fn expect_repairable<S: Storage + Clone>(site: &Site<S>, (intact, damaged): &(Files, Files), context: &str) {
    for (path, bytes) in files(&site.storage) {
        assert!(bytes == intact[&path] || bytes == damaged[&path], "{context}: {path} is something else");
    }
    assert_eq!(repair(site.storage.clone()).unwrap().verification.problems, [], "{context}");
    assert!(files(&site.storage) == *intact, "{context}");
    site.expect_clean(context);
}

#[test]
fn dying_at_every_call() {
    let mut number = 0;
    loop {
        let site = memory();
        let states = damaged(&site);
        let dies = move |call: &Call<'_>| if call.number == number { Fate::Dies } else { Fate::Works };
        let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies);
        match catch_unwind(AssertUnwindSafe(|| repair(faulty))) {
            Ok(done) => {
                assert_eq!(done.unwrap().verification.problems, []);
                assert!(number > 100, "only {number} calls");
                return;
            }
            Err(panic) => assert!(panic.is::<Died>(), "another panic"),
        }
        expect_repairable(&site, &states, &format!("died at {number}"));
        number += 1;
    }
}

#[test]
fn failing_at_every_call() {
    every_call_fails(memory, 1);
    // Each commit waits for the disk.
    every_call_fails(posix, 7);
}

fn every_call_fails<S: Storage + Clone>(site: impl Fn() -> Site<S>, step: usize) {
    for fate in [Fate::Fails, Fate::FailsAfterwards] {
        let mut number = 0;
        loop {
            let site = site();
            let states = damaged(&site);
            let fails = move |call: &Call<'_>| if call.number == number { fate } else { Fate::Works };
            let faulty = Faulty::new(site.storage.clone(), Death::Unwind, fails);
            // What cannot be read is reported as a problem, or ends it: either way nothing is lost.
            let result = repair(faulty.clone());
            if !faulty.struck() {
                assert_eq!(result.unwrap().verification.problems, []);
                break;
            }
            expect_repairable(&site, &states, &format!("call {number} {fate:?}"));
            number += step;
        }
        assert!(number > 100, "only {number} calls");
    }
}

/// Without the objects, plain copies and backups are the last that have some payloads: what takes their place keeps them.
#[test]
fn without_objects_nothing_is_lost_that_a_copy_still_has() {
    type Act = (&'static str, fn(&Feed<PosixStorage>));
    let acts: [Act; 8] = [
        ("a publish", |feed| drop(feed.publish(vec![Item::new(name("a"), &b"[9]"[..])]).unwrap())),
        ("a rollback", |feed| drop(feed.rollback(&[name("a")], None).unwrap())),
        ("a removal", |feed| drop(feed.remove(&[name("a")]).unwrap())),
        ("a purge", |feed| drop(feed.purge(&name("a"), Purge::Generation(Generation::FIRST)).unwrap())),
        ("gc", |feed| drop(feed.gc(&Retention::default()).unwrap())),
        ("a lock", |feed| feed.hold(&[name("a")]).unwrap().release().unwrap()),
        ("a recovery", |feed| drop(feed.recover().unwrap())),
        ("a repair", |feed| drop(feed.repair(&|_| {}).unwrap())),
    ];
    for (what, act) in acts {
        let site = posix();
        for round in 1..=3 {
            publish(site.storage.clone(), &[("a", round), ("b", round)]).unwrap();
        }
        std::fs::remove_dir_all(site.dir.as_ref().unwrap().path().join("objects")).unwrap();
        act(&site.feed());
        // Whatever comes next.
        publish(site.storage.clone(), &[("a", 7), ("b", 7)]).unwrap();
        for dataset in ["a", "b"] {
            let there = |round| site.storage.info(&object_of(dataset, round)).unwrap().is_some();
            assert_eq!([1, 2, 3].map(there), [false, true, true], "{what}: {dataset}");
        }
    }
}

fn object_of(dataset: &str, round: u32) -> FeedPath {
    layout::object(&Sha256::of(payload(dataset, round).as_bytes()), &"json".parse().unwrap())
}
