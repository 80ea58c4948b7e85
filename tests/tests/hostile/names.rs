//! Names that would lead out of the feed, wherever a name can be given.

use lastgood_tests::{TestFeed, tree};

use crate::support::{ends, feed};

const HOSTILE: [&str; 22] = [
    "../secret",
    "..",
    ".",
    "/etc/passwd",
    "a/../../secret",
    "a\\..\\secret",
    "..%2fsecret",
    "%2e%2e/secret",
    "a/b",
    "~",
    "A",
    "Performance",
    "p\u{435}rformance",
    "a\u{202e}b",
    "a\nb",
    "a b",
    ".lock",
    ".lastgood",
    "manifest",
    "last_update",
    "performance_backup",
    "NUL:",
];

fn unchanged(feed: &TestFeed, act: impl FnOnce()) {
    let before = tree(feed.root());
    act();
    assert_eq!(tree(feed.root()), before);
}

#[test]
fn no_argument_leads_out_of_the_feed() {
    let feed = feed();
    feed.input("in.json", "[4]");
    feed.input("secret.json", "\"nobody may read this\"");
    unchanged(&feed, || {
        for name in HOSTILE {
            let assigned = format!("{name}=in.json");
            for arguments in [
                &["publish", &assigned][..],
                &["publish", name],
                &["publish", "performance=in.json", &assigned],
                &["rollback", name],
                &["history", name],
                &["status", name],
                &["cat", name],
                &["lock", name, "--", "true"],
            ] {
                let ran = ends(&feed, arguments);
                assert!(matches!(ran.code, Some(2 | 3)), "{arguments:?}: {ran:?}");
                assert!(!ran.text().contains("nobody may read") && !ran.stderr.contains("nobody may read"), "{ran:?}");
            }
        }
        for generation in ["../3", "3/../3", "-1", "0", "3.json", "0x3", "99999999999999999999", "", " 3"] {
            let selected = format!("--generation={generation}");
            ends(&feed, &["cat", "performance", &selected]).expect(2);
            ends(&feed, &["rollback", "performance", &format!("--to={generation}")]).expect(2);
        }
        for ext in ["../x", "a/b", "", ".", "JSON", "x\ny"] {
            ends(&feed, &["publish", "chart=in.json", &format!("--artifact={ext}")]).expect(2);
        }
    });
}

#[test]
fn no_name_in_the_configuration_leads_out_of_the_feed() {
    let feed = feed();
    feed.input("in.json", "[4]");
    for name in HOSTILE {
        let name = serde_json::to_string(name).unwrap();
        feed.input("lastgood.toml", format!("[datasets.{name}]\nmin_rows = 1\n"));
        unchanged(&feed, || drop(ends(&feed, &["publish", "performance=in.json"]).expect(2)));
    }
}

/// It is compared with what the holder has told, and is part of no path.
#[test]
fn no_token_in_the_environment_leads_out_of_the_feed() {
    let feed = feed();
    feed.input("in.json", "[4]");
    for token in HOSTILE.into_iter().chain(["", "\"", "{}"]) {
        let mut command = feed.command(&["publish", "performance=in.json", "--lock-wait", "0s"]);
        command.env("LASTGOOD_LOCK", token);
        let ran = lastgood_tests::Ran::of(command, b"");
        assert!(matches!(ran.code, Some(0..=4)), "{token}: {ran:?}");
    }
    feed.expect_clean();
}
