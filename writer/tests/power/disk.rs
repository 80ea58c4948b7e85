//! The simulated machine as the system below a [`PosixStorage`](lastgood::storage::PosixStorage).

use std::ffi::OsString;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use lastgood::storage::{Found, Handle, Open, System};

use crate::machine::{Machine, NodeId};
use crate::moment;
use crate::plan::{Call, Effect, Fault, Faults, Plan};

/// When the machine's clock begins: earlier than everything that is published, so that all its files are old.
const BEGINNING: Duration = Duration::from_secs(1_700_000_000);

/// The disk of a machine, with everything that was ever about to be done to it.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    machine: Machine,
    /// How many calls there were that changed something.
    changes: u64,
    /// Whether nothing has changed since the last moment that was kept, but for what was synced.
    only_synced: bool,
    recorded: Option<Vec<Moment>>,
    faults: Option<Faults>,
}

/// The machine at a moment at which a power cut can leave more than at those around it: before a sync.
///
/// All other moments are covered by these. A call that changes something adds to what a cut may leave and takes nothing
/// away, because what was not synced may also be lost; a sync takes away and adds nothing.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) machine: Machine,
    /// What was about to be done.
    pub(crate) call: String,
}

impl Disk {
    pub(crate) fn new(machine: Machine) -> Self {
        let shared = Shared { machine, changes: 0, only_synced: false, recorded: None, faults: None };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From now on, keeps the machine as it is before every first of several syncs.
    pub(crate) fn record(&self) {
        self.lock().recorded = Some(Vec::new());
    }

    /// What was kept, with the machine as it is now at the end.
    pub(crate) fn recorded(&self) -> Vec<Moment> {
        let mut shared = self.lock();
        let mut moments = shared.recorded.take().unwrap_or_default();
        moments.push(Moment { machine: shared.machine.clone(), call: "anything else".to_owned() });
        moments
    }

    /// How many calls there were that changed something.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// The machine as it is.
    pub(crate) fn machine(&self) -> Machine {
        self.lock().machine.clone()
    }

    /// Looks at the machine, or changes it, without this being recorded.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut Machine) -> T) -> T {
        action(&mut self.lock().machine)
    }

    /// From now on, numbers the calls, from 0, and has those fail that the plan says.
    pub(crate) fn inject(&self, plan: Option<Plan>) {
        self.lock().faults = Some(Faults { plan, ..Faults::default() });
    }

    /// From now on, every call works. Returns what was called since [`inject`](Self::inject).
    pub(crate) fn heal(&self) -> Faults {
        let mut shared = self.lock();
        shared.machine.end_of_operation();
        shared.faults.take().unwrap_or_default()
    }

    fn fault(&self, name: &'static str, path: &Path, effect: Effect) -> Option<Fault> {
        self.lock().faults.as_mut()?.next(Call { name, path: path.to_owned(), effect })
    }

    /// A call, which may be one that fails.
    fn call<T>(
        &self,
        name: &'static str,
        path: &Path,
        effect: Effect,
        call: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        match self.fault(name, path, effect) {
            None | Some(Fault::TakesHalf) => call(),
            Some(Fault::Fails(cause) | Fault::TakesHalfThenFails(cause)) => Err(cause.into()),
            Some(Fault::FailsAfterwards(cause)) => call().and_then(|_| Err(cause.into())),
        }
    }

    /// A sync, which may be one that fails: then the machine does what `fail` says.
    fn sync_or_fail(
        &self,
        path: &Path,
        sync: impl FnOnce(&mut Machine) -> io::Result<()>,
        fail: impl FnOnce(&mut Machine) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.fault("sync", path, Effect::Takes) {
            Some(Fault::Fails(cause)) => self.change(fail).and_then(|()| Err(cause.into())),
            Some(Fault::FailsAfterwards(cause)) => self.sync(path, sync).and_then(|()| Err(cause.into())),
            _ => self.sync(path, sync),
        }
    }

