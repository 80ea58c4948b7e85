//! What was published, as far as anybody has said or seen it, and what each reading is held against.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use lastgood::Publication;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::manifest::Manifest;
use rustix::time::{ClockId, clock_gettime};

use super::payload::Id;

/// Something that must never be. Says both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A moment by the clock that never goes back and that all processes share, in nanoseconds.
#[must_use]
pub fn moment() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).expect("it counts from the start of the system") * 1_000_000_000
        + u64::try_from(now.tv_nsec).expect("a part of a second")
}

/// One reading, or the readings of one snapshot, as a reader has got it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When the read began.
    pub began: u64,
    /// Each dataset.
    pub datasets: Vec<SeenDataset>,
}

/// One dataset of a [`Seen`].
#[derive(Debug, Clone)]
pub struct SeenDataset {
    /// Its name.
    pub name: String,
    /// The generation that the reader says it is of.
    pub generation: u64,
    /// Why it is not fresh, if it is not.
    pub reason: Option<String>,
    /// The digest that the reader says it has.
    pub sha256: String,
    /// What the payload says of itself.
    pub id: Id,
}

/// What a reader had before: its readings only go forward.
#[derive(Debug, Default)]
pub struct Had {
    /// The highest generation.
    pub highest: u64,
    /// The generation and the digest of each dataset.
    pub datasets: BTreeMap<String, (u64, String)>,
}

/// What is known of all generations. Whatever contradicts it is a violation.
#[derive(Default)]
pub struct Ledger {
    generations: Mutex<BTreeMap<u64, Generation>>,
    /// When a success was reported, and of which generation; both rise.
    reports: Mutex<Vec<(u64, u64)>>,
}

#[derive(Default)]
struct Generation {
    commit: Option<String>,
    /// Its datasets, as far as they are known.
    datasets: BTreeMap<String, String>,
    /// Whether all of them are: its manifest is known.
    whole: bool,
    /// The generation before it, as its manifest says: a crash in between leaves numbers out.
    previous: Option<u64>,
    reported: bool,
}

impl Generation {
    fn put(&mut self, number: u64, dataset: &str, sha256: &str, who: &str) -> Result<(), Violation> {
        match self.datasets.get(dataset) {
            Some(known) if known != sha256 => Err(Violation(format!(
                "generation {number}, dataset {dataset}: {who} has {sha256}, but it was {known} according to {}",
                if self.whole { "its manifest" } else { "others" }
            ))),
            None if self.whole => {
                Err(Violation(format!("generation {number} had no dataset {dataset}, but {who} has {sha256}")))
            }
            _ => {
                self.datasets.insert(dataset.to_owned(), sha256.to_owned());
                Ok(())
            }
        }
    }

    fn identify(&mut self, number: u64, commit: String, who: &str) -> Result<(), Violation> {
        match self.commit.replace(commit) {
            Some(known) if Some(&known) != self.commit.as_ref() => Err(Violation(format!(
                "generation {number} was given twice: commit {known}, and {:?} according to {who}",
                self.commit
            ))),
            _ => Ok(()),
        }
    }
}

impl Ledger {
    /// Notes a success, as it was reported.
    ///
    /// # Errors
    /// When the generation was given to another one, or does not go with what is known.
    pub fn report(&self, publication: &Publication) -> Result<(), Violation> {
        let datasets =
            publication.datasets.iter().map(|dataset| (dataset.dataset.to_string(), dataset.sha256.to_string()));
        self.reported(publication.generation.get(), publication.commit.to_string(), datasets)
    }

    /// The same, of a process: generation, commit and datasets.
    ///
    /// # Errors
    /// As for [`report`](Self::report).
    pub fn reported(
        &self,
        number: u64,
        commit: String,
        datasets: impl Iterator<Item = (String, String)>,
    ) -> Result<(), Violation> {
        let mut generations = self.generations.lock().unwrap();
        let generation = generations.entry(number).or_default();
        generation.identify(number, commit, "its publisher")?;
        if std::mem::replace(&mut generation.reported, true) {
            return Err(Violation(format!("two publishers were told generation {number}")));
        }
        for (dataset, sha256) in datasets {
            generation.put(number, &dataset, &sha256, "its publisher")?;
        }
        let mut reports = self.reports.lock().unwrap();
        let last = reports.last().map_or(0, |&(_, last)| last);
        reports.push((moment(), last.max(number)));
        Ok(())
    }

