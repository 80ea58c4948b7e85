//! What is kept between visits, in localStorage.
//!
//! Storage may be blocked, absent, full or altered, and may become so at any moment; each of its operations can throw.
//! All of that is a cache miss and an event. Nothing read here is believed: the read algorithm compares the digest of
//! every payload.

use std::cell::Cell;

use js_sys::JsString;
use lastgood_protocol::cache::{self, CacheHead, FeedMemory, Keys};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Reading, Source};
use wasm_bindgen::{JsCast, JsValue};

use crate::event::{CacheEvent, Listener};
use crate::eviction::{self, Candidate};
use crate::js::{self, TextStorage};
use crate::payload::Value;

/// The entries of one feed.
#[derive(Debug)]
pub(crate) struct Store {
    keys: Keys,
    enabled: bool,
    listener: Listener,
    /// Whether the listener has been told that there is no storage: once is enough.
    told: Cell<bool>,
}

/// A cached payload and what is known of it, as they stand in the store together.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) head: CacheHead,
    pub(crate) text: JsString,
}

impl Store {
    pub(crate) fn new(feed: &str, enabled: bool, listener: Listener) -> Self {
        Self { keys: Keys::new(feed), enabled, listener, told: Cell::new(false) }
    }

    pub(crate) fn memory(&self) -> Option<FeedMemory> {
        let text = self.get(&self.storage()?, self.keys.memory())?;
        FeedMemory::decode(&String::from(text))
    }

    pub(crate) fn keep_memory(&self, memory: &FeedMemory) {
        if let Some(storage) = self.storage() {
            // Without it a replay goes unnoticed in the next visit; there is nothing else to be done about it.
            let _ = storage.set_item(self.keys.memory(), &memory.encode());
        }
    }

    /// The entry of a dataset. Its payload is read along with its head, so that another call, which may replace both
    /// at any moment, cannot part them.
    pub(crate) fn entry(&self, dataset: &DatasetName) -> Option<Entry> {
        let storage = self.storage()?;
        let head = self.get(&storage, &self.keys.head(dataset))?;
        let Some(head) = CacheHead::decode(&String::from(head)) else {
            self.tell_corrupt(dataset, "what is known of the cached copy cannot be read");
            return None;
        };
        let Some(text) = self.get(&storage, &self.keys.payload(dataset)) else {
            self.tell_corrupt(dataset, "the cached copy is gone");
            return None;
        };
        Some(Entry { head, text })
    }

    pub(crate) fn tell_corrupt(&self, dataset: &DatasetName, detail: &'static str) {
        self.listener.tell(&CacheEvent::Corrupt { dataset: dataset.as_str(), detail });
    }

    /// Keeps what was handed out. Whatever goes wrong with it is an event.
    pub(crate) fn keep(&self, readings: &[Reading<Value>]) {
        let Some(storage) = self.storage() else { return };
        for reading in readings {
            self.keep_one(&storage, reading, readings);
        }
    }

    fn keep_one(&self, storage: &TextStorage, reading: &Reading<Value>, all: &[Reading<Value>]) {
        let (dataset, head) = (&reading.dataset, &reading.head);
        let (head_key, payload_key) = (self.keys.head(dataset), self.keys.payload(dataset));
        let stored = self.get(storage, &head_key).and_then(|text| CacheHead::decode(&String::from(text)));
        // Another call or tab may have read a later generation meanwhile.
        if stored.as_ref().is_some_and(|stored| stored.feed == head.feed && stored.confirmed > head.confirmed) {
            return;
        }
        let place = Place { dataset, size: head.size, keep: all };
        match reading.source {
            // The payload first: as long as it cannot be written, the copy before it stays whole and usable.
            Source::Network => {
                if self.put(storage, &payload_key, &reading.value.text, &place) {
                    let kept = self.put(storage, &head_key, &head.encode().into(), &place);
                    if !kept {
                        // The head before does not fit the new payload: together they would only take up space.
                        let _ = storage.remove_item(&head_key);
                        let _ = storage.remove_item(&payload_key);
                    }
                }
            }
            Source::Cache | Source::Fallback => {
                if stored.is_some_and(|stored| stored.sha256 == head.sha256) {
                    let _ = storage.set_item(&head_key, &head.encode());
                }
            }
        }
    }

    /// Writes, and makes room when there is none; false when it cannot be written.
    fn put(&self, storage: &TextStorage, key: &str, text: &JsString, place: &Place<'_>) -> bool {
        let Err(mut thrown) = storage.set_text(key, text) else { return true };
        if is_quota(&thrown) {
            for Candidate { head_key, .. } in eviction::in_order(self.candidates(storage, place), place.size) {
                let _ = storage.remove_item(&cache::payload_of(&head_key));
                let _ = storage.remove_item(&head_key);
                let dataset = cache::dataset_of(&head_key);
                self.listener.tell(&CacheEvent::Evicted { dataset });
                match storage.set_text(key, text) {
                    Ok(()) => return true,
                    Err(again) => thrown = again,
                }
            }
        }
        let detail = js::describe(&thrown);
        self.listener.tell(&CacheEvent::Full { dataset: place.dataset.as_str(), detail: &detail });
        false
    }

    /// The entries of lastgood, of whichever feed, without those of the call that needs the room.
    fn candidates(&self, storage: &TextStorage, place: &Place<'_>) -> Vec<Candidate> {
        let mine: Vec<String> = place.keep.iter().map(|reading| self.keys.head(&reading.dataset)).collect();
        let mut candidates = Vec::new();
        for index in 0..storage.length().unwrap_or(0) {
            let Ok(Some(key)) = storage.key(index) else { continue };
            let Some(head_key) = cache::head_of(&key) else { continue };
            if mine.iter().all(|mine| mine != head_key) {
                let head = self.get(storage, head_key).and_then(|text| CacheHead::decode(&String::from(text)));
                candidates.push(Candidate { head_key: head_key.to_owned(), head });
            }
        }
        candidates
    }

    fn get(&self, storage: &TextStorage, key: &str) -> Option<JsString> {
        storage.get_text(key).unwrap_or_else(|thrown| {
            self.tell_unavailable(js::describe(&thrown));
            None
        })
    }

    fn storage(&self) -> Option<TextStorage> {
        if !self.enabled {
            return None;
        }
        match js::global("localStorage") {
            Ok(storage) if storage.is_object() => return Some(storage.unchecked_into()),
            Ok(_) => self.tell_unavailable("there is no localStorage here".to_owned()),
            Err(thrown) => self.tell_unavailable(js::describe(&thrown)),
        }
        None
    }

    fn tell_unavailable(&self, detail: String) {
        if !self.told.replace(true) {
            self.listener.tell(&CacheEvent::Unavailable { detail: &detail });
        }
    }
}

/// For what room is made.
struct Place<'a> {
    dataset: &'a DatasetName,
    size: u64,
    keep: &'a [Reading<Value>],
}

/// Whether storage is full. The second name is that of older Firefox.
fn is_quota(thrown: &JsValue) -> bool {
    let name = js::member(thrown, "name").ok().and_then(|name| name.as_string());
    matches!(name.as_deref(), Some("QuotaExceededError" | "NS_ERROR_DOM_QUOTA_REACHED"))
}