    /// What opening a file asks: it is looked whether it is there only when calls are to fail.
    fn effect_of_opening(&self, path: &Path, how: Open) -> Effect {
        let mut shared = self.lock();
        let creates = match how {
            Open::Read | Open::ReadWrite { create: false } => false,
            Open::New { .. } => true,
            Open::ReadWrite { create: true } | Open::Append => {
                shared.faults.is_some() && shared.machine.find(path).is_err()
            }
        };
        if creates { Effect::Takes } else { Effect::Looks }
    }

    /// A call that changes something.
    fn change<T>(&self, action: impl FnOnce(&mut Machine) -> io::Result<T>) -> io::Result<T> {
        let mut shared = self.lock();
        shared.changes += 1;
        shared.only_synced = false;
        action(&mut shared.machine)
    }

    /// A call that makes something durable.
    fn sync(&self, path: &Path, action: impl FnOnce(&mut Machine) -> io::Result<()>) -> io::Result<()> {
        let mut shared = self.lock();
        shared.changes += 1;
        if let Shared { machine, only_synced: false, recorded: Some(recorded), .. } = &mut *shared {
            recorded.push(Moment { machine: machine.clone(), call: format!("sync {}", path.display()) });
        }
        shared.only_synced = true;
        action(&mut shared.machine)
    }
}

impl System for Disk {
    type File = DiskFile;

    fn open(&self, path: &Path, how: Open) -> io::Result<DiskFile> {
        let node = self.call("open", path, self.effect_of_opening(path, how), || {
            Ok(match how {
                Open::Read | Open::ReadWrite { create: false } => self.with(|machine| machine.find(path))?,
                Open::New { mode } => self.change(|machine| machine.make_file(path, mode))?,
                Open::ReadWrite { create: true } => self.change(|machine| machine.find_or_make(path, 0o600))?,
                Open::Append => match self.with(|machine| machine.find(path)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        self.change(|machine| machine.make_file(path, 0o600))?
                    }
                    found => found?,
                },
            })
        })?;
        static HANDLES: AtomicU64 = AtomicU64::new(0);
        let number = HANDLES.fetch_add(1, Ordering::Relaxed);
        Ok(DiskFile {
            disk: self.clone(),
            path: path.to_owned(),
            node,
            position: 0,
            append: how == Open::Append,
            number,
        })
    }

    fn look(&self, path: &Path) -> io::Result<Found> {
        self.call("look", path, Effect::Looks, || {
            self.with(|machine| {
                let node = machine.find(path)?;
                let found = machine.attributes(node);
                let modified = UNIX_EPOCH + BEGINNING + Duration::from_millis(found.modified);
                Ok(Found { link: false, size: found.size, modified, readonly: found.readonly })
            })
        })
    }

    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        let look = || self.with(|machine| machine.find(path).map(|node| machine.is_dir(node)));
        self.call("look", path, Effect::Looks, look)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let look = || self.with(|machine| machine.find(path)).map(|_| path.to_owned());
        self.call("look", path, Effect::Looks, look)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let names = self.call("list", path, Effect::Looks, || self.with(|machine| machine.list(path)))?;
        Ok(names.into_iter().map(OsString::from).collect())
    }

    fn make_dir(&self, path: &Path, _mode: u32) -> io::Result<()> {
        self.call("make directory", path, Effect::Takes, || self.change(|machine| machine.make_dir(path)))
    }

    /// The modes of directories are not simulated.
    fn set_dir_mode(&self, path: &Path, _mode: u32) -> io::Result<()> {
        self.call("set mode", path, Effect::Takes, || self.with(|machine| machine.find(path)).map(drop))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.sync_or_fail(path, |machine| machine.sync_dir(path), |machine| machine.fail_to_sync_dir(path))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("link", to, Effect::Takes, || self.change(|machine| machine.link(from, to)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call("rename", to, Effect::Takes, || self.change(|machine| machine.rename(from, to)))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call("remove", path, Effect::Frees, || self.change(|machine| machine.remove(path)))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        // Whatever is there, it goes: so it is not looked at.
        for name in self.with(|machine| machine.find(path).map(|_| machine.possible_names(path)))? {
            let path = path.join(name);
            self.call("remove", &path, Effect::Frees, || self.change(|machine| machine.remove_any(&path)))?;
        }
        self.call("remove", path, Effect::Frees, || self.change(|machine| machine.remove(path)))
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        Ok(moment::random())
    }

    /// So that what is done is done in one order.
    fn syncs_at_once(&self) -> usize {
        1
    }
}

/// An open file of a [`Disk`].
#[derive(Debug)]
pub(crate) struct DiskFile {
    disk: Disk,
    path: PathBuf,
    node: NodeId,
    position: usize,
    append: bool,
    number: u64,
}

impl Read for DiskFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = || Ok(self.disk.with(|machine| machine.bytes(self.node)));
        let bytes = self.disk.call("read", &self.path, Effect::Looks, read)?;
        let rest = bytes.get(self.position..).unwrap_or_default();
        let size = rest.len().min(buffer.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        self.position += size;
        Ok(size)
    }
}

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = match self.disk.fault("write", &self.path, Effect::Takes) {
            None => bytes,
            Some(Fault::TakesHalf | Fault::TakesHalfThenFails(_)) => &bytes[..bytes.len().div_ceil(2)],
            Some(Fault::Fails(cause) | Fault::FailsAfterwards(cause)) => return Err(cause.into()),
        };
        self.disk.change(|machine| {
            if self.append {
                self.position = machine.bytes(self.node).len();
            }
            machine.write(self.node, self.position, bytes);
            Ok(())
        })?;
        self.position += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for DiskFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let size = || self.disk.with(|machine| machine.bytes(self.node)).len() as i64;
        let position = match to {
            SeekFrom::Start(position) => position as i64,
            SeekFrom::End(offset) => size() + offset,
            SeekFrom::Current(offset) => self.position as i64 + offset,
        };
        self.position = usize::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.position as u64)
    }
}

