//! A storage each of whose calls is a step: before it, another task may go on.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lastgood::protocol::layout::{Dir, FeedPath};
use lastgood::storage::{Durable, FileInfo, Kind, MemoryStorage, Pending, Placed, Rotation, Staging, Storage, Wave};

use crate::orders::Waiting;

/// What all tasks of one execution share.
pub(crate) struct World {
    pub(crate) storage: MemoryStorage,
    waiting: Waiting,
    /// The time: how many steps have been taken.
    time: Arc<AtomicI64>,
    /// How often the writer's lock or a turn under it was given back.
    releases: AtomicU64,
    /// Looks at the feed after each change.
    observe: Box<dyn Fn(&MemoryStorage) + Send + Sync>,
    /// The times at which reads that go on have begun.
    pub(crate) reads: Mutex<Vec<i64>>,
}

/// The virtual time that one step takes, in milliseconds.
const TICK: i64 = 1;

impl World {
    pub(crate) fn new(waiting: Waiting, observe: impl Fn(&MemoryStorage) + Send + Sync + 'static) -> Arc<Self> {
        let time = Arc::new(AtomicI64::new(1_800_000_000_000));
        let clock = Arc::clone(&time);
        let storage = MemoryStorage::with_clock(move || {
            lastgood::protocol::time::Timestamp::from_ms(clock.load(Ordering::Relaxed))
        });
        let (releases, reads) = (AtomicU64::new(0), Mutex::default());
        Arc::new(Self { storage, waiting, time, releases, observe: Box::new(observe), reads })
    }

    pub(crate) fn now(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    /// Lets this task wait until a lock is given back, or something else happens that [`wake`](Self::wake) tells.
    pub(crate) fn wait(&self) {
        self.waiting.lock().unwrap().insert(usize::from(shuttle::current::me()));
        shuttle::thread::yield_now();
    }

    pub(crate) fn wake(&self) {
        self.releases.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().unwrap().clear();
    }
}

/// What a task that dies leaves.
pub(crate) struct Died;

/// The storage as one task uses it.
#[derive(Clone)]
pub(crate) struct Stepped {
    pub(crate) world: Arc<World>,
    task: Arc<Task>,
}

struct Task {
    /// Before which step it dies.
    dies_before: Option<usize>,
    steps: AtomicUsize,
    dead: AtomicBool,
    /// When it last heard that the lock is taken, in releases.
    refused: AtomicU64,
    /// Whether it runs under a lock of another task: then it is not to wait for that.
    joins: bool,
    /// Whether the others only look: then what it looks at itself they cannot change, and it need not be interrupted there.
    beside_lookers: bool,
    /// How often an object was not there that it wanted to read.
    missed: AtomicUsize,
}

impl Stepped {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self::of(world, |_| {})
    }

    pub(crate) fn dying(world: &Arc<World>, before: usize) -> Self {
        Self::of(world, |task| task.dies_before = Some(before))
    }

    pub(crate) fn joining(world: &Arc<World>) -> Self {
        Self::of(world, |task| task.joins = true)
    }

    pub(crate) fn beside_lookers(world: &Arc<World>) -> Self {
        Self::of(world, |task| task.beside_lookers = true)
    }

    fn of(world: &Arc<World>, change: impl FnOnce(&mut Task)) -> Self {
        let mut task = Task {
            dies_before: None,
            steps: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            refused: AtomicU64::new(u64::MAX),
            joins: false,
            beside_lookers: false,
            missed: AtomicUsize::new(0),
        };
        change(&mut task);
        Self { world: Arc::clone(world), task: Arc::new(task) }
    }

    /// Whether the task has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.task.dead.load(Ordering::Relaxed)
    }

    /// How often an object was not there that it wanted to read.
    pub(crate) fn missed(&self) -> usize {
        self.task.missed.load(Ordering::Relaxed)
    }

    fn storage(&self) -> &MemoryStorage {
        &self.world.storage
    }

    /// A call that others can notice, or that notices others.
    fn step<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.step_after(shuttle::thread::yield_now, act)
    }

    /// A call that notices others, and that nobody notices.
    fn look<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.step_after(if self.task.beside_lookers { || {} } else { shuttle::thread::yield_now }, act)
    }

    fn step_after<T>(&self, interruption: fn(), act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // Threads that a task starts for a while read beside it, within a step of it.
        if shuttle::current::try_get_current_task().is_none() {
            return act();
        }
        self.refuse_if_dead()?;
        interruption();
        let number = self.task.steps.fetch_add(1, Ordering::Relaxed);
        if self.task.dies_before == Some(number) {
            self.task.dead.store(true, Ordering::Relaxed);
            std::panic::resume_unwind(Box::new(Died));
        }
        self.world.time.fetch_add(TICK, Ordering::Relaxed);
        act()
    }

    fn change<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.step(|| {
            let done = act();
            (self.world.observe)(self.storage());
            done
        })
    }

    /// What is dropped while it dies reaches nothing any more.
    fn refuse_if_dead(&self) -> io::Result<()> {
        if self.is_dead() { Err(io::Error::other("dead")) } else { Ok(()) }
    }

    /// Whether it was given back since this task last heard that it is taken.
    fn is_news_that_it_is_taken(&self) -> bool {
        let releases = self.world.releases.load(Ordering::Relaxed);
        self.task.refused.swap(releases, Ordering::Relaxed) != releases
    }

    fn lock(&self, inner: <MemoryStorage as Storage>::Lock) -> SteppedLock {
        SteppedLock { inner: Some(inner), storage: self.clone() }
    }
}

