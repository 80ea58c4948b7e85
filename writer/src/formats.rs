//! The formats of JSON Schema that can be asserted: those of draft 2020-12, and what pydantic writes for its own types.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use email_address::EmailAddress;
use fluent_uri::{Iri, IriRef, Uri, UriRef};

/// Whether a text has a format.
pub(crate) type Test = fn(&str) -> bool;

/// All of them.
const ALL: [(&str, Test); 27] = [
    ("date", date),
    ("time", time),
    ("date-time", date_time),
    ("duration", duration),
    ("email", |text| text.is_ascii() && email(text)),
    ("idn-email", email),
    ("hostname", hostname),
    ("ipv4", |text| Ipv4Addr::from_str(text).is_ok()),
    ("ipv6", |text| Ipv6Addr::from_str(text).is_ok()),
    ("ipvanyaddress", |text| text.parse::<std::net::IpAddr>().is_ok()),
    ("uri", |text| Uri::parse(text).is_ok()),
    ("uri-reference", |text| UriRef::parse(text).is_ok()),
    ("iri", |text| Iri::parse(text).is_ok()),
    ("iri-reference", |text| IriRef::parse(text).is_ok()),
    ("uuid", |text| uuid(text, None)),
    ("uuid1", |text| uuid(text, Some('1'))),
    ("uuid3", |text| uuid(text, Some('3'))),
    ("uuid4", |text| uuid(text, Some('4'))),
    ("uuid5", |text| uuid(text, Some('5'))),
    ("uuid6", |text| uuid(text, Some('6'))),
    ("uuid7", |text| uuid(text, Some('7'))),
    ("uuid8", |text| uuid(text, Some('8'))),
    ("json-pointer", json_pointer),
    ("relative-json-pointer", relative_json_pointer),
    ("regex", |text| regress::Regex::with_flags(text, "u").is_ok()),
    ("json-string", |text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()),
    ("byte", base64),
];

/// The test of a format, or why there is none.
pub(crate) fn named(name: &str) -> Result<Test, String> {
    if let Some((_, test)) = ALL.iter().find(|(known, _)| *known == name) {
        return Ok(*test);
    }
    let known: Vec<&str> = ALL.iter().map(|(known, _)| *known).collect();
    Err(format!("those that can are {}; leave it out, or write a pattern", known.join(", ")))
}

fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `full-date` of RFC 3339.
fn date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// `full-time` of RFC 3339: with an offset. A leap second is one only at the end of a day in UTC.
fn time(text: &str) -> bool {
    let Some(at) = text.find(['Z', 'z', '+', '-']) else { return false };
    let (clock, offset) = text.split_at(at);
    let minutes = match offset {
        "Z" | "z" => 0,
        _ => {
            let (sign, rest) = offset.split_at(1);
            let Some(minutes) = rest.split_once(':').and_then(|(hour, minute)| {
                let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
                (hour < 24 && minute < 60).then_some(i64::from(hour * 60 + minute))
            }) else {
                return false;
            };
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    if fraction.is_some_and(|digits| digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (Some(hour), Some(minute), Some(second)) = (digits(hour, 2), digits(minute, 2), digits(second, 2)) else {
        return false;
    };
    let of_day = (i64::from(hour * 60 + minute) - minutes).rem_euclid(24 * 60);
    hour < 24 && minute < 60 && (second < 60 || second == 60 && of_day == 24 * 60 - 1)
}

/// `date-time` of RFC 3339.
fn date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(day, clock)| date(day) && time(clock))
}

/// A duration of RFC 3339, appendix A; the seconds may have a fraction, as pydantic and JavaScript write it.
fn duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = text.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    let (days, clock) = text.split_once('T').map_or((text, None), |(days, clock)| (days, Some(clock)));
    let (days_fit, some_days) = amounts(days, "YMD");
    let (clock_fits, some_clock) = clock.map_or((true, false), |clock| amounts(clock, "HMS"));
    days_fit && clock_fits && if clock.is_some() { some_clock } else { some_days }
}

