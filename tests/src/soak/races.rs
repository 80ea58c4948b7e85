//! Publishers, rollbacks, garbage collection and kills against readers of every kind.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lastgood::{Feed, Reader};

use super::ledger::{Ledger, Violation};
use super::readers::{self, Busy, Count};
use super::writers::{self, Done};
use crate::TestFeed;
use crate::server::{Server, Software};

/// What is published.
pub const DATASETS: [&str; 3] = ["small", "middle", "large"];

/// Publishers, rollbacks, gc, recovery and kills against readers of every kind, each reading checked
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many readings to make
    #[arg(long, default_value_t = 1_000_000)]
    pub readings: u64,
    /// Where the random choices come from [default: drawn, and printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Stop after so many minutes, whatever has been read
    #[arg(long)]
    pub minutes: Option<u64>,
}

/// What all who take part share.
pub struct Run {
    pub(super) feed: TestFeed,
    pub(super) ledger: Ledger,
    pub(super) seed: u64,
    /// What each reader may hold.
    pub(super) busy: Vec<Arc<Busy>>,
    wanted: u64,
    until: Option<Instant>,
    readings: AtomicU64,
    stopped: AtomicBool,
    violation: Mutex<Option<Violation>>,
}

impl Run {
    pub(super) fn dir(&self) -> PathBuf {
        self.feed.dir()
    }

    pub(super) fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }

    pub(super) fn read(&self, readings: u64) {
        self.readings.fetch_add(readings, Ordering::Relaxed);
    }

    /// Whether there is more to be done.
    pub(super) fn goes_on(&self) -> bool {
        let over = self.readings() >= self.wanted || self.until.is_some_and(|until| Instant::now() >= until);
        !over && !self.stopped.load(Ordering::Relaxed)
    }

    /// Ends everything; the first violation is told.
    pub(super) fn stop_because(&self, violation: Violation) {
        self.violation.lock().unwrap().get_or_insert(violation);
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn hold_against(&self, checked: Result<(), Violation>) {
        if let Err(violation) = checked {
            self.stop_because(violation);
        }
    }
}

/// Stops the others when one of them panics.
struct StopIfPanicking<'a>(&'a Run);

impl Drop for StopIfPanicking<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop_because(Violation("a thread has panicked; what it says is above".to_owned()));
        }
    }
}

/// What a run has done.
#[derive(Debug)]
pub struct Report {
    /// Where its choices came from.
    pub seed: u64,
    /// How long it took.
    pub duration: Duration,
    /// The readings and those of them that were copies of locked datasets, by kind of reader.
    pub readings: Vec<(&'static str, u64, u64)>,
    /// How many generations were published.
    pub generations: u64,
    /// How many of them were reported; the others are those of publishers that were killed or that nobody asked.
    pub reported: u64,
    /// What else was done.
    pub done: Done,
}

impl Report {
    /// All readings.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.readings.iter().map(|(_, readings, _)| readings).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, duration, readings, generations, reported, done } = self;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        writeln!(f, "{} readings in {duration:.0?}, seed {seed}", self.total())?;
        for (kind, readings, locked) in readings {
            writeln!(f, "  {readings:>9} {kind}; {locked} of them the copy of a locked dataset, as asked for")?;
        }
        writeln!(
            f,
            "{generations} generations, {reported} of them reported; {} rollbacks, {} removals and purges",
            load(&done.rollbacks),
            load(&done.taken_back)
        )?;
        writeln!(
            f,
            "{} processes killed; {} times verify, repair, recover, status, lock",
            load(&done.kills),
            load(&done.maintenance)
        )?;
        writeln!(
            f,
            "{} collections of {} objects; none that a reader could ask for",
            load(&done.collections),
            load(&done.objects)
        )?;
        write!(f, "0 torn, 0 mixed, 0 stale, 0 lost, 0 regressed")
    }
}

