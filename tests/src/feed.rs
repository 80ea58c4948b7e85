//! A feed in a temporary directory, published by the real binary.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary;

/// A feed in `data/` of a temporary directory, which is also the working directory of the commands. The feed does not
/// exist before something is published.
pub struct TestFeed {
    root: TempDir,
}

impl Default for TestFeed {
    fn default() -> Self {
        Self::new()
    }
}

impl TestFeed {
    /// An empty temporary directory.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self { root: TempDir::new().unwrap() }
    }

    /// The same in memory, for tests that make a great many of them.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { root: TempDir::new_in("/dev/shm").unwrap() }
    }

    /// The working directory of the commands.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Leaves everything where it is, and says where.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.root.keep()
    }

    /// The feed's directory.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.root().join("data")
    }

    /// A file of the feed.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The content of a file of the feed.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Puts a file into the working directory and returns its name.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn input<'a>(&self, name: &'a str, content: impl AsRef<[u8]>) -> &'a str {
        fs::write(self.root().join(name), content).unwrap();
        name
    }

    /// The command with its arguments; the feed is the default one, `./data`.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.root()).env_remove("LASTGOOD_DIR").stdin(Stdio::null());
        command
    }

    /// Runs the command to its end without input.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments), b"")
    }

    /// Runs the command to its end with `input` on its stdin.
    pub fn run_with(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        Ran::of(self.command(arguments), input.as_ref())
    }

    /// Publishes one dataset and expects success.
    pub fn publish(&self, dataset: &str, payload: impl AsRef<[u8]>) -> Ran {
        self.run_with(&["publish", dataset], payload).expect(0)
    }

    /// Starts the command with pipes for stdin, stdout and stderr.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The published manifest, the part that is checksummed.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn manifest(&self) -> Value {
        serde_json::from_slice::<Value>(&self.read("manifest.json")).unwrap()["signed"].take()
    }

    /// The names in a directory of the feed, sorted; none when there is no such directory.
    #[must_use]
    pub fn names(&self, dir: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(dir)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Expects that the feed is intact and that no publish has left anything behind.
    ///
    /// # Panics
    /// When it is not so.
    pub fn expect_clean(&self) {
        self.run(&["verify"]).expect(0);
        let left: Vec<String> = self.names("").into_iter().filter(|name| name.ends_with("lock")).collect();
        assert_eq!(left, [""; 0], "lock markers are left");
        assert_eq!(self.names(".lastgood/staging"), [""; 0], "staging is left");
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its stdout.
    pub stdout: Vec<u8>,
    /// Its stderr.
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end with `input` on its stdin.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn of(mut command: Command, input: &[u8]) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A command that refuses its input does not read it to its end.
            scope.spawn(move || drop(stdin.write_all(input)));
            Self::end_of(child)
        })
    }

    /// Waits for the end of a process.
    ///
    /// # Panics
    /// When that is impossible.
    #[must_use]
    pub fn end_of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { code: output.status.code(), stdout: output.stdout, stderr }
    }

    /// Expects an exit code.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.text(), self.stderr);
        self
    }

    /// Expects texts on stderr.
    ///
    /// # Panics
    /// When one is not there.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "expected {text:?} in: {}", self.stderr);
        }
        self
    }

    /// Its stdout as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its stdout, which is exactly one JSON document on one line.
    ///
    /// # Panics
    /// When it is something else.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        let text = self.text();
        assert_eq!((text.matches('\n').count(), text.ends_with('\n')), (1, true), "not one line: {text:?}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
