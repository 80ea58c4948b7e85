//! What is done when the power goes: every operation that changes a feed.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lastgood::protocol::layout;
use lastgood::protocol::manifest::{Generation, Manifest};
use lastgood::protocol::name::Ext;
use lastgood::storage::{Modes, PosixStorage, Storage, System};
use lastgood::{Error, Feed, Item, Retention, Settings};

use crate::disk::Disk;
use crate::expected::Amiss;
use crate::machine::{Machine, Model, Oracle};
use crate::site::{self, ARTIFACT, BARE, Commit, Payloads, Round, SCHEMA, SMALL, Site, after, name, payload};

/// The directory of the feed.
pub(crate) const FEED: &str = "/feed";

/// Everything that is not the published generation or the source of a backup goes, at once.
pub(crate) const ALL: Retention = Retention { keep: 1, grace: Duration::ZERO };

pub(crate) fn on(disk: &Disk) -> Site<PosixStorage<Disk>> {
    Site { storage: PosixStorage::on(disk.clone(), FEED, Modes::default()), dir: None }
}

pub(crate) fn feed(disk: &Disk) -> Feed<PosixStorage<Disk>> {
    site::feed(on(disk).storage, true)
}

/// An operation that changes a feed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Commit(Commit),
    Gc,
    Recover {
        /// What was published by the commit to be recovered from.
        dead: Round<'static>,
        /// Whether it is durable already.
        durable: bool,
    },
    Repair,
    Adopt,
    /// Two publishes under a lock.
    UnderLock,
}

/// What is there before an operation, and the operation.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    before: &'static [Round<'static>],
    prepare: fn(&Disk, Act) -> Machine,
    pub(crate) act: Act,
    /// Where to go through it takes seconds.
    pub(crate) quick: &'static [Model],
    /// Whether to go through two cuts takes no more than some hours.
    pub(crate) twice: bool,
}

/// A feed before an operation.
pub(crate) struct Scene {
    pub(crate) machine: Machine,
    /// The generation that is published durably; 0 for none.
    pub(crate) generation: u64,
    /// What is published, and then what each commit of the operation makes of it.
    pub(crate) stages: Vec<Payloads>,
    /// The files of another program, whose names are also lastgood's.
    pub(crate) foreign: Option<Arc<Foreign>>,
    /// What is not right until success is reported.
    pub(crate) amiss: Amiss,
    /// The highest generation that a reader may have seen.
    pub(crate) seen: u64,
}

impl Scene {
    /// The number of the stage that a generation has published.
    pub(crate) fn stage(&self, generation: u64) -> usize {
        let commits = generation.saturating_sub(self.seen.max(self.generation));
        (commits as usize).min(self.stages.len() - 1)
    }
}

impl Scenario {
    pub(crate) fn scene(&self, model: Model) -> Scene {
        let disk = Disk::new(Machine::new(model));
        let site = on(&disk);
        let old = self.before.iter().fold(Payloads::new(), |payloads, round| {
            site::publish(site.storage.clone(), round).unwrap();
            after(&payloads, round)
        });
        let machine = (self.prepare)(&disk, self.act);
        let durable = matches!(self.act, Act::Recover { durable: true, .. });
        let seen = self.before.len() as u64 + u64::from(durable);
        let foreign = matches!(self.act, Act::Adopt).then(Arc::<Foreign>::default);
        let (amiss, generation, old) = match self.act {
            Act::Repair => (Amiss::Damage, seen, old),
            Act::Commit(Commit::AcceptOlder) => (Amiss::OldCopy, 1, after(&Payloads::new(), self.before[0])),
            _ => (Amiss::Nothing, seen, old),
        };
        Scene { machine, generation, seen, stages: self.act.stages(old), foreign, amiss }
    }
}

impl Act {
    fn stages(self, old: Payloads) -> Vec<Payloads> {
        match self {
            Act::Commit(commit) => vec![old.clone(), commit.after(&old)],
            Act::Gc | Act::Repair => vec![old],
            Act::UnderLock => {
                let published = |round| after(&old, &[("a", SMALL + round)]);
                vec![old.clone(), published(2), published(3)]
            }
            Act::Recover { dead, durable: true } => vec![after(&old, dead)],
            Act::Recover { dead, durable: false } => vec![old.clone(), after(&old, dead)],
            Act::Adopt => {
                let adopted = |round| Payloads::from([("a", payload("a", round))]);
                vec![old, adopted(1), adopted(2)]
            }
        }
    }

