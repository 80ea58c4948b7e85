//! The examples of the README do what it says.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lastgood_tests::browser::Browser;
use lastgood_tests::docs;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::Site;

fn example(name: &str) -> String {
    docs::example("README.md", name)
}

/// Runs a script in `dir` with the binary on the PATH, and stops at the first command that fails.
fn shell(script: &str, dir: &Path) -> Output {
    let mut path = vec![lastgood_tests::binary().parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(dir)
        .env("PATH", std::env::join_paths(path).unwrap())
        .output()
        .unwrap()
}

#[test]
fn publish() {
    let dir = tempfile::tempdir().unwrap();
    let output = shell(&example("publish"), dir.path());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let current = "[{\"day\": \"2026-11-20\", \"revenue\": 1310.0}]\n";
    assert!(stdout.contains(current), "cat prints the payload: {stdout}");
    assert_eq!(fs::read_to_string(dir.path().join("public/data/performance.json")).unwrap(), current);
    assert!(dir.path().join("public/data/history/2.json").exists());
}

#[test]
fn refuse() {
    let dir = tempfile::tempdir().unwrap();
    let console = example("refuse");
    let (command, expected) = console.split_once('\n').unwrap();
    let output = shell(command.trim_start_matches("$ "), dir.path());
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

in_every_browser! {
    read
}

fn read(browser: Browser) {
    let site = Site::start();
    let dir = tempfile::tempdir().unwrap();
    assert!(shell(&example("publish"), dir.path()).status.success());
    // The feed that the first example has made is the one that the second reads.
    fs::remove_dir(site.data()).unwrap();
    fs::rename(dir.path().join("public/data"), site.data()).unwrap();
    let script = example("read");
    let page = format!(
        "<!doctype html><title>example</title>
         <script type=importmap>{{\"imports\": {{\"lastgood\": \"/lastgood/lastgood.js\"}}}}</script>
         <p id=revenue></p><p id=state></p><script type=module>{script}\ndocument.title = 'done';</script>"
    );
    fs::write(site.www().join("example.html"), page).unwrap();
    browser.open(&format!("{}example.html", site.url()));
    browser.wait_for("#state:not(:empty)");
    assert_eq!(browser.text("#revenue"), "1310");
    assert_eq!(browser.text("#state"), "fresh");
    browser.wait_until("document.title === 'done'"); // the snapshot is read too
}
