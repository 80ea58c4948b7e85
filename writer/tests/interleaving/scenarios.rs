//! Who meets whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::{Config, Runner, thread};

use crate::actor::{Act, Log, Observer, PACKED, Round};
use crate::orders::{Orders, Waiting};
use crate::stepped::World;

/// Three generations: `a` was replaced, `b` was not.
const BEFORE: &[Round] = &[&[("a", 1), ("b", 1)], &[("a", 2)], &[("a", 3)]];

/// Two generations whose objects and plain copies have siblings.
const SIBLINGS: &[Round] = &[&[("a", PACKED)], &[("a", PACKED + 1)]];

/// Runs some tasks in every order with at most so many preemptions, and says how many orders that were.
fn explore(preemptions: usize, before: &'static [Round], acts: &'static [Act]) -> usize {
    explore_some(preemptions, before, acts.to_vec()).0
}

/// Also returns in how many orders a task has died.
fn explore_some(preemptions: usize, before: &'static [Round], acts: Vec<Act>) -> (usize, usize) {
    // For those who have more time.
    let more = std::env::var("LASTGOOD_TEST_PREEMPTIONS").map_or(0, |more| more.parse().expect("a number"));
    let waiting = Waiting::default();
    let orders = Orders::new(Some(preemptions + more), Arc::clone(&waiting));
    let deaths = Arc::new(AtomicUsize::new(0));
    let died = Arc::clone(&deaths);
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    let count = Runner::new(orders, config).run(move || {
        let observer = Arc::new(Observer::default());
        let looks = Arc::clone(&observer);
        let world = World::new(Arc::clone(&waiting), move |storage| looks.observe(storage));
        let log = Arc::new(Log::new(&world, before));
        let start = |&act: &Act| {
            let (storage, log) = (act.storage(&world, &acts), Arc::clone(&log));
            (act, thread::spawn(move || act.run(storage, &log)))
        };
        let tasks: Vec<_> = acts.iter().map(start).collect();
        let mut left = None;
        for (act, task) in tasks {
            if !task.join().unwrap() {
                died.fetch_add(1, Ordering::Relaxed);
                left = act.may_die_over();
            }
        }
        log.check(left, &observer);
    });
    (count, deaths.load(Ordering::Relaxed))
}