    /// Does it, and returns what it says is still not as it should be.
    pub(crate) fn run(self, disk: &Disk) -> Result<Vec<String>, Error> {
        match self {
            Act::Commit(commit) => commit.run(on(disk).storage).map(|publication| publication.warnings),
            Act::Gc => feed(disk).gc(&ALL).map(|_| Vec::new()),
            Act::Recover { .. } => feed(disk).recover().map(|_| Vec::new()),
            Act::Repair => {
                let repair = feed(disk).repair(&|_| {})?;
                Ok(repair.verification.problems.iter().map(|problem| problem.path.to_string()).collect())
            }
            Act::Adopt => adopt(on(disk).storage),
            Act::UnderLock => publish_under_lock(disk),
        }
    }
}

/// What `lastgood adopt` does with a file and its backup.
fn adopt(storage: PosixStorage<Disk>) -> Result<Vec<String>, Error> {
    let dataset = name("a");
    let settings = Settings { create_beside_others: true, ..Settings::default() };
    let feed = site::feed_with(storage.clone(), settings.clone());
    let (plain_copy, backup) = (layout::plain_copy(&dataset, &Ext::json()), layout::backup(&dataset, &Ext::json()));
    feed.preserve(&[plain_copy, backup, layout::last_update()])?;
    let item = |round| Item::new(dataset.clone(), Cursor::new(payload("a", round)));
    let before = Settings { plain_copies: false, ..settings };
    let first = site::feed_with(storage, before).publish(vec![item(1)])?;
    let second = feed.publish(vec![item(2)])?;
    Ok([first.warnings, second.warnings].concat())
}

/// What `lastgood lock` does around a command that publishes.
fn publish_under_lock(disk: &Disk) -> Result<Vec<String>, Error> {
    let feed = feed(disk);
    let hold = feed.hold(&[name("a")])?;
    let publish = |round| {
        let settings = Settings { under_lock: Some(hold.token().to_owned()), ..Settings::default() };
        let item = Item::new(name("a"), Cursor::new(payload("a", SMALL + round)));
        site::feed_with(on(disk).storage, settings).publish(vec![item])
    };
    let first = publish(2)?;
    hold.renew()?;
    let second = publish(3)?;
    let warnings = [first.warnings, second.warnings].concat();
    hold.release().map(|()| warnings)
}

/// What is published by the publish after a cut.
const NEXT: Round<'static> = &[("b", 9)];

/// What is published after it.
pub(crate) fn after_next(payloads: &Payloads) -> Payloads {
    after(payloads, NEXT)
}

/// Whether it was: a publish takes the place of others' files without keeping them.
pub(crate) fn has_next(payloads: &Payloads) -> bool {
    NEXT.iter().any(|&(dataset, round)| payloads.get(dataset) == Some(&payload(dataset, round)))
}

/// The publish after a cut. The files of an adoption that was interrupted are there as well.
pub(crate) fn publish_next(disk: &Disk) -> Result<(), Error> {
    let settings = Settings { create_beside_others: true, ..Settings::default() };
    let items = NEXT.iter().map(|&(dataset, round)| Item::new(name(dataset), Cursor::new(payload(dataset, round))));
    site::feed_with(on(disk).storage, settings).publish(items.collect()).map(drop)
}

/// Puts a file there as another program would, and as if it had been there for long.
fn put(disk: &Disk, path: &Path, bytes: &[u8]) {
    disk.with(|machine| {
        let node = machine.find(path).or_else(|_| machine.make_file(path, 0o644)).unwrap();
        machine.set_content(node, bytes.to_vec());
    });
}

/// Everything is durable, and nothing is running.
fn at_rest(disk: &Disk, _: Act) -> Machine {
    disk.with(Machine::sync_all);
    disk.machine().cut(Oracle::default())
}

