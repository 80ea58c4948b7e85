//! Goes through the moments at which the power can go, through everything that it can then leave, and through everything that is then
//! done.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::Discriminant;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lastgood::protocol::digest::{self, Sha256};

use crate::disk::{Disk, Moment};
use crate::expected::{Expected, Task};
use crate::machine::{Machine, Model, Oracle};
use crate::moment;
use crate::scenarios::{Scenario, Scene, on};

/// What was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// The calls that changed something, before each of which the power can go.
    pub(crate) calls: u64,
    /// The moments at which it was cut: those that cover all.
    pub(crate) moments: u64,
    /// How often something was done to what was left, each time with other answers to what nobody had looked at before.
    pub(crate) cases: u64,
    /// The durable states of the medium that these cases stand for.
    pub(crate) states: f64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.moments += other.moments;
        self.cases += other.cases;
        self.states += other.states;
    }
}

/// How often the power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cuts {
    Once,
    /// And again, while the feed is put in order after the first time.
    Twice,
}

/// How much is gone through of what a cut can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// Of each moment and task the first few states, and then the fewer the more there are. Which ones follows from the seed.
    Share {
        seed: u64,
    },
}

/// How many states of a moment and task, and how many answers to what one state is asked, a share has for certain.
const FEW: u64 = 6;

/// Cuts the power at every moment of an operation, and goes through what each cut can leave.
pub(crate) fn exhaust(scenario: &Scenario, model: Model, cuts: Cuts, extent: Extent) -> Count {
    let run = Run::of(scenario, model);
    let more = u32::from(cuts == Cuts::Twice);
    let mut explorer = Explorer::new(extent);
    explorer.count.calls = run.calls;
    for (machine, task) in run.cuts() {
        explorer.explore(&Situation { machine, task, more, depth: 0, before: None });
    }
    explorer.count
}

/// Goes through everything that a cut at this moment can leave; returns how many cases that were.
pub(crate) fn cut(machine: Machine, expected: &Expected) -> u64 {
    let mut explorer = Explorer::new(Extent::All);
    let task = Task::Cut(Arc::new(expected.clone()));
    explorer.explore(&Situation { machine, task, more: 0, depth: 0, before: None });
    explorer.count.cases
}

/// Cuts the power by chance: at some moment of an operation, with something left, then while the feed is put in order, and
/// so on. Everything follows from the seed.
pub(crate) fn sample(scenario: &Scenario, model: Model, seed: u64) -> Count {
    let mut random = fastrand::Rng::with_seed(seed);
    let run = Run::of(scenario, model);
    let mut count = Count { calls: run.calls, ..Count::default() };
    let mut cuts = run.cuts();
    loop {
        let (machine, task) = cuts.swap_remove(random.usize(..cuts.len()));
        let situation = Situation { machine, task, more: 1, depth: 0, before: None };
        cuts = walk_from(&situation, moment::later(), &mut || Oracle::random(random.u64(..)));
        count.moments += 1;
        count.cases += 1;
        if random.u8(..3) == 0 {
            return count;
        }
    }
}

/// Does a task and all that is to be done then, once, with the answers of oracles that are asked for one by one.
pub(crate) fn walk(machine: Machine, task: Task, oracles: &mut dyn FnMut() -> Oracle) {
    walk_from(&Situation { machine, task, more: 0, depth: 0, before: None }, moment::later(), oracles);
}

/// Returns the moments at which the power can go again meanwhile, if it may.
fn walk_from(situation: &Situation<'_>, begin: i64, oracles: &mut dyn FnMut() -> Oracle) -> Vec<(Machine, Task)> {
    let Done { machine, next, mut cuts } = situation.run(begin, oracles());
    let before = Before { task: &situation.task, answers: &machine.oracle, before: situation.before };
    for task in next {
        cuts.extend(walk_from(&situation.then(&before, machine.clone(), task), begin, oracles));
    }
    cuts
}

/// An operation was done to a feed, and these are the moments of it.
struct Run {
    calls: u64,
    moments: Vec<Moment>,
    /// What is expected when the power goes.
    expected: Expected,
}

impl Run {
    fn of(scenario: &Scenario, model: Model) -> Self {
        let Scene { machine, generation, seen, stages, foreign, amiss } = scenario.scene(model);
        let disk = Disk::new(machine);
        disk.record();
        scenario.act.run(&disk).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        let context = format!("{}, {model:?}", scenario.name);
        let expected = Expected { generation, stages, seen, reported: false, foreign, amiss, warned: false, context };
        Self { calls: disk.changes(), moments: disk.recorded(), expected }
    }

    /// A cut at each of the moments. At the last one success was reported.
    fn cuts(self) -> Vec<(Machine, Task)> {
        let last = self.moments.len() - 1;
        let cut = |(number, Moment { machine, call }): (usize, Moment)| {
            let visible = on(&Disk::new(machine.clone())).generation();
            let expected = Expected { seen: visible.max(self.expected.seen), ..self.expected.clone() };
            let expected = if number == last { expected.when_reported(visible) } else { expected };
            let context = format!("{}, cut before {call}", expected.context);
            (machine, Task::Cut(Arc::new(Expected { context, ..expected })))
        };
        self.moments.into_iter().enumerate().map(cut).collect()
    }
}

/// A machine, and what is done to it next.
struct Situation<'a> {
    machine: Machine,
    task: Task,
    /// How many cuts may still come.
    more: u32,
    /// How much was done before, from which times and ids follow.
    depth: i64,
    before: Option<&'a Before<'a>>,
}

