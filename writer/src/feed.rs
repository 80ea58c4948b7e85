//! A feed opened for publishing: the directory, the clock, the settings.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lastgood_protocol::failure::Failure;
use lastgood_protocol::layout::{self, FeedPath};
use lastgood_protocol::manifest::{Generation, MAX_MANIFEST_BYTES, Manifest, ManifestError};
use lastgood_protocol::time::Timestamp;

use crate::compress::Compression;
use crate::error::Error;
use crate::mark;
use crate::recover;
use crate::restore;
use crate::storage::{Modes, PosixStorage, Storage, is_something_else};
use crate::sync::Mutex;
use crate::traces;

/// A feed.
///
/// Opening does no I/O: the directory is made by the first publish. Any number of processes and threads may use a feed
/// at once; commits are serialised by an operating-system lock.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path().join("data");
/// use lastgood::{Feed, Item};
/// use lastgood::protocol::name::DatasetName;
///
/// let feed = Feed::open(&dir);
/// let performance = DatasetName::parse("performance")?;
/// let published = feed.publish(vec![Item::new(performance.clone(), &br#"[{"day": 1, "value": 3.5}]"#[..])])?;
/// assert_eq!(published.generation.get(), 1);
/// assert_eq!(feed.read(&performance)?.value, br#"[{"day": 1, "value": 3.5}]"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Feed<S = PosixStorage> {
    pub(crate) storage: S,
    pub(crate) settings: Settings,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    random: Arc<dyn Fn() -> io::Result<[u8; 16]> + Send + Sync>,
    cancelled: Arc<dyn Fn() -> bool + Send + Sync>,
    /// What was read last: a large manifest takes long to decode, and most often it is still the same.
    last: Arc<Mutex<Option<Current>>>,
}

/// How a feed is published.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long to wait for other writers and for the markers of older scripts. Default: 30 s.
    pub lock_wait: Duration,
    /// How long readers believe the lock marker, should the writer die. Default: 60 s.
    pub lease: Duration,
    /// The [token](crate::Hold::token) of the lock that this process runs under, if it runs under one: publishes of its
    /// datasets take turns under it instead of waiting for it. Default: none.
    pub under_lock: Option<String>,
    /// From which age on a lock marker that lastgood did not write counts as left behind. Default: never.
    pub foreign_marker_stale_after: Option<Duration>,
    /// Whether to make a feed in a directory that holds other files. Default: no.
    pub create_beside_others: bool,
    /// The compressed siblings of objects.
    pub compression: Compression,
    /// Whether the published datasets get a plain copy, and a backup of the one before it. Without, those that earlier
    /// publishes of the same datasets have left are removed. Default: yes.
    pub plain_copies: bool,
    /// How long readers may take the published datasets for current, counted from the commit; after that they say
    /// `expired` of these alone. Default: for ever.
    pub expires_in: Option<Duration>,
    /// The same for datasets that are rolled back. Default: the end that the old payload had stays.
    pub rollback_expiry: RollbackExpiry,
    /// How long readers may take anything of the published generation for current, whatever its datasets say, counted from the
    /// commit. It is not handed on to the next one. Default: for ever.
    pub generation_expires_in: Option<Duration>,
    /// Whether each operation is noted in the operation log, see [`Feed::operations`]. Default: yes.
    pub operation_log: bool,
}

/// How long readers may take what a rollback publishes for current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollbackExpiry {
    /// Until the end that the old payload had, which may be over.
    AsItWas,
    /// For so long, counted from the commit; `None` for ever.
    In(Option<Duration>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(30),
            lease: Duration::from_secs(60),
            under_lock: None,
            foreign_marker_stale_after: None,
            create_beside_others: false,
            compression: Compression::default(),
            plain_copies: true,
            expires_in: None,
            rollback_expiry: RollbackExpiry::AsItWas,
            generation_expires_in: None,
            operation_log: true,
        }
    }
}

impl Feed<PosixStorage> {
    /// The feed in the directory `dir`, with default settings.
    #[must_use]
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self::on(PosixStorage::new(dir, Modes::default()))
    }
}

impl<S: Storage> Feed<S> {
    /// The feed on any storage, with default settings.
    #[must_use]
    pub fn on(storage: S) -> Self {
        Self {
            storage,
            settings: Settings::default(),
            clock: Arc::new(system_time),
            random: Arc::new(system_random),
            cancelled: Arc::new(|| false),
            last: Arc::default(),
        }
    }

    /// The same feed with other settings.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The same feed with another clock, for tests and simulations.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The same feed with another source of the random bits that its ids are made of, for tests and simulations. None may
    /// come twice.
    #[must_use]
    pub fn with_random(self, random: impl Fn() -> io::Result<[u8; 16]> + Send + Sync + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// The same feed with a way to stop: once `cancelled` says so, a publish or a recovery that has not begun to change
    /// the feed ends with [`Error::Cancelled`]. One that has goes on to its end.
    ///
    /// It is asked between reads of an input, also after one that was
    /// [`Interrupted`](std::io::ErrorKind::Interrupted), and while waiting for the lock.
    #[must_use]
    pub fn with_cancellation(self, cancelled: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cancelled: Arc::new(cancelled), ..self }
    }

    /// Where the feed is, for messages.
    #[must_use]
    pub fn location(&self) -> String {
        self.storage.location()
    }

