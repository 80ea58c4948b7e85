//! A feed to be tested on any storage, and what is in it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::str::FromStr;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood::protocol::manifest::{Entry, Generation, Manifest};
use lastgood::protocol::name::{DatasetName, Ext};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::{Kind, MemoryStorage, Modes, PosixStorage, StagedFile, Staging, Storage};
use lastgood::{Compression, Error, Feed, Item, ProblemKind, Publication, Purge, Schema, Settings};
use tempfile::TempDir;

use crate::moment;

/// A place for a feed.
pub(crate) struct Site<S> {
    pub(crate) storage: S,
    pub(crate) dir: Option<TempDir>,
}

pub(crate) fn memory() -> Site<MemoryStorage> {
    Site { storage: MemoryStorage::new(), dir: None }
}

pub(crate) fn posix() -> Site<PosixStorage> {
    let dir = TempDir::new().unwrap();
    Site { storage: PosixStorage::new(dir.path(), Modes::default()), dir: Some(dir) }
}

/// What is published under which name.
pub(crate) type Payloads = BTreeMap<&'static str, String>;

/// One publish: datasets with the rounds that their payloads are of.
pub(crate) type Round<'a> = &'a [(&'static str, u32)];

/// Rounds from here on are artifacts.
pub(crate) const ARTIFACT: u32 = 100;
/// Rounds from here on are published without plain copies: the payload of round `BARE + 2` is that of round 2.
pub(crate) const BARE: u32 = 200;
/// Rounds from here on have a schema, which is the same for all datasets: the payload of round `SCHEMA + 2` is that of round 2.
pub(crate) const SCHEMA: u32 = 400;
/// Rounds from here on have a single row: the payload of round `SMALL + 2` is that of round 2, too small for siblings.
pub(crate) const SMALL: u32 = 800;

fn ext(round: u32) -> Ext {
    if (ARTIFACT..BARE).contains(&round) { Ext::parse("csv").unwrap() } else { Ext::json() }
}

/// Large enough to get siblings.
pub(crate) fn payload(dataset: &str, round: u32) -> String {
    let rows = if round < SMALL { 40 } else { 1 };
    let round = round % BARE;
    format!("[{}]", vec![format!(r#"{{"dataset":"{dataset}","round":{round}}}"#); rows].join(","))
}

fn schema(round: u32) -> Schema {
    let json = format!(r#"{{"title":"{round}","items":{{"required":["dataset"]}}}}"#);
    Schema { version: round, json: json.into() }
}

pub(crate) fn name(dataset: &str) -> DatasetName {
    DatasetName::parse(dataset).unwrap()
}

pub(crate) fn publish<S: Storage>(storage: S, round: Round<'_>) -> Result<Publication, Error> {
    let items = round.iter().map(|&(dataset, round)| {
        let item = Item::new(name(dataset), std::io::Cursor::new(payload(dataset, round)));
        let item = item.meta(format!("{{\"round\":{round}}}")).artifact(ext(round));
        if (SCHEMA..SMALL).contains(&round) { item.schema(schema(round)) } else { item }
    });
    let plain_copies = round.iter().all(|&(_, round)| !(BARE..SCHEMA).contains(&round));
    feed(storage, plain_copies).publish(items.collect())
}

pub(crate) fn feed<S: Storage>(storage: S, plain_copies: bool) -> Feed<S> {
    feed_with(storage, Settings { plain_copies, ..Settings::default() })
}

/// With these settings but for what makes tests quick.
pub(crate) fn feed_with<S: Storage>(storage: S, settings: Settings) -> Feed<S> {
    // One sibling each: enough to take part.
    let compression = Compression { brotli: None, ..Compression::default() };
    let lock_wait = std::time::Duration::ZERO;
    let feed = Feed::on(storage).with_settings(Settings { compression, lock_wait, ..settings });
    feed.with_clock(|| Timestamp::from_ms(moment::now())).with_random(|| Ok(moment::random()))
}

/// Every published file and its bytes.
pub(crate) fn files(storage: &impl Storage) -> BTreeMap<FeedPath, Vec<u8>> {
    let mut paths = in_root(storage);
    paths.extend(
        storage.list(Dir::History).unwrap().iter().map(|name| layout::history(layout::parse_history(name).unwrap())),
    );
    paths.extend(storage.list(Dir::Objects).unwrap().iter().map(|name| object_path(name)));
    let read = |path: FeedPath| Some((path.clone(), storage.read(&path, u64::MAX - 1).unwrap()?));
    paths.into_iter().filter_map(read).collect()
}

/// All that these tests publish.
const DATASETS: [&str; 3] = ["a", "b", "c"];

/// Every file beside the feed's directories.
fn in_root(storage: &impl Storage) -> Vec<FeedPath> {
    let mut known = vec![layout::manifest(), layout::last_update(), layout::lock()];
    for dataset in DATASETS.map(name) {
        known.push(layout::dataset_lock(&dataset));
        for ext in [0, ARTIFACT].map(ext) {
            known.extend([layout::plain_copy(&dataset, &ext), layout::backup(&dataset, &ext)]);
            known.extend(Encoding::ALL.map(|encoding| layout::copy_sibling(&dataset, &ext, encoding)));
        }
    }
    let mut names = storage.list(Dir::Root).unwrap();
    names.retain(|name| ![layout::OBJECTS_DIR, layout::HISTORY_DIR].contains(&name.as_str()));
    known.retain(|path| names.iter().any(|name| name == path.as_str()));
    assert_eq!(known.len(), names.len(), "there is a file that nothing accounts for: {names:?}");
    known
}

fn object_path(name: &str) -> FeedPath {
    let mut parts = name.split('.');
    let mut part = || parts.next();
    let (sha256, ext) = (Sha256::from_str(part().unwrap()).unwrap(), Ext::parse(part().unwrap()).unwrap());
    match part() {
        None => layout::object(&sha256, &ext),
        Some("gz") => layout::sibling(&sha256, &ext, Encoding::Gzip),
        Some("br") => layout::sibling(&sha256, &ext, Encoding::Brotli),
        Some(other) => panic!("{other} in objects"),
    }
}

/// Puts a file there, as somebody else would.
pub(crate) fn write(storage: &impl Storage, path: &FeedPath, bytes: &[u8]) {
    let staging = storage.stage().unwrap();
    let mut file = staging.create(Kind::Published).unwrap();
    file.write_all(bytes).unwrap();
    storage.place(file.finish().unwrap(), path).unwrap();
}

/// Leaves an object that nothing names.
pub(crate) fn plant(storage: &impl Storage, payload: &[u8]) -> FeedPath {
    let path = layout::object(&Sha256::of(payload), &Ext::json());
    write(storage, &path, payload);
    path
}

/// The published manifest, which is whole at every instant (I2); `None` when there is none yet.
pub(crate) fn manifest(storage: &impl Storage) -> Option<Manifest> {
    let bytes = storage.read(&layout::manifest(), u64::MAX - 1).unwrap()?;
    Some(Manifest::verify(&bytes).expect("the manifest is whole"))
}

impl<S: Storage + Clone> Site<S> {
    pub(crate) fn feed(&self) -> Feed<S> {
        Feed::on(self.storage.clone())
    }

    pub(crate) fn generation(&self) -> u64 {
        manifest(&self.storage).map_or(0, |manifest| manifest.generation.get())
    }

    /// Expects that readers get exactly `payloads`, whatever else is amiss: everything that the manifest names is there
    /// and intact (I1), only derived files may be behind it.
    pub(crate) fn expect_readable(&self, payloads: &Payloads, context: &str) {
        let Some(manifest) = manifest(&self.storage) else {
            assert!(payloads.is_empty(), "{context}: nothing is published");
            return;
        };
        assert!(
            manifest.datasets.keys().map(DatasetName::as_str).eq(payloads.keys().copied()),
            "{context}: other datasets"
        );
        for (dataset, payload) in payloads {
            let reading = self.feed().read(&name(dataset)).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(reading.value == payload.as_bytes(), "{context}: {dataset} is not what was published");
            let path = layout::object(&reading.head.sha256, &manifest.datasets[&name(dataset)].ext);
            assert_eq!(self.storage.read(&path, reading.head.size).unwrap().as_deref(), Some(payload.as_bytes()));
        }
        self.expect_no_foreign_siblings(context);
        for problem in self.feed().verify().unwrap().problems {
            let may_be = [ProblemKind::Disagrees, ProblemKind::Purged].contains(&problem.kind);
            assert!(may_be, "{context}: {} {}", problem.path, problem.kind);
        }
    }

    /// Expects that what a server sends in the place of a plain copy is whole and was published under its name.
    fn expect_no_foreign_siblings(&self, context: &str) {
        let generations = self.storage.list(Dir::History).unwrap();
        let history = generations.iter().map(|name| layout::history(layout::parse_history(name).unwrap()));
        let read = |path| self.storage.read(&path, u64::MAX - 1).unwrap();
        let manifests: Vec<Manifest> =
            history.chain([layout::manifest()]).filter_map(|path| Manifest::verify(&read(path)?).ok()).collect();
        for (path, dataset, digest) in self.siblings() {
            let published = |manifest: &Manifest| {
                let entry = manifest.datasets.get(&dataset);
                entry.is_some_and(|entry| digest == Some(entry.sha256))
            };
            assert!(manifests.iter().any(published), "{context}: {path} has what was not published: {digest:?}");
        }
    }

    /// The siblings of plain copies, and the digest of what each gives; `None` when it cannot be decompressed.
    fn siblings(&self) -> Vec<(FeedPath, DatasetName, Option<Sha256>)> {
        let names = self.storage.list(Dir::Root).unwrap();
        let parsed = names.iter().filter_map(|name| layout::parse_copy_sibling(name));
        parsed
            .map(|(dataset, ext, encoding)| {
                let path = layout::copy_sibling(&dataset, &ext, encoding);
                let bytes = self.storage.read(&path, u64::MAX - 1).unwrap().unwrap();
                (path, dataset, unpacked(encoding, &bytes).map(|payload| Sha256::of(&payload)))
            })
            .collect()
    }

    /// Expects that readers get exactly `payloads`, and that nothing but `lost` is damaged.
    pub(crate) fn expect_readable_but_for(&self, payloads: &Payloads, lost: &[FeedPath], context: &str) {
        for (dataset, payload) in payloads {
            let reading = self.feed().read(&name(dataset)).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(reading.value == payload.as_bytes(), "{context}: {dataset} is not what was published");
        }
        let problems: Vec<FeedPath> =
            self.feed().verify().unwrap().problems.into_iter().map(|problem| problem.path).collect();
        assert_eq!(problems, lost, "{context}");
    }

    /// Expects that everything is in order: derived files agree (I10), no marker and no staging is left.
    pub(crate) fn expect_clean(&self, context: &str) {
        assert_eq!(self.feed().verify().unwrap().problems, [], "{context}");
        self.expect_derived_names(context);
        self.expect_nothing_purged(context);
        let left: Vec<String> = self.storage.list(Dir::Root).unwrap();
        assert!(!left.iter().any(|name| name.ends_with("lock")), "{context}: markers are left: {left:?}");
        self.expect_no_staging(context);
    }

    /// Expects that no file has what the manifest says was purged, whatever it is called, or is called after it.
    fn expect_nothing_purged(&self, context: &str) {
        let Some(manifest) = manifest(&self.storage) else { return };
        for (path, _, digest) in self.siblings() {
            let is_purged = digest.is_some_and(|digest| manifest.purged.get(&digest).is_some());
            assert!(!is_purged, "{context}: {path}");
        }
        for (path, bytes) in files(&self.storage) {
            let purged = manifest
                .purged
                .iter()
                .find(|(sha256, _)| path.as_str().contains(&sha256.to_string()) || Sha256::of(&bytes) == *sha256);
            assert_eq!(purged, None, "{context}: {path}");
        }
    }

    /// Expects the plain copies and backups that the manifest asks for, the siblings that the objects have beside the plain copies, none
    /// of other names, and nothing that follows from a commit that is not published.
    fn expect_derived_names(&self, context: &str) {
        let Some(manifest) = manifest(&self.storage) else { return };
        let history = self.storage.list(Dir::History).unwrap();
        let last = history.iter().map(|name| layout::parse_history(name).unwrap()).max();
        assert!(last.is_none_or(|last| last <= manifest.generation), "{context}: the history has {last:?}");
        let there = in_root(&self.storage);
        for dataset in DATASETS.map(name) {
            let starts = [format!("{dataset}."), format!("{dataset}_backup.")];
            let found = starts.map(|start| there.iter().filter(|path| path.as_str().starts_with(&start)).count());
            let Some(entry) = manifest.datasets.get(&dataset) else {
                assert_eq!(found, [0, 0], "{context}: {dataset} is not published");
                continue;
            };
            let of_object = Encoding::ALL.map(|encoding| layout::sibling(&entry.sha256, &entry.ext, encoding));
            let siblings = of_object.iter().filter(|path| self.storage.info(path).unwrap().is_some()).count();
            let copies = if entry.plain_copy { 1 + siblings } else { 0 };
            assert_eq!(found[0], copies, "{context}: plain copies of {dataset} and their siblings: {there:?}");
            if let Some(had) = self.had(&manifest, &dataset, entry) {
                assert_eq!(found[1], usize::from(entry.plain_copy && had), "{context}: backups of {dataset}");
            }
        }
    }

    /// Whether the dataset had another payload before its current one, which was not purged; `None` when that is not retained.
    fn had(&self, published: &Manifest, dataset: &DatasetName, entry: &Entry) -> Option<bool> {
        let Some(before) = entry.previous else { return Some(false) };
        let bytes = self.storage.read(&layout::history(before), u64::MAX - 1).unwrap()?;
        let manifest = Manifest::verify(&bytes).unwrap();
        Some(manifest.datasets.get(dataset).is_some_and(|entry| published.purged.get(&entry.sha256).is_none()))
    }

    pub(crate) fn expect_no_staging(&self, context: &str) {
        if let Some(dir) = &self.dir {
            let left = std::fs::read_dir(dir.path().join(".lastgood/staging")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{context}: staging is left");
        }
    }
}

/// What a sibling gives; `None` when it cannot be decompressed.
pub(crate) fn unpacked(encoding: Encoding, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let read = match encoding {
        Encoding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut payload),
        Encoding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut payload),
    };
    read.ok().map(|_| payload)
}

/// `payloads` after a publish.
pub(crate) fn after(payloads: &Payloads, round: Round<'_>) -> Payloads {
    let mut payloads = payloads.clone();
    payloads.extend(round.iter().map(|&(dataset, round)| (dataset, payload(dataset, round))));
    payloads
}

/// Something that makes a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Commit {
    Publish(Round<'static>),
    Rollback {
        to: Option<u64>,
        /// What is published then.
        back: Round<'static>,
    },
    NewFeed,
    /// Of a feed that was restored.
    AcceptOlder,
    Remove(&'static [&'static str]),
    /// What a dataset had in a generation.
    Purge(&'static str, u64),
}

impl Commit {
    pub(crate) fn run<S: Storage>(self, storage: S) -> Result<Publication, Error> {
        match self {
            Commit::Publish(round) => publish(storage, round),
            Commit::Rollback { to, back } => {
                let datasets: Vec<DatasetName> = back.iter().map(|&(dataset, _)| name(dataset)).collect();
                let to = to.map(|to| Generation::new(to).unwrap());
                feed(storage, true).rollback(&datasets, to).map(|rollback| rollback.publication)
            }
            Commit::NewFeed => feed(storage, true).recover_as_new_feed().map(|(_, publication)| publication),
            Commit::AcceptOlder => feed(storage, true)
                .recover_accepting_older()
                .map(|(_, publication)| publication.expect("it is an old copy")),
            Commit::Remove(datasets) => {
                let datasets: Vec<DatasetName> = datasets.iter().map(|dataset| name(dataset)).collect();
                feed(storage, true).remove(&datasets).map(|withdrawal| withdrawal.publication)
            }
            Commit::Purge(dataset, generation) => {
                let what = Purge::Generation(Generation::new(generation).unwrap());
                feed(storage, true).purge(&name(dataset), what).map(|purged| {
                    let mut publication = purged.publication.expect("it was not purged before");
                    publication.warnings.extend(purged.removal.left);
                    publication
                })
            }
        }
    }

    /// `payloads` after it.
    pub(crate) fn after(self, payloads: &Payloads) -> Payloads {
        match self {
            Commit::Publish(round) | Commit::Rollback { back: round, .. } => after(payloads, round),
            Commit::NewFeed | Commit::AcceptOlder | Commit::Purge(..) => payloads.clone(),
            Commit::Remove(datasets) => {
                let mut payloads = payloads.clone();
                payloads.retain(|dataset, _| !datasets.contains(dataset));
                payloads
            }
        }
    }
}

/// What is published before the commit that is disturbed, and that commit.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) before: &'static [Round<'static>],
    pub(crate) disturbed: Commit,
}

pub(crate) const SCENARIOS: [Scenario; 19] = [
    Scenario { name: "the first publish", before: &[], disturbed: Commit::Publish(&[("a", 1), ("b", 1)]) },
    Scenario {
        name: "a publish that changes two and adds one",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)]],
        disturbed: Commit::Publish(&[("a", 3), ("b", 3), ("c", 3)]),
    },
    Scenario {
        name: "a publish that changes nothing",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)]],
        disturbed: Commit::Publish(&[("a", 2), ("b", 1)]),
    },
    Scenario {
        name: "a publish that goes back to an earlier payload",
        before: &[&[("a", 1)], &[("a", 2)]],
        disturbed: Commit::Publish(&[("a", 1)]),
    },
    Scenario {
        name: "a publish that changes the extension",
        before: &[&[("a", 1)], &[("a", ARTIFACT)]],
        disturbed: Commit::Publish(&[("a", 2)]),
    },
    Scenario {
        name: "a publish that takes the plain copies away",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)]],
        disturbed: Commit::Publish(&[("a", BARE + 2)]),
    },
    Scenario {
        name: "a publish that brings the plain copies back with the same payload",
        before: &[&[("a", 1), ("b", 1)], &[("a", BARE + 2)]],
        disturbed: Commit::Publish(&[("a", 2)]),
    },
    Scenario {
        name: "a publish that brings the plain copies back with another payload",
        before: &[&[("a", 1), ("b", 1)], &[("a", BARE + 2)]],
        disturbed: Commit::Publish(&[("a", 3)]),
    },
    Scenario {
        name: "a publish that leaves nothing to be compressed",
        before: &[&[("a", 1), ("b", SMALL + 1)]],
        disturbed: Commit::Publish(&[("a", SMALL + 2), ("b", 2)]),
    },
    Scenario {
        name: "the first publish with one schema for two",
        before: &[],
        disturbed: Commit::Publish(&[("a", SCHEMA + 1), ("b", SCHEMA + 1)]),
    },
    Scenario {
        name: "a publish that changes the schema of one and gives one to another",
        before: &[&[("a", SCHEMA + 1), ("b", 1)]],
        disturbed: Commit::Publish(&[("a", SCHEMA + 2), ("b", SCHEMA + 1)]),
    },
    Scenario {
        name: "a rollback to a payload with a schema, which nothing names any more",
        before: &[&[("a", SCHEMA + 1)], &[("a", 2)]],
        disturbed: Commit::Rollback { to: None, back: &[("a", SCHEMA + 1)] },
    },
    Scenario {
        name: "a rollback of two to the payloads before",
        before: &[&[("a", 1), ("b", ARTIFACT)], &[("a", 2)], &[("b", 2)], &[("a", 3)]],
        disturbed: Commit::Rollback { to: None, back: &[("a", 2), ("b", ARTIFACT)] },
    },
    Scenario {
        name: "a rollback to a generation, of one that changes and one that does not",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)], &[("a", 3)]],
        disturbed: Commit::Rollback { to: Some(1), back: &[("a", 1), ("b", 1)] },
    },
    Scenario {
        name: "a removal of one of two",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)]],
        disturbed: Commit::Remove(&["a"]),
    },
    Scenario {
        name: "a removal of all, one of them without plain copies and one with a backup of another extension",
        before: &[&[("a", ARTIFACT)], &[("a", 2)], &[("b", BARE + 1)]],
        disturbed: Commit::Remove(&["a", "b"]),
    },
    Scenario {
        name: "a purge of a payload that is also the backup",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)]],
        disturbed: Commit::Purge("a", 1),
    },
    Scenario {
        name: "a purge of an earlier payload",
        before: &[&[("a", ARTIFACT)], &[("a", 2)], &[("a", 3)]],
        disturbed: Commit::Purge("a", 1),
    },
    Scenario { name: "a new identity", before: &[&[("a", 1), ("b", 1)], &[("a", 2)]], disturbed: Commit::NewFeed },
];

impl Scenario {
    /// Publishes what comes before, and returns what is then published.
    pub(crate) fn prepare<S: Storage + Clone>(&self, site: &Site<S>) -> Payloads {
        // So that the comparison afterwards is about files alone.
        site.storage.create().unwrap();
        self.before.iter().fold(Payloads::new(), |payloads, round| {
            publish(site.storage.clone(), round).unwrap();
            after(&payloads, round)
        })
    }
}
