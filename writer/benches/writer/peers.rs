//! What others use for the same: npm's write-file-atomic, and Python.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A process that replaces a file once for each line that it is sent, and answers how long it took in nanoseconds.
pub(crate) struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Peer {
    /// Python: a temporary file, fsync, `os.replace`.
    pub(crate) fn python(dir: &Path, payload: &Path) -> Self {
        let mut command = Command::new("python3");
        Self::start(command.arg("-c").arg(include_str!("peers/replace.py")).arg(dir).arg(payload))
    }

    /// write-file-atomic, installed below `dir`; `None` when npm is missing or cannot install it.
    pub(crate) fn write_file_atomic(dir: &Path, payload: &Path) -> Option<Self> {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "write-file-atomic@7.0.0"]).current_dir(dir);
        if !npm.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return None;
        }
        let script = dir.join("replace.cjs");
        std::fs::write(&script, include_str!("peers/replace.cjs")).ok()?;
        Some(Self::start(Command::new("node").arg(script).arg(dir).arg(payload)))
    }

    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the peer starts");
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, stdin, stdout }
    }

    /// Has the file replaced once.
    pub(crate) fn replace(&mut self) -> Duration {
        self.stdin.write_all(b"\n").expect("the peer takes a line");
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).expect("the peer answers");
        Duration::from_nanos(answer.trim().parse().expect("the peer answers with nanoseconds"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whether it has ended by itself does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
