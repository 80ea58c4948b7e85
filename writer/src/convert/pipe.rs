//! Two halves of the work on two threads.

use std::mem;

use crate::objects::CHUNK_BYTES;
use crate::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use crate::sync::{Scope, scope, spawn};

/// How many chunks wait at most: enough that neither half waits for the other for long.
const WAITING: usize = 2;

/// Runs `produce` here, and `consume` on what it writes, in pieces: on a thread of its own as soon as there is more than
/// one, because for less a thread is not worth its start. `consume` says whether it wants more.
///
/// What was written has been consumed when this returns.
pub(super) fn beside<T>(
    produce: impl FnOnce(&mut (dyn Write + Send)) -> T,
    consume: impl FnMut(&[u8]) -> bool + Send,
) -> T {
    scope(|scope| {
        let mut pipe = Pipe { scope, chunk: empty(), consumer: Consumer::Here(consume) };
        let produced = produce(&mut pipe);
        pipe.end();
        produced
    })
}

/// The producer's end.
pub(super) trait Write {
    /// What has been written and not been handed on.
    fn chunk(&mut self) -> &mut Vec<u8>;

    /// Hands the chunk on if it is full.
    fn hand_on(&mut self);

    /// Whether anybody wants more.
    fn is_open(&self) -> bool;

    /// Hands bytes on, sooner or later.
    fn write(&mut self, bytes: &[u8]) {
        self.chunk().extend_from_slice(bytes);
        self.hand_on();
    }
}

/// With room for what comes last into a full one.
fn empty() -> Vec<u8> {
    Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 2)
}

struct Pipe<'scope, 'env, C> {
    scope: &'scope Scope<'scope, 'env>,
    chunk: Vec<u8>,
    consumer: Consumer<C>,
}

enum Consumer<C> {
    Here(C),
    There {
        full: SyncSender<Vec<u8>>,
        used: Receiver<Vec<u8>>,
    },
    /// It wants no more.
    Gone,
}

/// Where full chunks go, and where used ones come from.
type Ends = (SyncSender<Vec<u8>>, Receiver<Vec<u8>>);

impl<'scope, C: FnMut(&[u8]) -> bool + Send + 'scope> Pipe<'scope, '_, C> {
    fn send(&mut self) {
        let chunk = mem::take(&mut self.chunk);
        self.consumer = match mem::replace(&mut self.consumer, Consumer::Gone) {
            Consumer::Here(consume) => match self.start(consume) {
                Ok((full, used)) => Self::sent(chunk, full, used),
                // Without a further thread this one does it all.
                Err(mut consume) => match consume(&chunk) {
                    true => Consumer::Here(consume),
                    false => Consumer::Gone,
                },
            },
            Consumer::There { full, used } => Self::sent(chunk, full, used),
            Consumer::Gone => Consumer::Gone,
        };
        self.chunk = match &self.consumer {
            Consumer::There { used, .. } => used.try_recv().unwrap_or_else(|_| empty()),
            Consumer::Here(_) | Consumer::Gone => empty(),
        };
        self.chunk.clear();
    }

    /// Gives the consumer back when there can be no further thread.
    fn start(&self, consume: C) -> Result<Ends, C> {
        let (full, waiting) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, used) = channel();
        // It goes through a channel, so that it is still here when there is no thread.
        let (give, take) = sync_channel::<C>(1);
        let work = move || {
            let Ok(mut consume) = take.recv() else { return };
            for chunk in waiting {
                if !consume(&chunk) {
                    return;
                }
                // The producer may be at its end.
                let _ = give_back.send(chunk);
            }
        };
        match spawn(self.scope, work) {
            Some(_) => give.send(consume).map(|()| (full, used)).map_err(|unsent| unsent.0),
            None => Err(consume),
        }
    }

    fn sent(chunk: Vec<u8>, full: SyncSender<Vec<u8>>, used: Receiver<Vec<u8>>) -> Consumer<C> {
        match full.send(chunk) {
            Ok(()) => Consumer::There { full, used },
            Err(_) => Consumer::Gone,
        }
    }

    fn end(mut self) {
        match &mut self.consumer {
            Consumer::Here(consume) if !self.chunk.is_empty() => drop(consume(&self.chunk)),
            Consumer::There { .. } if !self.chunk.is_empty() => self.send(),
            _ => {}
        }
    }
}

impl<'scope, C: FnMut(&[u8]) -> bool + Send + 'scope> Write for Pipe<'scope, '_, C> {
    fn chunk(&mut self) -> &mut Vec<u8> {
        &mut self.chunk
    }

    fn hand_on(&mut self) {
        if self.chunk.len() >= CHUNK_BYTES {
            self.send();
        }
    }

    fn is_open(&self) -> bool {
        !matches!(self.consumer, Consumer::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::model::{every_order, many_orders};

    /// Whatever the sizes of the pieces, and in very many orders of the two threads: all bytes come, in their order, before
    /// it returns.
    #[test]
    fn everything_written_is_consumed() {
        for pieces in
            [vec![], vec![0], vec![1], vec![CHUNK_BYTES], vec![CHUNK_BYTES, 1], vec![7; 100_000], vec![1_000_000; 3]]
        {
            let size: usize = pieces.iter().sum();
            let transfer = move || {
                let mut written = Vec::new();
                let mut consumed = Vec::new();
                let produced = beside(
                    |pipe| {
                        for (index, size) in pieces.iter().enumerate() {
                            let piece = vec![index as u8; *size];
                            pipe.write(&piece);
                            written.extend(piece);
                        }
                        "done"
                    },
                    |bytes| {
                        consumed.extend_from_slice(bytes);
                        true
                    },
                );
                assert_eq!(produced, "done");
                assert!(written == consumed, "{} pieces", pieces.len());
            };
            // With less there is no other thread.
            match size < CHUNK_BYTES {
                true => drop(every_order(transfer)),
                false => many_orders(10, transfer),
            }
        }
    }

    /// In every order of the two threads, wherever either of them stops: neither waits for ever, what is consumed is a
    /// start of what was written, and all of it if the consumer wanted all.
    #[test]
    fn whoever_stops_first_the_other_is_told() {
        for (chunks, wanted) in [(0, 1), (1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)] {
            let transfer = move || {
                let mut consumed = Vec::new();
                beside(
                    |pipe| {
                        let mut chunk = 0;
                        while pipe.is_open() && chunk < chunks {
                            pipe.write(&vec![chunk; CHUNK_BYTES]);
                            chunk += 1;
                        }
                    },
                    |bytes| {
                        assert!(bytes.iter().all(|&byte| byte == bytes[0]), "a mixed chunk");
                        consumed.push(bytes[0]);
                        consumed.len() < wanted
                    },
                );
                let expected: Vec<u8> = (0..chunks.min(wanted.max(1) as u8)).collect();
                assert_eq!(consumed, expected);
            };
            every_order(transfer);
        }
    }
}
