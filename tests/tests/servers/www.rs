//! A site and a feed beside it, as the documentation lays them out, and a server for both.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;

use lastgood_tests::TestFeed;
use lastgood_tests::server::{Server, Software};
use serde_json::{Value, json};

/// The page of the single-page app, which must never stand for a file of the feed.
pub(crate) const APP: &str = "<!doctype html><title>the app</title>";
/// A file beside the two directories that are served.
pub(crate) const SECRET: &str = "nobody is to see this";
/// The name of an object that is not there, without its extension.
pub(crate) const MISSING: &str = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

/// What is served.
pub(crate) struct Www(TestFeed);

impl Www {
    pub(crate) fn new() -> Self {
        let www = Self(TestFeed::new());
        // The web server is another user.
        fs::set_permissions(www.root(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(www.root().join("site")).unwrap();
        www.input("site/index.html", APP);
        www.input("site/module.wasm", b"\0asm\x01\0\0\0");
        www.input("secret.json", SECRET);
        www.publish("performance", payload(1));
        www.publish("performance", payload(2));
        www
    }

    /// Puts a file into the feed by hand.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// The path of the current object of `performance`, relative to the feed.
    pub(crate) fn object(&self) -> String {
        self.object_of("performance")
    }

    /// The path of the current object of a dataset, relative to the feed.
    pub(crate) fn object_of(&self, dataset: &str) -> String {
        let entry = &self.manifest()["datasets"][dataset];
        let ext = entry["ext"].as_str().unwrap_or("json");
        format!("objects/{}.{ext}", entry["sha256"].as_str().unwrap())
    }

    pub(crate) fn serve(&self, software: Software) -> Server {
        Server::start(software, self.root())
    }

    /// Publishes a generation whose manifest has the size and the time of modification of the present one.
    pub(crate) fn publish_alike(&self) {
        let modified = || fs::metadata(self.path("manifest.json")).unwrap();
        let before = modified();
        self.publish("performance", payload(3));
        let manifest = fs::File::options().write(true).open(self.path("manifest.json")).unwrap();
        manifest.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(modified().len(), before.len(), "generations 2 and 3 have manifests of one size");
    }
}

impl Deref for Www {
    type Target = TestFeed;

    fn deref(&self) -> &TestFeed {
        &self.0
    }
}

/// A payload large enough to have compressed siblings; all are of one size.
pub(crate) fn payload(round: u8) -> String {
    Value::Array((0..500).map(|row| json!({"row": row, "round": round})).collect()).to_string()
}
