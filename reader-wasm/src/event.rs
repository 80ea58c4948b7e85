//! What an app may want to log. Reading goes on in each case.

use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::reading::to_js;

/// Something that happened beside reading.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    CacheUnavailable { detail: String },
    CacheEvicted { dataset: &'a str },
    CacheFull { dataset: &'a str, detail: String },
    CacheCorrupt { dataset: &'a str, detail: &'static str },
}

/// Where events go.
#[derive(Debug, Default)]
pub(crate) struct Listener(pub(crate) Option<Function>);

impl Listener {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        if let Some(listener) = &self.0 {
            // `lastgood.js` reports what the listener throws.
            let _ = listener.call1(&JsValue::UNDEFINED, &to_js(event));
        }
    }
}