/// What was done before a situation.
struct Before<'a> {
    task: &'a Task,
    answers: &'a Oracle,
    before: Option<&'a Before<'a>>,
}

/// A task was done.
struct Done {
    machine: Machine,
    /// What is to be done then.
    next: Vec<Task>,
    /// The moments at which the power could have gone.
    cuts: Vec<(Machine, Task)>,
}

impl Situation<'_> {
    /// Does the task, when what a cut has left is what `answers` says.
    fn run(&self, begin: i64, answers: Oracle) -> Done {
        let mut machine = self.machine.clone();
        machine.oracle = answers;
        let disk = Disk::new(machine);
        let when_cut = self.task.when_cut().filter(|_| self.more > 0);
        if when_cut.is_some() {
            disk.record();
        }
        // The same is done at the same time, and with the same ids, however it came to be done.
        let done = catch_unwind(AssertUnwindSafe(|| moment::at(begin + 1000 * self.depth, || self.task.run(&disk))));
        let mut machine = disk.machine();
        match done {
            Ok(next) => {
                let cuts = when_cut
                    .map_or_else(Vec::new, |expected| Run { calls: 0, moments: disk.recorded(), expected }.cuts());
                if self.task.is_last_to_be_cut() {
                    // What was removed can be forgotten: what a cut brings back of it is seen by the cuts above. So all that
                    // differs in nothing else goes on as one.
                    machine.sync_removals();
                }
                Done { machine, next, cuts }
            }
            Err(panic) => {
                self.describe(&machine.oracle);
                resume_unwind(panic)
            }
        }
    }

    /// What comes next.
    fn then<'a>(&self, before: &'a Before<'a>, machine: Machine, task: Task) -> Situation<'a> {
        Situation { machine, task, more: self.more, depth: self.depth + 1, before: Some(before) }
    }

    /// Prints how it came to this.
    fn describe(&self, answers: &Oracle) {
        let mut steps = vec![(self.task.context(), answers.describe())];
        let mut before = self.before;
        while let Some(Before { task, answers, before: earlier }) = before {
            steps.push((task.context(), answers.describe()));
            before = *earlier;
        }
        for (context, answers) in steps.into_iter().rev() {
            eprintln!("{context}; what was found to be left:\n{answers}");
        }
    }

    /// The same for situations from which the same follows.
    fn signature(&self) -> Sha256 {
        let mut signature = Signature(digest::Hasher::new());
        (&self.machine, &self.task, self.more, self.depth).hash(&mut signature);
        signature.0.finish()
    }
}

/// Hashes without collisions.
struct Signature(digest::Hasher);

impl Hasher for Signature {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the whole digest is asked for")
    }
}

/// Goes through situations.
struct Explorer {
    extent: Extent,
    /// How many there were of each moment and task.
    met: HashMap<(u64, Discriminant<Task>), u64>,
    /// The time of the first task.
    begin: i64,
    /// Those that were come upon.
    known: HashSet<Sha256>,
    count: Count,
}

impl Explorer {
    fn new(extent: Extent) -> Self {
        let (begin, known, count) = (moment::later(), HashSet::new(), Count::default());
        Self { extent, met: HashMap::new(), begin, known, count }
    }

    /// Whether a situation is in the share that is gone through, and what chance will have of its answers.
    fn is_wanted(&mut self, situation: &Situation<'_>, signature: Sha256) -> (bool, Option<fastrand::Rng>) {
        let Extent::Share { seed } = self.extent else { return (true, None) };
        let mut chosen_by = DefaultHasher::new();
        (signature, seed).hash(&mut chosen_by);
        let mut random = fastrand::Rng::with_seed(chosen_by.finish());
        if matches!(situation.task, Task::Cut(_)) {
            return (true, Some(random));
        }
        let met = self.met.entry((self.count.moments, std::mem::discriminant(&situation.task))).or_default();
        let every = *met / FEW + 1;
        *met += 1;
        (random.u64(..every) == 0, Some(random))
    }

    /// Does a situation's task with every possible answer, and then everything that is to be done after it.
    fn explore(&mut self, situation: &Situation<'_>) {
        let signature = situation.signature();
        if !self.known.insert(signature) {
            return;
        }
        let (true, mut random) = self.is_wanted(situation, signature) else { return };
        if matches!(situation.task, Task::Cut(_)) {
            self.count.moments += 1;
            self.count.states += situation.machine.states().exp2();
        }
        let mut answers = Oracle::default();
        for number in 1.. {
            let Done { machine, next, cuts } = situation.run(self.begin, answers);
            self.count.cases += 1;
            let before = Before { task: &situation.task, answers: &machine.oracle, before: situation.before };
            for task in next {
                self.explore(&situation.then(&before, machine.clone(), task));
            }
            for (machine, task) in cuts {
                let cut = situation.then(&before, machine, task);
                self.explore(&Situation { more: cut.more - 1, ..cut });
            }
            answers = machine.oracle;
            if let Some(random) = random.as_mut().filter(|_| number > FEW) {
                answers.skip(random);
            }
            if !answers.advance() {
                return;
            }
        }
    }
}

/// Prints a line of figures.
pub(crate) fn report(what: &str, count: Count, took: Duration) {
    let Count { calls, moments, cases, states } = count;
    println!(
        "{what}: {calls} calls, {moments} cuts, {cases} cases for {states:.3e} states, {:.1} s",
        took.as_secs_f64()
    );
}

/// The same for what is still to be done.
pub(crate) fn timed(what: &str, explore: impl FnOnce() -> Count) -> Count {
    let begin = Instant::now();
    let count = explore();
    report(what, count, begin.elapsed());
    count
}
