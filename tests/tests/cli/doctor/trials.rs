//! Remedies that are neither settings of a server nor tried where their fault is made: `remedies.tsv` has all of them.

use std::fs;
use std::process::Command;

use lastgood_tests::server::Server as Real;
use lastgood_tests::{Ran, TestFeed, binary, until};

use super::server::Server;
use super::{Diagnosis, copy, doctor, paste, payload, published, set_mode};

#[test]
fn what_is_no_feed_becomes_one_as_told() {
    // Nothing, an empty directory, other files, and a name that is taken.
    type Make = fn(&TestFeed);
    let prepare: [(&str, Make); 4] = [
        ("error", |_| {}),
        ("warning", |feed| fs::create_dir(feed.dir()).unwrap()),
        ("error", |feed| {
            fs::create_dir(feed.dir()).unwrap();
            fs::write(feed.path("index.html"), "x").unwrap();
        }),
        ("error", |feed| {
            fs::create_dir(feed.dir()).unwrap();
            fs::write(feed.path("manifest.json"), r#"{"name": "app", "icons": []}"#).unwrap();
        }),
    ];
    for (severity, make) in prepare {
        let feed = TestFeed::new();
        set_mode(feed.root(), 0o755);
        feed.input("p.json", "[1]");
        make(&feed);
        let remedy = doctor(&feed, &[]).finds("directory", severity, &[]);
        let command = remedy.lines().next().unwrap();
        let command = &command[command.find("lastgood publish").unwrap()..];
        paste(&feed, &command.replace("NAME=FILE", "p=p.json").replace("NAME=…", "p=p.json").replace(" …", ""));
        // Where that is for every caller is told, too.
        let dir = if feed.path("data/manifest.json").exists() { "data/data" } else { "data" };
        let found = doctor(&feed, &["--dir", dir]);
        found.fine("directory");
        if dir == "data" {
            let note = doctor(&feed, &[]).finds("directory-origin", "note", &["working directory"]);
            let line = note.split('`').nth(1).unwrap();
            feed.input("lastgood.toml", line);
            doctor(&feed, &[]).fine("directory-origin");
            fs::remove_file(feed.root().join("lastgood.toml")).unwrap();
            let set = note.split("or set ").nth(1).unwrap().split(' ').next().unwrap();
            let (name, value) = set.split_once('=').unwrap();
            let mut command = feed.command(&["doctor", "--json"]);
            command.env(name, value);
            Diagnosis::of(command).fine("directory-origin");
        }
    }
}

/// What only another publish can mend.
#[test]
fn publishing_again_ends_what_only_that_can_end() {
    let feed = published();
    feed.input("p.json", payload("first"));
    let again = ["publish", "performance=p.json"];
    let object = format!("objects/{}.json", feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap());
    fs::remove_file(feed.path(&object)).unwrap();
    let server = Server::right(&feed);
    let found = server.doctor(&feed);
    // What the plain copy still has is put back.
    let remedy = found.finds("objects", "error", &[&object]);
    found.finds("url-objects", "error", &[&object]);
    paste(&feed, remedy.lines().next().unwrap());
    server.doctor(&feed).fine("objects");
    // What nothing has any more is named, and published again.
    for entry in fs::read_dir(feed.path("objects")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for name in ["performance.json", "performance.json.gz", "performance.json.br"] {
        fs::remove_file(feed.path(name)).unwrap();
    }
    let found = server.doctor(&feed);
    assert!(found.finds("objects", "error", &[&object]).contains("names what is lost: publish that again"));
    found.finds("url-objects", "error", &[&object]);
    let ran = feed.run(&["verify", "--repair"]).expect(5);
    assert!(ran.text().contains("publish what is lost again: performance"), "{}", ran.text());
    feed.run(&again).expect(0);
    let found = server.doctor(&feed);
    found.fine("objects");
    found.fine("url-objects");
    // It has expired.
    feed.run(&[&again[..], &["--expires-in", "1ms"]].concat()).expect(0);
    until("it has expired", || !doctor(&feed, &[]).by("expired").iter().all(|found| found["severity"] == "ok"));
    assert!(doctor(&feed, &[]).finds("expired", "error", &[]).contains("publish again"));
    feed.run(&again).expect(0);
    doctor(&feed, &[]).fine("expired");
}

#[test]
fn a_server_that_serves_something_else_is_cured_as_told() {
    // An old copy: copied again, objects first and the manifest last.
    let feed = published();
    let other = TestFeed::new();
    copy(&feed.dir(), &other.dir());
    feed.publish("performance", payload("second"));
    let server = Server::right(&other);
    let remedy = server.doctor(&feed).finds("url-generation", "error", &["behind"]);
    assert!(remedy.contains("copy again, objects first and manifest.json last"), "{remedy}");
    let (from, to) = (feed.dir().display().to_string(), other.dir().display().to_string());
    paste(&feed, &format!("cp -a {from}/objects {from}/history {to} && cp -a {from}/*.* {to}"));
    server.doctor(&feed).fine("url-generation");
    // Ahead: the old copy is removed, and published where the others do.
    other.publish("performance", payload("third"));
    let remedy = server.doctor(&feed).finds("url-generation", "error", &["ahead"]);
    assert!(remedy.contains("is an old copy, remove it"), "{remedy}");
    fs::remove_dir_all(feed.dir()).unwrap();
    doctor(&feed, &["--dir", &to, "--url", &server.url]).fine("url-generation");
    // Another feed: published to the directory that is served.
    let stranger = published();
    let remedy = server.doctor(&stranger).finds("url-feed", "error", &["another feed"]);
    assert!(remedy.contains("publish to the directory that it serves"), "{remedy}");
    doctor(&stranger, &["--dir", &to, "--url", &server.url]).fine("url-feed");
}

/// The server looks for the feed where it is not; one `location` of the remedy makes it look there.
#[test]
fn a_server_that_looks_elsewhere_is_cured_as_told() {
    let feed = published();
    let server = Real::nginx_with(feed.root(), "root /nowhere;", "");
    let remedy = doctor(&feed, &["--url", &server.feed()]).finds("url-reachable", "error", &["404"]);
    let block = |from: &str, to: &str| {
        let setting = remedy.split_once(from).unwrap().1.split_once(to).unwrap().0;
        setting.replace("/THE/FEED/DIRECTORY", &feed.dir().display().to_string())
    };
    let location = block("nginx: location /data/ { ", " }");
    let server = Real::nginx_with(feed.root(), &location, "");
    doctor(&feed, &["--url", &server.feed()]).fine("url-reachable");
    let handle = block("Caddy: handle_path /data/* {\n", "\n}");
    let server = Real::caddy_with(&feed.root().join("nowhere"), &handle);
    doctor(&feed, &["--url", &server.feed()]).fine("url-reachable");
}

#[test]
fn a_server_that_is_slow_or_gone_is_cured_by_time_and_by_starting_it() {
    let feed = published();
    let mut server = Real::nginx_with(feed.root(), "", "");
    server.stop();
    let url = server.feed();
    let remedy = doctor(&feed, &["--url", &url]).finds("url-reachable", "error", &["refused"]);
    assert!(remedy.contains("see whether the server runs"), "{remedy}");
    server.restart();
    doctor(&feed, &["--url", &url]).fine("url-reachable");
    let remedy = doctor(&feed, &["--url", &url, "--timeout", "0s"]).finds("url-reachable", "error", &["timeout"]);
    let more: Vec<&str> = remedy[remedy.find("--timeout").unwrap()..].split(' ').take(2).collect();
    doctor(&feed, &[&["--url", &url], &more[..]].concat()).fine("url-reachable");
}

/// Root may look at everything.
#[test]
fn one_who_may_not_look_is_told_who_may() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let feed = published();
    let as_nobody = || {
        let program = feed.root().join("lastgood");
        if !program.exists() {
            copy(binary(), &program);
            set_mode(&program, 0o755);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(["doctor", "--json"]);
        command.args(["--dir", "data"]).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
        Diagnosis::of(command)
    };
    let remedy = as_nobody().finds("lock", "note", &["cannot be looked at"]);
    assert!(remedy.contains("the user who publishes"), "{remedy}");
    doctor(&feed, &[]).fine("lock");
    set_mode(&feed.dir(), 0o700);
    let remedy = as_nobody().finds("directory", "error", &["cannot be read"]);
    assert!(remedy.contains("as the user who publishes"), "{remedy}");
    doctor(&feed, &[]).finds("directory-origin", "note", &[]);
    set_mode(&feed.dir(), 0o755);
}

#[test]
fn a_publisher_that_is_ended_gives_the_lock_back() {
    let feed = published();
    let mut child = feed.spawn(&["lock", "performance", "--", "sleep", "600"]);
    until("it holds the lock", || {
        doctor(&feed, &[]).by("lock").iter().any(|found| found["found"].as_str().unwrap().contains("is publishing now"))
    });
    let remedy = doctor(&feed, &[]).finds("lock", "note", &["is publishing now"]);
    let pid = remedy.split("ps -fp ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(pid, child.id().to_string());
    paste(&feed, &format!("kill {pid}"));
    child.wait().unwrap();
    doctor(&feed, &[]).fine("lock");
}

#[test]
fn a_backup_is_what_is_left_when_the_history_is_gone() {
    let feed = published();
    feed.publish("performance", payload("second"));
    let backup = feed.root().join("backup");
    copy(&feed.dir(), &backup);
    fs::write(feed.path("manifest.json"), "{").unwrap();
    fs::remove_dir_all(feed.path("history")).unwrap();
    let ran: Ran = feed.run(&["recover"]).expect(5);
    assert!(ran.stderr.contains("put the directory back from a backup"), "{}", ran.stderr);
    fs::remove_dir_all(feed.dir()).unwrap();
    copy(&backup, &feed.dir());
    feed.run(&["recover"]).expect(0);
    feed.expect_clean();
}

#[test]
fn what_only_the_past_needs_comes_back_from_a_backup() {
    let feed = published();
    let sha256 = feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    feed.publish("performance", payload("second"));
    feed.publish("performance", payload("third"));
    let backup = feed.root().join("backup");
    copy(&feed.dir(), &backup);
    for entry in fs::read_dir(feed.path("objects")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with(&sha256) {
            fs::remove_file(path).unwrap();
        }
    }
    let ran = feed.run(&["verify", "--repair"]).expect(5);
    assert!(ran.text().contains("put it back from a backup of the feed"), "{}", ran.text());
    paste(&feed, &format!("cp -a {0}/objects/{sha256}* {1}/objects/", backup.display(), feed.dir().display()));
    feed.expect_clean();
    feed.run(&["cat", "performance", "--generation", "1"]).expect(0);
}
