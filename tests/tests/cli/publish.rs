//! What a publish leaves in the directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary, tree};

#[test]
fn the_first_publish_makes_the_feed_and_says_so() {
    let feed = TestFeed::new();
    let text = feed.publish("performance", "[1,2,3]").text();
    for expected in ["created the feed", "generation 1", "performance", "3 rows", "new"] {
        assert!(text.contains(expected), "expected {expected:?} in {text}");
    }
    let text = feed.publish("performance", "[1]").text();
    assert!(!text.contains("created") && text.contains("1 row ") && text.contains("changed"), "{text}");
    feed.expect_clean();
}

#[test]
fn payloads_are_published_to_the_byte() {
    let feed = TestFeed::new();
    let payload = "{ \"price\" : 39.50,\r\n\t\"ä\": \"\\u00e4\", \"n\": 1E+2, \"z\": -0 }\n";
    feed.publish("performance", payload);
    assert_eq!(feed.read("performance.json"), payload.as_bytes());
    assert_eq!(feed.run(&["cat", "performance"]).expect(0).stdout, payload.as_bytes());
}

#[test]
fn plain_copy_backup_and_last_update_follow_the_manifest() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    assert!(!feed.path("performance_backup.json").exists(), "there is no payload before the first");
    feed.publish("performance", "2");
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"2".into(), b"1".into()));
    // Unchanged: the payload before the current one is still the other one.
    feed.publish("performance", "2");
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"2".into(), b"1".into()));
    feed.publish("performance", "3");
    assert_eq!((feed.read("performance.json"), feed.read("performance_backup.json")), (b"3".into(), b"2".into()));
    let manifest = feed.manifest();
    let last_update = String::from_utf8(feed.read("last_update.txt")).unwrap();
    assert_eq!(last_update.trim_end(), manifest["published_at"].as_str().unwrap());
    assert_eq!(feed.names("history"), ["1.json", "2.json", "3.json", "4.json"]);
    assert_eq!(feed.read("history/4.json"), feed.read("manifest.json"));
    feed.expect_clean();
}

#[test]
fn several_datasets_are_one_generation() {
    let feed = TestFeed::new();
    let (p, t) = (feed.input("p.json", "[1]"), feed.input("t=2.json", "[2]"));
    feed.run_with(&["publish", &format!("performance={p}"), &format!("transactions={t}"), "third=-"], "[3]").expect(0);
    let manifest = feed.manifest();
    assert_eq!(manifest["generation"], 1);
    for name in ["performance", "transactions", "third"] {
        assert_eq!(manifest["datasets"][name]["generation"], 1, "{name}");
    }
    assert_eq!(feed.read("transactions.json"), b"[2]");
    // One of them alone leaves the others as they are.
    feed.publish("performance", "[4]");
    let manifest = feed.manifest();
    assert_eq!(manifest["datasets"]["performance"]["generation"], 2);
    assert_eq!(manifest["datasets"]["transactions"]["generation"], 1);
    feed.expect_clean();
}

/// Readers notice the commit and download nothing: digest, file and times of the object stay.
#[test]
fn identical_content_is_a_new_generation_of_the_same_object() {
    let feed = TestFeed::new();
    let payload = format!("[{}0]", "1,".repeat(5000));
    feed.publish("performance", &payload);
    let files = || {
        let mut files = tree(&feed.dir());
        files.retain(|name, _| name.starts_with("objects/") && name.ends_with(".json") || name == "performance.json");
        files
    };
    let before = files();
    assert_eq!(before.len(), 2);
    let first = feed.manifest();
    let report = feed.run_with(&["publish", "performance", "--json"], &payload).expect(0).json();
    assert_eq!((&report["generation"], &report["datasets"][0]["changed"]), (&2.into(), &false.into()));
    assert_eq!(report["recovered"], false, "nothing was interrupted");
    assert_eq!(files(), before, "the object or the plain copy was touched");
    let second = feed.manifest();
    assert_eq!(second["datasets"]["performance"]["generation"], 1, "the payload last changed in generation 1");
    assert_ne!(first["commit"], second["commit"]);
    assert_eq!(second["datasets"]["performance"]["published_at"], second["published_at"]);
    feed.expect_clean();
}

/// The web server's user must be able to read, whatever the umask of the job that publishes.
#[test]
fn modes_do_not_depend_on_the_umask() {
    let feed = TestFeed::new();
    feed.input("p.json", format!("[{}0]", "1,".repeat(5000)));
    for generation in 1..=2 {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 077; exec \"$0\" publish performance=p.json"]).arg(binary());
        Ran::of(
            {
                command.current_dir(feed.root()).env_remove("LASTGOOD_DIR");
                command
            },
            b"",
        )
        .expect(0);
        feed.input("p.json", format!("[{generation}]"));
    }
    for (name, state) in tree(&feed.dir()) {
        let expected = match (name.starts_with(".lastgood"), state.content.is_some()) {
            (true, _) => continue,
            (false, true) => 0o644,
            (false, false) => 0o755,
        };
        assert_eq!(state.mode & 0o7777, expected, "{name}");
    }
    let private = fs::metadata(feed.path(".lastgood")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(private, 0o700, "the private directory is not for others");
}

