//! The end of a dataset: it concerns that dataset alone, and what has expired is handed out with the reason.

use lastgood_protocol::failure::Code;
use lastgood_protocol::read::Source;

use crate::publisher::{Publisher, published_at};
use crate::site::{Answer, Site, assert_reading};

/// A forecast that ends at a quarter past noon, beside sales that do not.
fn feed() -> Publisher {
    let mut publisher = Publisher::new(1);
    publisher.publish(&[("forecast", "[1]"), ("sales", "[2]")]).ending("forecast", published_at(15));
    publisher
}

#[test]
fn what_has_expired_is_handed_out_with_the_reason_from_wherever_it_is() {
    let mut site = Site::of(&feed());
    site.server_clock = Some(published_at(15).plus_ms(-1));
    assert_reading(&site.reading("forecast"), "[1]", Source::Network, None);
    site.server_clock = Some(published_at(15));
    let reading = site.reading("forecast");
    assert_reading(&reading, "[1]", Source::Cache, Some(Code::Expired));
    assert_eq!(reading.expires_at, Some(published_at(15)));
    let reason = reading.reason.unwrap();
    assert_eq!(reason.dataset.as_ref().map(|dataset| dataset.as_str()), Some("forecast"));
    assert_eq!(reason.detail, format!("\"forecast\" expired at {}", published_at(15)));
    site.cache.clear();
    assert_reading(&site.reading("forecast"), "[1]", Source::Network, Some(Code::Expired));
}

#[test]
fn the_others_of_a_snapshot_are_fresh() {
    let mut site = Site::of(&feed());
    site.server_clock = Some(published_at(16));
    let readings = site.read(&["forecast", "sales"]).result.unwrap();
    assert_reading(&readings[0], "[1]", Source::Network, Some(Code::Expired));
    assert_reading(&readings[1], "[2]", Source::Network, None);
    assert_eq!(readings[0].generation, readings[1].generation);
    assert_eq!(readings[1].expires_at, None);
}

#[test]
fn the_clock_of_the_server_counts() {
    for device_ms in [-86_400_000, 86_400_000] {
        let mut site = Site::of(&feed());
        site.server_clock = Some(published_at(14));
        site.device_clock = published_at(14).plus_ms(device_ms);
        assert_reading(&site.reading("forecast"), "[1]", Source::Network, None);
        // It is not told any more, and the difference is known.
        site.server_clock = None;
        site.device_clock = site.device_clock.plus_ms(60_000);
        assert_reading(&site.reading("forecast"), "[1]", Source::Cache, Some(Code::Expired));
    }
}

#[test]
fn a_failure_is_the_reason_before_that() {
    let mut site = Site::of(&feed());
    site.server_clock = Some(published_at(16));
    site.reading("forecast");
    site.down(Some(Answer::Fails(Code::Offline)));
    let reading = site.reading("forecast");
    assert_reading(&reading, "[1]", Source::Fallback, Some(Code::Offline));
    assert_eq!(reading.expires_at, None, "no manifest has just said so");
}

#[test]
fn an_end_of_the_whole_manifest_is_told_as_before() {
    let mut publisher = feed();
    publisher.amend(|manifest| manifest.expires_at = Some(published_at(12)));
    let mut site = Site::of(&publisher);
    site.server_clock = Some(published_at(11));
    let readings = site.read(&["forecast", "sales"]).result.unwrap();
    assert_eq!(readings.iter().map(|reading| reading.expires_at).collect::<Vec<_>>(), [Some(published_at(12)); 2]);
    site.server_clock = Some(published_at(12));
    for dataset in ["forecast", "sales"] {
        let reading = site.reading(dataset);
        assert_eq!((reading.source, reading.reason.unwrap().code), (Source::Fallback, Code::Expired));
    }
}
