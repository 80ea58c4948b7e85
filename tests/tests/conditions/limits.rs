//! Limits of the process: descriptors, memory, the size of files, processes; and streams that are closed or take nothing.

use std::process::{Command, Stdio};

use lastgood_tests::{Ran, TestFeed, binary};

use crate::mount::Mount;
use crate::scenario::{generation, visible};
use crate::strace::Strace;

fn published() -> TestFeed {
    let feed = TestFeed::new();
    for round in 1..=3 {
        inputs(&feed, round);
        feed.run(&PUBLISH).expect(0);
    }
    inputs(&feed, 4);
    feed
}

fn inputs(feed: &TestFeed, round: u64) {
    for dataset in ["a", "b"] {
        feed.input(&format!("{dataset}.in"), format!("[{}{round}]", "0.5,".repeat(20_000)));
    }
}

const PUBLISH: [&str; 4] = ["publish", "a=a.in", "b=b.in", "--json"];

/// The command, started by a shell that does `first`.
fn after(feed: &TestFeed, first: &str, redirections: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{first}; exec \"$@\" {redirections}"), "bash"]).arg(binary()).args(arguments);
    command.current_dir(feed.root()).env_remove("LASTGOOD_DIR").stdin(Stdio::null());
    command
}

/// It has said why and changed nothing, or has done all of it.
#[track_caller]
fn all_or_nothing(feed: &TestFeed, ran: &Ran, why: &str) -> bool {
    let done = match ran.code {
        Some(0) => true,
        Some(1 | 3) => {
            assert!(ran.stderr.contains(why), "expected {why:?} in {}", ran.stderr);
            false
        }
        other => panic!("{other:?}: {}", ran.stderr),
    };
    feed.expect_clean();
    done
}

/// From the fewest with which the program can be loaded, one more each time.
#[test]
fn few_descriptors() {
    let feed = published();
    let purge = ["purge", "a", "--generation", "2", "--json"];
    let remove = ["remove", "b", "--json"];
    let commands = [&PUBLISH[..], &["rollback", "a", "b", "--json"], &["recover"], &["gc"], &["verify", "--repair"]];
    for command in commands.into_iter().chain([&purge[..], &remove]) {
        let mut failures = 0;
        let needed = (4..64).find(|limit| {
            let (before, was) = (visible(&feed), generation(&feed));
            let ran = Ran::of(after(&feed, &format!("ulimit -n {limit}"), "", command), b"");
            if ran.code == Some(127) || ran.code == Some(5) && command[0] == "verify" {
                // Not loaded at all; or `verify` could not open what it was to look at, and said which.
                return false;
            }
            if all_or_nothing(&feed, &ran, "Too many open files") {
                return true;
            }
            failures += 1;
            assert_eq!(generation(&feed), was);
            assert!(visible(&feed) == before, "{command:?} with {limit} descriptors");
            false
        });
        assert!(failures > 0 && needed.is_some(), "{command:?}: {failures} failures, needs {needed:?}");
    }
}

/// One thread does it all, where a limit on processes allows no other.
#[test]
fn no_further_threads() {
    let feed = published();
    feed.input("c.csv", format!("date,value\n{}", "2026-11-20,0.5\n".repeat(60_000)));
    for command in [&["publish", "a=a.in", "c=c.csv"][..], &["publish", "c=c.csv", "--json"], &["verify"], &["gc"]] {
        // It expects success.
        Strace::OneThread.calls_of(&feed, command);
    }
    feed.expect_clean();
    assert_eq!(generation(&feed), 5);
}

/// What is written does not fit into a file of the largest size that is allowed.
#[test]
fn small_files_only() {
    let feed = published();
    let mut failures = 0;
    // In KiB; SIGXFSZ would kill it without a word.
    let worked = [0, 1, 4, 16, 64, 1024].into_iter().find(|limit| {
        let before = visible(&feed);
        let ran = Ran::of(after(&feed, &format!("trap '' XFSZ; ulimit -f {limit}"), "", &PUBLISH), b"");
        if all_or_nothing(&feed, &ran, "File too large") {
            return true;
        }
        failures += 1;
        assert!(visible(&feed) == before);
        false
    });
    assert!(failures > 2 && worked.is_some(), "{failures} {worked:?}");
    // The signal, too, only ends it.
    let before = visible(&feed);
    let killed = Ran::of(after(&feed, "ulimit -f 4", "", &PUBLISH), b"");
    assert_eq!(killed.code, None);
    assert!(visible(&feed) == before);
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}

#[test]
fn little_memory() {
    let feed = published();
    let mut failures = 0;
    let worked = (4..64).map(|mib| mib * 1024).find(|kib| {
        let was = visible(&feed);
        let ran = Ran::of(after(&feed, &format!("ulimit -v {kib}"), "", &PUBLISH), b"");
        // Without memory Rust programs abort: as if killed.
        if ran.code == Some(0) {
            return true;
        }
        failures += 1;
        assert!(generation(&feed) <= 4 && (visible(&feed) == was || generation(&feed) == 4));
        false
    });
    assert!(failures > 0 && worked.is_some());
    feed.run(&PUBLISH).expect(0);
    feed.expect_clean();
}

/// A commit is one wherever its report goes; what cannot be printed is no reason to fail, let alone to panic.
#[test]
fn streams_that_take_nothing() {
    let feed = published();
    for redirections in
        ["> /dev/full", "2> /dev/full", "> /dev/full 2>&1", ">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"]
    {
        for more in [&[][..], &["-vv"], &["-vv", "--log-format", "json"]] {
            let was = generation(&feed);
            let arguments = [&PUBLISH[..], more].concat();
            let ran = Ran::of(after(&feed, "true", redirections, &arguments), b"");
            assert_eq!((ran.code, generation(&feed)), (Some(0), was + 1), "{redirections} {more:?}: {}", ran.stderr);
            feed.expect_clean();
            let ran = Ran::of(after(&feed, "true", redirections, &["publish", "a=nowhere.in"]), b"");
            assert_eq!((ran.code, generation(&feed)), (Some(3), was + 1), "{redirections} {more:?}");
        }
    }
    // Whoever was to read the report is gone.
    let mut command = after(&feed, "true", "", &[&PUBLISH[..], &["-vv"]].concat());
    let mut publisher = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((publisher.stdout.take(), publisher.stderr.take()));
    assert_eq!(publisher.wait().unwrap().code(), Some(0));
    feed.expect_clean();
}

/// What recovery has to say does not fit onto the disk where stderr goes: it is done all the same.
#[test]
fn a_log_on_a_full_disk_hinders_no_recovery() {
    let feed = published();
    let logs = feed.root().join("logs");
    let _mount = Mount::tmpfs(&logs, "size=4k");
    std::fs::write(logs.join("filler"), [0; 4096]).unwrap();
    std::fs::remove_file(feed.path("manifest.json")).unwrap();
    std::fs::remove_file(feed.path("a.json")).unwrap();
    let ran = Ran::of(after(&feed, "true", "2> logs/log", &["recover"]), b"");
    assert_eq!(ran.code, Some(0));
    feed.expect_clean();
}
