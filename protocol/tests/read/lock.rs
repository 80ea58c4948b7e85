//! What a lock marker changes, and what is no lock marker.

use lastgood_protocol::failure::Code;
use lastgood_protocol::marker::MAX_LEASE_MS;
use lastgood_protocol::read::{LockPolicy, Source};

use crate::publisher::Publisher;
use crate::site::{Answer, Site, assert_reading};

/// Taken a second ago, for half a minute.
const RUNNING: (i64, i64) = (-1000, 29_000);

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]"), ("sales", "{\"s\":1}")]);
    publisher
}

/// A site with `[1]` cached and `[2]` served, by policy.
fn warm(policy: LockPolicy) -> Site {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    site.policy = policy;
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "[2]")]));
    site
}

fn cold(policy: LockPolicy) -> Site {
    let mut site = Site::of(&feed());
    site.policy = policy;
    site
}

#[test]
fn by_the_policy_cache_the_cached_copy_is_handed_out_at_once() {
    let mut site = warm(LockPolicy::Cache);
    let reading = site.lock(&["sales", "performance"], RUNNING).reading("performance");
    assert_reading(&reading, "[1]", Source::Cache, Some(Code::Locked));
    assert_eq!(reading.generation.get(), 1, "its own, not the manifest's");
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid"]);
    assert_eq!(site.waits, [0; 0]);
    assert_eq!(site.memory.unwrap().generation.get(), 2, "the manifest has been seen all the same");
}

#[test]
fn by_the_policy_cache_what_the_manifest_names_is_handed_out_where_there_is_no_copy() {
    let mut site = cold(LockPolicy::Cache);
    let reading = site.lock(&["performance"], RUNNING).reading("performance");
    assert_reading(&reading, "[1]", Source::Network, Some(Code::Locked));
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid", "performance.json Revalidate"]);
    assert_eq!(site.waits, [0; 0]);
    // At the next look, it is the copy at hand.
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, Some(Code::Locked));
}

#[test]
fn by_the_policy_wait_it_waits_for_the_release() {
    let mut site = cold(LockPolicy::Wait);
    let mut next = feed();
    site.after_wait = Some(next.publish(&[("performance", "[2]")]).files());
    site.lock(&["performance"], RUNNING);
    let reading = site.reading("performance");
    assert_reading(&reading, "[2]", Source::Network, None);
    assert_eq!(site.waits, [100]);
    let guesses = site.requests.iter().filter(|request| request.starts_with("performance.json")).count();
    assert_eq!(guesses, 1, "not at every look: {:?}", site.requests);
}

#[test]
fn by_the_policy_wait_it_waits_with_a_cached_copy_too() {
    let mut site = warm(LockPolicy::Wait);
    let mut next = feed();
    site.after_wait = Some(next.publish(&[("performance", "[2]")]).publish(&[("performance", "[3]")]).files());
    site.lock(&["performance"], RUNNING);
    assert_reading(&site.reading("performance"), "[3]", Source::Network, None);
    assert_eq!(site.waits, [100]);
}

#[test]
fn waiting_has_its_limit_after_which_reading_goes_on() {
    for (policy, mut site) in [(LockPolicy::Wait, cold(LockPolicy::Wait)), (LockPolicy::Wait, warm(LockPolicy::Wait))] {
        site.lock_wait_ms = 10_000;
        site.lock(&["performance"], (0, MAX_LEASE_MS));
        let reading = site.reading("performance");
        assert!(reading.fresh() && reading.source == Source::Network, "{policy:?}: {reading:?}");
        assert_eq!(site.waits, [100, 200, 400, 800, 1600, 1600, 1600, 1600, 1600, 500]);
        assert_eq!(site.waits.iter().sum::<u64>(), site.lock_wait_ms);
        site.lock_wait_ms = 0;
        site.cache.clear();
        assert!(site.reading("performance").fresh());
        assert_eq!(site.waits, [0; 0], "no patience, no wait");
    }
}

#[test]
fn by_the_policy_ignore_the_marker_is_not_asked_for() {
    for mut site in [cold(LockPolicy::Ignore), warm(LockPolicy::Ignore)] {
        let reading = site.lock(&["performance"], RUNNING).reading("performance");
        assert!(reading.fresh(), "{reading:?}");
        assert!(!site.requests.iter().any(|request| request.starts_with(".lock")));
        assert_eq!(site.waits, [0; 0]);
    }
}

#[test]
fn a_lease_is_believed_until_it_ends_by_the_servers_clock() {
    let table = [
        ("just taken", (0, 1), true),
        ("about to end", (-30_000, 1), true),
        ("ended", (-30_000, 0), false),
        ("ended long ago", (-86_400_000, -86_370_000), false),
        ("a century long, taken a minute ago", (-60_000, 3_000_000_000_000), true),
        ("a century long, taken an hour ago", (-MAX_LEASE_MS, 3_000_000_000_000), false),
        ("to begin in a minute, by a clock that is ahead", (60_000, 90_000), true),
        ("to begin tomorrow", (86_400_000, 86_430_000), false),
        ("ends before it begins", (0, -1), false),
    ];
    for (what, lease, locked) in table {
        for device_ms in [0, -86_400_000, 86_400_000] {
            let mut site = warm(LockPolicy::Cache);
            site.device_clock = site.device_clock.plus_ms(device_ms);
            let reading = site.lock(&["performance"], lease).reading("performance");
            assert_eq!(reading.reason.map(|failure| failure.code), locked.then_some(Code::Locked), "{what}");
        }
    }
}

