//! Times, against `jiff`.
#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};
use lastgood_protocol::time::Timestamp;
use proptest::prelude::*;

const MS_PER_DAY: i64 = 86_400_000;

fn epoch() -> DateTime {
    civil::date(1970, 1, 1).at(0, 0, 0, 0)
}

/// What `jiff` writes for an instant. Its own instants end before the year 9999 does, its civil times do not.
fn expected_text(ms: i64) -> String {
    let civil = epoch().checked_add(SignedDuration::from_millis(ms)).unwrap();
    format!("{}Z", civil.strftime("%Y-%m-%dT%H:%M:%S.%3f"))
}

/// What `jiff` makes of a text, provided that it is of the documented grammar.
fn expected_ms(text: &str) -> Option<i64> {
    let offset_at = text.len().checked_sub(if text.ends_with('Z') { 1 } else { 6 })?;
    let (local, offset) = text.is_char_boundary(offset_at).then(|| text.split_at(offset_at))?;
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, "0"));
    let shape: String = seconds.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if shape != "0000-00-00T00:00:00" || !all_digits(fraction) {
        return None;
    }
    // `jiff` reads at most nine decimals and takes second 60 for 59; ours are cut and carried.
    let leap = seconds.ends_with(":60");
    let fraction = &fraction[..fraction.len().min(3)];
    let civil: DateTime = format!("{}.{fraction}", seconds.replace(":60", ":59")).parse().ok()?;
    if seconds.matches(":60").count() > usize::from(leap) {
        return None;
    }
    let offset_minutes = match offset {
        "Z" => 0,
        _ => {
            let (sign, time) = offset.split_at_checked(1)?;
            let shaped = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).eq("00:00".chars());
            let time: civil::Time = shaped.then(|| time.parse().ok())??;
            (i64::from(time.hour()) * 60 + i64::from(time.minute()))
                * match sign {
                    "+" => 1,
                    "-" => -1,
                    _ => return None,
                }
        }
    };
    let ms = civil.duration_since(epoch()).as_millis();
    let ms = i64::try_from(ms).unwrap() + i64::from(leap) * 1000 - offset_minutes * 60_000;
    (Timestamp::MIN.ms()..=Timestamp::MAX.ms()).contains(&ms).then_some(ms)
}

fn assert_agrees(text: &str) {
    assert_eq!(text.parse::<Timestamp>().ok().map(Timestamp::ms), expected_ms(text), "{text:?}");
    // Where a text is an instant to `jiff` too, it is the same one.
    if let (Ok(ours), Ok(theirs), false) =
        (text.parse::<Timestamp>(), text.parse::<jiff::Timestamp>(), text.contains(":60"))
    {
        assert_eq!(ours.ms(), theirs.as_nanosecond().div_euclid(1_000_000) as i64, "{text:?}");
    }
}

fn assert_written_and_read(instant: i64) {
    let text = Timestamp::from_ms(instant).to_string();
    assert_eq!(text, expected_text(instant));
    assert_eq!(text.parse(), Ok(Timestamp::from_ms(instant)));
}

#[test]
fn every_day_of_a_whole_cycle_is_written_and_read() {
    // The calendar repeats after 400 years.
    let first: Timestamp = "1800-01-01T00:00:00Z".parse().unwrap();
    for day in 0..146_097 {
        // Another time of day each day.
        assert_written_and_read(first.ms() + day * MS_PER_DAY + (day * 7_654_321) % MS_PER_DAY);
    }
}

#[test]
fn every_month_of_ten_thousand_years_is_written_and_read() {
    for year in 0..=9999 {
        for month in 1..=12 {
            let start: Timestamp = format!("{year:04}-{month:02}-01T00:00:00Z").parse().unwrap();
            assert_written_and_read(start.ms());
            // The last millisecond of the month before.
            assert_written_and_read(start.plus_ms(-1).ms());
        }
    }
}

#[test]
fn the_ends_hold() {
    assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00.000Z");
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::from_ms(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::from_ms(i64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX.plus_ms(i64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.plus_ms(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::MAX.plus_ms(-1).plus_ms(1), Timestamp::MAX);
    assert_eq!(Timestamp::MIN.ms_since(Timestamp::MAX), 0);
    assert_eq!(Timestamp::MAX.ms_since(Timestamp::MIN), 315_569_519_999_999);
}

#[test]
fn what_is_a_time_and_what_is_not() {
    let times = [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.1Z", 100),
        ("1970-01-01T00:00:00.0019999999999999999Z", 1),
        ("1970-01-01T00:00:00+00:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1969-12-31T23:00:00.5-01:00", 500),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
    ];
    for (text, ms) in times {
        assert_eq!(text.parse(), Ok(Timestamp::from_ms(ms)), "{text}");
        assert_agrees(text);
    }
    let others = [
        "",
        "Z",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00Z",
        "1970-01-01 00:00:00Z",
        "1970-01-01t00:00:00Z",
        "1970-01-01T00:00:00z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-1-01T00:00:00Z",
        "+1970-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "+001970-01-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00Z ",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00ZZ",
        "1970-01-01T00:00:00Z[UTC]",
        "1970-01-01T00:00:00\u{2212}01:00",
        "１970-01-01T00:00:00Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59.999-00:01",
        "9999-12-31T23:59:60Z",
    ];
    for text in others {
        assert!(text.parse::<Timestamp>().is_err(), "{text:?}");
        assert_agrees(text);
    }
}

#[test]
fn every_single_character_of_a_time_counts() {
    let text = "2024-02-29T23:59:58.123+01:45";
    for (i, _) in text.char_indices() {
        for c in (0..0x180).filter_map(char::from_u32) {
            assert_agrees(&format!("{}{c}{}", &text[..i], &text[i + 1..]));
            assert_agrees(&format!("{}{c}{}", &text[..i], &text[i..]));
        }
        assert_agrees(&text[..i]);
        assert_agrees(&text[i..]);
    }
}

proptest! {
    #[test]
    fn any_instant_is_written_as_jiff_does_and_read_back(ms in Timestamp::MIN.ms()..=Timestamp::MAX.ms()) {
        let text = Timestamp::from_ms(ms).to_string();
        prop_assert_eq!(&text, &expected_text(ms));
        prop_assert_eq!(text.parse::<Timestamp>().unwrap().ms(), ms);
    }

    #[test]
    fn nearly_times_are_decided_as_jiff_does(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?(Z|z|[+-][0-2][0-9]:[0-6][0-9]|)"
    ) {
        assert_agrees(&text);
    }

    #[test]
    fn any_text_is_decided(text in "\\PC{0,40}") {
        assert_agrees(&text);
    }

    #[test]
    fn order_and_distance_are_those_of_the_instants(a in any::<i64>(), b in any::<i64>(), by in any::<i64>()) {
        let (a, b) = (Timestamp::from_ms(a), Timestamp::from_ms(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()), "the text sorts as the time does");
        prop_assert_eq!(i128::from(a.ms_since(b)), (i128::from(a.ms()) - i128::from(b.ms())).max(0));
        prop_assert!((Timestamp::MIN..=Timestamp::MAX).contains(&a.plus_ms(by)));
    }
}
