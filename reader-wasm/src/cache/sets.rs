//! What was last handed out together: it stays until it is handed out together anew, whatever is read of it alone meanwhile.
//!
//! A payload in Cache Storage lies under its digest, and stays as long as a head or a set names it. Of those in localStorage only the
//! latest is beside its head; when another takes its place, it moves under its digest first if a set names it.

use lastgood_protocol::cache::{self, CacheHead, CacheSet, CacheSets};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::Noted;
use lastgood_protocol::name::DatasetName;

use super::blobs::Blobbed;
use super::copies::{Copies, Stored, dataset_of};
use super::is_later;
use crate::payload::encoded;
use crate::task::BoxedIn;

impl Copies {
    fn sets<'a>(&'a self, key: &'a str) -> BoxedIn<'a, CacheSets> {
        Box::pin(async move { self.text(key).await.and_then(|sets| CacheSets::decode(&sets)).unwrap_or_default() })
    }

    /// What is kept of these datasets as they were last handed out together.
    pub(super) fn find_set<'a>(&'a self, datasets: &'a [DatasetName]) -> BoxedIn<'a, Option<Vec<(CacheHead, Stored)>>> {
        Box::pin(async move {
            let sets = self.sets(&self.keys.sets()).await;
            let set = sets.get(datasets)?;
            let mut found = Vec::with_capacity(datasets.len());
            for dataset in datasets {
                let (_, head) = set.iter().find(|(name, _)| name == dataset)?;
                let key = self.keys.head(dataset);
                let is_latest = self.head_at(&key).await.is_some_and(|latest| latest.sha256 == head.sha256);
                let text = self.local.as_ref().filter(|_| is_latest).and_then(|local| local.payload(&key));
                found.push((head.clone(), Stored(text)));
            }
            Some(found)
        })
    }

