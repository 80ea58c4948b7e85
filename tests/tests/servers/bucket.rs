//! The documented way of copying a feed to a bucket: readers of the bucket see whole generations at every moment, also
//! while the feed is being published to.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lastgood::Feed;
use lastgood::protocol::manifest::Manifest;
use lastgood_tests::docs::example;
use lastgood_tests::site::dataset;

use crate::reading::{payload, publish, round_of};
use crate::www::Www;

/// A feed, a directory that stands for the bucket, and the script that copies one to the other.
struct Copying {
    www: Www,
    script: String,
    /// The round that was published last, and the last that was read from the bucket.
    published: u64,
    read: u64,
    /// The objects that the manifest named which a slow reader or an edge may still hold.
    held: BTreeSet<String>,
}

impl Copying {
    fn new(script: String) -> Self {
        let www = Www::new();
        fs::create_dir(www.root().join("bin")).unwrap();
        for program in ["aws", "rclone"] {
            let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/bucket.py");
            symlink(stand_in, www.root().join("bin").join(program)).unwrap();
        }
        // All payloads are of one size, so that only their time or their name tells them apart.
        Self { www, script, published: 1000, read: 0, held: BTreeSet::new() }
    }

    fn bucket(&self) -> PathBuf {
        self.www.root().join("bucket")
    }

    fn publish(&mut self) {
        self.published += 1;
        publish(&self.www, self.published);
    }

    /// Runs the script; `between` is called after every single file.
    fn run(&mut self, mut between: impl FnMut(&mut Self)) -> Vec<String> {
        let mut path = vec![self.www.root().join("bin")];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut script = Command::new("bash")
            .args(["-c", &self.script, "sync-feed"])
            .args([self.www.dir(), self.bucket()])
            .env("PATH", std::env::join_paths(path).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut go_on = script.stdin.take().unwrap();
        let mut steps = Vec::new();
        for step in BufReader::new(script.stdout.take().unwrap()).lines() {
            steps.push(step.unwrap());
            self.expect_whole(&steps);
            between(self);
            go_on.write_all(b"\n").unwrap();
        }
        assert!(script.wait().unwrap().success(), "what the script says is above; it did: {steps:#?}");
        let left = names(self.www.root(), |name| name.starts_with(".feed-copy"));
        assert!(left.is_empty(), "the script leaves {left:?} behind");
        steps
    }

    /// What a reader of the bucket gets now, if there is a manifest: one round, whole, and none older than before.
    fn expect_whole(&mut self, steps: &[String]) {
        if let Ok(manifest) = fs::read(self.bucket().join("manifest.json")) {
            let names = ["performance", "transactions"].map(dataset);
            let snapshot = Feed::open(self.bucket()).snapshot(&names).unwrap_or_else(|error| {
                panic!("{error}, after {steps:#?}");
            });
            let rounds: Vec<u64> = snapshot.iter().map(|reading| round_of(&reading.value)).collect();
            assert!(rounds[0] == rounds[1] && rounds[0] >= self.read, "{rounds:?} after {} and {steps:#?}", self.read);
            self.read = rounds[0];
            for object in self.held.iter().chain(&objects(&manifest)) {
                assert!(self.bucket().join("objects").join(object).exists(), "{object} has gone, after {steps:#?}");
            }
            self.held = objects(&manifest);
        }
        // A page without lastgood reads the plain copies.
        for name in ["performance.json", "transactions.json"] {
            if let Ok(bytes) = fs::read(self.bucket().join(name)) {
                round_of(&bytes);
            }
        }
    }

    /// What `lastgood gc` does: removes all generations but the last, and the objects that only they name.
    fn collect_garbage(&self) {
        let kept = self.www.read("manifest.json");
        let generation = Manifest::verify(&kept).unwrap().generation;
        for name in self.www.names("history").iter().filter(|name| **name != format!("{generation}.json")) {
            fs::remove_file(self.www.path(&format!("history/{name}"))).unwrap();
        }
        for name in self.www.names("objects").iter().filter(|name| !objects(&kept).contains(&name[..69])) {
            fs::remove_file(self.www.path(&format!("objects/{name}"))).unwrap();
        }
    }
}

/// The file names of the objects that a manifest names.
fn objects(manifest: &[u8]) -> BTreeSet<String> {
    let manifest = Manifest::verify(manifest).unwrap();
    manifest.datasets.values().map(|entry| format!("{}.{}", entry.sha256, entry.ext)).collect()
}

/// Those of the names in a directory that are wanted.
fn names(dir: &Path, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| wanted(name)).collect()
}

