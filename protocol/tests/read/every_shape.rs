//! What is published, wanted and cached may have any shape: what must hold of every read of one dataset.
//!
//! As in [`every_answer`](crate::every_answer), with other choices: the kind and the versions that the page wants, whether it
//! validates and how old a copy it takes; what schemas say and what becomes of fetching them. The judgement knows only what
//! was answered, wanted and published.

use std::collections::{BTreeMap, BTreeSet};

use lastgood_protocol::cache::CacheHead;
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::manifest::Entry;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Check, Document, Kind, Known, LockPolicy, ManifestAnswer, Objection, Outcome, Payload, Plan, Request, SchemaObject,
    SchemaRequest, Shape, Source, VerifiedManifest, Wanted,
};
use lastgood_protocol::time::Timestamp;

use crate::choices::Choices;
use crate::common::{self, Host, drive, name};
use crate::publisher::{Publisher, published_at};

const DATASET: &str = "a";
/// What the server may have: a schema in versions 2, 2 (another text), 3; none; an artifact.
const SERVED: [u64; 5] = [2, 3, 4, 5, 6];
const FORGED: &str = "[9]";
const MAX_AGE_MS: u64 = 60_000;

struct World {
    publisher: Publisher,
    manifests: BTreeMap<u64, VerifiedManifest>,
    marker: Vec<u8>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let mut publisher = Publisher::new(1);
        publisher.publish(&[(DATASET, "[1]")]).with_schema(DATASET, 1, "1");
        publisher.publish(&[(DATASET, "[2]")]).with_schema(DATASET, 2, "2");
        publisher.publish(&[(DATASET, "[2]")]).with_schema(DATASET, 2, "3");
        publisher.publish(&[(DATASET, "[4]")]).with_schema(DATASET, 3, "4");
        publisher.publish(&[(DATASET, "[2]")]);
        publisher.publish(&[(DATASET, "[2]")]).as_artifact(DATASET, "png");
        let manifests = SERVED
            .map(|number| (number, publisher.manifest(number).encode()))
            .map(|(number, bytes)| (number, VerifiedManifest::verify(&bytes).unwrap()))
            .into();
        let now = published_at(100);
        let holder = Holder { host: "h".to_owned(), pid: 1, token: "t".to_owned() };
        let datasets = vec![name(DATASET)];
        let marker = LockMarker { format: 1, holder, datasets, acquired_at: now, expires_at: now.plus_ms(60_000) };
        Self { publisher, manifests, marker: marker.encode(), now }
    }

    fn entry(&self, generation: u64) -> &Entry {
        self.publisher.entry(generation, DATASET)
    }

    fn text(&self, generation: u64) -> &'static str {
        if generation == 1 {
            "[1]"
        } else if generation == 4 {
            "[4]"
        } else {
            "[2]"
        }
    }
}

/// What the page makes of the dataset, told apart from the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Page {
    artifact: bool,
    validates: bool,
    versions: Option<(u32, u32)>,
}

impl Page {
    /// Why it cannot use what was published so, if it cannot.
    fn objects(self, ext: &str, version: Option<u32>) -> Option<Code> {
        match (self.versions, version) {
            _ if self.artifact != (ext != "json") => Some(Code::WrongKind),
            (Some(_), None) => Some(Code::SchemaMissing),
            (Some((_, newest)), Some(version)) if version > newest => Some(Code::SchemaNewer),
            (Some((oldest, _)), Some(version)) if version < oldest => Some(Code::SchemaOlder),
            _ => None,
        }
    }
}

struct Run<'a> {
    world: &'a World,
    choices: &'a mut Choices,
    page: Page,
    plan: Plan,
    /// The head and the text of the copy, and whether the text is what the head says.
    copy: Option<(CacheHead, &'static str)>,
    untampered: bool,
    named: Option<u64>,
    /// Which of [`SERVED`] was answered last; none of them when offline.
    last: Option<usize>,
    held: bool,
    gone: bool,
    manifests_asked: usize,
    /// What went wrong in the last round, for good.
    failures: Vec<Code>,
    mendable: bool,
    /// The objects that arrived, and the pairs of a value and a schema that were found valid.
    arrived: BTreeSet<Sha256>,
    valid: BTreeSet<(String, Sha256)>,
    waits: usize,
}

