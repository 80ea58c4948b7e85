//! Many processes at the same moment.

use std::os::unix::fs::symlink;
use std::process::Child;

use lastgood_tests::server::{Server, Software};
use lastgood_tests::{Ran, TestFeed};
use serde_json::Value;

/// Starts a publish of two datasets, one of them its own.
fn publisher(feed: &TestFeed, number: usize, further: &[&str]) -> Child {
    let input = format!("{number}.in");
    feed.input(&input, format!("[{number}]"));
    let inputs = [format!("p{number}={input}"), format!("shared={input}")];
    feed.spawn(&[&["publish", &inputs[0], &inputs[1], "--json"], further].concat())
}

/// The generations of those that have committed; the others were told that the feed is locked.
fn committed(publishers: Vec<Child>) -> Vec<u64> {
    let generation = |child| {
        let ran = Ran::end_of(child);
        match ran.code {
            Some(4) => None,
            _ => ran.expect(0).json()["generation"].as_u64(),
        }
    };
    let mut generations: Vec<u64> = publishers.into_iter().filter_map(generation).collect();
    generations.sort_unstable();
    generations
}

#[test]
fn fifty_publishers_commit_one_by_one_or_are_told_that_it_is_locked() {
    for further in [&["--lock-wait", "2m"][..], &["--lock-wait", "0s"]] {
        let feed = TestFeed::new();
        let waits = further[1] != "0s";
        let generations = committed((0..50).map(|number| publisher(&feed, number, further)).collect());
        assert!(generations.iter().copied().eq(1..=generations.len() as u64), "{generations:?}");
        assert!(if waits { generations.len() == 50 } else { !generations.is_empty() }, "{}", generations.len());
        let manifest = feed.manifest();
        assert_eq!(manifest["generation"], generations.len());
        // Each of them has brought its own dataset, and the last one the shared one.
        let datasets = manifest["datasets"].as_object().unwrap();
        assert_eq!(datasets.len(), generations.len() + 1);
        let of_last = |entry: &&Value| entry["generation"] == generations.len();
        assert_eq!(datasets.values().filter(of_last).count(), 2);
        feed.expect_clean();
    }
}

/// One feed under two names has one lock.
#[test]
fn publishers_on_two_paths_of_one_directory_wait_for_each_other() {
    let feed = TestFeed::new();
    feed.publish("shared", "0");
    symlink("data", feed.root().join("link")).unwrap();
    let by = |number: usize| ["data", "link", "link/../data", "./data/."][number % 4];
    let publishers = (0..24).map(|number| publisher(&feed, number, &["--dir", by(number), "--lock-wait", "2m"]));
    let generations = committed(publishers.collect());
    assert!(generations.iter().copied().eq(2..=25), "{generations:?}");
    feed.expect_clean();
}

/// Nobody gets into the way of anybody.
#[test]
fn collections_at_once_while_it_is_published_served_and_looked_at() {
    let feed = TestFeed::new();
    std::fs::create_dir(feed.root().join("site")).unwrap();
    feed.publish("shared", "0");
    let server = Server::start(Software::Lastgood, feed.root());
    for round in 0..3 {
        let publishers: Vec<Child> = (0..6).map(|number| publisher(&feed, number, &["--lock-wait", "2m"])).collect();
        let collect = |_| feed.spawn(&["gc", "--keep", "1", "--grace", "0s", "--lock-wait", "2m"]);
        let others: Vec<Child> =
            (0..4).map(collect).chain([feed.spawn(&["doctor"]), feed.spawn(&["verify"])]).collect();
        let generations = committed(publishers);
        assert!(generations.iter().copied().eq(2 + 6 * round..8 + 6 * round), "{generations:?}");
        others.into_iter().for_each(|other| drop(Ran::end_of(other).expect(0)));
        assert_eq!(server.get("/data/shared.json", &[]).body, feed.read("shared.json"));
    }
    feed.expect_clean();
}
