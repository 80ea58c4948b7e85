//! What is handed out.

use js_sys::{Array, Object};
use lastgood_protocol::failure::Failure;
use lastgood_protocol::read::Reading;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::drive::Value;
use crate::page;

/// A `Reading` of `npm/src/types.ts`, without what TypeScript adds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadingOut<'a> {
    dataset: &'a str,
    source: &'a str,
    fresh: bool,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    generation: u64,
    sha256: String,
    published_at: String,
    age_ms: f64,
    checked_at: String,
    schema_version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<&'a str>,
}

/// What a `LastgoodError` is made of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorOut<'a> {
    code: &'a str,
    detail: &'a str,
    path: Option<&'a str>,
    dataset: Option<&'a str>,
    status: Option<u16>,
    retry_after_ms: Option<f64>,
}

impl<'a> ErrorOut<'a> {
    /// `dataset` where the failure concerns none in particular: empty for none.
    pub(crate) fn of(failure: &'a Failure, dataset: &'a str) -> Self {
        let known = failure.dataset.as_ref().map(|dataset| dataset.as_str());
        Self {
            code: failure.code.as_str(),
            detail: &failure.detail,
            path: failure.path.as_deref(),
            dataset: known.or(Some(dataset).filter(|dataset| !dataset.is_empty())),
            status: failure.status,
            retry_after_ms: failure.retry_after_ms.map(|ms| ms as f64),
        }
    }

    /// A mistake in what the page asks for.
    pub(crate) fn mistake(code: &'a str, detail: &'a str) -> Self {
        Self { code, detail, path: None, dataset: None, status: None, retry_after_ms: None }
    }
}

/// The reading, and beside it where its copy is: `[reading, { place }]`.
pub(crate) fn to_js(reading: &Reading<Value>) -> JsValue {
    let Reading { value, dataset, source, reason, generation, age_ms, head, .. } = reading;
    let out = page::to_js(&ReadingOut {
        dataset: dataset.as_str(),
        source: source.as_str(),
        fresh: reading.fresh(),
        reason: reason.as_ref().map(|reason| reason.code.as_str()),
        detail: reason.as_ref().map(|reason| reason.detail.as_str()),
        generation: generation.get(),
        sha256: head.sha256.to_string(),
        published_at: head.published_at.to_string(),
        age_ms: *age_ms as f64,
        checked_at: head.checked_at.to_string(),
        schema_version: head.schema.as_ref().map(|schema| schema.version),
        ext: Some(head.ext.as_str()).filter(|_| !head.ext.is_json()),
    });
    let object = Object::from(out);
    page::set(&object, "data", &value.data);
    let meta = head.meta.as_ref().and_then(|meta| page::parse(&meta.as_str().into()).ok());
    page::set(&object, "meta", &meta.unwrap_or(JsValue::NULL));
    Array::of2(&object, value.payload.copy(dataset).hand_out()).into()
}
