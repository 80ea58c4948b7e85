//! `lastgood lock NAME … -- COMMAND`

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout};

use lastgood::protocol::marker::LockMarker;
use lastgood_tests::{Ran, TestFeed, binary, tree, until};
use rustix::process::{Pid, Signal, kill_process};

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    feed.publish("transactions", "1");
    feed
}

/// `lastgood lock performance -- sh -c SCRIPT`, where `$0` is lastgood itself.
fn locked<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    let command = ["--", "sh", "-c", script, binary().to_str().unwrap()];
    [&["lock", "performance"], options, &command].concat()
}

/// Starts a script that says "ready" and waits until it has.
fn ready(feed: &TestFeed, options: &[&str], script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = feed.spawn(&locked(options, &format!("echo ready; {script}")));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, stdout)
}

fn marker(feed: &TestFeed) -> LockMarker {
    assert_eq!(feed.read(".lock"), feed.read(".performance_lock"));
    LockMarker::decode(&feed.read(".lock")).unwrap()
}

#[test]
fn readers_are_told_while_the_command_runs() {
    let feed = published();
    let (mut child, _stdout) = ready(&feed, &["--lease", "5m"], "read line; exit 7");
    let marker = marker(&feed);
    assert_eq!(marker.datasets.iter().map(|dataset| dataset.as_str()).collect::<Vec<_>>(), ["performance"]);
    assert_eq!(marker.holder.pid, child.id());
    assert_eq!(marker.expires_at.ms_since(marker.acquired_at), 300_000);
    let status = feed.run(&["status"]).expect(0).text();
    assert!(status.contains("held by process") && status.contains("for performance"), "{status}");
    // Nobody else publishes, and readers read on.
    feed.run_with(&["publish", "transactions", "--lock-wait", "0s"], "2").expect(4).says(&["is publishing"]);
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).text(), "1");
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    Ran::end_of(child).expect(7);
    feed.expect_clean();
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let feed = published();
    let before = tree(&feed.dir());
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)] {
        feed.run(&locked(&[], script)).expect(code);
    }
    feed.run(&["lock", "performance", "--", "no-such-command"]).expect(127).says(&["no-such-command"]);
    feed.run(&["lock", "performance", "--", "."]).expect(126).says(&["cannot run ."]);
    let after: Vec<String> = tree(&feed.dir()).into_keys().collect();
    assert_eq!(after, before.into_keys().collect::<Vec<_>>());
    feed.expect_clean();
}

#[test]
fn the_command_has_stdin_and_stdout_to_itself() {
    let feed = published();
    let ran = feed.run_with(&["lock", "performance", "--json", "--", "cat"], "through and through").expect(0);
    assert_eq!(ran.text(), "through and through");
    let error = feed.run(&["lock", "performance", "--json", "--", "no-such-command"]).expect(127).json();
    assert_eq!(error["error"]["code"], "command");
    feed.run(&["lock", "--", "true"]).expect(2);
    feed.run(&["lock", "performance"]).expect(2);
    feed.run(&["lock", "performance", "--lease", "2h", "--", "true"]).expect(2).says(&["up to \"1h\""]);
    feed.run(&["lock", "performance", "--dir", "missing", "--", "true"]).expect(1).says(&["there is no feed"]);
}

