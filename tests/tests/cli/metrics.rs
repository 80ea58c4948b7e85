//! `--metrics FILE`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
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

/// Publishes with metrics into a file that they must not touch.
#[track_caller]
fn left_alone(feed: &TestFeed, file: &str, words: &[&str]) {
    let path = feed.root().join(file);
    let read = || fs::read(&path).ok();
    feed.publish("performance", "[0]");
    let before = read();
    let arguments = ["publish", "performance", "--metrics", file];
    feed.run_with(&arguments, "[0]").expect(0).says(&["warning: the metrics were not written", file]).says(words);
    match read() {
        // The publish itself writes some of the feed's files.
        Some(now) if file.contains('/') && before.is_some() => {
            assert!(!String::from_utf8_lossy(&now).contains("lastgood_"), "{file}")
        }
        now => assert_eq!(now, before, "{file}"),
    }
    feed.expect_clean();
    let beside: Vec<String> = prom_files(feed);
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn what_holds_no_metrics_is_left_alone() {
    let feed = TestFeed::new();
    let elsewhere = "holds something else";
    feed.input("p.json", "[1]");
    feed.input("page.html", "<html>");
    feed.input("other.txt", "# HELP node_load1 1m load average.\nnode_load1 0.3\n");
    feed.input("binary", [0, 159, 146, 150]);
    fs::create_dir(feed.root().join("dir")).unwrap();
    for file in ["p.json", "page.html", "other.txt", "binary"] {
        left_alone(&feed, file, &[elsewhere, "name another file"]);
        assert!(!feed.root().join(format!(".{file}.lock")).exists());
    }
    left_alone(&feed, "dir", &["is a directory", "dir/lastgood.prom"]);
    symlink("p.json", feed.root().join("link")).unwrap();
    left_alone(&feed, "link", &[elsewhere]);
    symlink("gone", feed.root().join("dangling")).unwrap();
    left_alone(&feed, "dangling", &["leads to no file"]);
    let object = feed.names("objects").remove(0);
    fs::hard_link(feed.path(&format!("objects/{object}")), feed.root().join("hard")).unwrap();
    left_alone(&feed, "hard", &[elsewhere]);
}

#[test]
fn nothing_in_the_feed_directory_becomes_metrics() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    feed.publish("performance", "[2]");
    symlink("data", feed.root().join("public")).unwrap();
    let names = [
        "manifest.json",
        "performance.json",
        "performance_backup.json",
        "last_update.txt",
        ".lock",
        ".performance_lock",
    ];
    let inside = names.map(|name| format!("data/{name}"));
    let more =
        ["data/new.prom", "data/objects/new.prom", "data/.lastgood/lock", "public/manifest.json", "public/new.prom"];
    for file in inside.iter().map(String::as_str).chain(more) {
        left_alone(&feed, file, &["in the feed directory"]);
    }
    // Before there is a feed, too.
    let feed = TestFeed::new();
    feed.run_with(&["publish", "a", "--metrics", "data/manifest.json"], "[1]")
        .expect(0)
        .says(&["in the feed directory"]);
    feed.expect_clean();
}

#[test]
fn an_empty_file_a_link_to_metrics_and_devices_take_them() {
    let feed = TestFeed::new();
    feed.input(FILE, "");
    publish(&feed, "[1]").expect(0);
    symlink(FILE, feed.root().join("link")).unwrap();
    let ran = feed.run_with(&["publish", "performance", "--metrics", "link"], "[2]").expect(0);
    assert_eq!(ran.stderr, "");
    assert!(feed.root().join("link").is_symlink(), "the link stays");
    assert_eq!(metrics(&feed)["lastgood_operations_total{operation=\"publish\"}"], 2.0);
    for device in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
        let ran = feed.run_with(&["publish", "performance", "--metrics", device], "[3]").expect(0);
        assert!(ran.text().contains("# HELP lastgood_") && ran.stderr.is_empty(), "{device}: {ran:?}");
    }
    feed.run_with(&["publish", "performance", "--metrics", "/dev/null"], "[4]").expect(0);
    feed.run_with(&["publish", "performance", "--metrics", "/dev/full"], "[5]")
        .expect(0)
        .says(&["warning", "/dev/full"]);
}

/// Those that read all of a feed, lock it, or make one.
#[test]
fn verifications_locks_and_adoptions_are_measured_too() {
    let feed = TestFeed::new();
    fs::create_dir(feed.dir()).unwrap();
    fs::write(feed.path("performance.json"), "[1,2,3]").unwrap();
    fs::write(feed.path("bad.json"), "{").unwrap();
    let ran = |arguments: &[&str], code: i32| {
        let (command, rest) = arguments.split_first().unwrap();
        feed.run(&[&[*command, "--metrics", FILE], rest].concat()).expect(code)
    };
    ran(&["adopt", "--dry-run"], 3);
    assert!(!feed.root().join(FILE).exists(), "a dry run counts for nothing");
    ran(&["adopt"], 3);
    ran(&["adopt", "--skip-bad"], 0);
    ran(&["verify"], 0);
    let value = |name: &str| *metrics(&feed).get(name).unwrap_or_else(|| panic!("{name} in {:#?}", metrics(&feed)));
    assert_eq!(value("lastgood_failures_total{code=\"bad-files\",operation=\"adopt\"}"), 1.0);
    assert_eq!(value("lastgood_operations_total{operation=\"adopt\"}"), 1.0);
    assert_eq!((value("lastgood_generation"), value("lastgood_dataset_rows{dataset=\"performance\"}")), (1.0, 3.0));
    assert_eq!(value("lastgood_verification_problems"), 0.0);
    let verified = value("lastgood_last_success_timestamp_seconds{operation=\"verify\"}");
    // A verification that finds something is none that has succeeded; one that has mended it is.
    fs::write(feed.path("performance.json"), "[]").unwrap();
    ran(&["verify"], 5);
    assert_eq!(value("lastgood_verification_problems"), 1.0);
    assert_eq!(value("lastgood_failures_total{code=\"damaged\",operation=\"verify\"}"), 1.0);
    assert_eq!(value("lastgood_last_success_timestamp_seconds{operation=\"verify\"}"), verified);
    ran(&["verify", "--repair"], 0);
    assert_eq!(value("lastgood_verification_problems"), 0.0);
    assert!(value("lastgood_last_success_timestamp_seconds{operation=\"verify\"}") > verified);
    // The command's own exit code stays; one that is not zero is a failure.
    ran(&["lock", "performance", "--", "true"], 0);
    ran(&["lock", "performance", "--", "sh", "-c", "exit 7"], 7);
    assert_eq!(value("lastgood_operations_total{operation=\"lock\"}"), 1.0);
    assert_eq!(value("lastgood_failures_total{code=\"command\",operation=\"lock\"}"), 1.0);
}
