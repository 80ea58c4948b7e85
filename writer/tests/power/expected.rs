//! What is done to a feed after the power was cut, and what must be true of it then (I1 to I10).
//!
//! It is done in tasks, between which nobody remembers anything: what a task does follows from the machine that it finds. That is why
//! machines in the same state need to be looked at only once.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use lastgood::protocol::manifest::Generation;

use crate::disk::Disk;
use crate::machine::Oracle;
use crate::scenarios::{ALL, FEED, Foreign, after_next, feed, has_next, on, publish_next};
use crate::site::Payloads;

/// What may have been published when the power went.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The generation of the first stage; 0 for none.
    pub(crate) generation: u64,
    /// What each generation from there on has published.
    pub(crate) stages: Vec<Payloads>,
    /// The highest generation that a reader may have seen before the power went: it never comes again (I5).
    pub(crate) seen: u64,
    /// Whether success was reported for the last of them.
    pub(crate) reported: bool,
    /// The files of another program.
    pub(crate) foreign: Option<Arc<Foreign>>,
    /// What is to be put right by whoever comes next, until success is reported.
    pub(crate) amiss: Amiss,
    /// Whether a warning said that something is left to a recovery, so that a publish does not put it in order.
    pub(crate) warned: bool,
    pub(crate) context: String,
}

/// What may be wrong with a feed beside what a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Amiss {
    Nothing,
    /// An object, a sibling, the manifest or a directory is damaged or missing.
    Damage,
    /// It was restored from an old copy.
    OldCopy,
}

/// Something that is done to a feed after the power was cut.
#[derive(Debug, Clone, Hash)]
pub(crate) enum Task {
    /// The power goes, and comes again.
    Cut(Arc<Expected>),
    /// Somebody looks which generation is published.
    Look(Arc<Expected>),
    /// Whoever comes first puts right what may be amiss.
    PutRight(Published),
    /// Readers read, before anybody has put anything in order.
    Read(Published),
    /// A recovery puts the feed in order.
    Recover(Published),
    /// The next publish does.
    Publish(Published),
    /// Whether it is in order.
    Check(Published),
    /// Garbage is collected.
    Collect(Published),
    /// Somebody goes on publishing, and the power is cut once more.
    GoOn(Published),
}

/// What is known to be published.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    generation: u64,
    /// The highest that a reader may have seen.
    seen: u64,
    payloads: Arc<Payloads>,
    expected: Arc<Expected>,
}

/// How many numbers may be left out for commits that were begun when the power went: one for each time, and nobody cuts it more
/// often in a row.
const LEFT_OUT: u64 = 64;

impl Expected {
    /// From then on nothing but the last stage is right, which is the generation that everybody sees (I3).
    pub(crate) fn when_reported(&self, generation: u64) -> Self {
        let last = self.stages.len() - 1;
        Self { generation, stages: self.stages[last..].to_vec(), reported: true, amiss: Amiss::Nothing, ..self.clone() }
    }

    /// What is published when this generation is. There is one for each commit, and numbers may be left out.
    fn stage(&self, found: u64) -> &Payloads {
        let last = self.stages.len() - 1;
        match found.checked_sub(self.generation) {
            Some(stage) if stage <= last as u64 + LEFT_OUT => &self.stages[last.min(stage as usize)],
            _ => panic!("generation {} became {found}", self.generation),
        }
    }

    /// What another program has written, and was adopted, stays as it is.
    fn expect_unchanged(&self, disk: &Disk) {
        let Some(foreign) = &self.foreign else { return };
        let (name, content) = &foreign.adopted;
        assert!(has(disk, &Path::new(FEED).join(name), content), "{name} has changed");
    }

    /// What took the place of other files has kept them.
    fn expect_kept(&self, disk: &Disk) {
        let Some(foreign) = &self.foreign else { return };
        let dir = Path::new(FEED).join(".lastgood/kept");
        for (name, content) in &foreign.replaced {
            let names = || disk.with(|machine| machine.possible_names(&dir)).into_iter();
            let is_kept = || names().any(|kept| kept.starts_with(name) && has(disk, &dir.join(kept), content));
            assert!(has(disk, &Path::new(FEED).join(name), content) || is_kept(), "{name} is lost");
        }
    }
}

