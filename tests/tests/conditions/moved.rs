//! The directory is removed, renamed or replaced under a command that is at work in it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Child;

use lastgood_tests::{Ran, TestFeed, tree, until};

/// What a publisher says that does not find its staging any more.
const GONE: [&str; 3] = ["data/.lastgood/staging", "was moved or removed meanwhile", "nothing was published"];

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("a", "[1]");
    feed.publish("a", "[2]");
    feed
}

/// A publisher that has staged a part of its input and waits for the rest.
fn preparing(feed: &TestFeed) -> Child {
    let mut publisher = feed.spawn(&["publish", "a", "--json"]);
    publisher.stdin.as_mut().unwrap().write_all(&[b' '; 300_000]).unwrap();
    until("staging", || !feed.names(".lastgood/staging").is_empty());
    publisher
}

fn goes_on(mut publisher: Child) -> Ran {
    publisher.stdin.take().unwrap().write_all(b"[3]").unwrap();
    Ran::end_of(publisher)
}

#[test]
fn removed_while_publishing() {
    let feed = published();
    let publisher = preparing(&feed);
    fs::remove_dir_all(feed.dir()).unwrap();
    goes_on(publisher).expect(1).says(&GONE);
    assert!(!feed.dir().exists(), "it was made again");
}

#[test]
fn renamed_while_publishing() {
    let feed = published();
    let publisher = preparing(&feed);
    let elsewhere = feed.root().join("elsewhere");
    fs::rename(feed.dir(), &elsewhere).unwrap();
    let before = lastgood::Feed::open(&elsewhere).manifest().unwrap();
    goes_on(publisher).expect(1).says(&GONE);
    assert!(!feed.dir().exists(), "it was made again");
    assert_eq!(lastgood::Feed::open(&elsewhere).manifest().unwrap(), before);
    // Under its old name again it is what it was, but for what the publisher could not tidy up there.
    fs::rename(&elsewhere, feed.dir()).unwrap();
    feed.publish("a", "[3]");
    feed.expect_clean();
}

/// Another feed comes into its place: it gets nothing of what was prepared for the other one.
#[test]
fn replaced_while_publishing() {
    for by_link in [false, true] {
        let (feed, other) = (published(), published());
        if by_link {
            fs::rename(feed.dir(), feed.root().join("one")).unwrap();
            symlink("one", feed.dir()).unwrap();
        }
        let publisher = preparing(&feed);
        fs::rename(feed.dir(), feed.root().join("away")).unwrap();
        if by_link {
            symlink(other.dir(), feed.dir()).unwrap();
        } else {
            fs::rename(other.dir(), feed.dir()).unwrap();
        }
        let before = feed.read("manifest.json");
        goes_on(publisher).expect(1).says(&GONE);
        assert_eq!(feed.read("manifest.json"), before);
        feed.expect_clean();
        feed.publish("a", "[3]");
        feed.expect_clean();
    }
}

#[test]
fn the_private_directory_is_removed_while_publishing() {
    let feed = published();
    let publisher = preparing(&feed);
    fs::remove_dir_all(feed.path(".lastgood")).unwrap();
    goes_on(publisher).expect(1).says(&GONE);
    assert_eq!(feed.manifest()["generation"], 2);
    feed.publish("a", "[3]");
    feed.expect_clean();
}

/// `lastgood lock` comes back to a feed that is not there any more, or is another one.
#[test]
fn moved_while_held() {
    for (script, left) in [
        ("rm -rf data", "nothing"),
        ("mv data elsewhere", "elsewhere"),
        ("rm -rf data/.lastgood", "data"),
        ("mv data elsewhere && cp -a other data", "data"),
    ] {
        let (feed, other) = (published(), published());
        std::process::Command::new("cp").arg("-a").arg(other.dir()).arg(feed.root().join("other")).status().unwrap();
        let before = tree(&feed.root().join("other"));
        // The command has done its work: its exit code is what counts, and what could not be done is a warning.
        let ran = feed.run(&["lock", "a", "--", "sh", "-c", script]);
        assert_eq!(ran.code, Some(0), "{script}: {}", ran.stderr);
        // Another feed in its place is none that needs a warning; the old one has stale markers, as after a crash.
        assert_eq!(ran.stderr.contains("warning: "), !script.contains("cp"), "{script}: {}", ran.stderr);
        match left {
            "nothing" => assert!(!feed.dir().exists(), "it was made again"),
            "elsewhere" => fs::rename(feed.root().join("elsewhere"), feed.dir()).unwrap(),
            _ => {}
        }
        if script.contains("cp") {
            let names = |tree: &std::collections::BTreeMap<String, lastgood_tests::FileState>| {
                tree.keys().filter(|name| !name.starts_with(".lastgood")).cloned().collect::<Vec<_>>()
            };
            assert_eq!(names(&tree(&feed.dir())), names(&before));
        }
        if left != "nothing" {
            feed.publish("a", "[3]");
            feed.expect_clean();
        }
    }
}
