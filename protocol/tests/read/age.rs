//! How old a reading is, by the server's clock as far as it is known.

use lastgood_protocol::failure::Code;
use lastgood_protocol::read::Source;
use lastgood_protocol::time::Timestamp;

use crate::publisher::{Publisher, published_at};
use crate::site::{Answer, Site, assert_reading};

const DAY: i64 = 86_400_000;
const MINUTE: u64 = 60_000;

/// A visitor at ten past noon, whose clock is off by `device_ms`; published at one past.
fn visitor(device_ms: i64) -> Site {
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]")]));
    site.device_clock = site.device_clock.plus_ms(device_ms);
    site
}

fn later(site: &mut Site, minutes: i64) {
    let ms = minutes * 60_000;
    site.server_clock = site.server_clock.map(|clock| clock.plus_ms(ms));
    site.device_clock = site.device_clock.plus_ms(ms);
}

#[test]
fn the_devices_clock_may_be_wrong() {
    for device_ms in [0, DAY, -DAY, 40_000 * DAY] {
        let mut site = visitor(device_ms);
        assert_eq!(site.reading("performance").age_ms, 9 * MINUTE);
        assert_eq!(site.memory.as_ref().unwrap().clock_offset_ms, -device_ms);
        later(&mut site, 5);
        assert_eq!(site.reading("performance").age_ms, 14 * MINUTE, "from the cache, confirmed");
        later(&mut site, 5);
        site.down(Some(Answer::Fails(Code::Offline)));
        let reading = site.reading("performance");
        assert_reading(&reading, "[1]", Source::Fallback, Some(Code::Offline));
        assert_eq!(reading.age_ms, 19 * MINUTE, "offline it is reckoned on");
        assert_eq!(reading.head.checked_at, site.device_clock.plus_ms(-5 * 60_000), "when it was last confirmed");
        assert_eq!(reading.head.used_at, site.device_clock);
    }
}

#[test]
fn an_answer_without_a_time_does_not_make_the_clock_forgotten() {
    let mut site = visitor(DAY);
    let _ = site.reading("performance");
    site.server_clock = None;
    later(&mut site, 5);
    assert_eq!(site.reading("performance").age_ms, 14 * MINUTE);
    later(&mut site, 5);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_eq!(site.reading("performance").age_ms, 19 * MINUTE);
}

#[test]
fn without_any_server_time_the_devices_clock_is_taken() {
    let mut site = visitor(0);
    site.server_clock = None;
    assert_eq!(site.reading("performance").age_ms, 9 * MINUTE);
    let mut site = visitor(DAY);
    site.server_clock = None;
    assert_eq!(site.reading("performance").age_ms, 9 * MINUTE + 86_400_000);
}

#[test]
fn a_clock_that_is_set_right_is_noticed_at_the_next_answer() {
    let mut site = visitor(DAY);
    let _ = site.reading("performance");
    site.device_clock = site.device_clock.plus_ms(-DAY);
    assert_eq!(site.reading("performance").age_ms, 9 * MINUTE);
}

#[test]
fn it_is_never_negative_nor_overflows() {
    let mut site = visitor(0);
    site.server_clock = Some(published_at(0));
    assert_eq!(site.reading("performance").age_ms, 0, "a publisher whose clock is ahead");
    for (device, offset) in [(Timestamp::MAX, i64::MAX), (Timestamp::MIN, i64::MIN), (Timestamp::MIN, i64::MAX)] {
        site.device_clock = device;
        site.memory.as_mut().unwrap().clock_offset_ms = offset;
        site.down(Some(Answer::Fails(Code::Offline)));
        let age = site.reading("performance").age_ms;
        assert!(age <= Timestamp::MAX.ms_since(Timestamp::MIN), "{age}");
    }
}

#[test]
fn publishing_the_same_again_makes_it_young() {
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]"), ("sales", "[]")]));
    let _ = site.reading("performance");
    site.serve(publisher.publish(&[("performance", "[1]")]));
    assert_eq!(site.reading("performance").age_ms, 8 * MINUTE);
    assert_eq!(site.reading("sales").age_ms, 9 * MINUTE, "the other one was not published again");
}

/// A visitor with a copy that was confirmed ten minutes ago, who takes none older than `max_age_ms`.
fn returning(max_age_ms: u64) -> Site {
    let mut site = visitor(DAY);
    let _ = site.reading("performance");
    later(&mut site, 10);
    site.max_age_ms = Some(max_age_ms);
    site
}

#[test]
fn a_fresh_reading_is_never_too_old() {
    let mut site = returning(0);
    later(&mut site, 1_000_000);
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, None);
    site.cache.clear();
    assert_reading(&site.reading("performance"), "[1]", Source::Network, None);
}

#[test]
fn a_copy_that_was_confirmed_too_long_ago_comes_with_the_failure() {
    let mut site = returning(10 * MINUTE);
    site.retry_after_ms = Some(7000);
    site.down(Some(Answer::Status(503)));
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Http));

    site.max_age_ms = Some(10 * MINUTE - 1);
    let outcome = site.read(&["performance"]);
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.code, failure.status, failure.retry_after_ms), (Code::TooOld, Some(503), Some(7000)));
    assert!(failure.detail.contains("600000 ms ago") && failure.detail.contains("503"), "{failure}");
    let [reading] = outcome.too_old.try_into().unwrap();
    assert_reading(&reading, "[1]", Source::Fallback, Some(Code::Http));

    site.tamper("performance");
    let outcome = site.read(&["performance"]);
    assert_eq!((outcome.result.unwrap_err().code, outcome.too_old.len()), (Code::Http, 0));
}

#[test]
fn the_oldest_of_a_snapshot_counts() {
    let mut publisher = Publisher::new(1);
    let mut site = Site::of(publisher.publish(&[("performance", "[1]"), ("sales", "[]")]));
    let _ = site.reading("sales");
    later(&mut site, 5);
    let _ = site.reading("performance");
    site.down(Some(Answer::Fails(Code::Offline)));
    site.max_age_ms = Some(4 * MINUTE);
    assert_reading(&site.reading("performance"), "[1]", Source::Fallback, Some(Code::Offline));
    let outcome = site.read(&["performance", "sales"]);
    assert_eq!((outcome.result.unwrap_err().code, outcome.too_old.len()), (Code::TooOld, 2));
}

#[test]
fn how_old_a_copy_is_nobody_knows_when_the_clock_was_set_back() {
    let mut site = returning(10 * MINUTE);
    site.device_clock = site.device_clock.plus_ms(-DAY);
    site.down(Some(Answer::Fails(Code::Offline)));
    assert_eq!(site.failure("performance").code, Code::TooOld);
    site.down(None);
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, None);
}

#[test]
fn a_copy_that_is_too_old_is_not_shown_while_the_dataset_is_locked() {
    let mut site = returning(10 * MINUTE);
    site.lock(&["performance"], (-1000, 29_000));
    assert_reading(&site.reading("performance"), "[1]", Source::Cache, Some(Code::Locked));
    site.max_age_ms = Some(10 * MINUTE - 1);
    let reading = site.reading("performance");
    assert_reading(&reading, "[1]", Source::Cache, Some(Code::Locked));
    assert_eq!(reading.head.checked_at, site.device_clock, "the manifest names it, so it is not too old any more");
    // Nor when the manifest cannot be had meanwhile.
    later(&mut site, 10);
    site.lock(&["performance"], (-1000, 29_000)).always("manifest.json", Answer::Status(500));
    assert_eq!(site.failure("performance").code, Code::TooOld);
    assert_eq!(site.waits.iter().sum::<u64>(), site.lock_wait_ms);
}
