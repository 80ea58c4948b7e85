//! `cargo xtask fuzz`: coverage-guided fuzzing, see `fuzz/src/lib.rs`.

mod report;

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, bail, ensure};

use self::report::Report;
use crate::{
    process::{self, ProcessError, Running},
    progress::step,
    setup, workspace,
};

/// What rustc is to do for libFuzzer: count edges, and tell what is compared with what. Unlike the sanitizers, this needs no
/// nightly compiler.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The longest input, the longest time for one in seconds, and the most memory in MB, beside what targets themselves allow.
const LIMITS: [&str; 3] = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"];

/// Look for inputs that make something fail: coverage-guided fuzzing
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to fuzz, see fuzz/src/lib.rs; everything without any
    targets: Vec<String>,
    /// How long each target is fuzzed
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// How many targets are fuzzed at a time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Instead, take what has been found into the committed corpora, and leave out what adds nothing
    #[arg(long)]
    merge: bool,
}

/// Fuzzes, or minimises the corpora.
pub(crate) fn run(args: &Args) -> Result<()> {
    let targets = targets(&args.targets)?;
    let fuzzer = build()?;
    if args.merge {
        return targets.iter().try_for_each(|target| merge(&fuzzer, target));
    }
    fuzz(&fuzzer, &targets, args.seconds, args.jobs)
}

/// Those that are asked for. Each has a corpus, which a test sees to.
fn targets(asked: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for entry in fs::read_dir(workspace::path("fuzz/corpus")).context("cannot list the targets")? {
        known.push(entry?.file_name().to_string_lossy().into_owned());
    }
    known.sort_unstable();
    if asked.is_empty() {
        return Ok(known);
    }
    if let Some(unknown) = asked.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    Ok(asked.to_vec())
}

/// Builds the program. In an ordinary build nothing is instrumented, and libFuzzer, which is C++, is not needed.
fn build() -> Result<PathBuf> {
    setup::cpp_compiler(setup::Install::Allowed)?;
    step("build the fuzzer", || {
        let version = process::capture(Command::new("rustc").arg("-vV").current_dir(workspace::root()))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
        let mut cargo = workspace::cargo();
        // For a target, even if it is this machine: build scripts and macros are not instrumented then.
        cargo.args(["build", "--package", "lastgood-fuzz", "--bin", "fuzz", "--features", "libfuzzer"]);
        cargo.args(["--profile", "fuzz", "--target", host]).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
        process::run(&mut cargo)?;
        Ok(workspace::target(host).join("fuzz/fuzz"))
    })
}

fn fuzz(fuzzer: &Path, targets: &[String], seconds: u32, jobs: usize) -> Result<()> {
    let waiting = Mutex::new(targets.iter().collect::<VecDeque<_>>());
    let work = || -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        // In a statement of its own, so that the list is free while a target is fuzzed.
        while let Some(target) = { waiting.lock().expect("nothing panics while it is held").pop_front() } {
            reports.push(fuzz_one(fuzzer, target, seconds)?);
        }
        Ok(reports)
    };
    println!("{}", Report::HEADER);
    let reports = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let reports = workers.into_iter().map(|worker| worker.join().expect("a worker has no reason to panic"));
        reports.collect::<Result<Vec<_>>>()
    })?;
    let reports: Vec<Report> = reports.into_iter().flatten().collect();
    println!("{} executions", reports.iter().map(|report| report.executions).sum::<u64>());
    let failed: Vec<_> = reports.iter().filter_map(Report::failure).collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// Fuzzes a target and prints what came of it.
fn fuzz_one(fuzzer: &Path, target: &str, seconds: u32) -> Result<Report> {
    let found = found(target)?;
    let log = workspace::target("fuzz").join(format!("{target}.log"));
    let mut command = libfuzzer(fuzzer, target);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg("-print_final_stats=1")
        .args([&found, &corpus(target)])
        .stderr(fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?);
    let dictionary = workspace::path("fuzz/dictionaries").join(target).with_extension("dict");
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let ended = Running::start(&mut command)?.wait_for_success();
    if let Err(error @ ProcessError::Interrupted) = ended {
        return Err(error.into());
    }
    let report = Report::read(target, &String::from_utf8_lossy(&fs::read(&log)?));
    println!("{report}");
    // That it ended with a finding is told with the others.
    if let (Err(error), None) = (ended, report.failure()) {
        let problem = format!("libFuzzer failed without a finding; see {}", log.display());
        return Err(anyhow::Error::from(error).context(problem));
    }
    Ok(report)
}

fn merge(fuzzer: &Path, target: &str) -> Result<()> {
    let (corpus, merged) = (corpus(target), workspace::target("fuzz").join("merged"));
    let _ = fs::remove_dir_all(&merged);
    fs::create_dir_all(&merged)?;
    let mut command = libfuzzer(fuzzer, target);
    // What is reached counts, not how often: a corpus of some hundred inputs is replayed by every test.
    command.args(["-merge=1", "-use_counters=0"]).args([&merged, &corpus, &found(target)?]).stderr(Stdio::null());
    process::run(&mut command)?;
    for entry in fs::read_dir(&corpus)? {
        let entry = entry?;
        // What has a name that people have given it was put there on purpose.
        let name = entry.file_name();
        if name.len() == 40 && name.to_string_lossy().bytes().all(|byte| byte.is_ascii_hexdigit()) {
            fs::remove_file(entry.path())?;
        }
    }
    let (mut inputs, mut bytes) = (0, 0);
    for entry in fs::read_dir(&merged)? {
        let entry = entry?;
        bytes += fs::copy(entry.path(), corpus.join(entry.file_name()))?;
        inputs += 1;
    }
    println!("{target:10} {inputs:5} inputs, {bytes:8} bytes");
    Ok(())
}

fn libfuzzer(fuzzer: &Path, target: &str) -> Command {
    // The lowest priority: this takes every processor that it gets, for a long time.
    let mut command = Command::new("nice");
    command.args(["-n", "10"]).arg(fuzzer).args(LIMITS);
    // Where inputs that make something fail are put, also those that a merge comes upon; otherwise it is wherever this runs.
    let artifacts = workspace::target("fuzz").join(format!("{target}-"));
    command.arg(format!("-artifact_prefix={}", artifacts.display()));
    command.env("LASTGOOD_FUZZ_TARGET", target).env("RUST_BACKTRACE", "1").stdout(Stdio::null());
    command
}

fn corpus(target: &str) -> PathBuf {
    workspace::path("fuzz/corpus").join(target)
}

/// Where the inputs are kept that were found on this machine.
fn found(target: &str) -> Result<PathBuf> {
    let found = workspace::target("fuzz").join("found").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot create {}", found.display()))?;
    Ok(found)
}
