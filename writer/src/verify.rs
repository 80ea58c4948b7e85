//! Verification: reads everything that is published and compares it with what it should be.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Encoding, FeedPath};
use lastgood_protocol::manifest::{Entry, Generation, MAX_MANIFEST_BYTES, Manifest};
use lastgood_protocol::name::Ext;

use crate::derived;
use crate::error::Error;
use crate::feed::{Current, Feed};
use crate::objects;
use crate::recover;
use crate::storage::Storage;

/// What a verification has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The generation that is published.
    pub generation: Generation,
    /// How many files were read.
    pub files: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// What is not as it should be; empty when all is well.
    pub problems: Vec<Problem>,
}

/// A file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub path: FeedPath,
    /// What is wrong with it.
    pub kind: ProblemKind,
    /// The retained generations that need the file, in rising order; empty for derived files.
    pub generations: Vec<Generation>,
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
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

impl<S: Storage> Feed<S> {
    /// Reads the manifest, the history, every object that they name with its siblings, and every derived file, without
    /// changing anything and without a lock. What a commit changes meanwhile is looked at again.
    ///
    /// # Errors
    /// [`Error::NoFeed`], [`Error::Damaged`] when the manifest itself is, [`Error::Io`].
    pub fn verify(&self) -> Result<Verification, Error> {
        let mut attempts = 0;
        loop {
            let verification = self.verify_once()?;
            let published = self.manifest()?.generation;
            let busy = self.storage.lock_holder().map_err(Error::io("look at the writer's lock"))?.is_some();
            attempts += 1;
            if verification.problems.is_empty() || attempts == 5 || (!busy && published == verification.generation) {
                return Ok(verification);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn verify_once(&self) -> Result<Verification, Error> {
        let current = self.current()?.ok_or_else(|| Error::NoFeed { location: self.location() })?;
        let generation = current.manifest.generation;
        let mut check = Check { storage: &self.storage, files: 1, bytes: current.bytes.len() as u64, problems: vec![] };
        let mut objects = Objects::new();
        collect(&mut objects, &current.manifest);
        for generation in recover::retained_generations(&self.storage).map_err(Error::io("list the history"))? {
            if let Some(manifest) = check.history(generation) {
                collect(&mut objects, &manifest);
            }
        }
        for ((sha256, ext), (size, generations)) in objects {
            check.object(&sha256, &ext, size, &generations);
        }
        check.derived(&current);
        let Check { files, bytes, mut problems, .. } = check;
        problems.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Verification { generation, files, bytes, problems })
    }
}

/// Every object that a retained manifest names: its size and those generations.
type Objects = BTreeMap<(Sha256, Ext), (u64, Vec<Generation>)>;

fn collect(objects: &mut Objects, manifest: &Manifest) {
    for entry in manifest.datasets.values() {
        let schema = entry.schema.as_ref().map(|schema| ((schema.sha256, Ext::json()), schema.size));
        for (object, size) in std::iter::once(((entry.sha256, entry.ext.clone()), entry.size)).chain(schema) {
            let (_, generations) = objects.entry(object).or_insert((size, Vec::new()));
            if let Err(position) = generations.binary_search(&manifest.generation) {
                generations.insert(position, manifest.generation);
            }
        }
    }
}

struct Check<'a, S> {
    storage: &'a S,
    files: u64,
    bytes: u64,
    problems: Vec<Problem>,
}

impl<S: Storage> Check<'_, S> {
    fn history(&mut self, generation: Generation) -> Option<Manifest> {
        let path = layout::history(generation);
        let kind = match self.storage.read(&path, MAX_MANIFEST_BYTES) {
            Ok(None) => ProblemKind::Missing,
            Err(error) => ProblemKind::Unreadable(error.to_string()),
            Ok(Some(bytes)) => {
                self.files += 1;
                self.bytes += bytes.len() as u64;
                match Manifest::verify(&bytes) {
                    Ok(manifest) if manifest.generation == generation => return Some(manifest),
                    Ok(manifest) => ProblemKind::NotAManifest(format!("it is generation {}", manifest.generation)),
                    Err(error) => ProblemKind::NotAManifest(error.to_string()),
                }
            }
        };
        self.problems.push(Problem { path, kind, generations: vec![generation] });
        None
    }

    fn object(&mut self, sha256: &Sha256, ext: &Ext, size: u64, generations: &[Generation]) {
        let path = layout::object(sha256, ext);
        let opened = self.storage.open(&path);
        self.compare(path, opened, (sha256, size), generations, true);
        for encoding in Encoding::ALL {
            let path = layout::sibling(sha256, ext, encoding);
            let opened = self.storage.open(&path).map(|file| file.map(|file| decoder(encoding, file)));
            self.compare(path, opened, (sha256, size), generations, false);
        }
    }

    fn compare(
        &mut self,
        path: FeedPath,
        opened: io::Result<Option<Box<dyn Read + Send>>>,
        (expected, size): (&Sha256, u64),
        generations: &[Generation],
        required: bool,
    ) {
        // One byte more than expected is enough to know, and a compression bomb gets no further.
        let digest = opened.and_then(|file| file.map(|file| objects::digest(file.take(size + 1))).transpose());
        let kind = match digest {
            Ok(None) if required => ProblemKind::Missing,
            Ok(None) => return,
            Ok(Some((found, bytes))) => {
                self.files += 1;
                self.bytes += bytes;
                if found == *expected {
                    return;
                }
                ProblemKind::Damaged { expected: *expected, found }
            }
            Err(error) => ProblemKind::Unreadable(error.to_string()),
        };
        self.problems.push(Problem { path, kind, generations: generations.to_vec() });
    }

    fn derived(&mut self, current: &Current) {
        let manifest = &current.manifest;
        // A manifest of the history that cannot be read has been reported by now.
        let before = derived::entries_before(self.storage, manifest, manifest.datasets.keys()).unwrap_or_default();
        for (dataset, entry) in &manifest.datasets {
            for (path, entry) in derived::copies(dataset, entry, before.get(dataset)) {
                self.copy_of(entry, path);
            }
        }
        let last_update = format!("{}\n", manifest.published_at);
        self.same_bytes(layout::last_update(), last_update.as_bytes());
        self.same_bytes(layout::history(manifest.generation), &current.bytes);
    }

    fn copy_of(&mut self, entry: &Entry, path: FeedPath) {
        match objects::intact(self.storage, &path, derived::identity(entry)) {
            Ok(intact) => {
                self.files += 1;
                self.bytes += entry.size;
                if !intact {
                    self.problems.push(Problem { path, kind: ProblemKind::Disagrees, generations: vec![] });
                }
            }
            Err(error) => {
                let kind = ProblemKind::Unreadable(error.to_string());
                self.problems.push(Problem { path, kind, generations: vec![] });
            }
        }
    }

    fn same_bytes(&mut self, path: FeedPath, expected: &[u8]) {
        let kind = match self.storage.read(&path, MAX_MANIFEST_BYTES) {
            Ok(Some(bytes)) if bytes == expected => return,
            Ok(_) => ProblemKind::Disagrees,
            Err(error) => ProblemKind::Unreadable(error.to_string()),
        };
        self.problems.push(Problem { path, kind, generations: vec![] });
    }
}

fn decoder(encoding: Encoding, file: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    match encoding {
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Encoding::Brotli => Box::new(brotli::Decompressor::new(file, 64 * 1024)),
    }
}
