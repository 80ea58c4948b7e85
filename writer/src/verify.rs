//! Verification: reads everything that is published and compares it with what it should be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, Encoding, FeedPath};
use lastgood_protocol::manifest::{Datasets, Entry, Generation, MAX_MANIFEST_BYTES, Manifest};
use lastgood_protocol::name::{DatasetName, Ext};

use crate::compress;
use crate::derived::{self, CopyOf};
use crate::error::Error;
use crate::feed::{Current, Feed};
use crate::lock;
use crate::mark::OldCopy;
use crate::objects;
use crate::parallel;
use crate::purge;
use crate::recover;
use crate::retained;
use crate::storage::Storage;

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The generation that is published.
    pub generation: Generation,
    /// The newest generation whose manifest and objects are all intact; `None` when there is none.
    pub intact: Option<Generation>,
    /// How many files were read.
    pub files: u64,
    /// How many bytes were read; of compressed siblings, those that come out of them.
    pub bytes: u64,
    /// What is not as it should be; empty when all is well.
    pub problems: Vec<Problem>,
    /// The published datasets whose payload or schema is not intact, each with the newest retained generation in which
    /// both are; `None` when there is none.
    pub lost: Vec<(DatasetName, Option<Generation>)>,
    /// The feed was restored from an old copy: what is published is below what has been published before (I5).
    pub old_copy: Option<OldCopy>,
}

impl Verification {
    /// Whether nothing is amiss.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.problems.is_empty() && self.old_copy.is_none()
    }
}

/// A file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub path: FeedPath,
    /// What is wrong with it.
    pub kind: ProblemKind,
    /// How many bytes it should have; of a compressed sibling, how many should come out of it. `None` where nothing says.
    pub size: Option<u64>,
    /// The retained generations that need the file, in rising order; empty for derived files.
    pub generations: Vec<Generation>,
    /// The datasets that need the file in the published generation.
    pub datasets: Vec<DatasetName>,
}

impl Problem {
    /// Whether it is about a file that follows from the manifest.
    fn is_derived(&self) -> bool {
        self.generations.is_empty()
    }

    fn derived(path: FeedPath, kind: ProblemKind) -> Self {
        Self { path, kind, size: None, generations: Vec::new(), datasets: Vec::new() }
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// It has other bytes than it should.
    #[error("is damaged: expected SHA-256 {expected}, found {found}")]
    Damaged {
        /// What it should be.
        expected: Sha256,
        /// What it is.
        found: Sha256,
    },
    /// It is not a manifest.
    #[error("is damaged: {0}")]
    NotAManifest(String),
    /// It is derived and does not agree with the manifest; `lastgood recover` rebuilds it.
    #[error("does not agree with the manifest; `lastgood recover` rebuilds it")]
    Disagrees,
    /// It has what was purged; `lastgood recover` removes it.
    #[error("was purged and is there all the same; `lastgood recover` removes it")]
    Purged,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The bytes read by now.
    pub bytes: u64,
    /// All that are to be read.
    pub total: u64,
}

/// How often at most it is looked whether what was found was a commit on its way.
const LOOKS: usize = 50;

/// What is smaller, in bytes, is hashed before another thread has begun.
const WORTH_A_THREAD: u64 = 256 * 1024;

impl<S: Storage> Feed<S> {
    /// Reads the manifest, the history, every object that they name with its siblings, and every derived file, on all
    /// cores when that is much, without changing anything and without a lock. What a commit changes meanwhile is looked at again.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Damaged`] when the manifest itself is, [`Error::Io`].
    pub fn verify(&self) -> Result<Verification, Error> {
        self.verify_watched(&|_| {})
    }

