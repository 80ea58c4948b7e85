//! The operation log: each operation leaves one true record, and none fails because of it.

use lastgood::protocol::id::CommitId;
use lastgood::storage::{Rotation, Storage};
use lastgood::{Error, Item, Operation, Outcome, Publication, Record, Settings};
use proptest::prelude::*;

use crate::faulty::{Call, Death, Fate, Faulty, is_commit};
use crate::site::{Site, memory, name, payload, posix, publish};

/// The newest record.
fn last<S: Storage + Clone>(site: &Site<S>) -> Record {
    site.feed().operations().unwrap().remove(0)
}

fn count<S: Storage + Clone>(site: &Site<S>) -> usize {
    site.feed().operations().unwrap().len()
}

fn names(record: &Record) -> Vec<&str> {
    record.datasets.iter().map(|dataset| dataset.dataset.as_str()).collect()
}

#[test]
fn a_publish_is_recorded_with_what_it_published() {
    let site = posix();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let publication = publish(site.storage.clone(), &[("b", 2), ("a", 1)]).unwrap();
    assert_eq!(count(&site), 2);
    let record = last(&site);
    assert_eq!((record.operation, record.outcome), (Operation::Publish, Outcome::Done));
    assert_eq!((record.code.as_deref(), record.message.as_deref()), (None, None));
    let Publication { feed, generation, commit, published_at, .. } = publication;
    assert_eq!((record.feed, record.generation, record.commit), (Some(feed), Some(generation), Some(commit)));
    assert!(record.at > published_at, "it ended after its commit");
    assert_eq!(names(&record), ["b", "a"]);
    for (recorded, dataset) in record.datasets.iter().zip(&publication.datasets) {
        let told = (recorded.sha256, recorded.size, recorded.rows, recorded.changed);
        assert_eq!(told, (Some(dataset.sha256), Some(dataset.size), dataset.rows, Some(dataset.changed)));
    }
    assert_eq!(record.bytes, (payload("b", 2).len() + payload("a", 1).len()) as u64);
    assert_eq!((record.who.pid, record.version.as_str()), (std::process::id(), env!("CARGO_PKG_VERSION")));
    assert!(!record.who.user.is_empty() && !record.who.host.is_empty(), "{:?}", record.who);
    assert!(!record.recovered);
}

#[test]
fn a_refusal_is_recorded_with_its_code_and_message() {
    let site = posix();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let error = site.feed().publish(vec![Item::new(name("b"), &b"[1,NaN]"[..])]).unwrap_err();
    let record = last(&site);
    assert_eq!((record.operation, record.outcome), (Operation::Publish, Outcome::Refused));
    assert_eq!((record.code.as_deref(), record.message.as_deref()), (Some(error.code()), Some(&*error.to_string())));
    assert_eq!((record.generation, record.commit, record.bytes), (None, None, 0));
    assert_eq!(names(&record), ["b"]);
}

#[test]
fn a_failure_and_an_unknown_outcome_are_recorded_as_such() {
    let site = memory();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let failing = |fails: fn(&Call<'_>) -> bool| {
        let fates = move |call: &Call<'_>| if fails(call) { Fate::Fails } else { Fate::Works };
        publish(Faulty::new(site.storage.clone(), Death::Unwind, fates), &[("a", 2)]).unwrap_err()
    };
    failing(is_commit);
    let record = last(&site);
    assert_eq!((record.outcome, record.code.as_deref(), record.commit), (Outcome::Failed, Some("io"), None));
    // The sync after the commit.
    let committed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, move |call: &Call<'_>| {
        committed.fetch_or(is_commit(call), std::sync::atomic::Ordering::Relaxed);
        let after = committed.load(std::sync::atomic::Ordering::Relaxed) && call.operation == "sync";
        if after { Fate::Fails } else { Fate::Works }
    });
    let Err(Error::Unknown { generation, commit, .. }) = publish(faulty, &[("a", 2)]) else { panic!("it is known") };
    let record = last(&site);
    assert_eq!((record.outcome, record.code.as_deref()), (Outcome::Unknown, Some("outcome-unknown")));
    assert_eq!((record.generation, record.commit), (Some(generation), Some(commit)));
}

