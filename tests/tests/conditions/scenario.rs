//! What the binary is doing when something goes wrong, and what must hold after it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lastgood::Feed;
use lastgood::protocol::name::DatasetName;
use lastgood_tests::{Ran, TestFeed};

use crate::strace::{Call, Fate, Strace};

/// A command on a feed.
pub(crate) struct Scenario {
    /// The state that the command finds.
    pub(crate) prepare: fn() -> TestFeed,
    pub(crate) command: &'static [&'static str],
    /// What sets things right after the command has failed or died: another publish, or the same again.
    pub(crate) then: &'static [&'static str],
    /// How many generations the command makes.
    pub(crate) commits: u64,
    /// It starts threads or processes of its own, without which it does not work.
    pub(crate) starts_others: bool,
    /// There is no manifest before it, but a history to restore it from.
    pub(crate) restores: bool,
}

const PUBLISH: &[&str] = &["publish", "a=a.in", "b=b.in", "--json"];
const GC: &[&str] = &["gc", "--keep", "1", "--grace", "0s", "--json"];

pub(crate) const FIRST_PUBLISH: Scenario =
    Scenario { prepare: nothing, command: PUBLISH, then: PUBLISH, commits: 1, starts_others: false, restores: false };
pub(crate) const PUBLISH_TWO: Scenario =
    Scenario { prepare: published, command: PUBLISH, then: PUBLISH, commits: 1, starts_others: false, restores: false };
/// With compressed siblings, a schema and a meta.
pub(crate) const PUBLISH_RICH: Scenario = Scenario {
    prepare: published,
    command: &["publish", "a=large.in", "--schema", "a=a.schema", "--meta", "run=1", "--json"],
    then: PUBLISH,
    commits: 1,
    starts_others: false,
    restores: false,
};
pub(crate) const ROLLBACK: Scenario = Scenario {
    prepare: published,
    command: &["rollback", "a", "b", "--json"],
    then: PUBLISH,
    commits: 1,
    starts_others: false,
    restores: false,
};
pub(crate) const COLLECT: Scenario =
    Scenario { prepare: published, command: GC, then: GC, commits: 0, starts_others: false, restores: false };
pub(crate) const RECOVER: Scenario = Scenario {
    prepare: crashed,
    command: &["recover", "--json"],
    then: &["recover", "--json"],
    commits: 0,
    starts_others: false,
    restores: false,
};
/// A publish that finds what a crashed one has left.
pub(crate) const PUBLISH_AFTER_CRASH: Scenario =
    Scenario { prepare: crashed, command: PUBLISH, then: PUBLISH, commits: 1, starts_others: false, restores: false };
pub(crate) const NEW_FEED: Scenario = Scenario {
    prepare: published,
    command: &["recover", "--new-feed", "--json"],
    then: &["recover", "--json"],
    commits: 1,
    starts_others: false,
    restores: false,
};
pub(crate) const REPAIR: Scenario = Scenario {
    prepare: damaged,
    command: &["verify", "--repair", "--json"],
    then: &["verify", "--repair", "--json"],
    commits: 0,
    starts_others: false,
    restores: true,
};
pub(crate) const HOLD: Scenario = Scenario {
    prepare: published,
    command: &["lock", "a", "--", "true"],
    then: PUBLISH,
    commits: 0,
    starts_others: true,
    restores: false,
};
pub(crate) const ADOPT: Scenario = Scenario {
    prepare: by_hand,
    command: &["adopt", "--json"],
    then: &["adopt", "--json"],
    commits: 2,
    starts_others: false,
    restores: false,
};

pub(crate) const REMOVE: Scenario = Scenario {
    prepare: published_with_another,
    command: &["remove", "c", "--json"],
    then: PUBLISH,
    commits: 1,
    starts_others: false,
    restores: false,
};
/// What it purges has compressed siblings, and is a backup.
pub(crate) const PURGE: Scenario = Scenario {
    prepare: published_with_another,
    command: &["purge", "c", "--generation", "4", "--json"],
    then: PUBLISH,
    commits: 1,
    starts_others: false,
    restores: false,
};

