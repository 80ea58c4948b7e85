//! What is kept between visits, in localStorage.
//!
//! Storage may be blocked, absent, full or altered, and may become so at any moment; each of its operations can throw. All of that
//! is a cache miss and an event. Nothing read here is believed: the digest of every payload is compared.

use std::rc::Rc;

use gloo_storage::{LocalStorage, Storage as _};
use js_sys::JsString;
use lastgood_protocol::cache::{self, CacheHead, CacheSets};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::Noted;
use lastgood_protocol::name::DatasetName;
use wasm_bindgen::prelude::*;
use web_sys::Storage;

use super::copies::{Kept, News, dataset_of};
use super::eviction::{Candidate, in_order};
use crate::page;

#[wasm_bindgen]
extern "C" {
    /// localStorage with payloads as the engine's own texts, of which there is no copy in this module.
    type Texts;
    #[wasm_bindgen(method, js_name = getItem, catch)]
    fn get_item(this: &Texts, key: &str) -> Result<Option<JsString>, JsValue>;
    #[wasm_bindgen(method, js_name = setItem, catch)]
    fn set_item(this: &Texts, key: &str, text: &JsValue) -> Result<(), JsValue>;
}

/// Written and removed to find out whether there is room.
const PROBE: &str = "lastgood:1:+probe";

/// lastgood's part of localStorage.
pub(super) struct LocalStore {
    pub(super) news: Rc<News>,
}

impl LocalStore {
    /// Whether there is localStorage, blocked or not: workers have none.
    pub(super) fn exists() -> bool {
        storage().map_or(true, |storage| storage.is_some())
    }

