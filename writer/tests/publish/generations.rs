//! Generations never come again, whatever of the feed is damaged, missing or restored (I5).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::id::CommitId;
use lastgood::protocol::layout::{self, Dir};
use lastgood::protocol::manifest::{Generation, Manifest};
use lastgood::storage::{PosixStorage, Storage};
use lastgood::{Error, OldCopy, Purge};

use crate::faulty::{Call, Death, Fate, Faulty};
use crate::site::{Commit, Payloads, Site, after, manifest, memory, name, payload, posix, publish, write};

type Posix = Site<PosixStorage>;

/// The published generation of each feed that readers have met.
#[derive(Default)]
struct Readers(BTreeMap<String, (Generation, CommitId)>);

impl Readers {
    /// They look at what is published. False when they refuse it, as older than what they have.
    fn look<S: Storage + Clone>(&mut self, site: &Site<S>) -> bool {
        let Some(Manifest { feed, generation, commit, .. }) = manifest(&site.storage) else { return false };
        let seen = self.0.entry(feed.to_string()).or_insert((generation, commit));
        assert!(seen.0 != generation || seen.1 == commit, "generation {generation} came again with another commit");
        let newer = generation >= seen.0;
        if newer {
            *seen = (generation, commit);
        }
        newer
    }
}

fn dir(site: &Posix) -> &Path {
    site.dir.as_ref().unwrap().path()
}

/// Five generations, each of which readers have seen.
fn published(readers: &mut Readers) -> Posix {
    let site = posix();
    for round in 1..=5 {
        publish(site.storage.clone(), &[("a", round)]).unwrap();
        assert!(readers.look(&site));
    }
    site
}

fn history(generation: u64) -> String {
    format!("history/{generation}.json")
}

/// The public files as they were at a generation, put over what is there.
fn put_back(site: &Posix, generation: u64) {
    fs::copy(dir(site).join(history(generation)), dir(site).join("manifest.json")).unwrap();
    for later in generation + 1..=5 {
        let _ = fs::remove_file(dir(site).join(history(later)));
    }
}

fn remove(site: &Posix, path: &str) {
    let path = dir(site).join(path);
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn damage(site: &Posix, path: &str) {
    fs::write(dir(site).join(path), "damaged").unwrap();
}

/// Goes on with a feed as messages tell, and returns what was published then.
fn go_on<S: Storage + Clone>(site: &Site<S>, readers: &mut Readers, new_feed: bool) -> Manifest {
    readers.look(site);
    match publish(site.storage.clone(), &[("a", 7)]) {
        Ok(_) => {}
        Err(Error::OldCopy { old_copy, .. }) => {
            assert_eq!(site.feed().old_copy().unwrap(), Some(old_copy));
            assert_eq!(site.feed().status().unwrap().old_copy, Some(old_copy));
            assert_eq!(site.feed().verify().unwrap().old_copy, Some(old_copy));
            assert!(
                site.feed().gc(&lastgood::Retention::default()).is_err() && site.feed().hold(&[name("a")]).is_err()
            );
            assert_eq!(site.feed().recover().unwrap().old_copy, Some(old_copy));
            let feed = manifest(&site.storage).unwrap().feed;
            if new_feed {
                assert_ne!(site.feed().recover_as_new_feed().unwrap().1.feed, feed);
            } else {
                assert_eq!(site.feed().recover_accepting_older().unwrap().1.unwrap().feed, feed);
            }
            assert_eq!(site.feed().old_copy().unwrap(), None);
            assert!(readers.look(site), "readers take what was decided");
            publish(site.storage.clone(), &[("a", 7)]).unwrap();
        }
        Err(error) => panic!("{error}"),
    }
    assert!(readers.look(site), "readers take what is published then");
    assert_eq!(site.feed().read(&name("a")).unwrap().value, payload("a", 7).into_bytes());
    manifest(&site.storage).unwrap()
}

/// Everything that may be gone or damaged, several at a time: whatever it is, no reader meets a generation twice.
#[test]
fn whatever_is_damaged_no_generation_comes_again() {
    type Harm = (&'static str, fn(&Posix));
    let harms: [Harm; 11] = [
        ("the old public files are put back", |site| put_back(site, 3)),
        ("the public files of the generation before are put back", |site| put_back(site, 4)),
        ("the manifest is damaged", |site| damage(site, "manifest.json")),
        ("the newest copy in the history is damaged", |site| damage(site, &history(5))),
        ("the newest copies in the history are gone", |site| {
            (4..=5).for_each(|generation| remove(site, &history(generation)));
        }),
        ("history/ is gone", |site| remove(site, "history")),
        ("the mark is gone", |site| (0..2).for_each(|place| remove(site, &format!(".lastgood/mark.{place}")))),
        ("one place of the mark is damaged", |site| damage(site, ".lastgood/mark.0")),
        ("the other place of the mark is damaged", |site| damage(site, ".lastgood/mark.1")),
        ("the log is gone", |site| remove(site, ".lastgood/operations.jsonl")),
        (".lastgood/ is gone", |site| remove(site, ".lastgood")),
    ];
    let mut gone_on = 0;
    for mask in 1_u32..1 << harms.len() {
        let chosen: Vec<&Harm> =
            harms.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, harm)| harm).collect();
        let names: Vec<&str> = chosen.iter().map(|(name, _)| *name).collect();
        let clashes = [(0, 1), (0, 4), (1, 4)];
        let both = |(one, other): &(u32, u32)| mask >> one & 1 == 1 && mask >> other & 1 == 1;
        let private = mask >> 10 & 1 == 1 && mask >> 6 & 0b1111 != 0;
        let marks = mask >> 6 & 1 == 1 && mask >> 7 & 0b11 != 0;
        if chosen.len() > 3 || clashes.iter().any(both) || private || marks {
            continue;
        }
        // Where all that knew is gone, the public files that were put back are all that there is: nobody can tell.
        let nothing_tells = |knowers: &[u32]| knowers.iter().all(|bit| mask >> bit & 1 == 1);
        if mask & 0b11 != 0 && mask >> 2 & 1 == 0 && (nothing_tells(&[10]) || nothing_tells(&[6, 9])) {
            continue;
        }
        let mut readers = Readers::default();
        let site = published(&mut readers);
        chosen.iter().for_each(|(_, harm)| harm(&site));
        let context = names.join("; ");
        let usable = || site.feed().manifest().is_ok();
        if !usable() {
            assert!(
                publish(site.storage.clone(), &[("a", 6)]).is_err(),
                "{context}: it was published into a damaged feed"
            );
            if let Err(error) = site.feed().recover() {
                assert!(error.to_string().contains("lastgood recover --new-feed"), "{context}: {error}");
                site.feed().recover_as_new_feed().unwrap_or_else(|error| panic!("{context}: {error}"));
            }
        }
        eprintln!("{context}");
        go_on(&site, &mut readers, mask % 2 == 0);
        gone_on += 1;
    }
    assert!(gone_on > 90, "{gone_on}");
}