#[test]
fn a_publish_that_it_runs_publishes_under_its_lock() {
    let feed = published();
    feed.input("p.json", "[2]");
    let marker_stays = "before=$(cat data/.lock); \"$0\" publish performance=p.json || exit 9; \
                        [ \"$before\" = \"$(cat data/.lock)\" ]";
    let text = feed.run(&locked(&[], marker_stays)).expect(0).text();
    assert!(text.contains("published generation 3") && !text.contains("interrupted"), "{text}");
    assert_eq!(feed.read("performance.json"), b"[2]");
    // Several at once take turns.
    feed.run(&locked(&[], "for i in 1 2 3 4; do echo $i | \"$0\" publish performance & done; wait")).expect(0);
    assert_eq!(feed.manifest()["generation"], 7);
    // What the lock does not cover is said, and not waited for.
    feed.run(&locked(&[], "\"$0\" publish transactions=p.json")).expect(2).says(&["transactions", "lastgood lock"]);
    // A feed of its own is none of the lock's business.
    feed.run(&locked(&[], "\"$0\" publish other=p.json --dir elsewhere")).expect(0);
    // A lock within a lock is that lock.
    feed.run(&locked(&[], "\"$0\" lock performance -- \"$0\" publish performance=p.json")).expect(0);
    feed.run(&locked(&[], "\"$0\" verify && \"$0\" status && \"$0\" recover")).expect(0);
    feed.expect_clean();
}

#[test]
fn the_lease_is_renewed_while_the_command_runs() {
    let feed = published();
    let (mut child, _stdout) = ready(&feed, &["--lease", "5s"], "read line");
    let first = marker(&feed);
    until("a renewal", || LockMarker::decode(&feed.read(".lock")).unwrap() != first);
    let renewed = LockMarker::decode(&feed.read(".lock")).unwrap();
    assert!(first.lease_runs(renewed.acquired_at), "the renewal came after the end of the lease");
    assert!(renewed.expires_at > first.expires_at);
    assert_eq!((&renewed.holder, &renewed.datasets), (&first.holder, &first.datasets));
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    Ran::end_of(child).expect(0);
    feed.expect_clean();
}

#[test]
fn signals_are_passed_on() {
    let feed = published();
    for (signal, number) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (mut child, _stdout) = ready(&feed, &[], "exec cat");
        // Kept open: its end would end `cat`, too.
        let stdin = child.stdin.take();
        kill_process(Pid::from_child(&child), signal).unwrap();
        Ran::end_of(child).expect(number);
        drop(stdin);
        feed.expect_clean();
    }
    // The command decides what a signal means; the lock is held until it has ended.
    let (mut child, mut stdout) = ready(&feed, &[], "trap 'echo stopping' TERM; echo set; read l; read l; exit 5");
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    line.clear();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "stopping\n");
    assert!(feed.path(".lock").exists());
    child.stdin.take().unwrap().write_all(b"\n\n").unwrap();
    Ran::end_of(child).expect(5);
    feed.expect_clean();
}

#[test]
fn a_signal_while_it_waits_ends_it_before_the_command_runs() {
    let feed = published();
    let (holder, _stdout) = ready(&feed, &[], "read line");
    let mut waiting = feed.spawn(&["lock", "performance", "--lock-wait", "1h", "-v", "--", "touch", "ran"]);
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waiting") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended without waiting");
    }
    kill_process(Pid::from_child(&waiting), Signal::TERM).unwrap();
    Ran::end_of(waiting).expect(1);
    assert!(!feed.root().join("ran").exists());
    assert!(feed.path(".lock").exists(), "the lock is another's");
    Ran::end_of(holder).expect(1);
    feed.expect_clean();
}

/// The markers of a lock whose holder was killed are removed like those of a publish that died, also by a publish that
/// the command goes on to make.
#[test]
fn a_dead_holder_leaves_markers_that_the_next_writer_removes() {
    let feed = published();
    feed.input("p.json", "[2]");
    let (mut child, _stdout) = ready(&feed, &[], "read line; \"$0\" publish performance=p.json > said; touch ended");
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    assert!(feed.path(".lock").exists());
    let status = feed.run(&["status"]).expect(0).text();
    assert!(status.contains("a marker was left behind"), "{status}");
    stdin.write_all(b"\n").unwrap();
    until("the end of the orphan", || feed.root().join("ended").exists());
    let said = fs::read_to_string(feed.root().join("said")).unwrap();
    assert!(said.contains("put in order") && said.contains("published generation 3"), "{said}");
    feed.expect_clean();
    // Or by anyone else.
    let (mut child, _stdout) = ready(&feed, &[], "read line");
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
}