impl Storage for Stepped {
    type File = <MemoryStorage as Storage>::File;
    type Staging = SteppedStaging;
    type Lock = SteppedLock;

    fn location(&self) -> String {
        self.storage().location()
    }

    fn create(&self) -> io::Result<()> {
        self.change(|| self.storage().create())
    }

    fn complete(&self) -> io::Result<Vec<String>> {
        self.refuse_if_dead()?;
        self.storage().complete()
    }

    fn list(&self, dir: Dir) -> io::Result<Vec<String>> {
        self.look(|| self.storage().list(dir))
    }

    fn info(&self, path: &FeedPath) -> io::Result<Option<FileInfo>> {
        self.look(|| self.storage().info(path))
    }

    fn open(&self, path: &FeedPath) -> io::Result<Option<Box<dyn Read + Send>>> {
        let opened = self.look(|| self.storage().open(path))?;
        if opened.is_none() && path.dir() == Dir::Objects {
            self.task.missed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(opened)
    }

    /// Waits where a process would ask again and again.
    fn try_lock(&self, holder: &str) -> io::Result<Option<SteppedLock>> {
        loop {
            if let Some(lock) = self.step(|| self.storage().try_lock(holder))? {
                return Ok(Some(self.lock(lock)));
            }
            if self.task.joins && self.is_news_that_it_is_taken() {
                return Ok(None);
            }
            self.world.wait();
        }
    }

    fn share(&self, lock: &mut SteppedLock) -> io::Result<()> {
        let inner = lock.inner.as_mut().expect("it is there until it is dropped");
        self.step(|| self.storage().share(inner))?;
        self.world.wake();
        Ok(())
    }

    fn try_join(&self) -> io::Result<Option<SteppedLock>> {
        loop {
            if let Some(lock) = self.step(|| self.storage().try_join())? {
                return Ok(Some(self.lock(lock)));
            }
            self.world.wait();
        }
    }

    /// Waits where a process would look again and again whether it is still held.
    fn lock_holder(&self) -> io::Result<Option<String>> {
        loop {
            let holder = self.look(|| self.storage().lock_holder())?;
            if holder.is_none() || self.task.joins || self.is_news_that_it_is_taken() {
                return Ok(holder);
            }
            self.world.wait();
        }
    }

    fn stage(&self) -> io::Result<SteppedStaging> {
        self.refuse_if_dead()?;
        Ok(SteppedStaging { inner: self.storage().stage()?, storage: self.clone() })
    }

    fn sweep_staging(&self) -> io::Result<usize> {
        self.storage().sweep_staging()
    }

    fn place(&self, file: Pending<Self::File>, path: &FeedPath) -> io::Result<Placed<Self::File>> {
        self.change(|| self.storage().place(file, path))
    }

    fn sync(&self, wave: Wave<Self::File>) -> io::Result<Vec<Durable<Self::File>>> {
        self.refuse_if_dead()?;
        self.storage().sync(wave)
    }

    fn replace(&self, file: Durable<Self::File>, path: &FeedPath) -> io::Result<()> {
        self.change(|| self.storage().replace(file, path))
    }

    fn preserve(&self, path: &FeedPath) -> io::Result<Option<String>> {
        self.step(|| self.storage().preserve(path))
    }

    fn remove(&self, path: &FeedPath) -> io::Result<bool> {
        self.change(|| self.storage().remove(path))
    }

    fn read_mark(&self) -> io::Result<[Vec<u8>; 2]> {
        self.look(|| self.storage().read_mark())
    }

    fn write_mark(&self, place: usize, bytes: &[u8]) -> io::Result<Placed<Self::File>> {
        self.step(|| self.storage().write_mark(place, bytes))
    }

    fn append_to_log(&self, line: &str, rotation: Rotation) -> io::Result<()> {
        self.refuse_if_dead()?;
        self.storage().append_to_log(line, rotation)
    }

    fn read_log(&self, rotation: Rotation) -> io::Result<Vec<Vec<u8>>> {
        self.storage().read_log(rotation)
    }
}

/// What is in staging is nobody else's business: no step.
pub(crate) struct SteppedStaging {
    inner: <MemoryStorage as Storage>::Staging,
    storage: Stepped,
}

impl Staging for SteppedStaging {
    type File = <MemoryStorage as Storage>::File;

    fn create(&self, kind: Kind) -> io::Result<Self::File> {
        self.storage.refuse_if_dead()?;
        self.inner.create(kind)
    }

    fn link(&self, path: &FeedPath) -> io::Result<Option<Pending<Self::File>>> {
        self.storage.step(|| self.inner.link(path))
    }
}

/// Giving it back is a step, too; the kernel takes it from the dead.
pub(crate) struct SteppedLock {
    inner: Option<<MemoryStorage as Storage>::Lock>,
    storage: Stepped,
}

impl Drop for SteppedLock {
    fn drop(&mut self) {
        if !self.storage.is_dead() && !std::thread::panicking() {
            shuttle::thread::yield_now();
        }
        self.inner = None;
        let (world, refused) = (&self.storage.world, &self.storage.task.refused);
        let before = world.releases.load(Ordering::Relaxed);
        world.wake();
        // What it gives back itself is no news to it.
        let _ = refused.compare_exchange(before, before + 1, Ordering::Relaxed, Ordering::Relaxed);
    }
}
