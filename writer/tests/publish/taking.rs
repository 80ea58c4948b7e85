//! Withdrawing and purging through the library: what is noted, for how long, and what is refused.

use std::io::Write;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout::{self, Encoding};
use lastgood::protocol::manifest::{Generation, MAX_PURGED, MAX_WITHDRAWN};
use lastgood::protocol::name::Ext;
use lastgood::storage::{MemoryStorage, Storage};
use lastgood::{Error, NoPurge, NoRollback, Purge, Retention};

use crate::faulty::{Call, Death, Fate, Faulty};
use crate::site::{ARTIFACT, Round, SCHEMA, Site, feed, manifest, memory, name, payload, publish, write};

fn published(rounds: &[Round<'_>]) -> Site<MemoryStorage> {
    let site = memory();
    for round in rounds {
        publish(site.storage.clone(), round).unwrap();
    }
    site
}

fn digest(dataset: &str, round: u32) -> Sha256 {
    Sha256::of(payload(dataset, round).as_bytes())
}

fn generation(number: u64) -> Purge {
    Purge::Generation(Generation::new(number).unwrap())
}

/// Under a clock that is later at every look, the times tell which was noted first.
#[test]
fn the_latest_withdrawals_are_remembered() {
    let site = memory();
    let names: Vec<_> = (0..MAX_WITHDRAWN + 2).map(|number| name(&format!("d{number}"))).collect();
    let items = names.iter().map(|name| lastgood::Item::new(name.clone(), &b"1"[..]));
    let feed = feed(site.storage.clone(), false);
    feed.publish(items.collect()).unwrap();
    for name in &names {
        feed.remove(std::slice::from_ref(name)).unwrap();
    }
    let last = manifest(&site.storage).unwrap();
    assert_eq!(last.withdrawn.len(), MAX_WITHDRAWN);
    assert_eq!((last.withdrawn.get(&names[1]), last.withdrawn.get(&names[2]).is_some()), (None, true));
}

#[test]
fn when_the_list_of_what_was_purged_is_full_the_first_that_nothing_names_leave_it() {
    let site = published(&[&[("a", 1)], &[("a", 2)]]);
    let feed = feed(site.storage.clone(), true);
    feed.purge(&name("a"), generation(1)).unwrap();
    // As many as there is room for, of which nothing knows.
    let mut full = manifest(&site.storage).unwrap();
    for number in 0..MAX_PURGED - 1 {
        full.purged.insert(Sha256::of(&number.to_be_bytes()), full.published_at);
    }
    for path in [layout::manifest(), layout::history(full.generation)] {
        write(&site.storage, &path, &full.encode());
    }
    publish(site.storage.clone(), &[("a", 3)]).unwrap();
    feed.purge(&name("a"), generation(2)).unwrap();
    let now = manifest(&site.storage).unwrap();
    assert_eq!(now.purged.len(), MAX_PURGED);
    let is_noted = |sha256| now.purged.get(&sha256).is_some();
    assert!(is_noted(digest("a", 1)) && is_noted(digest("a", 2)), "a retained generation names them");
    assert!(!is_noted(Sha256::of(&0_usize.to_be_bytes())) && is_noted(Sha256::of(&1_usize.to_be_bytes())));
    site.expect_clean("purged");
}

#[test]
fn when_all_that_was_purged_is_named_the_next_is_refused_with_the_way_out() {
    let site = memory();
    let feed = feed(site.storage.clone(), false);
    let item = |number: usize| lastgood::Item::new(name("a"), std::io::Cursor::new(number.to_string()));
    for number in 0..MAX_PURGED + 2 {
        feed.publish(vec![item(number)]).unwrap();
    }
    let all = Purge::AllBefore(Generation::new(MAX_PURGED as u64 + 2).unwrap());
    let refused = feed.purge(&name("a"), all).unwrap_err();
    assert!(matches!(&refused, Error::Limit(problem) if problem.contains("lastgood gc --keep N")), "{refused}");
    assert!(manifest(&site.storage).unwrap().purged.is_empty());
    feed.gc(&Retention { keep: 10, grace: std::time::Duration::ZERO }).unwrap();
    assert_eq!(feed.purge(&name("a"), all).unwrap().digests.len(), 9);
    site.expect_clean("purged");
}

/// Whatever has the name of a plain copy's sibling and gives what was purged goes, and nothing else.
#[test]
fn what_gives_it_when_it_is_decompressed_is_purged_too() {
    let site = published(&[&[("a", 1)], &[("a", 2)]]);
    let packed = |payload: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(payload).unwrap();
        encoder.finish().unwrap()
    };
    let sibling = |dataset| layout::copy_sibling(&name(dataset), &Ext::json(), Encoding::Gzip);
    let [old, other, none] = ["b", "c", "d"].map(sibling);
    write(&site.storage, &old, &packed(payload("a", 1).as_bytes()));
    write(&site.storage, &other, &packed(b"[]"));
    write(&site.storage, &none, b"this is not compressed");
    let purged = feed(site.storage.clone(), true).purge(&name("a"), generation(1)).unwrap();
    assert!(purged.removal.removed.contains(&old), "{:?}", purged.removal);
    assert_eq!(purged.removal.left, [""; 0]);
    let is_there = |path| site.storage.info(path).unwrap().is_some();
    assert_eq!([&old, &other, &none].map(is_there), [false, true, true]);
    // It may come back with an old copy of the directory.
    write(&site.storage, &old, &packed(payload("a", 1).as_bytes()));
    let problems = site.feed().verify().unwrap().problems;
    assert_eq!(problems.iter().map(|problem| &problem.path).collect::<Vec<_>>(), [&old]);
    assert_eq!(site.feed().recover().unwrap().purged, [old]);
}

