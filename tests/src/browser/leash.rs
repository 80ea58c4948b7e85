//! Programs that end with the tests.

use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// Runs what follows, in a process group of its own, until nobody holds its stdin any more; then ends the group and
/// removes its files.
const SCRIPT: &str = r#"
    trap : INT TERM HUP
    setsid "$@" < /dev/null &
    exec > /dev/null
    cat
    kill -TERM -$!
    wait
    kill -KILL -$!
    rm -rf "$TMPDIR"
"#;

/// A program that ends, with all that it has started and all its temporary files, when this is dropped or when this
/// process ends, in whatever way: what is in a static is never dropped, and a killed process drops nothing.
pub(super) struct Leashed(Child);

impl Leashed {
    pub(super) fn start(program: &Command) -> io::Result<Self> {
        let mut leash = Command::new("sh");
        leash.args(["-c", SCRIPT, "sh"]).arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            leash.env(name, value.unwrap_or_default());
        }
        // From here on the script removes it.
        leash.env("TMPDIR", TempDir::new()?.keep());
        leash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map(Self)
    }

    /// What it prints, once.
    pub(super) fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("it is piped, and taken once")
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
