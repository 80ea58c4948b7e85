//! What made the standard library panic, and what a panic is told as.

use std::fs;
use std::path::Path;
use std::process::Command;

use lastgood::storage::{Modes, PosixStorage, Storage};
use lastgood_tests::{Ran, TestFeed, binary};

use crate::scenario::{self, PUBLISH_TWO};

/// The binary, with an injection of strace.
fn traced(feed: &TestFeed, call: &str, injection: &str, arguments: &[&str]) -> (Ran, String) {
    let log = feed.root().join("strace.log");
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "30", "strace", "-f", "-qq", "-y", "-o", log.to_str().unwrap()]);
    command.args(["-e", &format!("trace={call},getcwd,clone3,clone"), "-e", "inject=clone3,clone:error=EAGAIN"]);
    if !injection.is_empty() {
        command.args(["-e", &format!("inject={call}:{injection}")]);
    }
    command.arg(binary()).args(arguments).current_dir(feed.root());
    for name in ["LASTGOOD_DIR", "LASTGOOD_CONFIG", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    (Ran::of(command, b""), fs::read_to_string(log).unwrap())
}

/// `closedir` that fails, as on a network file system: the result of a `close` never matters for a directory.
fn closing_fails(feed: &TestFeed, arguments: &[&str], code: i32) {
    let ran = traced(&scenario::copy(feed), "close", "", arguments);
    ran.0.expect(code);
    let is_close = |line: &&str| line.contains("close(");
    let closes = ran.1.lines().filter(is_close).count();
    // Before it asks where it is, the program is being loaded, which is none of our code.
    let loading = ran.1.lines().take_while(|line| !line.contains("getcwd(")).filter(is_close).count();
    let mut panicked = Vec::new();
    for nth in loading + 1..=closes {
        let feed = scenario::copy(feed);
        let (ran, log) = traced(&feed, "close", &format!("error=EIO:when={nth}"), arguments);
        if ran.code != Some(code) {
            let line = log.lines().find(|line| line.contains("(INJECTED)") && line.contains("close("));
            panicked.push(format!("close number {nth} ({line:?}): {ran:?}"));
        }
    }
    assert!(closes > loading, "{arguments:?} closes nothing of its own");
    assert!(panicked.is_empty(), "{arguments:?}: {}", panicked.join("\n"));
}

macro_rules! closing {
    ($($name:ident: $prepare:expr, $arguments:expr, $code:expr;)*) => {
        mod closing {
            use super::*;
            $(#[test] fn $name() { closing_fails(&$prepare, &$arguments, $code); })*
        }
    };
}

closing! {
    publish: (PUBLISH_TWO.prepare)(), PUBLISH_TWO.command, 0;
    // What a dead publisher has staged is removed.
    publish_after_a_crash: (scenario::PUBLISH_AFTER_CRASH.prepare)(), PUBLISH_TWO.command, 0;
    gc: (PUBLISH_TWO.prepare)(), scenario::COLLECT.command, 0;
    verify: (PUBLISH_TWO.prepare)(), ["verify"], 0;
    status: (PUBLISH_TWO.prepare)(), ["status"], 0;
    history: (PUBLISH_TWO.prepare)(), ["history"], 0;
    recover: (scenario::RECOVER.prepare)(), scenario::RECOVER.command, 0;
    adopt: (scenario::ADOPT.prepare)(), scenario::ADOPT.command, 0;
    doctor: opened((PUBLISH_TWO.prepare)()), ["doctor"], 1;
}

/// With something to be found, so that the exit code does not depend on the file system.
fn opened(feed: TestFeed) -> TestFeed {
    fs::write(feed.path(".lock"), "of a script").unwrap();
    feed
}

/// The standard library expects a sleep to end or to be interrupted, and panics otherwise.
const SLEEP: &str = "clock_nanosleep,nanosleep";

#[test]
fn a_panic_before_the_commit_has_its_exit_code_and_asks_for_a_report() {
    let feed = (PUBLISH_TWO.prepare)();
    let lock = PosixStorage::new(feed.dir(), Modes::default()).try_lock("{}").unwrap().unwrap();
    let (ran, _) = traced(&feed, SLEEP, "error=EINVAL", PUBLISH_TWO.command);
    let ran = ran.expect(70).says(&["a defect in lastgood", "it is not known", "lastgood status", "please report"]);
    assert!(!ran.stderr.contains("nothing") && !ran.stderr.contains("stack backtrace"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let error = &ran.json()["error"];
    assert_eq!((&error["code"], &error["exit"]), (&"defect".into(), &70.into()));
    drop(lock);
    assert_eq!(feed.manifest()["generation"], 3);
    feed.run(PUBLISH_TWO.then).expect(0);
    feed.expect_clean();
}

/// A call after the rename of the manifest is interrupted, and the pause before the next try is what panics.
#[test]
fn a_panic_after_the_commit_does_not_say_that_nothing_changed() {
    let before = (PUBLISH_TWO.prepare)();
    let calls = PUBLISH_TWO.calls(&scenario::copy(&before));
    let renames: Vec<_> = calls.iter().filter(|call| call.name == "rename").collect();
    let commit = renames.iter().position(|call| call.line.contains("manifest.json\")")).unwrap();
    let next = renames[commit + 1];
    let feed = scenario::copy(&before);
    let log = feed.root().join("strace.log");
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "30", "strace", "-f", "-qq", "-o", log.to_str().unwrap()]);
    command.args(["-e", &format!("trace=rename,{SLEEP},clone3,clone"), "-e", "inject=clone3,clone:error=EAGAIN"]);
    command.args([
        "-e",
        &format!("inject=rename:error=EINTR:when={}", next.nth),
        "-e",
        &format!("inject={SLEEP}:error=EINVAL"),
    ]);
    command.arg(binary()).args(PUBLISH_TWO.command).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    let ran = Ran::of(command, b"").expect(70).says(&["a defect in lastgood", "it is not known", "lastgood status"]);
    assert!(!ran.stderr.contains("nothing"), "{}", ran.stderr);
    assert_eq!(feed.manifest()["generation"], 4, "it was after the commit");
    // As the message says.
    feed.run(&["status"]).expect(0);
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
    feed.run(PUBLISH_TWO.then).expect(0);
    feed.expect_clean();
}

#[test]
fn a_backtrace_is_for_whoever_asks_for_one() {
    let feed = (PUBLISH_TWO.prepare)();
    let _lock = PosixStorage::new(feed.dir(), Modes::default()).try_lock("{}").unwrap().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={SLEEP}:error=EINVAL")]);
    command.arg(binary()).args(PUBLISH_TWO.command).current_dir(feed.root()).env("RUST_BACKTRACE", "1");
    Ran::of(command, b"").expect(70).says(&["stack backtrace", "a defect in lastgood"]);
    assert!(Path::new(&feed.path(".lastgood/lock")).exists());
}
