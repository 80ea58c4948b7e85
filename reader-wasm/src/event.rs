//! What an app may want to log. Reading goes on in each case.

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::reading::to_js;

/// Something that happened to the cache.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(crate) enum CacheEvent<'a> {
    #[serde(rename = "cache-unavailable")]
    Unavailable { detail: String },
    #[serde(rename = "cache-evicted")]
    Evicted { dataset: &'a str },
    #[serde(rename = "cache-full")]
    Full { dataset: &'a str, detail: String },
    #[serde(rename = "cache-corrupt")]
    Corrupt { dataset: &'a str, detail: &'static str },
}

/// Where events go.
#[derive(Debug, Default)]
pub(crate) struct Listener(pub(crate) Option<Function>);

impl Listener {
    pub(crate) fn tell(&self, event: &CacheEvent<'_>) {
        if let Some(listener) = &self.0 {
            // `lastgood.js` reports what the listener throws.
            let _ = listener.call1(&JsValue::UNDEFINED, &to_js(event));
        }
    }
}
