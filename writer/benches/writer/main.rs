//! `cargo xtask bench writer`: figures of the writer, as ratios measured side by side in one run.
//!
//! Nothing here is a test: a ratio that misses its target is said, and what bounds it is in `docs/performance.md`.

#![allow(clippy::disallowed_methods, reason = "benchmarks prepare files, and do by hand what is compared")]

mod data;
mod large;
mod many;
mod marker;
mod measure;
mod peers;
mod publish;
mod writers;

use std::path::Path;

/// A benchmark: its name, what it does, and how many rounds it runs when nothing else is said.
type Bench = (&'static str, fn(&Path, usize), usize);

const BENCHES: [Bench; 8] = [
    ("publish", publish::library, 200),
    ("process", publish::process, 50),
    ("marker", marker::visible, 300),
    ("writers", writers::race, 3),
    ("many", many::one_of_many, 100),
    ("verify", many::verify, 5),
    ("large", large::payload, 3),
    ("csv", large::csv, 5),
];

fn main() {
    if writers::is_writer() {
        return;
    }
    // cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let (rounds, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.parse::<usize>().is_ok());
    let rounds: Option<usize> = rounds.first().map(|rounds| rounds.parse().expect("it was parsed before"));
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|(known, ..)| known != *name)) {
        let known: Vec<&str> = BENCHES.iter().map(|(name, ..)| *name).collect();
        eprintln!("there is no benchmark {unknown}; there are: {}", known.join(", "));
        std::process::exit(2);
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("lastgood {}, {cores} cores", env!("CARGO_PKG_VERSION"));
    for (name, bench, usual) in BENCHES {
        if names.is_empty() || names.iter().any(|wanted| *wanted == name) {
            // In the target directory, which is on a disk where /tmp may be in memory.
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory is made");
            bench(dir.path(), rounds.unwrap_or(usual));
        }
    }
}