#[test]
fn without_the_servers_time_no_lease_is_believed() {
    let mut site = warm(LockPolicy::Cache);
    site.server_clock = None;
    assert_reading(&site.lock(&["performance"], RUNNING).reading("performance"), "[2]", Source::Network, None);
}

#[test]
fn a_lease_that_ends_while_waiting_is_a_release() {
    let mut site = cold(LockPolicy::Wait);
    site.lock_wait_ms = 10_000;
    assert_reading(&site.lock(&["performance"], (-1000, 250)).reading("performance"), "[1]", Source::Network, None);
    assert_eq!(site.waits, [100, 200]);
}

#[test]
fn anything_else_means_not_locked() {
    let answers = [
        Answer::Status(404),
        Answer::Status(403),
        Answer::Status(204),
        Answer::Status(500),
        Answer::Body(Vec::new()),
        Answer::html(),
        Answer::Body(b"4711".to_vec()),
        Answer::Body(b"{\"format\":2}".to_vec()),
        Answer::Body(vec![b' '; 1 << 20]),
        Answer::Fails(Code::Offline),
        Answer::Fails(Code::Timeout),
    ];
    for answer in answers {
        for policy in [LockPolicy::Cache, LockPolicy::Wait] {
            let mut site = warm(policy);
            site.always(".lock", answer.clone());
            assert_reading(&site.reading("performance"), "[2]", Source::Network, None);
            let mut site = cold(policy);
            site.always(".lock", answer.clone());
            assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
            assert_eq!(site.waits, [0; 0]);
        }
    }
    let mut site = warm(LockPolicy::Cache);
    assert_reading(&site.lock(&["sales"], RUNNING).reading("performance"), "[2]", Source::Network, None);
    assert_reading(&site.lock(&[], RUNNING).reading("performance"), "[2]", Source::Cache, None);
}

#[test]
fn one_locked_dataset_locks_a_snapshot() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = site.read(&["performance", "sales"]);
    site.serve(publisher.publish(&[("performance", "[2]")])).lock(&["sales"], RUNNING);
    let readings = site.read(&["performance", "sales"]).result.unwrap();
    assert_reading(&readings[0], "[1]", Source::Cache, Some(Code::Locked));
    assert_reading(&readings[1], "{\"s\":1}", Source::Cache, Some(Code::Locked));
    assert!(readings.iter().all(|reading| reading.generation.get() == 1));
}

#[test]
fn a_snapshot_that_is_half_cached_is_what_the_manifest_names() {
    let mut site = Site::of(&feed());
    let _ = site.reading("performance");
    site.lock(&["sales"], RUNNING);
    let readings = site.read(&["performance", "sales"]).result.unwrap();
    assert_reading(&readings[0], "[1]", Source::Cache, Some(Code::Locked));
    assert_reading(&readings[1], "{\"s\":1}", Source::Network, Some(Code::Locked));
    assert_eq!(site.waits, [0; 0]);
}

#[test]
fn a_cached_copy_of_another_feed_is_not_handed_out_for_a_lock() {
    let mut site = warm(LockPolicy::Cache);
    let mut other = Publisher::new(2);
    site.serve(other.publish(&[("performance", "[7]")])).lock(&["performance"], RUNNING);
    assert_reading(&site.reading("performance"), "[7]", Source::Network, Some(Code::Locked));
}

#[test]
fn a_tampered_copy_is_not_handed_out_for_a_lock() {
    let mut site = warm(LockPolicy::Cache);
    assert_reading(
        &site.tamper("performance").lock(&["performance"], RUNNING).reading("performance"),
        "[2]",
        Source::Network,
        Some(Code::Locked),
    );
}

#[test]
fn a_feed_whose_first_commit_is_in_progress_is_waited_for() {
    let mut site = cold(LockPolicy::Cache);
    site.after_wait = Some(feed().files());
    site.always(".lock", Answer::Status(404));
    let mut empty = site.clone();
    empty.script("manifest.json", [Answer::Status(404)]);
    assert_eq!(empty.failure("performance").status, Some(404), "not locked: nothing to wait for");

    let mut site = cold(LockPolicy::Cache);
    site.after_wait = Some(feed().files());
    site.script("manifest.json", [Answer::Status(404)]).lock(&["performance"], RUNNING);
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
    assert_eq!(site.waits, [100]);

    let mut site = cold(LockPolicy::Wait);
    site.always("manifest.json", Answer::Status(404)).lock(&["performance"], RUNNING);
    assert_eq!(site.failure("performance").code, Code::Http);
    assert_eq!(site.waits.iter().sum::<u64>(), site.lock_wait_ms, "not for ever");

    // With something to show there is no need to wait.
    let mut site = warm(LockPolicy::Wait);
    site.always("manifest.json", Answer::Status(404)).lock(&["performance"], RUNNING);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Http));
    assert_eq!(site.waits, [0; 0]);
}
