//! Readings into plain objects.

use lastgood_protocol::read::Reading;
use lastgood_protocol::time::Timestamp;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::js;
use crate::payload::Value;

/// All of a reading but `data` and `meta`, which are made by the engine.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    dataset: &'a str,
    source: &'static str,
    fresh: bool,
    reason: Option<&'static str>,
    detail: Option<&'a str>,
    generation: u64,
    sha256: String,
    published_at: Timestamp,
    age_ms: u64,
    checked_at: Timestamp,
}

/// The reading as the page gets it.
pub(crate) fn into_js(reading: &Reading<Value>) -> JsValue {
    let head = &reading.head;
    let fields = Fields {
        dataset: reading.dataset.as_str(),
        source: reading.source.as_str(),
        fresh: reading.fresh(),
        reason: reading.reason.as_ref().map(|failure| failure.code.as_str()),
        detail: reading.reason.as_ref().map(|failure| failure.detail.as_str()),
        generation: reading.generation.get(),
        sha256: head.sha256.to_string(),
        published_at: head.published_at,
        age_ms: reading.age_ms,
        checked_at: head.checked_at,
    };
    let meta = head.meta.as_ref().and_then(|meta| js::parse_json(&meta.as_str().into()).ok());
    let object = to_js(&fields);
    for (name, value) in [("data", &reading.value.data), ("meta", &meta.unwrap_or(JsValue::NULL))] {
        // A new plain object takes every member.
        let _ = js_sys::Reflect::set(&object, &name.into(), value);
    }
    object
}

/// Plain fields as a plain object, with `null` for what is not there.
pub(crate) fn to_js(fields: &impl Serialize) -> JsValue {
    fields.serialize(&Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}
