//! Child processes that never outlive this one: Ctrl-C and SIGTERM end them and all that they started.

use std::{
    io::{self, Read},
    os::unix::process::CommandExt,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long a process may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    /// It could not be started.
    #[error("cannot start `{program}`: {source}")]
    NotStarted {
        /// What was to be started.
        program: String,
        /// Why it was not.
        source: io::Error,
    },
    /// It ended with another status than 0.
    #[error("`{line}` failed: {status}")]
    Failed {
        /// The program and its arguments.
        line: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// What it printed could not be read.
    #[error("cannot read what `{line}` printed: {source}")]
    Unreadable {
        /// The program and its arguments.
        line: String,
        /// Why not.
        source: io::Error,
    },
    /// This task was asked to end (Ctrl-C, SIGTERM).
    #[error("interrupted")]
    Interrupted,
}

/// Runs a command to its end; what it prints is shown.
pub(crate) fn run(command: &mut Command) -> Result<(), ProcessError> {
    Running::start(command)?.wait_for_success()
}

/// Runs a command to its end and returns what it prints on stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String, ProcessError> {
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let mut printed = String::new();
    running
        .stdout()
        .read_to_string(&mut printed)
        .map_err(|source| ProcessError::Unreadable { line: running.line.clone(), source })?;
    running.wait_for_success().map(|()| printed)
}

/// From here on SIGINT, SIGTERM and SIGHUP end every child before they end this process.
pub(crate) fn forward_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        registry().interrupted = true;
        signal_all(Signal::TERM);
        thread::spawn(|| {
            thread::sleep(GRACE);
            signal_all(Signal::KILL);
        });
    })
    .context("cannot watch for Ctrl-C")
}

/// Whether this process was asked to end.
pub(crate) fn interrupted() -> bool {
    registry().interrupted
}

/// A child process. Dropping it ends it.
pub(crate) struct Running {
    child: Child,
    group: Pid,
    line: String,
}

impl Running {
    /// Starts a command in a process group of its own, so that a signal reaches all that it starts.
    pub(crate) fn start(command: &mut Command) -> Result<Self, ProcessError> {
        let line = command_line(command);
        // Held from the check to the entry: a signal in between would miss this child.
        let mut registry = registry();
        if registry.interrupted {
            return Err(ProcessError::Interrupted);
        }
        let child = command.process_group(0).stdin(Stdio::null()).spawn().map_err(|source| {
            ProcessError::NotStarted { program: command.get_program().display().to_string(), source }
        })?;
        let group = Pid::from_child(&child);
        registry.groups.push(group);
        Ok(Self { child, group, line })
    }

    /// What the process prints.
    ///
    /// # Panics
    ///
    /// When it was not started with a pipe for stdout, or on the second call.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("started with a pipe for stdout that nobody took before")
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it has ended, and says how if not well.
    pub(crate) fn wait_for_success(mut self) -> Result<(), ProcessError> {
        let waited = self.child.wait();
        // Ctrl-C makes children fail: that failure is not news.
        if interrupted() {
            return Err(ProcessError::Interrupted);
        }
        match waited {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(ProcessError::Failed { line: self.line.clone(), status }),
            Err(source) => Err(ProcessError::Unreadable { line: self.line.clone(), source }),
        }
    }

    /// Asks the process to end and waits until it has; after [`GRACE`] it is killed.
    fn end(&mut self) {
        let deadline = Instant::now() + GRACE;
        self.signal(Signal::TERM);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                self.signal(Signal::KILL);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&mut self, signal: Signal) {
        // Once it was waited for, its id may belong to another process.
        if matches!(self.child.try_wait(), Ok(None)) {
            // An error means that it has ended since.
            let _ = kill_process_group(self.group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        let group = self.group;
        registry().groups.retain(|other| *other != group);
    }
}

struct Registry {
    interrupted: bool,
    groups: Vec<Pid>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { interrupted: false, groups: Vec::new() });

fn registry() -> MutexGuard<'static, Registry> {
    // Every change of it is a single assignment, so a panic elsewhere leaves it usable.
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal_all(signal: Signal) {
    for group in &registry().groups {
        // An error means that the group is gone, which is what the signal is for.
        let _ = kill_process_group(*group, signal);
    }
}

fn command_line(command: &Command) -> String {
    let mut line = command.get_program().display().to_string();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read},
        process::{Command, Stdio},
    };

    use super::{ProcessError, Running, capture, run};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_command_prints_is_captured() {
        assert_eq!(capture(&mut shell("echo one; echo two")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn failures_name_the_command() {
        let failed = run(&mut shell("exit 7")).unwrap_err();
        assert_eq!(failed.to_string(), "`sh -c exit 7` failed: exit status: 7");
        let failed = run(&mut Command::new("/nowhere/tool")).unwrap_err();
        assert!(matches!(failed, ProcessError::NotStarted { program, .. } if program == "/nowhere/tool"));
    }

    #[test]
    fn a_dropped_process_takes_what_it_started_with_it() {
        let mut command = shell("(sleep 20; echo late) & echo ready; wait");
        let mut running = Running::start(command.stdout(Stdio::piped())).unwrap();
        let mut stdout = BufReader::new(running.stdout());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        drop(running);
        // The end of the pipe comes when nobody holds it any more.
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}
