//! Directories of other programs, which have names of a feed for themselves: looked at before anything is made.

use std::fs;

use lastgood_tests::{TestFeed, tree};

/// A directory with these files.
fn site(files: &[(&str, &str)]) -> TestFeed {
    let feed = TestFeed::new();
    fs::create_dir(feed.dir()).unwrap();
    for (name, content) in files {
        fs::create_dir_all(feed.path(name).parent().unwrap()).unwrap();
        fs::write(feed.path(name), content).unwrap();
    }
    feed.input("p.json", "[1]");
    feed
}

const APP: &str = r#"{"name": "App", "short_name": "A", "icons": [{"src": "i.png"}], "start_url": "."}"#;
const VITE: &str = r#"{"src/main.ts": {"file": "assets/main-4f1c.js", "src": "src/main.ts", "isEntry": true}}"#;
const WEBPACK: &str = r#"{"main.js": "/main.4f1c.js", "signed-in.js": "/signed-in.1.js"}"#;

/// No command calls it damaged, changes it or makes anything in it, and the remedy works.
#[track_caller]
fn left_alone(feed: &TestFeed, words: &[&str]) {
    let before = tree(&feed.dir());
    for command in [
        &["publish", "a=p.json"][..],
        &["publish", "a=p.json", "--create"],
        &["recover"],
        &["recover", "--new-feed"],
        &["verify", "--repair"],
        &["adopt"],
    ] {
        let ran = feed.run(command);
        assert!(ran.code == Some(1) || command[0] != "publish", "{command:?}: {ran:?}");
        assert_eq!(tree(&feed.dir()), before, "{command:?}: {ran:?}");
        assert!(!ran.stderr.contains("damaged") && !ran.stderr.contains("lastgood recover"), "{command:?}: {ran:?}");
    }
    let ran = feed.run(&["publish", "a=p.json", "--create"]).expect(1).says(words).says(&["not a feed", "the default"]);
    let report = feed.run(&["doctor", "--json"]).expect(1).json();
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "directory").unwrap();
    for word in words {
        assert!(found["found"].as_str().unwrap().contains(word), "{word}: {found}");
    }
    let own = feed.dir().join("data");
    assert!(ran.stderr.contains(&format!("such as {}", own.display())), "{}", ran.stderr);
    let remedy = found["remedy"].as_str().unwrap();
    assert!(remedy.ends_with(&format!("--dir {}", own.display())), "{remedy}");
    feed.run(&["publish", "a=p.json", "--dir", own.to_str().unwrap()]).expect(0);
    feed.run(&["verify", "--dir", own.to_str().unwrap()]).expect(0);
}

#[test]
fn the_manifest_of_a_web_app_or_a_bundler_is_no_damaged_feed() {
    for (manifest, member) in [(APP, "icons"), (VITE, "src/main.ts"), (WEBPACK, "main.js")] {
        let feed = site(&[("manifest.json", manifest), ("index.html", "<html>"), ("assets/x.js", "x")]);
        for command in [&["status"][..], &["cat", "a"], &["verify"], &["history"], &["gc"]] {
            let ran = feed.run(command).expect(1).says(&["manifest.json is another program's", member]);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
        left_alone(&feed, &["manifest.json is another program's", member]);
    }
    left_alone(&site(&[("manifest.json", "/* build */ {}")]), &["manifest.json is none that lastgood has written"]);
    left_alone(&site(&[("manifest.json", "")]), &["manifest.json is empty"]);
}

#[test]
fn a_site_with_objects_or_a_history_of_its_own_is_left_alone() {
    left_alone(&site(&[("objects/chair.glb", "x"), ("index.html", "x")]), &["objects holds files", "chair.glb"]);
    left_alone(&site(&[("history/2024.json", "[]"), ("history/1.json", "{}")]), &["history holds files", ".json"]);
    left_alone(&site(&[("history/index.html", "x")]), &["history holds files"]);
    left_alone(&site(&[("objects", "a file")]), &["objects is a file"]);
    let both = [("manifest.json", APP), ("objects/chair.glb", "x"), ("history/2024.json", "[]")];
    left_alone(&site(&both), &["manifest.json is another program's"]);
}

/// What a publish of an earlier version has left in a site, or a repository that keeps empty directories.
#[test]
fn empty_directories_of_these_names_are_in_nobodys_way() {
    let feed = site(&[("objects/.gitkeep", ""), ("history/.gitkeep", "")]);
    fs::create_dir_all(feed.path(".lastgood/staging")).unwrap();
    feed.run(&["publish", "a=p.json"]).expect(0);
    feed.expect_clean();
    let feed = site(&[("manifest.json", APP), ("objects/.gitkeep", ""), ("history/.gitkeep", "")]);
    fs::create_dir_all(feed.path(".lastgood/staging")).unwrap();
    feed.run(&["publish", "a=p.json"]).expect(1).says(&["another program's"]);
}

#[test]
fn a_manifest_that_was_cut_off_or_overwritten_is_damage_and_recovered() {
    let feed = TestFeed::new();
    feed.publish("performance", "[1]");
    let whole = feed.read("manifest.json");
    // What fills it up at its end is white space.
    let text = whole.trim_ascii_end().len();
    let cut = [0, 1, 2, 5, 12, text / 2, text - 1].map(|length| whole[..length].to_vec());
    // A build that has put its own in that place: the feed is there all the same.
    for damaged in cut.into_iter().chain([APP.into(), VITE.into(), b"<html>".to_vec()]) {
        fs::write(feed.path("manifest.json"), &damaged).unwrap();
        for command in [&["status"][..], &["publish", "performance"]] {
            feed.run_with(command, "[2]").expect(5).says(&["damaged", "lastgood recover"]);
        }
        feed.run(&["recover"]).expect(0);
        assert_eq!(feed.read("manifest.json"), whole);
    }
    // Without the rest of the feed it is told by how it begins.
    let alone = TestFeed::new();
    fs::create_dir(alone.dir()).unwrap();
    for length in [12, text / 2, text - 1] {
        fs::write(alone.path("manifest.json"), &whole[..length]).unwrap();
        let before = tree(&alone.dir());
        alone.run_with(&["publish", "performance"], "[2]").expect(5).says(&["damaged"]);
        assert_eq!(tree(&alone.dir()), before, "nothing was made beside it");
    }
}
