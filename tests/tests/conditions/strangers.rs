//! A `lastgood.toml` that somebody else has put above the working directory, and a working directory that is closed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary};

const ME: u32 = 42001;
const STRANGER: u32 = 42002;
const GROUP: u32 = 42003;

fn set(path: &Path, owner: u32, group: u32, mode: u32) {
    lchown(path, Some(owner), Some(group)).unwrap();
    if !path.is_symlink() {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// A place that everybody can reach, with the binary, and `job/`, in which the command is started, below `above/`.
struct World {
    feed: TestFeed,
}

impl World {
    fn new() -> Self {
        let feed = TestFeed::new();
        set(feed.root(), 0, 0, 0o755);
        fs::create_dir_all(feed.root().join("above/job")).unwrap();
        set(&feed.root().join("above"), 0, 0, 0o755);
        let copied = Command::new("cp").arg(binary()).arg(feed.root().join("lastgood")).status().unwrap();
        assert!(copied.success());
        set(&feed.root().join("lastgood"), 0, 0, 0o755);
        let world = Self { feed };
        world.owned_by(ME);
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.feed.root().join(path)
    }

    /// To whom the job belongs.
    fn owned_by(&self, uid: u32) {
        set(&self.at("above/job"), uid, uid, 0o755);
    }

    /// Puts a configuration there that leads elsewhere.
    fn configured(&self, path: &str, owner: u32, mode: u32) {
        // Not written over: in a sticky directory the kernel refuses that.
        let _ = fs::remove_file(self.at(path));
        fs::write(self.at(path), "dir = 'elsewhere'\n").unwrap();
        set(&self.at(path), owner, owner, mode);
    }

    fn run_as(&self, uid: u32, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        self.run_in(uid, "above/job", arguments, environment)
    }

    fn run_in(&self, uid: u32, dir: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("setpriv");
        let ids = [format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".to_owned()];
        command.args(ids).arg("--").arg(self.at("lastgood")).args(arguments).current_dir(self.at(dir));
        for name in ["LASTGOOD_DIR", "LASTGOOD_CONFIG", "SUDO_UID"] {
            command.env_remove(name);
        }
        Ran::of(
            {
                command.envs(environment.iter().copied());
                command
            },
            b"[1]",
        )
    }

    #[track_caller]
    fn believed(&self, uid: u32) {
        let ran = self.run_as(uid, &["doctor", "--json"], &[]);
        let dir = ran.json()["dir"].as_str().unwrap().to_owned();
        assert!(dir.ends_with("/elsewhere"), "{ran:?}");
    }

    /// It ends every command, and the two ways out work.
    #[track_caller]
    fn refused(&self, uid: u32, file: &str, words: &[&str]) {
        let file = self.at(file);
        let file = file.to_str().unwrap();
        for command in [&["status"][..], &["publish", "a"], &["doctor"], &["publish", "a", "--dir", "data"]] {
            let ran = self.run_as(uid, command, &[]).expect(2).says(&[file, "is not believed", "--config"]).says(words);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
        let error = self.run_as(uid, &["status", "--json"], &[]).expect(2).json();
        assert_eq!(error["error"]["code"], "config-invalid");
        let dir = |arguments: &[&str], environment: &[(&str, &str)]| {
            self.run_as(uid, &[&["doctor", "--json"], arguments].concat(), environment).json()["dir"].to_string()
        };
        assert!(dir(&["--config", file], &[]).ends_with("/elsewhere\""));
        assert!(dir(&[], &[("LASTGOOD_CONFIG", file)]).ends_with("/elsewhere\""));
        assert!(dir(&["--config", "/dev/null"], &[]).ends_with("/above/job/data\""));
    }
}

#[test]
fn a_file_of_the_user_or_of_root_is_believed() {
    for owner in [ME, 0] {
        for path in ["above/lastgood.toml", "above/job/lastgood.toml"] {
            let world = World::new();
            world.configured(path, owner, 0o644);
            world.believed(ME);
        }
    }
    let world = World::new();
    world.owned_by(0);
    world.configured("above/lastgood.toml", 0, 0o644);
    world.believed(0);
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    for uid in [ME, 0] {
        let world = World::new();
        world.owned_by(uid);
        world.configured("above/lastgood.toml", STRANGER, 0o644);
        world.refused(uid, "above/lastgood.toml", &["it belongs to user 42002"]);
    }
    // Nor does root believe every user.
    let world = World::new();
    world.configured("above/job/lastgood.toml", ME, 0o644);
    world.refused(0, "above/job/lastgood.toml", &["it belongs to user 42001"]);
}

#[test]
fn whom_sudo_has_been_called_by_is_believed_by_root_alone() {
    let world = World::new();
    world.configured("above/job/lastgood.toml", ME, 0o644);
    let dir = |uid, caller: &str| world.run_as(uid, &["doctor", "--json"], &[("SUDO_UID", caller)]);
    assert!(dir(0, "42001").json()["dir"].as_str().unwrap().ends_with("/elsewhere"));
    dir(0, "42002").expect(2);
    dir(0, "x").expect(2);
    dir(STRANGER, "42001").expect(2);
}

#[test]
fn where_others_may_write_nothing_is_believed() {
    for (mode, group, words) in [
        (0o777, ME, "every user may write to"),
        (0o775, GROUP, "the group 42003 may write to"),
        (0o2775, GROUP, "the group 42003 may write to"),
    ] {
        let world = World::new();
        world.configured("above/lastgood.toml", ME, 0o644);
        set(&world.at("above"), 0, group, mode);
        world.refused(ME, "above/lastgood.toml", &[words, "where it stands"]);
    }
    let world = World::new();
    world.configured("above/job/lastgood.toml", ME, 0o666);
    world.refused(ME, "above/job/lastgood.toml", &["every user may write to it"]);
    let world = World::new();
    world.configured("above/lastgood.toml", 0, 0o644);
    set(&world.at("above"), STRANGER, STRANGER, 0o755);
    world.refused(ME, "above/lastgood.toml", &["where it stands, belongs to user 42002"]);
    // A group of the user alone, as many systems make it.
    let world = World::new();
    world.configured("above/lastgood.toml", ME, 0o664);
    set(&world.at("above"), ME, ME, 0o775);
    world.believed(ME);
}

#[test]
fn in_a_sticky_directory_the_users_own_file_is_believed_and_no_other() {
    let world = World::new();
    set(&world.at("above"), 0, 0, 0o1777);
    world.configured("above/lastgood.toml", ME, 0o644);
    world.believed(ME);
    world.configured("above/lastgood.toml", STRANGER, 0o644);
    world.refused(ME, "above/lastgood.toml", &["it belongs to user 42002"]);
    // A link of another to a file of the user's: paths in it would be taken from where the link stands.
    let world = World::new();
    set(&world.at("above"), 0, 0, 0o1777);
    world.configured("above/job/mine.toml", ME, 0o644);
    symlink("job/mine.toml", world.at("above/lastgood.toml")).unwrap();
    set(&world.at("above/lastgood.toml"), STRANGER, STRANGER, 0);
    world.run_as(ME, &["status"], &[]).expect(2).says(&["is not believed", "it belongs to user 42002"]);
}

#[test]
fn a_link_is_believed_when_what_it_leads_to_is() {
    let world = World::new();
    fs::create_dir(world.at("etc")).unwrap();
    set(&world.at("etc"), 0, 0, 0o755);
    world.configured("etc/real.toml", 0, 0o644);
    symlink("../../etc/real.toml", world.at("above/job/lastgood.toml")).unwrap();
    set(&world.at("above/job/lastgood.toml"), ME, ME, 0);
    world.believed(ME);
    set(&world.at("etc"), 0, 0, 0o777);
    world.refused(ME, "above/job/lastgood.toml", &["every user may write to", "/etc, where it stands"]);
    set(&world.at("etc"), 0, 0, 0o755);
    set(&world.at("etc/real.toml"), STRANGER, STRANGER, 0o644);
    world.refused(ME, "above/job/lastgood.toml", &["it belongs to user 42002"]);
}

/// Neither is waited for, nor taken for none.
#[test]
fn a_pipe_in_its_place_is_an_error() {
    let world = World::new();
    let made = Command::new("mkfifo").arg(world.at("above/lastgood.toml")).status().unwrap();
    assert!(made.success());
    world.run_as(ME, &["status"], &[]).expect(2).says(&["above/lastgood.toml", "not a regular file"]);
    fs::remove_file(world.at("above/lastgood.toml")).unwrap();
    world.configured("above/lastgood.toml", 0, 0o600);
    world.run_as(ME, &["status"], &[]).expect(2).says(&["above/lastgood.toml", "Permission denied"]);
}

/// `cd /root; sudo -u feed lastgood …`
#[test]
fn a_working_directory_that_is_closed_matters_only_when_it_is_needed() {
    let world = World::new();
    fs::create_dir(world.at("closed")).unwrap();
    fs::write(world.at("closed/lastgood.toml"), "strict = true\n").unwrap();
    set(&world.at("closed"), 0, 0, 0o700);
    set(&world.at("above"), ME, ME, 0o755);
    let dir = world.at("above/data");
    let dir = dir.to_str().unwrap();
    let commands: [&[&str]; 9] = [
        &["publish", "a"],
        &["publish", "a", "--force"],
        &["status"],
        &["history"],
        &["cat", "a"],
        &["verify"],
        &["recover"],
        &["gc"],
        &["lock", "a", "--", "true"],
    ];
    for command in commands {
        world.run_in(ME, "closed", &[&["--dir", dir], command].concat(), &[]).expect(0);
        world.run_in(ME, "closed", command, &[("LASTGOOD_DIR", dir)]).expect(0);
    }
    let closed = world.at("closed");
    let closed = closed.to_str().unwrap();
    for command in commands {
        let ran = world.run_in(ME, "closed", command, &[]).expect(1);
        let ran = ran.says(&["may not search", closed, "the default", "--dir or LASTGOOD_DIR"]);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    world.run_in(ME, "closed", &["publish", "a=p.json", "--dir", dir], &[]).expect(3).says(&["p.json", "Permission"]);
    assert_eq!(world.run_in(ME, "closed", &["doctor", "--json", "--dir", dir], &[]).json()["dir"], dir);
    chown(world.at("closed"), Some(ME), None).unwrap();
    world.run_in(ME, "closed", &["publish", "a", "--dir", dir], &[]).expect(2).says(&["is not listed"]);
}

#[test]
fn a_working_directory_that_is_gone_matters_only_when_it_is_needed() {
    let world = World::new();
    set(&world.at("above"), ME, ME, 0o755);
    let run = |arguments: &str| {
        let program = world.at("lastgood");
        let script = format!("mkdir -p gone && cd gone && rmdir ../gone && exec {} {arguments}", program.display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(world.feed.root()).env_remove("LASTGOOD_DIR");
        Ran::of(command, b"[1]")
    };
    run(&format!("publish a --dir {}", world.at("above/data").display())).expect(0);
    run("publish a").expect(1).says(&["cannot find the working directory", "--dir or LASTGOOD_DIR"]);
    run("status --dir data").expect(1).says(&["cannot find the working directory", "absolute path"]);
}
