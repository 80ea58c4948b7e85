//! `kill -9` at random moments of every command that writes, while others read: in the process, and over HTTP.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use lastgood::Feed;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::name::DatasetName;
use lastgood_tests::server::{Server, Software};
use lastgood_tests::{Ran, TestFeed, sample};

use crate::reading::{Stop, payload, round_of};

const NAMES: [&str; 2] = ["performance", "transactions"];
const PUBLISH: &[&str] = &["publish", "performance=performance.in", "transactions=transactions.in"];
const ROLLBACK: &[&str] = &["rollback", "performance", "transactions"];
/// The grace is long for a reader and short for a test.
const GC: &[&str] = &["gc", "--keep", "3", "--grace", "2s"];
const RECOVER: &[&str] = &["recover"];
const REPAIR: &[&str] = &["verify", "--repair"];
/// Of a dataset of its own, which nobody reads: so these can be done again and again.
const REMOVE: &[&str] = &["remove", "passing"];
const PURGE: &[&str] = &["purge", "passing", "--all-before"];
/// A publish is what happens most.
const VICTIMS: [&[&str]; 10] = [PUBLISH, PUBLISH, PUBLISH, ROLLBACK, ROLLBACK, GC, RECOVER, REPAIR, REMOVE, PURGE];

fn prepare(feed: &TestFeed, round: u64) {
    for dataset in NAMES {
        feed.input(&format!("{dataset}.in"), payload(dataset, round));
    }
}

/// The command, when there is something for it to do.
fn ready(feed: &TestFeed, victim: &'static [&'static str], round: u64) -> Vec<String> {
    let mut command: Vec<String> = victim.iter().map(|argument| (*argument).to_owned()).collect();
    if victim == REMOVE || victim == PURGE {
        for payload in [round, round + 1] {
            feed.input("passing.in", payload.to_string());
            feed.run(&["publish", "passing=passing.in"]).expect(0);
        }
    }
    if victim == PURGE {
        command.push(feed.manifest()["generation"].to_string());
    }
    command
}

/// Both datasets are of one round and whole, and the generation has not gone back. Returns the generation.
#[track_caller]
fn check(generation: u64, last: u64, payloads: [&[u8]; 2]) -> u64 {
    assert!(generation >= last, "the generation went back from {last} to {generation}");
    let rounds = [round_of(NAMES[0], payloads[0]), round_of(NAMES[1], payloads[1])];
    assert_eq!(rounds[0], rounds[1], "generation {generation} has two rounds");
    generation
}

/// Reads verified snapshots, and plain copies as a page without lastgood does.
fn read_natively(feed: &TestFeed, stop: &AtomicBool) -> u64 {
    let opened = Feed::open(feed.dir());
    let names = NAMES.map(|name| DatasetName::parse(name).unwrap());
    let (mut reads, mut last) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let snapshot = opened.snapshot(&names).expect("the feed can always be read");
        last = check(snapshot[0].generation.get(), last, [&snapshot[0].value, &snapshot[1].value]);
        for name in NAMES {
            round_of(name, &feed.read(&format!("{name}.json")));
        }
        reads += 1;
    }
    reads
}

/// Reads the manifest and what it names from a server.
fn read_over_http(server: &Server, stop: &AtomicBool) -> u64 {
    let (mut reads, mut last) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let manifest = server.get("/data/manifest.json", &[]);
        assert_eq!(manifest.status, 200, "there always is a manifest");
        let manifest = Manifest::verify(&manifest.body).expect("it is whole");
        let payloads = NAMES.map(|name| {
            let entry = &manifest.datasets[&DatasetName::parse(name).unwrap()];
            let object = server.get(&format!("/data/objects/{}.json", entry.sha256), &[]);
            assert_eq!(object.status, 200, "what the manifest names is there");
            assert_eq!(Sha256::of(&object.body), entry.sha256);
            object.body
        });
        last = check(manifest.generation.get(), last, [&payloads[0], &payloads[1]]);
        reads += 1;
    }
    reads
}