/// A script's files.
#[derive(Debug, Hash)]
pub(crate) struct Foreign {
    /// The one that is adopted: it has this content whatever happens.
    pub(crate) adopted: (&'static str, String),
    /// Those that others take the place of. They are there, or they are kept.
    pub(crate) replaced: [(&'static str, String); 2],
}

impl Default for Foreign {
    fn default() -> Self {
        Self {
            adopted: ("a.json", payload("a", 2)),
            replaced: [("a_backup.json", payload("a", 1)), ("last_update.txt", "yesterday".to_owned())],
        }
    }
}

/// A script's files, to be adopted.
fn older_script(disk: &Disk, act: Act) -> Machine {
    let feed = Path::new(FEED);
    disk.with(|machine| machine.make_dir(feed)).unwrap();
    let Foreign { adopted, replaced } = Foreign::default();
    for (name, content) in replaced.iter().chain([&adopted]) {
        put(disk, &feed.join(name), content.as_bytes());
    }
    at_rest(disk, act)
}

/// What publishers that died had just published: one dataset is new.
const DEAD: Round<'static> = &[("a", 3), ("b", 3)];
const SMALL_DEAD: Round<'static> = &[("b", SMALL + 3)];

/// A publisher was killed right after its commit, and nothing that it did since its last sync is durable.
fn killed_after_the_commit(disk: &Disk, act: Act) -> Machine {
    let Act::Recover { dead, .. } = act else { panic!("nothing is to be recovered from") };
    let before = on(disk).generation();
    disk.record();
    Act::Commit(Commit::Publish(dead)).run(disk).unwrap();
    let machines = disk.recorded().into_iter().map(|moment| moment.machine.kill_all());
    machines.into_iter().find(|machine| on(&Disk::new(machine.clone())).generation() > before).unwrap()
}

/// The same, when all that was done before is durable: so there is less to be gone through.
fn killed_long_after(disk: &Disk, act: Act) -> Machine {
    killed_after_the_commit(&Disk::new(at_rest(disk, act)), act)
}

/// The same, and all that it did is durable.
fn died_after_the_commit(disk: &Disk, act: Act) -> Machine {
    at_rest(&Disk::new(killed_after_the_commit(disk, act)), act)
}

/// An object, a sibling and a derived file are damaged, and the history's copy is gone; all can be made again.
fn damaged(disk: &Disk, act: Act) -> Machine {
    let objects = Path::new(FEED).join("objects");
    let names = disk.with(|machine| machine.list(&objects)).unwrap();
    let object = |suffix: &str| -> PathBuf { objects.join(names.iter().find(|name| name.ends_with(suffix)).unwrap()) };
    put(disk, &object(".json"), b"damaged");
    put(disk, &object(".gz"), b"damaged too");
    put(disk, &Path::new(FEED).join("a.json.gz"), b"damaged as well");
    put(disk, &Path::new(FEED).join("last_update.txt"), b"never");
    at_rest(disk, act)
}

/// The manifest is gone.
fn lost(disk: &Disk, act: Act) -> Machine {
    disk.with(|machine| machine.remove(&Path::new(FEED).join("manifest.json"))).unwrap();
    at_rest(disk, act)
}

/// The manifest is gone, and with the private directory all that knows whether there were later ones.
fn lost_with_all_that_knows(disk: &Disk, act: Act) -> Machine {
    disk.remove_dir_all(&Path::new(FEED).join(".lastgood")).unwrap();
    lost(disk, act)
}

/// The public files are those of the first generation, and the private directory knows of all.
fn restored(disk: &Disk, act: Act) -> Machine {
    let feed = Path::new(FEED);
    let history = disk.with(|machine| machine.list(&feed.join("history"))).unwrap();
    for later in history.iter().filter(|name| *name != "1.json") {
        disk.with(|machine| machine.remove(&feed.join("history").join(later))).unwrap();
    }
    disk.with(|machine| machine.remove(&feed.join("a_backup.json"))).unwrap();
    let first = on(disk).storage.read(&layout::history(Generation::FIRST), 1 << 20).unwrap().unwrap();
    let published_at = Manifest::verify(&first).unwrap().published_at;
    put(disk, &feed.join("manifest.json"), &first);
    put(disk, &feed.join("a.json"), payload("a", SMALL + 1).as_bytes());
    put(disk, &feed.join("last_update.txt"), format!("{published_at}\n").as_bytes());
    at_rest(disk, act)
}

/// The private directory was not restored.
fn without_private(disk: &Disk, act: Act) -> Machine {
    disk.remove_dir_all(&Path::new(FEED).join(".lastgood")).unwrap();
    at_rest(disk, act)
}

/// Nor were the objects and the history.
fn without_directories(disk: &Disk, act: Act) -> Machine {
    for dir in ["objects", "history"] {
        disk.remove_dir_all(&Path::new(FEED).join(dir)).unwrap();
    }
    without_private(disk, act)
}

const ORDERED: &[Model] = &[Model::Ordered];

pub(crate) const SCENARIOS: [Scenario; 30] = [
    Scenario {
        name: "the first publish",
        before: &[],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 1)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish of one",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 3)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish of one that changes nothing",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 2)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish of one that goes back to an earlier payload",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 1)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish that changes the extension",
        before: &[&[("a", 1)], &[("a", ARTIFACT)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 2)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish that takes the plain copies away",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", BARE + 2)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish that brings the plain copies back",
        before: &[&[("a", 1)], &[("a", BARE + 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 3)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish that leaves nothing to be compressed",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", SMALL + 3)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a publish with a new schema",
        before: &[&[("a", SCHEMA + 1)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", SCHEMA + 2)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a small publish of one",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", SMALL + 3)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a small publish of two, one of them new",
        before: &[&[("a", SMALL + 1)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", SMALL + 2), ("b", SMALL + 2)])),
        quick: &Model::ALL,
        twice: false,
    },
    Scenario {
        name: "a small publish of three, one of them new and one unchanged",
        before: &[&[("a", SMALL + 1), ("b", SMALL + 1)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", SMALL + 2), ("b", SMALL + 1), ("c", SMALL + 2)])),
        quick: &Model::ALL,
        twice: false,
    },
    Scenario {
        name: "a publish of three with siblings",
        before: &[&[("a", 1), ("b", 1)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Publish(&[("a", 2), ("b", 2), ("c", 2)])),
        quick: ORDERED,
        twice: false,
    },
    Scenario {
        name: "a rollback",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Rollback { to: None, back: &[("a", 1)] }),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a new identity",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::NewFeed),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a removal",
        before: &[&[("a", 1), ("b", SMALL + 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Remove(&["a"])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a purge",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Purge("a", 1)),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a small purge beside another dataset",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2), ("b", SMALL + 1)]],
        prepare: at_rest,
        act: Act::Commit(Commit::Purge("a", 1)),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a garbage collection",
        before: &[&[("a", 1), ("b", 1)], &[("a", 2)], &[("a", 3)], &[("a", 4)]],
        prepare: at_rest,
        act: Act::Gc,
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a recovery",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: died_after_the_commit,
        act: Act::Recover { dead: DEAD, durable: true },
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a recovery from a kill",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: killed_after_the_commit,
        act: Act::Recover { dead: DEAD, durable: false },
        quick: ORDERED,
        twice: true,
    },
    Scenario {
        name: "a small recovery from a kill",
        before: &[&[("a", SMALL + 1)]],
        prepare: killed_long_after,
        act: Act::Recover { dead: SMALL_DEAD, durable: false },
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a repair",
        before: &[&[("a", 1)], &[("a", 2)]],
        prepare: damaged,
        act: Act::Repair,
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a repair that puts the manifest back",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)]],
        prepare: lost,
        act: Act::Repair,
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a repair that puts the manifest back as that of another feed",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)]],
        prepare: lost_with_all_that_knows,
        act: Act::Repair,
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a repair of what was restored without directories",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)]],
        prepare: without_directories,
        act: Act::Repair,
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "a small publish into what was restored without the private directory",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)]],
        prepare: without_private,
        act: Act::Commit(Commit::Publish(&[("a", SMALL + 3)])),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "an old copy that is accepted",
        before: &[&[("a", SMALL + 1)], &[("a", SMALL + 2)], &[("a", SMALL + 3)]],
        prepare: restored,
        act: Act::Commit(Commit::AcceptOlder),
        quick: &Model::ALL,
        twice: true,
    },
    Scenario {
        name: "two publishes under a lock",
        before: &[&[("a", SMALL + 1)]],
        prepare: at_rest,
        act: Act::UnderLock,
        quick: ORDERED,
        twice: true,
    },
    Scenario {
        name: "an adoption",
        before: &[],
        prepare: older_script,
        act: Act::Adopt,
        quick: &Model::ALL,
        twice: true,
    },
];