    /// The same, telling how far it is, from several threads.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub fn verify_watched(&self, watch: &(dyn Fn(Progress) + Sync)) -> Result<Verification, Error> {
        // What is published, when nobody publishes. In this order: a commit that begins later makes another generation.
        let at_rest = || {
            let generation = self.published()?.manifest.generation;
            let (busy, _) = lock::held_by_all_signs(self)?;
            Ok::<_, Error>((!busy).then_some(generation))
        };
        let mut before = at_rest()?;
        let mut verification = self.verify_once(watch)?;
        let mut looked_at = verification.generation;
        let mut pause = Duration::from_millis(1);
        for look in 1.. {
            let now = at_rest()?;
            // Before and after: a commit may have come to its end in between.
            let quiet = before == Some(looked_at) && now == Some(looked_at);
            before = now;
            if verification.problems.is_empty() || quiet || look == LOOKS {
                break;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
            match verification.problems.iter().all(|problem| problem.is_derived()) {
                // Commits may follow each other faster than everything can be read.
                true => looked_at = self.look_again(&mut verification.problems)?,
                false => {
                    verification = self.verify_once(watch)?;
                    looked_at = verification.generation;
                }
            }
        }
        verification.old_copy = self.old_copy()?;
        Ok(verification)
    }

    /// Leaves out derived files that agree with the manifest now: what was found was a commit on its way. Others stay.
    /// Returns the generation that they were held against.
    fn look_again(&self, problems: &mut Vec<Problem>) -> Result<Generation, Error> {
        let current = self.published()?;
        let (storage, manifest) = (&self.storage, &current.manifest);
        let looking = || Error::io("look at the derived files again");
        let before = derived::entries_before(storage, manifest, manifest.datasets.keys()).map_err(looking())?;
        let whole = same_bytes(storage, &current).into_iter().chain(self.purged(manifest)?);
        let mut wrong: HashSet<FeedPath> = whole.map(|problem| problem.path).collect();
        for (dataset, entry) in &manifest.datasets {
            for copy in derived::copies(dataset, entry, before.get(dataset)) {
                // One that cannot be read does not agree. A sibling may be missing.
                if problems.iter().any(|problem| problem.path == copy.path)
                    && !copy.is_intact(storage).unwrap_or(false)
                    && (copy.encoding.is_none() || !matches!(storage.info(&copy.path), Ok(None)))
                {
                    wrong.insert(copy.path);
                }
            }
        }
        // Otherwise the files were held against a manifest that is no longer theirs.
        if self.published()?.manifest.commit == manifest.commit {
            problems.retain(|problem| wrong.contains(&problem.path));
        }
        Ok(manifest.generation)
    }

    pub(crate) fn verify_once(&self, watch: &(dyn Fn(Progress) + Sync)) -> Result<Verification, Error> {
        let current = self.published()?;
        let mut expected = Expected::read(self, &current)?;
        let tasks = expected.tasks(&self.storage, &current.manifest)?;
        // A manifest can claim any sizes.
        let total = tasks.iter().fold(0_u64, |total, task| total.saturating_add(task.size));
        let read = AtomicU64::new(0);
        let threads = if total < WORTH_A_THREAD { 1 } else { parallel::cores() };
        let found = parallel::map(threads, &tasks, |task| {
            task.check(&self.storage, |bytes| {
                let bytes = read.fetch_add(bytes, Ordering::Relaxed) + bytes;
                watch(Progress { bytes, total });
            })
        });

        let mut verification = Verification {
            generation: current.manifest.generation,
            intact: None,
            files: expected.files,
            bytes: expected.bytes,
            problems: std::mem::take(&mut expected.problems),
            lost: Vec::new(),
            old_copy: None,
        };
        let mut broken = vec![false; expected.generations.len()];
        let mut broken_objects = vec![false; expected.objects.len()];
        let mut objects = Vec::new();
        for (found, task) in found.into_iter().zip(&tasks) {
            verification.files += u64::from(found.bytes.is_some());
            verification.bytes += found.bytes.unwrap_or_default();
            let Some(kind) = found.problem else { continue };
            let Some(needed) = task.object.map(|object| &expected.objects[object]) else {
                let path = task.path.clone();
                verification.problems.push(Problem::derived(path, kind));
                continue;
            };
            if task.role == Role::Object {
                task.object.into_iter().for_each(|object| broken_objects[object] = true);
                needed.by.indexes().for_each(|index| broken[index] = true);
            }
            let generations = needed.by.indexes().map(|index| expected.generations[index].0).collect();
            let (path, size) = (task.path.clone(), Some(task.size));
            objects.push(Problem { path, kind, size, generations, datasets: needed.datasets.clone() });
        }
        let mut sound = expected.generations.iter().zip(broken).rev();
        verification.intact =
            sound.find(|((_, known), broken)| *known && !broken).map(|((generation, _), _)| *generation);
        verification.lost = expected.lost(&broken_objects);
        verification.problems.extend(self.still_retained(&current.manifest, objects)?);
        verification.problems.extend(same_bytes(&self.storage, &current));
        verification.problems.extend(self.purged(&current.manifest)?);
        verification.problems.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(verification)
    }

