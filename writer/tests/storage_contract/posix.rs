//! The storage in a directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use lastgood::storage::{
    Kind, Modes, PosixStorage, Rotation, StagedFile, Staging, Storage, Wave, raw_os_error, update_file,
};
use lastgood_protocol::layout::{self, Dir};
use tempfile::TempDir;

use crate::child::{self, Child};
use crate::contract::{Fixture, contract_tests, created, history, many_files, object, publish, staged};

struct Posix {
    temp: TempDir,
}

impl Fixture for Posix {
    type Storage = PosixStorage;

    fn new() -> Self {
        Self { temp: TempDir::new().unwrap() }
    }

    fn storage(&self) -> PosixStorage {
        storage(&self.dir())
    }
}

impl Posix {
    fn dir(&self) -> PathBuf {
        self.temp.path().join("feed")
    }

    fn staging(&self) -> PathBuf {
        self.dir().join(".lastgood/staging")
    }
}

fn storage(dir: &Path) -> PosixStorage {
    PosixStorage::new(dir, Modes::default())
}

contract_tests!(Posix);

#[test]
fn the_lock_holds_between_processes_and_goes_when_one_dies() {
    if let Some(dir) = child::feed() {
        let _lock = storage(&dir).try_lock("the child").unwrap().unwrap();
        return child::ready();
    }
    let feed = Posix::new();
    let storage = created(&feed);
    let child = Child::start("posix::the_lock_holds_between_processes_and_goes_when_one_dies", &feed.dir());
    assert!(storage.try_lock("the parent").unwrap().is_none());
    assert_eq!(storage.lock_holder().unwrap().as_deref(), Some("the child"));
    drop(child);
    assert_eq!(storage.lock_holder().unwrap(), None);
    let lock = storage.try_lock("the parent").unwrap();
    assert!(lock.is_some());
    assert_eq!(storage.lock_holder().unwrap().as_deref(), Some("the parent"));
}

#[test]
fn what_a_dead_holder_was_about_to_tell_is_not_told() {
    let feed = Posix::new();
    let storage = created(&feed);
    fs::write(feed.dir().join(".lastgood/holder.new"), "somebody with a long name").unwrap();
    fs::write(feed.dir().join(".lastgood/holder"), "somebody else").unwrap();
    assert_eq!(storage.lock_holder().unwrap(), None);
    let _lock = storage.try_lock("me").unwrap().unwrap();
    assert_eq!(storage.lock_holder().unwrap().as_deref(), Some("me"));
}

#[test]
fn a_process_started_meanwhile_does_not_keep_the_lock() {
    let feed = Posix::new();
    let storage = created(&feed);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..50 {
                assert!(Command::new("true").status().unwrap().success());
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            drop(storage.try_lock("me").unwrap().expect("it has been dropped"));
        }
    });
}

#[test]
fn sweeping_removes_what_the_dead_have_left() {
    if let Some(dir) = child::feed() {
        let staging = storage(&dir).stage().unwrap();
        let _file = staged(&staging, b"from the child", Kind::Published);
        return child::ready();
    }
    let feed = Posix::new();
    let storage = created(&feed);
    let start = || Child::start("posix::sweeping_removes_what_the_dead_have_left", &feed.dir());
    let (dead, too, alive) = (start(), start(), start());
    let own = storage.stage().unwrap();
    assert_eq!(storage.sweep_staging().unwrap(), 0);
    assert_eq!(storage.leftovers().unwrap().len(), 0);
    drop((dead, too));
    assert_eq!(storage.leftovers().unwrap().len(), 2);
    assert_eq!(storage.sweep_staging().unwrap(), 2);
    assert_eq!(storage.sweep_staging().unwrap(), 0);
    drop(own);
    assert_eq!(storage.leftovers().unwrap().len(), 0);
    assert_eq!(names(&feed.staging()).len(), 2, "the live one: its directory and its lock");
    drop(alive);
    assert_eq!(storage.sweep_staging().unwrap(), 1);
    assert_eq!(names(&feed.staging()), [""; 0]);
}

#[test]
fn sweeping_removes_what_a_power_cut_has_left_of_a_staging() {
    let feed = Posix::new();
    let storage = created(&feed);
    let half = |name: &str| feed.staging().join(name);
    fs::create_dir(half("without-its-lock")).unwrap();
    fs::write(half("without-its-lock").join("0"), "x").unwrap();
    fs::write(half("without-its-directory.lock"), "").unwrap();
    assert_eq!(storage.leftovers().unwrap(), [half("without-its-lock")]);
    assert_eq!(storage.sweep_staging().unwrap(), 1);
    assert_eq!(names(&feed.staging()), [""; 0]);
}

