//! Another publisher between judging a payload and committing it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lastgood::protocol::name::DatasetName;
use lastgood::storage::MemoryStorage;
use lastgood::{Error, Feed, Guards, Item, Publication};

use crate::{broken, item, name};

/// Says when it has been read to its end.
struct Ending<'a>(&'a [u8], Arc<AtomicBool>);

impl Read for Ending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.0.read(buffer)?;
        self.1.store(size == 0, Ordering::Relaxed);
        Ok(size)
    }
}

/// Publishes `mine` with guards, and, after it has been prepared and before it has the lock, `theirs` without.
fn overtaken(first: &str, theirs: &'static str, mine: &str, force: bool) -> Result<Publication, Error> {
    let guards =
        Guards { max_shrink: Some("50%".parse().unwrap()), time_column: Some("t".into()), ..Guards::default() };
    let storage = MemoryStorage::new();
    Feed::on(storage.clone()).publish(vec![item(first)]).unwrap();
    let prepared = Arc::new(AtomicBool::new(false));
    let (other, ended) = (Feed::on(storage.clone()), Arc::clone(&prepared));
    let feed = Feed::on(storage).with_cancellation(move || {
        if ended.swap(false, Ordering::Relaxed) {
            other.publish(vec![item(theirs)]).unwrap();
        }
        false
    });
    let item = Item::new(name(), Ending(mine.as_bytes(), prepared)).guards(guards);
    let result = feed.publish(vec![if force { item.force() } else { item }]);
    let overtaken = feed.read_generation(&name(), 2.try_into().unwrap()).unwrap();
    assert_eq!(overtaken, theirs.as_bytes(), "the other publisher came in between");
    result
}

const ONE: &str = r#"[{"t":5}]"#;
const THREE: &str = r#"[{"t":3},{"t":4},{"t":5}]"#;

#[test]
fn a_guard_that_held_before_is_broken_under_the_lock() {
    assert_eq!(broken(overtaken(ONE, THREE, ONE, false)).0, ["guard-max-shrink"]);
    let (codes, message) = broken(overtaken(ONE, r#"[{"t":6}]"#, ONE, false));
    assert_eq!(codes, ["guard-time-column"]);
    assert!(message.contains("published 6"), "{message}");
    assert_eq!(overtaken(ONE, r#"[{"t":4}]"#, ONE, false).unwrap().generation.get(), 3);
}

#[test]
fn what_is_recorded_as_forced_is_what_was_overridden_in_the_end() {
    let forced = |first, theirs| overtaken(first, theirs, ONE, true).unwrap().datasets[0].forced.clone();
    assert_eq!(forced(ONE, THREE).as_deref(), Some("max_shrink"));
    assert_eq!(forced(THREE, r#"[{"t":4}]"#), None);
    assert_eq!(forced(THREE, r#"[{"t":6}]"#).as_deref(), Some("time_column"));
}

/// Of two datasets the guard of each is broken by what the other publisher has brought: both are told.
#[test]
fn under_the_lock_too_every_dataset_that_is_refused_is_told() {
    let guards = Guards { max_shrink: Some("50%".parse().unwrap()), ..Guards::default() };
    let other = || DatasetName::parse("other").unwrap();
    let storage = MemoryStorage::new();
    let publish = |payload: &'static str| {
        let items = [name(), other()].map(|dataset| Item::new(dataset, payload.as_bytes()));
        Feed::on(storage.clone()).publish(items.into()).unwrap();
    };
    publish(ONE);
    let prepared = Arc::new(AtomicBool::new(false));
    let mine = Item::new(other(), Ending(ONE.as_bytes(), Arc::clone(&prepared))).guards(guards.clone());
    let theirs = storage.clone();
    let feed = Feed::on(storage.clone()).with_cancellation(move || {
        if prepared.swap(false, Ordering::Relaxed) {
            let items = [name(), other()].map(|dataset| Item::new(dataset, THREE.as_bytes()));
            Feed::on(theirs.clone()).publish(items.into()).unwrap();
        }
        false
    });
    let refused = feed.publish(vec![item(ONE).guards(guards), mine]).unwrap_err();
    let Error::Several { refusals } = &refused else { panic!("{refused}") };
    assert_eq!(refusals.iter().map(Error::code).collect::<Vec<_>>(), ["guard-max-shrink"; 2]);
    assert_eq!(feed.manifest().unwrap().generation.get(), 2, "nothing of it was published");
}
