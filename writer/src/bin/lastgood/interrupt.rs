//! Signals that ask the command to stop.
//!
//! The first one stops a publish that has not begun to change the feed, which then leaves nothing behind; a commit that
//! has begun goes on to its end, which is soon. The second one kills, which is safe at any time: the next publish
//! cleans up.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::input::Opened;

/// Whether one has come.
pub(crate) struct Interrupt {
    raised: Arc<AtomicBool>,
    /// Readable once one has come.
    #[cfg(unix)]
    wake: Arc<std::os::unix::net::UnixStream>,
}

impl Interrupt {
    /// Begins to watch for signals.
    pub(crate) fn watch() -> io::Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down and raises it, the second finds it raised.
            flag::register_conditional_default(signal, Arc::clone(&raised))?;
            flag::register(signal, Arc::clone(&raised))?;
        }
        #[cfg(unix)]
        {
            let (wake, ring) = std::os::unix::net::UnixStream::pair()?;
            for signal in [SIGINT, SIGTERM] {
                signal_hook::low_level::pipe::register(signal, ring.try_clone()?)?;
            }
            Ok(Self { raised, wake: Arc::new(wake) })
        }
        #[cfg(not(unix))]
        Ok(Self { raised })
    }

    /// Tells whether one has come.
    pub(crate) fn check(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let raised = Arc::clone(&self.raised);
        move || raised.load(Ordering::Relaxed)
    }

    /// The same input, but a read that waits ends with [`Interrupted`](io::ErrorKind::Interrupted) when one comes: by
    /// itself the system would go on waiting for a producer that may never write.
    pub(crate) fn ending(&self, input: Opened) -> impl Read + Send + use<> {
        Ending {
            input,
            #[cfg(unix)]
            wake: Arc::clone(&self.wake),
        }
    }
}

struct Ending {
    input: Opened,
    #[cfg(unix)]
    wake: Arc<std::os::unix::net::UnixStream>,
}

impl Read for Ending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.input.file()?;
        #[cfg(unix)]
        {
            use rustix::event::{PollFd, PollFlags, poll};
            let mut ready = [PollFd::new(input, PollFlags::IN), PollFd::new(&*self.wake, PollFlags::IN)];
            poll(&mut ready, None)?;
            if !ready[1].revents().is_empty() {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        input.read(buffer)
    }
}