#[test]
fn a_probe_replaces_a_file_and_leaves_nothing() {
    let feed = Posix::new();
    let storage = created(&feed);
    assert!(storage.probe().unwrap().replaced);
    assert_eq!(names(&feed.staging()), [""; 0]);
    fs::remove_dir_all(feed.dir().join(".lastgood")).unwrap();
    assert_eq!(storage.probe().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(storage.leftovers().unwrap().is_empty());
    assert!(!feed.dir().join(".lastgood").exists(), "it makes no staging of its own");
}

#[test]
fn a_dropped_staging_leaves_nothing_on_disk() {
    let feed = Posix::new();
    let storage = created(&feed);
    let staging = storage.stage().unwrap();
    let unfinished = staging.create(Kind::Published).unwrap();
    let finished = staged(&staging, b"x", Kind::Marker);
    let dir = feed.staging().join(names(&feed.staging()).remove(0));
    assert_eq!(names(&dir).len(), 2);
    drop((unfinished, finished));
    assert_eq!(names(&dir), [""; 0], "a dropped file goes before its staging");
    drop(staging);
    assert_eq!(names(&feed.staging()), [""; 0]);
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    if let Some(dir) = child::feed() {
        publish_one_of_each(&storage(&dir));
        let custom = PosixStorage::new(dir.with_file_name("custom"), Modes { file: 0o460, dir: 0o2750 });
        return publish_one_of_each(&custom);
    }
    for umask in ["077", "000"] {
        let feed = Posix::new();
        child::run("posix::modes_do_not_depend_on_the_umask", &format!("umask {umask}"), &feed.dir());
        let custom = feed.dir().with_file_name("custom");
        for (dir, dir_mode, file_mode) in [(feed.dir(), 0o755, 0o644), (custom, 0o2750, 0o660)] {
            for path in ["", "objects", "history"] {
                assert_eq!(mode(&dir.join(path)), dir_mode, "{path}");
            }
            for path in ["manifest.json", object(b"1").as_str()] {
                assert_eq!(mode(&dir.join(path)), file_mode, "{path}");
            }
            assert_eq!(mode(&dir.join(".lock")), 0o444);
            for path in [".lastgood", ".lastgood/staging"] {
                // A directory that hands its group down does so there, too.
                assert_eq!(mode(&dir.join(path)), 0o700 | dir_mode & 0o2000, "{path}");
            }
        }
    }
}

fn publish_one_of_each(storage: &PosixStorage) {
    storage.create().unwrap();
    publish(storage, &layout::manifest(), b"1");
    let staging = storage.stage().unwrap();
    storage.place(staged(&staging, b"1", Kind::Published), &object(b"1")).unwrap();
    storage.place(staged(&staging, b"1", Kind::Marker), &layout::lock()).unwrap();
}

#[test]
fn directories_that_exist_keep_their_modes() {
    let feed = Posix::new();
    for dir in [feed.dir(), feed.dir().join("objects")] {
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o711)).unwrap();
    }
    created(&feed);
    assert_eq!((mode(&feed.dir()), mode(&feed.dir().join("objects"))), (0o711, 0o711));
    assert_eq!(mode(&feed.dir().join("history")), 0o755);
}

#[test]
fn only_regular_files_are_read() {
    let feed = Posix::new();
    let storage = created(&feed);
    let outside = feed.temp.path().join("outside");
    fs::write(&outside, "secret").unwrap();
    let planted = |n| feed.dir().join(history(n).as_str());
    symlink(&outside, planted(1)).unwrap();
    symlink("nowhere", planted(2)).unwrap();
    assert!(Command::new("mkfifo").arg(planted(3)).status().unwrap().success());
    fs::create_dir(planted(4)).unwrap();
    for n in 1..=4 {
        for refused in [storage.open(&history(n)).map(drop), storage.read(&history(n), 100).map(drop)] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
            assert_names(&error, "open", &planted(n));
        }
        assert!(storage.info(&history(n)).unwrap().is_some(), "but it is there");
    }
    let _socket = UnixListener::bind(planted(5)).unwrap();
    assert_names(&storage.open(&history(5)).map(drop).unwrap_err(), "open", &planted(5));
}