    /// What is there although it was purged: a purge did not come to its end, or an old copy was put back.
    fn purged(&self, published: &Manifest) -> Result<Vec<Problem>, Error> {
        let of = |(dataset, entry)| derived::copies(dataset, entry, None).map(|copy| copy.path);
        let held_against_the_manifest: HashSet<FeedPath> = published.datasets.iter().flat_map(of).collect();
        let found = purge::files(&self.storage, published, |path| !held_against_the_manifest.contains(path));
        Ok(found
            .map_err(Error::io("look for what was purged"))?
            .0
            .into_iter()
            .map(|path| Problem::derived(path, ProblemKind::Purged))
            .collect())
    }

    /// Leaves out what garbage collection has removed meanwhile: it removes generations before what they name.
    fn still_retained(&self, published: &Manifest, problems: Vec<Problem>) -> Result<Vec<Problem>, Error> {
        if problems.is_empty() {
            return Ok(problems);
        }
        let retained = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
        let retained: HashSet<Generation> = retained.into_iter().chain([published.generation]).collect();
        let mut problems = problems;
        problems.iter_mut().for_each(|problem| problem.generations.retain(|generation| retained.contains(generation)));
        problems.retain(|problem| !problem.generations.is_empty());
        Ok(problems)
    }
}

/// What the manifests say there should be.
struct Expected {
    /// The generations in rising order, each with whether its manifest could be read.
    generations: Vec<(Generation, bool)>,
    objects: Vec<Object>,
    /// The entries that the published datasets had before.
    before: Datasets,
    /// The objects of each dataset that is published, by generation in rising order, where they are others than before.
    of: BTreeMap<DatasetName, Vec<(Generation, Vec<usize>)>>,
    files: u64,
    bytes: u64,
    problems: Vec<Problem>,
}

/// An object that some manifest names.
struct Object {
    sha256: Sha256,
    ext: Ext,
    size: u64,
    by: Runs,
    /// The datasets that have it in the published generation.
    datasets: Vec<DatasetName>,
}

/// Rising indexes as runs without gaps: an object is named by many generations in a row.
#[derive(Default)]
struct Runs(Vec<(usize, usize)>);

impl Runs {
    fn push(&mut self, index: usize) {
        match self.0.last_mut() {
            Some((_, last)) if *last == index => {}
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => self.0.push((index, index)),
        }
    }