/// The inputs of the commands, and no feed.
fn nothing() -> TestFeed {
    let feed = TestFeed::new();
    feed.input("a.in", r#"["a",3]"#);
    feed.input("b.in", r#"["b",3]"#);
    feed.input("large.in", format!("[{}0]", "12345,".repeat(1000)));
    feed.input("a.schema", r#"{"type":"array"}"#);
    feed
}

/// Two datasets in their third generation.
fn published() -> TestFeed {
    let feed = nothing();
    for round in 0..3 {
        let inputs = ["a", "b"].map(|name| format!("{name}={}", feed.input("x.in", format!(r#"["{round}"]"#))));
        feed.run(&["publish", &inputs[0], &inputs[1]]).expect(0);
    }
    feed
}

/// The same with a third dataset, in its second payload.
fn published_with_another() -> TestFeed {
    let feed = published();
    feed.run(&["publish", "c=large.in"]).expect(0);
    feed.run(&["publish", "c=a.in"]).expect(0);
    feed
}

/// The same after a publisher has died right after the rename of the manifest: with markers, staging and derived files
/// of the generation before.
fn crashed() -> TestFeed {
    let feed = published();
    let calls = PUBLISH_TWO.calls(&copy(&feed));
    let commit = calls.iter().position(|call| call.name == "rename" && call.line.contains("manifest.json\")"));
    let next = &calls[commit.expect("a publish renames the manifest") + 1];
    let killed = PUBLISH_TWO.run(&feed, next, Fate::IsTheLast).expect("the calls are always the same");
    assert_eq!((killed.code, feed.manifest()["generation"].as_u64()), (None, Some(4)));
    feed
}

/// The same with what `verify --repair` can repair: an object, a plain copy and the manifest.
fn damaged() -> TestFeed {
    let feed = published();
    let sha256 = feed.manifest()["datasets"]["a"]["sha256"].as_str().unwrap().to_owned();
    fs::write(feed.path(&format!("objects/{sha256}.json")), "damage").unwrap();
    fs::write(feed.path("b.json"), "damage").unwrap();
    fs::remove_file(feed.path("manifest.json")).unwrap();
    feed
}

/// Files that were published by hand.
fn by_hand() -> TestFeed {
    let feed = nothing();
    fs::create_dir(feed.dir()).unwrap();
    for (name, content) in [("a.json", "[1]"), ("a_backup.json", "[0]"), ("b.json", "[2]"), ("last_update.txt", "now")]
    {
        fs::write(feed.path(name), content).unwrap();
    }
    feed
}

/// The same files in another place.
pub(crate) fn copy(feed: &TestFeed) -> TestFeed {
    fn copy_all(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                fs::create_dir(&target).unwrap();
                fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
                copy_all(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let other = TestFeed::new();
    copy_all(feed.root(), other.root());
    other
}

/// What the world sees: everything but the private directory and the lock markers, by path.
pub(crate) fn visible(feed: &TestFeed) -> BTreeMap<String, Vec<u8>> {
    let files = ["", "objects/", "history/"].into_iter().flat_map(|dir| {
        feed.names(dir).into_iter().filter(|name| !name.ends_with("lock")).map(move |name| format!("{dir}{name}"))
    });
    files.filter(|path| feed.path(path).is_file()).map(|path| (path.clone(), feed.read(&path))).collect()
}

/// The number of the published generation; 0 when there is none.
pub(crate) fn generation(feed: &TestFeed) -> u64 {
    if feed.path("manifest.json").exists() { feed.manifest()["generation"].as_u64().unwrap() } else { 0 }
}

impl Scenario {
    /// The calls that the command makes, in their order.
    pub(crate) fn calls(&self, feed: &TestFeed) -> Vec<Call> {
        self.strace().calls_of(feed, self.command)
    }

    /// The command, with a fate for one of its calls.
    pub(crate) fn run(&self, feed: &TestFeed, call: &Call, fate: Fate) -> Option<Ran> {
        self.strace().run(feed, self.command, call, fate)
    }

    fn strace(&self) -> Strace {
        if self.starts_others { Strace::FirstThread } else { Strace::OneThread }
    }

    /// What must hold after a signal that asks the command to stop: nothing is left, whatever has become of it.
    pub(crate) fn check_stopped(&self, before: &TestFeed, feed: &TestFeed, ran: &Ran) {
        match ran.code {
            Some(0) => {}
            // It came before anything was done.
            Some(1) => assert!(ran.stderr.contains("stopped before the commit"), "it does not say why"),
            None => {}
            Some(other) => panic!("exit code {other}"),
        }
        if ran.code != Some(0) {
            assert_eq!(
                lastgood_tests::tree(&before.dir()).len(),
                lastgood_tests::tree(&feed.dir()).len(),
                "left behind"
            );
            self.check_unchanged(before, feed);
        } else {
            feed.expect_clean();
        }
        self.check(before, feed, ran, ran.code != Some(0), false);
    }

    /// What must hold after the command, however it ended, and that `then` sets everything right.
    ///
    /// `tidy`: what failed was not the tidying up itself, so nothing may be left behind. `mute`: nothing could be written
    /// any more, not even why.
    pub(crate) fn check(&self, before: &TestFeed, feed: &TestFeed, ran: &Ran, tidy: bool, mute: bool) {
        assert!(!ran.stderr.contains("panicked"), "a panic");
        let intact = before.run(&["verify"]).code == Some(0);
        let (was, is) = (generation(before), generation(feed));
        let made = is.wrapping_sub(was);
        match ran.code {
            Some(0) if self.restores => assert!(is > 0),
            Some(0) => assert_eq!(made, self.commits, "not what was reported"),
            // A report of what could not be repaired or adopted.
            Some(5) if self.command[0] == "verify" && ran.text().contains("\"problems\":[{") => {}
            Some(3) if self.command[0] == "adopt" && ran.text().contains("\"adopted\":false") => {}
            // The commit holds, and files of what was purged could not be removed.
            Some(1) if self.command[0] == "purge" && made == 1 => {
                assert!(mute || ran.text().contains("\"left\":[\""), "nothing is left");
                feed.run(&["recover"]).expect(0);
            }
            Some(code @ 1..=5) => {
                assert!(mute || ran.stderr.contains("error: "), "no word about why");
                let error = (!mute && self.command.contains(&"--json")).then(|| ran.json()["error"].take());
                if let Some(error) = &error {
                    assert_eq!(error["exit"], code);
                }
                // An adoption is two commits, and says so when it has made only one.
                if made == 1 && self.commits == 2 {
                    assert!(mute || error.unwrap()["adopted"] == serde_json::json!([1]));
                } else {
                    assert!(made == 0 || self.restores, "something was published all the same");
                    if tidy {
                        Self::check_tidy(before, feed);
                    }
                }
                if intact {
                    self.check_unchanged(before, feed);
                }
            }
            Some(6) => assert!(made <= self.commits),
            // Killed.
            None => assert!(made <= self.commits || self.restores, "{was} became {is}"),
            Some(other) => panic!("exit code {other}"),
        }
        if is > 0 && was > 0 {
            let names = ["a", "b"].map(|name| DatasetName::parse(name).unwrap());
            let snapshot = Feed::open(feed.dir()).snapshot(&names).expect("readers always have something");
            assert_eq!(snapshot.len(), 2);
        }
        if ran.stderr.contains("`lastgood recover` does it") {
            feed.run(&["recover"]).expect(0);
        }
        feed.run(self.then).expect(0);
        if self.command[0] == "adopt" {
            // It may have found nothing left to be done.
            feed.run(&["recover"]).expect(0);
            let published = ["a", "b"].map(|name| feed.run(&["cat", name]).expect(0).text());
            assert_eq!((published, feed.read("a_backup.json")), (["[1]", "[2]"].map(str::to_owned), b"[0]".to_vec()));
        }
        feed.expect_clean();
    }

    /// Nothing has changed: what was there is there to the byte. Garbage may be gone, unnamed objects may have come.
    fn check_unchanged(&self, before: &TestFeed, feed: &TestFeed) {
        let now = visible(feed);
        let collects = self.command[0] == "gc";
        for (path, content) in visible(before) {
            let garbage = collects && (path.starts_with("objects/") || path.starts_with("history/"));
            match now.get(&path) {
                Some(found) => assert_eq!(*found, content, "{path} has changed"),
                None => assert!(garbage, "{path} is gone"),
            }
        }
    }

    /// Neither markers nor staging of this process are there.
    fn check_tidy(before: &TestFeed, feed: &TestFeed) {
        let left = |feed: &TestFeed| {
            let markers = feed.names("").into_iter().filter(|name| name.ends_with("lock"));
            markers.chain(feed.names(".lastgood/staging")).chain(feed.names("objects")).collect::<Vec<_>>()
        };
        let was = left(before);
        let new: Vec<String> = left(feed).into_iter().filter(|name| !was.contains(name)).collect();
        assert_eq!(new, [""; 0], "left behind");
    }
}
