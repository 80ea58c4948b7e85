//! The cached copies: when they may be handed out, and the step that loads them.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::request::Payload;
use super::validate::Judged;
use super::{AtHand, Checked, Outcome, Reading, Source, Step, Task, Validate, Wanted, is_of, locked};
use crate::cache::CacheHead;
use crate::failure::{Code, Failure};
use crate::manifest::{Generation, Manifest};
use crate::name::DatasetName;
use crate::time::Timestamp;

impl<V> Task<V> {
    /// What is known of the cached copies, if there is one of each dataset that its reader can take as it is.
    fn copies<'a>(&'a self) -> Option<Vec<&'a CacheHead>> {
        let copy = |(wanted, head): (&Wanted, &'a Option<CacheHead>)| head.as_ref().filter(|head| wanted.accepts(head));
        self.plan.datasets.iter().zip(&self.heads).map(copy).collect()
    }

    /// Whether there is a copy of each dataset to be shown, as far as the heads tell.
    pub(super) fn has_copies(&self, now: Timestamp) -> bool {
        (self.copies().is_some() || self.set.is_some()) && self.too_old(now).is_none()
    }

    /// How many milliseconds ago the copies were confirmed, and how many are allowed, if that is fewer.
    pub(super) fn too_old(&self, now: Timestamp) -> Option<(u64, u64)> {
        let limit = self.plan.max_age_ms?;
        let age = |head: &CacheHead| {
            // Both times are by this device's clock, so it does not matter when it is wrong. When it has been set back in
            // between, nobody knows how old the copy is.
            if head.checked_at > now { u64::MAX } else { now.ms_since(head.checked_at) }
        };
        let age = self.heads.iter().flatten().map(age).max()?;
        (age > limit).then_some((age, limit))
    }

    /// The latest generation in which all cached payloads were current; `None` when one is missing or of no use to its reader,
    /// when they come from different feeds, or (`manifest`) from another feed than the present one, or when there is no such
    /// generation.
    pub(super) fn cached_generation(&self, manifest: Option<&Manifest>) -> Option<Generation> {
        let heads = self.copies()?;
        let feed = manifest.map_or(heads.first()?.feed, |manifest| manifest.feed);
        let first = heads.iter().map(|head| head.changed).max()?;
        let last = heads.iter().map(|head| head.confirmed).min()?;
        (heads.iter().all(|head| head.feed == feed) && first <= last).then_some(last)
    }

    pub(super) fn load_all(self: Box<Self>, then: Then) -> Step<V> {
        let wanted = (0..self.heads.len()).collect();
        Step::LoadCache(LoadCache { task: self, wanted, then })
    }

    /// Puts what was last handed out together in the place of the latest copies, if there is such a set, once.
    fn use_set(&mut self) -> bool {
        let Some(set) = self.set.take() else { return false };
        self.heads = set.into_iter().map(Some).collect();
        true
    }

    /// Hands out the cached copies with the failure as the reason, or the failure.
    pub(super) fn fall_back(self: Box<Self>, failure: Failure, now: Timestamp) -> Step<V> {
        self.fall_back_on(Source::Fallback, failure, now)
    }

    /// The same, as a certain source.
    pub(super) fn fall_back_on(mut self: Box<Self>, source: Source, failure: Failure, now: Timestamp) -> Step<V> {
        if self.cached_generation(None).is_some() {
            return self.load_all(Then::HandOut(source, failure, now));
        }
        let inconsistent = self.heads.len() > 1 && self.copies().is_some();
        if self.use_set() {
            return self.fall_back_on(source, failure, now);
        }
        if inconsistent {
            let detail = format!("the cached copies are not of one generation, and {failure}");
            return self.fail(failure.but(Code::Inconsistent, detail), now);
        }
        self.fail(failure, now)
    }

    /// Readings made of cached payloads; `None` unless every one of them verifies and they belong together.
    fn cached_readings(
        &mut self,
        payloads: Vec<Option<Payload<V>>>,
        (source, reason): (Source, &Failure),
        now: Timestamp,
    ) -> Option<Vec<Reading<V>>> {
        let generation = self.cached_generation(None)?;
        let mut readings = Vec::with_capacity(self.heads.len());
        for (i, payload) in payloads.into_iter().enumerate() {
            let mut head = self.heads[i].clone()?;
            let payload = payload.filter(|payload| payload.sha256 == head.sha256 && payload.size == head.size)?;
            let (dataset, reason, expires_at) = (self.plan.datasets[i].dataset.clone(), Some(reason.clone()), None);
            let age_ms = self.age_ms(&head, now);
            head.used_at = now;
            let value = payload.value.ok()?;
            readings.push(Reading { value, dataset, source, reason, expires_at, generation, age_ms, head });
        }
        Some(readings)
    }

    /// Hands out the copies, unless the reader's own shape objects.
    fn hand_out_copies(self: Box<Self>, readings: Vec<Reading<V>>, failure: Failure, now: Timestamp) -> Step<V> {
        if (0..readings.len()).any(|i| self.has_shape(i)) {
            return Step::Validate(Validate { task: self, judged: Judged::Copies(readings, failure, now) });
        }
        self.end_with(readings, failure, now)
    }

    /// Ends without the copies, because the reader's own shape has refused one. Had it refused the present value before, then that is
    /// to be told.
    pub(super) fn end_refused(self: Box<Self>, failure: Failure, refusal: Failure, now: Timestamp) -> Step<V> {
        let told = if self.refused { failure } else { refusal };
        self.fail(told, now)
    }

    /// Ends with the copies that were fallen back to, unless they are too old.
    pub(super) fn end_with(self: Box<Self>, readings: Vec<Reading<V>>, failure: Failure, now: Timestamp) -> Step<V> {
        let Some((age, limit)) = self.too_old(now) else { return self.end(Ok(readings), now) };
        let detail =
            format!("the last good copy was confirmed {age} ms ago, more than the {limit} allowed, and {failure}");
        let result = Err(failure.but(Code::TooOld, detail));
        let Self { memory, seen: manifest, unread, .. } = *self;
        Step::Done(Outcome { result, too_old: readings, memory, manifest, unread, at: now })
    }

    pub(super) fn fail(self: Box<Self>, failure: Failure, now: Timestamp) -> Step<V> {
        self.end(Err(failure), now)
    }
}