impl<'a> Run<'a> {
    fn new(world: &'a World, choices: &'a mut Choices) -> Self {
        let versions = [None, Some((2, 2)), Some((1, 2))];
        let page = match choices.choose(7) {
            0 => Page { artifact: true, validates: false, versions: None },
            choice => Page { artifact: false, validates: choice % 2 == 0, versions: versions[(choice - 1) / 2] },
        };
        let kind = if page.artifact {
            Kind::Artifact
        } else {
            let versions = page.versions.map(|(oldest, newest)| oldest..=newest);
            Kind::Json(Shape { validate: page.validates, versions, own: false })
        };
        // One of them at a time: locks are combined with everything else elsewhere.
        let (lock, max_age_ms, confirmed_ms) = [
            (LockPolicy::Ignore, None, -3_600_000),
            (LockPolicy::Ignore, Some(MAX_AGE_MS), -60_000),
            (LockPolicy::Cache, Some(MAX_AGE_MS), -60_001),
            (LockPolicy::Ignore, Some(MAX_AGE_MS), 1),
            (LockPolicy::Cache, None, -3_600_000),
        ][choices.choose(5)];
        let copy = |generation: u64, validated: bool, text| {
            let entry = world.entry(generation);
            let satisfies = entry.schema.as_ref().filter(|_| validated).map(|schema| schema.sha256);
            let checked_at = world.now.plus_ms(confirmed_ms);
            let head = CacheHead::of(world.publisher.manifest(generation), entry, satisfies, checked_at);
            Some((head, text))
        };
        let copy = match choices.choose(7) {
            0 => None,
            1 => copy(1, true, world.text(1)),
            2 => copy(2, true, world.text(2)),
            3 => copy(2, false, world.text(2)),
            4 => copy(2, true, FORGED),
            5 => copy(5, false, world.text(5)),
            _ => copy(6, false, world.text(6)),
        };
        let again = copy.is_some() && choices.choose(2) == 1;
        let datasets = vec![Wanted { dataset: name(DATASET), kind }];
        Self {
            world,
            choices,
            page,
            plan: Plan { datasets, lock, lock_wait_ms: 100, max_bytes: 1 << 20, max_age_ms, again },
            untampered: copy.as_ref().is_some_and(|(_, text)| *text != FORGED),
            copy,
            named: None,
            last: None,
            held: false,
            gone: false,
            manifests_asked: 0,
            failures: Vec::new(),
            mendable: false,
            arrived: BTreeSet::new(),
            valid: BTreeSet::new(),
            waits: 0,
        }
    }

