//! What is known of a feed and its datasets: in this page, and between visits.
//!
//! The values that this page has read are held as they are, so that a dataset that has not changed is the same object in every
//! reading. What earlier visits have left is text or bytes, and is verified like bytes from the network.

mod blobs;
mod copies;
mod eviction;
mod local;
mod sets;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use lastgood_protocol::cache::{CacheHead, CacheSet, FeedMemory};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Reading, Source, VerifiedManifest};
use wasm_bindgen::JsValue;

use self::copies::Copies;
pub(crate) use self::copies::{LARGE, Stored};
use crate::drive::{Value, now};
use crate::event::Event;
use crate::page::Page;
use crate::payload::Payload;
use crate::task::{self, Sleep};

/// Texts of at most so many UTF-16 units are written before the reading is handed out, which takes microseconds; larger ones after it.
const SMALL: u32 = 32 * 1024;
/// The most sets that are held.
const MAX_SETS: usize = 16;
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
    /// What was last handed out together, the latest first.
    sets: RefCell<Vec<Vec<Held>>>,
    /// Beside the stored one, so that a replay is noticed in this page even where storage is blocked.
    memory: RefCell<Option<FeedMemory>>,
    /// What says which payloads were purged from the feed, as far as this page has seen.
    purged: RefCell<Option<VerifiedManifest>>,
    /// What is still to be written, one after the other, so that the last to be read is the last to be kept.
    writes: RefCell<VecDeque<Write>>,
    writing: Cell<bool>,
    /// How often all was forgotten: a read that began before keeps nothing.
    era: Cell<u32>,
    /// What was stored when something was last forgotten, by whichever tab; nothing before the first look.
    forgotten: RefCell<Option<Option<String>>>,
}

