//! Which generations there have been: the mark, and everything else that knows (I5).
//!
//! The mark has two places, and what is written there is a [`Mark`]. Before a commit, in its wave, one says that it is begun;
//! after it the other one says that it is done, without waiting for the medium. The place that is written over is the one
//! that matters less. So whatever is being written when the power goes, the other place has at least the last commit but one
//! that is durable, and the manifest itself has the last.

use std::io;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::id::CommitId;
use lastgood_protocol::manifest::{Generation, Manifest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::feed::Feed;
use crate::operations::{Outcome, Record};
use crate::recover;
use crate::storage::{Placed, Storage, is_something_else};

/// All that is written to a place has this many bytes, so that nothing of what was there before is left: those of a sector.
const BYTES: usize = 512;

/// How often it is looked again when a commit came in between.
const LOOKS: usize = 50;

/// What stands in a place of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// No generation above this one has been seen by a reader.
    begun: Commit,
    /// The last one that is known to be committed; there is none before the first.
    committed: Option<Commit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Commit {
    generation: Generation,
    #[serde(with = "crate::operations::text")]
    commit: CommitId,
}

/// A mark as it stands there. The checksum tells one that a power cut has torn.
#[derive(Serialize, Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    mark: &'a RawValue,
    sha256: String,
}

impl Mark {
    fn encode(self) -> Vec<u8> {
        let mark = serde_json::value::to_raw_value(&self).expect("a mark has only string keys");
        let sha256 = Sha256::of(mark.get().as_bytes()).to_string();
        let text = serde_json::to_string(&Text { mark: &mark, sha256 }).expect("a mark has only string keys");
        format!("{text:<0$}\n", BYTES - 1).into_bytes()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let text: Text<'_> = serde_json::from_slice(bytes).ok()?;
        let intact = Sha256::of(text.mark.get().as_bytes()).to_string() == text.sha256;
        if intact { serde_json::from_str(text.mark.get()).ok() } else { None }
    }

    /// The order in which places are written over: what is only begun stays longer than the same when it is done, because
    /// that may not be on the medium.
    fn worth(self) -> (Generation, bool) {
        (self.begun.generation, self.committed != Some(self.begun))
    }
}

/// Both places of the mark.
struct Marks {
    bytes: [Vec<u8>; 2],
    marks: [Option<Mark>; 2],
}

impl Marks {
    fn read<S: Storage>(storage: &S) -> io::Result<Self> {
        let bytes = storage.read_mark()?;
        let marks = [Mark::decode(&bytes[0]), Mark::decode(&bytes[1])];
        Ok(Self { bytes, marks })
    }

    fn each(&self) -> impl Iterator<Item = Mark> {
        self.marks.iter().flatten().copied()
    }

    /// Whether one of them knows this commit.
    fn know(&self, manifest: &Manifest) -> bool {
        let this = Commit::of(manifest);
        self.each().any(|mark| mark.begun == this || mark.committed == Some(this))
    }

    /// The place to be written over.
    fn least(&self) -> usize {
        let [first, second] = self.marks.map(|mark| mark.map(Mark::worth));
        usize::from(second < first)
    }
}

impl Commit {
    fn of(manifest: &Manifest) -> Self {
        Self { generation: manifest.generation, commit: manifest.commit }
    }
}

/// What is known of the generations of a feed, from all that knows of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// The highest that there was, or that a commit was begun for; `None` when nothing is known.
    pub(crate) highest: Option<Generation>,
    /// The highest that is known to have been committed.
    pub(crate) committed: Option<Generation>,
    /// Whether there is a mark or a log that could know it.
    pub(crate) told: bool,
}

impl Known {
    /// The generation of the next commit.
    pub(crate) fn next(&self) -> Result<Generation, Error> {
        match self.highest {
            None => Ok(Generation::FIRST),
            Some(highest) => highest.next().ok_or_else(|| Error::Limit("the generations are used up".to_owned())),
        }
    }
}