fn has(disk: &Disk, path: &Path, content: &str) -> bool {
    let found = disk.with(|machine| machine.find(path).map(|file| machine.bytes(file)));
    found.is_ok_and(|found| found.as_slice() == content.as_bytes())
}

impl Task {
    /// Does it, and returns what is to be done then, each to the machine as it is at the end.
    pub(crate) fn run(&self, disk: &Disk) -> Vec<Task> {
        match self {
            Task::Cut(expected) => {
                disk.with(|machine| {
                    let oracle = std::mem::take(&mut machine.oracle);
                    *machine = machine.clone().cut(oracle);
                });
                vec![Task::Look(Arc::clone(expected))]
            }
            Task::Look(expected) => {
                let found = match on(disk).generation() {
                    // It is lost, and will be put back.
                    0 if expected.amiss == Amiss::Damage => expected.generation,
                    found => found,
                };
                let payloads = Arc::new(expected.stage(found).clone());
                let seen = found.max(expected.seen);
                let published = Published { generation: found, seen, payloads, expected: Arc::clone(expected) };
                match expected.amiss {
                    Amiss::Nothing => published.then_put_in_order(),
                    Amiss::Damage | Amiss::OldCopy => vec![Task::PutRight(published)],
                }
            }
            Task::PutRight(published) => {
                let least = match published.expected.amiss {
                    Amiss::OldCopy => {
                        feed(disk).recover_accepting_older().unwrap();
                        // Above all that readers have seen, if it is not what they have seen last.
                        published.seen + u64::from(published.generation < published.seen)
                    }
                    Amiss::Nothing | Amiss::Damage => {
                        feed(disk).repair(&|_| {}).unwrap();
                        published.generation
                    }
                };
                // Another one, if it was an old copy or has become another feed.
                let generation = on(disk).generation();
                let seen = published.seen.max(generation);
                assert!((least..=published.seen + 1 + LEFT_OUT).contains(&generation), "{generation}");
                Published { generation, seen, ..published.clone() }.then_put_in_order()
            }
            Task::Read(published) => {
                // What a reader sees (I1, I2, I5).
                on(disk).expect_readable(&published.payloads, "nothing has put anything in order");
                if published.generation > 0 {
                    let old_copy = on(disk).feed().old_copy().unwrap();
                    assert_eq!(old_copy, None, "what the power has left looks like an old copy that was restored");
                }
                if published.expected.reported && published.generation > 0 {
                    // All that follows from the generation has survived with it (I10).
                    assert_eq!(on(disk).feed().verify().unwrap().problems, [], "nothing has put anything in order");
                }
                published.expected.expect_unchanged(disk);
                if !has_next(&published.payloads) {
                    published.expected.expect_kept(disk);
                }
                Vec::new()
            }
            Task::Recover(published) => {
                feed(disk).recover().unwrap();
                vec![Task::Check(published.clone()), Task::Collect(published.clone())]
            }
            Task::Publish(published) => {
                publish_next(disk).unwrap();
                let published = published.next(disk);
                vec![Task::Check(published.clone()), Task::Collect(published)]
            }
            Task::Check(published) => {
                published.expect_in_order(disk);
                Vec::new()
            }
            Task::Collect(published) => {
                let collection = feed(disk).gc(&ALL).unwrap();
                assert_eq!(collection.generation, Generation::new(published.generation).unwrap());
                vec![Task::Check(published.clone()), Task::GoOn(published.clone())]
            }
            Task::GoOn(published) => {
                publish_next(disk).unwrap();
                let published = published.next(disk);
                published.expected.expect_unchanged(disk);
                published.expect_in_order(disk);
                // Nothing of what was not synced is left, and still it is there (I3).
                let last = on(&Disk::new(disk.machine().cut(Oracle::default())));
                assert_eq!(last.generation(), published.generation, "the last publish is lost");
                last.expect_readable(&published.payloads, "after the last publish");
                Vec::new()
            }
        }
    }

