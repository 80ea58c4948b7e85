//! `time_column`

use lastgood::Guards;
use lastgood::protocol::payload::{Permit, Rules};

use crate::{broken, feed, item, publish};

fn day() -> Guards {
    Guards { time_column: Some("day".to_owned()), ..Guards::default() }
}

fn rows(values: &[&str]) -> String {
    format!("[{}]", values.iter().map(|v| format!(r#"{{"x":[{{"day":9}}],"day":{v}}}"#)).collect::<Vec<_>>().join(","))
}

#[test]
fn within_a_payload_it_never_decreases() {
    let right: [&[&str]; 8] = [
        &[],
        &["1"],
        &["-1", "0", "0", "0.5", "1e3", "9007199254740991"],
        &[r#""2026-11-20""#, r#""2026-11-20""#, r#""2026-12-01""#],
        // 23:30 in New York is the next day in UTC, and later than 01:00 in UTC.
        &[r#""2026-11-21T01:00:00Z""#, r#""2026-11-20T23:30:00-05:00""#],
        &[r#""2026-11-20T10:00:00Z""#, r#""2026-11-20T10:00:00.5Z""#],
        // Not all of them are instants: byte by byte.
        &[r#""2026-11-20""#, r#""2026-11-20T00:00:00Z""#],
        &[r#""2026-W01""#, r#""2026-W02""#],
    ];
    for values in right {
        publish(&feed(), &rows(values), &day()).unwrap_or_else(|error| panic!("{values:?}: {error}"));
    }
    let wrong: [(&[&str], &str); 9] = [
        (&["1", "3", "2"], "2 in row 3 after 3"),
        (&["1", "0.999"], "0.999 in row 2 after 1"),
        (&[r#""2026-12-01""#, r#""2026-11-30""#], r#""2026-11-30" in row 2"#),
        (&[r#""2026-11-20T23:30:00-05:00""#, r#""2026-11-21T01:00:00Z""#], "in row 2"),
        (&["1", r#""2""#], "in row 2"),
        (&["1", "null"], r#"row 2 without a number or text under "day""#),
        (&["true"], "row 1 without"),
        (&["{}"], "row 1 without"),
        (&["[1]"], "row 1 without"),
    ];
    for (values, found) in wrong {
        let (codes, message) = broken(publish(&feed(), &rows(values), &day()));
        assert_eq!(codes, ["guard-time-column"]);
        assert!(message.contains(found), "{values:?}: {message}");
    }
}

#[test]
fn what_has_no_such_column_is_refused() {
    for (payload, found) in [
        ("{\"day\":1}", "no array"),
        ("[1]", "row 1 without"),
        ("[[1]]", "row 1 without"),
        ("[null,{\"day\":1}]", "row 1 without"),
        ("[\"day\"]", "row 1 without"),
        ("[{\"day\":1},{\"date\":2}]", "row 2 without"),
    ] {
        let (_, message) = broken(publish(&feed(), payload, &day()));
        assert!(message.contains(found), "{payload}: {message}");
    }
}

#[test]
fn it_is_not_before_what_is_published() {
    let feed = feed();
    publish(&feed, &rows(&["1", "5"]), &day()).unwrap();
    let (_, message) = broken(publish(&feed, &rows(&["1", "4"]), &day()));
    assert!(message.contains("not before the published 5") && message.contains("found 4"), "{message}");
    publish(&feed, &rows(&["3", "5"]), &day()).unwrap();
    broken(publish(&feed, &rows(&[r#""2026-11-20""#]), &day()));
    // No row says anything of a time.
    publish(&feed, "[]", &day()).unwrap();
    publish(&feed, &rows(&["1"]), &day()).unwrap();
    // What was published without the guard need not have the column.
    feed.publish(vec![item("{}")]).unwrap();
    publish(&feed, &rows(&["0"]), &day()).unwrap();
}

/// What the rules let through when asked must not confuse the guard.
#[test]
fn odd_payloads_are_read_as_a_browser_reads_them() {
    let rules = Rules {
        duplicate_names: Permit::Allow,
        unpaired_surrogates: Permit::Allow,
        unsafe_numbers: Permit::Allow,
        ..Rules::default()
    };
    let check = |payload: &str| feed().publish(vec![item(payload).rules(rules).guards(day())]).map(drop);
    check(r#"[{"day":2,"day":1},{"day":1}]"#).unwrap();
    check(r#"[{"\ud800":"\ud800","d\u0061y":1,"big":1e999}]"#).unwrap();
    check(r#"[{"day":9007199254740993},{"day":18446744073709551616}]"#).unwrap();
    check(r#"[{"day":"\ud800"}]"#).unwrap_err();
    let deep = format!(r#"[{{"x":{}{},"day":1}}]"#, "[".repeat(125), "]".repeat(125));
    check(&deep).unwrap();
}
