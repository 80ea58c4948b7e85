//! `cargo xtask bench reader`: figures of the reader in real browsers, as ratios measured side by side in one run.
//!
//! Nothing here is a test: a ratio that misses its target is said, and what bounds it is in `docs/performance.md`.

#![allow(clippy::disallowed_methods, reason = "benchmarks prepare files by hand")]

mod comparisons;
mod data;
mod endurance;
mod line;
mod measure;
mod race;
mod server;

use clap::{Parser, ValueEnum};
use lastgood_tests::browser::Engine;

use comparisons::COMPARISONS;
use data::Sites;

/// Measure the reader side by side with what it replaces
#[derive(Parser)]
struct Args {
    /// Only these comparisons [default: all]
    names: Vec<String>,
    /// How many rounds, instead of as many as each needs to be steady
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these browsers [default: all]
    #[arg(long)]
    browser: Vec<Browser>,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Browser {
    Chromium,
    Firefox,
    Webkit,
}

impl Browser {
    fn engine(self) -> Engine {
        match self {
            Self::Chromium => Engine::Chromium,
            Self::Firefox => Engine::Firefox,
            Self::Webkit => Engine::WebKit,
        }
    }
}

fn main() {
    let args = Args::parse();
    let known: Vec<&str> = COMPARISONS.iter().map(|comparison| comparison.name).chain([endurance::NAME]).collect();
    if let Some(unknown) = args.names.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("there is no comparison {unknown}; there are: {}", known.join(", "));
        std::process::exit(2);
    }
    let browsers = if args.browser.is_empty() { Browser::value_variants() } else { &args.browser };
    let sites = Sites::publish();
    for browser in browsers {
        let engine = browser.engine();
        println!("\n{engine:?}");
        let is_wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|wanted| wanted == name);
        for comparison in COMPARISONS.iter().filter(|comparison| is_wanted(comparison.name)) {
            race::run(comparison, engine, &sites, args.rounds.unwrap_or(comparison.rounds));
        }
        if is_wanted(endurance::NAME) {
            endurance::run(engine, &sites);
        }
    }
}