    /// A head or a memory.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(String::from)
    }

    /// Whether it was kept.
    pub(super) fn put_text(&self, key: &str, text: &str) -> bool {
        self.storage().is_some_and(|storage| storage.set_item(key, text).is_ok())
    }

    pub(super) fn remove_text(&self, key: &str) {
        if let Some(storage) = self.storage() {
            let _ = storage.remove_item(key);
        }
    }

    /// The payload that belongs to a head's key.
    pub(super) fn payload(&self, head_key: &str) -> Option<JsString> {
        self.get(&cache::payload_of(head_key))
    }

    /// A payload that is no longer the latest, which a set names.
    pub(super) fn earlier(&self, head_key: &str, sha256: &Sha256) -> Option<JsString> {
        self.get(&cache::earlier_of(head_key, sha256))
    }

    /// Keeps the latest payload as an earlier one too, before another takes its place. True when it is there.
    pub(super) fn keep_earlier(&self, key: &str, head: &CacheHead, text: &JsString, spare: &[String]) -> bool {
        let earlier = cache::earlier_of(key, &head.sha256);
        self.get(&earlier).is_some() || matches!(self.put(&earlier, text, head.size, spare), Kept::Yes)
    }

    /// Says whether it was there.
    pub(super) fn remove_earlier(&self, head_key: &str, sha256: &Sha256) -> bool {
        let was_there = self.earlier(head_key, sha256).is_some();
        self.remove_text(&cache::earlier_of(head_key, sha256));
        was_there
    }

    /// Whether there is no room for what is known of a copy.
    pub(super) fn is_full(&self) -> bool {
        let has_room = self.put_text(PROBE, &" ".repeat(512));
        self.remove_text(PROBE);
        !has_room
    }

    /// Keeps a payload with its head, and makes room when there is none; the entries whose heads' keys are in `spare` stay. The payload
    /// goes first: as long as it cannot be written, the copy before it stays whole and usable.
    pub(super) fn keep(&self, key: &str, head: &CacheHead, text: &JsValue, spare: &[String]) -> Kept {
        match self.put(&cache::payload_of(key), text, head.size, spare) {
            Kept::Yes => {}
            no => return no,
        }
        let entry = self.put(key, &head.encode().into(), head.size, spare);
        // The head before does not fit the new payload: together they would only take up space.
        if !matches!(entry, Kept::Yes) {
            self.remove_entry(key);
        }
        entry
    }

    /// Writes, and makes room when there is none.
    fn put(&self, key: &str, text: &JsValue, size: u64, spare: &[String]) -> Kept {
        let Some(storage) = self.storage() else { return Kept::No(None) };
        let texts: &Texts = storage.unchecked_ref();
        let Err(mut problem) = texts.set_item(key, text) else { return Kept::Yes };
        if !is_quota(&problem) {
            return Kept::No(Some(page::describe(&problem)));
        }
        for candidate in in_order(self.candidates(&storage, spare), size) {
            match &candidate.sha256 {
                Some(sha256) => _ = self.remove_earlier(&candidate.head_key, sha256),
                None => self.remove_entry(&candidate.head_key),
            }
            let named = candidate.sha256.or(candidate.head.as_ref().map(|head| head.sha256));
            self.part_sets(&candidate.head_key, named.as_ref());
            self.news.evicted(&candidate.head_key);
            match texts.set_item(key, text) {
                Ok(()) => return Kept::Yes,
                Err(thrown) => problem = thrown,
            }
        }
        Kept::No(Some(page::describe(&problem)))
    }

    /// The entries of lastgood, of whichever feed, without those of the call that needs the room.
    fn candidates(&self, storage: &Storage, spare: &[String]) -> Vec<Candidate> {
        let candidate = |key: String| {
            if let Some(head_key) = cache::head_of(&key) {
                let head = self.text(head_key).and_then(|head| CacheHead::decode(&head));
                return Some(Candidate { head_key: head_key.to_owned(), sha256: None, head });
            }
            let (head_key, sha256) = cache::earlier(&key)?;
            let head = self.sets(&cache::sets_of(head_key)).head(dataset_of(head_key), &sha256).cloned();
            Some(Candidate { head_key: head_key.to_owned(), sha256: Some(sha256), head })
        };
        let candidates = keys(storage).into_iter().filter_map(candidate);
        candidates.filter(|candidate| !spare.contains(&candidate.head_key)).collect()
    }

    /// Removes the heads that name what was purged, and payloads that were; the heads' keys begin with `heads`.
    pub(super) fn purge(&self, heads: &str, purged: &Noted<Sha256>) {
        let Some(storage) = self.storage() else { return };
        for key in keys(&storage).into_iter().filter(|key| key.starts_with(heads)) {
            if let Some((_, sha256)) = cache::earlier(&key) {
                if purged.get(&sha256).is_some() {
                    self.remove_text(&key);
                }
            } else if cache::head_of(&key).is_none() {
                let head = self.text(&key).and_then(|head| CacheHead::decode(&head));
                if head.is_some_and(|head| purged.get(&head.sha256).is_some()) {
                    self.remove_entry(&key);
                }
            }
        }
    }

    /// Removes all of a feed; `heads` is what the keys of its heads begin with.
    pub(super) fn forget(&self, memory: &str, heads: &str) {
        let Some(storage) = self.storage() else { return };
        for key in keys(&storage).into_iter().filter(|key| key == memory || key.starts_with(heads)) {
            self.remove_text(&key);
        }
    }

    fn sets(&self, key: &str) -> CacheSets {
        self.text(key).and_then(|sets| CacheSets::decode(&sets)).unwrap_or_default()
    }

    /// Drops the sets that have lost a payload.
    fn part_sets(&self, head_key: &str, lost: Option<&Sha256>) {
        let key = cache::sets_of(head_key);
        let mut sets = self.sets(&key);
        let is_lost = |dataset: &DatasetName, head: &CacheHead| {
            dataset.as_str() == dataset_of(head_key) && Some(&head.sha256) == lost
        };
        if sets.drop_where(is_lost) {
            self.put_text(&key, &sets.encode());
        }
    }

    fn remove_entry(&self, key: &str) {
        self.remove_text(key);
        self.remove_text(&cache::payload_of(key));
    }

    /// Removes the payload of a dataset, which is kept elsewhere.
    pub(super) fn drop_payload(&self, head_key: &str) {
        self.remove_text(&cache::payload_of(head_key));
    }

    fn get(&self, key: &str) -> Option<JsString> {
        let storage = self.storage()?;
        storage.unchecked_ref::<Texts>().get_item(key).unwrap_or_else(|thrown| {
            self.news.unavailable(&page::describe(&thrown));
            None
        })
    }

    fn storage(&self) -> Option<Storage> {
        match storage() {
            Ok(Some(storage)) => return Some(storage),
            Ok(None) => self.news.unavailable("there is no localStorage here"),
            Err(thrown) => self.news.unavailable(&page::describe(&thrown)),
        }
        None
    }
}

/// localStorage, where there is one; looking at it can throw. gloo takes it for granted, so it is looked for before.
fn storage() -> Result<Option<Storage>, JsValue> {
    if let Some(window) = web_sys::window() {
        return Ok(window.local_storage()?.map(|_| LocalStorage::raw()));
    }
    // Runtimes without a window may have it all the same.
    let storage = js_sys::Reflect::get(&js_sys::global(), &"localStorage".into())?;
    Ok(Some(storage).filter(JsValue::is_object).map(JsCast::unchecked_into))
}

/// All keys, since removing one moves the others.
fn keys(storage: &Storage) -> Vec<String> {
    (0..storage.length().unwrap_or(0)).filter_map(|index| storage.key(index).ok().flatten()).collect()
}

/// Whether storage is full. The second name is that of older Firefox.
pub(super) fn is_quota(thrown: &JsValue) -> bool {
    let name = page::get(thrown, "name").as_string();
    matches!(name.as_deref(), Some("QuotaExceededError" | "NS_ERROR_DOM_QUOTA_REACHED"))
}

impl News {
    fn evicted(&self, head_key: &str) {
        self.page.tell(&crate::event::Event::CacheEvicted { dataset: dataset_of(head_key) });
    }
}
