//! Goes through the moments at which the power can go, and through everything that it can then leave.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::disk::{Disk, Moment};
use crate::expected::{Expected, Recovery};
use crate::machine::{Model, Oracle};
use crate::scenarios::{Scenario, Scene};

/// What was gone through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// The calls that changed something, before each of which the power can go.
    pub(crate) calls: u64,
    /// The moments at which it was cut: those that cover all.
    pub(crate) moments: u64,
    /// The cases: what was left, as far as anybody looked.
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

/// Cuts the power at every moment of an operation, and goes through everything that each cut can leave.
pub(crate) fn exhaust(scenario: &Scenario, model: Model, cuts: Cuts) -> Count {
    let run = Run::of(scenario, model);
    let mut count = Count { calls: run.calls, ..Count::default() };
    for (number, moment) in run.moments.iter().enumerate() {
        let expected = run.expected_at(number);
        let mut again = Count::default();
        let mut cut_again = |run: Run, new: usize| {
            for (number, moment) in run.moments.iter().enumerate().skip(new) {
                again += cut(moment, &run.expected_at(number), None);
            }
        };
        count += cut(moment, &expected, (cuts == Cuts::Twice).then_some(&mut cut_again));
        count += again;
    }
    count
}

/// Cuts the power by chance: at some moment of an operation, with something left, then while the feed is put in order, and
/// so on. Everything follows from the seed.
pub(crate) fn sample(scenario: &Scenario, model: Model, seed: u64) -> Count {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut run = Run::of(scenario, model);
    let mut count = Count { calls: run.calls, ..Count::default() };
    loop {
        let number = random.usize(..run.moments.len());
        let oracle = Oracle::random(random.u64(..));
        let (_, next) = one(&run.moments[number], &run.expected_at(number), oracle, true);
        count.moments += 1;
        count.cases += 1;
        if random.u8(..3) == 0 {
            return count;
        }
        run = next;
    }
}

/// Something that was done to a feed, and every moment of it.
pub(crate) struct Run {
    calls: u64,
    moments: Vec<Moment>,
    before: Expected,
    /// What is expected at the end, when success was reported.
    after: Expected,
}

impl Run {
    fn of(scenario: &Scenario, model: Model) -> Self {
        let Scene { machine, generation, stages, unchanging, damaged } = scenario.scene(model);
        let disk = Disk::new(machine);
        disk.record();
        scenario.act.run(&disk).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        let context = format!("{}, {model:?}", scenario.name);
        let before = Expected { generation, stages, reported: false, unchanging, damaged, context };
        Self { calls: disk.changes(), moments: disk.recorded(), after: before.when_reported(), before }
    }

    fn expected_at(&self, number: usize) -> Expected {
        let expected = if number + 1 == self.moments.len() { &self.after } else { &self.before };
        let context = format!("{}, cut before {}", expected.context, self.moments[number].call);
        Expected { context, ..expected.clone() }
    }
}

/// Goes through everything that a cut at this moment can leave. `recovered` is told how the feed was put in order each
/// time, and from which moment on that is new.
pub(crate) fn cut(moment: &Moment, expected: &Expected, mut recovered: Option<&mut dyn FnMut(Run, usize)>) -> Count {
    let mut count = Count { moments: 1, states: moment.machine.states().exp2(), ..Count::default() };
    let (mut oracle, mut same) = (Oracle::default(), 0);
    loop {
        let (mut asked, run) = one(moment, expected, oracle, recovered.is_some());
        count.cases += 1;
        if let Some(recovered) = &mut recovered {
            // What was done before the first answer that is another one now was done the last time as well.
            let new = run.moments.iter().take_while(|moment| moment.machine.oracle.len() <= same).count();
            recovered(run, if count.cases == 1 { 0 } else { new });
        }
        match asked.advance() {
            Some(first) => same = first,
            None => return count,
        }
        oracle = asked;
    }
}

/// One cut: what is left is read and put in order, and everything that must hold is asserted.
pub(crate) fn one(moment: &Moment, expected: &Expected, oracle: Oracle, record: bool) -> (Oracle, Run) {
    let disk = Disk::new(moment.machine.clone().cut(oracle));
    let checked = catch_unwind(AssertUnwindSafe(|| expected.check(&disk, record)));
    let oracle = disk.machine().oracle;
    match checked {
        Ok(Recovery { moments, before }) => (oracle, Run { calls: 0, moments, after: before.when_reported(), before }),
        Err(panic) => {
            eprintln!("{}; what the cut has left:\n{}", expected.context, oracle.describe());
            resume_unwind(panic)
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
