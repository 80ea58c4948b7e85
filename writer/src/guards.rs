//! Guards: what a payload must be like, beside being right, to replace what is published.

mod column;
mod shrink;

use std::fmt;
use std::io::{self, Read};

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Entry, Meta};
use lastgood_protocol::name::{DatasetName, Ext};

use crate::error::Error;
use crate::prepare::Item;
use crate::storage::Storage;

use self::column::{Column, Time};
pub use self::shrink::{InvalidShrink, Shrink};

/// What a dataset is guarded against. The default guards against nothing.
///
/// Those that look at what is published hold when nothing is; a published payload that is damaged is compared by what
/// the manifest says of it alone, so that a good one can replace it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guards {
    /// The payload is an array with at least this many elements.
    pub min_rows: Option<u64>,
    /// How much smaller than the published payload it may be: by rows when both are arrays, by bytes otherwise.
    pub max_shrink: Option<Shrink>,
    /// The meta is an object with these members.
    pub require_meta: Vec<String>,
    /// The payload is an array of objects. The value that each has under this name never decreases from one row to the
    /// next, and the last one is not before the last one that is published.
    ///
    /// Values are numbers or texts. Numbers compare as a browser sees them, as doubles. Two texts compare as instants, to
    /// the millisecond, when both are RFC 3339, and byte by byte otherwise, which is right for dates such as
    /// `2026-11-20`. A number and a text do not compare.
    pub time_column: Option<String>,
}

/// One of the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// [`Guards::min_rows`]
    MinRows,
    /// [`Guards::max_shrink`]
    MaxShrink,
    /// [`Guards::require_meta`]
    RequireMeta,
    /// [`Guards::time_column`]
    TimeColumn,
}

impl Guard {
    /// Its name in the configuration and in a manifest's `forced`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Guard::MinRows => "min_rows",
            Guard::MaxShrink => "max_shrink",
            Guard::RequireMeta => "require_meta",
            Guard::TimeColumn => "time_column",
        }
    }

    /// The stable code of its breach.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Guard::MinRows => "guard-min-rows",
            Guard::MaxShrink => "guard-max-shrink",
            Guard::RequireMeta => "guard-require-meta",
            Guard::TimeColumn => "guard-time-column",
        }
    }
}

/// A guard that a payload does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenGuard {
    /// Which one.
    pub guard: Guard,
    /// What it expected.
    pub expected: String,
    /// What it found.
    pub found: String,
}

impl fmt::Display for BrokenGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.guard.name(), self.expected, self.found)
    }
}

impl Item<'_> {
    /// The same with guards.
    #[must_use]
    pub fn guards(self, guards: Guards) -> Self {
        Self { guards, ..self }
    }

    /// The same, published also when a guard is broken. Which ones were is recorded in the manifest.
    #[must_use]
    pub fn force(self) -> Self {
        Self { force: true, ..self }
    }
}

/// What the guards look at in a payload that is about to be published.
pub(crate) struct Candidate<'a> {
    pub(crate) ext: &'a Ext,
    pub(crate) size: u64,
    /// The number of elements if the payload is an array.
    pub(crate) rows: Option<u64>,
    pub(crate) meta: Option<&'a Meta>,
}

/// A payload with the verdict of its guards on it, which holds as long as the same payload is published.
pub(crate) struct Guarded {
    guards: Guards,
    force: bool,
    size: u64,
    rows: Option<u64>,
    last: Option<Time>,
    /// The guards that it breaks whatever is published.
    by_itself: Vec<BrokenGuard>,
    /// What it was compared with, and what it breaks beside that.
    compared: Option<(Option<ObjectId>, Vec<BrokenGuard>)>,
}

type ObjectId = (Sha256, Ext);

/// Which payload is published; `None` when there is none.
fn identity(published: Option<&Entry>) -> Option<ObjectId> {
    published.map(|entry| (entry.sha256, entry.ext.clone()))
}

impl Guarded {
    /// Judges a payload by itself. `payload` opens it; that is done only when a guard needs to see what is in it.
    pub(crate) fn new(
        guards: Guards,
        force: bool,
        candidate: &Candidate<'_>,
        payload: impl FnOnce() -> io::Result<Box<dyn Read + Send>>,
    ) -> io::Result<Self> {
        let Candidate { ext, size, rows, meta } = *candidate;
        let mut by_itself = Vec::new();
        let mut broken = |guard, expected: String, found: String| {
            by_itself.push(BrokenGuard { guard, expected, found });
        };
        let no_rows = || if ext.is_json() { "no array".to_owned() } else { format!("a file of type {ext}") };
        if let Some(min) = guards.min_rows.filter(|&min| rows.is_none_or(|rows| rows < min)) {
            let found = rows.map_or_else(no_rows, counted_rows);
            broken(Guard::MinRows, format!("an array of at least {}", counted_rows(min)), found);
        }
        if let Some(missing) = missing_meta(&guards.require_meta, meta) {
            broken(Guard::RequireMeta, format!("meta with {}", guards.require_meta.join(", ")), missing);
        }
        let mut last = None;
        if let Some(name) = &guards.time_column {
            let judged = match rows {
                Some(_) => Column::in_order(name, payload()?)?,
                None => Err(no_rows()),
            };
            match judged {
                Ok(value) => last = value,
                Err(found) => {
                    broken(Guard::TimeColumn, format!("an array of objects in the order of their \"{name}\""), found);
                }
            }
        }
        Ok(Self { guards, force, size, rows, last, by_itself, compared: None })
    }

