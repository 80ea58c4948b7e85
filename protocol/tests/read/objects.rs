//! What is downloaded, and what happens when it is not what the manifest names.

use lastgood_protocol::failure::Code;
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Generation, MAX_MANIFEST_BYTES};
use lastgood_protocol::marker::MAX_MARKER_BYTES;
use lastgood_protocol::name::Ext;
use lastgood_protocol::read::Source;

use crate::publisher::Publisher;
use crate::site::{Answer, Site, assert_reading};

fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("performance", "[1]"), ("sales", "{\"s\":1}")]);
    publisher
}

fn object(publisher: &Publisher, dataset: &str) -> String {
    let entry = &publisher.latest().datasets[&dataset.parse().unwrap()];
    layout::object(&entry.sha256, &Ext::json()).to_string()
}

#[test]
fn a_cold_read_is_one_round() {
    let mut site = Site::of(&feed());
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Network, None);
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid", "performance.json Revalidate"]);
    assert_eq!(reading.generation.get(), 1);
    let entry = &feed().latest().datasets[&reading.dataset].clone();
    assert_eq!((reading.head.sha256, reading.head.size), (entry.sha256, 3));
    assert_eq!((reading.head.changed, reading.head.confirmed), (entry.generation, entry.generation));
    assert_eq!(reading.head.published_at, entry.published_at);
    assert_eq!((reading.head.checked_at, reading.head.used_at), (site.device_clock, site.device_clock));
}

#[test]
fn a_guess_that_is_not_the_payload_costs_the_object() {
    let publisher = feed();
    let object = object(&publisher, "performance");
    let guesses = [
        Answer::Body(b"[0]".to_vec()),
        Answer::Body(b"not JSON".to_vec()),
        Answer::html(),
        Answer::Body(vec![b' '; 2 << 20]),
        Answer::Status(404),
        Answer::Status(500),
        Answer::Fails(Code::Offline),
        Answer::Fails(Code::Truncated),
    ];
    for guess in guesses {
        let mut site = Site::of(&publisher);
        site.always("performance.json", guess);
        assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
        assert_eq!(site.requests[3..], [format!("{object} Allow")]);
    }
}

#[test]
fn an_unchanged_payload_is_not_downloaded_again() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let first = site.reading("performance");
    let published = publisher.publish(&[("sales", "{\"s\":2}"), ("performance", "[1]")]).latest().published_at;
    site.serve(&publisher);
    site.device_clock = site.device_clock.plus_ms(5000);
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Cache, None);
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid"]);
    assert_eq!(reading.generation.get(), 2);
    assert_eq!((reading.head.changed.get(), reading.head.confirmed.get()), (1, 2));
    assert_eq!(reading.head.published_at, published, "published again, though unchanged");
    assert_eq!(reading.head.checked_at, first.head.checked_at.plus_ms(5000));
}

#[test]
fn a_changed_payload_is_downloaded_as_an_object() {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "[2]")]));
    assert_reading(&site.reading("performance"), "[2]", Source::Network, None);
    let object = format!("{} Allow", object(&publisher, "performance"));
    assert_eq!(site.requests, ["manifest.json Revalidate", ".lock Forbid", object.as_str()]);
}

/// A warm site whose next read needs the object at the returned path.
fn outdated() -> (Site, String) {
    let mut publisher = feed();
    let mut site = Site::of(&publisher);
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "[2]")]));
    (site, object(&publisher, "performance"))
}

/// The same without a cache.
fn cold() -> (Site, String) {
    let publisher = feed();
    let mut site = Site::of(&publisher);
    site.always("performance.json", Answer::Status(404));
    (site, object(&publisher, "performance"))
}

/// Bodies and failures that one more request past the caches may mend, and the code when it does not.
fn mendable() -> [(Answer, Code); 5] {
    [
        (Answer::Body(b"[9]".to_vec()), Code::ChecksumMismatch),
        (Answer::Body(b"[".to_vec()), Code::ChecksumMismatch),
        (Answer::Body(b"[2], and more than the manifest names".to_vec()), Code::ChecksumMismatch),
        (Answer::Fails(Code::Truncated), Code::Truncated),
        (Answer::Fails(Code::NotJson), Code::NotJson),
    ]
}

#[test]
fn a_damaged_object_is_asked_for_once_more_past_the_caches() {
    for (answer, _) in mendable() {
        let (mut site, object) = outdated();
        site.script(&object, [answer]);
        assert_reading(&site.reading("performance"), "[2]", Source::Network, None);
        assert_eq!(site.requests[2..], [format!("{object} Allow"), format!("{object} Bypass")]);
    }
}

#[test]
fn an_object_that_stays_damaged_is_never_shown() {
    for (answer, code) in mendable() {
        let (mut site, object) = outdated();
        site.always(&object, answer.clone());
        assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(code));
        assert_eq!(site.requests[2..], [format!("{object} Allow"), format!("{object} Bypass")]);

        let (mut site, object) = cold();
        site.always(&object, answer);
        let failure = site.failure("performance");
        assert_eq!((failure.code, failure.path.as_deref()), (code, Some(&*object)));
        assert_eq!(failure.dataset.as_ref().unwrap().as_str(), "performance");
    }
}

