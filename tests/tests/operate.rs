//! The drills of `docs/operate/`: their commands are run as they stand there, in other directories, and do what the page says.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use lastgood_tests::docs::{self, Drill};
use lastgood_tests::site::workspace;
use lastgood_tests::{Ran, binary};
use serde_json::Value;
use tempfile::TempDir;

/// A host with the directories of the pages, and readers of its feed.
struct Host {
    root: TempDir,
    /// The highest generation of each feed that readers have seen, with its commit.
    seen: std::collections::BTreeMap<String, (u64, String)>,
}

impl Host {
    /// With three generations of two datasets in `/srv/www/data`.
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for dir in ["www", "site", "backups", "tmp"] {
            fs::create_dir(root.path().join(dir)).unwrap();
        }
        let mut host = Self { root, seen: std::collections::BTreeMap::new() };
        (1..=3).for_each(|round| host.publish(round));
        host
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn drill(&self, page: &str, name: &str) -> Ran {
        Drill::of(page, name).run(self.root.path(), binary().parent().unwrap())
    }

    fn lastgood(&self, command: &str) -> Ran {
        Drill { text: format!("lastgood {command} --dir /srv/www/data\n") }
            .run(self.root.path(), binary().parent().unwrap())
    }

    fn publish(&mut self, round: u64) {
        for dataset in ["performance", "transactions"] {
            fs::write(self.path(&format!("tmp/{dataset}.in")), format!("[\"{dataset}\",{round}]")).unwrap();
        }
        self.lastgood("publish performance=/var/tmp/performance.in transactions=/var/tmp/transactions.in").expect(0);
        assert!(self.look("www/data"), "readers take round {round}");
    }

    /// Readers look: false when they refuse what they find. No generation comes twice (I5).
    fn look(&mut self, feed: &str) -> bool {
        let bytes = fs::read(self.path(feed).join("manifest.json")).unwrap();
        let signed = serde_json::from_slice::<Value>(&bytes).unwrap()["signed"].take();
        let text = |name: &str| signed[name].as_str().unwrap().to_owned();
        let (generation, commit) = (signed["generation"].as_u64().unwrap(), text("commit"));
        let seen = self.seen.entry(text("feed")).or_insert((generation, commit.clone()));
        assert!(seen.0 != generation || seen.1 == commit, "generation {generation} came again");
        let newer = generation >= seen.0;
        if newer {
            *seen = (generation, commit);
        }
        newer
    }

    fn expect(&self, feed: &str, performance: &str) {
        let cat =
            format!("lastgood verify --dir {0} && lastgood cat performance --dir {0}\n", self.path(feed).display());
        let ran = Drill { text: cat }.run(self.root.path(), binary().parent().unwrap()).expect(0);
        assert!(ran.text().ends_with(performance), "{}", ran.text());
    }
}

fn of(round: u64) -> String {
    format!("[\"performance\",{round}]")
}

/// With a backup of the third round, and two more rounds after it.
fn backed_up() -> Host {
    let mut host = Host::new();
    host.drill("backup", "backup").expect(0);
    (4..=5).for_each(|round| host.publish(round));
    host
}

#[test]
fn a_backup_is_taken_under_the_lock() {
    let host = Host::new();
    host.drill("backup", "backup").expect(0);
    let list = Drill { text: "tar -tzf /var/backups/data.tar.gz\n".to_owned() };
    let list = list.run(host.root.path(), binary().parent().unwrap()).expect(0).text();
    for name in ["./manifest.json", "./objects/", "./history/3.json", "./.lastgood/mark.0"] {
        assert!(list.contains(name), "{name} in {list}");
    }
    assert!(!list.contains("_lock") && !list.contains("staging/"), "{list}");
    host.expect("www/data", &of(3));
}

