//! Every call of the system fails, one after the other, in every way: the operation says truly what it has done (I4),
//! leaves nothing behind, and the next one works.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lastgood::{Committed, Error};

use crate::disk::Disk;
use crate::expected::{Amiss, Expected, Task};
use crate::explore::{cut, walk};
use crate::machine::{Machine, Model, Oracle};
use crate::plan::{Call, Effect, Fault, Faults, Lasts, Plan};
use crate::scenarios::{Act, FEED, Scenario, Scene, on};
use crate::site;

/// What was tried, and what came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    pub(crate) scenarios: usize,
    /// The calls of the operations when nothing fails.
    pub(crate) calls: usize,
    pub(crate) faults: usize,
    /// Operations that succeeded all the same.
    pub(crate) done: usize,
    pub(crate) not_committed: usize,
    pub(crate) unknown: usize,
    /// What power cuts left after a failed sync.
    pub(crate) cuts: u64,
}

impl std::ops::AddAssign for Tried {
    fn add_assign(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.calls += other.calls;
        self.faults += other.faults;
        self.done += other.done;
        self.not_committed += other.not_committed;
        self.unknown += other.unknown;
        self.cuts += other.cuts;
    }
}

/// EIO, ENOSPC, EDQUOT, EROFS.
const CAUSES: [ErrorKind; 4] =
    [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem];

/// How often a call is tried again, at most.
const RETRIES: usize = 9;

/// Fails every call of an operation. With `all`, in every way, and with everything that a power cut may leave after a
/// sync that failed; otherwise in one way, which is another one for the next call.
pub(crate) fn exhaust(scenario: &Scenario, model: Model, all: bool) -> Tried {
    let scene = scenario.scene(model);
    let disk = Disk::new(scene.machine.clone());
    disk.inject(None);
    scenario.act.run(&disk).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    let calls = disk.heal().calls;
    let mut tried = Tried { scenarios: 1, calls: calls.len(), ..Tried::default() };
    for (first, call) in calls.iter().enumerate() {
        let ways = ways(call);
        for (number, &(fault, lasts)) in ways.iter().enumerate() {
            if all || number == first % ways.len() || lasts == Lasts::Calls(RETRIES) {
                tried += Trial { scenario, scene: &scene, all, plan: Plan { first, fault, lasts } }.run(call, model);
            }
        }
    }
    tried
}

/// The ways in which a call can fail. What lasts begins with a call that it concerns.
fn ways(call: &Call) -> Vec<(Fault, Lasts)> {
    let mut ways: Vec<_> = CAUSES.map(|cause| (Fault::Fails(cause), Lasts::Once)).into();
    ways.push((Fault::Fails(ErrorKind::Interrupted), Lasts::Once));
    ways.push((Fault::Fails(ErrorKind::Other), Lasts::Everything));
    if call.effect != Effect::Looks {
        ways.push((Fault::Fails(ErrorKind::Other), Lasts::Changes));
        ways.push((Fault::Fails(ErrorKind::ReadOnlyFilesystem), Lasts::Changes));
    }
    if call.effect == Effect::Takes {
        ways.push((Fault::Fails(ErrorKind::StorageFull), Lasts::Room));
        ways.push((Fault::Fails(ErrorKind::QuotaExceeded), Lasts::Room));
    }
    if ["rename", "remove", "link", "make directory", "set mode", "sync"].contains(&call.name) {
        ways.push((Fault::FailsAfterwards(ErrorKind::Other), Lasts::Once));
        ways.push((Fault::FailsAfterwards(ErrorKind::Interrupted), Lasts::Once));
    }
    // The others take half a second each as well.
    if call.name == "rename" && call.path.ends_with("manifest.json") {
        ways.push((Fault::Fails(ErrorKind::Interrupted), Lasts::Calls(RETRIES)));
        ways.push((Fault::Fails(ErrorKind::Interrupted), Lasts::Calls(RETRIES + 1)));
    }
    if call.name == "write" {
        ways.push((Fault::TakesHalf, Lasts::Once));
        ways.push((Fault::TakesHalf, Lasts::Room));
        ways.push((Fault::TakesHalfThenFails(ErrorKind::StorageFull), Lasts::Once));
        ways.push((Fault::TakesHalfThenFails(ErrorKind::StorageFull), Lasts::Room));
    }
    ways
}

/// One operation with one plan of faults.
struct Trial<'a> {
    scenario: &'a Scenario,
    scene: &'a Scene,
    all: bool,
    plan: Plan,
}

