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
