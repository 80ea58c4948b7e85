//! What TypeScript provides: the options of a feed, and the page's functions.

use js_sys::{Function, JsString, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, RequestInit, Response};

use crate::event::Event;

#[wasm_bindgen]
extern "C" {
    /// A feed as TypeScript has opened it: `Page` in `npm/src/read/page.ts`.
    pub type Page;

    /// The feed's address, which ends in a slash.
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &Page) -> String;
    /// Where copies are kept: `auto`, `localStorage` or `none`.
    #[wasm_bindgen(method, getter)]
    pub fn cache(this: &Page) -> String;
    /// The largest payload that is read.
    #[wasm_bindgen(method, getter, js_name = maxBytes)]
    pub fn max_bytes(this: &Page) -> f64;
    /// The page's own `fetch`.
    #[wasm_bindgen(method, getter)]
    fn fetch(this: &Page) -> Option<Function>;
    /// What a request is made with: options with `headers` that are nobody else's, or a promise of them.
    #[wasm_bindgen(method, catch)]
    pub fn init(this: &Page, url: &str) -> Result<JsValue, JsValue>;
    /// A request that was sent while this module was loaded, once.
    #[wasm_bindgen(method)]
    pub fn early(this: &Page, path: &str) -> Option<EarlyRequest>;
    /// What a `fetch` of another make has given, as a response that can be read like the platform's own.
    #[wasm_bindgen(method, catch)]
    pub fn adapt(this: &Page, given: &JsValue) -> Result<Response, JsValue>;
    /// What must no longer be shown: the payloads with these digests, or, with `null`, all.
    #[wasm_bindgen(method)]
    pub fn dropped(this: &Page, digests: &JsValue);
    #[wasm_bindgen(method)]
    fn emit(this: &Page, event: JsValue);
    /// Where a line about each decision goes, when somebody has asked for it.
    #[wasm_bindgen(method, getter)]
    fn trace(this: &Page) -> Option<Function>;
    /// Loads the validator, if that has not begun.
    #[wasm_bindgen(method, js_name = loadValidator)]
    pub fn load_validator(this: &Page);
    /// What of a payload a published schema does not allow, as `{ invalid }`, or why the schema cannot be checked, as `{ unsupported }`.
    /// Rejects when there is no validator.
    #[wasm_bindgen(method)]
    pub fn validate(this: &Page, sha256: &str, schema: &JsValue, payload: &Uint8Array) -> Promise;

    /// A request that has been sent.
    pub type EarlyRequest;
    /// Its answer; `undefined` when it could not be sent, and is to be sent again.
    #[wasm_bindgen(method, getter)]
    pub fn answer(this: &EarlyRequest) -> Promise;
    /// What ends it.
    #[wasm_bindgen(method, getter)]
    pub fn controller(this: &EarlyRequest) -> AbortController;

    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse_text(text: &JsValue) -> Result<JsValue, JsValue>;

    /// What was thrown or given, as a text for people.
    #[wasm_bindgen(js_name = String, catch)]
    fn to_text(value: &JsValue) -> Result<String, JsValue>;

    type TextDecoder;
    #[wasm_bindgen(constructor)]
    fn new(label: &str, options: &Object) -> TextDecoder;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &TextDecoder, bytes: &Uint8Array) -> Result<JsString, JsValue>;
}

impl Page {
    /// Sends a request by the page's own `fetch` or the platform's.
    pub(crate) fn send(&self, url: &str, init: &RequestInit) -> Result<Promise, JsValue> {
        let sent = match self.fetch() {
            Some(fetch) => fetch.call2(&JsValue::UNDEFINED, &url.into(), init)?,
            None => global_fetch(url, init)?,
        };
        Ok(Promise::resolve(&sent))
    }

    /// Tells what an app may want to log. Nothing is borrowed meanwhile: the app may call back.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        self.emit(to_js(event));
    }

    /// Explains a decision, when somebody has asked for it.
    pub(crate) fn explain(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = self.trace() {
            let _ = trace.call1(&JsValue::UNDEFINED, &line().into());
        }
    }
}

/// What of a text or bytes is made by the engine alone, because payloads stay on its side.
pub(crate) fn decode(bytes: &Uint8Array) -> Result<JsString, JsValue> {
    let options = Object::new();
    set(&options, "fatal", &true.into());
    // A byte order mark is not swallowed: JSON.parse refuses it.
    set(&options, "ignoreBOM", &true.into());
    TextDecoder::new("utf-8", &options).decode(bytes)
}

/// The value of a JSON text.
pub(crate) fn parse(text: &JsValue) -> Result<JsValue, JsValue> {
    parse_text(text)
}

/// Something that was given or thrown, as text for people. Texts are quoted, so that `"5"` does not look like a number.
pub(crate) fn describe(value: &JsValue) -> String {
    match (value.as_string(), to_text(value)) {
        (Some(text), _) => format!("\"{text}\""),
        (None, Ok(text)) => text,
        (None, Err(_)) => "something that has no text".to_owned(),
    }
}

/// A member of an object; `undefined` where there is none.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// Sets a member of an object of our own.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    // It fails on what is frozen or no object, which none of ours is.
    let _ = Reflect::set(object, &name.into(), value);
}

/// Readings, events and errors as JavaScript has them.
pub(crate) fn to_js(value: &impl Serialize) -> JsValue {
    let serializer = Serializer::new().serialize_missing_as_null(true);
    value.serialize(&serializer).unwrap_or_default()
}