#[test]
fn a_feed_mends_itself() {
    let host = backed_up();
    fs::remove_dir_all(host.path("www/data/objects")).unwrap();
    // The backups and plain copies have what is published, and what was before it. The rest is lost, and named.
    let ran = host.drill("restore-same-host", "repair");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(
        ran.text().contains("only the past needs") && ran.stderr.contains("objects/ was missing"),
        "{}",
        ran.text()
    );
    for round in [5, 4] {
        let cat = host.lastgood(&format!("cat performance --generation {round}")).expect(0);
        assert_eq!(cat.text(), of(round));
    }
    fs::write(host.path("www/data/performance.json"), "edited").unwrap();
    fs::remove_dir_all(host.path("www/data/history")).unwrap();
    host.drill("restore-same-host", "repair").expect(0);
    host.expect("www/data", &of(5));
}

#[test]
fn restored_on_the_same_host_it_goes_on_above_what_readers_have_seen() {
    let mut host = backed_up();
    fs::remove_dir_all(host.path("www/data/objects")).unwrap();
    fs::write(host.path("www/data/manifest.json"), "damaged").unwrap();
    host.drill("restore-same-host", "restore").expect(0);
    host.expect("www/data", &of(3));
    assert!(host.look("www/data"), "readers take it");
    host.publish(6);
    host.expect("www/data", &of(6));
}

/// Nothing was published after the backup: nothing is decided, and nothing changes.
#[test]
fn restored_as_it_was_it_is_as_it_was() {
    let mut host = Host::new();
    host.drill("backup", "backup").expect(0);
    let before = fs::read(host.path("www/data/manifest.json")).unwrap();
    host.drill("restore-same-host", "restore").expect(0).says(&["nothing was to be accepted"]);
    assert_eq!(fs::read(host.path("www/data/manifest.json")).unwrap(), before);
    host.publish(4);
}

#[test]
fn restored_on_another_host_it_is_another_feed() {
    let mut host = backed_up();
    fs::remove_dir_all(host.path("www")).unwrap();
    host.drill("restore-another-host", "restore").expect(0);
    host.expect("www/data", &of(3));
    assert!(host.look("www/data"), "readers begin anew");
    assert_eq!(host.seen.len(), 2);
    host.publish(6);
}

/// The public files of the backup, over a directory that knows later ones.
fn old_copy() -> Host {
    let host = backed_up();
    let over = "tar -C /srv/www/data -xpzf /var/backups/data.tar.gz --exclude=./.lastgood\nrm /srv/www/data/history/[45].json\n";
    Drill { text: over.to_owned() }.run(host.root.path(), binary().parent().unwrap()).expect(0);
    host
}

#[test]
fn an_old_copy_is_refused_until_it_is_decided() {
    let mut host = old_copy();
    assert!(!host.look("www/data"), "readers refuse it");
    let before = lastgood_tests::tree(&host.path("www/data"));
    let said = ["generation 5", "lastgood recover --accept-older --dir ", "lastgood recover --new-feed --dir "];
    for command in ["publish performance=/var/tmp/performance.in", "rollback performance", "gc"] {
        host.lastgood(command).expect(5).says(&said);
    }
    for command in ["status", "verify", "recover", "verify --repair"] {
        let ran = host.lastgood(command).expect(5);
        said.iter().for_each(|said| assert!(ran.text().contains(said), "{command}: {said} in {}", ran.text()));
    }
    let doctor = host.lastgood("doctor").text();
    said.iter().for_each(|said| assert!(doctor.contains(said), "{said} in {doctor}"));
    let after = lastgood_tests::tree(&host.path("www/data"));
    let public = |tree: &std::collections::BTreeMap<String, _>| -> Vec<String> {
        tree.keys().filter(|name| !name.starts_with(".lastgood")).cloned().collect()
    };
    assert_eq!(public(&before), public(&after));
}

#[test]
fn an_old_copy_is_accepted() {
    let mut host = old_copy();
    host.drill("restore-old-copy", "accept").expect(0);
    host.expect("www/data", &of(3));
    assert!(host.look("www/data") && host.seen.len() == 1, "the same feed, above all");
    host.publish(6);
}

#[test]
fn an_old_copy_becomes_another_feed() {
    let mut host = old_copy();
    host.drill("restore-old-copy", "renew").expect(0);
    host.expect("www/data", &of(3));
    assert!(host.look("www/data") && host.seen.len() == 2, "another feed");
    host.publish(6);
}