#[test]
fn a_failure_that_more_requests_would_not_mend_is_not_retried() {
    for (answer, code) in [
        (Answer::Status(500), Code::Http),
        (Answer::Status(403), Code::Http),
        (Answer::Fails(Code::Offline), Code::Offline),
        (Answer::Fails(Code::Timeout), Code::Timeout),
    ] {
        let (mut site, object) = outdated();
        site.always(&object, answer.clone());
        assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(code));
        assert_eq!(site.requests[2..], [format!("{object} Allow")]);
        let (mut site, object) = cold();
        site.always(&object, answer);
        assert_eq!(site.failure("performance").code, code);
    }
}

#[test]
fn a_collected_object_leads_to_the_newer_manifest() {
    for gone in [404, 410] {
        let (mut site, object) = outdated();
        let stale = site.clone();
        let mut publisher = feed();
        publisher.publish(&[("performance", "[2]")]).publish(&[("performance", "[3]")]);
        site.serve(&publisher).always(&object, Answer::Status(gone));
        // An edge still has the manifest before.
        let old = stale.file("manifest.json");
        site.script("manifest.json", [Answer::Body(old)]);
        let reading = site.reading("performance");
        assert_reading(&reading, "[3]", Source::Network, None);
        assert_eq!(reading.generation.get(), 3);
        let newer = format!("{} Bypass", self::object(&publisher, "performance"));
        assert_eq!(
            site.requests[2..],
            [format!("{object} Allow"), "manifest.json Bypass".into(), ".lock Forbid".into(), newer],
        );
    }
}

#[test]
fn an_object_that_is_gone_for_good_is_asked_for_twice() {
    let (mut site, object) = outdated();
    site.always(&object, Answer::Status(404));
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Fallback, Some(Code::Http));
    assert_eq!(reading.reason.unwrap().status, Some(404));
    assert_eq!(site.requests.iter().filter(|request| request.starts_with("manifest.json")).count(), 2);
    assert_eq!(site.requests.iter().filter(|request| request.starts_with(&object)).count(), 2);

    let (mut site, object) = cold();
    site.always(&object, Answer::Status(404));
    let failure = site.failure("performance");
    assert_eq!((failure.code, failure.status), (Code::Http, Some(404)));
}

#[test]
fn a_payload_above_the_limit_is_not_asked_for() {
    let (mut site, _) = outdated();
    site.max_bytes = 2;
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::TooLarge));
    assert_eq!(site.requests.len(), 2);
    let mut site = Site::of(&feed());
    site.max_bytes = 2;
    assert_eq!(site.failure("performance").code, Code::TooLarge);
    site.max_bytes = 3;
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
}

#[test]
fn a_payload_of_another_size_than_declared_is_refused() {
    for size in [2, 4] {
        let mut publisher = feed();
        let name = "performance".parse().unwrap();
        publisher.amend(|manifest| manifest.datasets.get_mut(&name).unwrap().size = size);
        assert_eq!(Site::of(&publisher).failure("performance").code, Code::ChecksumMismatch, "{size}");
    }
}

#[test]
fn every_request_is_limited() {
    let (mut site, object) = cold();
    let _ = site.reading("performance");
    let expected = [
        ("manifest.json", MAX_MANIFEST_BYTES),
        (".lock", MAX_MARKER_BYTES),
        ("performance.json", site.max_bytes),
        (&object, 3),
    ];
    assert_eq!(site.limits, expected.map(|(path, limit)| (path.to_owned(), limit)));
}

#[test]
fn a_verified_payload_that_is_not_json_is_no_value() {
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]")]));
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "NaN")]));
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::NotJson));
    let failure = Site::of(&publisher).failure("performance");
    assert_eq!((failure.code, failure.dataset.as_ref().unwrap().as_str()), (Code::NotJson, "performance"));
}

#[test]
fn a_dataset_that_the_feed_does_not_have() {
    let mut site = Site::of(&feed());
    let failure = site.failure("nothing");
    assert_eq!((failure.code, failure.dataset.as_ref().unwrap().as_str()), (Code::NotFound, "nothing"));
    assert!(failure.detail.contains("performance, sales"), "{failure}");
    let _ = site.reading("performance");
    site.serve(feed().remove("performance"));
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::NotFound));
}

#[test]
fn a_tampered_cache_is_fetched_anew_and_never_shown() {
    let mut site = Site::of(&feed());
    let _ = site.reading("performance");
    let mut lost = site.clone();
    let object = object(&feed(), "performance");
    assert_reading(&site.tamper("performance").reading("performance"), "[1]", Source::Network, None);
    assert_eq!(site.requests[2..], [format!("{object} Allow")]);

    lost.cache.get_mut(&"performance".parse().unwrap()).unwrap().1 = None;
    assert_reading(&lost.reading("performance"), "[1]", Source::Network, None);

    // A head whose range is none says nothing of the payload.
    let mut odd = lost.clone();
    odd.cache.get_mut(&"performance".parse().unwrap()).unwrap().0.changed = Generation::new(9).unwrap();
    assert_eq!(odd.down(Some(Answer::Fails(Code::Offline))).failure("performance").code, Code::Offline);

    site.tamper("performance").down(Some(Answer::Fails(Code::Offline)));
    assert_eq!(site.failure("performance").code, Code::Offline);
    site.down(None).always(&object, Answer::Status(500));
    assert_eq!(site.failure("performance").code, Code::Http);
}
