//! The binary under strace: which system calls it makes, and what it does when one of them fails or is its last.

use std::fmt;
use std::process::Command;

use lastgood_tests::{Ran, TestFeed, binary};

/// The calls that touch files, and the one that starts a thread.
const CALLS: &str = "openat,read,pread64,write,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,\
                     rmdir,mkdir,mkdirat,fchmod,chmod,ftruncate,getdents64,stat,lstat,statx,newfstatat,flock,lseek,\
                     fadvise64,getcwd,readlink,symlink,copy_file_range,sendfile";

/// How the command is traced. Either way its calls come in one order, every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strace {
    /// It can start neither threads nor processes, and does all the work in its first thread.
    OneThread,
    /// Only its first thread is looked at.
    FirstThread,
}

/// One system call that a command makes.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// Which of the calls of this name it is, from 1.
    pub(crate) nth: usize,
    /// What strace says of it.
    pub(crate) line: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {} ({})", self.name, self.nth, self.line)
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not made, and reports this error.
    Fails(&'static str),
    /// It and all later ones of its name report this error.
    FailsFromThenOn(&'static str),
    /// The process is killed before it is made.
    IsTheLast,
    /// This signal comes while it is made.
    Meets(&'static str),
}

impl Strace {
    /// The calls that the command makes from when it has begun to look at its surroundings.
    pub(crate) fn calls_of(self, feed: &TestFeed, arguments: &[&str]) -> Vec<Call> {
        let log = feed.root().join("strace.log");
        let mut traced = self.command(feed, &["-y", "-o", log.to_str().unwrap()], CALLS);
        traced.arg(binary()).args(arguments);
        Ran::of(traced, b"").expect(0);
        let log = std::fs::read_to_string(log).unwrap();
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        let mut calls = Vec::new();
        for line in log.lines() {
            // There may be the number of the process before it.
            let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let Some((name, _)) = call.split_once('(') else { continue };
            let nth = counts.entry(name.to_owned()).and_modify(|count| *count += 1).or_insert(1);
            if CALLS.split(',').any(|ours| ours == name) {
                calls.push(Call { name: name.to_owned(), nth: *nth, line: line.to_owned() });
            }
        }
        // Before that, the program is being loaded, which is none of our code.
        let begin = calls.iter().position(|call| call.name == "getcwd").expect("it asks where it is");
        calls.split_off(begin)
    }

    /// Runs the command with a fate for one of its calls. A code of `None` means that it was killed. `None`
    /// when there was no such call this time.
    pub(crate) fn run(self, feed: &TestFeed, arguments: &[&str], call: &Call, fate: Fate) -> Option<Ran> {
        let Call { name, nth, .. } = call;
        let injection = match fate {
            Fate::Fails(error) => format!("{name}:error={error}:when={nth}"),
            Fate::FailsFromThenOn(error) => format!("{name}:error={error}:when={nth}+"),
            Fate::IsTheLast => format!("{name}:signal=KILL:when={nth}"),
            Fate::Meets(signal) => format!("{name}:signal={signal}:when={nth}"),
        };
        let log = feed.root().join("strace.log");
        let mut traced = self.command(feed, &["-o", log.to_str().unwrap(), "-e", &format!("inject={injection}")], name);
        traced.arg(binary()).args(arguments);
        let ran = Ran::of(traced, b"");
        let log = std::fs::read_to_string(log).unwrap();
        let it_came = match fate {
            Fate::IsTheLast => ran.code.is_none() && log.contains("killed by SIGKILL"),
            Fate::Meets(signal) => {
                log.contains(&format!("si_signo={signal}")) || log.contains(&format!("killed by {signal}"))
            }
            _ => log.lines().any(|line| line.contains("(INJECTED)") && !line.contains("clone")),
        };
        it_came.then_some(ran)
    }

    fn command(self, feed: &TestFeed, options: &[&str], calls: &str) -> Command {
        // Whatever it does, it ends.
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "20", "strace", "-qq"]);
        match self {
            Strace::OneThread => {
                let trace = format!("trace={calls},clone3,clone");
                command.args(["-f", "-e", &trace, "-e", "inject=clone3,clone:error=EAGAIN"]);
            }
            Strace::FirstThread => {
                command.args(["-e", &format!("trace={calls}")]);
            }
        }
        command.args(options).current_dir(feed.root()).env_remove("LASTGOOD_DIR");
        command
    }
}
