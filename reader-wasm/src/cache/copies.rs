//! The copies of one feed's payloads between visits: which store has what, and in which order it is written.
//!
//! Heads, sets and memories are in localStorage, and in Cache Storage where there is none (in workers) or no room. A payload is in the same store as its
//! head or, when it does not fit localStorage or is an artifact, in Cache Storage.
//!
//! Several calls and tabs may write at once. The payload goes before its head, so that a head never names what is not there yet; what
//! the head before named goes last, so that at each moment, and after a crash at each moment, the head that stands finds its payload.
//! What a set names stays until a later set takes its place ([`sets`](super::sets)).

use std::cell::Cell;
use std::rc::Rc;

use js_sys::JsString;
use lastgood_protocol::cache::{CacheHead, FeedMemory, Keys};
use lastgood_protocol::name::DatasetName;
use wasm_bindgen::JsCast;
use web_sys::Blob;

use super::Place;
use super::blobs::{Blobbed, Blobs};
use super::eviction::{Candidate, in_order};
use super::is_later;
use super::local::LocalStore;
use crate::event::Event;
use crate::page::{self, Page};
use crate::payload::{Payload, encoded};
use crate::task::BoxedIn;

/// Longer texts, in UTF-16 units, go to Cache Storage at once: a third of what localStorage holds for all of an origin's code. Two or
/// three of them would push everything else out, and writing them there stops the page.
pub(crate) const LARGE: u32 = 5_242_879 / 3;

/// Stands in localStorage in the place of the memory, when what is known of copies is in Cache Storage.
const SPILLED: &str = "cacheStorage";

/// Whether a payload could be kept; if not, why not, where there is storage at all.
pub(super) enum Kept {
    Yes,
    No(Option<String>),
}

/// A stored payload, beside its head: its text, if it is a text in localStorage. Another tab may replace both at any moment.
#[derive(Clone)]
pub(crate) struct Stored(pub(super) Option<JsString>);

/// Tells what happens to storage. Unavailable is told once, however often it is met: two stores that a browser blocks together are one
/// piece of news.
pub(super) struct News {
    pub(super) page: Rc<Page>,
    told: Cell<bool>,
}

impl News {
    pub(super) fn unavailable(&self, detail: &str) {
        if !self.told.replace(true) {
            self.page.tell(&Event::CacheUnavailable { detail });
        }
    }
}

pub(crate) struct Copies {
    pub(super) keys: Keys,
    news: Rc<News>,
    pub(super) local: Option<LocalStore>,
    pub(super) blobs: Option<Blobs>,
    /// Whether there was no room in localStorage for what is known of copies, so that it is looked for in Cache Storage too.
    spilled: Cell<bool>,
}

impl Copies {
    /// None where the page wants no copies.
    pub(super) fn new(page: &Rc<Page>) -> Option<Self> {
        let cache = page.cache();
        if cache == "none" {
            return None;
        }
        let news = Rc::new(News { page: Rc::clone(page), told: Cell::default() });
        let blobs = cache == "auto" && Blobs::exist();
        // Without either, localStorage says that it is not there.
        let local = LocalStore::exists() || !blobs;
        Some(Self {
            keys: Keys::new(&page.url()),
            local: local.then(|| LocalStore { news: Rc::clone(&news) }),
            blobs: blobs.then(|| Blobs::new(if local { "local" } else { "own" }, Rc::clone(&news))),
            news,
            spilled: Cell::default(),
        })
    }

    pub(super) async fn memory(&self) -> Option<FeedMemory> {
        let key = self.keys.memory();
        if let (Some(local), Some(_), false) = (&self.local, &self.blobs, self.spilled.get()) {
            let has_spilled = |text: Option<String>| text.map_or_else(|| local.is_full(), |text| text == SPILLED);
            self.spilled.set(has_spilled(local.text(key)));
        }
        FeedMemory::decode(&self.text(key).await?)
    }

    pub(super) async fn keep_memory(&self, memory: &FeedMemory) {
        // Without it a replay goes unnoticed in the next visit; there is nothing else to be done about it.
        self.put_text(self.keys.memory(), &memory.encode()).await;
    }

    /// The head of a dataset.
    pub(super) async fn head(&self, dataset: &DatasetName) -> Option<CacheHead> {
        self.head_at(&self.keys.head(dataset)).await
    }