#[test]
fn an_old_copy_is_gone_on_with_above_all_generations() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    put_back(&site, 3);
    assert!(!readers.look(&site), "readers that have seen later generations refuse it");
    let refused = publish(site.storage.clone(), &[("a", 6)]).unwrap_err();
    let number = |number| Generation::new(number).unwrap();
    let old_copy = OldCopy { published: number(3), known: number(5) };
    assert!(matches!(&refused, Error::OldCopy { old_copy: found, .. } if *found == old_copy), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("--accept-older") && text.contains("--new-feed"), "{text}");
    assert_eq!(site.generation(), 3, "nothing is guessed");

    let before = manifest(&site.storage).unwrap();
    let (recovery, publication) = site.feed().recover_accepting_older().unwrap();
    assert_eq!(recovery.old_copy, Some(old_copy));
    let accepted = manifest(&site.storage).unwrap();
    assert_eq!(publication.unwrap().generation, accepted.generation);
    assert_eq!((accepted.generation, accepted.previous, accepted.feed), (number(6), Some(number(3)), before.feed));
    assert_eq!(accepted.datasets, before.datasets);
    assert!(readers.look(&site));
    site.expect_readable(&after(&Payloads::new(), &[("a", 3)]), "accepted");
    site.expect_clean("accepted");
    // Once it is decided there is nothing more to be decided.
    assert_eq!(site.feed().recover_accepting_older().unwrap().1, None);
    publish(site.storage.clone(), &[("a", 6)]).unwrap();
    site.expect_clean("published");
    // The payload before is that of the old copy, also where the number before is nobody's.
    site.feed().rollback(&[name("a")], None).unwrap();
    assert_eq!(site.feed().read(&name("a")).unwrap().value, payload("a", 3).into_bytes());
    site.expect_clean("rolled back");
}

/// It dies at every call of accepting: it can be done again, and no reader meets a generation twice.
#[test]
fn accepting_can_be_interrupted_anywhere() {
    let mut number = 0;
    loop {
        let site = memory();
        let mut readers = Readers::default();
        for round in 1..=3 {
            publish(site.storage.clone(), &[("a", round)]).unwrap();
            readers.look(&site);
        }
        let old = site.storage.read(&layout::history(Generation::FIRST), 9999).unwrap().unwrap();
        write(&site.storage, &layout::manifest(), &old);
        let dies = move |call: &Call<'_>| if call.number == number { Fate::Dies } else { Fate::Works };
        let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies);
        let accept = || Commit::AcceptOlder.run(faulty).unwrap();
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(accept)).is_ok() {
            assert!(number > 30, "{number}");
            return;
        }
        readers.look(&site);
        site.feed().recover_accepting_older().unwrap();
        assert!(readers.look(&site));
        publish(site.storage.clone(), &[("a", 4)]).unwrap();
        assert!(readers.look(&site));
        site.expect_clean("accepted after it died");
        number += 1;
    }
}

/// What an earlier version has left: no mark, but a log that knows.
#[test]
fn the_log_of_an_earlier_version_is_asked() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    put_back(&site, 2);
    (0..2).for_each(|place| remove(&site, &format!(".lastgood/mark.{place}")));
    assert_eq!(site.feed().old_copy().unwrap().unwrap().known.get(), 5);
    assert_eq!(go_on(&site, &mut readers, false).generation.get(), 7);
}

