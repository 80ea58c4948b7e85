//! Which manifests are refused, and what is handed out instead.

use lastgood_protocol::failure::Code;
use lastgood_protocol::id::CommitId;
use lastgood_protocol::read::Source;
use lastgood_protocol::time::Timestamp;

use crate::publisher::{Publisher, published_at};
use crate::site::{Answer, Site, assert_reading};

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]")]);
    publisher
}

/// A visitor who has seen generation 3, `[3]`.
fn warm() -> (Publisher, Site) {
    let mut publisher = feed();
    let mut site = Site::of(publisher.publish(&[("performance", "[2]")]).publish(&[("performance", "[3]")]));
    let _ = site.reading("performance");
    (publisher, site)
}

#[test]
fn a_manifest_that_cannot_be_had_or_used_is_the_reason() {
    let (publisher, _) = warm();
    let manifest = publisher.latest().encode();
    let text = String::from_utf8(manifest.clone()).unwrap();
    let format_2 = |text: &str| {
        let signed = "{\"format\":2}";
        let digest = lastgood_protocol::digest::Sha256::of(signed.as_bytes());
        format!("{{\"signed\":{signed},\"sha256\":\"{digest}\",\"was\":{}}}", text.len()).into_bytes()
    };
    let table = [
        (Answer::Fails(Code::Offline), Code::Offline),
        (Answer::Fails(Code::Timeout), Code::Timeout),
        (Answer::Fails(Code::Truncated), Code::Truncated),
        (Answer::Status(404), Code::Http),
        (Answer::Status(500), Code::Http),
        (Answer::html(), Code::NotJson),
        (Answer::Body(Vec::new()), Code::NotJson),
        (Answer::Body([b"\xef\xbb\xbf", &manifest[..]].concat()), Code::NotJson),
        (Answer::Body(manifest[..manifest.len() / 2].to_vec()), Code::ManifestInvalid),
        (Answer::Body(text.replace("\"generation\":3", "\"generation\":4").into_bytes()), Code::ManifestInvalid),
        (Answer::Body(format_2(&text)), Code::FormatUnsupported),
        (Answer::Body([manifest, vec![b' '; 8 << 20]].concat()), Code::TooLarge),
    ];
    for (answer, code) in table {
        let (_, mut site) = warm();
        let memory = site.memory.clone();
        let reading = site.always("manifest.json", answer.clone()).reading("performance");
        assert_reading(&reading, "[3]", Source::Fallback, Some(code));
        assert_eq!(reading.reason.unwrap().path.as_deref(), Some("manifest.json"));
        assert_eq!(site.requests.len(), 2, "nothing else is asked for");
        assert_eq!(site.memory, memory, "what was seen stays seen");

        let mut site = Site::of(&feed());
        let failure = site.always("manifest.json", answer).failure("performance");
        assert_eq!(failure.code, code, "the plain copy alone is not enough");
        assert_eq!(site.memory, None);
    }
}

#[test]
fn a_generation_below_the_highest_seen_is_refused() {
    for cached in [true, false] {
        let (_, mut site) = warm();
        let memory = site.memory.clone();
        site.serve(feed().publish(&[("performance", "[2]")]));
        if cached {
            assert_reading(&site.reading("performance"), "[3]", Source::Fallback, Some(Code::Regressed));
        } else {
            site.cache.clear();
            assert_eq!(site.failure("performance").code, Code::Regressed);
        }
        assert_eq!(site.memory, memory);
    }
}

#[test]
fn another_commit_of_the_same_generation_is_refused() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.amend(|manifest| manifest.commit = CommitId::from_random([9; 16])));
    let reading = site.reading("performance");
    assert_reading(&reading, "[3]", Source::Fallback, Some(Code::Regressed));
    assert!(reading.reason.unwrap().detail.contains("not the same"));
    site.serve(publisher.publish(&[("performance", "[4]")]));
    assert_reading(&site.reading("performance"), "[4]", Source::Network, None);
}

#[test]
fn a_new_feed_begins_anew() {
    let (_, mut site) = warm();
    let mut other = Publisher::new(2);
    site.serve(other.publish(&[("performance", "[7]")]));
    let reading = site.reading("performance");
    assert_reading(&reading, "[7]", Source::Network, None);
    let memory = site.memory.clone().unwrap();
    assert_eq!((memory.feed, memory.generation.get()), (other.latest().feed, 1));
    // The same bytes under a new feed id need no download, but belong to the new feed.
    let mut third = Publisher::new(3);
    site.serve(third.publish(&[("performance", "[7]")]));
    let reading = site.reading("performance");
    assert_reading(&reading, "[7]", Source::Cache, None);
    assert_eq!(reading.head.feed, third.latest().feed);
}

#[test]
fn what_was_seen_is_kept_when_the_payload_fails() {
    let (mut publisher, mut site) = warm();
    site.serve(publisher.publish(&[("performance", "[4]")]));
    let seen = site.clone();
    site.down(Some(Answer::Fails(Code::Offline)));
    let _ = site.reading("performance");
    assert_eq!(site.memory.unwrap().generation.get(), 3);

    let mut site = seen;
    let object = format!("objects/{}.json", publisher.entry(4, "performance").sha256);
    site.always(&object, Answer::Status(500));
    assert_reading(&site.reading("performance"), "[3]", Source::Fallback, Some(Code::Http));
    assert_eq!(site.memory.unwrap().generation.get(), 4);
}

/// A feed whose manifest expires at a quarter past noon.
fn expiring() -> (Publisher, Timestamp) {
    let mut publisher = feed();
    let end = published_at(15);
    publisher.amend(|manifest| manifest.expires_at = Some(end));
    (publisher, end)
}

#[test]
fn a_manifest_expires_by_the_servers_clock() {
    let (publisher, end) = expiring();
    for device_ms in [0, -86_400_000, 86_400_000] {
        let mut site = Site::of(&publisher);
        site.server_clock = Some(end.plus_ms(-1));
        site.device_clock = end.plus_ms(device_ms);
        assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
        site.server_clock = Some(end);
        let reading = site.reading("performance");
        assert_reading(&reading, "[1]", Source::Fallback, Some(Code::Expired));
        assert!(reading.reason.unwrap().detail.contains(&end.to_string()));
        site.cache.clear();
        assert_eq!(site.failure("performance").code, Code::Expired);
    }
}

#[test]
fn without_the_servers_time_a_manifest_expires_by_the_clock_that_is_known_best() {
    let (publisher, end) = expiring();
    let mut site = Site::of(&publisher);
    site.server_clock = None;
    site.device_clock = end;
    assert_eq!(site.failure("performance").code, Code::Expired);
    site.device_clock = end.plus_ms(-1);
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);

    // The device is known to be a day ahead.
    let mut site = Site::of(&publisher);
    site.server_clock = Some(end.plus_ms(-60_000));
    site.device_clock = end.plus_ms(86_400_000 - 60_000);
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
    site.server_clock = None;
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, None);
    site.device_clock = site.device_clock.plus_ms(60_000);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Expired));
}

#[test]
fn an_expired_manifest_is_remembered_all_the_same() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
    let end = published_at(15);
    publisher.publish(&[("performance", "[2]")]).amend(|manifest| manifest.expires_at = Some(end));
    site.serve(&publisher);
    site.server_clock = Some(end);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Expired));
    site.serve(&feed());
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Regressed));
}