#[test]
fn a_link_is_replaced_not_followed() {
    let feed = Posix::new();
    let storage = created(&feed);
    let outside = feed.temp.path().join("outside");
    fs::write(&outside, "untouched").unwrap();
    symlink(&outside, feed.dir().join("manifest.json")).unwrap();
    publish(&storage, &layout::manifest(), b"new");
    assert_eq!(storage.read(&layout::manifest(), 10).unwrap().unwrap(), b"new");
    symlink(&outside, feed.dir().join(".lock")).unwrap();
    assert!(storage.remove(&layout::lock()).unwrap());
    symlink(&outside, feed.dir().join(".lastgood/lock")).unwrap();
    assert_names(&storage.try_lock("me").map(drop).unwrap_err(), "open", &feed.dir().join(".lastgood/lock"));
    assert_eq!(fs::read(&outside).unwrap(), b"untouched");
}

#[test]
fn the_feed_directory_may_be_a_link_and_those_in_it_may_not() {
    let feed = Posix::new();
    let elsewhere = feed.temp.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, feed.dir()).unwrap();
    let storage = created(&feed);
    many_files(&storage);
    assert_eq!(names(&elsewhere.join("objects")).len(), 100);

    fs::rename(elsewhere.join("objects"), feed.temp.path().join("objects")).unwrap();
    symlink(feed.temp.path().join("objects"), elsewhere.join("objects")).unwrap();
    assert_names(&storage.create().unwrap_err(), "use", &feed.dir().join("objects"));
}

#[test]
fn looking_creates_nothing() {
    let feed = Posix::new();
    let look = || {
        let storage = feed.storage();
        storage.list(Dir::Root).unwrap();
        storage.info(&layout::manifest()).unwrap();
        storage.read(&layout::manifest(), 1).unwrap();
        storage.lock_holder().unwrap();
        storage.read_log(Rotation { max_bytes: 1, older: 1 }).unwrap();
    };
    look();
    assert!(!feed.dir().exists());
    fs::create_dir(feed.dir()).unwrap();
    look();
    assert_eq!(names(&feed.dir()), [""; 0]);
    let storage = created(&feed);
    drop(storage.try_lock("me").unwrap());
    let before = names(&feed.dir().join(".lastgood"));
    look();
    assert_eq!(names(&feed.dir().join(".lastgood")), before);
}

