//! Guards: what they refuse, what `force` lets through, and that nobody in between defeats them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod column;
mod race;
mod shrink;

use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::storage::MemoryStorage;
use lastgood::{Error, Feed, Guards, Item, Publication};

fn feed() -> Feed<MemoryStorage> {
    Feed::on(MemoryStorage::new())
}

fn item(payload: &str) -> Item<'_> {
    Item::new(name(), payload.as_bytes())
}

fn name() -> DatasetName {
    DatasetName::parse("performance").unwrap()
}

fn publish(feed: &Feed<MemoryStorage>, payload: &str, guards: &Guards) -> Result<Publication, Error> {
    feed.publish(vec![item(payload).guards(guards.clone())])
}

/// The codes of the broken guards, and the whole message.
#[track_caller]
fn broken(result: Result<Publication, Error>) -> (Vec<&'static str>, String) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("--force"), "{message}");
    let Error::Guard { broken, .. } = &error else { panic!("{error}") };
    assert_eq!(error.code(), broken[0].guard.code());
    (broken.iter().map(|broken| broken.guard.code()).collect(), message)
}

#[test]
fn min_rows_counts_the_elements_of_an_array() {
    let guards = Guards { min_rows: Some(2), ..Guards::default() };
    let feed = feed();
    publish(&feed, "[1,[2,3]]", &guards).unwrap();
    for (payload, found) in [("[[1,2,3]]", "found 1 row;"), ("[]", "found 0 rows"), ("{\"a\":1,\"b\":2}", "no array")] {
        let (codes, message) = broken(publish(&feed, payload, &guards));
        assert_eq!(codes, ["guard-min-rows"]);
        assert!(message.contains("at least 2 rows") && message.contains(found), "{message}");
    }
    let csv = item("a\n1\n2\n").guards(guards).artifact(Ext::parse("csv").unwrap());
    assert!(broken(feed.publish(vec![csv])).1.contains("a file of type csv"));
    assert_eq!(feed.read(&name()).unwrap().value, b"[1,[2,3]]");
}

#[test]
fn require_meta_names_what_is_missing() {
    let guards = Guards { require_meta: vec!["model".into(), "run".into()], ..Guards::default() };
    let feed = feed();
    let with = |meta: Option<&str>| {
        let item = item("1").guards(guards.clone());
        feed.publish(vec![if let Some(meta) = meta { item.meta(meta) } else { item }])
    };
    with(Some(r#"{"run":null,"model":"x","more":1}"#)).unwrap();
    for (meta, found) in [
        (None, "found no meta"),
        (Some("[1]"), "meta that is no object"),
        (Some("{}"), "without model, run"),
        (Some(r#"{"model":1}"#), "meta without run"),
    ] {
        let (codes, message) = broken(with(meta));
        assert_eq!(codes, ["guard-require-meta"]);
        assert!(message.contains(found), "{message}");
    }
}

#[test]
fn every_broken_guard_is_told_and_one_dataset_stops_all() {
    let feed = feed();
    feed.publish(vec![item(r#"[{"t":1},{"t":2}]"#)]).unwrap();
    let guards = Guards {
        min_rows: Some(2),
        max_shrink: Some("10%".parse().unwrap()),
        require_meta: vec!["run".into()],
        time_column: Some("t".into()),
    };
    let other = Item::new(DatasetName::parse("other").unwrap(), &b"1"[..]);
    let bad = r#"[{"t":1}]"#;
    let (codes, _) = broken(feed.publish(vec![other, item(bad).guards(guards.clone())]));
    assert_eq!(codes, ["guard-min-rows", "guard-require-meta", "guard-max-shrink", "guard-time-column"]);
    assert_eq!(feed.manifest().unwrap().generation.get(), 1);

    let forced = feed.publish(vec![item(bad).guards(guards.clone()).force()]).unwrap();
    let names = Some("min_rows require_meta max_shrink time_column");
    assert_eq!(forced.datasets[0].forced.as_deref(), names);
    assert_eq!(feed.manifest().unwrap().datasets[&name()].forced.as_deref(), names);
    // Only what was overridden is recorded, and only as long as that payload is published.
    let good = item(r#"[{"t":1},{"t":5}]"#).guards(guards).meta(r#"{"run":1}"#).force();
    assert_eq!(feed.publish(vec![good]).unwrap().datasets[0].forced, None);
    assert_eq!(feed.manifest().unwrap().datasets[&name()].forced, None);
}