    /// Notes a manifest.
    ///
    /// # Errors
    /// When it does not go with what is known.
    pub fn archive(&self, manifest: &Manifest) -> Result<(), Violation> {
        let number = manifest.generation.get();
        let mut generations = self.generations.lock().unwrap();
        let generation = generations.entry(number).or_default();
        if generation.whole {
            return Ok(());
        }
        let who = "the history";
        generation.identify(number, manifest.commit.to_string(), who)?;
        for (dataset, entry) in &manifest.datasets {
            generation.put(number, dataset.as_str(), &entry.sha256.to_string(), who)?;
        }
        generation.whole = true;
        generation.previous = manifest.previous.map(|previous| previous.get());
        match generation.datasets.keys().find(|name| !manifest.datasets.keys().any(|known| known.as_str() == *name)) {
            Some(other) => Err(Violation(format!("generation {number} has no dataset {other}, which was seen in it"))),
            None => Ok(()),
        }
    }

    /// Whether the manifest of a generation is known.
    #[must_use]
    pub fn knows(&self, generation: u64) -> bool {
        self.generations.lock().unwrap().get(&generation).is_some_and(|generation| generation.whole)
    }

    /// Holds a reading against what is known, and against what this reader had before.
    ///
    /// # Errors
    /// When it is torn, mixed, stale though it says that it is fresh, or a step back.
    pub fn check(&self, who: &str, had: &mut Had, seen: &Seen) -> Result<(), Violation> {
        let wrong = |what: String| Err(Violation(format!("{who}: {what}\n{seen:#?}\nbefore: {had:?}")));
        let reported = self.reported_before(seen.began);
        // Copies of locked datasets belong together if all were current in the oldest generation that confirmed one.
        let joint = seen.datasets.iter().map(|dataset| dataset.generation).min().expect("a reading is of a dataset");
        for SeenDataset { name, generation, reason, sha256, id } in &seen.datasets {
            match reason.as_deref() {
                None if *generation != joint => {
                    return wrong(format!("a snapshot of generations {joint} and {generation}"));
                }
                None if *generation < reported => {
                    return wrong(format!(
                        "it says that {generation} is fresh, but {reported} was published before it asked"
                    ));
                }
                None if *generation < had.highest => {
                    return wrong(format!("it went back from {} to {generation}", had.highest));
                }
                None => {}
                Some("locked") => {
                    // A snapshot of copies is of a generation in which all were current, and some may still be later.
                    if let Some((before, had)) = had.datasets.get(name)
                        && generation < before
                        && sha256 != had
                    {
                        return wrong(format!("{name} went back from {before} to {generation}"));
                    }
                }
                Some(reason) => return wrong(format!("{name} is not fresh, but nothing was wrong: {reason}")),
            }
            if id.dataset != *name {
                return wrong(format!("{name} has the payload of another dataset"));
            }
            let published = Sha256::of(id.payload().as_bytes()).to_string();
            if published != *sha256 {
                return wrong(format!("{name} is not what was published, {published}"));
            }
        }
        let mut generations = self.generations.lock().unwrap();
        for SeenDataset { name, generation, sha256, .. } in &seen.datasets {
            for number in [*generation, joint] {
                generations.entry(number).or_default().put(number, name, sha256, who)?;
            }
            had.highest = had.highest.max(*generation);
            had.datasets.insert(name.clone(), (*generation, sha256.clone()));
        }
        Ok(())
    }

    /// The last generation whose success was reported before a moment.
    fn reported_before(&self, moment: u64) -> u64 {
        let reports = self.reports.lock().unwrap();
        let before = reports.partition_point(|&(at, _)| at < moment);
        before.checked_sub(1).map_or(0, |index| reports[index].1)
    }

    /// What must be true at the end, when `published` is the generation that is published: no generation is missing, and
    /// nothing was seen or reported beyond it. Returns how many were reported.
    ///
    /// # Errors
    /// When it is not true.
    pub fn finish(&self, published: u64) -> Result<u64, Violation> {
        let generations = self.generations.lock().unwrap();
        // From the last one back: each must be there that the one after it names.
        let mut chain = Some(published);
        let lost = std::iter::from_fn(|| {
            let number = chain.take()?;
            let known = generations.get(&number).filter(|known| known.whole);
            chain = known.and_then(|known| known.previous);
            Some((number, known.is_some()))
        });
        let lost = lost.filter(|(_, known)| !known).map(|(number, _)| number).last();
        if let Some(lost) = lost {
            return Err(Violation(format!("generation {lost} of {published} never had a manifest")));
        }
        if let Some((beyond, _)) = generations.last_key_value().filter(|(last, _)| **last > published) {
            return Err(Violation(format!("generation {beyond} was lost: {published} is published")));
        }
        Ok(generations.values().filter(|generation| generation.reported).count() as u64)
    }
}
