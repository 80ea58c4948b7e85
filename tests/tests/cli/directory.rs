//! Which directory is used, and that it is said.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use lastgood_tests::{Ran, TestFeed};

#[test]
fn the_first_that_says_so_wins() {
    let feed = TestFeed::new();
    let deep = feed.root().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let run = |dir: Option<&str>, variable: Option<&str>| {
        let options: Vec<&str> = dir.iter().flat_map(|dir| ["--dir", dir]).collect();
        let mut command = feed.command(&[&["publish", "performance", "--json"][..], &options].concat());
        command.current_dir(&deep);
        if let Some(variable) = variable {
            command.env("LASTGOOD_DIR", variable);
        }
        let report = Ran::of(command, b"1").expect(0).json();
        (report["dir"].as_str().unwrap().to_owned(), report["dir_origin"].as_str().unwrap().to_owned())
    };
    let at = |path: &str| feed.root().join(path).to_str().unwrap().to_owned();
    let (dir, origin) = run(None, None);
    assert_eq!(dir, at("a/b/data"));
    assert!(origin.contains("default"), "{origin}");
    // Resolved against the file, not against the working directory.
    fs::write(feed.root().join("lastgood.toml"), "dir = \"public/data\"\n").unwrap();
    fs::create_dir(feed.root().join("public")).unwrap();
    let (dir, origin) = run(None, None);
    assert_eq!(dir, at("public/data"));
    assert!(origin.contains(&at("lastgood.toml")), "{origin}");
    // The nearest counts.
    fs::write(feed.root().join("a/lastgood.toml"), "dir = 'near'\n").unwrap();
    assert_eq!(run(None, None).0, at("a/near"));
    assert_eq!(run(None, Some("env")), (at("a/b/env"), "from LASTGOOD_DIR".to_owned()));
    assert_eq!(run(Some("option"), Some("env")), (at("a/b/option"), "from --dir".to_owned()));
}

/// As in the file and as an option: to use another directory instead would be a guess.
#[test]
fn an_empty_path_or_variable_is_refused() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    for variable in ["LASTGOOD_DIR", "LASTGOOD_CONFIG", "LASTGOOD_LOCK"] {
        for arguments in [&["publish", "performance"][..], &["status"], &["doctor"], &["cat", "performance"]] {
            let mut command = feed.command(&[arguments, &["--json"]].concat());
            command.env(variable, "");
            let ran = Ran::of(command, b"2").expect(2).says(&[variable, "set and empty", &format!("unset {variable}")]);
            assert_eq!(ran.json()["error"]["code"], "usage");
        }
    }
    assert_eq!(feed.read("performance.json"), b"1");
    for option in ["--dir", "--config"] {
        feed.run(&["status", option, ""]).expect(2).says(&[option]);
    }
    feed.input("lastgood.toml", "dir = ''\n");
    feed.run(&["status"]).expect(2).says(&["`dir`: expected the path of a directory"]);
    // It is asked only where it matters.
    for (variable, option) in [("LASTGOOD_DIR", ["--dir", "data"]), ("LASTGOOD_CONFIG", ["--config", "ok.toml"])] {
        feed.input("ok.toml", "");
        fs::remove_file(feed.root().join("lastgood.toml")).ok();
        let mut command = feed.command(&[&["status"], &option[..]].concat());
        command.env(variable, "");
        Ran::of(command, b"").expect(0);
    }
    // Who it was is told by the system, where nothing else says it.
    let mut command = feed.command(&["publish", "performance"]);
    command.env("LASTGOOD_WHO", "");
    Ran::of(command, b"3").expect(0);
    // The way out.
    let mut shell = std::process::Command::new("sh");
    let script = "unset LASTGOOD_DIR; exec \"$0\" status";
    shell.args(["-c", script]).arg(lastgood_tests::binary()).env("LASTGOOD_DIR", "").current_dir(feed.root());
    Ran::of(shell, b"").expect(0);
}

#[test]
fn verbose_and_status_say_which_and_why() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let dir = feed.dir().to_str().unwrap().to_owned();
    feed.run(&["-v", "cat", "performance"]).expect(0).says(&[&dir, "the default"]);
    let text = feed.run(&["status", "--dir", "./data"]).expect(0).text();
    assert!(text.contains(&dir) && text.contains("from --dir"), "{text}");
}

