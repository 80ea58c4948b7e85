//! A bounded share of `cargo xtask soak races`, and that what it checks with finds what it is there for.

#![allow(clippy::disallowed_methods, reason = "tests damage feeds by hand")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lastgood::protocol::digest::Sha256;
use lastgood::protocol::failure::Failure;
use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Document, Known, LockPolicy, Payload, Request};
use lastgood::protocol::time::Timestamp;
use lastgood::read::{Origin, drive};
use lastgood::{Feed, Item, Publication, Retention};
use lastgood_tests::TestFeed;
use lastgood_tests::origin::HttpOrigin;
use lastgood_tests::server::{Server, Software};
use lastgood_tests::soak::ledger::{Had, Ledger, Seen, SeenDataset, Violation, moment};
use lastgood_tests::soak::payload::Id;
use lastgood_tests::soak::races;

#[test]
fn every_reading_is_one_whole_published_generation() {
    let args = races::Args { readings: 10_000, seed: None, minutes: None };
    let report = races::run(&args).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{report}");
    assert!(report.readings.iter().all(|(_, readings, _)| *readings > 0), "{report}");
    assert!(report.generations > 50, "{report}");
}

/// A feed, and what its publishers have said.
struct Told {
    feed: TestFeed,
    ledger: Ledger,
}

impl Told {
    fn new() -> Self {
        let told = Self { feed: TestFeed::new(), ledger: Ledger::default() };
        told.publish(1);
        told
    }

    fn publish(&self, round: u64) -> Publication {
        let publication = self.publish_untold(round);
        self.ledger.report(&publication).unwrap();
        publication
    }

    fn publish_untold(&self, round: u64) -> Publication {
        let item = |dataset: &str| {
            Item::new(DatasetName::parse(dataset).unwrap(), std::io::Cursor::new(id(dataset, round).payload()))
        };
        Feed::open(self.feed.dir()).publish(vec![item("small"), item("middle")]).unwrap()
    }

    /// What is wrong with a reading of someone who had generation `had` of every dataset.
    fn check(&self, had: u64, seen: Seen) -> String {
        let datasets = ["small", "middle"].map(|dataset| (dataset.to_owned(), (had, String::new()))).into();
        let mut had = Had { highest: had, datasets };
        self.ledger.check("a broken reader", &mut had, &seen).unwrap_err().0
    }
}

fn id(dataset: &str, round: u64) -> Id {
    Id { dataset: dataset.to_owned(), writer: 1, round }
}

/// A reading as it should be.
fn seen(dataset: &str, round: u64, generation: u64) -> SeenDataset {
    let id = id(dataset, round);
    let sha256 = Sha256::of(id.payload().as_bytes()).to_string();
    SeenDataset { name: dataset.to_owned(), generation, reason: None, sha256, id }
}

#[test]
fn what_is_right_is_no_violation() {
    let told = Told::new();
    told.publish(2);
    let mut had = Had::default();
    let right = Seen { began: moment(), datasets: vec![seen("small", 2, 2), seen("middle", 2, 2)] };
    told.ledger.check("a reader", &mut had, &right).unwrap();
    assert_eq!(had.highest, 2);
    // The copy of a locked dataset may be older than what this reader had of others.
    let locked = |dataset, round| SeenDataset { reason: Some("locked".to_owned()), ..seen(dataset, round, round) };
    let mut had = Had { highest: 2, ..Had::default() };
    told.ledger.check("a reader", &mut had, &Seen { began: 0, datasets: vec![locked("small", 1)] }).unwrap();
}

#[test]
fn a_snapshot_of_two_manifests_is_found() {
    let told = Told::new();
    let began = moment();
    told.publish(2);
    let datasets = vec![seen("small", 1, 1), seen("middle", 2, 2)];
    assert!(told.check(0, Seen { began, datasets }).contains("a snapshot of generations 1 and 2"));
    // Also when it hides that.
    let datasets = vec![seen("small", 1, 2), seen("middle", 2, 2)];
    assert!(told.check(0, Seen { began, datasets }).contains("generation 2, dataset small"));
    // Copies that were never current at the same time.
    let locked = |seen| SeenDataset { reason: Some("locked".to_owned()), ..seen };
    let datasets = vec![locked(seen("small", 1, 1)), locked(seen("middle", 2, 2))];
    assert!(told.check(0, Seen { began, datasets }).contains("generation 1, dataset middle"));
}

#[test]
fn a_reader_that_does_not_compare_digests_is_found() {
    let told = Told::new();
    let mut torn = id("small", 1).payload().into_bytes();
    torn.truncate(50);
    assert_eq!(Id::of(&torn), None);
    let mut mixed = id("small", 1).payload();
    mixed.replace_range(60..62, "??");
    assert_eq!(Id::of(mixed.as_bytes()), None);
    let other = SeenDataset { sha256: Sha256::of(mixed.as_bytes()).to_string(), ..seen("small", 1, 1) };
    assert!(told.check(0, Seen { began: moment(), datasets: vec![other] }).contains("not what was published"));
}

