//! Two halves of the work on two threads.

use std::panic;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::error::Error;
use crate::objects::CHUNK_BYTES;

/// How many chunks wait at most: enough that neither half waits for the other for long.
const WAITING: usize = 2;

/// The producer's end.
pub(super) struct Pipe {
    full: SyncSender<Vec<u8>>,
    used: Receiver<Vec<u8>>,
}

impl Pipe {
    /// An empty chunk; one that was used before, if there is one.
    pub(super) fn empty(&self) -> Vec<u8> {
        match self.used.try_recv() {
            Ok(mut chunk) => {
                chunk.clear();
                chunk
            }
            Err(_) => Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8),
        }
    }

    /// Hands a chunk on, and returns an empty one; `None` when nobody wants it any more.
    pub(super) fn send(&self, chunk: Vec<u8>) -> Option<Vec<u8>> {
        self.full.send(chunk).ok().map(|()| self.empty())
    }
}

/// Runs `produce` on a thread of its own, and `consume` here on what it sends. An error of `consume` comes first: it is
/// about what was sent earlier.
pub(super) fn beside(
    produce: impl FnOnce(&Pipe) -> Result<(), Error> + Send,
    consume: &mut impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (full, waiting) = sync_channel(WAITING);
    let (give_back, used) = channel();
    thread::scope(|scope| {
        let producer = scope.spawn(move || produce(&Pipe { full, used }));
        let consumed = consume_all(waiting, &give_back, consume);
        let produced = producer.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
        consumed.and(produced)
    })
}

/// Dropping `waiting` at an error tells the producer.
fn consume_all(
    waiting: Receiver<Vec<u8>>,
    give_back: &Sender<Vec<u8>>,
    consume: &mut impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    for chunk in waiting {
        consume(&chunk)?;
        // The producer may be at its end.
        let _ = give_back.send(chunk);
    }
    Ok(())
}
