//! What was measured, and how it is told.

use lastgood_tests::browser::Engine;

use crate::comparisons::Comparison;

/// What one sample of a contestant cost, on average of its runs.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Time in milliseconds.
    pub(crate) ms: f64,
    /// What came over the wire, headers included.
    pub(crate) bytes: f64,
    pub(crate) requests: f64,
}

/// A target for a contestant.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// For its ratio to what it is compared with, in Chromium, Firefox and WebKitGTK.
    AtMost([f64; 3]),
    /// For the same.
    AtLeast([f64; 3]),
    /// For what it does with a payload of 1 MB.
    MegabytesPerSecond(f64),
}

impl Target {
    fn verdict(self, engine: Engine, ratio: f64, ms: f64) -> String {
        let of = |[chromium, firefox, webkit]: [f64; 3]| match engine {
            Engine::Chromium => chromium,
            Engine::Firefox => firefox,
            Engine::WebKit => webkit,
        };
        let (met, wanted) = match self {
            Self::AtMost(limits) => (ratio <= of(limits), format!("at most {}", of(limits))),
            Self::AtLeast(limits) => (ratio >= of(limits), format!("at least {}", of(limits))),
            Self::MegabytesPerSecond(limit) => {
                let found = 1e3 / ms;
                (found >= limit, format!("{limit} MB/s, found {found:.0}"))
            }
        };
        format!("target {wanted}: {}", if met { "met" } else { "MISSED" })
    }
}

/// Prints the table of a comparison; `samples` has a list for each contestant, with an entry for each round.
pub(crate) fn print(comparison: &Comparison, engine: Engine, what: &str, samples: &[Vec<Sample>]) {
    println!("\n{}: {} rounds, {what} in ms", comparison.title, samples[0].len());
    println!(
        "  {:38} {:>9} {:>9} {:>9}  {:23} {:>9} {:>8}",
        "", "median", "25 %", "75 %", "ratio (quartiles)", "KB", "requests"
    );
    for (contestant, own) in comparison.contestants.iter().zip(samples) {
        let times = Spread::of(own.iter().map(|sample| sample.ms));
        let base = contestant.against.unwrap_or(comparison.contestants[0].id);
        let (base, samples_of_base) = comparison
            .contestants
            .iter()
            .zip(samples)
            .find(|(other, _)| other.id == base)
            .expect("contestants are compared with one another");
        let ratio = Spread::of(own.iter().zip(samples_of_base).map(|(sample, base)| sample.ms / base.ms));
        let (bytes, requests) = (
            Spread::of(own.iter().map(|sample| sample.bytes)).median / 1e3,
            Spread::of(own.iter().map(|sample| sample.requests)).median,
        );
        print!("  {:38} {:9.3} {:9.3} {:9.3}", contestant.title, times.median, times.low, times.high);
        print!("  {:23}", format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high));
        print!(" {bytes:9.1} {requests:8.1}");
        if let Some(target) = contestant.target {
            print!("  {}", target.verdict(engine, ratio.median, times.median));
        }
        if contestant.against.is_some() {
            print!(" of {}", base.title);
        }
        println!();
    }
}

/// The middle of measured values and where the middle half of them lies.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}