    fn indexes(&self) -> impl Iterator<Item = usize> {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }
}

impl Expected {
    /// Reads each manifest once, one at a time.
    fn read<S: Storage>(feed: &Feed<S>, current: &Current) -> Result<Self, Error> {
        let published = &current.manifest;
        let mut sources: BTreeMap<Generation, Vec<&DatasetName>> = BTreeMap::new();
        for (dataset, entry) in &published.datasets {
            if let Some(before) = entry.previous {
                sources.entry(before).or_default().push(dataset);
            }
        }
        let retained = recover::retained_generations(&feed.storage).map_err(Error::io("list the history"))?;
        let generations: BTreeSet<Generation> = retained.into_iter().chain([published.generation]).collect();
        let mut expected = Self {
            generations: Vec::with_capacity(generations.len()),
            objects: Vec::new(),
            before: Datasets::new(),
            of: published.datasets.keys().map(|dataset| (dataset.clone(), Vec::new())).collect(),
            files: 1,
            bytes: current.bytes.len() as u64,
            problems: Vec::new(),
        };
        let mut index = HashMap::new();
        for generation in generations {
            // The published one is compared with its copy in the history to the byte.
            if generation == published.generation {
                expected.take(&mut index, Manifest::clone(published), published, true);
                continue;
            }
            let path = layout::history(generation);
            match retained::load(&feed.storage, generation) {
                // Collected meanwhile.
                Ok(None) => {}
                Ok(Some(manifest)) => {
                    expected.files += 1;
                    let info = feed.storage.info(&path).map_err(Error::io(format!("look at {path}")))?;
                    expected.bytes += info.map_or(0, |info| info.size);
                    for &dataset in sources.get(&generation).map_or(&[][..], Vec::as_slice) {
                        let entry = manifest.datasets.get(dataset).cloned();
                        if let Some(entry) = entry.filter(|entry| published.purged.get(&entry.sha256).is_none()) {
                            expected.before.insert(dataset.clone(), entry);
                        }
                    }
                    expected.take(&mut index, manifest, published, false);
                }
                Err(kind) => {
                    expected.generations.push((generation, false));
                    let generations = vec![generation];
                    expected.problems.push(Problem { path, kind, size: None, generations, datasets: Vec::new() });
                }
            }
        }
        Ok(expected)
    }

    fn take(
        &mut self,
        index: &mut HashMap<(Sha256, Ext, u64), usize>,
        manifest: Manifest,
        published: &Manifest,
        is_published: bool,
    ) {
        let number = self.generations.len();
        let generation = manifest.generation;
        self.generations.push((generation, true));
        for (dataset, entry) in manifest.datasets {
            let (mut of, mut is_purged) = (Vec::new(), false);
            let schema = entry.schema.map(|schema| (schema.sha256, Ext::json(), schema.size));
            for (sha256, ext, size) in std::iter::once((entry.sha256, entry.ext, entry.size)).chain(schema) {
                if !is_published && published.purged.get(&sha256).is_some() {
                    // That it is missing is no damage, but there is no going back to all of this generation.
                    self.generations[number].1 = false;
                    is_purged = true;
                    continue;
                }
                // By size too: one that is named with two has one of them wrong, which readers would not forgive.
                let at = *index.entry((sha256, ext, size)).or_insert_with_key(|(sha256, ext, _)| {
                    let (sha256, ext) = (*sha256, ext.clone());
                    self.objects.push(Object { sha256, ext, size, by: Runs::default(), datasets: Vec::new() });
                    self.objects.len() - 1
                });
                self.objects[at].by.push(number);
                of.push(at);
                if is_published {
                    self.objects[at].datasets.push(dataset.clone());
                }
            }
            // What was purged is nothing to go back to.
            if let Some(list) = self.of.get_mut(&dataset).filter(|_| !is_purged) {
                match list.last_mut() {
                    Some((last, same)) if *same == of => *last = generation,
                    _ => list.push((generation, of)),
                }
            }
        }
    }

    /// The published datasets of which something is broken, each with the newest generation in which nothing of it is.
    fn lost(&self, broken: &[bool]) -> Vec<(DatasetName, Option<Generation>)> {
        let published = |dataset: &DatasetName, objects: &[usize]| {
            objects.iter().any(|object| broken[*object] && self.objects[*object].datasets.contains(dataset))
        };
        let lost = |(dataset, list): (&DatasetName, &Vec<(Generation, Vec<usize>)>)| {
            list.iter().find(|(_, objects)| published(dataset, objects))?;
            let intact = list.iter().rev().find(|(_, objects)| objects.iter().all(|object| !broken[*object]));
            Some((dataset.clone(), intact.map(|(generation, _)| *generation)))
        };
        self.of.iter().filter_map(lost).collect()
    }

