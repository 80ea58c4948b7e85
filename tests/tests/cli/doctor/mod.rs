//! `lastgood doctor`: each defect made for real, and found with its remedy.

mod access;
mod complete;
mod cures;
mod disk;

pub(crate) mod server;
mod split_brain;
mod state;
mod trials;
mod url_manifest;
mod url_manners;
mod url_objects;
mod url_slow;
mod url_tls;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary};
use serde_json::Value;

/// What the doctor says.
pub(crate) struct Diagnosis {
    code: Option<i32>,
    findings: Vec<Value>,
}

/// Asks the doctor about the feed.
fn doctor(feed: &TestFeed, arguments: &[&str]) -> Diagnosis {
    Diagnosis::of(feed.command(&[&["doctor", "--json"], arguments].concat()))
}

impl Diagnosis {
    fn of(command: Command) -> Self {
        let ran = Ran::of(command, b"");
        let report = ran.json();
        let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{ran:?}")).clone();
        Self { code: ran.code, findings }
    }

    fn by(&self, check: &str) -> Vec<&Value> {
        self.findings.iter().filter(|finding| finding["check"] == check).collect()
    }

    /// Expects that the check finds something as bad as `severity`, in these words, and that the exit code agrees.
    /// Returns the remedy.
    #[track_caller]
    fn finds(&self, check: &str, severity: &str, words: &[&str]) -> String {
        assert!(["note", "warning", "error"].contains(&severity), "{severity} is nothing to be found");
        let found = self.by(check).into_iter().find(|finding| finding["severity"] == severity);
        let found = found.unwrap_or_else(|| panic!("no {severity} of {check} in {:#?}", self.findings));
        let text = found["found"].as_str().unwrap();
        for word in words {
            assert!(text.contains(word), "expected {word:?} in: {text}");
        }
        if severity != "note" {
            assert_eq!(self.code, Some(1), "a {severity} is an exit code");
            assert_ne!(found["remedy"], Value::Null, "a {severity} has a remedy: {text}");
        }
        found["remedy"].as_str().unwrap_or_default().to_owned()
    }

    /// Expects that the check has been made and found nothing worth a word.
    #[track_caller]
    fn fine(&self, check: &str) {
        let found = self.by(check);
        assert!(!found.is_empty(), "{check} was not made: {:#?}", self.findings);
        assert!(found.iter().all(|finding| finding["severity"] == "ok"), "{found:#?}");
    }

    /// Expects nothing worse than a note.
    #[track_caller]
    fn healthy(&self) {
        let bad = |finding: &&Value| finding["severity"] == "warning" || finding["severity"] == "error";
        let bad: Vec<&Value> = self.findings.iter().filter(bad).collect();
        assert!(bad.is_empty() && self.code == Some(0), "code {:?}: {bad:#?}", self.code);
    }
}

/// A feed in a directory that everybody can reach.
fn published() -> TestFeed {
    let feed = TestFeed::new();
    set_mode(feed.root(), 0o755);
    feed.publish("performance", payload("first"));
    feed
}

/// JSON that is worth compressing.
fn payload(text: &str) -> String {
    format!("[{}\"end\"]", format!("\"{text}\",").repeat(400))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Does what a remedy says, as a person would paste it.
#[track_caller]
fn paste(feed: &TestFeed, command: &str) {
    let here = binary().parent().unwrap().to_str().unwrap();
    let path = format!("{here}:{}", std::env::var("PATH").unwrap());
    let done = Command::new("sh").args(["-c", command]).env("PATH", path).current_dir(feed.root()).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// Who runs the tests.
fn me() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

/// Copies a directory and what is in it.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}
