//! What is kept between visits in Cache Storage: what does not fit localStorage, and everything where there is none.
//!
//! It may be absent (it is there on secure origins only), blocked, full or altered, and each of its operations can throw, reject or never
//! end. All of that is a miss and an event. Nothing read here is believed: the digest of every payload is compared.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Promise, Uint8Array};
use lastgood_protocol::cache::{CacheHead, CacheSets};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::Noted;
use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request, Response, ResponseInit};

use super::copies::News;
use super::local::is_quota;
use crate::page;
use crate::task::{BoxedIn, Sleep};

#[wasm_bindgen]
extern "C" {
    /// As in web-sys, but each call may throw, not only reject: storage that is blocked, or that another script has replaced.
    type CacheStorage;
    #[wasm_bindgen(method, catch)]
    fn open(this: &CacheStorage, name: &str) -> Result<Promise, JsValue>;

    type Cache;
    #[wasm_bindgen(method, catch, js_name = match)]
    fn find(this: &Cache, address: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Cache, address: &str, response: &Response) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Cache, address: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn keys(this: &Cache) -> Result<Promise, JsValue>;
}

/// The name of the cache; its number is the version of the entries' form.
const CACHE: &str = "lastgood:1";
/// The address of what is in it. A service worker that answers from all caches of its origin looks for what pages ask for, and none asks
/// for anything of a host that can never exist (RFC 2606).
const ADDRESS: &str = "https://lastgood.invalid/1/";
/// Whose heads name payloads here: those in localStorage, and those beside them. Neither knows of the other's.
const SPACES: [&str; 2] = ["local", "own"];
/// What takes longer is taken for broken, and not asked again by this feed: every later read would wait as long.
const READ_MS: u32 = 3_000;
/// Writing may take long on a slow disk, and nobody waits for it to the end.
const WRITE_MS: u32 = 60_000;
/// A payload that is so new may wait for its head, which is written after it.
const YOUNG_MS: u64 = 60_000;
const KEPT_AT: &str = "x-lastgood-kept-at";

/// Bytes, and the media type that they came with.
pub(super) struct Blobbed {
    pub(super) bytes: Uint8Array,
    pub(super) media_type: String,
}

/// A payload in Cache Storage.
pub(super) struct Listed {
    /// The key of the head that it was kept with.
    pub(super) head_key: String,
    pub(super) sha256: Sha256,
    /// Whether it is so new that its head may not be written yet.
    pub(super) young: bool,
}

/// lastgood's part of Cache Storage.
pub(super) struct Blobs {
    /// Its own of the [`SPACES`].
    pub(super) space: &'static str,
    news: Rc<News>,
    /// Whether it does not answer.
    stuck: Cell<bool>,
}

impl Blobs {
    pub(super) fn new(space: &'static str, news: Rc<News>) -> Self {
        Self { space, news, stuck: Cell::default() }
    }

    /// Whether there is Cache Storage, as far as can be told without using it.
    pub(super) fn exist() -> bool {
        page::get(&caches(), "open").is_function()
    }

    pub(super) async fn payload(&self, head_key: &str, sha256: &Sha256) -> Option<Blobbed> {
        let found = self.find(&self.payload_address(head_key, sha256)).await?;
        let media_type = found.headers().get("content-type").ok().flatten().unwrap_or_default();
        let buffer = self.ask(READ_MS, || found.array_buffer()).await?;
        Some(Blobbed { bytes: Uint8Array::new(&buffer), media_type })
    }

    /// Whether it was kept; if not, what hindered it, where there is storage at all.
    pub(super) async fn put_payload(
        &self,
        head_key: &str,
        sha256: &Sha256,
        blob: &Blobbed,
    ) -> Result<(), Option<JsValue>> {
        let put = || {
            let headers = Headers::new()?;
            headers.set("content-type", &blob.media_type)?;
            headers.set(KEPT_AT, &(js_sys::Date::now() as u64).to_string())?;
            let init = ResponseInit::new();
            init.set_headers(&headers);
            Response::new_with_opt_buffer_source_and_init(Some(&blob.bytes), &init)
        };
        let put = put().map_err(Some)?;
        self.put(&self.payload_address(head_key, sha256), &put).await
    }

    pub(super) async fn remove_payload(&self, head_key: &str, sha256: &Sha256) {
        self.remove(&self.payload_address(head_key, sha256)).await;
    }

    /// The payloads of this space.
    pub(super) async fn payloads(&self) -> Vec<Listed> {
        let mut listed = Vec::new();
        let Some(cache) = self.open(WRITE_MS).await else { return listed };
        let Some(requests) = self.ask(WRITE_MS, || cache.keys()).await else { return listed };
        for request in Array::from(&requests).iter() {
            let address = request.unchecked_into::<Request>().url();
            let Some((head_key, sha256)) = payload_of(self.space, &address) else { continue };
            let found = self.find(&address).await;
            let kept_at = found.and_then(|found| found.headers().get(KEPT_AT).ok().flatten());
            // One from the future was kept before the clock was set right.
            let age_ms =
                kept_at.and_then(|at| at.parse::<u64>().ok()).map(|at| at.abs_diff(js_sys::Date::now() as u64));
            listed.push(Listed { head_key, sha256, young: age_ms.is_some_and(|age| age < YOUNG_MS) });
        }
        listed
    }