    /// Keeps what was handed out together, if a copy of each is kept; what is no longer named goes after it.
    pub(super) fn keep_set<'a>(&'a self, set: CacheSet) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            let (key, datasets): (_, Vec<_>) =
                (self.keys.sets(), set.iter().map(|(dataset, _)| dataset.clone()).collect());
            let before = self.sets(&key).await;
            for (dataset, head) in &set {
                let stored = self.head(dataset).await.filter(|stored| stored.sha256 == head.sha256);
                if stored.is_none() && before.head(dataset.as_str(), &head.sha256).is_none() {
                    return;
                }
            }
            let is_overtaken = |(dataset, stored): &(DatasetName, CacheHead)| {
                set.iter().any(|(name, head)| name == dataset && is_later(stored, head))
            };
            if before.get(&datasets).is_some_and(|stored| stored.iter().any(is_overtaken)) {
                return;
            }
            let mut sets = before.clone();
            sets.put(set);
            if self.put_text(&key, &sets.encode()).await {
                self.drop_unnamed(&before, &sets).await;
            }
        })
    }

    /// Removes the payloads that were named before and are not any more.
    fn drop_unnamed<'a>(&'a self, before: &'a CacheSets, now: &'a CacheSets) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            for (dataset, head) in before.heads() {
                let key = self.keys.head(dataset);
                if now.head(dataset.as_str(), &head.sha256).is_some() {
                    continue;
                }
                let in_local = self.local.as_ref().is_some_and(|local| local.remove_earlier(&key, &head.sha256));
                let is_latest = self.head_at(&key).await.is_some_and(|latest| latest.sha256 == head.sha256);
                if let Some(blobs) = self.blobs.as_ref().filter(|_| !in_local && !is_latest) {
                    blobs.remove_payload(&key, &head.sha256).await;
                }
            }
        })
    }

    /// Whether a set of this feed names a payload.
    pub(super) async fn is_in_set(&self, dataset: &DatasetName, head: &CacheHead) -> bool {
        self.set_head(&self.keys.head(dataset), &head.sha256).await.is_some()
    }

    /// What a set says of a payload, of whichever feed.
    pub(super) fn set_head<'a>(&'a self, head_key: &'a str, sha256: &'a Sha256) -> BoxedIn<'a, Option<CacheHead>> {
        Box::pin(async move { self.sets(&cache::sets_of(head_key)).await.head(dataset_of(head_key), sha256).cloned() })
    }

    /// Sees to it that what a set names stays when `head` takes the place of the head before. False when there is no room for both, and
    /// the set is not about to be replaced as a whole: then it comes before what is read alone.
    pub(super) fn spare_earlier<'a>(
        &'a self,
        key: &'a str,
        before: Option<&'a CacheHead>,
        head: &'a CacheHead,
        spare: &'a mut Vec<String>,
    ) -> BoxedIn<'a, bool> {
        Box::pin(async move {
            let Some(before) = before.filter(|before| before.sha256 != head.sha256) else { return true };
            let sets = self.sets(&self.keys.sets()).await;
            let naming = sets.naming(dataset_of(key), &before.sha256);
            let named: Vec<String> = naming.flatten().map(|(dataset, _)| self.keys.head(dataset)).collect();
            let replaced = named.iter().all(|key| spare.contains(key));
            // No part of a set makes room for what is read alone.
            spare.extend(named);
            // In Cache Storage it lies under its digest.
            let text = self.local.as_ref().and_then(|local| Some((local, local.payload(key)?)));
            let Some((local, text)) = text.filter(|_| sets.head(dataset_of(key), &before.sha256).is_some()) else {
                return true;
            };
            if local.keep_earlier(key, before, &text, spare) {
                return true;
            }
            if let Some(blobs) = &self.blobs {
                let blob = Blobbed { bytes: encoded(&text, before.size), media_type: "application/json".to_owned() };
                if blobs.put_payload(key, &before.sha256, &blob).await.is_ok() {
                    return true;
                }
            }
            replaced
        })
    }

    /// Takes a copy for lost, whose payload was removed: its head, if that names it, and the sets that do.
    pub(super) fn forget_copy<'a>(&'a self, head_key: &'a str, lost: Option<&'a Sha256>) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            if self.head_at(head_key).await.is_some_and(|head| Some(&head.sha256) == lost) {
                self.remove_text(head_key).await;
            }
            let key = cache::sets_of(head_key);
            let mut sets = self.sets(&key).await;
            if sets.drop_where(|dataset, head| dataset.as_str() == dataset_of(head_key) && Some(&head.sha256) == lost) {
                self.put_text(&key, &sets.encode()).await;
            }
        })
    }

    /// Removes the payloads that were purged, of whichever dataset, and the heads and sets that name them.
    pub(super) fn purge<'a>(&'a self, purged: &'a Noted<Sha256>) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            let heads = self.keys.heads();
            let key = self.keys.sets();
            let mut sets = self.sets(&key).await;
            if sets.drop_where(|_, head| purged.get(&head.sha256).is_some()) {
                self.put_text(&key, &sets.encode()).await;
            }
            if let Some(local) = &self.local {
                local.purge(&heads, purged);
            }
            if let Some(blobs) = &self.blobs {
                blobs.purge(&heads, purged).await;
            }
        })
    }

    /// Removes all that is kept of the feed, and leaves a mark by which other tabs find out.
    pub(super) fn forget<'a>(&'a self, mark: &'a str) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            let (memory, heads) = (self.keys.memory(), self.keys.heads());
            if let Some(local) = &self.local {
                local.forget(memory, &heads);
            }
            if let Some(blobs) = &self.blobs {
                blobs.forget(memory, &heads).await;
            }
            self.put_text(FORGOTTEN, mark).await;
        })
    }

    /// What changes whenever something of a feed was forgotten, by whichever tab.
    pub(super) async fn forgotten(&self) -> Option<String> {
        self.text(FORGOTTEN).await
    }
}

/// Says nothing of which feed it was.
const FORGOTTEN: &str = "lastgood:1:+forgotten";