/// A rollback has its bytes in staging when they are purged: it is refused under the lock, and they do not come back.
#[test]
fn a_rollback_that_is_being_prepared_does_not_bring_it_back() {
    let site = published(&[&[("a", 1)], &[("a", 2)]]);
    let (other, purged) = (site.storage.clone(), std::sync::atomic::AtomicBool::new(false));
    let meanwhile = move |call: &Call<'_>| {
        let opens = call.operation == "open" && call.path.is_some_and(|path| path.as_str().starts_with("objects/"));
        if opens && !purged.swap(true, std::sync::atomic::Ordering::Relaxed) {
            // The file is open by the time it is removed.
            feed(other.clone(), true).purge(&name("a"), generation(1)).unwrap();
            return Fate::Works;
        }
        Fate::Works
    };
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, meanwhile);
    let refused = feed(faulty, true).rollback(&[name("a")], None).unwrap_err();
    assert!(matches!(refused, Error::NoRollback { .. }), "{refused}");
    assert_eq!(site.generation(), 3);
    site.expect_clean("refused");
}

/// The same when the payload was purged between the last look and the lock.
#[test]
fn it_is_looked_at_again_under_the_lock() {
    let before_the_lock = |act: fn(MemoryStorage), round: Round<'_>| {
        let site = published(&[&[("a", 1)], &[("a", 2)]]);
        let (other, done) = (site.storage.clone(), std::sync::atomic::AtomicBool::new(false));
        let meanwhile = move |call: &Call<'_>| {
            if call.operation == "try_lock" && !done.swap(true, std::sync::atomic::Ordering::Relaxed) {
                act(other.clone());
            }
            Fate::Works
        };
        let _ = round;
        (Faulty::new(site.storage.clone(), Death::Unwind, meanwhile), site)
    };
    let purge_first = |storage| drop(feed(storage, true).purge(&name("a"), generation(1)).unwrap());
    let (faulty, site) = before_the_lock(purge_first, &[]);
    let refused = feed(faulty, true).rollback(&[name("a")], None).unwrap_err();
    assert!(matches!(&refused, Error::NoRollback { reason: NoRollback::Purged { .. }, .. }), "{refused}");
    site.expect_clean("the rollback was refused");

    let publish_first = |storage| drop(publish(storage, &[("a", 1)]).unwrap());
    let (faulty, site) = before_the_lock(publish_first, &[]);
    let refused = feed(faulty, true).purge(&name("a"), generation(1)).unwrap_err();
    assert!(matches!(&refused, Error::NoPurge { reason: NoPurge::Published { .. }, .. }), "{refused}");
    site.expect_clean("the purge was refused");

    let remove_first = |storage| drop(feed(storage, true).remove(&[name("a")]).unwrap());
    let (faulty, site) = before_the_lock(remove_first, &[]);
    let refused = feed(faulty, true).remove(&[name("a")]).unwrap_err();
    assert!(matches!(&refused, Error::NotPublished { .. }), "{refused}");
    assert_eq!(site.generation(), 3);
}