/// Step: load payloads from the cache, hashing the bytes that are there. Where the host holds the values that it made of
/// verified bytes, it answers with them and their digests.
#[must_use]
#[derive(Debug)]
pub struct LoadCache<V> {
    pub(super) task: Box<Task<V>>,
    pub(super) wanted: Vec<usize>,
    pub(super) then: Then,
}

#[derive(Debug)]
pub(super) enum Then {
    Resolve(Checked),
    HandOutLocked(Checked),
    HandOut(Source, Failure, Timestamp),
}

impl<V> LoadCache<V> {
    /// The datasets whose payloads are to be loaded.
    pub fn wanted(&self) -> impl Iterator<Item = &DatasetName> {
        self.wanted.iter().map(|&i| &self.task.plan.datasets[i].dataset)
    }

    /// What is known of these payloads, in the same order: a host that keeps several payloads of a dataset finds them by their digests.
    pub fn heads(&self) -> impl Iterator<Item = Option<&CacheHead>> {
        self.wanted.iter().map(|&i| self.task.heads[i].as_ref())
    }

    /// Takes the payloads, in the order of [`wanted`](Self::wanted); `None` for what is not there.
    pub fn complete(self, payloads: Vec<Option<Payload<V>>>) -> Step<V> {
        let Self { mut task, wanted, then } = self;
        match then {
            Then::Resolve(checked) => {
                for (i, payload) in wanted.into_iter().zip(payloads) {
                    let entry = &checked.manifest.datasets[&task.plan.datasets[i].dataset];
                    match payload.filter(|payload| is_of(payload, entry)) {
                        Some(payload) => {
                            let satisfies = task.heads[i].as_ref().and_then(CacheHead::satisfies);
                            task.at_hand[i] = Some(AtHand::new(payload, Source::Cache, satisfies));
                        }
                        // Lost or altered: without its head it is fetched, and no longer fallen back to.
                        None => task.heads[i] = None,
                    }
                }
                task.resolve(checked)
            }
            Then::HandOutLocked(checked) => {
                let reason = locked("the copy from before it");
                match task.cached_readings(payloads, (Source::Cache, &reason), checked.now) {
                    Some(readings) => task.hand_out_copies(readings, reason, checked.now),
                    None => {
                        task.heads.fill(None);
                        task.heed_lock(checked)
                    }
                }
            }
            Then::HandOut(source, failure, now) => match task.cached_readings(payloads, (source, &failure), now) {
                Some(readings) => task.hand_out_copies(readings, failure, now),
                // Lost or altered.
                None if task.use_set() => task.fall_back_on(source, failure, now),
                None => task.fail(failure, now),
            },
        }
    }
}
