//! What is known of a feed and its datasets: in this page, and between visits.
//!
//! The values that this page has read are held as they are, so that a dataset that has not changed is the same object in every
//! reading. What earlier visits have left is text or bytes, and is verified like bytes from the network.

mod blobs;
mod copies;
mod eviction;
mod local;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise};
use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Reading, Source, VerifiedManifest};
use wasm_bindgen::JsValue;

use self::copies::Copies;
pub(crate) use self::copies::{LARGE, Stored};
use crate::drive::Value;
use crate::event::Event;
use crate::page::Page;
use crate::payload::Payload;
use crate::task::{self, Sleep};

/// Texts of at most so many UTF-16 units are written before the reading is handed out, which takes microseconds; larger ones after it.
const SMALL: u32 = 32 * 1024;
/// A reading waits no longer for the copies of what was purged to be gone.
const PURGE_MS: u32 = 200;

/// A store that copies are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    LocalStorage,
    CacheStorage,
}

impl Place {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LocalStorage => "localStorage",
            Self::CacheStorage => "cacheStorage",
        }
    }
}

/// What is kept of one feed.
pub(crate) struct Store {
    page: Rc<Page>,
    copies: Option<Copies>,
    held: RefCell<Vec<Held>>,
    /// Beside the stored one, so that a replay is noticed in this page even where storage is blocked.
    memory: RefCell<Option<FeedMemory>>,
    /// What says which payloads were purged from the feed, as far as this page has seen.
    purged: RefCell<Option<VerifiedManifest>>,
    /// What is still to be written, one after the other, so that the last to be read is the last to be kept.
    writes: RefCell<VecDeque<Write>>,
    writing: Cell<bool>,
}

/// A value that this page has read, and what is known of it.
struct Held {
    dataset: DatasetName,
    head: CacheHead,
    payload: Rc<Payload>,
}

enum Write {
    Memory(FeedMemory),
    Copy {
        dataset: DatasetName,
        head: CacheHead,
        source: Source,
        payload: Rc<Payload>,
        all: Rc<[DatasetName]>,
    },
    /// What is called when no copy is left of what the manifest says was purged.
    Purge(VerifiedManifest, Function),
}

/// A copy as a read finds it.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) head: CacheHead,
    payload: FoundPayload,
}

#[derive(Clone)]
enum FoundPayload {
    Held(Rc<Payload>),
    Stored(Stored),
}

impl Store {
    pub(crate) fn new(page: Rc<Page>) -> Self {
        let copies = Copies::new(&page);
        Self {
            page,
            copies,
            held: RefCell::default(),
            memory: RefCell::default(),
            purged: RefCell::default(),
            writes: RefCell::default(),
            writing: Cell::default(),
        }
    }

    /// What is remembered of the feed: the later of what is stored and what this page has seen.
    pub(crate) async fn memory(&self) -> Option<FeedMemory> {
        let stored = match &self.copies {
            Some(copies) => copies.memory().await,
            None => None,
        };
        let here = self.memory.borrow().clone();
        match (stored, here) {
            // Of two different feeds, one has replaced the other, and generations do not tell which. What is stored was written by the tab
            // that looked last, so it is taken.
            (Some(there), Some(here)) if has_more(&here, &there) => Some(here),
            (Some(there), _) => Some(there),
            (None, here) => here,
        }
    }

    /// What is cached of a dataset.
    pub(crate) async fn find(&self, dataset: &DatasetName) -> Option<Found> {
        let stored = match &self.copies {
            Some(copies) => copies.head(dataset).await,
            None => None,
        };
        if let Some(Held { head, payload, .. }) = self.held.borrow().iter().find(|held| held.dataset == *dataset) {
            let later = stored.as_ref().filter(|stored| is_later(stored, head));
            // Confirmed by another tab since: the page keeps its object.
            if later.is_none_or(|later| later.sha256 == payload.sha256) {
                let payload = FoundPayload::Held(Rc::clone(payload));
                return Some(Found { head: later.unwrap_or(head).clone(), payload });
            }
        }
        let (head, stored) = self.copies.as_ref()?.find(dataset).await?;
        Some(Found { head, payload: FoundPayload::Stored(stored) })
    }

    /// Loads the payload, verified or not; nothing when it is gone.
    pub(crate) async fn load(&self, dataset: &DatasetName, found: &Found) -> Option<Rc<Payload>> {
        match &found.payload {
            FoundPayload::Held(payload) => Some(Rc::clone(payload)),
            FoundPayload::Stored(stored) => self.copies.as_ref()?.load(dataset, &found.head, stored).await.map(Rc::new),
        }
    }

    /// Keeps what was seen, unless another call or tab has seen more meanwhile.
    pub(crate) fn remember(self: &Rc<Self>, seen: FeedMemory) {
        if self.memory.borrow().as_ref().is_some_and(|before| has_more(before, &seen)) {
            return;
        }
        self.memory.replace(Some(seen.clone()));
        self.write([Write::Memory(seen)]);
    }