#[test]
fn a_schema_that_was_purged_is_not_brought_back_either() {
    let site = published(&[&[("a", SCHEMA + 1)], &[("a", 2)]]);
    let first = site.storage.read(&layout::history(Generation::FIRST), 9999).unwrap().unwrap();
    let first = lastgood::protocol::manifest::Manifest::verify(&first).unwrap();
    let schema = first.datasets[&name("a")].schema.clone().unwrap().sha256;
    feed(site.storage.clone(), true).purge(&name("a"), Purge::Sha256(schema)).unwrap();
    site.expect_clean("purged");
    let refused = feed(site.storage.clone(), true).rollback(&[name("a")], None).unwrap_err();
    assert!(matches!(&refused, Error::NoRollback { reason: NoRollback::Purged { .. }, .. }), "{refused}");
    // It is published again with a payload that has it.
    publish(site.storage.clone(), &[("a", SCHEMA + 1)]).unwrap();
    assert!(manifest(&site.storage).unwrap().purged.is_empty());
    site.expect_clean("published again");
}

/// What has the digest goes, whatever the extension that it was published with.
#[test]
fn the_extension_does_not_matter() {
    let site = memory();
    let feed = feed(site.storage.clone(), true);
    let item = |dataset, ext: &str| lastgood::Item::new(name(dataset), &b"[4111]"[..]).artifact(ext.parse().unwrap());
    feed.publish(vec![item("a", "csv"), item("b", "json")]).unwrap();
    publish(site.storage.clone(), &[("a", ARTIFACT), ("b", 2)]).unwrap();
    let purged = feed.purge(&name("a"), generation(1)).unwrap();
    let mut removed: Vec<&str> = purged.removal.removed.iter().map(|path| path.file_name()).collect();
    removed.sort_unstable();
    let object = Sha256::of(b"[4111]").to_string();
    assert_eq!(removed, [&format!("{object}.csv"), &format!("{object}.json"), "a_backup.csv", "b_backup.json"]);
    assert_eq!(purged.removal.bytes, 4 * 6);
    site.expect_clean("purged");
}

/// What is published again is the backup of whoever had it, as before it was purged; also when the publisher dies over it.
#[test]
fn what_is_published_again_is_a_backup_again() {
    let same = |dataset| lastgood::Item::new(name(dataset), &b"[4111]"[..]);
    let prepared = || {
        let site = memory();
        let feed = feed(site.storage.clone(), true);
        feed.publish(vec![same("a"), same("b")]).unwrap();
        publish(site.storage.clone(), &[("a", 2), ("b", 2)]).unwrap();
        feed.purge(&name("a"), generation(1)).unwrap();
        site
    };
    let backup = layout::backup(&name("b"), &"json".parse().unwrap());
    for number in 0.. {
        let site = prepared();
        let dies = move |call: &Call<'_>| if call.number == number { Fate::Dies } else { Fate::Works };
        let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies);
        let dying = std::panic::AssertUnwindSafe(|| feed(faulty, true).publish(vec![same("a")]));
        if let Ok(published) = std::panic::catch_unwind(dying) {
            published.unwrap();
            assert!(number > 30, "only {number} calls");
            assert_eq!(site.storage.read(&backup, 99).unwrap().unwrap(), b"[4111]");
            site.expect_clean("published again");
            return;
        }
        publish(site.storage.clone(), &[("c", 1)]).unwrap();
        site.expect_clean(&format!("died at {number}"));
    }
}

/// A damaged manifest may name anything.
#[test]
fn all_before_a_generation_needs_the_whole_history() {
    let site = published(&[&[("a", 1)], &[("a", 2)], &[("a", 3)]]);
    write(&site.storage, &layout::history(Generation::FIRST), b"damaged");
    let feed = feed(site.storage.clone(), true);
    let all = Purge::AllBefore(Generation::new(3).unwrap());
    assert_eq!(feed.purge(&name("a"), all).unwrap_err().code(), "damaged");
    assert_eq!(feed.purge(&name("a"), generation(1)).unwrap_err().code(), "damaged");
    assert_eq!(feed.purge(&name("a"), generation(2)).unwrap().digests, [digest("a", 2)]);
}