/// Whether a bucket is given a file of this name.
fn is_copied(name: &str) -> bool {
    !name.starts_with('.') && !name.ends_with(".gz") && !name.ends_with(".br")
}

fn a_bucket_is_whole_at_every_step(script: String) {
    let mut copying = Copying::new(script);
    // Into an empty bucket; then with a publish in the middle of every step.
    copying.publish();
    copying.run(|copying| {
        let another = Command::new("flock").arg("-n").arg(copying.www.dir()).arg("true").status().unwrap();
        assert!(!another.success(), "two copies at a time could leave an older manifest");
    });
    assert_eq!(copying.read, copying.published);
    copying.publish();
    for _ in 0..3 {
        let begun = copying.published;
        let mut steps = 0;
        copying.run(|copying| {
            // The first few suffice: as many files as there are would be more at every turn.
            steps += 1;
            if steps <= 4 {
                copying.publish();
            }
        });
        assert_eq!(copying.read, begun, "what was current when the copy began");
        let plain = fs::read(copying.bucket().join("performance.json")).unwrap();
        assert_eq!(round_of(&plain), begun);
    }
    // What is collected in the directory goes from the bucket too, last.
    copying.publish();
    copying.collect_garbage();
    let steps = copying.run(|_| {});
    let first_deleted = steps.iter().position(|step| step.starts_with("deleted")).unwrap();
    assert!(steps[first_deleted..].iter().all(|step| step.starts_with("deleted")), "{steps:#?}");
    // Another time, with nothing new: the bucket has what the directory has.
    copying.run(|_| {});
    for dir in ["objects", "history", ""] {
        let of = |feed: PathBuf| names(&feed.join(dir), is_copied);
        assert_eq!(of(copying.bucket()), of(copying.www.dir()), "{dir}");
    }
    for name in names(&copying.bucket(), |name| name.contains('.')) {
        assert!(fs::read(copying.bucket().join(&name)).unwrap() == copying.www.read(&name), "{name} is an old one");
    }
    assert_eq!(copying.read, copying.published);
    assert_eq!(fs::read_to_string(copying.bucket().join("performance.json")).unwrap(), payload(copying.published));
}

fn sync() -> String {
    example("docs/operations.md", "sync")
}

#[test]
fn with_aws() {
    a_bucket_is_whole_at_every_step(sync());
}

#[test]
fn with_rclone() {
    let commands = example("docs/operations.md", "sync-rclone");
    let script = sync();
    let (before, _) = script.split_once("# Objects never change").unwrap();
    a_bucket_is_whole_at_every_step(format!("{before}{commands}"));
}

#[test]
fn what_is_uploaded_says_how_it_may_be_cached() {
    let mut copying = Copying::new(sync());
    copying.publish();
    let steps = copying.run(|_| {});
    let object = objects(&copying.www.read("manifest.json")).pop_first().unwrap();
    for (name, caching) in [
        (object.as_str(), "public, max-age=31536000, immutable"),
        ("1.json", "no-cache"),
        ("manifest.json", "no-cache"),
        ("performance.json", "no-cache"),
        ("last_update.txt", "no-cache"),
    ] {
        assert!(steps.contains(&format!("copied {name} {caching}")), "{name}: {steps:#?}");
    }
    assert!(!steps.iter().any(|step| step.contains("lock") || step.contains(".gz")), "{steps:#?}");
}
