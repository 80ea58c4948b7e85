//! Contestants side by side: each round runs all of them in turn, so that whatever else the machine does hits all alike.

use std::fmt;
use std::time::{Duration, Instant};

/// What does the same work in one of several ways: runs once, and says how long the work took.
pub(crate) struct Contestant<'a> {
    name: String,
    run: Box<dyn FnMut(usize) -> Duration + 'a>,
}

impl<'a> Contestant<'a> {
    /// Times all of `work`, which is told the number of the round.
    pub(crate) fn new(name: impl Into<String>, mut work: impl FnMut(usize) + 'a) -> Self {
        Self::timed(name, move |round| {
            let begin = Instant::now();
            work(round);
            begin.elapsed()
        })
    }

    /// `work` says itself how long it took: for what happens in another process.
    pub(crate) fn timed(name: impl Into<String>, work: impl FnMut(usize) -> Duration + 'a) -> Self {
        Self { name: name.into(), run: Box::new(work) }
    }
}

/// A target for the ratio of a contestant to the first.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// Runs all contestants in turn and prints a table. The first one is what the others are compared with.
pub(crate) fn race(title: &str, rounds: usize, mut contestants: Vec<Contestant<'_>>, targets: &[(&str, Target)]) {
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); contestants.len()];
    // The first rounds warm up caches and are not counted.
    let warm_up = (rounds / 10).max(1);
    for round in 0..warm_up + rounds {
        for turn in 0..contestants.len() {
            // Whoever comes after another contestant finds its dirty pages: each comes after each.
            let index = (turn + round) % contestants.len();
            let time = (contestants[index].run)(round).as_secs_f64() * 1e3;
            if round >= warm_up {
                times[index].push(time);
            }
        }
    }
    println!("\n{title}: {rounds} rounds, ms");
    println!("  {:44} {:>9} {:>9} {:>9}   ratio (quartiles)", "", "median", "25 %", "75 %");
    for (index, contestant) in contestants.iter().enumerate() {
        let ratios = times[index].iter().zip(&times[0]).map(|(time, base)| time / base).collect();
        let (time, ratio) = (Spread::of(times[index].clone()), Spread::of(ratios));
        print!("  {:44} {:9.3} {:9.3} {:9.3}", contestant.name, time.median, time.low, time.high);
        print!("   {:.2} ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high);
        match targets.iter().find(|(name, _)| *name == contestant.name) {
            Some((_, target)) => println!("   {}", target.verdict(ratio.median)),
            None => println!(),
        }
    }
}

impl Target {
    /// What the figure says about the target.
    pub(crate) fn verdict(self, found: f64) -> String {
        let (met, wanted) = match self {
            Target::AtMost(limit) => (found <= limit, format!("at most {limit}")),
            Target::AtLeast(limit) => (found >= limit, format!("at least {limit}")),
        };
        format!("target {wanted}: {}", if met { "met" } else { "MISSED" })
    }
}

/// The middle of measured values and where the middle half of them lies.
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
    sorted: Vec<f64>,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let (low, median, high) = (at(0.25), at(0.5), at(0.75));
        Self { low, median, high, sorted: values }
    }

    /// The value that `share` of all do not exceed.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        self.sorted[((self.sorted.len() - 1) as f64 * share).round() as usize]
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.low, self.high)
    }
}
