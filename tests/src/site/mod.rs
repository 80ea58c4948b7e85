//! A website with a feed on a real server, as a visitor meets it.

#![allow(clippy::disallowed_methods, reason = "the tests make and break files on purpose")]

mod faulty;
mod nginx;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use lastgood::{Feed, Item, Publication};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::time::Timestamp;

pub use faulty::{Fault, Lastgood};
pub use nginx::Nginx;

/// A site at an address of its own, which to a browser is an origin of its own: nothing is shared between two.
pub struct Site<H: Host = Lastgood> {
    dir: tempfile::TempDir,
    url: String,
    host: H,
    /// What was ever published, by digest.
    published: Mutex<BTreeMap<String, serde_json::Value>>,
}

/// What a [`Site`] is served by.
pub trait Host {
    /// Serves `site/` of a directory at `/` and `data/` at `/data/`.
    fn start(dir: &Path) -> Self;
    /// Address and port.
    fn address(&self) -> String;
    /// The requests since the last call, as `METHOD path status`.
    fn requests(&self) -> Vec<String>;
    /// Its clock, by which the feed is published too.
    fn clock(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        SystemTime::now
    }
    /// Stops it.
    fn stop(&mut self);
    /// Starts it again at the same address.
    fn restart(&mut self);
}

impl Site {
    /// Starts a site with an empty page, the packed npm package at `/lastgood/` and a feed at `/data/`.
    #[must_use]
    pub fn start() -> Self {
        Self::start_on()
    }

    /// Starts such a site at an address that is no secure context to browsers: plain HTTP, and not of this device.
    #[must_use]
    pub fn insecure() -> Self {
        Self::serve(page(), |dir| Lastgood::start_at(dir, outside()))
    }

    /// Starts a site with the dashboard, as it has been built, and a feed at `/data/`.
    #[must_use]
    pub fn dashboard() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        copy(&built("WWW", "www/dist"), &dir.path().join("site"));
        Self::serve(dir, Lastgood::start)
    }

    /// Starts a site with the files of a directory, as they are now and will be, and a feed at `/data/`.
    #[must_use]
    pub fn of(www: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        symlink(www, dir.path().join("site")).expect("a link can be made");
        Self::serve(dir, Lastgood::start)
    }

    /// Sets the clock of the server and the publisher so many milliseconds ahead of the visitor's.
    pub fn set_clock(&self, ahead_ms: i64) {
        self.host.set_clock(ahead_ms);
    }

    /// From now on answers to paths that end in `suffix` are faulty.
    pub fn fail(&self, suffix: &str, fault: Fault) {
        self.host.fail(suffix, fault);
    }

    /// From now on all answers are right.
    pub fn heal(&self) {
        self.host.heal();
    }
}

impl<H: Host> Site<H> {
    /// Starts a site like [`Site::start`] on another server.
    #[must_use]
    pub fn start_on() -> Self {
        Self::serve(page(), H::start)
    }

    fn serve(dir: tempfile::TempDir, start: impl FnOnce(&Path) -> H) -> Self {
        fs::create_dir(dir.path().join("data")).expect("the feed's directory can be made");
        // The web server is another user.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("its mode can be set");
        let host = start(dir.path());
        Self { url: format!("http://{}/", host.address()), dir, host, published: Mutex::default() }
    }

    /// The address of the page, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The directory of the site's own files.
    #[must_use]
    pub fn www(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    /// The directory of the feed.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The feed, for publishing.
    #[must_use]
    pub fn feed(&self) -> Feed {
        let clock = self.host.clock();
        Feed::open(self.data()).with_clock(move || timestamp(clock()))
    }

    /// The time by the clock of the server and the publisher.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        timestamp(self.host.clock()())
    }

    /// Publishes datasets in one generation.
    pub fn publish(&self, datasets: &[(&str, &str)]) -> Publication {
        let mut published = self.published.lock().expect("no test panics while publishing");
        for (_, json) in datasets {
            let value = serde_json::from_str(json).expect("the tests publish JSON");
            published.insert(Sha256::of(json.as_bytes()).to_string(), value);
        }
        let items = datasets.iter().map(|(name, json)| Item::new(dataset(name), json.as_bytes())).collect();
        self.feed().publish(items).expect("the tests' own data can be published")
    }

    /// The value that was published with this digest.
    #[must_use]
    pub fn published(&self, sha256: &str) -> Option<serde_json::Value> {
        self.published.lock().expect("no test panics while publishing").get(sha256).cloned()
    }

    /// The requests to the feed since the last call, as `METHOD path status`, sorted.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let mut requests = self.host.requests();
        requests.retain(|request| request.contains(" /data/"));
        requests.sort();
        requests
    }

    /// Stops the server. The files stay.
    pub fn stop(&mut self) {
        self.host.stop();
    }

    /// Starts the server again at the same address.
    pub fn restart(&mut self) {
        self.host.restart();
    }
}

/// A dataset name that a test has written down.
#[must_use]
pub fn dataset(name: &str) -> DatasetName {
    DatasetName::parse(name).expect("the tests use valid names")
}

const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"lastgood": "/lastgood/lastgood.js"}}</script></head>
<body></body></html>
"#;

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).expect("no test is about times before 1970");
    Timestamp::from_ms(i64::try_from(since.as_millis()).expect("nor about those after the year 292 million"))
}

/// An empty page and the packed npm package.
fn page() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let www = dir.path().join("site");
    copy(&package(), &www.join("lastgood"));
    fs::write(www.join("index.html"), PAGE).expect("the page can be written");
    dir
}

/// This machine's address in its network: what it would send from. Nothing is sent.
fn outside() -> IpAddr {
    let address = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    });
    address.expect("this machine has an address other than 127.0.0.1, which no network at all would explain")
}

/// The files of the packed npm package.
#[must_use]
pub fn package() -> PathBuf {
    built("PACKAGE", "target/npm/package")
}

/// The packed npm package, as it would be published.
#[must_use]
pub fn tarball() -> PathBuf {
    built("TARBALL", concat!("target/npm/lastgood-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// Where `cargo xtask test` says that something has been built, or else where it builds it.
fn built(what: &str, path: &str) -> PathBuf {
    std::env::var_os(format!("LASTGOOD_TEST_{what}")).map_or_else(|| workspace().join(path), PathBuf::from)
}

/// Copies a directory and what is in it.
fn copy(from: &Path, to: &Path) {
    let entries =
        fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` builds it", from.display()));
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in entries {
        let entry = entry.expect("the directory can be listed");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}

/// The root of this repository.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in the workspace").to_owned()
}
