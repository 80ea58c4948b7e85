//! A publisher that is stopped in the midst of its commit, and goes on later.

use std::process::{Command, Stdio};

use lastgood::Feed;
use lastgood::protocol::name::DatasetName;
use lastgood_tests::{Ran, TestFeed, binary, until};
use rustix::process::{Pid, Signal, kill_process};

/// With the lock and its markers, before the commit.
#[test]
fn with_the_lock_before_the_commit() {
    stopped_at("fsync", 1, false);
}

/// After the commit, with all markers still there: only what an earlier holder has left is removed before.
#[test]
fn with_the_lock_after_the_commit() {
    stopped_at("unlink", 2, true);
}

fn stopped_at(call: &str, nth: u32, committed: bool) {
    let feed = TestFeed::new();
    feed.publish("a", "[1]");
    feed.input("a.in", "[2]");
    // strace stops it at its nth call of this name, as SIGSTOP would at that moment.
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call},clone3,clone")]);
    traced.args(["-e", "inject=clone3,clone:error=EAGAIN", "-e", &format!("inject={call}:signal=STOP:when={nth}")]);
    traced.arg(binary()).args(["publish", "a=a.in", "--json"]).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    let publisher =
        traced.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace is installed");
    until("the marker", || feed.path(".lock").exists());
    let marker: serde_json::Value = serde_json::from_slice(&feed.read(".lock")).unwrap();
    let pid = i32::try_from(marker["holder"]["pid"].as_u64().unwrap()).unwrap();
    until("it has stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        matches!(stat.rsplit(") ").next().unwrap().as_bytes()[0], b'T' | b't')
            && (feed.manifest()["generation"] == 2) == committed
    });

    // Others wait in vain, and are told for whom.
    feed.input("b.in", "[9]");
    feed.input("lastgood.toml", "lock_wait = \"200ms\"");
    for command in [&["publish", "b=b.in"][..], &["recover"], &["gc"], &["verify", "--repair"]] {
        feed.run(command).expect(4).says(&["locked", &format!("process {pid} on ")]);
    }
    // Readers go on with what is published.
    let name = DatasetName::parse("a").unwrap();
    let reading = Feed::open(feed.dir()).read(&name).unwrap();
    assert_eq!(reading.value, if committed { b"[2]" } else { b"[1]" });
    feed.run(&["verify"]);

    kill_process(Pid::from_raw(pid).unwrap(), Signal::CONT).unwrap();
    let report = Ran::end_of(publisher).expect(0).json();
    assert_eq!(report["generation"], 2);
    assert_eq!(feed.manifest()["generation"], 2, "committed once");
    feed.expect_clean();
    feed.run(&["publish", "b=b.in"]).expect(0);
    feed.expect_clean();
}