    /// The manifest that is published now.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Damaged`], [`Error::Io`], [`Error::Read`] for a later format.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        self.published().map(|current| Arc::unwrap_or_clone(current.manifest))
    }

    /// Keeps published files as they are now, whatever they are, in the private directory, before something takes their
    /// place. Makes the directories of a feed when they are missing. Returns where, for those that are there.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn preserve(&self, paths: &[FeedPath]) -> Result<Vec<String>, Error> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        self.storage.create().map_err(Error::io(format!("make the feed in {}", self.location())))?;
        let keep = |path| self.storage.preserve(path).map_err(Error::io(format!("keep {path} as it is")));
        paths.iter().filter_map(|path| keep(path).transpose()).collect()
    }

    /// The same on another storage.
    pub(crate) fn on_storage<T: Storage>(&self, storage: T) -> Feed<T> {
        Feed {
            storage,
            settings: self.settings.clone(),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            cancelled: Arc::clone(&self.cancelled),
            last: Arc::default(),
        }
    }

    /// The present time, by the clock of the feed.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        if (self.cancelled)() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// 128 random bits.
    pub(crate) fn random(&self) -> Result<[u8; 16], Error> {
        (self.random)().map_err(Error::io("draw random bits"))
    }

    /// The published manifest with its exact bytes; `None` when there is no feed yet.
    pub(crate) fn current(&self) -> Result<Option<Current>, Error> {
        let doing = || Error::io(format!("read {} in {}", layout::manifest(), self.location()));
        let bytes = match self.storage.read(&layout::manifest(), MAX_MANIFEST_BYTES) {
            Err(error) if is_something_else(&error) => return Err(self.unusable_manifest(&[], error.to_string())),
            read => read.map_err(doing())?,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = last.as_ref().filter(|last| *last.bytes == bytes) {
            return Ok(Some(same.clone()));
        }
        match Manifest::verify(&bytes) {
            Ok(manifest) => Ok(Some(last.insert(Current::new(manifest, bytes)).clone())),
            // Not damage: putting an older manifest back would undo what a later version has published (I5).
            Err(later @ ManifestError::Format { .. }) => Err(Failure::from(later).into()),
            Err(problem) => Err(self.unusable_manifest(&bytes, problem.to_string())),
        }
    }

    /// There is a `manifest.json` that is not what a feed has: damaged, or another program's. `bytes` are what could be read.
    fn unusable_manifest(&self, bytes: &[u8], problem: String) -> Error {
        match traces::foreign_manifest(&self.storage, bytes) {
            Ok(None) => self.manifest_lost(problem),
            Ok(Some(found)) => Error::NameTaken { location: self.location(), name: "manifest.json", found },
            Err(source) => Error::Io { doing: format!("look into {}", self.location()), source },
        }
    }

    /// Takes note of what was just published, which the next commit will find.
    pub(crate) fn remember(&self, published: &Current) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(published.clone());
    }

    /// The published manifest, which there must be.
    pub(crate) fn published(&self) -> Result<Current, Error> {
        if let Some(current) = self.current()? {
            return Ok(current);
        }
        Err(self.manifest_missing()?.unwrap_or_else(|| Error::NoFeed { location: self.location() }))
    }

    /// There is no manifest: the damage that this is when something says that there was one.
    pub(crate) fn manifest_missing(&self) -> Result<Option<Error>, Error> {
        let looking = || Error::io(format!("look into {}", self.location()));
        let generations = recover::retained_generations(&self.storage).map_err(looking())?;
        let are_there = || traces::are_there(&self.storage).map_err(looking());
        // A site may have a directory of that name, with files that are called like generations.
        if let Some(last) = generations.last()
            && are_there()?
        {
            let problem = format!("manifest.json is missing, but the history goes up to generation {last}");
            return Ok(Some(self.manifest_lost(problem)));
        }
        // Where nothing of it is left, whoever took it away wanted that.
        let Some(last) = self.known(None)?.committed else { return Ok(None) };
        if !are_there()? && !traces::copies_are_there(&self.storage).map_err(looking())? {
            return Ok(None);
        }
        let problem =
            format!("manifest.json and its copies in history/ are missing, and the feed had generation {last}");
        Ok(Some(self.nothing_to_restore(problem)))
    }

    /// There is neither a manifest nor one that could be put back.
    pub(crate) fn nothing_to_restore(&self, problem: String) -> Error {
        let way_out = format!(
            "nothing here says what was published: put the directory back from a backup, or begin anew: `{}` makes it an empty \
             feed of another identity, and what is published then comes above all generations that it has had",
            mark::renew(&self.location())
        );
        Error::Damaged { location: self.location(), problem, way_out }
    }

    /// The newest generation whose manifest the history has intact, which could be put in the place of one that is lost.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn newest_intact(&self) -> Result<Option<Generation>, Error> {
        Ok(restore::newest(self)?.map(|(_, manifest)| manifest.generation))
    }

    /// Makes the directories that are missing inside the feed, which this is, and says so.
    pub(crate) fn complete_directories(&self) -> Result<Vec<String>, Error> {
        let made = self.storage.complete();
        let made = made.map_err(Error::io(format!("make what is missing in {}", self.location())))?;
        if !made.is_empty() {
            tracing::warn!("{} was missing in {} and was made again", made.join(", "), self.location());
        }
        Ok(made)
    }

    /// The manifest is missing or damaged, and the history may have it.
    pub(crate) fn manifest_lost(&self, problem: String) -> Error {
        if let Ok(None) = self.newest_intact() {
            return self.nothing_to_restore(problem);
        }
        let way_out = "`lastgood recover` puts the newest intact manifest of its history back".to_owned();
        Error::Damaged { location: self.location(), problem, way_out }
    }
}

/// The published manifest and its exact bytes.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) bytes: Arc<Vec<u8>>,
}

impl Current {
    pub(crate) fn new(manifest: Manifest, bytes: Vec<u8>) -> Self {
        Self { manifest: Arc::new(manifest), bytes: Arc::new(bytes) }
    }
}

fn system_time() -> Timestamp {
    // A clock before 1970 is taken for 1970.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn system_random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
