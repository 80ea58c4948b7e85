//! A progress bar for what takes long.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less time is over before a bar would tell anything.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work` and shows on a terminal how far it is, from the second second on. `total` is the number of bytes to be
/// read, where it is known; `doing` says what is done with them.
pub(crate) fn shown<T>(watched: bool, doing: &str, total: Option<u64>, work: impl FnOnce(&Progress) -> T) -> T {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let template = match total {
        Some(_) => "{spinner} {prefix} {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {elapsed}",
        None => "{spinner} {prefix} {bytes} {binary_bytes_per_sec} {elapsed}",
    };
    bar.set_style(ProgressStyle::with_template(template).expect("the template is fixed"));
    bar.set_prefix(doing.to_owned());
    let progress = Progress { bar };
    if !watched {
        return work(&progress);
    }
    thread::scope(|scope| {
        let (over, waiting) = mpsc::channel::<()>();
        let show = || {
            let waiting = waiting;
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                progress.bar.set_draw_target(ProgressDrawTarget::stderr());
                progress.bar.enable_steady_tick(Duration::from_millis(100));
                // Until the work is over.
                let _ = waiting.recv();
                progress.bar.finish_and_clear();
            }
        };
        // Without a further thread it is not shown.
        let _ = thread::Builder::new().spawn_scoped(scope, show);
        let result = work(&progress);
        drop(over);
        result
    })
}

/// The same where it is not known how far it is.
pub(crate) fn spinning<T>(watched: bool, doing: &str, work: impl FnOnce() -> T) -> T {
    shown(watched, doing, None, |progress| {
        let template = ProgressStyle::with_template("{spinner} {prefix} {elapsed}");
        progress.bar.set_style(template.expect("the template is fixed"));
        work()
    })
}

/// How far it is.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Tells how many bytes of how many have been read.
    pub(crate) fn reached(&self, bytes: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(bytes);
    }

    /// Counts what is read.
    pub(crate) fn counting<R: Read>(&self, input: R) -> impl Read + use<R> {
        Counting { input, bar: self.bar.clone() }
    }
}

struct Counting<R> {
    input: R,
    bar: ProgressBar,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.input.read(buffer)?;
        self.bar.inc(size as u64);
        Ok(size)
    }
}
