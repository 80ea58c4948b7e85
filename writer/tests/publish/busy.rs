//! A feed that is published faster than it can be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lastgood::Feed;
use lastgood::protocol::layout;
use lastgood::protocol::name::Ext;

use crate::faulty::{Death, Fate, Faulty};
use crate::site::{memory, name, publish, write};

/// A commit comes in between whenever a plain copy is read, many times in a row.
#[test]
fn commits_on_their_way_are_no_damage() {
    let site = memory();
    publish(site.storage.clone(), &[("a", 1), ("b", 1)]).unwrap();
    let copies = ["a", "b"].map(|dataset| layout::plain_copy(&name(dataset), &Ext::json()));
    let rounds = Arc::new(AtomicU32::new(2));
    let (storage, counted, watched) = (site.storage.clone(), Arc::clone(&rounds), copies[0].clone());
    let busy = Faulty::new(site.storage.clone(), Death::Unwind, move |call| {
        if call.is("open", &watched) && counted.load(Ordering::Relaxed) < 12 {
            let round = counted.fetch_add(1, Ordering::Relaxed);
            publish(storage.clone(), &[("a", round)]).unwrap();
        }
        Fate::Works
    });
    assert_eq!(Feed::on(busy.clone()).verify().unwrap().problems, []);
    assert_eq!(rounds.load(Ordering::Relaxed), 12, "all of them came in between");

    // What is damaged is found all the same.
    write(&site.storage, &copies[1], b"edited");
    rounds.store(2, Ordering::Relaxed);
    let problems = Feed::on(busy).verify().unwrap().problems;
    assert_eq!(problems.iter().map(|problem| &problem.path).collect::<Vec<_>>(), [&copies[1]]);
}
