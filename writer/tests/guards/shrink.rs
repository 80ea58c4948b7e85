//! `max_shrink`

use lastgood::protocol::layout;
use lastgood::protocol::name::Ext;
use lastgood::storage::{Kind, MemoryStorage, StagedFile, Staging, Storage};
use lastgood::{Feed, Guards, Shrink};
use proptest::prelude::*;

use crate::{broken, feed, item, name, publish};

fn at_most(shrink: &str) -> Guards {
    Guards { max_shrink: Some(shrink.parse().unwrap()), ..Guards::default() }
}

fn rows(count: usize) -> String {
    format!("[{}]", vec!["12345"; count].join(","))
}

#[test]
fn arrays_compare_by_rows() {
    let guards = at_most("50%");
    let feed = feed();
    publish(&feed, "[]", &guards).unwrap();
    publish(&feed, &rows(7), &guards).unwrap();
    // Half of 7 is 3.5: three are too few, however many bytes they have.
    let (codes, message) = broken(publish(&feed, &format!("[\"{}\",2,3]", "x".repeat(500)), &guards));
    assert_eq!(codes, ["guard-max-shrink"]);
    assert!(message.contains("at least 4 rows (50% less than the published 7)") && message.contains("found 3 rows"));
    publish(&feed, "[1,2,3,4]", &guards).unwrap();
    publish(&feed, "[1,2]", &guards).unwrap();
    publish(&feed, "[1,2]", &at_most("0%")).unwrap();
    broken(publish(&feed, "[1]", &at_most("49.9999%")));
    publish(&feed, "[]", &at_most("100%")).unwrap();
}

#[test]
fn other_payloads_compare_by_bytes() {
    let guards = at_most("50%");
    let feed = feed();
    publish(&feed, "\"12345678\"", &guards).unwrap();
    let (_, message) = broken(publish(&feed, "\"12\"", &guards));
    assert!(message.contains("at least 5 bytes") && message.contains("found 4 bytes"), "{message}");
    broken(publish(&feed, "[12]", &guards));
    publish(&feed, "[123]", &guards).unwrap();
    let artifact = item("ab").guards(guards).artifact(Ext::parse("csv").unwrap());
    assert!(broken(feed.publish(vec![artifact])).1.contains("found 2 bytes"));
}

/// The way out of damage is to publish: a guard that cannot see the rows must not be in the way of it.
#[test]
fn a_damaged_payload_is_compared_by_the_manifest() {
    let storage = MemoryStorage::new();
    let feed = Feed::on(storage.clone());
    feed.publish(vec![item(&rows(100))]).unwrap();
    let entry = feed.manifest().unwrap().datasets[&name()].clone();
    let staging = storage.stage().unwrap();
    let mut file = staging.create(Kind::Published).unwrap();
    std::io::Write::write_all(&mut file, rows(1000).as_bytes()).unwrap();
    storage.place(file.finish().unwrap(), &layout::object(&entry.sha256, &entry.ext)).unwrap();
    let long_rows = format!("[{}]", vec!["\"1234567890\""; 60].join(","));
    publish(&feed, &long_rows, &at_most("10%")).unwrap();
    let few_bytes = feed.publish(vec![item("[1]").guards(at_most("10%"))]);
    assert!(broken(few_bytes).1.contains("rows"));
}

proptest! {
    #[test]
    fn a_shrink_is_what_it_says(millionths in 0_u64..=1_000_000) {
        let fraction: Shrink = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000).parse().unwrap();
        let percent: Shrink = format!("{}.{:04}%", millionths / 10_000, millionths % 10_000).parse().unwrap();
        prop_assert_eq!(fraction, percent);
        prop_assert_eq!(percent.to_string().parse(), Ok(percent));
    }

    #[test]
    fn the_limit_is_exact(before in 1_usize..60, now in 0_usize..60, percent in 0_usize..=100) {
        let feed = feed();
        feed.publish(vec![item(&rows(before))]).unwrap();
        let published = publish(&feed, &rows(now), &at_most(&format!("{percent}%")));
        prop_assert_eq!(published.is_ok(), 100 * now >= before * (100 - percent));
    }
}

#[test]
fn what_is_no_part_of_a_whole_is_refused() {
    for text in ["", "%", "-1%", "100.1%", "1.01", "1e-1", ".5", "5.", "50 percent", "0.1234567", "12.34567%", "+5%"] {
        assert!(text.parse::<Shrink>().is_err(), "{text}");
    }
}
