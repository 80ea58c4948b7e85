//! A feed to do harm to, and commands that must end.

use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lastgood_tests::{Ran, TestFeed};

/// What no command may exceed here, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much memory a command may ask for, in KiB: most of it for stacks of threads that are never used.
const MEMORY_KIB: &str = "600000";

/// Every command that looks at a feed or changes it; `in.json` is in the working directory.
pub(crate) const COMMANDS: [&[&str]; 14] = [
    &["publish", "performance=in.json", "--lock-wait", "0s"],
    &["publish", "new=in.json", "--lock-wait", "0s"],
    &["rollback", "performance", "--lock-wait", "0s"],
    &["history"],
    &["status"],
    &["verify"],
    &["verify", "--repair", "--lock-wait", "0s"],
    &["recover", "--lock-wait", "0s"],
    &["recover", "--new-feed", "--lock-wait", "0s"],
    &["gc", "--keep", "1", "--grace", "0s", "--lock-wait", "0s"],
    &["cat", "performance"],
    &["adopt", "--lock-wait", "0s"],
    &["doctor"],
    &["lock", "performance", "--lock-wait", "0s", "--", "true"],
];

/// A feed of two datasets with three generations, kept originals and an operation log.
pub(crate) fn feed() -> TestFeed {
    let feed = TestFeed::in_memory();
    for generation in 1..=3 {
        let payload = format!("[{generation},\"{}\"]", "x".repeat(2000));
        feed.run_with(&["publish", "performance"], payload).expect(0);
    }
    feed.run_with(&["publish", "other"], "[0]").expect(0);
    feed
}

/// The same feed elsewhere.
pub(crate) fn copy(feed: &TestFeed) -> TestFeed {
    let copy = TestFeed::in_memory();
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
    // A limit of memory, so that whatever believes a size that is only claimed fails.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", MEMORY_KIB]).arg(lastgood_tests::binary()).args(arguments);
    command.current_dir(feed.root()).env_remove("LASTGOOD_DIR").env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null());
    // To files: a pipe that is full would hold it up.
    let [mut stdout, mut stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
    let handle = |file: &fs::File| Stdio::from(file.try_clone().unwrap());
    let mut child = command.stdout(handle(&stdout)).stderr(handle(&stderr)).spawn().unwrap();
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begin.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("{arguments:?} does not end"));
            }
        }
    };
    let printed = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).unwrap();
        bytes
    };
    let stderr = String::from_utf8(printed(&mut stderr)).unwrap();
    let ran = Ran { code: status.code(), stdout: printed(&mut stdout), stderr };
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