/// Runs until enough was read.
///
/// # Errors
/// The first violation, with the place of the feed, which is kept.
pub fn run(args: &Args) -> Result<Report, Violation> {
    let seed = args.seed.unwrap_or_else(|| super::ledger::moment() % 1_000_000_007);
    eprintln!("seed {seed}");
    let begin = Instant::now();
    let feed = TestFeed::new();
    // The web server is another user.
    fs::set_permissions(feed.root(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    fs::create_dir(feed.root().join("site")).expect("it is empty");
    let run = Run {
        feed,
        ledger: Ledger::default(),
        seed,
        busy: (0..9).map(|_| Busy::now()).collect(),
        wanted: args.readings,
        until: args.minutes.map(|minutes| begin + Duration::from_secs(60 * minutes)),
        readings: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        violation: Mutex::new(None),
    };
    let outcome = all(&run);
    let violation = run.violation.lock().unwrap().take();
    let outcome = violation.map_or(outcome, Err);
    outcome.map(|report| Report { duration: begin.elapsed(), ..report }).map_err(|Violation(what)| {
        let root = run.feed.keep();
        Violation(format!("seed {seed}, the feed is kept in {}\n{what}", root.display()))
    })
}

fn all(run: &Run) -> Result<Report, Violation> {
    first_generation(run);
    let servers = [("nginx", Software::Nginx), ("lastgood serve", Software::Lastgood)];
    let servers = servers.map(|(name, software)| (name, Server::start(software, run.feed.root())));
    let done = Done::default();
    let kinds = ["native, directory", "native, HTTP", "npm package, HTTP"];
    let counts = &kinds.map(|_| Count::default());
    let shared = Reader::open(run.dir());
    let mut tasks: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
    let mut busy = run.busy.iter().zip(1..);
    let mut reader = || busy.next().expect("there is one for each reader");
    for through in [Some(&shared), Some(&shared), None] {
        let (busy, number) = reader();
        tasks.push(Box::new(move || readers::directory(run, number, through, busy, &counts[0])));
    }
    for (_, server) in servers.iter().chain(&servers) {
        let (busy, number) = reader();
        tasks.push(Box::new(move || readers::http(run, number, &server.feed(), busy, &counts[1])));
    }
    for (_, server) in &servers {
        let (busy, number) = reader();
        tasks.push(Box::new(move || readers::node(run, number, &server.feed(), busy, &counts[2])));
    }
    tasks.push(Box::new(|| tell(run)));
    tasks.push(Box::new(|| writers::library(run, 1)));
    tasks.push(Box::new(|| writers::library(run, 2)));
    tasks.push(Box::new(|| writers::processes(run, 3)));
    tasks.push(Box::new(|| writers::killed(run, 4, &done)));
    tasks.push(Box::new(|| writers::maintenance(run, 5, &done)));
    tasks.push(Box::new(|| writers::taking_back(run, 6, &done)));
    tasks.push(Box::new(|| writers::rollbacks(run, 20, &done)));
    tasks.push(Box::new(|| writers::collector(run, 21, &done)));
    thread::scope(|scope| {
        for task in tasks {
            scope.spawn(move || {
                let _stop = StopIfPanicking(run);
                task();
            });
        }
    });
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (generations, reported) = end(run)?;
    let readings =
        kinds.into_iter().zip(counts).map(|(kind, count)| (kind, load(&count.readings), load(&count.locked)));
    Ok(Report { seed: run.seed, duration: Duration::ZERO, readings: readings.collect(), generations, reported, done })
}

/// Says how far it is.
fn tell(run: &Run) {
    let mut told = Instant::now();
    while run.goes_on() {
        thread::sleep(Duration::from_millis(100));
        if told.elapsed() > Duration::from_secs(60) {
            eprintln!("{} readings", run.readings());
            told = Instant::now();
        }
    }
}

/// Every dataset, so that every reader finds it.
fn first_generation(run: &Run) {
    let items = DATASETS.map(|dataset| {
        let id = super::payload::Id { dataset: dataset.to_owned(), writer: 0, round: 0 };
        let name = lastgood::protocol::name::DatasetName::parse(dataset).expect("it is valid");
        lastgood::Item::new(name, std::io::Cursor::new(id.payload()))
    });
    let publication = Feed::open(run.dir()).publish(items.into()).expect("nobody else is there yet");
    run.hold_against(run.ledger.report(&publication));
}

/// Nothing is lost, and nothing is left.
fn end(run: &Run) -> Result<(u64, u64), Violation> {
    let feed = Feed::open(run.dir());
    let wrong = |error: lastgood::Error| Violation(format!("at the end: {error}"));
    feed.recover().map_err(wrong)?;
    writers::archive(run)?;
    let published = feed.manifest().map_err(wrong)?.generation.get();
    let reported = run.ledger.finish(published)?;
    let all = lastgood::Retention { keep: 1, grace: Duration::ZERO };
    feed.gc(&all).map_err(wrong)?;
    let problems = feed.verify().map_err(wrong)?.problems;
    let left: Vec<String> = run.feed.names("").into_iter().filter(|name| name.ends_with("lock")).collect();
    let staging = run.feed.names(".lastgood/staging");
    if !problems.is_empty() || !left.is_empty() || !staging.is_empty() {
        return Err(Violation(format!("at the end: {problems:?}; left: {left:?}, {staging:?}")));
    }
    Ok((published, reported))
}
