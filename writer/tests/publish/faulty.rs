//! A storage that fails, or whose process dies, at a chosen call.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lastgood::protocol::layout::{self, Dir, FeedPath};
use lastgood::storage::{Durable, FileInfo, Kind, Pending, Placed, Rotation, Staging, Storage, Wave};

/// A call of a storage.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The how-manieth it is, from 0.
    pub(crate) number: usize,
    pub(crate) operation: &'static str,
    pub(crate) path: Option<&'a FeedPath>,
}

impl Call<'_> {
    pub(crate) fn is(&self, operation: &str, path: &FeedPath) -> bool {
        self.operation == operation && self.path == Some(path)
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Works,
    /// Reports an error and has done nothing.
    Fails,
    /// Reports an error and has been done all the same.
    FailsAfterwards,
    /// Panics, in a process that goes on.
    Panics,
    /// The process dies before it.
    Dies,
}

type Fates = dyn Fn(&Call<'_>) -> Fate + Send + Sync;

/// How a process dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Death {
    /// The thread unwinds, and nothing that is dropped meanwhile reaches the storage any more.
    Unwind,
    /// The process is gone.
    Abort,
}

/// What a thread that dies leaves.
pub(crate) struct Died;

/// A storage with fates.
#[derive(Clone)]
pub(crate) struct Faulty<S> {
    inner: S,
    state: Arc<State>,
}

struct State {
    fates: Box<Fates>,
    death: Death,
    calls: AtomicUsize,
    struck: AtomicBool,
    dead: AtomicBool,
}

impl<S: Storage> Faulty<S> {
    pub(crate) fn new(inner: S, death: Death, fates: impl Fn(&Call<'_>) -> Fate + Send + Sync + 'static) -> Self {
        let state = State {
            fates: Box::new(fates),
            death,
            calls: AtomicUsize::new(0),
            struck: AtomicBool::new(false),
            dead: AtomicBool::new(false),
        };
        Self { inner, state: Arc::new(state) }
    }

    /// Whether any call did not simply work.
    pub(crate) fn struck(&self) -> bool {
        self.state.struck.load(Ordering::Relaxed)
    }
}

impl State {
    fn call<T>(
        &self,
        operation: &'static str,
        path: Option<&FeedPath>,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let injected = || io::Error::other(format!("injected into {operation}"));
        if self.dead.load(Ordering::Relaxed) {
            return Err(injected());
        }
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let fate = (self.fates)(&Call { number, operation, path });
        self.struck.fetch_or(fate != Fate::Works, Ordering::Relaxed);
        match fate {
            Fate::Works => act(),
            Fate::Fails => Err(injected()),
            Fate::FailsAfterwards => act().and_then(|_| Err(injected())),
            Fate::Panics => std::panic::resume_unwind(Box::new(Died)),
            Fate::Dies => {
                self.dead.store(true, Ordering::Relaxed);
                match self.death {
                    Death::Unwind => std::panic::resume_unwind(Box::new(Died)),
                    Death::Abort => std::process::abort(),
                }
            }
        }
    }
}

impl<S: Storage> Storage for Faulty<S> {
    type File = S::File;
    type Staging = FaultyStaging<S::Staging>;
    type Lock = S::Lock;

    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self) -> io::Result<()> {
        self.state.call("create", None, || self.inner.create())
    }

    fn complete(&self) -> io::Result<Vec<String>> {
        self.state.call("complete", None, || self.inner.complete())
    }

    fn list(&self, dir: Dir) -> io::Result<Vec<String>> {
        self.state.call("list", None, || self.inner.list(dir))
    }

    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>> {
        self.state.call("info", Some(path), || self.inner.info(path))
    }

    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>> {
        self.state.call("open", Some(path), || self.inner.open(path))
    }

    fn try_lock(&self, holder: &str) -> io::Result<Option<S::Lock>> {
        self.state.call("try_lock", None, || self.inner.try_lock(holder))
    }

    fn share(&self, lock: &mut S::Lock) -> io::Result<()> {
        self.state.call("share", None, || self.inner.share(lock))
    }

    fn try_join(&self) -> io::Result<Option<S::Lock>> {
        self.state.call("try_join", None, || self.inner.try_join())
    }

    fn lock_holder(&self) -> io::Result<Option<String>> {
        self.state.call("lock_holder", None, || self.inner.lock_holder())
    }

    fn stage(&self) -> io::Result<Self::Staging> {
        let inner = self.state.call("stage", None, || self.inner.stage())?;
        Ok(FaultyStaging { inner, state: Arc::clone(&self.state) })
    }

    fn sweep_staging(&self) -> io::Result<usize> {
        self.state.call("sweep_staging", None, || self.inner.sweep_staging())
    }

    fn place(&self, file: Pending<S::File>, path: &FeedPath) -> io::Result<Placed<S::File>> {
        self.state.call("place", Some(path), || self.inner.place(file, path))
    }

    fn sync(&self, wave: Wave<S::File>) -> io::Result<Vec<Durable<S::File>>> {
        self.state.call("sync", None, || self.inner.sync(wave))
    }

    fn replace(&self, file: Durable<S::File>, path: &FeedPath) -> io::Result<()> {
        self.state.call("replace", Some(path), || self.inner.replace(file, path))
    }

    fn preserve(&self, path: &FeedPath) -> io::Result<Option<String>> {
        self.state.call("preserve", Some(path), || self.inner.preserve(path))
    }

    fn remove(&self, path: &FeedPath) -> io::Result<bool> {
        self.state.call("remove", Some(path), || self.inner.remove(path))
    }

    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]> {
        self.state.call("read_mark", None, || self.inner.read_mark())
    }

    fn write_mark(&self, place: usize, bytes: &[u8]) -> io::Result<Placed<S::File>> {
        self.state.call("write_mark", None, || self.inner.write_mark(place, bytes))
    }

    fn append_to_log(&self, line: &str, rotation: Rotation) -> io::Result<()> {
        self.state.call("append_to_log", None, || self.inner.append_to_log(line, rotation))
    }

    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
        self.state.call("read_log", None, || self.inner.read_log(rotation))
    }
}

pub(crate) struct FaultyStaging<G> {
    inner: G,
    state: Arc<State>,
}

impl<G: Staging> Staging for FaultyStaging<G> {
    type File = G::File;

    fn create(&self, kind: Kind) -> io::Result<G::File> {
        self.state.call("stage a file", None, || self.inner.create(kind))
    }

    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<G::File>>> {
        self.state.call("link", Some(path), || self.inner.link(path))
    }
}

/// Whether a call is the commit.
pub(crate) fn is_commit(call: &Call<'_>) -> bool {
    call.is("replace", &layout::manifest())
}
