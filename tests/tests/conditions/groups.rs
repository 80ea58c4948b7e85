//! Directories that hand their group down, are shared by a group, or have access control lists.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary, tree};

const PUBLISHER: u32 = 42001;
const WEB: u32 = 42002;
const SERVER: &str = "daemon";

struct World {
    feed: TestFeed,
}

impl World {
    /// A feed directory with this owner, group and mode, which the binary and everybody can reach.
    fn new(owner: u32, group: u32, mode: u32) -> Self {
        let feed = TestFeed::new();
        fs::set_permissions(feed.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(feed.dir()).unwrap();
        chown(feed.dir(), Some(owner), Some(group)).unwrap();
        fs::set_permissions(feed.dir(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(Command::new("cp").arg(binary()).arg(feed.root().join("lastgood")).status().unwrap().success());
        fs::set_permissions(feed.root().join("lastgood"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { feed }
    }

    fn config(&self, text: &str) {
        self.feed.input("lastgood.toml", text);
    }

    fn run_as(&self, uid: u32, gid: u32, umask: &str, arguments: &[&str]) -> Ran {
        let ids = [format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()];
        let mut command = Command::new("setpriv");
        let program = self.feed.root().join("lastgood");
        command
            .args(ids)
            .args(["sh", "-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(program)
            .args(arguments);
        command.current_dir(self.feed.root()).env_remove("LASTGOOD_DIR");
        Ran::of(command, b"[1,2]")
    }

    fn publish(&self, uid: u32, gid: u32, umask: &str, payload: &str) {
        let input = self.feed.root().join("in.json");
        fs::write(&input, format!("[\"{}\"]", payload.repeat(3000))).unwrap();
        self.run_as(uid, gid, umask, &["publish", "a=in.json"]).expect(0);
    }

    /// Everything that is published, below the feed directory and with it.
    fn published(&self) -> Vec<(PathBuf, fs::Metadata)> {
        let mut found = vec![(self.feed.dir(), fs::metadata(self.feed.dir()).unwrap())];
        let names = tree(&self.feed.dir());
        let names = names.keys().filter(|name| !name.starts_with(".lastgood"));
        found.extend(names.map(|name| (self.feed.path(name), fs::metadata(self.feed.path(name)).unwrap())));
        assert!(found.len() > 8, "{found:?}");
        found
    }
}

fn cat_as(user: &[&str], path: &Path) -> bool {
    let mut command = Command::new("setpriv");
    command.args(user).args(["--clear-groups", "cat"]).arg(path);
    command.output().unwrap().status.success()
}

/// `install -d -o feed -g www-data -m 2750`: the publisher is not even in the group.
#[test]
fn what_is_published_has_the_group_that_the_directory_hands_down() {
    for (umask, file, dir) in [("022", 0o640, 0o750), ("077", 0o640, 0o750), ("002", 0o664, 0o775)] {
        for gid in [PUBLISHER, WEB] {
            let world = World::new(PUBLISHER, WEB, 0o2000 | dir);
            world.config(&format!("file_mode = '{file:o}'\ndir_mode = '2{dir:o}'\n"));
            world.publish(PUBLISHER, gid, umask, "first");
            world.publish(PUBLISHER, gid, umask, "second");
            world.run_as(PUBLISHER, gid, umask, &["rollback", "a"]).expect(0);
            fs::remove_file(world.feed.path("last_update.txt")).unwrap();
            world.run_as(PUBLISHER, gid, umask, &["recover"]).expect(0);
            for (path, found) in world.published() {
                let mode = if found.is_dir() { dir } else { file };
                assert_eq!((found.gid(), found.mode() & 0o777), (WEB, mode), "{} umask {umask}", path.display());
                let visitor = [format!("--reuid={}", PUBLISHER + 7), format!("--regid={WEB}")];
                let visitor = [visitor[0].as_str(), visitor[1].as_str()];
                assert!(found.is_dir() || cat_as(&visitor, &path), "{}", path.display());
            }
            // What is private stays private, unless the group may write to all of it anyway.
            let private = fs::metadata(world.feed.path(".lastgood")).unwrap();
            let (mode, shared) = (private.mode() & 0o777, dir & 0o020 != 0);
            assert_eq!(mode, if shared { 0o770 } else { 0o700 });
            world.feed.run(&["verify"]).expect(0);
        }
    }
}

/// A directory that is made by the first publish.
#[test]
fn a_new_feed_directory_hands_its_group_down_when_the_configuration_says_so() {
    let world = World::new(PUBLISHER, WEB, 0o2755);
    world.config("dir_mode = '2750'\nfile_mode = '0640'\n");
    let input = world.feed.root().join("in.json");
    fs::write(input, "[1]").unwrap();
    world.run_as(PUBLISHER, WEB, "022", &["publish", "a=in.json", "--dir", "data/new"]).expect(0);
    for name in ["", "objects", "history"] {
        let found = fs::metadata(world.feed.path("new").join(name)).unwrap();
        assert_eq!((found.mode() & 0o7777, found.gid()), (0o2750, WEB), "{name}");
    }
    let manifest = fs::metadata(world.feed.path("new/manifest.json")).unwrap();
    assert_eq!((manifest.mode() & 0o7777, manifest.gid()), (0o640, WEB));
}

/// A feed that an earlier version has made, whose inner directories do not hand the group down.
#[test]
fn an_older_feed_gets_the_group_from_its_next_publish_and_the_doctor_mends_the_rest() {
    let world = World::new(PUBLISHER, WEB, 0o2755);
    world.publish(PUBLISHER, WEB, "022", "first");
    for dir in [".lastgood", ".lastgood/staging", "objects", "history"] {
        let path = world.feed.path(dir);
        chown(&path, None, Some(PUBLISHER)).unwrap();
        let mode = fs::metadata(&path).unwrap().mode() & 0o777;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    world.publish(PUBLISHER, WEB, "022", "second");
    assert_eq!(fs::metadata(world.feed.path("manifest.json")).unwrap().gid(), WEB);
    // One who may not give the group away publishes all the same.
    world.publish(PUBLISHER, PUBLISHER, "022", "third");
    assert_eq!(fs::metadata(world.feed.path("manifest.json")).unwrap().gid(), PUBLISHER);
    let remedy = finding(&world, "ownership", "warning", &["hands down its group", "manifest.json", "objects"]);
    paste(&remedy);
    assert!(world.published().iter().all(|(_, found)| found.gid() == WEB));
    world.publish(PUBLISHER, PUBLISHER, "022", "fourth");
    assert!(world.published().iter().all(|(_, found)| found.gid() == WEB));
    fine(&world, "ownership");
}

/// The doctor's finding, as root sees it; returns the remedy's command.
#[track_caller]
fn finding(world: &World, check: &str, severity: &str, words: &[&str]) -> String {
    let ran = world.feed.run(&["doctor", "--json", "--as-user", SERVER]);
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap().iter();
    let found = findings.clone().find(|finding| finding["check"] == check && finding["severity"] == severity);
    let found = found.unwrap_or_else(|| panic!("no {severity} of {check}: {report:#}"));
    words.iter().for_each(|word| assert!(found["found"].as_str().unwrap().contains(word), "{word}: {found}"));
    found["remedy"].as_str().unwrap().lines().next().unwrap().to_owned()
}

#[track_caller]
fn fine(world: &World, check: &str) {
    let report = world.feed.run(&["doctor", "--json", "--as-user", SERVER]).json();
    let found: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|found| found["check"] == check).cloned().collect();
    assert!(!found.is_empty() && found.iter().all(|found| found["severity"] == "ok"), "{found:#?}");
}

#[track_caller]
fn paste(command: &str) {
    let done = Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// `install -d -o root -g GROUP -m 2775`, published into by one of the group.
#[test]
fn a_shared_directory_that_root_has_prepared_is_not_to_be_given_to_root() {
    let world = World::new(0, WEB, 0o2775);
    world.publish(PUBLISHER, WEB, "022", "first");
    let text = world.feed.run(&["doctor"]).text();
    assert!(!text.contains("publish as root") && !text.contains("chown"), "{text}");
    fine(&world, "ownership");
    fine(&world, "write-access");
    // What root publishes is the group's, too.
    world.feed.input("b.json", "[1]");
    world.feed.run(&["publish", "a=b.json"]).expect(0);
    world.publish(PUBLISHER, WEB, "022", "second");
    // Somebody has taken a part away; the remedy gives it back to the group, and no more than the feed's own files.
    chown(world.feed.path(".lastgood/lock"), Some(0), Some(0)).unwrap();
    fs::create_dir(world.feed.path("theirs")).unwrap();
    chown(world.feed.path("theirs"), Some(0), Some(0)).unwrap();
    world.run_as(PUBLISHER, WEB, "022", &["publish", "a=b.json"]).expect(1).says(&["Permission denied"]);
    let remedy = finding(&world, "ownership", "warning", &["shared by the group", ".lastgood/lock"]);
    paste(&remedy);
    fine(&world, "ownership");
    world.run_as(PUBLISHER, WEB, "022", &["publish", "a=b.json"]).expect(0);
    let top = fs::metadata(world.feed.dir()).unwrap();
    assert_eq!((top.uid(), top.gid(), top.mode() & 0o7777), (0, WEB, 0o2775), "the shared directory is as it was");
    assert_ne!(fs::metadata(world.feed.path("theirs")).unwrap().gid(), WEB);
}

fn setfacl(entry: &str, path: &Path) {
    let done = Command::new("setfacl").args(["-m", entry]).arg(path).output().expect("the package acl is installed");
    assert!(done.status.success(), "{entry}: {done:?}");
}

/// What the doctor says about the web server's user is what that user meets.
#[test]
fn access_control_lists_are_judged_as_the_kernel_does() {
    let uid = id(&["-u", SERVER]);
    let gid = id(&["-g", SERVER]);
    let entries: [(u32, &[&str]); 9] = [
        (0o640, &[]),
        (0o640, &["u:daemon:r"]),
        (0o644, &["u:daemon:-"]),
        (0o640, &["u:daemon:rw", "m::-"]),
        (0o640, &["g:daemon:r"]),
        (0o644, &["g:daemon:-"]),
        (0o640, &["g:daemon:r", "m::-"]),
        (0o640, &["u:daemon:-", "g:daemon:r"]),
        (0o640, &["u:games:r"]),
    ];
    for (mode, entries) in entries {
        let world = World::new(0, 0, 0o755);
        world.publish(0, 0, "022", "first");
        let manifest = world.feed.path("manifest.json");
        fs::set_permissions(&manifest, fs::Permissions::from_mode(mode)).unwrap();
        entries.iter().for_each(|entry| setfacl(entry, &manifest));
        let read = cat_as(&[&format!("--reuid={uid}"), &format!("--regid={gid}")], &manifest);
        if read {
            fine(&world, "file-access");
            continue;
        }
        let remedy = finding(&world, "file-access", "error", &["manifest.json"]);
        paste(&remedy);
        fine(&world, "file-access");
        assert!(cat_as(&[&format!("--reuid={uid}"), &format!("--regid={gid}")], &manifest), "{entries:?}: {remedy}");
    }
}

#[test]
fn a_directory_that_a_list_opens_or_closes_is_told_and_the_remedy_opens_it() {
    let (uid, gid) = (id(&["-u", SERVER]), id(&["-g", SERVER]));
    let cases: [(u32, &[&str]); 4] =
        [(0o700, &["u:daemon:x"]), (0o755, &["u:daemon:-"]), (0o750, &["g:daemon:x", "m::-"]), (0o710, &[])];
    for (mode, entries) in cases {
        let world = World::new(0, 0, 0o755);
        world.publish(0, 0, "022", "first");
        let home = world.feed.root();
        fs::set_permissions(home, fs::Permissions::from_mode(mode)).unwrap();
        entries.iter().for_each(|entry| setfacl(entry, home));
        let read =
            || cat_as(&[&format!("--reuid={uid}"), &format!("--regid={gid}")], &world.feed.path("manifest.json"));
        if read() {
            fine(&world, "path-access");
            continue;
        }
        let remedy = finding(&world, "path-access", "error", &["cannot pass"]);
        paste(&remedy);
        fine(&world, "path-access");
        assert!(read(), "{entries:?}: {remedy}");
    }
}

/// What a default list says is handed down to what is published, also through staging.
#[test]
fn default_lists_are_handed_down_to_what_is_published() {
    let world = World::new(0, 0, 0o750);
    setfacl("u:daemon:x", &world.feed.dir());
    setfacl("d:u:daemon:rx", &world.feed.dir());
    world.config("file_mode = '0640'\ndir_mode = '0750'\n");
    for payload in ["first", "second"] {
        world.publish(0, 0, "022", payload);
        fine(&world, "file-access");
        let (uid, gid) = (id(&["-u", SERVER]), id(&["-g", SERVER]));
        for (path, found) in world.published() {
            assert!(
                found.is_dir() || cat_as(&[&format!("--reuid={uid}"), &format!("--regid={gid}")], &path),
                "{}",
                path.display()
            );
        }
    }
}

fn id(arguments: &[&str]) -> String {
    let id = Command::new("id").args(arguments).output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}