#[test]
fn siblings_are_made_where_they_help_and_as_asked() {
    let large = format!("[{}0]", "1234567,".repeat(5000));
    let published = |options: &[&str], payload: &str| {
        let feed = TestFeed::new();
        feed.run_with(&[&["publish", "performance"], options].concat(), payload).expect(0);
        feed.expect_clean();
        let suffix = |name: String| name.rsplit_once(".json").unwrap().1.to_owned();
        let of_object = feed.names("objects").into_iter().map(suffix).collect::<Vec<_>>();
        let copies = feed.names("").into_iter().filter(|name| name.starts_with("performance.json"));
        assert_eq!(copies.map(suffix).collect::<Vec<_>>(), of_object, "those of its plain copy");
        // What turns them off turns off both.
        feed.run_with(&["publish", "performance", "--no-plain-copies"], "[2]").expect(0);
        assert!(!feed.names("").into_iter().any(|name| name.starts_with("performance.")));
        of_object
    };
    assert_eq!(published(&[], &large), ["", ".br", ".gz"]);
    assert_eq!(published(&["--gzip", "9", "--brotli", "off"], &large), ["", ".gz"]);
    assert_eq!(published(&["--gzip", "off", "--brotli", "0"], &large), ["", ".br"]);
    assert_eq!(published(&["--no-compress"], &large), [""]);
    assert_eq!(published(&[], "[1]"), [""], "too small to gain");
}

#[test]
fn meta_is_attached_to_every_dataset_of_the_call() {
    let feed = TestFeed::new();
    feed.input("p.json", "1");
    feed.run(&["publish", "a=p.json", "b=p.json", "--meta", "model=ets-2.1", "--meta", "run=8841"]).expect(0);
    let manifest = feed.manifest();
    for name in ["a", "b"] {
        assert_eq!(manifest["datasets"][name]["meta"], serde_json::json!({"model": "ets-2.1", "run": "8841"}));
    }
    feed.run(&["publish", "a=p.json", "--meta-json", r#"{"run": 8841, "tags": ["x"]}"#]).expect(0);
    assert_eq!(feed.manifest()["datasets"]["a"]["meta"], serde_json::json!({"run": 8841, "tags": ["x"]}));
}

/// A page or a script without lastgood sees a whole file under the stable name at every moment.
#[test]
fn a_plain_copy_is_replaced_and_never_written_to() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    let before = fs::metadata(feed.path("performance.json")).unwrap().ino();
    let open = fs::File::open(feed.path("performance.json")).unwrap();
    feed.publish("performance", "22");
    assert_ne!(fs::metadata(feed.path("performance.json")).unwrap().ino(), before);
    assert_eq!(std::io::read_to_string(open).unwrap(), "1", "whoever has the old file open keeps it");
}

/// A disk that is full in the middle: the limit of the file size stands in for it.
#[test]
fn a_short_write_is_a_failure_and_leaves_nothing() {
    let feed = TestFeed::new();
    feed.publish("performance", "1");
    feed.input("large.json", format!("[{}0]", "1234567,".repeat(50_000)));
    let before = tree(&feed.dir());
    let mut command = Command::new("sh");
    // Without the trap the signal would end the process before it sees the error.
    command.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" publish performance=large.json"]).arg(binary());
    command.current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    Ran::of(command, b"").expect(1).says(&["performance", "staging", "nothing was published"]);
    assert_eq!(tree(&feed.dir()), before);
    feed.expect_clean();
}

/// A process may often have 1024 files open, and this one fewer than it publishes.
#[test]
fn one_call_publishes_more_files_than_a_process_may_have_open() {
    let feed = TestFeed::new();
    let inputs: Vec<String> = (0..300).map(|number| format!("d{number}=p.json")).collect();
    feed.input("p.json", "[1]");
    let mut command = Command::new("sh");
    command.current_dir(feed.root()).env_remove("LASTGOOD_DIR");
    command.args(["-c", "ulimit -n 128 && exec \"$@\"", "sh"]).arg(binary()).arg("publish").args(&inputs);
    Ran::of(command, b"").expect(0);
    assert_eq!(feed.manifest()["datasets"].as_object().unwrap().len(), 300);
    feed.expect_clean();
    feed.run(&["publish", "a=p.json", "b=missing.json"]).expect(3).says(&["missing.json"]);
}
