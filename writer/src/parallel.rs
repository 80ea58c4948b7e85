//! Work on several threads.

use std::num::NonZero;
use std::sync::PoisonError;
use std::thread::available_parallelism;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, scope, spawn};

/// How many threads are of use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// Does `work` for each item, on so many threads, and returns the results in the order of the items.
pub(crate) fn map<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut results = scope(|scope| {
        // Without further threads this one does it all.
        let others: Vec<_> = (1..threads.min(items.len())).filter_map(|_| spawn(scope, share)).collect();
        let mut results = share();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Does all jobs on so many threads, or fails with the error of one of them and begins no further one.
pub(crate) fn all_or_none<J: Send, E: Send>(
    threads: usize,
    jobs: Vec<J>,
    work: impl Fn(J) -> Result<(), E> + Sync,
) -> Result<(), E> {
    struct Queue<J, E> {
        jobs: std::vec::IntoIter<J>,
        failure: Option<E>,
    }
    let threads = threads.min(jobs.len());
    let queue = Mutex::new(Queue { jobs: jobs.into_iter(), failure: None });
    let locked = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let next = || {
        let mut queue = locked();
        if queue.failure.is_none() { queue.jobs.next() } else { None }
    };
    let share = || {
        while let Some(job) = next() {
            if let Err(error) = work(job) {
                // One error is enough: success is said of all or of none.
                locked().failure.get_or_insert(error);
            }
        }
    };
    scope(|scope| {
        for _ in 1..threads {
            // Without further threads this one does it all.
            let _ = spawn(scope, share);
        }
        share();
    });
    queue.into_inner().unwrap_or_else(PoisonError::into_inner).failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::sync::model::{every_order, many_orders};

    /// In every order of the threads.
    #[test]
    fn results_come_in_the_order_of_the_items() {
        for (threads, count) in [(1, 3), (2, 0), (2, 1), (2, 3)] {
            every_order(move || {
                let items: Vec<u64> = (0..count).collect();
                assert!(map(threads, &items, |item| item * 2).into_iter().eq((0..count).map(|item| item * 2)));
            });
        }
    }

    /// In every order of two threads, and in many of three: success is said when every job was done, once each; an error is one that a job had,
    /// it is never lost, and what has begun has ended.
    #[test]
    fn success_is_said_of_all_jobs_or_of_none() {
        for (threads, jobs) in [(1, 3), (2, 0), (2, 1), (2, 2), (3, 4)] {
            for failing in 0..1_u32 << jobs {
                let body = move || {
                    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
                    let done = all_or_none(threads, (0..jobs).collect(), |job: u32| {
                        begun.fetch_add(1 << (8 * job), Ordering::Relaxed);
                        shuttle::thread::yield_now();
                        ended.fetch_add(1 << (8 * job), Ordering::Relaxed);
                        if failing & (1 << job) == 0 { Ok(()) } else { Err(job) }
                    });
                    let (begun, ended) = (begun.into_inner(), ended.into_inner());
                    assert_eq!(begun, ended, "a job goes on after the end");
                    let each = (0..jobs).fold(0, |each, job| each | 1 << (8 * job));
                    assert_eq!(begun & !each, 0, "a job was done twice");
                    match done {
                        Ok(()) => assert_eq!((failing, begun), (0, each)),
                        Err(job) => assert_ne!(failing & (1 << job), 0, "an error that no job had"),
                    }
                };
                if threads < 3 {
                    let orders = every_order(body);
                    assert!(threads.min(jobs as usize) < 2 || orders > 10, "{orders}");
                } else {
                    many_orders(200, body);
                }
            }
        }
    }
}