impl Handle for DiskFile {
    fn is_regular(&self) -> io::Result<bool> {
        let look = || Ok(self.disk.with(|machine| !machine.is_dir(self.node)));
        self.disk.call("look", &self.path, Effect::Looks, look)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        let set = |machine: &mut Machine| {
            machine.set_mode(self.node, mode);
            Ok(())
        };
        self.disk.call("set mode", &self.path, Effect::Takes, || self.disk.change(set))
    }

    fn sync(&self) -> io::Result<()> {
        let sync = |machine: &mut Machine| {
            machine.sync_file(self.node);
            Ok(())
        };
        let fail = |machine: &mut Machine| {
            machine.fail_to_sync_file(self.node);
            Ok(())
        };
        self.disk.sync_or_fail(&self.path, sync, fail)
    }

    /// A hint.
    fn begin_writeback(&self, _offset: u64, _len: u64) {}

    fn try_lock(&self) -> io::Result<bool> {
        let lock = || Ok(self.disk.with(|machine| machine.lock(self.node, self.number, false)));
        self.disk.call("lock", &self.path, Effect::Looks, lock)
    }

    fn try_lock_shared(&self) -> io::Result<bool> {
        let lock = || Ok(self.disk.with(|machine| machine.lock(self.node, self.number, true)));
        self.disk.call("lock", &self.path, Effect::Looks, lock)
    }

    fn unlock(&self) -> io::Result<()> {
        let unlock = || {
            self.disk.with(|machine| machine.unlock(self.node, self.number));
            Ok(())
        };
        self.disk.call("unlock", &self.path, Effect::Looks, unlock)
    }
}

impl Drop for DiskFile {
    fn drop(&mut self) {
        self.disk.with(|machine| machine.unlock(self.node, self.number));
    }
}
