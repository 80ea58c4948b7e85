//! nginx with the configuration of `docs/operations.md`, and the requests out of its log.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Host;
use crate::server::{Server, Software};
use crate::until;

/// The documented nginx as the server of a [`Site`](super::Site).
pub struct Nginx {
    server: Server,
    /// How many lines of the log have been taken.
    taken: AtomicUsize,
}

impl Host for Nginx {
    fn start(dir: &Path) -> Self {
        Self { server: Server::start(Software::Nginx, dir), taken: AtomicUsize::new(0) }
    }

    fn address(&self) -> String {
        self.server.address().to_owned()
    }

    fn requests(&self) -> Vec<String> {
        // A line is written after the answer. When that of a further request is there, so are those before it.
        let taken = self.taken.load(Ordering::Relaxed);
        let mark = format!("/data/no-such-file-{taken}.json");
        let _ = self.server.get(&mark, &[]);
        let mark = format!("GET {mark} 404");
        let mut lines = Vec::new();
        until("nginx writes its log", || {
            lines = self.server.log().lines().skip(taken).map(str::to_owned).collect();
            lines.last() == Some(&mark)
        });
        self.taken.store(taken + lines.len(), Ordering::Relaxed);
        lines.pop();
        lines
    }

    fn stop(&mut self) {
        self.server.stop();
    }

    fn restart(&mut self) {
        self.server.restart();
    }
}
