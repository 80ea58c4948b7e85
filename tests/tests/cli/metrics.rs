//! `--metrics FILE`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use lastgood_tests::{Ran, TestFeed};

const FILE: &str = "lastgood.prom";

/// The lines of the file by metric and labels, without `dir`, which is the same in all.
fn metrics(feed: &TestFeed) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(feed.root().join(FILE)).unwrap();
    let dir = format!("dir=\"{}\"", feed.dir().display());
    let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.contains(&dir), "{name}");
        (name.replace(&format!("{dir},"), "").replace(&format!(",{dir}"), "").replace(&format!("{{{dir}}}"), ""), value)
    });
    samples.map(|(name, value)| (name, value.parse().unwrap())).collect()
}

fn publish(feed: &TestFeed, payload: &str) -> Ran {
    feed.run_with(&["publish", "performance", "--metrics", FILE], payload)
}

#[test]
fn runs_add_up_and_failures_count() {
    let feed = TestFeed::new();
    publish(&feed, "[1,2]").expect(0);
    publish(&feed, "[1,2,3]").expect(0);
    let after_success = metrics(&feed);
    publish(&feed, "[NaN]").expect(3);
    publish(&feed, "[NaN]").expect(3);
    feed.run(&["publish", "performance=missing.json", "--metrics", FILE]).expect(3);
    feed.run(&["recover", "--metrics", FILE]).expect(0);
    let found = metrics(&feed);
    let value = |name: &str| *found.get(name).unwrap_or_else(|| panic!("{name} in {found:#?}"));
    assert_eq!(value("lastgood_operations_total{operation=\"publish\"}"), 2.0);
    assert_eq!(value("lastgood_operations_total{operation=\"recover\"}"), 1.0);
    assert_eq!(value("lastgood_failures_total{code=\"nan\",operation=\"publish\"}"), 2.0);
    assert_eq!(value("lastgood_failures_total{code=\"input-unreadable\",operation=\"publish\"}"), 1.0);
    assert_eq!(value("lastgood_generation"), 2.0);
    assert_eq!(value("lastgood_dataset_size_bytes{dataset=\"performance\"}"), 7.0);
    assert_eq!(value("lastgood_dataset_published_bytes_total{dataset=\"performance\"}"), 12.0);
    assert_eq!(value("lastgood_dataset_rows{dataset=\"performance\"}"), 3.0);
    // A failure is an attempt and no success.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let (success, attempt) =
        ("lastgood_last_success_timestamp_seconds", "lastgood_last_attempt_timestamp_seconds{operation=\"publish\"}");
    let success = format!("{success}{{operation=\"publish\"}}");
    assert_eq!(value(&success), after_success[&success]);
    assert!(value(attempt) > value(&success) && value(attempt) <= now);
    assert!(value("lastgood_last_duration_seconds{operation=\"publish\"}") > 0.0);
    let mode = fs::metadata(feed.root().join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    assert_eq!(prom_files(&feed), [FILE]);
}

/// What the textfile collector reads.
fn prom_files(feed: &TestFeed) -> Vec<String> {
    let names = fs::read_dir(feed.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".prom") || name.ends_with(".tmp")).collect()
}

#[test]
fn a_damaged_file_begins_anew_with_a_warning() {
    let feed = TestFeed::new();
    feed.input(FILE, "lastgood_generation{dir=");
    publish(&feed, "[1]").expect(0).says(&["warning", FILE, "begin anew"]);
    publish(&feed, "[1]").expect(0);
    assert_eq!(metrics(&feed)["lastgood_operations_total{operation=\"publish\"}"], 2.0);
}

#[test]
fn metrics_that_cannot_be_written_do_not_change_the_outcome() {
    let feed = TestFeed::new();
    let arguments = ["publish", "performance", "--metrics", "missing/x.prom"];
    feed.run_with(&arguments, "[1]").expect(0).says(&["warning", "metrics"]);
    feed.run_with(&arguments, "[NaN]").expect(3).says(&["warning", "metrics"]);
    assert_eq!(feed.manifest()["generation"], 1);
}

#[test]
fn runs_at_the_same_time_lose_no_count() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    let runs: Vec<_> = (0..8).map(|n| feed.spawn(&["publish", &format!("d{n}=p.json"), "--metrics", FILE])).collect();
    for run in runs {
        Ran::end_of(run).expect(0);
    }
    let found = metrics(&feed);
    assert_eq!(found["lastgood_operations_total{operation=\"publish\"}"], 8.0);
    assert_eq!(found.keys().filter(|name| name.starts_with("lastgood_dataset_size_bytes")).count(), 8);
    assert_eq!(prom_files(&feed), [FILE]);
}