/// Whether a text is numbers, each followed by the next or a later one of these letters; and whether there are any.
fn amounts(mut text: &str, letters: &str) -> (bool, bool) {
    let mut rest = letters;
    let any = !text.is_empty();
    while !text.is_empty() {
        let Some(end) = text.find(|char: char| char.is_ascii_alphabetic()) else { return (false, any) };
        let (number, after) = text.split_at(end);
        let letter = &after[..1];
        let Some(at) = rest.find(letter) else { return (false, any) };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let fits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !fits(whole) || !fits(fraction) || number.contains('.') && letter != "S" {
            return (false, any);
        }
        rest = &rest[at + 1..];
        text = &after[1..];
    }
    (true, any)
}

fn email(text: &str) -> bool {
    EmailAddress::is_valid(text) && !text.contains('<')
}

/// A host name of RFC 1123.
fn hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A UUID of RFC 9562, of this version if one is said.
fn uuid(text: &str, version: Option<char>) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && version.is_none_or(|version| groups[2].starts_with(version))
}

/// RFC 6901.
fn json_pointer(text: &str) -> bool {
    let escaped = |text: &str| text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && escaped(text)
}

fn relative_json_pointer(text: &str) -> bool {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (up, rest) = text.split_at(end);
    !up.is_empty() && (up == "0" || !up.starts_with('0')) && (rest == "#" || json_pointer(rest))
}

/// Base64 of RFC 4648, with its padding.
fn base64(text: &str) -> bool {
    let padding = text.len() - text.trim_end_matches('=').len();
    let body = &text[..text.len() - padding];
    text.len().is_multiple_of(4)
        && padding <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_formats_and_no_others() {
        for (format, right, wrong) in [
            (
                "date",
                &["2026-11-20", "2024-02-29", "0000-01-01"][..],
                &["2026-02-29", "2026-13-01", "2026-1-1", "20.11.2026", "", "2026-11-20T"][..],
            ),
            (
                "time",
                &["08:30:06Z", "08:30:06.283185+01:00", "23:59:60Z", "15:59:60-08:00"],
                &["08:30:06", "24:00:00Z", "08:30Z", "22:59:60Z", "08:30:06.Z"],
            ),
            (
                "date-time",
                &["2026-11-20T14:39:00.123Z", "1998-12-31t23:59:60z"],
                &["2026-11-20 14:39:00Z", "2026-11-20", "2026-11-20T14:39:00"],
            ),
            (
                "duration",
                &["P4DT12H30M5S", "P4Y", "PT0S", "P2W", "PT1H", "P1DT0.5S"],
                &["4DT12H", "P", "PT", "P1YT", "P2D1Y", "P1.5D", "P2S", "P1W2D"],
            ),
            (
                "email",
                &["joe.bloggs@example.com", "te~st@example.com"],
                &["2962", "@example.com", "joe@", "é@example.com", "Joe <joe@example.com>"],
            ),
            ("idn-email", &["é@example.com"], &["é"]),
            ("hostname", &["www.example.com", "xn--4gbwdl", "a1"], &["-a.example", "a_b", "a..b", "", &"a".repeat(64)]),
            ("ipv4", &["192.168.0.1"], &["256.1.1.1", "087.10.0.1", "1.2.3"]),
            ("ipv6", &["::1", "::abcd:ef12"], &["12345::", "::1%eth0", "1.2.3.4"]),
            ("uri", &["https://example.org/a?b#c", "mailto:a@b.example"], &["/a", "https:// x", "é:é"]),
            ("uri-reference", &["/a", "#x", ""], &["\\\\a", "a b"]),
            (
                "uuid",
                &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
                &["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"],
            ),
            ("uuid4", &["2eb8aa08-aa98-41ea-b4aa-73b441d16380"], &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"]),
            ("json-pointer", &["", "/a~0b/~1"], &["a", "/~2", "/~"]),
            ("relative-json-pointer", &["0", "1/a", "2#"], &["01", "/a", "1a", ""]),
            ("regex", &["^a+$"], &["^(abc]"]),
            ("byte", &["", "Zm9v", "Zg=="], &["Zg=", "Z===", "Zm9v!", "Zg==Zg=="]),
            ("ipvanyaddress", &["::1", "10.0.0.1"], &["x"]),
            ("json-string", &["[1]"], &["[1"]),
        ] {
            let test = named(format).unwrap();
            right.iter().for_each(|text| assert!(test(text), "{text:?} is a {format}"));
            wrong.iter().for_each(|text| assert!(!test(text), "{text:?} is no {format}"));
        }
        assert!(named("password").unwrap_err().contains("date-time"));
    }
}