#[test]
fn recovery_is_recorded_by_itself_and_as_part_of_a_publish() {
    let site = posix();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    site.feed().recover().unwrap();
    let record = last(&site);
    assert_eq!((record.operation, record.outcome), (Operation::Recover, Outcome::Done));
    assert_eq!((record.generation.map(|generation| generation.get()), record.recovered), (Some(1), false));
    let dies = |call: &Call<'_>| if is_commit(call) { Fate::Dies } else { Fate::Works };
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, dies);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| publish(faulty, &[("a", 2)])));
    assert!(died.is_err());
    assert_eq!(count(&site), 2, "the dead write nothing");
    publish(site.storage.clone(), &[("a", 2)]).unwrap();
    assert!(last(&site).recovered);
}

#[test]
fn a_log_that_cannot_be_written_fails_nothing() {
    let site = memory();
    let unwritable = |call: &Call<'_>| if call.operation == "append_to_log" { Fate::Fails } else { Fate::Works };
    let faulty = Faulty::new(site.storage.clone(), Death::Unwind, unwritable);
    assert_eq!(publish(faulty.clone(), &[("a", 1)]).unwrap().warnings, [""; 0]);
    assert!(faulty.struck());
    assert_eq!(count(&site), 0);
    site.expect_clean("without a log");
}

#[test]
fn nothing_is_recorded_when_that_is_not_wanted_or_where_there_is_no_feed() {
    let site = posix();
    assert_eq!(site.feed().recover().unwrap_err().code(), "no-feed");
    assert_eq!(count(&site), 0);
    let settings = Settings { operation_log: false, ..Settings::default() };
    let feed = site.feed().with_settings(settings);
    feed.publish(vec![Item::new(name("a"), &b"1"[..])]).unwrap();
    feed.log(&Record::new(Operation::Gc, feed.manifest().unwrap().published_at));
    assert_eq!(count(&site), 0);
    assert!(!site.dir.unwrap().path().join(".lastgood/operations.jsonl").exists());
}

/// What is not a record is passed over: a torn line, what somebody wrote into it, an operation of a later version.
#[test]
fn the_log_is_read_as_far_as_it_can_be() {
    let site = memory();
    let publication = publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let rotation = Rotation { max_bytes: 1 << 20, older: 3 };
    let mut later = serde_json::to_value(last(&site)).unwrap();
    later["operation"] = "teleport".into();
    later["new_member"] = 1.into();
    for line in ["{\"at\":\"2026-1", "", "hello", &later.to_string()] {
        site.storage.append_to_log(line, rotation).unwrap();
    }
    let records = site.feed().operations().unwrap();
    let operations: Vec<Operation> = records.iter().map(|record| record.operation).collect();
    assert_eq!(operations, [Operation::Other, Operation::Publish]);
    assert_eq!(records[0].commit, Some(publication.commit));
}

#[test]
fn a_long_message_is_cut() {
    let site = memory();
    publish(site.storage.clone(), &[("a", 1)]).unwrap();
    let mut record = last(&site);
    record.failed(&Error::Limit("ä".repeat(5000)));
    assert_eq!(record.message.unwrap().chars().count(), 2000);
}

proptest! {
    /// A record with any text in it is one line, and comes back as it was.
    #[test]
    fn any_record_is_one_line(user in any::<String>(), message in any::<String>(), bytes: u64, commit: [u8; 16]) {
        let site = memory();
        publish(site.storage.clone(), &[("a", 1)]).unwrap();
        let mut record = last(&site);
        record.who.user = user;
        record.message = Some(message);
        record.bytes = bytes;
        record.commit = Some(CommitId::from_random(commit));
        site.feed().log(&record);
        prop_assert_eq!(count(&site), 2);
        prop_assert_eq!(last(&site), record);
    }
}