    /// Whether any guard compares with what is published.
    pub(crate) fn compares(&self) -> bool {
        self.guards.max_shrink.is_some() || self.last.is_some()
    }

    /// Compares with what is published now, and keeps what was found.
    pub(crate) fn compare<S: Storage>(&mut self, storage: &S, published: Option<&Entry>) -> io::Result<()> {
        let broken = self.broken_beside(storage, published)?;
        self.compared = Some((identity(published), broken));
        Ok(())
    }

    /// The names of the guards that are overridden, for the manifest; `None` when all hold. Compares again only when
    /// another payload is published than the one that it was compared with.
    pub(crate) fn verdict<S: Storage>(
        &self,
        storage: &S,
        dataset: &DatasetName,
        published: Option<&Entry>,
    ) -> Result<Option<String>, Error> {
        let beside = match &self.compared {
            Some((with, broken)) if *with == identity(published) => broken.clone(),
            _ => {
                let failed = Error::io(format!("compare {dataset} with what is published"));
                self.broken_beside(storage, published).map_err(failed)?
            }
        };
        let broken: Vec<BrokenGuard> = self.by_itself.iter().cloned().chain(beside).collect();
        if broken.is_empty() {
            return Ok(None);
        }
        if !self.force {
            return Err(Error::Guard { dataset: dataset.clone(), broken });
        }
        let names: Vec<&str> = broken.iter().map(|broken| broken.guard.name()).collect();
        Ok(Some(names.join(" ")))
    }

    /// What is broken beside a published payload.
    fn broken_beside<S: Storage>(&self, storage: &S, published: Option<&Entry>) -> io::Result<Vec<BrokenGuard>> {
        let Some(entry) = published.filter(|_| self.compares()) else { return Ok(Vec::new()) };
        let by_rows = self.guards.max_shrink.is_some() && self.rows.is_some();
        let column = self.guards.time_column.as_deref().filter(|_| self.last.is_some());
        let look = entry.ext.is_json() && (by_rows || column.is_some());
        let content = if look { Content::of(storage, entry, column)? } else { Content::default() };

        let mut broken = Vec::new();
        if let Some(shrink) = self.guards.max_shrink {
            let (before, now, unit): (u64, u64, fn(u64) -> String) = match (content.rows, self.rows) {
                (Some(before), Some(now)) => (before, now, counted_rows),
                _ => (entry.size, self.size, |bytes| format!("{bytes} bytes")),
            };
            let min = shrink.least_of(before);
            if now < min {
                let expected = format!("at least {} ({shrink} less than the published {before})", unit(min));
                broken.push(BrokenGuard { guard: Guard::MaxShrink, expected, found: unit(now) });
            }
        }
        if let (Some(before), Some(last), Some(name)) = (content.last, &self.last, column)
            && last.comes_after(&before) != Some(true)
        {
            let expected = format!("a last \"{name}\" not before the published {before}");
            broken.push(BrokenGuard { guard: Guard::TimeColumn, expected, found: last.to_string() });
        }
        Ok(broken)
    }
}

/// What guards compare of a published payload; nothing when it is damaged.
#[derive(Default)]
struct Content {
    rows: Option<u64>,
    last: Option<Time>,
}

impl Content {
    /// Streams the object of a published payload.
    fn of<S: Storage>(storage: &S, entry: &Entry, column: Option<&str>) -> io::Result<Self> {
        let path = layout::object(&entry.sha256, &entry.ext);
        let content = match storage.open(&path)? {
            Some(file) => {
                let mut file = Hashed { inner: file, hasher: Hasher::new() };
                let content = column::survey(column, &mut file)?;
                io::copy(&mut file, &mut io::sink())?;
                (file.hasher.finish() == entry.sha256).then_some(content)
            }
            None => None,
        };
        let Some((rows, last)) = content else {
            tracing::warn!(%path, "the published payload is damaged: guards compare by its size alone");
            return Ok(Self::default());
        };
        Ok(Self { rows, last })
    }
}

/// Hashes what is read through it.
struct Hashed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..size]);
        Ok(size)
    }
}

/// What is missing of the members that the meta must have, in words; `None` when all are there.
fn missing_meta(required: &[String], meta: Option<&Meta>) -> Option<String> {
    if required.is_empty() {
        return None;
    }
    let Some(meta) = meta else { return Some("no meta".to_owned()) };
    let meta: serde_json::Value = serde_json::from_str(meta.as_str()).expect("meta is JSON");
    let Some(members) = meta.as_object() else { return Some("meta that is no object".to_owned()) };
    let missing: Vec<&str> = required.iter().map(String::as_str).filter(|key| !members.contains_key(*key)).collect();
    if missing.is_empty() { None } else { Some(format!("meta without {}", missing.join(", "))) }
}

fn counted_rows(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}
