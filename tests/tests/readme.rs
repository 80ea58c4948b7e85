//! The examples of the READMEs, of the repository and of the npm package, do what they say.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use lastgood_tests::browser::Browser;
use lastgood_tests::docs;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Site, package};

fn example(name: &str) -> String {
    docs::example("README.md", name)
}

/// A script in `dir` with the binary on the PATH, which stops at the first command that fails.
fn script(script: &str, dir: &Path) -> Command {
    let mut path = vec![lastgood_tests::binary().parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(dir);
    command.env("PATH", std::env::join_paths(path).unwrap());
    command
}

fn shell(text: &str, dir: &Path) -> Output {
    script(text, dir).output().unwrap()
}

#[test]
fn publish() {
    let dir = tempfile::tempdir().unwrap();
    let output = shell(&example("publish"), dir.path());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let current = "[{\"day\": \"2026-11-20\", \"revenue\": 1310.0}]\n";
    assert!(stdout.contains(current), "cat prints the payload: {stdout}");
    assert_eq!(fs::read_to_string(dir.path().join("feed/performance.json")).unwrap(), current);
    assert!(dir.path().join("feed/history/2.json").exists());
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
    fs::rename(dir.path().join("feed"), site.data()).unwrap();
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

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn two_minutes() {
    let example = |name| docs::example("reader-wasm/npm/README.md", name);
    let dir = tempfile::tempdir().unwrap();
    // What `npm install lastgood` would do with a registry.
    fs::create_dir(dir.path().join("node_modules")).unwrap();
    symlink(package(), dir.path().join("node_modules/lastgood")).unwrap();
    assert!(shell(&example("publish"), dir.path()).status.success());

    // On any free port, instead of the one that the reader of the page has.
    let serve = format!("exec {} --listen 127.0.0.1:0 --json", example("serve").trim_end());
    let mut server = Server(script(&serve, dir.path()).stdout(Stdio::piped()).spawn().unwrap());
    let mut told = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut told).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let read = example("read.mjs");
    let usual = "http://127.0.0.1:8080/data/";
    assert!(read.contains(usual), "{read}");
    fs::write(dir.path().join("read.mjs"), read.replace(usual, told["feed"].as_str().unwrap())).unwrap();

    let console = example("output");
    let (command, expected) = console.split_once('\n').unwrap();
    let output = shell(command.trim_start_matches("$ "), dir.path());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{}", String::from_utf8_lossy(&output.stderr));
}
