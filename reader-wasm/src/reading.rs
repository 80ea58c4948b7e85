//! Readings into plain objects.

use lastgood_protocol::read::Reading;
use wasm_bindgen::JsValue;

use crate::js::{self, nullable};
use crate::payload::Value;

/// The reading as the page gets it.
pub(crate) fn into_js(reading: &Reading<Value>) -> JsValue {
    let (head, reason) = (&reading.head, reading.reason.as_ref());
    let meta = head.meta.as_ref().and_then(|meta| js::parse_json(&meta.as_str().into()).ok());
    // Numbers of the protocol fit a double: they are at most 2^53 - 1.
    js::object(&[
        ("dataset", reading.dataset.as_str().into()),
        ("source", reading.source.as_str().into()),
        ("fresh", reading.fresh().into()),
        ("reason", nullable(reason.map(|failure| failure.code.as_str()))),
        ("detail", nullable(reason.map(|failure| failure.detail.as_str()))),
        ("generation", (reading.generation.get() as f64).into()),
        ("sha256", head.sha256.to_string().into()),
        ("publishedAt", head.published_at.to_string().into()),
        ("ageMs", (reading.age_ms as f64).into()),
        ("checkedAt", head.checked_at.to_string().into()),
        ("data", reading.value.data.clone()),
        ("meta", nullable(meta)),
    ])
}
