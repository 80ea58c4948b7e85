//! Contestants side by side: each round runs all of them, in an order of its own, so that whatever else the machine does
//! hits all alike.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU16, Ordering};

use lastgood_tests::browser::{Browser, Engine, Profile};

use crate::comparisons::{Comparison, Contestant, Figure, Visitor, Work};
use crate::data::Sites;
use crate::measure::{self, Sample};
use crate::server::Server;

/// Runs a comparison in a browser and prints its table.
pub(crate) fn run(comparison: &Comparison, engine: Engine, sites: &Sites, rounds: usize) {
    let browser = Browser::start(engine, Profile::Default);
    let server = if comparison.name == "many" { &sites.many } else { &sites.few };
    let race = Race { comparison, server, uncompressed: &sites.uncompressed, browser };
    race.prepare();
    // The first rounds warm up the engine's caches and compilers and are not counted.
    let warm_up = (rounds / 10).max(2);
    let mut samples = vec![Vec::with_capacity(rounds); comparison.contestants.len()];
    for round in 0..warm_up + rounds {
        for contestant in shuffled(comparison.contestants.len()) {
            let sample = race.sample(&comparison.contestants[contestant]);
            if round >= warm_up {
                samples[contestant].push(sample);
            }
        }
    }
    let what = match comparison.figure {
        Figure::MainThread if race.browser.main_thread_ms().is_some() => "processor time of the main thread",
        _ => "time",
    };
    measure::print(comparison, engine, what, &samples);
}

struct Race<'a> {
    comparison: &'a Comparison,
    server: &'a Server,
    uncompressed: &'a Server,
    browser: Browser,
}

impl Race<'_> {
    fn prepare(&self) {
        match self.comparison.work {
            Work::Calls(_) => {
                self.browser.open(&format!("{}bench.html", self.server.address(self.comparison.route, 0)));
                self.browser.wait_until("document.body.dataset.ready");
                self.browser.get::<()>(&format!("await bench.setup({:?})", self.comparison.name));
            }
            Work::Visit(Visitor::Returning) => {
                for contestant in self.comparison.contestants {
                    self.visit(0, contestant);
                }
            }
            Work::Visit(Visitor::New) => {}
        }
    }

    fn server_of(&self, contestant: &Contestant) -> &Server {
        if contestant.compressed { self.server } else { self.uncompressed }
    }

    fn sample(&self, contestant: &Contestant) -> Sample {
        let server = self.server_of(contestant);
        let before = server.sent();
        let (ms, runs) = match self.comparison.work {
            Work::Visit(Visitor::Returning) => (self.visit(0, contestant), 1),
            Work::Visit(Visitor::New) => {
                // Browsers are used again for the next comparison.
                static HOSTS: AtomicU16 = AtomicU16::new(1);
                (self.visit(HOSTS.fetch_add(1, Ordering::Relaxed), contestant), 1)
            }
            Work::Calls(runs) => (self.call(contestant.id, runs), runs),
        };
        let after = server.sent();
        let mean = |before: u64, after: u64| (after - before) as f64 / runs as f64;
        Sample { ms, bytes: mean(before.bytes, after.bytes), requests: mean(before.responses, after.responses) }
    }

    fn call(&self, contestant: &str, runs: usize) -> f64 {
        let before = self.browser.main_thread_ms();
        let ms = self.browser.get(&format!("return bench.sample({contestant:?}, {runs})"));
        match (self.comparison.figure, before, self.browser.main_thread_ms()) {
            (Figure::MainThread, Some(before), Some(after)) => (after - before) / runs as f64,
            _ => ms,
        }
    }

    fn visit(&self, host: u16, contestant: &Contestant) -> f64 {
        self.browser.open("about:blank");
        let address = self.server_of(contestant).address(self.comparison.route, host);
        self.browser.open(&format!("{address}{}.html", contestant.id));
        self.browser.wait_until("document.body.dataset.ready");
        self.browser.get("return first")
    }
}

/// All indexes below `count`, in random order.
fn shuffled(count: usize) -> Vec<usize> {
    let random = RandomState::new();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(|index| random.hash_one(index));
    order
}
