//! Several writers and readers of one feed, in every order of their storage calls.

#![allow(clippy::unwrap_used, reason = "tests")]

mod actor;
mod orders;
mod scenarios;
mod stepped;

/// What any number of threads may share, and what may go from one to another.
#[test]
fn what_threads_may_share() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<lastgood::Feed>();
    shared::<lastgood::Reader>();
    shared::<lastgood::Error>();
    sent::<lastgood::Hold<'_, lastgood::storage::PosixStorage>>();
    sent::<lastgood::Item<'_>>();
}