    fn entry(&self) -> &'a Entry {
        self.world.entry(self.named.expect("asked for after a manifest"))
    }

    /// Whether the copy can be handed out but for its age.
    fn has_copy(&self) -> bool {
        self.untampered
            && self.copy.as_ref().is_some_and(|(head, _)| {
                let version = head.schema.as_ref().map(|schema| schema.version);
                let trusted = !self.page.validates || head.validated || version.is_none();
                self.page.objects(head.ext.as_str(), version).is_none() && trusted
            })
    }

    fn copy_is_too_old(&self) -> bool {
        // Confirmed at most that long ago, and not in the future.
        let fits = |head: &CacheHead| {
            let since = self.world.now.ms_since(head.checked_at);
            since <= MAX_AGE_MS && head.checked_at <= self.world.now
        };
        self.plan.max_age_ms.is_some() && !self.copy.as_ref().is_some_and(|(head, _)| fits(head))
    }

    /// Whether the value is known to satisfy the schema of the entry that the last manifest has.
    fn is_valid(&self, value: &str) -> bool {
        let Some(schema) = &self.entry().schema else { return true };
        let before = |(head, text): &(CacheHead, &str)| *text == value && head.satisfies() == Some(schema.sha256);
        self.valid.contains(&(value.to_owned(), schema.sha256))
            || self.untampered && self.copy.as_ref().is_some_and(before)
    }

    /// What becomes of an object.
    fn object(&mut self, request: &Request, sha256: Sha256) -> Result<bool, Failure> {
        let entry = self.entry();
        assert_eq!(self.page.objects(entry.ext.as_str(), entry.schema.as_ref().map(|schema| schema.version)), None);
        assert!(!self.arrived.contains(&sha256), "{} has arrived already", request.path);
        let first = request.caching == lastgood_protocol::read::Caching::Allow;
        match self.choices.choose(4) {
            0 => {
                self.arrived.insert(sha256);
                Ok(true)
            }
            1 => {
                if first {
                    self.mendable = true
                } else {
                    self.failures.push(Code::ChecksumMismatch)
                }
                Ok(false)
            }
            2 => {
                let reread = self.manifests_asked > 1 && self.gone;
                if reread {
                    self.failures.push(Code::Http)
                } else {
                    self.mendable = true
                }
                self.gone = true;
                Err(Failure::http(request.path.as_str(), 404))
            }
            _ => {
                self.failures.push(Code::Timeout);
                Err(Failure::new(Code::Timeout, "silence"))
            }
        }
    }

    fn judge(&self, outcome: &Outcome<String>) -> (Option<&'static str>, Option<&'static str>) {
        let (usable, too_old) = (self.has_copy(), self.copy_is_too_old());
        assert!(self.manifests_asked <= 3 && self.waits <= 1);
        let readings = match &outcome.result {
            Ok(readings) => readings,
            Err(failure) if failure.code == Code::TooOld => {
                assert!(usable && too_old);
                let [reading] = &outcome.too_old[..] else { panic!("the reading comes with the failure") };
                assert_eq!((reading.value.as_str(), reading.source), (self.copy.as_ref().unwrap().1, Source::Fallback));
                assert!(self.failures.contains(&reading.reason.as_ref().unwrap().code));
                return (Some("too-old"), None);
            }
            Err(failure) => {
                assert!(!usable, "no failure while there is something to show: {failure:?}");
                assert!(self.failures.contains(&failure.code), "{failure:?}, but {:?} failed", self.failures);
                assert!(outcome.too_old.is_empty());
                return (Some(failure.code.as_str()), None);
            }
        };
        assert!(outcome.too_old.is_empty());
        let [reading] = &readings[..] else { panic!("one dataset, one reading") };
        let head = &reading.head;
        assert_eq!(head.sha256, Sha256::of(reading.value.as_bytes()));
        let locked = reading.reason.as_ref().is_some_and(|failure| failure.code == Code::Locked);
        match reading.reason.as_ref().filter(|_| !locked || usable && !too_old) {
            None => {
                let entry = self.entry();
                assert!(self.failures.is_empty() && !self.mendable, "fresh in spite of {:?}", self.failures);
                let version = entry.schema.as_ref().map(|schema| schema.version);
                assert_eq!(self.page.objects(entry.ext.as_str(), version), None);
                assert_eq!((entry.sha256, &entry.ext, &entry.schema), (head.sha256, &head.ext, &head.schema));
                assert!(!self.page.validates || self.is_valid(&reading.value), "handed out unvalidated");
                let proven = entry.schema.is_some() && self.is_valid(&reading.value);
                assert!(!head.validated || proven, "kept as validated");
                assert!(head.validated || !self.page.validates || entry.schema.is_none(), "kept as not validated");
                assert_eq!(locked, self.held && self.plan.lock == LockPolicy::Cache, "a lock is told");
                assert!(!self.held || self.waits == 1 || locked, "a lock is heeded");
                assert_ne!(reading.source, Source::Fallback);
            }
            Some(failure) => {
                assert!(usable && !too_old);
                let (before, text) = self.copy.as_ref().unwrap();
                assert_eq!(reading.value, *text);
                assert_eq!(*head, CacheHead { used_at: self.world.now, ..before.clone() }, "the copy as it was");
                match reading.source {
                    Source::Cache => assert!(failure.code == Code::Locked && self.held),
                    Source::Fallback => assert!(self.failures.contains(&failure.code)),
                    Source::Network => panic!("nothing from the network is handed out for a reason"),
                }
            }
        }
        (reading.reason.as_ref().map(|failure| failure.code.as_str()), Some(reading.source.as_str()))
    }
}

