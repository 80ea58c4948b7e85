//! The lock marker, what a reader keeps, the lines of the operation log.

use lastgood::Record;
use lastgood::protocol::cache::{self, CacheHead, FeedMemory, Keys};
use lastgood::protocol::marker::LockMarker;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::time::Timestamp;

use crate::input::parts;

pub(crate) fn marker(input: &[u8]) {
    let Ok(marker) = LockMarker::decode(input) else { return };
    let encoded = marker.encode();
    assert_eq!(LockMarker::decode(&encoded).as_ref(), Ok(&marker));
    assert!(serde_json::from_slice::<serde_json::Value>(&encoded).is_ok());
    // However it is dated, it is believed for two hours at most.
    let believed = |ms| marker.lease_runs(marker.acquired_at.plus_ms(ms));
    for hours in [-1_000_000, -2, 1, 2, 24, 1_000_000] {
        assert!(!believed(hours * 3_600_000) || marker.acquired_at.plus_ms(hours * 3_600_000) == marker.acquired_at);
    }
    for dataset in &marker.datasets {
        for now in [Timestamp::MIN, marker.acquired_at, marker.expires_at, Timestamp::MAX] {
            assert_eq!(marker.covers(dataset, now), marker.lease_runs(now));
        }
    }
}

pub(crate) fn cache(input: &[u8]) {
    for part in parts(input) {
        let Ok(text) = std::str::from_utf8(part) else { continue };
        if let Some(memory) = FeedMemory::decode(text) {
            assert_eq!(FeedMemory::decode(&memory.encode()), Some(memory));
        }
        if let Some(head) = CacheHead::decode(text) {
            let encoded = head.encode();
            assert_eq!(CacheHead::decode(&encoded).as_ref(), Some(&head));
            assert_eq!(CacheHead::decode(&encoded).map(|again| again.encode()), Some(encoded));
            assert!(head.satisfies().is_none() || head.validated);
        }
        keys(text);
    }
}

/// Keys of others in the same store must not be taken for those of a feed.
fn keys(text: &str) {
    if let Some(head) = cache::head_of(text) {
        assert_eq!(cache::payload_of(head), text);
        let dataset = DatasetName::parse(cache::dataset_of(head));
        let dataset = dataset.unwrap_or_else(|error| panic!("a head's key is that of a dataset: {error}"));
        let feed = head.strip_prefix(cache::KEY_PREFIX).and_then(|rest| rest.strip_suffix(dataset.as_str()));
        let feed = feed.and_then(|rest| rest.strip_suffix(':')).expect("a head's key is prefix, feed, colon, dataset");
        let keys = Keys::new(feed);
        assert_eq!((keys.head(&dataset).as_str(), keys.payload(&dataset).as_str()), (head, text));
        assert_ne!(keys.memory(), head);
    }
}

pub(crate) fn log(input: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Record>(input) else { return };
    let line = serde_json::to_string(&record).expect("a record has only string keys");
    assert!(!line.contains('\n'), "a record is one line of the log");
    let again: Record = serde_json::from_str(&line).expect("what is written is read");
    assert_eq!(again, record);
}
