//! A test's second process: the same test program, started again for the same test alone, which then plays the part of
//! another writer.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

const FEED: &str = "LASTGOOD_TEST_CHILD_FEED";
const READY: &str = "the child is ready";

/// In the second process the feed to work on, in the first one nothing.
pub(crate) fn feed() -> Option<PathBuf> {
    env::var_os(FEED).map(PathBuf::from)
}

/// Called by the second process: goes on only when it is no longer wanted.
pub(crate) fn ready() {
    println!("\n{READY}");
    let _ = std::io::stdin().read(&mut [0]);
}

/// Plays the child's part of `test` to its end, after the shell commands of `setting`.
pub(crate) fn run(test: &str, setting: &str, feed: &Path) {
    let output = command(test, setting, feed).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // A test name that does not exist would pass by running nothing.
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// A second process that has come to [`ready`]. Dropping it kills it, as a crash would.
pub(crate) struct Child(process::Child);

impl Child {
    /// Plays the child's part of `test` up to [`ready`].
    pub(crate) fn start(test: &str, feed: &Path) -> Self {
        let command = &mut command(test, ":", feed);
        let mut child = Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let said = BufReader::new(child.0.stdout.as_mut().unwrap()).lines();
        assert!(said.map(Result::unwrap).any(|line| line == READY), "the child has ended");
        child
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(test: &str, setting: &str, feed: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(r#"{setting} && exec "$0" "$@""#));
    command.arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FEED, feed);
    command
}