impl Trial<'_> {
    fn run(&self, call: &Call, model: Model) -> Tried {
        let Plan { first, fault, lasts } = self.plan;
        let (name, path) = (call.name, call.path.display());
        let context = format!("{}, {model:?}, call {first} ({name} {path}): {fault:?}, {lasts:?}", self.scenario.name);
        let disk = Disk::new(self.scene.machine.clone());
        let before = published(&mut disk.machine());
        disk.inject(Some(self.plan));
        let result = self.scenario.act.run(&disk);
        let faults = disk.heal();
        if faults.struck.is_empty() {
            // What several threads do they do in any order, and so not always with as many calls.
            assert!(matches!(self.scenario.act, Act::Repair | Act::Adopt), "{context}: there was no such call");
            return Tried::default();
        }
        let mut tried = Tried { faults: 1, ..Tried::default() };
        *match &result {
            Ok(_) => &mut tried.done,
            Err(error) if error.committed() == Committed::No => &mut tried.not_committed,
            Err(_) => &mut tried.unknown,
        } += 1;
        let expected = self.expect_truth(&disk, &result, &faults, &before, &context);
        self.expect_nothing_left(&disk, &result, &faults, &context);

        let survives = expected.reported || matches!(self.scenario.act, Act::Commit(_) | Act::Gc);
        if survives && faults.struck().any(|call| call.name == "sync") {
            tried.cuts += self.cut_power(&disk, &expected);
        }
        self.expect_again(&disk, &result, &context);
        let repaired = result.as_ref().is_ok_and(Vec::is_empty);
        if matches!(self.scenario.act, Act::Repair) && !repaired {
            // What it is to repair may still be damaged.
            self.scenario.act.run(&disk).unwrap_or_else(|error| panic!("{context}, then again: {error}"));
        }
        // Half an adoption is no feed in order: it is finished, as above.
        if !matches!((&result, self.scenario.act), (Err(_), Act::Adopt)) {
            walk(disk.machine(), Task::Look(Arc::new(expected)), &mut Oracle::default);
        }
        tried
    }

    /// What was said of the outcome is true. Returns what must be true of it after a power cut.
    fn expect_truth(
        &self,
        disk: &Disk,
        result: &Result<Vec<String>, Error>,
        faults: &Faults,
        before: &Files,
        context: &str,
    ) -> Expected {
        let Scene { generation: first, seen, stages, amiss, .. } = self.scene;
        let now = site::manifest(&on(disk).storage);
        let found = now.as_ref().map_or(0, |manifest| manifest.generation.get());
        let stage = |generation| self.scene.stage(generation);
        let commits = matches!(self.scenario.act, Act::Commit(_) | Act::Adopt);
        let after = published(&mut disk.machine());
        let (generation, stages, reported) = match result {
            Ok(warnings) => {
                assert_eq!(stage(found), stages.len() - 1, "{context}: it was said to be done");
                (found, stages[stage(found)..].to_vec(), warnings.is_empty())
            }
            Err(Error::Unknown { generation: intended, commit, .. }) => {
                let took_place = now.is_some_and(|manifest| manifest.commit == *commit);
                let intended = intended.get();
                let old = if stage(intended) == 1 { *first } else { intended - 1 };
                assert_eq!(found, if took_place { intended } else { old }, "{context}: it is another commit");
                let deleted = before.keys().find(|path| is_kept(path) && before.get(*path) != after.get(*path));
                assert_eq!(deleted, None, "{context}: something was deleted");
                (old, stages[stage(old)..=stage(old) + 1].to_vec(), false)
            }
            Err(error) => {
                assert!(error.committed() == Committed::No, "{context}: {error}");
                // An adoption commits twice; what the first one did stays.
                if commits && found == *first {
                    for path in before.keys().chain(after.keys()) {
                        let may_stay = faults.struck().any(|call| call.effect == Effect::Frees) && is_leftover(path);
                        let same = before.get(path) == after.get(path) || may_stay && !before.contains_key(path);
                        assert!(same, "{context}: {error}: {} has changed", path.display());
                    }
                } else {
                    assert!(
                        matches!(self.scenario.act, Act::Adopt) || !commits,
                        "{context}: {error}: it was committed"
                    );
                }
                let reported = commits && !matches!(self.scenario.act, Act::Adopt) && *amiss != Amiss::OldCopy;
                (found, vec![stages[stage(found)].clone()], reported)
            }
        };
        let foreign = self.scene.foreign.clone();
        let warned = result.as_ref().is_ok_and(|warnings| !warnings.is_empty());
        let seen = found.max(generation).max(*seen);
        // What was damaged is repaired again before anything else is looked at.
        let amiss = if *amiss == Amiss::OldCopy && result.is_err() { Amiss::OldCopy } else { Amiss::Nothing };
        Expected { generation, stages, seen, reported, foreign, amiss, warned, context: context.to_owned() }
    }

    /// Nothing is locked, and nothing new is in staging or announced by a marker, unless it is removing that failed.
    fn expect_nothing_left(&self, disk: &Disk, result: &Result<Vec<String>, Error>, faults: &Faults, context: &str) {
        assert!(disk.with(|machine| machine.nothing_is_locked()), "{context}: something is locked");
        if faults.struck().any(|call| call.effect == Effect::Frees) {
            return;
        }
        let before = Disk::new(self.scene.machine.clone());
        let new = |dir: &Path| {
            let names = |disk: &Disk| disk.with(|machine| machine.list(dir)).unwrap_or_default();
            let old = names(&before);
            names(disk).into_iter().filter(|name| !old.contains(name)).collect::<Vec<_>>()
        };
        assert_eq!(new(&Path::new(FEED).join(".lastgood/staging")), [""; 0], "{context}: staging is left");
        let unknown = result.as_ref().is_err_and(|error| error.committed() == Committed::Unknown);
        let root = new(Path::new(FEED));
        let markers = root.iter().any(|name| name.ends_with("lock"));
        assert!(!markers || unknown, "{context}: markers are left: {root:?}");
    }

    /// A sync has failed: what programs see may not be on the medium.
    fn cut_power(&self, disk: &Disk, expected: &Expected) -> u64 {
        if self.all {
            return cut(disk.machine(), expected);
        }
        let task = Task::Cut(Arc::new(expected.clone()));
        let mut random = fastrand::Rng::with_seed(self.plan.first as u64);
        walk(disk.machine(), task.clone(), &mut Oracle::default);
        walk(disk.machine(), task, &mut || Oracle::random(random.u64(..)));
        2
    }

    /// The same once more, now that nothing fails: it is not misled by what the first time has left, and what it says
    /// survives a power cut.
    fn expect_again(&self, disk: &Disk, result: &Result<Vec<String>, Error>, context: &str) {
        let (Err(error), Act::Commit(_) | Act::Adopt) = (result, self.scenario.act) else { return };
        let again = Disk::new(disk.machine());
        if error.committed() == Committed::Unknown {
            return;
        }
        let found = on(disk).generation();
        let context = format!("{context}, then again");
        self.scenario.act.run(&again).unwrap_or_else(|error| panic!("{context}: {error}"));
        let last = self.scene.stages.len() - 1;
        let (generation, stages) = (on(&again).generation(), self.scene.stages[last..].to_vec());
        // What failed has perhaps kept its number.
        let next = found.max(self.scene.seen) + last as u64;
        assert!((next..=next + 1).contains(&generation), "{context}: generation {found} became {generation}");
        let foreign = self.scene.foreign.clone();
        let (amiss, warned) = (Amiss::Nothing, false);
        let seen = generation;
        let expected = Expected { generation, stages, seen, reported: true, foreign, amiss, warned, context };
        walk(again.machine(), Task::Cut(Arc::new(expected)), &mut Oracle::default);
    }
}

/// Every published file, its mode and its bytes.
type Files = BTreeMap<PathBuf, (Vec<u32>, Arc<Vec<u8>>)>;

fn published(machine: &mut Machine) -> Files {
    let mut files = Files::new();
    let mut dirs = vec![PathBuf::from(FEED)];
    while let Some(dir) = dirs.pop() {
        for name in machine.list(&dir).unwrap_or_default() {
            let path = dir.join(&name);
            let node = machine.find(&path).unwrap();
            if !machine.is_dir(node) {
                files.insert(path, (machine.modes(node), machine.bytes(node)));
            } else if name != ".lastgood" {
                dirs.push(path);
            }
        }
    }
    files
}

/// Objects and generations, which nothing may take the place of.
fn is_kept(path: &Path) -> bool {
    ["objects", "history"].iter().any(|dir| path.starts_with(Path::new(FEED).join(dir)))
}

/// What stays when it cannot be removed: readers pass over it.
fn is_leftover(path: &Path) -> bool {
    path.starts_with(Path::new(FEED).join("objects")) || path.to_string_lossy().ends_with("lock")
}