    /// Removes the payloads that were purged, and the heads that name them; the heads' keys begin with `heads`. Also those of workers,
    /// or of pages: they may not come again.
    pub(super) async fn purge(&self, heads: &str, purged: &Noted<Sha256>) {
        let Some(cache) = self.open(WRITE_MS).await else { return };
        let Some(requests) = self.ask(WRITE_MS, || cache.keys()).await else { return };
        for request in Array::from(&requests).iter() {
            let address = request.unchecked_into::<Request>().url();
            let payload = SPACES.iter().find_map(|space| payload_of(space, &address));
            let sha256 = match (payload, text_of(&address)) {
                (Some((head_key, sha256)), _) if head_key.starts_with(heads) => Some(sha256),
                (None, Some(key)) if key.starts_with(heads) => {
                    let text = self.text(&key).await;
                    if let Some(mut sets) = text.as_deref().and_then(CacheSets::decode) {
                        if sets.drop_where(|_, head| purged.get(&head.sha256).is_some()) {
                            self.put_text(&key, &sets.encode()).await;
                        }
                        continue;
                    }
                    text.as_deref().and_then(CacheHead::decode).map(|head| head.sha256)
                }
                _ => None,
            };
            if sha256.is_some_and(|sha256| purged.get(&sha256).is_some()) {
                self.ask(WRITE_MS, || cache.delete(&address)).await;
            }
        }
    }

    /// Removes all of a feed; also what its workers have, or its pages. `heads` is what the keys of its heads begin with.
    pub(super) async fn forget(&self, memory: &str, heads: &str) {
        let Some(cache) = self.open(WRITE_MS).await else { return };
        let Some(requests) = self.ask(WRITE_MS, || cache.keys()).await else { return };
        for request in Array::from(&requests).iter() {
            let address = request.unchecked_into::<Request>().url();
            let payload = SPACES.iter().find_map(|space| payload_of(space, &address)).map(|(head_key, _)| head_key);
            if payload.or_else(|| text_of(&address)).is_some_and(|key| key == memory || key.starts_with(heads)) {
                self.ask(WRITE_MS, || cache.delete(&address)).await;
            }
        }
    }

    /// A head, a memory or sets.
    pub(super) async fn text(&self, key: &str) -> Option<String> {
        let found = self.find(&text_address(key)).await?;
        self.ask(READ_MS, || found.text()).await?.as_string()
    }

    /// Whether it was kept.
    pub(super) async fn put_text(&self, key: &str, text: &str) -> bool {
        let Ok(response) = Response::new_with_opt_str(Some(text)) else { return false };
        self.put(&text_address(key), &response).await.is_ok()
    }

    pub(super) async fn remove_text(&self, key: &str) {
        self.remove(&text_address(key)).await;
    }

    fn find<'a>(&'a self, address: &'a str) -> BoxedIn<'a, Option<Response>> {
        Box::pin(async move {
            let cache = self.open(READ_MS).await?;
            self.ask(READ_MS, || cache.find(address)).await?.dyn_into().ok()
        })
    }

    async fn put(&self, address: &str, response: &Response) -> Result<(), Option<JsValue>> {
        let cache = self.open(WRITE_MS).await.ok_or(None)?;
        match self.answer(WRITE_MS, || cache.put(address, response)).await {
            Ok(_) => Ok(()),
            Err(problem) if is_quota(&problem) => Err(Some(problem)),
            Err(problem) => {
                self.news.unavailable(&page::describe(&problem));
                Err(None)
            }
        }
    }

    fn remove<'a>(&'a self, address: &'a str) -> BoxedIn<'a, ()> {
        Box::pin(async move {
            if let Some(cache) = self.open(WRITE_MS).await {
                self.ask(WRITE_MS, || cache.delete(address)).await;
            }
        })
    }

    async fn open(&self, ms: u32) -> Option<Cache> {
        let open = || caches().unchecked_into::<CacheStorage>().open(CACHE);
        self.ask(ms, open).await.map(JsCast::unchecked_into)
    }

    /// What it answers; whatever hinders it is an event.
    async fn ask(&self, ms: u32, ask: impl FnOnce() -> Result<Promise, JsValue>) -> Option<JsValue> {
        match self.answer(ms, ask).await {
            Ok(answer) => Some(answer),
            Err(problem) => {
                self.news.unavailable(&page::describe(&problem));
                None
            }
        }
    }

    async fn answer(&self, ms: u32, ask: impl FnOnce() -> Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
        if self.stuck.get() {
            return Err("Cache Storage has not answered before".into());
        }
        let asked = ask();
        Sleep::new(ms.into()).unless(Promise::resolve(&asked?)).await.unwrap_or_else(|| {
            self.stuck.set(true);
            Err(format!("Error: Cache Storage has not answered for {ms} ms").into())
        })
    }

    /// Where a payload is: under its digest, so that no payload ever takes the place of another, and a head that names it finds it or
    /// nothing.
    fn payload_address(&self, head_key: &str, sha256: &Sha256) -> String {
        let key: String = js_sys::encode_uri_component(head_key).into();
        format!("{ADDRESS}{}/{sha256}?{key}", self.space)
    }
}

/// The payload of an address; nothing for another space's or any other address.
fn payload_of(space: &str, address: &str) -> Option<(String, Sha256)> {
    let rest = address.strip_prefix(ADDRESS)?.strip_prefix(space)?.strip_prefix('/')?;
    let (sha256, key) = rest.split_once('?')?;
    Some((js_sys::decode_uri_component(key).ok()?.into(), sha256.parse().ok()?))
}

/// Where a head or a memory is.
fn text_address(key: &str) -> String {
    let key: String = js_sys::encode_uri_component(key).into();
    format!("{ADDRESS}own/text?{key}")
}

/// The key of a head or a memory at an address; nothing for any other address.
fn text_of(address: &str) -> Option<String> {
    let key = address.strip_prefix(ADDRESS)?.strip_prefix("own/text?")?;
    Some(js_sys::decode_uri_component(key).ok()?.into())
}

/// Looking at it can throw.
fn caches() -> JsValue {
    page::get(&js_sys::global(), "caches")
}
