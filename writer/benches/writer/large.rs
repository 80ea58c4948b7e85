//! A payload of 1 GiB, and CSV: memory and throughput of the whole process.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::data;
use crate::measure::{Contestant, Spread, Target, race};

const GIB: u64 = 1 << 30;

pub(crate) fn payload(dir: &Path, rounds: usize) {
    let input = dir.join("large.json");
    write_large(&input);
    let mut memory = Vec::new();
    let contestants = vec![
        Contestant::new("copy and fsync of the same file", |_| {
            let copy = dir.join("copy.json");
            fs::copy(&input, &copy).expect("the file is copied");
            File::open(&copy).and_then(|file| file.sync_all()).expect("the copy is synced");
            fs::remove_file(&copy).expect("the copy is removed");
        }),
        Contestant::timed("publish without plain copies", |_| {
            let (time, kib) = publish(dir, &input, &["--no-plain-copies"]);
            memory.push(kib);
            time
        }),
        Contestant::timed("publish with plain copies", |_| publish(dir, &input, &[]).0),
    ];
    let targets =
        [("publish without plain copies", Target::AtMost(1.67)), ("publish with plain copies", Target::AtMost(1.67))];
    race("payload of 1 GiB, compression off (0.6 of the throughput is a ratio of 1.67)", rounds, contestants, &targets);
    let peak = memory.into_iter().fold(0.0, f64::max) / 1024.0;
    println!("  peak memory {peak:.1} MiB   {}", Target::AtMost(48.0).verdict(peak));
    fs::remove_file(&input).expect("the input is removed");
}

fn write_large(path: &Path) {
    let rows = data::rows(1 << 20);
    let inner = &rows[1..rows.len() - 1];
    let mut file = BufWriter::new(File::create(path).expect("the input is made"));
    let mut written = 1;
    file.write_all(b"[").expect("the input is written");
    while written + (inner.len() as u64) < GIB {
        if written > 1 {
            file.write_all(b",").expect("the input is written");
        }
        file.write_all(inner).expect("the input is written");
        written += inner.len() as u64 + 1;
    }
    file.write_all(b"]").expect("the input is written");
    file.into_inner().expect("the input is written").sync_all().expect("the input is synced");
}

/// The time that a publish into a new feed takes, and its peak memory in KiB.
fn publish(dir: &Path, input: &Path, extra: &[&str]) -> (Duration, f64) {
    let feed = dir.join("large-feed");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastgood"));
    command.arg("publish").arg(format!("large={}", input.display())).args(["--no-compress", "--max-bytes", "4GiB"]);
    let measured = run(command.args(extra).arg("--dir").arg(&feed));
    fs::remove_dir_all(&feed).expect("the feed is removed");
    measured
}

fn run(command: &mut Command) -> (Duration, f64) {
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("the process starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    let ended = loop {
        // The kernel keeps the peak itself, so looking now and then is enough.
        if let Some(kib) = fs::read_to_string(&status).ok().as_deref().and_then(peak_kib) {
            peak = kib;
        }
        match child.try_wait().expect("the process is ours") {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    assert!(ended.success(), "{command:?}: {ended}");
    (begin.elapsed(), peak)
}

fn peak_kib(status: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// CSV to JSON, end to end: both passes over the input, checks, hash, fsync.
pub(crate) fn csv(dir: &Path, rounds: usize) {
    let input = dir.join("rows.csv");
    let bytes = write_csv(&input, 200 << 20);
    let (mut rates, mut peak) = (Vec::new(), 0.0_f64);
    for _ in 0..rounds {
        let feed = dir.join("csv-feed");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lastgood"));
        command.arg("publish").arg(format!("rows={}", input.display()));
        command.args(["--format", "csv", "--no-compress", "--no-plain-copies", "--max-bytes", "4GiB"]);
        let (time, kib) = run(command.arg("--dir").arg(&feed));
        rates.push(bytes as f64 / 1e6 / time.as_secs_f64());
        peak = peak.max(kib / 1024.0);
        fs::remove_dir_all(&feed).expect("the feed is removed");
    }
    fs::remove_file(&input).expect("the input is removed");
    let rate = Spread::of(rates);
    println!("\nCSV of {:.0} MB to JSON, whole process: {rounds} rounds", bytes as f64 / 1e6);
    println!("  {rate} MB/s   {}", Target::AtLeast(150.0).verdict(rate.median));
    println!("  peak memory {peak:.1} MiB");
}

fn write_csv(path: &Path, bytes: u64) -> u64 {
    let mut file = BufWriter::new(File::create(path).expect("the input is made"));
    let mut written = file.write(b"id,day,symbol,open,high,low,close,volume,active,note\n").expect("it is written");
    let mut row = 0_u32;
    while (written as u64) < bytes {
        let price = f64::from(row.wrapping_mul(2_654_435_761) % 1_000_000) / 100.0;
        let note = if row.is_multiple_of(5) { "\"up, and \"\"away\"\"\"" } else { "as usual" };
        let line = format!(
            "{row},2026-10-{:02}T08:00:00Z,SYM{},{price:.2},{:.2},{:.2},{price:.3},{},{},{note}\n",
            row % 28 + 1,
            row % 500,
            price + 1.0,
            price - 1.0,
            row.wrapping_mul(7919) % 1_000_000,
            row.is_multiple_of(2),
        );
        file.write_all(line.as_bytes()).expect("it is written");
        written += line.len();
        row += 1;
    }
    file.flush().expect("it is written");
    written as u64
}