    /// Drops every copy of what a manifest that was accepted says was purged, of whichever dataset, unless this page has seen a later
    /// one meanwhile. They are looked for once for each list, which is the same at most looks.
    pub(crate) async fn purge(self: &Rc<Self>, manifest: VerifiedManifest) {
        let is_overtaken = |seen: &FeedMemory| seen.feed == manifest.feed && seen.generation > manifest.generation;
        if self.memory.borrow().as_ref().is_some_and(is_overtaken) {
            return;
        }
        let before = self.purged.replace(Some(manifest.clone()));
        let known = before.iter().flat_map(|before| before.purged.iter()).map(|(sha256, _)| sha256);
        if manifest.purged.iter().map(|(sha256, _)| sha256).eq(known) {
            return;
        }
        self.held.borrow_mut().retain(|held| manifest.purged.get(&held.payload.sha256).is_none());
        if self.copies.is_some() {
            // After what is still to be written, which may be one of them.
            let gone = Promise::new(&mut |gone, _| self.write([Write::Purge(manifest.clone(), gone)]));
            Sleep::new(PURGE_MS.into()).unless(gone).await;
        }
    }

    /// Keeps what is handed out. Whatever goes wrong with it is an event.
    pub(crate) fn keep(self: &Rc<Self>, readings: &mut [Reading<Value>]) {
        let all: Rc<[DatasetName]> = readings.iter().map(|reading| reading.dataset.clone()).collect();
        let purged = self.purged.borrow().clone();
        // Purged since the manifest was read that names it.
        let may_be_kept = |reading: &&mut Reading<Value>| {
            purged.as_ref().is_none_or(|manifest| manifest.purged.get(&reading.head.sha256).is_none())
        };
        let writes = readings.iter_mut().filter(may_be_kept).map(|Reading { dataset, source, head, value, .. }| {
            self.hold(dataset, head, value);
            let (dataset, head, payload) = (dataset.clone(), head.clone(), Rc::clone(&value.payload));
            Write::Copy { dataset, head, source: *source, payload, all: Rc::clone(&all) }
        });
        let writes: Vec<Write> = writes.collect();
        if self.copies.is_some() {
            self.write(writes);
        }
    }

    /// Holds the value, or takes the one that is held for as long as it is the same.
    fn hold(&self, dataset: &DatasetName, head: &CacheHead, value: &mut Value) {
        let mut all = self.held.borrow_mut();
        let Some(held) = all.iter_mut().find(|held| held.dataset == *dataset) else {
            all.push(Held { dataset: dataset.clone(), head: head.clone(), payload: Rc::new(value.payload.held()) });
            return;
        };
        let is_same = held.payload.sha256 == value.payload.sha256;
        if is_same && !value.shaped {
            value.data = held.payload.data.clone();
        }
        if !is_later(&held.head, head) {
            held.head = head.clone();
            if !is_same {
                held.payload = Rc::new(value.payload.held());
            }
        }
    }

    /// Writes as soon as what is being written is.
    fn write(self: &Rc<Self>, writes: impl IntoIterator<Item = Write>) {
        self.writes.borrow_mut().extend(writes);
        if self.writing.replace(true) {
            return;
        }
        let store = Rc::clone(self);
        task::spawn(Box::pin(async move {
            loop {
                let next = store.writes.borrow_mut().pop_front();
                let Some(write) = next else { break };
                store.write_one(write).await;
            }
            store.writing.set(false);
        }));
    }

    async fn write_one(&self, write: Write) {
        let Some(copies) = &self.copies else { return };
        match write {
            Write::Memory(seen) => {
                if !copies.memory().await.is_some_and(|stored| has_more(&stored, &seen)) {
                    copies.keep_memory(&seen).await;
                }
            }
            Write::Purge(manifest, gone) => {
                copies.purge(&manifest.purged).await;
                // It settles a promise, which calls nobody before this has ended.
                let _ = gone.call0(&JsValue::UNDEFINED);
            }
            Write::Copy { dataset, head, source, payload, all } => {
                let large = payload.text_len() > SMALL || !head.ext.is_json();
                if source == Source::Network && large {
                    // In a task of the page's own, so that the value is with its reader before.
                    Sleep::new(0.0).await;
                }
                let copy = payload.copy(&dataset);
                let before = copy.place();
                let place = self.place(copies, &dataset, &head, source, &payload, &all).await;
                copy.is_in(place);
                if let Some(place) = place
                    && before != Some(place)
                    && copy.is_handed_out()
                {
                    self.page.tell(&Event::Cached { dataset: dataset.as_str(), place: place.as_str() });
                }
                self.page.explain(|| match place {
                    Some(place) => format!("{dataset}: a copy is in {}", place.as_str()),
                    None => format!("{dataset}: no copy is kept"),
                });
            }
        }
    }

    async fn place(
        &self,
        copies: &Copies,
        dataset: &DatasetName,
        head: &CacheHead,
        source: Source,
        payload: &Payload,
        all: &[DatasetName],
    ) -> Option<Place> {
        let stored = copies.head(dataset).await;
        // Another call or tab may have read a later generation meanwhile.
        if stored.as_ref().is_some_and(|stored| is_later(stored, head)) {
            return None;
        }
        if source == Source::Network {
            return copies.keep(dataset, head, payload, all).await;
        }
        // A copy that was removed to make room is not written again: two that have no room together would remove each other at every look.
        if stored.is_none_or(|stored| stored.sha256 != head.sha256) {
            return None;
        }
        let known = match payload.copy(dataset).place() {
            Some(place) => place,
            None => copies.place(dataset, head).await?,
        };
        copies.keep_head(dataset, head).await.then_some(known)
    }
}

fn has_more(one: &FeedMemory, other: &FeedMemory) -> bool {
    one.feed == other.feed && one.generation > other.generation
}

/// Whether a head is of a later generation of the same feed than another.
fn is_later(one: &CacheHead, other: &CacheHead) -> bool {
    one.feed == other.feed && one.confirmed > other.confirmed
}