impl Host for Run<'_> {
    fn begin_round(&mut self) {
        self.failures.clear();
        self.mendable = false;
    }

    fn document(&mut self, request: &Request) -> Result<Document, Failure> {
        assert_eq!(request.path.as_str(), ".lock");
        assert!(!(self.plan.again && self.manifests_asked == 1), "held, and looked at again");
        self.held = self.waits == 0 && self.choices.choose(2) == 1;
        match self.held {
            true => Ok(Document { bytes: self.world.marker.clone(), server_time: Some(self.world.now) }),
            false => Err(Failure::http(".lock", 404)),
        }
    }

    fn manifest(&mut self, _: &Request) -> Result<ManifestAnswer, Failure> {
        (self.named, self.held) = (None, false);
        self.manifests_asked += 1;
        // At the first look any, later the same or the next.
        let choice = match self.last {
            None => self.choices.choose(SERVED.len() + 1),
            Some(last) => last + self.choices.choose(2),
        };
        self.last = Some(choice);
        let Some(&number) = SERVED.get(choice) else {
            self.failures.push(Code::Offline);
            return Err(Failure::new(Code::Offline, "offline"));
        };
        self.named = Some(number);
        let entry = self.world.entry(number);
        let version = entry.schema.as_ref().map(|schema| schema.version);
        self.failures.extend(self.page.objects(entry.ext.as_str(), version));
        Ok(ManifestAnswer { manifest: self.world.manifests[&number].clone(), server_time: Some(self.world.now) })
    }

    fn payload(&mut self, request: &Request) -> Result<Payload<String>, Failure> {
        if request.path.as_str() == "a.json" {
            assert!(!self.page.artifact && self.copy.is_none(), "nothing else is guessed");
            return match self.choices.choose(2) {
                0 => Err(Failure::http("a.json", 404)),
                _ => Ok(common::payload(self.world.text(2).as_bytes())),
            };
        }
        let (generation, entry) = (self.named.unwrap(), self.entry());
        assert_eq!(request.path.as_str(), format!("objects/{}.{}", entry.sha256, entry.ext));
        let text = if self.object(request, entry.sha256)? { self.world.text(generation) } else { FORGED };
        Ok(common::bytes(text.as_bytes()))
    }

    fn schema(&mut self, SchemaRequest { sha256, request }: &SchemaRequest) -> Result<SchemaObject, Failure> {
        let schema = self.entry().schema.as_ref().expect("a schema that the manifest names");
        assert!(self.page.validates && *sha256 == schema.sha256 && request.limit == schema.size);
        let found = if self.object(request, *sha256)? { schema.sha256 } else { Sha256::of(b"another") };
        Ok(SchemaObject { sha256: found, size: schema.size })
    }

    fn validate(&mut self, check: &Check<'_, String>) -> Result<(), Objection> {
        let (schema, value) = (check.schema.unwrap().sha256, check.value.clone());
        assert!(self.page.validates && self.arrived.contains(&schema), "schemas are verified first");
        assert_eq!(Sha256::of(value.as_bytes()), self.entry().sha256, "payloads are verified first");
        assert!(!self.is_valid(&value), "nothing is validated twice");
        match self.choices.choose(3) {
            0 => {
                self.valid.insert((value, schema));
                Ok(())
            }
            1 => {
                self.failures.push(Code::SchemaInvalid);
                Err(Objection::Invalid("it is not".to_owned()))
            }
            _ => {
                self.failures.push(Code::SchemaUnsupported);
                Err(Objection::Unsupported("it is not".to_owned()))
            }
        }
    }

    fn cached(&mut self, _: &DatasetName, _: Option<&CacheHead>) -> Option<Payload<String>> {
        self.copy.as_ref().map(|(_, text)| common::bytes(text.as_bytes()))
    }

    fn wait(&mut self, _: u64) {
        self.waits += 1;
    }

    fn now(&self) -> Timestamp {
        self.world.now
    }
}

#[test]
fn every_read_of_any_shape() {
    let (world, mut choices) = (World::new(), Choices::every());
    let mut endings = BTreeMap::new();
    loop {
        let mut run = Run::new(&world, &mut choices);
        let heads = vec![run.copy.as_ref().map(|(head, _)| head.clone())];
        let known = Known { heads, ..Known::default() };
        let outcome = drive(run.plan.clone(), known, &mut run);
        *endings.entry(run.judge(&outcome)).or_insert(0) += 1;
        if !choices.advance() {
            break;
        }
    }
    println!("{} reads: {endings:#?}", endings.values().sum::<usize>());
    let mut expected = BTreeSet::from([(None, Some("network")), (None, Some("cache")), (Some("too-old"), None)]);
    expected.insert((Some("locked"), Some("cache")));
    expected.insert((Some("locked"), Some("network")));
    for code in [
        Code::ChecksumMismatch,
        Code::Http,
        Code::Offline,
        Code::SchemaInvalid,
        Code::SchemaMissing,
        Code::SchemaNewer,
        Code::SchemaUnsupported,
        Code::Timeout,
        Code::WrongKind,
    ] {
        expected.extend([(Some(code.as_str()), None), (Some(code.as_str()), Some("fallback"))]);
    }
    assert_eq!(endings.keys().copied().collect::<BTreeSet<_>>(), expected);
}