    /// Every file whose content follows from a digest, the largest first so that no core is left with it at the end.
    fn tasks<S: Storage>(&self, storage: &S, published: &Manifest) -> Result<Vec<Task>, Error> {
        let names = storage.list(Dir::Objects).map_err(Error::io("list the objects"))?;
        let there: HashSet<&str> = names.iter().map(String::as_str).collect();
        let mut tasks = Vec::new();
        for (number, Object { sha256, ext, size, .. }) in self.objects.iter().enumerate() {
            let mut add =
                |path, role| tasks.push(Task { path, role, sha256: *sha256, size: *size, object: Some(number) });
            add(layout::object(sha256, ext), Role::Object);
            for encoding in Encoding::ALL {
                let path = layout::sibling(sha256, ext, encoding);
                if there.contains(path.file_name()) {
                    add(path, Role::Sibling(encoding));
                }
            }
        }
        for (dataset, entry) in &published.datasets {
            for copy in derived::copies(dataset, entry, self.before.get(dataset)) {
                let CopyOf { path, entry: Entry { sha256, size, .. }, encoding } = copy;
                let role = encoding.map_or(Role::Copy, Role::CopySibling);
                tasks.push(Task { path, role, sha256: *sha256, size: *size, object: None });
            }
        }
        tasks.sort_by_key(|task| std::cmp::Reverse(task.size));
        Ok(tasks)
    }
}

/// A file to be hashed.
struct Task {
    path: FeedPath,
    role: Role,
    sha256: Sha256,
    size: u64,
    object: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Object,
    /// May be missing.
    Sibling(Encoding),
    /// A plain copy or a backup.
    Copy,
    /// The sibling of a plain copy. May be missing.
    CopySibling(Encoding),
}

struct Found {
    /// How many bytes were read; `None` when nothing could be.
    bytes: Option<u64>,
    problem: Option<ProblemKind>,
}

impl Task {
    fn check<S: Storage>(&self, storage: &S, watch: impl Fn(u64)) -> Found {
        let opened = storage.open(&self.path);
        let digest = opened.and_then(|file| {
            let decoded = file.map(|file| match self.role {
                Role::Sibling(encoding) | Role::CopySibling(encoding) => compress::decoder(encoding, file),
                Role::Object | Role::Copy => file,
            });
            // One byte more than expected is enough to know, and a compression bomb gets no further.
            decoded.map(|file| objects::digest(Watched { file: file.take(self.size + 1), watch })).transpose()
        });
        let problem = match (&digest, self.role) {
            (Ok(Some(found)), _) if *found == (self.sha256, self.size) => None,
            (Ok(None), Role::Sibling(_) | Role::CopySibling(_)) => None,
            // One that cannot be decompressed disagrees, too.
            (Ok(_), Role::Copy) | (_, Role::CopySibling(_)) => Some(ProblemKind::Disagrees),
            (Ok(None), Role::Object) => Some(ProblemKind::Missing),
            (Ok(Some((found, _))), _) => Some(ProblemKind::Damaged { expected: self.sha256, found: *found }),
            (Err(error), _) => Some(ProblemKind::Unreadable(error.to_string())),
        };
        Found { bytes: digest.ok().flatten().map(|(_, bytes)| bytes), problem }
    }
}

/// Tells of what is read.
struct Watched<R, W> {
    file: R,
    watch: W,
}

impl<R: Read, W: Fn(u64)> Read for Watched<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.file.read(buffer)?;
        (self.watch)(size as u64);
        Ok(size)
    }
}

/// The derived files that follow from the manifest as a whole.
fn same_bytes<S: Storage>(storage: &S, current: &Current) -> Vec<Problem> {
    let last_update = format!("{}\n", current.manifest.published_at);
    let history = layout::history(current.manifest.generation);
    let expected = [(layout::last_update(), last_update.as_bytes()), (history, current.bytes.as_slice())];
    let problem = |(path, expected): (FeedPath, &[u8])| {
        let kind = match storage.read(&path, MAX_MANIFEST_BYTES) {
            Ok(Some(bytes)) if bytes == expected => return None,
            Ok(_) => ProblemKind::Disagrees,
            Err(error) => ProblemKind::Unreadable(error.to_string()),
        };
        Some(Problem::derived(path, kind))
    };
    expected.into_iter().filter_map(problem).collect()
}