    /// What may be published when the power goes while this is done, of tasks that put a feed in order; the last stage is what is
    /// published at their end.
    pub(crate) fn when_cut(&self) -> Option<Expected> {
        let (published, how, publishes) = match self {
            Task::Recover(published) => (published, "recovery", false),
            Task::Publish(published) => (published, "publish", true),
            _ => return None,
        };
        let now = Payloads::clone(&published.payloads);
        let next = publishes.then(|| after_next(&now));
        let Expected { foreign, context, .. } = &*published.expected;
        Some(Expected {
            generation: published.generation,
            seen: published.seen,
            stages: std::iter::once(now).chain(next).collect(),
            reported: false,
            foreign: foreign.clone(),
            amiss: Amiss::Nothing,
            warned: false,
            context: format!("{context}, then {how}"),
        })
    }

    /// Whether the power is cut after it only to see what the last publish has made durable.
    pub(crate) fn is_last_to_be_cut(&self) -> bool {
        matches!(self, Task::Recover(_) | Task::Publish(_) | Task::Collect(_))
    }

    pub(crate) fn context(&self) -> String {
        let (what, expected) = match self {
            Task::Cut(expected) => ("the power goes", expected),
            Task::Look(expected) => ("looking which generation is published", expected),
            Task::PutRight(published) => ("putting right", &published.expected),
            Task::Read(published) => ("reading", &published.expected),
            Task::Recover(published) => ("recovering", &published.expected),
            Task::Publish(published) => ("publishing", &published.expected),
            Task::Check(published) => ("looking whether all is in order", &published.expected),
            Task::Collect(published) => ("collecting garbage", &published.expected),
            Task::GoOn(published) => ("publishing at the end", &published.expected),
        };
        format!("{}: {what}", expected.context)
    }
}

/// The context is for reports alone.
impl Hash for Expected {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { generation, stages, seen, reported, foreign, amiss, warned, context: _ } = self;
        (generation, stages, seen, reported, foreign, amiss, warned).hash(state);
    }
}

/// Of what was expected, only what still matters.
impl Hash for Published {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { generation, seen, payloads, expected } = self;
        (generation, seen, payloads, expected.reported, &expected.foreign).hash(state);
    }
}

impl Published {
    /// By a recovery, or by the next publish (I8).
    fn then_put_in_order(self) -> Vec<Task> {
        let mut tasks = vec![Task::Read(self.clone())];
        if self.generation > 0 {
            tasks.push(Task::Recover(self.clone()));
        }
        if !self.expected.warned {
            tasks.push(Task::Publish(self));
        }
        tasks
    }

    /// After one more publish, whose generation nobody has seen before (I5).
    fn next(&self, disk: &Disk) -> Self {
        let generation = on(disk).generation();
        let seen = self.seen;
        assert!((seen + 1..=seen + 1 + LEFT_OUT).contains(&generation), "{generation} after {seen} was seen");
        let payloads = Arc::new(after_next(&self.payloads));
        Self { generation, seen: generation, payloads, expected: Arc::clone(&self.expected) }
    }

    /// Readers get the payloads, derived files agree (I10), nothing is locked, marked or left in staging, and what web servers
    /// are to read they can.
    fn expect_in_order(&self, disk: &Disk) {
        let site = on(disk);
        assert_eq!(site.generation(), self.generation);
        site.expect_readable(&self.payloads, "in order");
        if self.expected.foreign.is_some() {
            // Files of the names that lastgood gives are not all its own.
            assert_eq!(site.feed().verify().unwrap().problems, []);
        } else {
            site.expect_clean("in order");
        }
        assert!(disk.with(|machine| machine.nothing_is_locked()), "something is locked");
        let staging = disk.with(|machine| machine.list(&Path::new(FEED).join(".lastgood/staging"))).unwrap();
        assert_eq!(staging, [""; 0], "staging is left");
        expect_modes(disk, Path::new(FEED));
    }
}

fn expect_modes(disk: &Disk, dir: &Path) {
    for name in disk.with(|machine| machine.list(dir)).unwrap() {
        let path = dir.join(&name);
        let node = disk.with(|machine| machine.find(&path)).unwrap();
        if !disk.with(|machine| machine.is_dir(node)) {
            assert_eq!(disk.with(|machine| machine.modes(node)), [0o644], "the mode of {}", path.display());
        } else if name != ".lastgood" {
            expect_modes(disk, &path);
        }
    }
}