#[test]
fn a_reader_that_calls_an_old_copy_fresh_is_found() {
    let told = Told::new();
    told.publish(2);
    let stale = Seen { began: moment(), datasets: vec![seen("small", 1, 1)] };
    assert!(told.check(0, stale.clone()).contains("it says that 1 is fresh, but 2 was published before it asked"));
    let datasets = vec![SeenDataset { reason: Some("locked".to_owned()), ..seen("small", 1, 1) }];
    assert!(told.check(2, Seen { datasets, ..stale }).contains("small went back from 2 to 1"));
}

/// A publisher that writes over the manifest instead of renaming another one into its place.
#[test]
fn a_publisher_that_writes_in_place_is_found() {
    let told = Told::new();
    let manifest = told.feed.path("manifest.json");
    let before = fs::read(&manifest).unwrap();
    told.publish(2);
    let after = fs::read(&manifest).unwrap();
    let over = AtomicBool::new(false);
    let reason = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for bytes in [&before, &after] {
                    fs::write(&manifest, &bytes[..bytes.len() / 2]).unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                    fs::write(&manifest, bytes).unwrap();
                }
            }
        });
        let reader = lastgood::Reader::open(told.feed.dir());
        let name = DatasetName::parse("small").unwrap();
        let reason = loop {
            // Without a copy it has nothing to hand out.
            let Ok(reading) = reader.read(&name) else { continue };
            if let Some(reason) = reading.reason {
                break reason.code.as_str().to_owned();
            }
        };
        over.store(true, Ordering::Relaxed);
        reason
    });
    let datasets = vec![SeenDataset { reason: Some(reason.clone()), ..seen("small", 2, 2) }];
    let found = told.check(0, Seen { began: moment(), datasets });
    assert!(found.contains(&format!("not fresh, but nothing was wrong: {reason}")), "{found}");
}

/// Two publishers without a lock: both read generation 1 and publish 2, and the first one is lost.
#[test]
fn publishers_without_a_lock_are_found() {
    let told = Told::new();
    let copy = |from: &str, to: &str| fs::copy(told.feed.path(from), told.feed.path(to)).unwrap();
    copy("manifest.json", "manifest.kept");
    told.publish(2);
    copy("manifest.kept", "manifest.json");
    fs::remove_file(told.feed.path("history/2.json")).unwrap();
    // What else knows of it.
    fs::remove_dir_all(told.feed.path(".lastgood")).unwrap();
    let second = told.publish_untold(3);
    assert!(told.ledger.report(&second).unwrap_err().0.contains("given twice"));

    // Who publishes is not told: the history is.
    let told = Told::new();
    told.publish(2);
    let lost = fs::read(told.feed.path("history/1.json")).unwrap();
    told.ledger.archive(&Manifest::verify(&lost).unwrap()).unwrap();
    assert_eq!(told.ledger.finish(1), Err(Violation("generation 2 was lost: 1 is published".to_owned())));
    assert_eq!(told.ledger.finish(2), Err(Violation("generation 2 of 2 never had a manifest".to_owned())));
}

/// An origin in front of which something happens between the manifest and the payloads.
struct Meanwhile<F> {
    origin: HttpOrigin,
    happens: Option<F>,
}

impl<F: FnOnce()> Origin for Meanwhile<F> {
    type Value = Vec<u8>;

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        let document = self.origin.document(request);
        if let Some(happens) = self.happens.take() {
            happens();
        }
        document
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<Vec<u8>>, Failure> {
        self.origin.payload(request)
    }

    fn cached(&mut self, dataset: &DatasetName) -> Option<Payload<Vec<u8>>> {
        self.origin.cached(dataset)
    }

    fn wait(&mut self, ms: u64) {
        self.origin.wait(ms);
    }

    fn now(&mut self) -> Timestamp {
        self.origin.now()
    }
}

/// Garbage collection that has no regard for readers takes away what one could still ask for. The reader finds its way, but
/// it has noticed.
#[test]
fn a_collection_without_grace_is_found() {
    let told = Told::new();
    fs::create_dir(told.feed.root().join("site")).unwrap();
    fs::set_permissions(told.feed.root(), Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(Software::Lastgood, told.feed.root());
    let read = |round: u64, collects: bool| {
        let happens = || {
            told.publish(round);
            told.publish(round + 1);
            if collects {
                let all = Retention { keep: 1, grace: Duration::ZERO };
                Feed::open(told.feed.dir()).gc(&all).unwrap();
            }
        };
        let mut origin = Meanwhile { origin: HttpOrigin::new(&server.feed()), happens: Some(happens) };
        let plan = HttpOrigin::plan(&[DatasetName::parse("small").unwrap()], LockPolicy::Ignore);
        drive(&mut origin, plan, Known::default()).result.unwrap();
        origin.origin.missing_objects()
    };
    assert_eq!(read(2, false), 0);
    assert_eq!(read(4, true), 1);
}
