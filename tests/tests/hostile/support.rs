//! A feed to do harm to, and commands that must end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lastgood_tests::{Ran, TestFeed};

/// What no command may exceed here, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(6);

/// A feed of two datasets with three generations, kept originals and an operation log.
pub(crate) fn feed() -> TestFeed {
    let feed = TestFeed::new();
    for generation in 1..=3 {
        let payload = format!("[{generation},\"{}\"]", "x".repeat(2000));
        feed.run_with(&["publish", "performance"], payload).expect(0);
    }
    feed.run_with(&["publish", "other"], "[0]").expect(0);
    feed
}

/// The same feed elsewhere.
pub(crate) fn copy(feed: &TestFeed) -> TestFeed {
    let copy = TestFeed::new();
    let copied = Command::new("cp").arg("-a").arg(feed.dir()).arg(copy.root()).status().unwrap();
    assert!(copied.success());
    copy
}

/// Runs a command that must end by itself, with an exit code that it has words for.
#[track_caller]
pub(crate) fn ends(feed: &TestFeed, arguments: &[&str]) -> Ran {
    try_to_end(feed, arguments).unwrap()
}

/// As [`ends`], and says what is wrong if it does not.
pub(crate) fn try_to_end(feed: &TestFeed, arguments: &[&str]) -> Result<Ran, String> {
    let mut command = feed.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    // What it prints here fits into the pipes.
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().unwrap();
            return Err(format!("{arguments:?} does not end: {:?}", Ran::end_of(child)));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = Ran::end_of(child);
    match matches!(ran.code, Some(0..=6)) && !ran.stderr.contains("panicked") {
        true => Ok(ran),
        false => Err(format!("{arguments:?}: {ran:?}")),
    }
}

/// Does `work` for each of `items` on as many threads as there are processors, and tells what it says is wrong, all at once.
pub(crate) fn each_in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) {
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(problem) = work(item) {
                problems.lock().unwrap().push(problem);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// Makes a named pipe.
pub(crate) fn pipe(path: &Path) {
    node(path, rustix::fs::FileType::Fifo, 0).unwrap();
}

/// Makes a file of a special kind.
pub(crate) fn node(path: &Path, kind: rustix::fs::FileType, device: u64) -> rustix::io::Result<()> {
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, rustix::fs::Mode::RWXU, device)
}
