//! Where the bytes to be published go, each once: hashed and written to staging, beside whoever produces them.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::{mem, thread};

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::name::DatasetName;

use crate::compress::{self, Sibling};
use crate::error::Error;
use crate::feed::Feed;
use crate::objects::CHUNK_BYTES;
use crate::prepare::cannot_stage;
use crate::storage::{Kind, Pending, StagedFile, Staging, Storage};

/// Payloads up to this size are over before a thread would have begun.
const ALONE_BYTES: u64 = 256 * 1024;

/// How many filled buffers may wait for the other thread.
const WAITING: usize = 4;

/// Takes the bytes of one payload.
///
/// Checking a payload and hashing and writing it take about as long, so from some size on a thread of its own does the
/// second.
pub(crate) struct Output<F: StagedFile> {
    buffer: Vec<u8>,
    size: u64,
    /// All of it, for who has to look at it as a whole.
    kept: Option<Vec<u8>>,
    writer: Writer<F>,
    /// Whoever gives the bytes cannot fail, so the first error waits here.
    failed: Option<io::Error>,
}

/// A payload in staging.
pub(crate) struct Staged<F> {
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) object: Pending<F>,
    pub(crate) siblings: Vec<Sibling<F>>,
    pub(crate) plain_copy: Option<Pending<F>>,
}

impl<F: StagedFile> Output<F> {
    pub(crate) fn open<S: Storage<File = F>>(feed: &Feed<S>, staging: &S::Staging) -> io::Result<Self> {
        let create = || staging.create(Kind::Published);
        let plain_copy = feed.settings.plain_copies.then(create).transpose()?;
        let files = Files { object: create()?, plain_copy, hasher: Hasher::new() };
        let buffer = Vec::with_capacity(CHUNK_BYTES);
        Ok(Self { buffer, size: 0, kept: None, writer: Writer::Here(Box::new(files)), failed: None })
    }

    /// From now on also keeps the bytes in memory.
    pub(crate) fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// The bytes that have been kept, and are no longer.
    pub(crate) fn take_kept(&mut self) -> Vec<u8> {
        self.kept.take().unwrap_or_default()
    }

    /// How many bytes it has been given.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        while self.failed.is_none() && !bytes.is_empty() {
            let room = CHUNK_BYTES - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.failed = self.pass_on().err();
            }
        }
    }

    pub(crate) fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Ends writing, and writes the siblings.
    pub(crate) fn finish<S: Storage<File = F>>(
        mut self,
        feed: &Feed<S>,
        staging: &S::Staging,
        dataset: &DatasetName,
    ) -> Result<Staged<F>, Error> {
        let staged = |source| cannot_stage(dataset, source);
        self.kept = None;
        self.check().and_then(|()| self.pass_on()).map_err(staged)?;
        let Files { object, plain_copy, hasher } = self.writer.end().map_err(staged)?;
        let object = object.finish().map_err(staged)?;
        let plain_copy = plain_copy.map(StagedFile::finish).transpose().map_err(staged)?;
        let compression = &feed.settings.compression;
        let siblings = compress::siblings(staging, &object, self.size, compression, plain_copy.is_some())
            .map_err(Error::io(format!("compress the payload of {dataset}")))?;
        Ok(Staged { sha256: hasher.finish(), size: self.size, object, siblings, plain_copy })
    }

    fn pass_on(&mut self) -> io::Result<()> {
        if self.size > ALONE_BYTES {
            self.writer.move_to_a_thread();
        }
        self.buffer = self.writer.write(mem::take(&mut self.buffer))?;
        Ok(())
    }
}

/// The files of one payload, and its hash.
struct Files<F> {
    object: F,
    plain_copy: Option<F>,
    hasher: Hasher,
}

impl<F: StagedFile> Files<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.object.write_all(bytes)?;
        self.plain_copy.as_mut().map_or(Ok(()), |copy| copy.write_all(bytes))
    }
}

/// Who writes the files.
enum Writer<F: StagedFile> {
    /// The thread that gives the bytes.
    Here(Box<Files<F>>),
    /// A thread of its own.
    There(Thread<F>),
    /// Nobody any more.
    Ended,
}

struct Thread<F> {
    /// `None` once everything has been given.
    filled: Option<SyncSender<Vec<u8>>>,
    emptied: Receiver<Vec<u8>>,
    /// `None` once it has ended.
    handle: Option<JoinHandle<io::Result<Box<Files<F>>>>>,
}

impl<F: StagedFile> Writer<F> {
    fn move_to_a_thread(&mut self) {
        match mem::replace(self, Writer::Ended) {
            Writer::Here(files) => *self = Thread::start(files).map_or_else(Writer::Here, Writer::There),
            other => *self = other,
        }
    }

    /// Writes the content of a buffer, and returns an empty one.
    fn write(&mut self, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Writer::Here(files) => {
                files.write(&buffer)?;
                buffer.clear();
                Ok(buffer)
            }
            Writer::There(thread) => {
                if thread.filled.as_ref().is_some_and(|filled| filled.send(buffer).is_ok()) {
                    return Ok(thread.emptied.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK_BYTES)));
                }
                // It ends early for one reason only: a failure.
                let failure = mem::replace(self, Writer::Ended).end().err();
                Err(failure.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()))
            }
            Writer::Ended => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Everything has been given: returns the files once it has been written.
    fn end(self) -> io::Result<Files<F>> {
        match self {
            Writer::Here(files) => Ok(*files),
            Writer::There(mut thread) => thread.end().map(|files| *files),
            Writer::Ended => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl<F: StagedFile> Thread<F> {
    /// Gives the files back when there can be no further thread.
    fn start(files: Box<Files<F>>) -> Result<Self, Box<Files<F>>> {
        let (filled, inbox) = sync_channel::<Vec<u8>>(WAITING);
        let (outbox, emptied) = channel();
        // The files go through a channel, so that they are still here when there is no thread.
        let (give, take) = sync_channel::<Box<Files<F>>>(1);
        let work = move || {
            let mut files = take.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            for mut buffer in inbox {
                files.write(&buffer)?;
                buffer.clear();
                // Whoever gives the bytes may have no use for it any more.
                let _ = outbox.send(buffer);
            }
            Ok(files)
        };
        match thread::Builder::new().name("lastgood-write".to_owned()).spawn(work) {
            Ok(handle) => match give.send(files) {
                Ok(()) => Ok(Self { filled: Some(filled), emptied, handle: Some(handle) }),
                Err(unsent) => Err(unsent.0),
            },
            Err(_) => Err(files),
        }
    }

    fn end(&mut self) -> io::Result<Box<Files<F>>> {
        drop(self.filled.take());
        let handle = self.handle.take().ok_or(io::ErrorKind::BrokenPipe)?;
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<F> Drop for Thread<F> {
    fn drop(&mut self) {
        // It has files in staging, which is about to be removed.
        drop(self.filled.take());
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}
