//! What an app may want to log. Reading goes on in each case.

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::js;

/// Something that happened to the cache.
#[derive(Debug)]
pub(crate) enum CacheEvent<'a> {
    Unavailable { detail: &'a str },
    Evicted { dataset: &'a str },
    Full { dataset: &'a str, detail: &'a str },
    Corrupt { dataset: &'a str, detail: &'a str },
}

impl CacheEvent<'_> {
    fn to_js(&self) -> JsValue {
        let (kind, dataset, detail) = match *self {
            Self::Unavailable { detail } => ("cache-unavailable", None, Some(detail)),
            Self::Evicted { dataset } => ("cache-evicted", Some(dataset), None),
            Self::Full { dataset, detail } => ("cache-full", Some(dataset), Some(detail)),
            Self::Corrupt { dataset, detail } => ("cache-corrupt", Some(dataset), Some(detail)),
        };
        let mut members = vec![("type", kind.into())];
        members.extend(dataset.map(|dataset| ("dataset", dataset.into())));
        members.extend(detail.map(|detail| ("detail", detail.into())));
        js::object(&members)
    }
}

/// Where events go.
#[derive(Debug, Default)]
pub(crate) struct Listener(pub(crate) Option<Function>);

impl Listener {
    pub(crate) fn tell(&self, event: &CacheEvent<'_>) {
        if let Some(listener) = &self.0 {
            // `lastgood.js` reports what the listener throws.
            let _ = listener.call1(&JsValue::UNDEFINED, &event.to_js());
        }
    }
}
