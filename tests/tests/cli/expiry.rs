//! `--expires-in`: the end of a dataset.

use lastgood_protocol::manifest::Manifest;
use lastgood_protocol::time::Timestamp;
use lastgood_tests::TestFeed;
use serde_json::Value;

fn end(feed: &TestFeed, dataset: &str) -> Value {
    feed.manifest()["datasets"][dataset]["expires_at"].clone()
}

/// Alters the published manifest and its copy in the history, as another version or another clock would have written it.
pub(crate) fn rewrite(feed: &TestFeed, alter: impl FnOnce(&mut Manifest)) {
    let mut manifest = Manifest::verify(&feed.read("manifest.json")).unwrap();
    alter(&mut manifest);
    let history = format!("history/{}.json", manifest.generation);
    for path in ["manifest.json", &history] {
        std::fs::write(feed.path(path), manifest.encode()).unwrap();
    }
    std::fs::write(feed.path("last_update.txt"), format!("{}\n", manifest.published_at)).unwrap();
}

#[test]
fn the_end_is_that_of_the_dataset_and_nothing_else_takes_it_away() {
    let feed = TestFeed::new();
    feed.run_with(&["publish", "forecast", "--expires-in", "26h"], "[1]").expect(0);
    let set = end(&feed, "forecast");
    let published: Timestamp = feed.manifest()["published_at"].as_str().unwrap().parse().unwrap();
    let ends: Timestamp = set.as_str().unwrap().parse().unwrap();
    assert_eq!(ends.ms_since(published), 26 * 3600 * 1000);
    assert!(feed.manifest()["expires_at"].is_null(), "the generation has no end of its own");
    feed.publish("other", "[1]");
    feed.publish("other", "[2]");
    feed.run(&["rollback", "other"]).expect(0);
    feed.run(&["gc", "--keep", "1", "--grace", "0s"]).expect(0);
    feed.run(&["recover"]).expect(0);
    feed.run(&["recover", "--new-feed"]).expect(0);
    assert_eq!((end(&feed, "forecast"), end(&feed, "other")), (set, Value::Null));
    // Its own publish says it anew.
    feed.publish("forecast", "[1]");
    assert_eq!(end(&feed, "forecast"), Value::Null);
    let report = feed.run_with(&["publish", "forecast", "--expires-in", "1h", "--json"], "[2]").expect(0).json();
    assert_eq!(report["datasets"][0]["expires_at"], end(&feed, "forecast"));
    feed.expect_clean();
}

#[test]
fn a_rollback_keeps_the_end_that_the_old_payload_had() {
    let feed = TestFeed::new();
    feed.input("lastgood.toml", "expires_in = '1h'\n");
    feed.run_with(&["publish", "forecast", "--expires-in", "26h"], "[1]").expect(0);
    let first = end(&feed, "forecast");
    feed.run_with(&["publish", "forecast", "--expires-in", "1ms"], "[2]").expect(0);
    let second = end(&feed, "forecast");
    feed.run_with(&["publish", "forecast", "--expires-in", "never"], "[3]").expect(0);
    feed.run(&["rollback", "forecast", "--to", "1"]).expect(0);
    assert_eq!(end(&feed, "forecast"), first, "not that of the configuration");
    let at = second.as_str().unwrap().to_owned();
    feed.run(&["rollback", "forecast", "--to", "2"]).expect(0).says(&[&at, "--expires-in TIME` gives it another end"]);
    assert_eq!(end(&feed, "forecast"), second);
    feed.run(&["status"]).expect(1);
    feed.run(&["rollback", "forecast", "--to", "3", "--expires-in", "1h"]).expect(0);
    assert!(end(&feed, "forecast").is_string());
    feed.run(&["rollback", "forecast", "--to", "1", "--expires-in", "never"]).expect(0);
    assert_eq!(end(&feed, "forecast"), Value::Null);
}

#[test]
fn what_has_expired_is_printed_with_a_warning_or_refused() {
    let feed = TestFeed::new();
    feed.run_with(&["publish", "forecast", "--expires-in", "1ms"], "[1]").expect(0);
    feed.publish("sales", "[2]");
    let at = end(&feed, "forecast").as_str().unwrap().to_owned();
    let ran = feed.run(&["cat", "forecast"]).expect(0).says(&["warning: forecast expired at", &at, "publish it anew"]);
    assert_eq!(ran.text(), "[1]");
    let document = feed.run(&["cat", "forecast", "--json"]).expect(0).json();
    assert_eq!((&document["expires_at"], &document["expired"]), (&at.as_str().into(), &true.into()));
    let refused = feed.run(&["cat", "forecast", "--fresh-only"]).expect(1).says(&[
        &at,
        "publish it anew",
        "leave --fresh-only out",
    ]);
    assert_eq!(refused.text(), "");
    assert_eq!(feed.run(&["cat", "sales", "--fresh-only"]).expect(0).stderr, "");
    // The same of a generation.
    feed.publish("forecast", "[3]");
    feed.run(&["cat", "forecast", "--generation", "1"]).expect(0).says(&["forecast expired at", &at]);
    let refused = feed.run(&["cat", "forecast", "--generation", "2", "--fresh-only", "--json"]).expect(1);
    assert_eq!(refused.json()["error"]["code"], "expired");
    assert_eq!(feed.run(&["cat", "forecast", "--fresh-only"]).expect(0).text(), "[3]");
}

