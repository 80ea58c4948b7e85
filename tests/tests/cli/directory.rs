//! Which directory is used, and that it is said.

use std::fs;

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
    assert_eq!(run(None, Some("")).0, at("a/near"), "an empty variable says nothing");
    assert_eq!(run(None, Some("env")), (at("a/b/env"), "from LASTGOOD_DIR".to_owned()));
    assert_eq!(run(Some("option"), Some("env")), (at("a/b/option"), "from --dir".to_owned()));
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
