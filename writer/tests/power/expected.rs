//! What must be true of a feed after the power was cut (I1 to I10).

use std::path::Path;

use lastgood::protocol::manifest::Generation;

use crate::disk::{Disk, Moment};
use crate::machine::{Machine, Oracle, Question};
use crate::scenarios::{ALL, FEED, on};
use crate::site::{Commit, Payloads};

/// What may have been published when the power went.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The generation of the first stage; 0 for none.
    pub(crate) generation: u64,
    /// What each generation from there on has published.
    pub(crate) stages: Vec<Payloads>,
    /// Whether success was reported for the last of them.
    pub(crate) reported: bool,
    pub(crate) context: String,
}

/// How a feed was put in order.
pub(crate) struct Recovery {
    pub(crate) moments: Vec<Moment>,
    /// What may have been published while it was.
    pub(crate) before: Expected,
}

/// The publish after it all.
pub(crate) const NEXT: Commit = Commit::Publish(&[("b", 9)]);

impl Expected {
    /// From then on nothing but the last stage is right (I3).
    pub(crate) fn when_reported(&self) -> Self {
        let last = self.stages.len() - 1;
        Self {
            generation: self.generation + last as u64,
            stages: self.stages[last..].to_vec(),
            reported: true,
            context: self.context.clone(),
        }
    }

    /// Reads what a cut has left, puts it in order, and goes on publishing.
    pub(crate) fn check(&self, disk: &Disk, record: bool) -> Recovery {
        let (context, site) = (&self.context, on(disk));
        // What a reader sees before anybody has put anything in order (I1, I2, I5).
        let found = site.generation();
        let stage = found.checked_sub(self.generation).and_then(|stage| self.stages.get(stage as usize));
        let Some(payloads) = stage else { panic!("{context}: generation {} became {found}", self.generation) };
        site.expect_readable(payloads, context);
        if self.reported && found > 0 {
            // All that follows from the generation has survived with it (I10).
            assert_eq!(site.feed().verify().unwrap().problems, [], "{context}: nothing has put anything in order");
        }

        // A recovery puts it in order, or the next publish does (I8).
        if record {
            disk.record();
        }
        let recovers = found > 0 && disk.with(|machine| machine.oracle.ask(Question::Next, 2)) == 0;
        let mut stages = vec![payloads.clone()];
        if recovers {
            site.feed().recover().unwrap_or_else(|error| panic!("{context}: {error}"));
        } else {
            NEXT.run(site.storage.clone()).unwrap_or_else(|error| panic!("{context}: {error}"));
            stages.push(NEXT.after(payloads));
        }
        let moments = if record { disk.recorded() } else { Vec::new() };
        let now = found + stages.len() as u64 - 1;
        let payloads = &stages[stages.len() - 1];
        expect_in_order(disk, now, payloads, context);

        let collection = site.feed().gc(&ALL).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(collection.generation, Generation::new(now).unwrap(), "{context}");
        expect_in_order(disk, now, payloads, context);

        NEXT.run(site.storage.clone()).unwrap_or_else(|error| panic!("{context}: {error}"));
        expect_in_order(disk, now + 1, &NEXT.after(payloads), context);

        // Nothing of what was not synced is left, and still it is there (I3).
        let last = Disk::new(disk.machine().cut(Oracle::default()));
        assert_eq!(on(&last).generation(), now + 1, "{context}: the last publish is lost");
        on(&last).expect_readable(&NEXT.after(payloads), context);

        let how = if recovers { "recovery" } else { "publish" };
        let context = format!("{context}, then {how}");
        Recovery { moments, before: Expected { generation: found, stages, reported: false, context } }
    }
}

/// Readers get `payloads`, derived files agree (I10), nothing is locked, marked or left in staging, and what web servers
/// are to read they can.
pub(crate) fn expect_in_order(disk: &Disk, generation: u64, payloads: &Payloads, context: &str) {
    let site = on(disk);
    assert_eq!(site.generation(), generation, "{context}");
    site.expect_readable(payloads, context);
    site.expect_clean(context);
    assert!(disk.with(|machine| machine.nothing_is_locked()), "{context}: something is locked");
    let staging = disk.with(|machine| machine.list(&Path::new(FEED).join(".lastgood/staging"))).unwrap();
    assert_eq!(staging, [""; 0], "{context}: staging is left");
    expect_modes(&mut disk.machine(), Path::new(FEED), context);
}

fn expect_modes(machine: &mut Machine, dir: &Path, context: &str) {
    for name in machine.list(dir).unwrap() {
        let path = dir.join(&name);
        let node = machine.find(&path).unwrap();
        if !machine.is_dir(node) {
            assert_eq!(machine.modes(node), [0o644], "{context}: the mode of {}", path.display());
        } else if name != ".lastgood" {
            expect_modes(machine, &path, context);
        }
    }
}