/// Manifests of versions that knew only an end of the whole generation, which every publish took away.
#[test]
fn an_end_of_the_whole_generation_is_read_as_before_and_handed_to_what_is_not_published() {
    let feed = TestFeed::new();
    feed.run_with(&["publish", "forecast", "--expires-in", "never"], "[1]").expect(0);
    feed.publish("sales", "[2]");
    let past = Timestamp::from_ms(1_700_000_000_000);
    rewrite(&feed, |manifest| manifest.expires_at = Some(past));
    feed.expect_clean();
    let status = feed.run(&["status", "--json"]).expect(1).says(&["forecast, sales"]).json();
    assert_eq!((&status["expired"], &status["expires_at"]), (&true.into(), &past.to_string().into()));
    assert_eq!(status["datasets"][0]["expired"], true);
    feed.run(&["status"]).expect(1).says(&["expired"]);
    assert_eq!(feed.run(&["cat", "sales"]).expect(0).says(&["sales expired at"]).text(), "[2]");
    feed.run(&["cat", "sales", "--fresh-only"]).expect(1);
    feed.publish("sales", "[3]");
    assert_eq!(end(&feed, "forecast"), past.to_string(), "it is no younger for the publish of another");
    assert_eq!((end(&feed, "sales"), feed.manifest()["expires_at"].clone()), (Value::Null, Value::Null));
    let status = feed.run(&["status", "--json", "sales"]).expect(0).json();
    assert_eq!((&status["expired"], &status["datasets"][0]["expired"]), (&false.into(), &false.into()));
}

#[test]
fn a_time_in_the_future_does_not_pass_for_ever() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    feed.publish("sales", "[1]");
    let ahead = |manifest: &mut Manifest| {
        let later = manifest.published_at.plus_ms(3 * 3_600_000);
        manifest.published_at = later;
        manifest.datasets.get_mut(&"performance".parse().unwrap()).unwrap().published_at = later;
    };
    rewrite(&feed, ahead);
    feed.run(&["status", "--max-age", "1h"]).expect(1).says(&[
        "in the future",
        "performance;",
        "timedatectl set-ntp true",
    ]);
    feed.run(&["status", "--max-age", "1h", "sales"]).expect(0);
    let status = feed.run(&["status", "--json"]).expect(0).json();
    assert_eq!(
        (&status["datasets"][0]["in_future"], &status["datasets"][1]["in_future"]),
        (&true.into(), &false.into())
    );
    let text = feed.run(&["status"]).expect(0).text();
    assert!(text.contains("(in 3 hours: a clock is wrong)"), "{text}");
    // The next publisher, whose clock is right, says so, and its publish mends it.
    let ran = feed.publish("performance", "[2]").says(&["this machine's clock says", "one of the two clocks is wrong"]);
    assert!(ran.stderr.contains("timedatectl set-ntp true"), "{}", ran.stderr);
    feed.run(&["status", "--max-age", "1h"]).expect(0);
    assert_eq!(feed.publish("performance", "[3]").stderr, "");
}

#[test]
fn the_metric_of_the_end_goes_with_it() {
    let feed = TestFeed::new();
    let sample = || {
        let text = std::fs::read_to_string(feed.root().join("lastgood.prom")).unwrap();
        let line = text.lines().find(|line| line.starts_with("lastgood_dataset_expires_timestamp_seconds{"));
        line.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
    };
    feed.run_with(&["publish", "forecast", "--expires-in", "1h", "--metrics", "lastgood.prom"], "[1]").expect(0);
    let ends: Timestamp = end(&feed, "forecast").as_str().unwrap().parse().unwrap();
    assert_eq!(sample(), Some(ends.ms() as f64 / 1000.0));
    feed.run_with(&["publish", "other", "--metrics", "lastgood.prom"], "[1]").expect(0);
    assert!(sample().is_some(), "another dataset has none");
    feed.run_with(&["publish", "forecast", "--metrics", "lastgood.prom"], "[2]").expect(0);
    assert_eq!(sample(), None);
    feed.run(&["rollback", "forecast", "--metrics", "lastgood.prom"]).expect(0);
    assert_eq!(sample(), Some(ends.ms() as f64 / 1000.0));
}
