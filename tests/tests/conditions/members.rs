//! A feed into which the members of a group publish, each as a user of their own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::{Command, Stdio};

use lastgood_tests::{Ran, TestFeed, binary, tree, until};

/// The group, and two of its members. It is the first group of neither.
const GROUP: u32 = 42010;
const MEMBERS: [u32; 2] = [42001, 42003];
const STRANGER: u32 = 42005;

struct World {
    feed: TestFeed,
}

impl World {
    /// A feed directory as the documentation makes it.
    fn new(mode: u32) -> Self {
        let feed = TestFeed::new();
        fs::set_permissions(feed.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(feed.dir()).unwrap();
        chown(feed.dir(), Some(0), Some(GROUP)).unwrap();
        fs::set_permissions(feed.dir(), fs::Permissions::from_mode(mode)).unwrap();
        // By another process: while this one has it open for writing, a fork of another test keeps it from being run.
        let program = feed.root().join("lastgood");
        assert!(Command::new("cp").arg(binary()).arg(&program).status().unwrap().success());
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { feed }
    }

    fn command(&self, uid: u32, groups: &str, umask: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={uid}"), format!("--regid={uid}"), groups.to_owned()]);
        command.args(["sh", "-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        command.arg(self.feed.root().join("lastgood")).args(arguments);
        command.current_dir(self.feed.root()).env_remove("LASTGOOD_DIR");
        command
    }

    fn member(&self, uid: u32, umask: &str, arguments: &[&str], input: &str) -> Ran {
        Ran::of(self.command(uid, &format!("--groups={GROUP}"), umask, arguments), input.as_bytes())
    }

    fn stranger(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(STRANGER, "--clear-groups", "022", arguments), b"[1]")
    }
}

/// Whatever one member has made, the other can replace, collect, recover and lock.
#[test]
fn each_member_can_do_what_a_publisher_does() {
    for (mode, umask) in [(0o2775, "022"), (0o2775, "077"), (0o2770, "022"), (0o2770, "002")] {
        let world = World::new(mode);
        let [one, other] = MEMBERS;
        let rows = |text: &str| format!("[{}1]", format!("\"{text}\",").repeat(3000));
        for (at, uid) in [one, other, one, other, other, one].into_iter().enumerate() {
            world.member(uid, umask, &["publish", "a"], &rows(&at.to_string())).expect(0);
        }
        world.member(other, umask, &["rollback", "a"], "").expect(0);
        world.member(one, umask, &["lock", "a", "--", "true"], "").expect(0);
        world.member(other, umask, &["lock", "a", "--", "true"], "").expect(0);
        world.member(one, umask, &["gc", "--keep", "2", "--grace", "0s"], "").expect(0);
        fs::remove_file(world.feed.path("last_update.txt")).unwrap();
        world.member(other, umask, &["recover"], "").expect(0);
        fs::remove_file(world.feed.path("a.json")).unwrap();
        world.member(one, umask, &["verify", "--repair"], "").expect(0);
        // Whoever publishes is in the log.
        let log = String::from_utf8(world.feed.read(".lastgood/operations.jsonl")).unwrap();
        assert!(MEMBERS.iter().all(|uid| log.contains(&uid.to_string())), "{log}");
        for (name, found) in tree(&world.feed.dir()) {
            let metadata = fs::symlink_metadata(world.feed.path(&name)).unwrap();
            assert_eq!(metadata.gid(), GROUP, "{name}");
            let wanted = if metadata.is_dir() { 0o2070 } else { 0o060 };
            assert_eq!(metadata.mode() & wanted, wanted, "{name}: {:o}", found.mode);
        }
        world.feed.expect_clean();
        // The doctor agrees, of either member.
        for uid in MEMBERS {
            let report = world.member(uid, umask, &["doctor", "--json"], "").json();
            for check in ["ownership", "write-access"] {
                let found =
                    report["findings"].as_array().unwrap().iter().find(|found| found["check"] == check).unwrap();
                assert_eq!(found["severity"], "ok", "{found}");
            }
        }
        if mode == 0o2775 {
            // Everybody may read, and nobody else publish.
            world.stranger(&["cat", "a"]).expect(0);
            let ran = world.stranger(&["publish", "a"]).expect(1);
            ran.says(&["the feed belongs to the group 42010, and this is user 42005", "--group-add 42010"]);
        }
    }
}

/// What a member who died has left in staging, the other sweeps.
#[test]
fn what_a_dead_member_has_left_the_other_removes() {
    let world = World::new(0o2775);
    let [one, other] = MEMBERS;
    world.member(one, "022", &["publish", "a"], "[1]").expect(0);
    let mut command = world.command(one, &format!("--groups={GROUP}"), "022", &["publish", "a"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"[").unwrap();
    until("it stages its payload", || {
        let staged = world.feed.names(".lastgood/staging").into_iter().filter(|name| !name.ends_with(".lock"));
        staged.into_iter().any(|token| !world.feed.names(&format!(".lastgood/staging/{token}")).is_empty())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(world.feed.names(".lastgood/staging"), [""; 0]);
    world.member(other, "022", &["publish", "a"], "[2]").expect(0);
    world.feed.expect_clean();
}

/// A feed that one user has made comes to be shared: the commands of the documentation do it, and so does a volume with an
/// `fsGroup`, for which Kubernetes gives everything to the group, to read and write, and makes directories hand it down.
#[test]
fn a_feed_of_one_user_is_shared_later() {
    let documented = lastgood_tests::docs::example("docs/operations.md", "share");
    for fs_group in [false, true] {
        let world = World::new(0o755);
        let [one, other] = MEMBERS;
        chown(world.feed.dir(), Some(one), Some(one)).unwrap();
        world.member(one, "022", &["publish", "a"], "[1]").expect(0);
        assert_eq!(fs::metadata(world.feed.path(".lastgood")).unwrap().mode() & 0o7777, 0o700);
        world.member(other, "022", &["publish", "a"], "[2]").expect(1).says(&[
            "Permission denied",
            &format!("the feed belongs to user {one}, and this is user {other}"),
            &format!("sudo -u '#{one}' lastgood publish"),
        ]);
        let dir = world.feed.dir().display().to_string();
        let script = match fs_group {
            true => {
                format!("chgrp -R {GROUP} {dir} && chmod -R ug+rw {dir} && find {dir} -type d -exec chmod g+sx {{}} +")
            }
            false => documented.replace("publishers", &GROUP.to_string()).replace("/srv/www/data", &dir),
        };
        let done = Command::new("sh").args(["-ec", &script]).output().unwrap();
        assert!(done.status.success(), "{script}: {done:?}");
        world.member(other, "022", &["publish", "a"], "[2]").expect(0);
        world.member(one, "022", &["publish", "a"], "[3]").expect(0);
        world.feed.expect_clean();
    }
}

/// One who sets the bits of the feed directory alone: the owner's next publish does the rest.
#[test]
fn the_owner_of_older_directories_shares_them_with_the_next_publish() {
    let world = World::new(0o2755);
    let [one, other] = MEMBERS;
    chown(world.feed.dir(), Some(one), Some(GROUP)).unwrap();
    fs::set_permissions(world.feed.dir(), fs::Permissions::from_mode(0o2755)).unwrap();
    world.member(one, "022", &["publish", "a"], "[1]").expect(0);
    fs::set_permissions(world.feed.dir(), fs::Permissions::from_mode(0o2775)).unwrap();
    world.member(other, "022", &["publish", "a"], "[2]").expect(1);
    world.member(one, "022", &["publish", "a"], "[3]").expect(0);
    world.member(other, "022", &["publish", "a"], "[4]").expect(0);
    world.feed.expect_clean();
}