#[test]
fn errors_name_what_was_done_to_which_path() {
    let feed = Posix::new();
    let below_missing = feed.dir().join("feed");
    let error = storage(&below_missing).create().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_names(&error, "create", &below_missing);
    assert!(error.to_string().contains("make the directory above it first"), "{error}");
    assert!(!feed.dir().exists());

    fs::write(feed.dir(), "a file").unwrap();
    let error = feed.storage().create().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
    assert_names(&error, "create", &feed.dir());
    fs::remove_file(feed.dir()).unwrap();

    let storage = created(&feed);
    let lock = feed.dir().join(".lastgood/lock");
    fs::create_dir(&lock).unwrap();
    let error = storage.try_lock("me").map(drop).unwrap_err();
    assert_names(&error, "open", &lock);
    assert_eq!(raw_os_error(&error), Some(rustix::io::Errno::ISDIR.raw_os_error()));

    fs::remove_dir(feed.dir().join("objects")).unwrap();
    let staging = storage.stage().unwrap();
    let dir = feed.staging().join(names(&feed.staging()).remove(0));
    let error = storage.place(staged(&staging, b"1", Kind::Published), &object(b"1")).map(drop).unwrap_err();
    assert_names(&error, "move a file from staging to", &feed.dir().join(object(b"1").as_str()));
    assert_eq!(names(&dir), [""; 0], "what cannot be placed is removed");
    for dirs in [vec![Dir::Objects], vec![Dir::Root, Dir::Objects, Dir::History]] {
        let wave = Wave::of_entries(dirs);
        assert_names(&storage.sync(wave).map(drop).unwrap_err(), "sync", &feed.dir().join("objects"));
    }

    fs::create_dir(feed.dir().join("manifest.json")).unwrap();
    assert_names(&storage.remove(&layout::manifest()).unwrap_err(), "remove", &feed.dir().join("manifest.json"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_feed_across_file_systems_is_told_so() {
    let feed = Posix::new();
    let storage = created(&feed);
    let memory = TempDir::new_in("/dev/shm").unwrap();
    let staging = storage.stage().unwrap();
    let file = staged(&staging, b"1", Kind::Published);
    // A mount, which only the superuser could make here, is told by the same error as this link.
    fs::remove_dir(feed.dir().join("objects")).unwrap();
    symlink(memory.path(), feed.dir().join("objects")).unwrap();
    let error = storage.place(file, &object(b"1")).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossesDevices);
    assert!(error.to_string().contains("keep the whole feed directory on one"), "{error}");
}

#[test]
fn few_descriptors_are_enough_for_many_files() {
    if let Some(dir) = child::feed() {
        return many_files(&storage(&dir));
    }
    let feed = Posix::new();
    created(&feed);
    child::run("posix::few_descriptors_are_enough_for_many_files", "ulimit -n 100", &feed.dir());
}

#[test]
fn a_file_that_cannot_be_written_whole_is_an_error() {
    if let Some(dir) = child::feed() {
        let storage = storage(&dir);
        let staging = storage.stage().unwrap();
        let mut file = staging.create(Kind::Published).unwrap();
        let error = file.write_all(&[b'x'; 100_000]).and_then(|()| file.finish().map(drop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(raw_os_error(&error), Some(rustix::io::Errno::FBIG.raw_os_error()));
        assert!(error.to_string().contains("write"), "{error}");
        return;
    }
    let feed = Posix::new();
    created(&feed);
    let test = "posix::a_file_that_cannot_be_written_whole_is_an_error";
    child::run(test, "trap '' XFSZ && ulimit -f 20", &feed.dir());
    assert_eq!(names(&feed.staging()), [""; 0]);
}

#[test]
fn info_tells_the_time_of_the_file_system() {
    let feed = Posix::new();
    let storage = created(&feed);
    publish(&storage, &layout::manifest(), b"1");
    let file = File::options().write(true).open(feed.dir().join("manifest.json")).unwrap();
    let second = Duration::from_millis(1001);
    for (time, ms) in [(UNIX_EPOCH + second, 1001), (UNIX_EPOCH - second, -1001)] {
        file.set_modified(time).unwrap();
        assert_eq!(storage.info(&layout::manifest()).unwrap().unwrap().modified.ms(), ms);
    }
}

#[test]
fn a_torn_line_of_the_log_does_not_spoil_the_next() {
    let feed = Posix::new();
    let storage = created(&feed);
    let rotation = Rotation { max_bytes: 1000, older: 1 };
    storage.append_to_log("first", rotation).unwrap();
    let log = feed.dir().join(".lastgood/operations.jsonl");
    File::options().append(true).open(&log).unwrap().write_all(b"tor").unwrap();
    storage.append_to_log("second", rotation).unwrap();
    assert_eq!(storage.read_log(rotation).unwrap(), [b"first\ntor\nsecond\n"]);
    assert_eq!(mode(&log), 0o600);
}

/// A crash in the middle of putting files aside leaves a number free.
/// By somebody else: lines are put aside in time. What comes last is what is looked for.
#[test]
fn a_log_that_is_far_too_large_is_read_from_its_end() {
    let feed = Posix::new();
    let storage = created(&feed);
    let rotation = Rotation { max_bytes: 1000, older: 3 };
    fs::write(feed.dir().join(".lastgood/operations.jsonl"), format!("{}\nlast\n", "x".repeat(1 << 20))).unwrap();
    let read = storage.read_log(rotation).unwrap();
    assert_eq!((read.len(), read[0].len()), (1, 2000));
    assert!(read[0].ends_with(b"xxx\nlast\n"));
}

#[test]
fn a_gap_between_the_files_of_the_log_hides_none() {
    let feed = Posix::new();
    let storage = created(&feed);
    let rotation = Rotation { max_bytes: 5, older: 2 };
    for line in ["first", "second", "third"] {
        storage.append_to_log(line, rotation).unwrap();
    }
    let log = |suffix: &str| feed.dir().join(format!(".lastgood/operations.jsonl{suffix}"));
    fs::remove_file(log(".1")).unwrap();
    assert_eq!(storage.read_log(rotation).unwrap(), [b"third\n".as_slice(), b"first\n"]);
    storage.append_to_log("fourth", rotation).unwrap();
    assert_eq!(storage.read_log(rotation).unwrap(), [b"fourth\n".as_slice(), b"third\n", b"first\n"]);
    storage.append_to_log("alone", Rotation { older: 0, ..rotation }).unwrap();
    assert_eq!(fs::read(log("")).unwrap(), b"alone\n");
}

#[test]
fn an_updated_file_is_always_whole_and_no_update_is_lost() {
    const WRITERS: usize = 4;
    const UPDATES: usize = 50;
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("metrics.prom");
    // As many lines as there were updates, so that a half-written file would show.
    let update = || {
        update_file(&path, |before| {
            let text = String::from_utf8(before.unwrap_or_default()).unwrap();
            let lines = text.lines().count() + 1;
            Ok(format!("{lines}\n").repeat(lines).into_bytes())
        })
        .unwrap();
    };
    update();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines().count().to_string();
                assert!(text.lines().all(|line| line == lines), "{text}");
            }
        });
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(|| (0..UPDATES).for_each(|_| update()))).collect();
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        results.into_iter().for_each(|result| result.unwrap());
    });
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), WRITERS * UPDATES + 1);
    assert_eq!(mode(&path), 0o644);
    assert_eq!(names(temp.path()), [".metrics.prom.lock", "metrics.prom"]);
}