#[test]
fn a_single_dataset_goes_back() {
    let mut host = backed_up();
    host.drill("restore-dataset", "rollback").expect(0);
    host.expect("www/data", &of(4));
    host.drill("restore-dataset", "restore").expect(0);
    host.expect("www/data", &of(3));
    assert_eq!(host.lastgood("cat transactions").expect(0).text(), "[\"transactions\",5]");
    assert!(host.look("www/data"));
    assert_eq!(fs::read_dir(host.path("tmp")).unwrap().count(), 2, "nothing is left but the inputs");
}

#[test]
fn a_feed_moves() {
    let mut host = Host::new();
    host.drill("move", "pack").expect(0);
    host.drill("move", "unpack").expect(0);
    host.expect("site/data", &of(3));
    fs::write(host.path("tmp/performance.in"), of(4)).unwrap();
    let publish = "lastgood publish performance=/var/tmp/performance.in --dir /srv/site/data\n".to_owned();
    Drill { text: publish }.run(host.root.path(), binary().parent().unwrap()).expect(0);
    assert!(host.look("site/data") && host.seen.len() == 1);
    let refused = host.lastgood("publish performance=/var/tmp/performance.in --json");
    // A forgotten job makes a feed of its own there, which nobody reads.
    assert_eq!(refused.json()["created"], true);
}

/// A feed as an earlier version has left it, without a mark.
#[test]
fn a_feed_is_upgraded() {
    let mut host = Host::new();
    for place in ["mark.0", "mark.1"] {
        fs::remove_file(host.path("www/data/.lastgood").join(place)).unwrap();
    }
    let ran = host.drill("upgrade", "upgrade").expect(0);
    assert!(ran.text().contains("lastgood ") && host.path("www/data/.lastgood/mark.0").exists(), "{}", ran.text());
    host.publish(4);
    host.expect("www/data", &of(4));
}

#[test]
fn what_nobody_may_have_is_taken_off_the_server() {
    let mut host = Host::new();
    let secret = format!("[\"4111\",\"{}\"]", "x".repeat(2_000));
    fs::write(host.path("tmp/secret.json"), &secret).unwrap();
    fs::write(host.path("tmp/clean.json"), "[3]").unwrap();
    fs::remove_dir_all(host.path("www/data")).unwrap();
    host.seen.clear();
    host.publish(1);
    host.lastgood("publish customers=/var/tmp/secret.json").expect(0);
    assert!(host.look("www/data"));
    assert!(host.drill("personal-data", "history").expect(0).text().contains('2'));
    host.drill("personal-data", "purge").expect(0);
    assert!(host.look("www/data"), "readers take what says that it was purged");
    host.expect("www/data", &of(1));
    let data = host.path("www/data");
    for entry in fs::read_dir(&data).unwrap().chain(fs::read_dir(data.join("objects")).unwrap()) {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        assert_ne!(bytes, secret.as_bytes(), "{}", path.display());
    }
    assert_eq!(fs::read(data.join("customers.json")).unwrap(), b"[3]");
}

/// Each block of each page is run by a test, here or in `conditions/drills.rs`, which needs root.
#[test]
fn every_drill_is_run() {
    let sources = ["tests/tests/operate.rs", "tests/tests/conditions/drills.rs"];
    let sources: String = sources.iter().map(|path| fs::read_to_string(workspace().join(path)).unwrap()).collect();
    let mut count = 0;
    for page in docs::pages().iter().filter(|page| page.starts_with("docs/operate/")) {
        let text = fs::read_to_string(workspace().join(page)).unwrap();
        let names: Vec<&str> =
            text.split("<!-- example: ").skip(1).map(|rest| rest.split(" -->").next().unwrap()).collect();
        assert_eq!(names.len(), docs::blocks(page).len(), "{page}: each block has a name");
        for name in names {
            let stem = Path::new(page).file_stem().unwrap().to_str().unwrap();
            assert!(sources.contains(&format!("(\"{stem}\", \"{name}\")")), "{page}: nothing runs {name}");
            count += 1;
        }
    }
    assert!(count >= 11, "{count}");
}