#[test]
fn a_config_with_an_unknown_key_is_refused_by_name() {
    let feed = TestFeed::new();
    fs::write(feed.root().join("lastgood.toml"), "dir = \"data\"\ndirectory = \"x\"\n").unwrap();
    let file = feed.root().join("lastgood.toml");
    feed.run(&["status"]).expect(2).says(&[file.to_str().unwrap(), "`directory`", "line 2"]);
    fs::write(feed.root().join("lastgood.toml"), "dir = 3").unwrap();
    feed.run(&["status"]).expect(2).says(&["line 1"]);
    let error = feed.run(&["status", "--json"]).expect(2).json();
    assert_eq!(error["error"]["code"], "config-invalid");
}

/// Each command, as far as it works on a feed.
const COMMANDS: [&[&str]; 11] = [
    &["publish", "a=p.json"],
    &["rollback", "a"],
    &["history"],
    &["cat", "a"],
    &["status"],
    &["verify"],
    &["recover"],
    &["adopt"],
    &["gc"],
    &["serve", "--listen", "127.0.0.1:0"],
    &["lock", "a", "--", "true"],
];

/// What there is, links that lead nowhere included.
fn everything(feed: &TestFeed) -> String {
    let found = Command::new("find").args([".", "-printf", "%p %y %s %l\n"]).current_dir(feed.root()).output().unwrap();
    String::from_utf8(found.stdout).unwrap()
}

/// What every command and the doctor say of a path, without a word about manifests and logs, and without making anything.
#[track_caller]
fn refused(feed: &TestFeed, dir: &str, words: &[&str]) {
    let before = everything(feed);
    for command in COMMANDS {
        let ran = feed.run(&[&["--dir", dir], command].concat()).expect(1).says(words).says(&["from --dir"]);
        assert!(!ran.stderr.contains("manifest") && !ran.stderr.contains("WARN"), "{command:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{command:?}: {}", ran.stderr);
    }
    let error = feed.run(&["publish", "a=p.json", "--json", "--dir", dir]).expect(1).json();
    assert_eq!((&error["error"]["code"], &error["error"]["exit"]), (&"directory".into(), &1.into()));
    let report = feed.run(&["doctor", "--json", "--dir", dir]).expect(1).json();
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "directory").unwrap();
    assert_eq!(found["severity"], "error");
    for word in words {
        assert!(found["found"].as_str().unwrap().contains(word), "{word}: {found}");
    }
    assert_eq!(everything(feed), before, "nothing was made");
}

#[test]
fn a_file_in_the_place_of_the_directory_is_called_a_file() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    refused(&feed, "p.json", &["p.json is a file, not a directory"]);
    refused(&feed, "p.json/data", &["p.json/data is not there", "p.json, on the way to it, is a file"]);
    refused(&feed, "p.json/a/b/data", &["p.json, on the way to it, is a file"]);
    symlink("p.json", feed.root().join("link")).unwrap();
    refused(&feed, "link", &["link is a file, not a directory"]);
    refused(&feed, "link/data", &["link, on the way to it, is a file"]);
}

#[test]
fn a_link_that_leads_nowhere_is_called_that_and_the_remedy_makes_what_it_leads_to() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    fs::create_dir(feed.root().join("shared")).unwrap();
    symlink("shared/data", feed.root().join("data")).unwrap();
    symlink("gone", feed.root().join("current")).unwrap();
    symlink("loop", feed.root().join("loop")).unwrap();
    symlink("p.json/x", feed.root().join("through")).unwrap();
    let target = feed.root().join("shared/data");
    let made = format!("mkdir -p {}", target.display());
    refused(&feed, "data", &["data is a symbolic link to", "shared/data, which is not there", &made]);
    refused(&feed, "current/public/data", &["current is a symbolic link to", "gone, which is not there"]);
    refused(&feed, "loop", &["loop is a symbolic link", "cannot be followed", "symbolic links"]);
    refused(&feed, "loop/data", &["loop is a symbolic link", "cannot be followed"]);
    refused(&feed, "through", &["through is a symbolic link", "cannot be followed", "Not a directory"]);
    let done = Command::new("sh").args(["-c", &made]).status().unwrap();
    assert!(done.success());
    feed.run(&["publish", "a=p.json"]).expect(0);
    assert!(target.join("manifest.json").exists());
}

#[test]
fn serve_says_that_a_file_is_no_site() {
    let feed = TestFeed::new();
    feed.publish("a", "[1]");
    feed.input("page.html", "x");
    let www = ["serve", "--listen", "127.0.0.1:0", "--www"];
    feed.run(&[&www[..], &["page.html"]].concat()).expect(1).says(&["page.html", "site", "not a directory"]);
    feed.run(&[&www[..], &["gone"]].concat()).expect(1).says(&["gone", "site", "create the directory"]);
}