    pub(super) fn head_at<'a>(&'a self, key: &'a str) -> BoxedIn<'a, Option<CacheHead>> {
        Box::pin(async move { CacheHead::decode(&self.text(key).await?) })
    }

    /// Replaces a head alone: its payload is the same.
    pub(super) async fn keep_head(&self, dataset: &DatasetName, head: &CacheHead) -> bool {
        self.put_text(&self.keys.head(dataset), &head.encode()).await
    }

    /// What is kept of a dataset.
    pub(super) async fn find(&self, dataset: &DatasetName) -> Option<(CacheHead, Stored)> {
        let key = self.keys.head(dataset);
        let head = self.text(&key).await?;
        // Along with its head: another tab may replace both at any moment.
        let text = self.local.as_ref().and_then(|local| local.payload(&key));
        let Some(head) = CacheHead::decode(&head) else {
            self.corrupt(dataset, "what is known of the cached copy cannot be read");
            return None;
        };
        if text.is_none() && self.blobs.is_none() {
            self.corrupt(dataset, "the cached copy is gone");
            return None;
        }
        Some((head, Stored(text)))
    }

    /// Loads the payload that a head names. A cached text goes the way of bytes from the network, so that the value is made of what was
    /// hashed: an altered text may hold what UTF-8 cannot, such as half a surrogate pair.
    pub(super) fn load<'a>(
        &'a self,
        dataset: &'a DatasetName,
        head: &'a CacheHead,
        stored: &'a Stored,
    ) -> BoxedIn<'a, Option<Payload>> {
        Box::pin(async move {
            let text = stored.0.as_ref();
            let mut found = None;
            if let Some(text) = text {
                let blob = Blobbed { bytes: encoded(text, head.size), media_type: String::new() };
                found = Some(made(dataset, head, blob, Place::LocalStorage).await);
            }
            let is_it = |found: &Option<Payload>| found.as_ref().is_some_and(|found| found.sha256 == head.sha256);
            if is_it(&found) {
                return found;
            }
            // A text of another digest was left by a tab that was closed between writing the head and removing the text, or while another
            // payload took its place.
            let key = self.keys.head(dataset);
            let earlier = self.local.as_ref().and_then(|local| local.earlier(&key, &head.sha256));
            if let Some(text) = earlier.filter(|_| !is_it(&found)) {
                let blob = Blobbed { bytes: encoded(&text, head.size), media_type: String::new() };
                found = Some(made(dataset, head, blob, Place::LocalStorage).await);
            }
            if is_it(&found) {
                return found;
            }
            if let Some(blobs) = &self.blobs
                && let Some(blob) = blobs.payload(&key, &head.sha256).await
            {
                found = Some(made(dataset, head, blob, Place::CacheStorage).await);
            }
            if is_it(&found) {
                return found;
            }
            // Another tab was faster, and has replaced the head as well: nothing is wrong with its copy.
            if self.head_at(&key).await.is_some_and(|now| now.sha256 == head.sha256) {
                let problem = if found.is_some() { "has been altered" } else { "is gone" };
                self.corrupt(dataset, &format!("the cached copy {problem}"));
            }
            found
        })
    }

    /// Where the payload that a head names is kept, if it is.
    pub(super) fn place<'a>(&'a self, dataset: &'a DatasetName, head: &'a CacheHead) -> BoxedIn<'a, Option<Place>> {
        Box::pin(async move {
            let key = self.keys.head(dataset);
            if let Some(blobs) = &self.blobs
                && blobs.payload(&key, &head.sha256).await.is_some()
            {
                return Some(Place::CacheStorage);
            }
            let local = self.local.as_ref()?;
            local.payload(&key).or_else(|| local.earlier(&key, &head.sha256)).map(|_| Place::LocalStorage)
        })
    }

    /// Keeps a payload that was downloaded, with its head; `all` are the datasets of the call. Says where, if anywhere.
    pub(super) async fn keep(
        &self,
        dataset: &DatasetName,
        head: &CacheHead,
        payload: &Payload,
        all: &[DatasetName],
    ) -> Option<Place> {
        let key = self.keys.head(dataset);
        let mut spare: Vec<String> = all.iter().map(|dataset| self.keys.head(dataset)).collect();
        let before = self.head_at(&key).await;
        if !self.spare_earlier(&key, before.as_ref(), head, &mut spare).await {
            let detail = "there is no room beside what was last handed out together";
            self.news.page.tell(&Event::CacheFull { dataset: dataset.as_str(), detail });
            return None;
        }
        // Of an artifact there is no text.
        let is_text = head.ext.is_json();
        let mut problems = Vec::new();
        for place in self.places(is_text, payload.text_len()) {
            // Trying another place took its time, in which another tab may have kept a later generation: it stays.
            if self.head_at(&key).await.is_some_and(|now| is_later(&now, head)) {
                return None;
            }
            let kept = match (place, &self.local) {
                (Place::LocalStorage, Some(local)) => local.keep(&key, head, &payload.text, &spare),
                _ => self.keep_as_blob(&key, head, payload, &spare).await,
            };
            match kept {
                Kept::Yes => {
                    self.clean_up(&key, before.as_ref(), head, place).await;
                    return Some(place);
                }
                Kept::No(problem) => problems.extend(problem),
            }
        }
        if !is_text && self.blobs.is_none() {
            problems.push("artifacts are kept in Cache Storage, which is not used or not there".to_owned());
        }
        if !problems.is_empty() {
            let detail = problems.join("; ");
            self.news.page.tell(&Event::CacheFull { dataset: dataset.as_str(), detail: &detail });
        }
        None
    }

    /// Where to try to keep a payload, one after the other.
    fn places(&self, is_text: bool, length: u32) -> Vec<Place> {
        let local = (self.local.is_some() && is_text).then_some(Place::LocalStorage);
        let blobs = self.blobs.is_some().then_some(Place::CacheStorage);
        let order = if length > LARGE { [blobs, local] } else { [local, blobs] };
        order.into_iter().flatten().collect()
    }

    /// Removes the payload that the head before has named, and what else no head names.
    async fn clean_up(&self, key: &str, before: Option<&CacheHead>, head: &CacheHead, place: Place) {
        let Some(blobs) = &self.blobs else { return };
        // A text that could have been in either place is found by the next sweep.
        let for_blobs = |before: &&CacheHead| !before.ext.is_json() || before.size > LARGE.into();
        let replaced = before.filter(|before| before.sha256 != head.sha256);
        if let Some(replaced) = replaced.filter(|before| place == Place::CacheStorage || for_blobs(before))
            && self.set_head(key, &replaced.sha256).await.is_none()
        {
            blobs.remove_payload(key, &replaced.sha256).await;
        }
        if place == Place::CacheStorage {
            for candidate in self.candidates(blobs, &[]).await {
                if let (None, Some(sha256)) = (&candidate.head, &candidate.sha256) {
                    blobs.remove_payload(&candidate.head_key, sha256).await;
                }
            }
        }
    }

    fn keep_as_blob<'a>(
        &'a self,
        key: &'a str,
        head: &'a CacheHead,
        payload: &'a Payload,
        spare: &'a [String],
    ) -> BoxedIn<'a, Kept> {
        Box::pin(async move {
            let Some(blobs) = &self.blobs else { return Kept::No(None) };
            let put = self.put_blob(blobs, key, payload, spare).await;
            if !matches!(put, Kept::Yes) {
                return put;
            }
            // Writing took its time as well.
            let now = self.head_at(key).await;
            let overtaken = now.as_ref().is_some_and(|now| is_later(now, head));
            if !overtaken && self.put_text(key, &head.encode()).await {
                // Only now: the head before needed it.
                if let Some(local) = &self.local {
                    local.drop_payload(key);
                }
                return Kept::Yes;
            }
            if now.is_none_or(|now| now.sha256 != payload.sha256) {
                blobs.remove_payload(key, &payload.sha256).await;
            }
            Kept::No((!overtaken).then(|| "there is no room for what must be known of the copy".to_owned()))
        })
    }

    /// Writes, and makes room when there is none.
    fn put_blob<'a>(
        &'a self,
        blobs: &'a Blobs,
        key: &'a str,
        payload: &'a Payload,
        spare: &'a [String],
    ) -> BoxedIn<'a, Kept> {
        Box::pin(async move {
            let Some(bytes) = payload.bytes() else { return Kept::No(None) };
            let media_type = payload.data.dyn_ref::<Blob>().map_or_else(|| "application/json".to_owned(), Blob::type_);
            let blob = Blobbed { bytes: bytes.clone(), media_type };
            let mut problem = match blobs.put_payload(key, &payload.sha256, &blob).await {
                Ok(()) => return Kept::Yes,
                Err(None) => return Kept::No(None),
                Err(Some(problem)) => problem,
            };
            for candidate in in_order(self.candidates(blobs, spare).await, payload.size) {
                let Candidate { head_key, sha256, head } = candidate;
                if let Some(sha256) = &sha256 {
                    blobs.remove_payload(&head_key, sha256).await;
                }
                if head.is_some() {
                    self.forget_copy(&head_key, sha256.as_ref()).await;
                    self.news.page.tell(&Event::CacheEvicted { dataset: dataset_of(&head_key) });
                }
                match blobs.put_payload(key, &payload.sha256, &blob).await {
                    Ok(()) => return Kept::Yes,
                    Err(None) => return Kept::No(None),
                    Err(Some(again)) => problem = again,
                }
            }
            Kept::No(Some(page::describe(&problem)))
        })
    }

    /// The payloads in Cache Storage, of whichever feed, that may be removed to make room: those that no head names have none here.
    fn candidates<'a>(&'a self, blobs: &'a Blobs, spare: &'a [String]) -> BoxedIn<'a, Vec<Candidate>> {
        Box::pin(async move {
            let mut candidates = Vec::new();
            for listed in blobs.payloads().await {
                let named = self.head_at(&listed.head_key).await.filter(|named| named.sha256 == listed.sha256);
                let head = match named {
                    Some(head) => Some(head),
                    None => self.set_head(&listed.head_key, &listed.sha256).await,
                };
                let may_go = if head.is_some() { !spare.contains(&listed.head_key) } else { !listed.young };
                if may_go {
                    candidates.push(Candidate { head_key: listed.head_key, sha256: Some(listed.sha256), head });
                }
            }
            candidates
        })
    }

    /// A head, a memory or sets.
    pub(super) fn text<'a>(&'a self, key: &'a str) -> BoxedIn<'a, Option<String>> {
        Box::pin(async move {
            let found = self.local.as_ref().and_then(|local| local.text(key)).filter(|text| text != SPILLED);
            match &self.blobs {
                Some(blobs) if found.is_none() && self.are_texts_in_blobs() => blobs.text(key).await,
                _ => found,
            }
        })
    }

    /// Keeps a head, a memory or sets: where there is no room in localStorage, in Cache Storage.
    pub(super) fn put_text<'a>(&'a self, key: &'a str, text: &'a str) -> BoxedIn<'a, bool> {
        Box::pin(async move {
            let memory = self.keys.memory();
            let kept = match &self.local {
                // What stands in its place says where to look.
                Some(_) if self.spilled.get() && key == memory => false,
                Some(local) => local.put_text(key, text),
                None => false,
            };
            let Some(blobs) = self.blobs.as_ref().filter(|_| !kept) else { return kept };
            if let Some(local) = self.local.as_ref().filter(|_| !self.spilled.replace(true)) {
                if let Some(seen) = local.text(memory).filter(|_| key != memory) {
                    blobs.put_text(memory, &seen).await;
                }
                local.put_text(memory, SPILLED);
            }
            if let Some(local) = self.local.as_ref().filter(|_| key != memory) {
                // What stood there before would be found first.
                local.remove_text(key);
            }
            blobs.put_text(key, text).await
        })
    }

    pub(super) fn remove_text<'a>(&'a self, key: &'a str) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            if let Some(local) = &self.local {
                local.remove_text(key);
            }
            if let Some(blobs) = self.blobs.as_ref().filter(|_| self.are_texts_in_blobs()) {
                blobs.remove_text(key).await;
            }
        })
    }

    fn are_texts_in_blobs(&self) -> bool {
        self.local.is_none() || self.spilled.get()
    }

    fn corrupt(&self, dataset: &DatasetName, detail: &str) {
        self.news.page.tell(&Event::CacheCorrupt { dataset: dataset.as_str(), detail });
    }
}

async fn made(
    dataset: &DatasetName,
    head: &CacheHead,
    Blobbed { bytes, media_type }: Blobbed,
    place: Place,
) -> Payload {
    let payload =
        if head.ext.is_json() { Payload::json(bytes).await } else { Payload::artifact(bytes, &media_type).await };
    payload.copy(dataset).is_in(Some(place));
    payload
}

/// The name of the dataset that a head's key is for.
pub(super) fn dataset_of(head_key: &str) -> &str {
    head_key.rsplit(':').next().unwrap_or_default()
}
