//! `lastgood lock`

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;
use lastgood::config::value;
use lastgood::protocol::name::DatasetName;
use lastgood::storage::PosixStorage;
use lastgood::{Hold, Settings};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
#[cfg(target_os = "linux")]
use signal_hook::{iterator::SignalsInfo, iterator::exfiltrator::WithOrigin, low_level::siginfo::Cause};

use crate::exit::Failure;
use crate::metrics::{Measure, Measured, MetricsOptions};
use crate::waits::WaitOptions;
use crate::{LOCK_VARIABLE, Session, output};

const EXAMPLES: &str = "\
Examples:
  lastgood lock performance -- ./rebuild.sh
  lastgood lock performance transactions --lease 5m -- sh -c 'python export.py && lastgood publish performance=p.json'

While COMMAND runs, readers are told that these datasets are about to change, and no one else
publishes into the feed. A `lastgood publish` of these datasets that COMMAND runs publishes under
the lock; it finds it through LASTGOOD_LOCK. The exit code is that of COMMAND: 128+n when signal n
ended it, 127 when it was not found, 126 when it could not be run. SIGINT, SIGTERM and SIGHUP are
passed on to it. COMMAND has stdin and stdout to itself, also with --json.";

/// Hold the lock of datasets while a command runs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Lock {
    /// The datasets that the command is about to change
    #[arg(required = true, value_name = "NAME")]
    names: Vec<DatasetName>,
    /// The command with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// How long readers believe the lock should this process die, up to 1h; renewed while it lives [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = value::lease, help_heading = "Locks")]
    lease: Option<Duration>,
    #[command(flatten)]
    waits: WaitOptions,
    #[command(flatten)]
    metrics: MetricsOptions,
}

/// How the command has ended.
struct Ended(ExitStatus);

impl Measure for Ended {
    fn measure(&self) -> Measured<'_> {
        Measured { failed: (!self.0.success()).then_some("command"), ..Measured::default() }
    }
}

impl Lock {
    pub(crate) fn run(self, session: &Session) -> Result<ExitCode, Failure> {
        let Ended(status) = self.metrics.measured(session, "lock", || self.under_lock(session).map(Ended))?;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX).into())
    }

    fn under_lock(&self, session: &Session) -> Result<ExitStatus, Failure> {
        self.names.iter().try_for_each(|name| session.config.check_listed(name))?;
        let configured = self.waits.over(session.config.settings.clone());
        let settings = Settings { lease: self.lease.unwrap_or(configured.lease), ..configured };
        // Before there is anything that a signal could leave behind.
        let signals = Signals::watch().map_err(|source| Failure::Setup { what: "the handling of signals", source })?;
        let lease = settings.lease;
        let feed = session.feed().with_settings(settings).with_cancellation(signals.stop());
        let hold = feed.hold(&self.names)?;
        let status = self.carry_out(&hold, &signals, lease);
        if let Err(error) = hold.release() {
            output::warn(&error);
        }
        status
    }

    fn carry_out(
        &self,
        hold: &Hold<'_, PosixStorage>,
        signals: &Signals,
        lease: Duration,
    ) -> Result<ExitStatus, Failure> {
        let [program, arguments @ ..] = &self.command[..] else { unreachable!("clap requires a command") };
        let failed = |source| Failure::Command { command: program.clone(), source };
        let mut child =
            Command::new(program).args(arguments).env(LOCK_VARIABLE, hold.token()).spawn().map_err(failed)?;
        let mut next_renewal = Instant::now() + lease / 3;
        loop {
            match signals.wait_until(next_renewal) {
                Event::Signal(signal) => pass_on(&child, signal),
                Event::Child => {
                    if let Some(status) = child.try_wait().map_err(failed)? {
                        return Ok(status);
                    }
                }
                Event::Time => {
                    // Tried again soon: a full disk may have room before the lease ends.
                    if let Err(error) = hold.renew() {
                        output::warn(&error);
                    }
                    next_renewal = Instant::now() + lease / 3;
                }
            }
        }
    }
}

/// It has not been waited for to its end, so its process id is still its own.
fn pass_on(child: &Child, signal: Signal) {
    if let Err(error) = kill_process(Pid::from_child(child), signal) {
        tracing::debug!(%error, "the command has ended already");
    }
}

/// Signals, with who sent them.
#[cfg(target_os = "linux")]
type Source = SignalsInfo<WithOrigin>;

/// The number of a signal, and whether the terminal has sent it: then to the command as well.
#[cfg(target_os = "linux")]
fn look_at(origin: &signal_hook::low_level::siginfo::Origin) -> (i32, bool) {
    (origin.signal, matches!(origin.cause, Cause::Kernel))
}

/// Signals alone: to ask who sent them takes a C compiler for the target.
#[cfg(not(target_os = "linux"))]
type Source = signal_hook::iterator::Signals;

/// The number of a signal, and whether the terminal is likely to have sent it: then to the command as well.
#[cfg(not(target_os = "linux"))]
fn look_at(signal: &i32) -> (i32, bool) {
    (*signal, *signal == SIGINT && std::io::IsTerminal::is_terminal(&io::stdin()))
}

/// Signals to this process, as events.
struct Signals {
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
}

enum Event {
    /// To be passed on.
    Signal(Signal),
    /// A child has stopped, gone on or ended.
    Child,
    /// Nothing has happened until then.
    Time,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        let mut signals = Source::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD])?;
        let (sender, events) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&stop);
        std::thread::Builder::new().spawn(move || {
            for origin in signals.forever() {
                let (number, from_terminal) = look_at(&origin);
                let signal = match number {
                    SIGCHLD => None,
                    SIGINT => Some(Signal::INT),
                    SIGHUP => Some(Signal::HUP),
                    _ => Some(Signal::TERM),
                };
                raised.fetch_or(signal.is_some(), Ordering::Relaxed);
                let event = match signal {
                    None => Event::Child,
                    // Ctrl-C in a terminal: the command has it already.
                    Some(_) if from_terminal => continue,
                    Some(signal) => Event::Signal(signal),
                };
                // The receiver goes with the process.
                let _ = sender.send(event);
            }
        })?;
        Ok(Self { events, stop })
    }

    /// Whether any but that of a child has come.
    fn stop(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let stop = Arc::clone(&self.stop);
        move || stop.load(Ordering::Relaxed)
    }

    fn wait_until(&self, time: Instant) -> Event {
        match self.events.recv_timeout(time.saturating_duration_since(Instant::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => Event::Time,
            Err(RecvTimeoutError::Disconnected) => unreachable!("the thread that sends never ends"),
        }
    }
}