#[test]
fn a_file_that_cannot_be_updated_leaves_nothing_beside_it() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("taken");
    fs::create_dir(&path).unwrap();
    assert_names(&update_file(&path, |before| Ok(before.unwrap_or_default())).unwrap_err(), "read", &path);
    assert_eq!(names(temp.path()), [".taken.lock", "taken"]);
    assert!(update_file(&temp.path().join("missing/file"), |_| Ok(Vec::new())).is_err());
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[track_caller]
fn assert_names(error: &std::io::Error, action: &str, path: &Path) {
    let expected = format!("cannot {action} {}: ", path.display());
    assert!(error.to_string().starts_with(&expected), "expected {expected:?} in {error}");
}

#[test]
fn what_is_missing_is_made_with_the_modes_of_its_neighbours() {
    let feed = Posix::new();
    feed.storage().create().unwrap();
    let mode = |name: &str| fs::metadata(feed.dir().join(name)).unwrap().permissions().mode() & 0o7777;
    let set = |name: &str, mode| fs::set_permissions(feed.dir().join(name), fs::Permissions::from_mode(mode)).unwrap();
    set("history", 0o750);
    fs::remove_dir(feed.dir().join("objects")).unwrap();
    assert_eq!(feed.storage().complete().unwrap(), ["objects/"]);
    assert_eq!(mode("objects"), 0o750);
    fs::remove_dir_all(feed.dir().join(".lastgood")).unwrap();
    assert_eq!(feed.storage().complete().unwrap(), [".lastgood/"]);
    for (name, wanted) in [("", 0o700), ("/staging", 0o700), ("/mark.0", 0o600), ("/lock", 0o600)] {
        assert_eq!(mode(&format!(".lastgood{name}")), wanted, "{name}");
    }
    // A directory that a group publishes into.
    set("", 0o2775);
    ["objects", "history"].iter().for_each(|name| set(name, 0o2775));
    fs::remove_dir_all(feed.dir().join(".lastgood")).unwrap();
    feed.storage().complete().unwrap();
    for (name, wanted) in [("", 0o2770), ("/staging", 0o2770), ("/mark.0", 0o660), ("/lock", 0o660)] {
        assert_eq!(mode(&format!(".lastgood{name}")), wanted, "{name}");
    }
    for name in ["objects", "history", ".lastgood"] {
        fs::remove_dir_all(feed.dir().join(name)).unwrap();
    }
    assert_eq!(feed.storage().complete().unwrap(), ["objects/", "history/", ".lastgood/"]);
    assert_eq!((mode("objects"), mode("history"), mode(".lastgood")), (0o2775, 0o2775, 0o2770));
}

/// Written in place, it must be nobody else's.
#[test]
fn a_mark_that_is_another_file_too_is_not_written_over() {
    let feed = Posix::new();
    let storage = feed.storage();
    storage.create().unwrap();
    let (place, victim) = (feed.dir().join(".lastgood/mark.0"), feed.temp.path().join("victim"));
    fs::write(&victim, "kept").unwrap();
    for link in [true, false] {
        fs::remove_file(&place).unwrap();
        if link { symlink(&victim, &place) } else { fs::hard_link(&victim, &place) }.unwrap();
        let error = storage.write_mark(0, b"mark").map(drop).unwrap_err().to_string();
        assert!(error.contains("mark.0"), "{error}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