/// How long the command takes here: only to spread the kills, nothing hangs on it.
fn usual(feed: &TestFeed, victim: &'static [&'static str]) -> Duration {
    let timed = |round: u64| {
        let command = ready(feed, victim, 10 * round);
        let begin = Instant::now();
        feed.run(&command.iter().map(String::as_str).collect::<Vec<_>>()).expect(0);
        begin.elapsed()
    };
    (0..3).map(timed).max().unwrap()
}

/// Kills `command` after a while.
fn kill_after(mut command: Command, moment: Duration) -> Option<i32> {
    use std::process::Stdio;
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < moment {
        thread::yield_now();
    }
    child.kill().unwrap();
    Ran::end_of(child).code
}

#[test]
fn killed_at_random_moments() {
    let kills: u32 = env::var("LASTGOOD_TEST_KILLS").map_or(60, |kills| kills.parse().expect("a number of kills"));
    let seed = sample::seed();
    println!("LASTGOOD_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut order: Vec<u32> = (0..kills).collect();
    random.shuffle(&mut order);
    let feed = TestFeed::new();
    // For the server.
    fs::create_dir(feed.root().join("site")).unwrap();
    let mut round = 0;
    for _ in 0..4 {
        round += 1;
        prepare(&feed, round);
        feed.run(PUBLISH).expect(0);
    }
    let usual = VICTIMS.map(|victim| usual(&feed, victim));
    let server = Server::start(Software::Lastgood, feed.root());
    let stop = AtomicBool::new(false);
    let (mut killed, mut ended, mut begun, begin) = (0, 0, 0, Instant::now());
    let (native, http) = thread::scope(|scope| {
        let native = scope.spawn(|| read_natively(&feed, &stop));
        let http = scope.spawn(|| read_over_http(&server, &stop));
        let stop = Stop(&stop);
        for number in 0..kills {
            round += 1;
            prepare(&feed, round);
            let victim = random.usize(..VICTIMS.len());
            let known = feed.manifest()["generation"].clone();
            let command = ready(&feed, VICTIMS[victim], round);
            let before = feed.manifest()["generation"].as_u64().unwrap();
            begun *= u64::from(known == before);
            // From at once to a little after the usual end, each moment as often as any other.
            let share = (f64::from(order[number as usize]) + random.f64()) / f64::from(kills);
            let moment = usual[victim].mul_f64(share * 1.2);
            let context = format!("seed {seed}, kill {number} of {:?} after {moment:?}", VICTIMS[victim]);
            match kill_after(feed.command(&command.iter().map(String::as_str).collect::<Vec<_>>()), moment) {
                None => killed += 1,
                Some(0) => ended += 1,
                Some(code) => panic!("{context}: exit code {code}"),
            }
            let after = feed.manifest()["generation"].as_u64().unwrap();
            // Each kill since then may have begun a commit, whose number is left out (I5).
            assert!((before..=before + 1 + begun).contains(&after), "{context}: {before} became {after}");
            begun = if after > before { 0 } else { begun + 1 };
            // Whatever comes next puts things in order.
            let next = [PUBLISH, RECOVER, GC, ROLLBACK][random.usize(..4)];
            if next == PUBLISH {
                round += 1;
                prepare(&feed, round);
            }
            let ran = feed.run(next);
            assert_eq!(ran.code, Some(0), "{context}, then {next:?}: {}", ran.stderr);
            feed.expect_clean();
            begun *= u64::from(feed.manifest()["generation"] == after);
        }
        drop(stop);
        (native.join().unwrap(), http.join().unwrap())
    });
    let seconds = begin.elapsed().as_secs();
    println!(
        "{kills} kills: {killed} in time, {ended} after the end; {native} native and {http} HTTP readings, all of one whole \
         generation; {seconds} s, seed {seed}"
    );
    assert!(native > 0 && http > 0 && killed > 0);
}