/// A value that this page has read, and what is known of it.
#[derive(Clone)]
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
    /// What was handed out together.
    Set(CacheSet),
    /// What is called when nothing is left, and the mark to leave.
    Forget(String, Function),
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
            sets: RefCell::default(),
            memory: RefCell::default(),
            purged: RefCell::default(),
            writes: RefCell::default(),
            writing: Cell::default(),
            era: Cell::default(),
            forgotten: RefCell::default(),
        }
    }

    /// What a read that begins now hands to [`keep`](Self::keep).
    pub(crate) fn era(&self) -> u32 {
        self.era.get()
    }

    /// What is remembered of the feed: the later of what is stored and what this page has seen.
    pub(crate) async fn memory(&self) -> Option<FeedMemory> {
        let stored = match &self.copies {
            Some(copies) => {
                let stored = copies.memory().await;
                let mark = copies.forgotten().await;
                let before = self.forgotten.replace(Some(mark.clone()));
                if before.is_some_and(|before| before != mark) {
                    self.let_go();
                }
                stored
            }
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

    /// What is cached of datasets as they were last handed out together.
    pub(crate) async fn find_set(&self, datasets: &[DatasetName]) -> Option<Vec<Found>> {
        let stored = match &self.copies {
            Some(copies) => copies.find_set(datasets).await,
            None => None,
        };
        let held = self.held_set(datasets);
        if let Some(held) = held.filter(|held| {
            // Another tab may have been handed a later one.
            stored.iter().flatten().zip(held).all(|((stored, _), held)| !is_later(stored, &held.head))
        }) {
            let found = |Held { head, payload, .. }: Held| Found { head, payload: FoundPayload::Held(payload) };
            return Some(held.into_iter().map(found).collect());
        }
        let found = |(head, stored)| Found { head, payload: FoundPayload::Stored(stored) };
        Some(stored?.into_iter().map(found).collect())
    }

    /// In the order of the names.
    fn held_set(&self, datasets: &[DatasetName]) -> Option<Vec<Held>> {
        let sets = self.sets.borrow();
        let is_of = |set: &&Vec<Held>| set.len() == datasets.len();
        let in_order = |set: &Vec<Held>| {
            let member = |dataset: &DatasetName| set.iter().find(|held| held.dataset == *dataset).cloned();
            datasets.iter().map(member).collect::<Option<Vec<_>>>()
        };
        sets.iter().filter(is_of).find_map(in_order)
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
        let stays = |held: &Held| manifest.purged.get(&held.payload.sha256).is_none();
        self.held.borrow_mut().retain(stays);
        self.sets.borrow_mut().retain(|set| set.iter().all(stays));
        let purged: Array = manifest.purged.iter().map(|(sha256, _)| JsValue::from(sha256.to_string())).collect();
        self.page.dropped(&purged.into());
        if self.copies.is_some() {
            // After what is still to be written, which may be one of them.
            let gone = Promise::new(&mut |gone, _| self.write([Write::Purge(manifest.clone(), gone)]));
            Sleep::new(PURGE_MS.into()).unless(gone).await;
        }
    }

    /// Forgets all that is kept of the feed; `done` is called when nothing is left.
    pub(crate) fn forget(self: &Rc<Self>, done: Function) {
        self.let_go();
        self.writes.borrow_mut().clear();
        // Whoever waits for a purge that is no longer needed does not wait long.
        // Whole numbers: writing others takes more code than all of this.
        let mark = format!("{} {}", js_sys::Date::now() as u64, (js_sys::Math::random() * 1e15) as u64);
        self.forgotten.replace(Some(Some(mark.clone())));
        self.write([Write::Forget(mark, done)]);
    }

    /// Forgets what this page holds.
    fn let_go(&self) {
        self.era.set(self.era.get() + 1);
        self.held.borrow_mut().clear();
        self.sets.borrow_mut().clear();
        self.memory.replace(None);
        self.purged.replace(None);
        self.page.dropped(&JsValue::NULL);
    }

    /// Whether the manifest that was accepted last names what was published of a dataset at this time, and does not say that it is over.
    pub(crate) fn names(&self, dataset: &str, sha256: &str, published_at: &str) -> bool {
        let accepted = self.purged.borrow();
        let Some(manifest) = accepted.as_ref() else { return false };
        let entry = DatasetName::parse(dataset).ok().and_then(|dataset| manifest.datasets.get(&dataset));
        let offset = self.memory.borrow().as_ref().map_or(0, |memory| memory.clock_offset_ms);
        let now = now().plus_ms(offset);
        entry.is_some_and(|entry| {
            let is_it = entry.sha256.to_string() == sha256 && entry.published_at.to_string() == published_at;
            is_it && !entry.expired(now) && !manifest.expired(now)
        })
    }

    /// Keeps what is handed out by a read of this [`era`](Self::era). Whatever goes wrong with it is an event.
    pub(crate) fn keep(self: &Rc<Self>, readings: &mut [Reading<Value>]) {
        let all: Rc<[DatasetName]> = readings.iter().map(|reading| reading.dataset.clone()).collect();
        let purged = self.purged.borrow().clone();
        // Purged since the manifest was read that names it.
        let may_be_kept = |reading: &&mut Reading<Value>| {
            purged.as_ref().is_none_or(|manifest| manifest.purged.get(&reading.head.sha256).is_none())
        };
        let count = readings.len();
        let writes = readings.iter_mut().filter(may_be_kept).map(|Reading { dataset, source, head, value, .. }| {
            self.hold(dataset, head, value);
            let (dataset, head, payload) = (dataset.clone(), head.clone(), Rc::clone(&value.payload));
            Write::Copy { dataset, head, source: *source, payload, all: Rc::clone(&all) }
        });
        let mut writes: Vec<Write> = writes.collect();
        if count > 1 && writes.len() == count {
            writes.push(Write::Set(self.hold_set(readings)));
        }
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

    /// Holds what was handed out together.
    fn hold_set(&self, readings: &[Reading<Value>]) -> CacheSet {
        let set = readings.iter().map(|Reading { dataset, head, value, .. }| {
            let held = self.held.borrow();
            let same = held.iter().find(|held| held.dataset == *dataset && held.payload.sha256 == head.sha256);
            let payload = same.map_or_else(|| Rc::new(value.payload.held()), |held| Rc::clone(&held.payload));
            Held { dataset: dataset.clone(), head: head.clone(), payload }
        });
        let set: Vec<Held> = set.collect();
        let names: Vec<DatasetName> = set.iter().map(|held| held.dataset.clone()).collect();
        let before = self.held_set(&names);
        let mut sets = self.sets.borrow_mut();
        sets.retain(|other| other.len() != set.len() || !other.iter().all(|held| names.contains(&held.dataset)));
        // Two reads of the same may end in another order than they began.
        let overtaken =
            before.filter(|before| before.iter().zip(&set).any(|(held, new)| is_later(&held.head, &new.head)));
        let heads = set.iter().map(|held| (held.dataset.clone(), held.head.clone())).collect();
        sets.insert(0, overtaken.unwrap_or(set));
        sets.truncate(MAX_SETS);
        heads
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
            Write::Set(set) => copies.keep_set(set).await,
            Write::Forget(mark, done) => {
                copies.forget(&mark).await;
                let _ = done.call0(&JsValue::UNDEFINED);
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
        let overtaken = stored.as_ref().is_some_and(|stored| is_later(stored, head));
        if source == Source::Network && !overtaken {
            return copies.keep(dataset, head, payload, all).await;
        }
        let is_latest = stored.is_some_and(|stored| stored.sha256 == head.sha256);
        // A copy that was removed to make room is not written again: two that have no room together would remove each other at every look.
        if !is_latest && !copies.is_in_set(dataset, head).await {
            return None;
        }
        let known = match payload.copy(dataset).place() {
            Some(place) => place,
            None => copies.place(dataset, head).await?,
        };
        (!is_latest || overtaken || copies.keep_head(dataset, head).await).then_some(known)
    }
}

fn has_more(one: &FeedMemory, other: &FeedMemory) -> bool {
    one.feed == other.feed && one.generation > other.generation
}

/// Whether a head is of a later generation of the same feed than another.
fn is_later(one: &CacheHead, other: &CacheHead) -> bool {
    one.feed == other.feed && one.confirmed > other.confirmed
}