macro_rules! scenarios {
    ($($(#[$docs:meta])* $name:ident: $preemptions:literal, $before:expr, $acts:expr;)*) => {
        $($(#[$docs])* #[test] fn $name() {
            let orders = explore($preemptions, $before, $acts);
            println!("{}: {orders} orders", stringify!($name));
            assert!(orders > 20, "{orders}");
        })*
    };
}

scenarios! {
    publish_and_publish: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Publish(&[("a", 5), ("b", 5)])];
    /// One by one, the payloads are those of the other.
    publish_and_publish_of_the_same: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Publish(&[("a", 4)])];
    first_publish_and_first_publish: 2, &[], &[Act::Publish(&[("a", 1)]), Act::Publish(&[("b", 1)])];
    publish_and_gc: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Gc];
    /// The payload is one whose object is about to be collected (I6, I7).
    publish_of_garbage_and_gc: 2, BEFORE, &[Act::Publish(&[("a", 1)]), Act::Gc];
    publish_and_gc_and_gc: 1, BEFORE, &[Act::Publish(&[("a", 1)]), Act::Gc, Act::Gc];
    publish_and_rollback: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Rollback("a", None)];
    rollback_and_rollback: 2, BEFORE, &[Act::Rollback("a", None), Act::Rollback("a", None)];
    rollback_and_gc: 2, BEFORE, &[Act::Rollback("a", None), Act::Gc];
    /// The generation that it goes back to is about to be collected.
    rollback_to_garbage_and_gc: 2, BEFORE, &[Act::Rollback("a", Some(1)), Act::Gc];
    read_garbage_and_gc: 2, BEFORE, &[Act::ReadOld("a", 1), Act::Gc];
    publish_and_dry_run: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::GcDryRun];
    gc_and_gc: 2, BEFORE, &[Act::Gc, Act::Gc];
    gc_and_recover: 2, BEFORE, &[Act::Gc, Act::Recover];
    publish_and_verify: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Verify];
    gc_and_verify: 2, BEFORE, &[Act::Gc, Act::Verify];
    publish_and_recover: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Recover];
    publish_and_look: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Look];
    publish_and_publish_and_look: 1, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Publish(&[("a", 5)]), Act::Look];
    publish_and_repair: 2, BEFORE, &[Act::Publish(&[("a", 4)]), Act::Repair];
    remove_and_publish: 2, BEFORE, &[Act::Remove("a"), Act::Publish(&[("a", 4)])];
    remove_and_remove: 2, BEFORE, &[Act::Remove("a"), Act::Remove("a")];
    remove_and_rollback: 2, BEFORE, &[Act::Remove("a"), Act::Rollback("a", Some(2))];
    remove_and_gc: 2, BEFORE, &[Act::Remove("a"), Act::Gc];
    remove_and_recover: 2, BEFORE, &[Act::Remove("a"), Act::Recover];
    remove_and_verify: 2, BEFORE, &[Act::Remove("a"), Act::Verify];
    purge_and_publish: 2, BEFORE, &[Act::Purge("a", 2), Act::Publish(&[("a", 4)])];
    /// The payload is the one that is purged: either of them may be the last word.
    purge_and_publish_of_the_same: 2, BEFORE, &[Act::Purge("a", 2), Act::Publish(&[("a", 2)])];
    purge_and_publish_with_it_as_the_backup: 2, &[&[("a", 1)], &[("a", 2)]], &[Act::Purge("a", 1), Act::Publish(&[("a", 3)])];
    /// What it goes back to is purged meanwhile.
    purge_and_rollback: 2, BEFORE, &[Act::Purge("a", 2), Act::Rollback("a", None)];
    purge_and_gc: 2, BEFORE, &[Act::Purge("a", 1), Act::Gc];
    purge_and_purge: 2, BEFORE, &[Act::Purge("a", 1), Act::Purge("a", 2)];
    purge_and_purge_of_the_same: 2, BEFORE, &[Act::Purge("a", 2), Act::Purge("a", 2)];
    purge_and_recover: 2, BEFORE, &[Act::Purge("a", 2), Act::Recover];
    purge_and_repair: 2, BEFORE, &[Act::Purge("a", 2), Act::Repair];
    purge_and_verify: 2, BEFORE, &[Act::Purge("a", 2), Act::Verify];
    purge_and_read_of_it: 2, BEFORE, &[Act::Purge("a", 2), Act::ReadOld("a", 2)];
    purge_and_remove: 2, BEFORE, &[Act::Purge("a", 2), Act::Remove("a")];
    hold_and_publish: 2, BEFORE, &[Act::Hold(&["a"]), Act::Publish(&[("a", 4)])];
    hold_and_gc: 2, BEFORE, &[Act::Hold(&["a"]), Act::Gc];
    hold_and_publish_under_it: 1, BEFORE, &[Act::Hold(&["a"]), Act::PublishUnderLock(&[("a", 4)])];
    hold_and_publish_under_it_and_publish: 1, BEFORE,
        &[Act::Hold(&["a"]), Act::PublishUnderLock(&[("a", 4)]), Act::Publish(&[("a", 5)])];
    read_and_publish: 2, BEFORE, &[Act::Read(&["a", "b"], 2), Act::Publish(&[("a", 4), ("b", 4)])];
    read_and_gc: 2, BEFORE, &[Act::Read(&["a", "b"], 2), Act::GcPastReads];
    read_and_publish_and_gc: 1, BEFORE, &[Act::Read(&["a", "b"], 1), Act::Publish(&[("a", 4), ("b", 4)]), Act::GcPastReads];
    read_and_hold: 2, BEFORE, &[Act::Read(&["a", "b"], 2), Act::Hold(&["a"])];
    publish_with_siblings_and_verify: 1, SIBLINGS, &[Act::Publish(&[("a", PACKED + 2)]), Act::Verify];
    publish_with_siblings_and_recover: 1, SIBLINGS, &[Act::Publish(&[("a", PACKED + 2)]), Act::Recover];
    publish_with_siblings_and_gc: 1, SIBLINGS, &[Act::Publish(&[("a", PACKED + 2)]), Act::Gc];
    /// What is there for the large payload goes with it.
    publish_without_siblings_and_verify: 1, SIBLINGS, &[Act::Publish(&[("a", 2)]), Act::Verify];
    publish_without_siblings_and_remove: 1, SIBLINGS, &[Act::Publish(&[("a", 2)]), Act::Remove("a")];
    remove_with_siblings_and_verify: 1, SIBLINGS, &[Act::Remove("a"), Act::Verify];
}

/// A publisher that dies at any of its steps, beside someone who goes on at any of them.
fn one_dies_beside(preemptions: usize, name: &str, other: Act) {
    let (mut orders, mut steps) = (0, 0);
    loop {
        let (count, died) =
            explore_some(preemptions, BEFORE, vec![Act::PublishAndDie(&[("a", 4), ("b", 4)], steps), other]);
        orders += count;
        if died == 0 {
            break;
        }
        steps += 1;
    }
    println!("a publish that dies at one of {steps} steps, and {name}: {orders} orders");
    assert!(steps > 20, "{steps}");
}

#[test]
fn one_dies_beside_a_publish() {
    one_dies_beside(1, "a publish", Act::Publish(&[("a", 5)]));
}

#[test]
fn one_dies_beside_a_collection() {
    one_dies_beside(1, "gc", Act::Gc);
}

#[test]
fn one_dies_beside_a_recovery() {
    one_dies_beside(1, "recover", Act::Recover);
}

#[test]
fn one_dies_beside_a_lock() {
    one_dies_beside(0, "a lock", Act::Hold(&["a"]));
}

#[test]
fn one_dies_beside_a_look() {
    one_dies_beside(1, "a look whether it was restored", Act::Look);
}

#[test]
fn one_dies_beside_a_reader() {
    one_dies_beside(1, "a reader", Act::Read(&["a", "b"], 2));
}
