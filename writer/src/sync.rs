//! What threads share, and threads that may share it.
//!
//! In this crate's unit tests a model checker takes its place (shuttle): what is built on it runs there in every order of
//! its threads, or in very many. Integration tests run on the real thing.

#[cfg(not(test))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic, mpsc},
    thread::{Scope, ScopedJoinHandle, scope},
};

#[cfg(test)]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard, atomic, mpsc},
    thread::{Scope, ScopedJoinHandle, scope},
};

/// Starts a thread, if the system has one to give.
pub(crate) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    #[cfg(not(test))]
    return std::thread::Builder::new().spawn_scoped(scope, work).ok();
    #[cfg(test)]
    return Some(scope.spawn(work));
}

/// Runs what is built on this module under the model checker. It fails when a thread panics or all wait for ever, and
/// prints how to run that order again.
#[cfg(test)]
pub(crate) mod model {
    use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
    use shuttle::{Config, Runner};

    /// In every order of the threads; returns how many there are.
    pub(crate) fn every_order(body: impl Fn() + Send + Sync + 'static) -> usize {
        Runner::new(DfsScheduler::new(None, false), config()).run(body)
    }

    /// In so many orders drawn at random, and in as many of those in which a thread is held back for long.
    pub(crate) fn many_orders(count: usize, body: impl Fn() + Send + Sync + Clone + 'static) {
        Runner::new(RandomScheduler::new(count), config()).run(body.clone());
        Runner::new(PctScheduler::new(4, count), config()).run(body);
    }

    fn config() -> Config {
        let mut config = Config::new();
        // A publish needs more than the small stack that is usual there.
        config.stack_size = 1 << 20;
        config
    }
}