/// A feed that was restored from an old copy: what is published is below what has been published before (I5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldCopy {
    /// The generation that is published.
    pub published: Generation,
    /// The highest generation that is known to have been published.
    pub known: Generation,
}

impl OldCopy {
    /// The command that goes on with the old copy, as a shell takes it.
    #[must_use]
    pub fn accept(&self, location: &str) -> String {
        format!("lastgood recover --accept-older --dir {}", quoted(location))
    }

    /// The command that makes another feed of it.
    #[must_use]
    pub fn renew(&self, location: &str) -> String {
        renew(location)
    }
}

/// The command that gives a feed another identity.
pub(crate) fn renew(location: &str) -> String {
    format!("lastgood recover --new-feed --dir {}", quoted(location))
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+:@%,".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

impl<S: Storage> Feed<S> {
    /// What is known of the generations, when this manifest is published.
    pub(crate) fn known(&self, published: Option<&Manifest>) -> Result<Known, Error> {
        let retained = recover::retained_generations(&self.storage).map_err(Error::io("list the history"))?;
        let committed = retained.into_iter().max().max(published.map(|manifest| manifest.generation));
        let mut known = Known { highest: committed, committed, told: false };
        let marks = match Marks::read(&self.storage) {
            // The private directory is nobody's but the publisher's.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(known),
            read => read.map_err(Error::io("read the mark of the generations"))?,
        };
        for mark in marks.each() {
            known.told = true;
            known.highest = known.highest.max(Some(mark.begun.generation));
            known.committed = known.committed.max(mark.committed.map(|commit| commit.generation));
        }
        // Where the mark knows what is published, nothing that was done before it can know more.
        if !published.is_some_and(|manifest| marks.know(manifest)) {
            for record in self.operations_if_any()? {
                let done = match record.outcome {
                    Outcome::Done => true,
                    Outcome::Unknown => false,
                    Outcome::Refused | Outcome::Failed => continue,
                };
                known.told |= record.generation.is_some();
                known.highest = known.highest.max(record.generation);
                known.committed = known.committed.max(record.generation.filter(|_| done));
            }
        }
        Ok(known)
    }

    /// The operation log, where there is one that this user may read.
    fn operations_if_any(&self) -> Result<Vec<Record>, Error> {
        match self.operations() {
            Err(Error::Io { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied || is_something_else(&source) =>
            {
                Ok(Vec::new())
            }
            operations => operations,
        }
    }

    /// Whether the feed was restored from an old copy: then nothing but a recovery may go on with it.
    ///
    /// The private directory has most of what tells it. Whoever may not look there is told what the history knows.
    ///
    /// # Errors
    /// As for [`manifest`](Self::manifest).
    pub fn old_copy(&self) -> Result<Option<OldCopy>, Error> {
        for _ in 0..LOOKS {
            let published = self.published()?.manifest;
            let Some(old_copy) = self.known(Some(&published))?.old_copy(&published) else { return Ok(None) };
            // What is known of a commit it is known after the commit: unless that has just come, it is not published.
            if self.published()?.manifest.commit == published.commit {
                return Ok(Some(old_copy));
            }
        }
        Ok(None)
    }

    /// Refuses to go on with a feed that was restored.
    pub(crate) fn refuse_old_copy(&self, published: &Manifest, known: &Known) -> Result<(), Error> {
        match known.old_copy(published) {
            None => Ok(()),
            Some(old_copy) => Err(Error::OldCopy { location: self.location(), old_copy }),
        }
    }
}

impl Known {
    pub(crate) fn old_copy(&self, published: &Manifest) -> Option<OldCopy> {
        let known = self.committed.filter(|committed| *committed > published.generation)?;
        Some(OldCopy { published: published.generation, known })
    }
}

/// A commit that the mark knows to be begun. Unless it is said to be done, or its outcome is not known, the mark is then as
/// it was before.
pub(crate) struct Begun<'a, S: Storage> {
    storage: &'a S,
    place: usize,
    before: Option<Vec<u8>>,
    commit: Commit,
}

impl<'a, S: Storage> Begun<'a, S> {
    /// Writes that a commit is begun. What is returned is to be made durable before its manifest can be seen (I5).
    pub(crate) fn write(
        storage: &'a S,
        next: &Manifest,
        committed: Option<&Manifest>,
    ) -> io::Result<(Self, Placed<S::File>)> {
        let marks = Marks::read(storage)?;
        let place = marks.least();
        let [first, second] = marks.bytes;
        let mut before = if place == 0 { first } else { second };
        before.resize(BYTES, b' ');
        let begun = Self { storage, place, before: Some(before), commit: Commit::of(next) };
        let done = marks.marks.into_iter().flatten().filter_map(|mark| mark.committed);
        let committed = done.chain(committed.map(Commit::of)).max_by_key(|commit| commit.generation);
        let mark = Mark { begun: begun.commit, committed };
        let placed = storage.write_mark(place, &mark.encode())?;
        Ok((begun, placed))
    }

    /// The commit is durable, and the mark says so. It is not waited for: what a power cut takes of it the manifest knows.
    pub(crate) fn done(mut self) {
        self.before = None;
        let mark = Mark { begun: self.commit, committed: Some(self.commit) };
        if let Err(error) = self.storage.write_mark(1 - self.place, &mark.encode()) {
            tracing::debug!(%error, "the mark does not know yet that the commit is done");
        }
    }

    /// Nobody knows whether the commit took place: its number is not given again.
    pub(crate) fn leave(mut self) {
        self.before = None;
    }
}

impl<S: Storage> Drop for Begun<'_, S> {
    fn drop(&mut self) {
        // Nobody knows how far the commit has come (I4).
        if std::thread::panicking() {
            return;
        }
        if let Some(before) = &self.before
            && let Err(error) = self.storage.write_mark(self.place, before)
        {
            tracing::debug!(%error, "the number of the generation is left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(number: u64) -> Commit {
        Commit { generation: Generation::new(number).unwrap(), commit: CommitId::from_random([7; 16]) }
    }

    fn begun(number: u64) -> Mark {
        Mark { begun: commit(number), committed: number.checked_sub(1).filter(|before| *before > 0).map(commit) }
    }

    fn done(number: u64) -> Mark {
        Mark { begun: commit(number), committed: Some(commit(number)) }
    }

    #[test]
    fn what_is_written_is_read_and_has_one_length() {
        for mark in [begun(1), done(1), begun(lastgood_protocol::MAX_SAFE_INTEGER)] {
            let bytes = mark.encode();
            assert_eq!((bytes.len(), Mark::decode(&bytes)), (BYTES, Some(mark)));
        }
    }

    #[test]
    fn what_is_torn_is_none() {
        let bytes = begun(17).encode();
        let text = bytes.iter().rposition(|byte| *byte == b'}').unwrap();
        for end in 0..=text {
            assert_eq!(Mark::decode(&bytes[..end]), None, "cut off at {end}");
            let mut torn = bytes.clone();
            torn[end] ^= 1;
            assert_eq!(Mark::decode(&torn), None, "another byte at {end}");
        }
    }

    #[test]
    fn the_place_that_matters_less_is_written_over() {
        let least = |first, second| Marks { bytes: <[Vec<u8>; 2]>::default(), marks: [first, second] }.least();
        for (more, less) in [
            (Some(begun(5)), Some(done(5))),
            (Some(begun(6)), Some(begun(5))),
            (Some(begun(6)), Some(done(5))),
            (Some(done(6)), Some(begun(5))),
            (Some(begun(1)), None),
            (Some(done(1)), None),
        ] {
            assert_eq!((least(more, less), least(less, more)), (1, 0), "{more:?} {less:?}");
        }
    }
}
