//! Locks, leftovers, and the state of the feed.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use lastgood::storage::{Modes, PosixStorage, Storage};
use lastgood_protocol::FORMAT;
use lastgood_protocol::manifest::Manifest;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::time::Timestamp;
use lastgood_tests::TestFeed;
use lastgood_tests::site::dataset;

use super::{copy, doctor, paste, published, set_mode};

fn marker() -> LockMarker {
    let acquired_at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    LockMarker {
        format: FORMAT,
        holder: Holder { host: "backend-7".to_owned(), pid: 4242, token: "x".to_owned() },
        datasets: vec![dataset("performance")],
        acquired_at,
        expires_at: acquired_at.plus_ms(60_000),
    }
}

/// Changes the manifest as a later publish would have written it.
fn rewrite(feed: &TestFeed, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = Manifest::verify(&feed.read("manifest.json")).unwrap();
    change(&mut manifest);
    fs::write(feed.path("manifest.json"), manifest.encode()).unwrap();
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

#[test]
fn who_holds_the_lock_is_said_and_is_no_fault() {
    let feed = published();
    doctor(&feed, &[]).fine("lock");
    let holder = serde_json::to_string(&marker().holder).unwrap();
    let lock = PosixStorage::new(feed.dir(), Modes::default()).try_lock(&holder).unwrap().unwrap();
    let found = doctor(&feed, &[]);
    let remedy = found.finds("lock", "note", &["process 4242 on backend-7", "publishing now"]);
    assert!(remedy.contains("process 4242 on backend-7 hang, look there with ps -fp 4242"), "{remedy}");
    found.fine("stale-marker");
    found.healthy();
    drop(lock);
    doctor(&feed, &[]).fine("lock");
}

/// Derived files follow the manifest at the end of a commit: until then they are none that disagree.
#[test]
fn a_commit_on_its_way_is_no_fault() {
    let feed = published();
    fs::write(feed.path("last_update.txt"), "2026-01-02T03:04:05.000Z\n").unwrap();
    doctor(&feed, &[]).finds("derived", "warning", &["last_update.txt has another time"]);
    let holder = serde_json::to_string(&marker().holder).unwrap();
    let lock = PosixStorage::new(feed.dir(), Modes::default()).try_lock(&holder).unwrap().unwrap();
    let found = doctor(&feed, &[]);
    found.finds("derived", "note", &["not judged", "look again"]);
    found.healthy();
    drop(lock);
    doctor(&feed, &[]).finds("derived", "warning", &["last_update.txt has another time"]);
}

#[test]
fn an_old_copy_is_an_error_until_it_is_decided() {
    let feed = published();
    doctor(&feed, &[]).fine("old-copy");
    let old = feed.read("manifest.json");
    feed.publish("performance", "[2]");
    let newer = feed.manifest()["generation"].as_u64().unwrap();
    fs::write(feed.path("manifest.json"), old).unwrap();
    let has_been = format!("generation {newer} has been");
    let remedy = doctor(&feed, &[]).finds("old-copy", "error", &[&has_been, "restored from an old copy"]);
    for option in ["--accept-older", "--new-feed"] {
        let command = format!("lastgood recover {option} --dir {}", feed.dir().display());
        assert!(remedy.lines().any(|line| line == command), "{remedy}");
    }
    let restored = feed.root().join("restored");
    copy(&feed.dir(), &restored);
    for (begin, dir) in [("--accept-older", feed.dir()), ("--new-feed", restored)] {
        let command = remedy.lines().find(|line| line.contains(begin)).unwrap();
        let dir = dir.display().to_string();
        paste(&feed, &command.replace(&feed.dir().display().to_string(), &dir));
        doctor(&feed, &["--dir", &dir]).fine("old-copy");
    }
}

/// What `recover` cannot do it is not asked to do.
#[test]
fn a_manifest_without_any_copy_is_not_sent_to_recovery() {
    let feed = published();
    fs::write(feed.path("manifest.json"), "{").unwrap();
    assert!(doctor(&feed, &[]).finds("manifest", "error", &[]).starts_with("lastgood recover --dir "));
    fs::remove_dir_all(feed.path("history")).unwrap();
    let remedy = doctor(&feed, &[]).finds("manifest", "error", &[]);
    assert!(remedy.contains("from a backup") && remedy.contains("\nlastgood recover --new-feed --dir "), "{remedy}");
    feed.run(&["recover"]).expect(5).says(&["lastgood recover --new-feed"]);
    feed.run(&["recover", "--new-feed"]).expect(0);
    feed.publish("performance", "[2]");
    feed.expect_clean();
}

#[test]
fn a_marker_without_a_lock_is_stale() {
    let feed = published();
    for name in [".lock", ".performance_lock"] {
        fs::write(feed.path(name), marker().encode()).unwrap();
        set_mode(&feed.path(name), 0o444);
    }
    let found = doctor(&feed, &[]);
    let words = ["process 4242 on backend-7", "2026-01-02T03:04:05", " ago", "performance"];
    let remedy = found.finds("stale-marker", "warning", &words);
    found.fine("foreign-marker");
    paste(&feed, remedy.lines().next().unwrap());
    doctor(&feed, &[]).fine("stale-marker");
}

#[test]
fn the_marker_of_another_script_is_told_with_its_age() {
    let feed = published();
    fs::write(feed.path(".performance_lock"), "pid 17").unwrap();
    let old = SystemTime::now() - Duration::from_secs(7200);
    File::options().write(true).open(feed.path(".performance_lock")).unwrap().set_modified(old).unwrap();
    let found = doctor(&feed, &[]);
    let remedy = found.finds("foreign-marker", "warning", &[".performance_lock", "did not write", "2 hours"]);
    found.fine("stale-marker");
    let remove = remedy.lines().nth(1).unwrap();
    let remove = remove.split("nobody has: ").nth(1).unwrap().split(", or").next().unwrap();
    paste(&feed, remove);
    doctor(&feed, &[]).fine("foreign-marker");
}

#[test]
fn what_a_dead_publish_has_left_in_staging_is_counted_and_what_a_living_one_has_is_not() {
    let feed = published();
    let storage = PosixStorage::new(feed.dir(), Modes::default());
    let living = storage.stage().unwrap();
    doctor(&feed, &[]).fine("staging");
    fs::create_dir(feed.path(".lastgood/staging/0123456789abcdef0123456789abcdef")).unwrap();
    let remedy = doctor(&feed, &[]).finds("staging", "note", &["1 publish(es) that died"]);
    paste(&feed, remedy.lines().next().unwrap());
    doctor(&feed, &[]).fine("staging");
    drop(living);
}

#[test]
fn a_damaged_manifest_is_an_error_and_the_rest_is_looked_at_all_the_same() {
    let feed = published();
    let intact = feed.read("manifest.json");
    for damage in [&b"{"[..], b"<html>", b""] {
        fs::write(feed.path("manifest.json"), damage).unwrap();
        let found = doctor(&feed, &[]);
        found.finds("manifest", "error", &[]);
        found.fine("durability");
        found.fine("lock");
    }
    fs::remove_file(feed.path("manifest.json")).unwrap();
    let remedy = doctor(&feed, &[]).finds("manifest", "error", &["missing", "generation 1"]);
    paste(&feed, remedy.lines().next().unwrap());
    assert_eq!(feed.read("manifest.json"), intact);
    doctor(&feed, &[]).healthy();
}

#[test]
fn a_later_format_is_not_called_damaged() {
    let feed = published();
    let signed = feed.manifest().to_string().replace("\"format\":1", "\"format\":2");
    let sha256 = lastgood_protocol::digest::Sha256::of(signed.as_bytes());
    fs::write(feed.path("manifest.json"), format!("{{\"signed\":{signed},\"sha256\":\"{sha256}\"}}")).unwrap();
    let remedy = doctor(&feed, &[]).finds("manifest", "error", &["format 2"]);
    assert!(!remedy.contains("recover"), "{remedy}");
}

#[test]
fn an_expired_manifest_is_an_error() {
    let feed = published();
    rewrite(&feed, |manifest| manifest.expires_at = Some(now().plus_ms(3_600_000)));
    doctor(&feed, &[]).fine("expired");
    rewrite(&feed, |manifest| manifest.expires_at = Some(now().plus_ms(-7_200_000)));
    doctor(&feed, &[]).finds("expired", "error", &["the manifest expired 2 hours ago"]);
    rewrite(&feed, |manifest| {
        manifest.expires_at = None;
        manifest.datasets.values_mut().next().unwrap().expires_at = Some(now().plus_ms(-7_200_000));
    });
    let dataset = feed.manifest()["datasets"].as_object().unwrap().keys().next().unwrap().clone();
    doctor(&feed, &[]).finds("expired", "error", &[&format!("{dataset} expired 2 hours ago")]);
}

#[test]
fn missing_and_cut_off_objects_are_errors() {
    let feed = published();
    let object = format!("objects/{}.json", feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap());
    fs::write(feed.path(&object), "[").unwrap();
    doctor(&feed, &[]).finds("objects", "error", &[&object, "has 1 bytes where the manifest says"]);
    fs::remove_file(feed.path(&object)).unwrap();
    doctor(&feed, &[]).finds("objects", "error", &[&object, "is missing"]);
}

#[test]
fn derived_files_that_disagree_are_rebuilt_by_the_remedy() {
    type Damage = fn(&TestFeed);
    let damages: [(&str, Damage); 4] = [
        ("performance.json", |feed| fs::write(feed.path("performance.json"), "[]").unwrap()),
        ("performance.json is missing", |feed| fs::remove_file(feed.path("performance.json")).unwrap()),
        ("last_update.txt", |feed| fs::write(feed.path("last_update.txt"), "never").unwrap()),
        ("history/1.json", |feed| fs::remove_file(feed.path("history/1.json")).unwrap()),
    ];
    for (words, damage) in damages {
        let feed = published();
        damage(&feed);
        let remedy = doctor(&feed, &[]).finds("derived", "warning", &[words]);
        paste(&feed, &remedy);
        doctor(&feed, &[]).fine("derived");
    }
}

#[test]
fn a_time_in_the_future_is_a_clock_that_is_wrong() {
    let feed = published();
    doctor(&feed, &[]).fine("clock");
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let file = File::options().write(true).open(feed.path("performance.json")).unwrap();
    file.set_modified(tomorrow).unwrap();
    doctor(&feed, &[]).finds("clock", "warning", &["newest file", "24 hours", "in the future"]);
    file.set_modified(SystemTime::now()).unwrap();
    doctor(&feed, &[]).fine("clock");
    rewrite(&feed, |manifest| manifest.published_at = now().plus_ms(7_205_000));
    doctor(&feed, &[]).finds("clock", "warning", &["manifest was published", "2 hours", "in the future"]);
}

#[test]
fn a_link_inside_the_feed_is_not_followed() {
    let feed = published();
    fs::rename(feed.path("performance.json"), feed.root().join("real.json")).unwrap();
    symlink(feed.root().join("real.json"), feed.path("performance.json")).unwrap();
    let remedy = doctor(&feed, &[]).finds("links", "error", &["performance.json", "real.json"]);
    paste(&feed, remedy.lines().next().unwrap());
    doctor(&feed, &[]).healthy();
    // From wherever it is pasted: a relative link leads on from where it stands. And one that leads to nothing.
    fs::rename(feed.path("objects"), feed.root().join("store")).unwrap();
    symlink("../store", feed.path("objects")).unwrap();
    symlink("gone.json", feed.path("extra.json")).unwrap();
    let remedy = doctor(&feed, &[]).finds("links", "error", &["objects", "extra.json"]);
    paste(&feed, remedy.lines().next().unwrap());
    doctor(&feed, &[]).healthy();
    feed.expect_clean();
}