#[test]
fn where_nothing_tells_the_last_generation_it_is_another_feed() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    let feed = manifest(&site.storage).unwrap().feed;
    remove(&site, ".lastgood");
    remove(&site, &history(5));
    damage(&site, "manifest.json");
    let recovery = site.feed().recover().unwrap();
    let found = manifest(&site.storage).unwrap();
    assert!(recovery.manifest_restored && recovery.new_feed == Some(found.feed) && found.feed != feed);
    assert!(readers.look(&site));
    site.expect_readable(&after(&Payloads::new(), &[("a", 4)]), "as another feed");
    site.expect_clean("as another feed");
    go_on(&site, &mut readers, false);
}

/// Neither a manifest nor any copy of one, but a mark: it is begun anew, above all that there was.
#[test]
fn what_is_lost_altogether_is_begun_anew() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    remove(&site, "history");
    remove(&site, "manifest.json");
    for error in [
        publish(site.storage.clone(), &[("a", 6)]).unwrap_err(),
        site.feed().recover().unwrap_err(),
        site.feed().repair(&|_| {}).unwrap_err(),
        site.feed().status().unwrap_err(),
    ] {
        assert_eq!(error.code(), "damaged", "{error}");
        assert!(
            error.to_string().contains("generation 5") && error.to_string().contains("recover --new-feed"),
            "{error}"
        );
    }
    let (_, publication) = site.feed().recover_as_new_feed().unwrap();
    assert_eq!((publication.generation.get(), manifest(&site.storage).unwrap().datasets.len()), (6, 0));
    assert_eq!(go_on(&site, &mut readers, false).generation.get(), 7);
}

/// Whoever removed everything that is public wants a new feed; its generations are still above those that there were.
#[test]
fn a_feed_in_the_place_of_another_begins_above_it() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    let feed = manifest(&site.storage).unwrap().feed;
    for entry in fs::read_dir(dir(&site)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') {
            remove(&site, &name);
        }
    }
    let publication = publish(site.storage.clone(), &[("a", 9)]).unwrap();
    assert!(publication.created && publication.feed != feed && publication.generation.get() == 6);
    assert!(readers.look(&site));
    site.expect_clean("another feed");
    assert_eq!(site.storage.list(Dir::History).unwrap(), ["6.json"]);
}

/// Taking back is decided by whoever decides about the old copy, and by nobody before.
#[test]
fn nothing_is_taken_back_from_an_old_copy() {
    let mut readers = Readers::default();
    let site = published(&mut readers);
    let purge = |number| site.feed().purge(&name("a"), Purge::Generation(Generation::new(number).unwrap()));
    purge(1).unwrap();
    publish(site.storage.clone(), &[("a", 7)]).unwrap();
    put_back(&site, 6);
    remove(&site, &history(7));
    // It came back with the old copy, and its manifest knows of the purge.
    let object = layout::object(&Sha256::of(payload("a", 1).as_bytes()), &"json".parse().unwrap());
    write(&site.storage, &object, payload("a", 1).as_bytes());
    for refused in [purge(1).unwrap_err(), purge(2).unwrap_err(), site.feed().remove(&[name("a")]).unwrap_err()] {
        assert!(matches!(refused, Error::OldCopy { .. }), "{refused}");
    }
    assert!(site.storage.info(&object).unwrap().is_some() && site.generation() == 6, "nothing has changed");
    site.feed().recover_accepting_older().unwrap();
    assert!(site.storage.info(&object).unwrap().is_none(), "whoever decides finishes the purge");
    purge(2).unwrap();
    site.feed().remove(&[name("a")]).unwrap();
    let published = manifest(&site.storage).unwrap();
    assert_eq!((published.generation.get(), published.purged.len(), published.withdrawn.len()), (10, 2, 1));
    site.expect_clean("taken back");
}

/// A restored feed may lack directories; what was taken back stays so under another identity.
#[test]
fn what_is_missing_is_made_before_anything_is_taken_back() {
    let site = posix();
    publish(site.storage.clone(), &[("a", 1), ("b", 1)]).unwrap();
    publish(site.storage.clone(), &[("a", 2)]).unwrap();
    remove(&site, ".lastgood");
    site.feed().remove(&[name("b")]).unwrap();
    let purge = || site.feed().purge(&name("a"), Purge::Sha256(Sha256::of(payload("a", 1).as_bytes()))).unwrap();
    for publishes in [true, false] {
        remove(&site, ".lastgood");
        assert_eq!(purge().publication.is_some(), publishes);
    }
    let before = manifest(&site.storage).unwrap();
    remove(&site, ".lastgood");
    damage(&site, "manifest.json");
    assert!(site.feed().recover().unwrap().new_feed.is_some());
    let renewed = manifest(&site.storage).unwrap();
    assert_eq!((&renewed.withdrawn, &renewed.purged), (&before.withdrawn, &before.purged));
    assert!(!renewed.withdrawn.is_empty() && !renewed.purged.is_empty());
    site.expect_clean("as another feed");
}
