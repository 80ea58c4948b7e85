//! The lock marker: what is believed of it, and for how long.
#![allow(clippy::unwrap_used)]

use lastgood_protocol::marker::{Holder, LockMarker, MAX_LEASE_MS};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn name(text: &str) -> DatasetName {
    text.parse().unwrap()
}

fn marker(acquired_at: Timestamp, expires_at: Timestamp) -> LockMarker {
    let holder = Holder { host: "build-7".to_owned(), pid: 4711, token: "c0ffee".to_owned() };
    LockMarker { format: 1, holder, datasets: vec![name("performance"), name("sales")], acquired_at, expires_at }
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn altered(alter: impl FnOnce(&mut Value)) -> bool {
    let mut value: Value = serde_json::from_slice(&marker(noon(), noon().plus_ms(30_000)).encode()).unwrap();
    alter(&mut value);
    LockMarker::decode(value.to_string().as_bytes()).is_ok()
}

#[test]
fn other_content_is_no_marker() {
    assert!(altered(|_| {}));
    assert!(altered(|value| value["new"] = json!([[{}]])), "unknown members are ignored");
    assert!(altered(|value| value["holder"]["new"] = json!(1)));
    assert!(altered(|value| value["datasets"] = json!([])));
    assert!(!altered(|value| value["format"] = json!(0)));
    assert!(!altered(|value| value["format"] = json!(2)), "a later format may mean something else");
    assert!(!altered(|value| value["datasets"] = json!(["../up"])));
    assert!(!altered(|value| value["datasets"] = json!("performance")));
    assert!(!altered(|value| value["expires_at"] = json!(null)));
    assert!(!altered(|value| value["expires_at"] = json!(1e300)));
    assert!(!altered(|value| value["holder"] = json!("build-7")));
    assert!(!altered(|value| value["holder"]["pid"] = json!(-1)));
    for member in ["format", "holder", "datasets", "acquired_at", "expires_at"] {
        assert!(!altered(|value| _ = value.as_object_mut().unwrap().remove(member)), "without {member}");
    }
    let others: [&[u8]; 8] =
        [b"", b"locked", b"4711\n", b"{}", b"null", b"<!DOCTYPE html>", b"\xef\xbb\xbf{}", b"\xff"];
    for bytes in others {
        assert!(LockMarker::decode(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
    }
    let bytes = marker(noon(), noon()).encode();
    for length in 0..bytes.len() - 1 {
        assert!(LockMarker::decode(&bytes[..length]).is_err(), "cut to {length}");
    }
    let deep = [b"{\"new\":", "[".repeat(1_000_000).as_bytes()].concat();
    assert!(LockMarker::decode(&deep).is_err());
}

#[test]
fn it_covers_what_it_names_until_its_lease_ends() {
    let (acquired, end) = (noon(), noon().plus_ms(30_000));
    let marker = marker(acquired, end);
    let table = [
        ("performance", acquired, true),
        ("sales", acquired, true),
        ("transactions", acquired, false),
        ("performance", end.plus_ms(-1), true),
        ("performance", end, false),
        ("performance", Timestamp::MAX, false),
        // A writer whose clock is ahead of the server's by up to an hour.
        ("performance", acquired.plus_ms(-1), true),
        ("performance", acquired.plus_ms(-MAX_LEASE_MS), true),
        ("performance", acquired.plus_ms(-MAX_LEASE_MS - 1), false),
        ("performance", Timestamp::MIN, false),
    ];
    for (dataset, now, covers) in table {
        assert_eq!(marker.covers(&name(dataset), now), covers, "{dataset} at {now}");
    }
}

#[test]
fn a_lease_a_century_long_counts_as_the_longest() {
    let marker = marker(noon(), noon().plus_ms(100 * 365 * 86_400_000));
    assert!(marker.lease_runs(noon().plus_ms(MAX_LEASE_MS - 1)));
    assert!(!marker.lease_runs(noon().plus_ms(MAX_LEASE_MS)));
}

proptest! {
    #[test]
    fn any_marker_is_read_back(acquired in any::<i64>(), end in any::<i64>(), host in "\\PC{0,20}", pid in any::<u32>(), datasets in prop::collection::vec("[a-z0-9][a-z0-9_-]{0,20}x", 0..4)) {
        let mut marker = marker(Timestamp::from_ms(acquired), Timestamp::from_ms(end));
        marker.holder = Holder { host, pid, token: "t".to_owned() };
        marker.datasets = datasets.iter().map(|text| name(text)).collect();
        prop_assert_eq!(LockMarker::decode(&marker.encode()), Ok(marker));
    }

    #[test]
    fn however_it_is_dated_it_is_believed_for_two_hours_at_most(
        acquired in any::<i64>(), lease in any::<i64>(), now in any::<i64>(),
    ) {
        let (acquired, now) = (Timestamp::from_ms(acquired), Timestamp::from_ms(now));
        let far = marker(acquired, acquired.plus_ms(lease));
        let near = marker(now, now.plus_ms(lease));
        for marker in [far, near] {
            let away = marker.lease_runs(now.plus_ms(-MAX_LEASE_MS - 1)) && marker.lease_runs(now.plus_ms(MAX_LEASE_MS));
            prop_assert!(!away, "believed at two instants more than two hours apart");
            if marker.lease_runs(now) {
                prop_assert!(now < marker.expires_at);
                prop_assert!(marker.acquired_at.ms_since(now) <= MAX_LEASE_MS as u64);
                prop_assert!(now.ms_since(marker.acquired_at) < MAX_LEASE_MS as u64);
            }
        }
    }
}
