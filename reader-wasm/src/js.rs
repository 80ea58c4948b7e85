//! What the page provides and `js-sys` and `web-sys` do not describe as it is needed here.

use js_sys::{JsString, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{RequestInit, Storage};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;

    /// `fetch` of the global scope, whichever that is: a window, a worker, a service worker, a server.
    #[wasm_bindgen(catch)]
    pub(crate) fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    /// `JSON.parse` of a text that stays on the JavaScript side.
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    pub(crate) fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;

    /// `String(value)`.
    #[wasm_bindgen(catch, js_name = String)]
    fn to_js_string(value: &JsValue) -> Result<JsString, JsValue>;

    /// A `TextDecoder` whose text stays on the JavaScript side.
    pub(crate) type TextDecoder;
    #[wasm_bindgen(catch, constructor)]
    fn new(label: &str, options: &JsValue) -> Result<TextDecoder, JsValue>;
    #[wasm_bindgen(catch, method)]
    fn decode(this: &TextDecoder, bytes: &Uint8Array) -> Result<JsString, JsValue>;

    /// A `TextEncoder` whose text and bytes stay on the JavaScript side.
    pub(crate) type TextEncoder;
    #[wasm_bindgen(catch, constructor)]
    fn new() -> Result<TextEncoder, JsValue>;
    #[wasm_bindgen(catch, method)]
    fn encode(this: &TextEncoder, text: &JsString) -> Result<Uint8Array, JsValue>;

    /// A `Storage` whose values stay on the JavaScript side.
    #[wasm_bindgen(extends = Storage)]
    pub(crate) type TextStorage;
    #[wasm_bindgen(catch, method, js_name = getItem)]
    pub(crate) fn get_text(this: &TextStorage, key: &str) -> Result<Option<JsString>, JsValue>;
    #[wasm_bindgen(catch, method, js_name = setItem)]
    pub(crate) fn set_text(this: &TextStorage, key: &str, value: &JsString) -> Result<(), JsValue>;
}

/// A member of the global object; what its getter throws is an error.
pub(crate) fn global(name: &str) -> Result<JsValue, JsValue> {
    GLOBAL.with(|global| member(global, name))
}

/// A member of `object`; what its getter throws is an error.
pub(crate) fn member(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    js_sys::Reflect::get(object, &name.into())
}

/// A plain object of these members, in this order.
pub(crate) fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in members {
        // A new plain object takes every member.
        let _ = js_sys::Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// `null` for what is not there.
pub(crate) fn nullable<T: Into<JsValue>>(value: Option<T>) -> JsValue {
    value.map_or(JsValue::NULL, T::into)
}

/// Text out of bytes; an error unless they are UTF-8. A byte order mark is not swallowed: `JSON.parse` refuses it.
pub(crate) fn decode_utf8(bytes: &Uint8Array) -> Result<JsString, JsValue> {
    let options = object(&[("fatal", JsValue::TRUE), ("ignoreBOM", JsValue::TRUE)]);
    TextDecoder::new("utf-8", &options)?.decode(bytes)
}

/// The UTF-8 bytes of a text.
pub(crate) fn encode_utf8(text: &JsString) -> Result<Uint8Array, JsValue> {
    TextEncoder::new()?.encode(text)
}

/// Something that was given or thrown, as text for people. Texts are quoted, so that `"5"` does not look like a number.
pub(crate) fn describe(value: &JsValue) -> String {
    let text = to_js_string(value).map_or_else(|_| "something that has no text".to_owned(), String::from);
    if value.is_string() { ["\"", &text, "\""].concat() } else { text }
}
