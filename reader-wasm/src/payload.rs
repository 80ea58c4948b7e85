//! Bytes into a digest and a value, beside each other.

use js_sys::{JsString, Uint8Array};
use lastgood_protocol::read::Payload;
use wasm_bindgen::JsValue;

use crate::{hash, js};

/// A payload's value, and the text that it was made from, which is what the cache keeps.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) data: JsValue,
    pub(crate) text: JsString,
}

/// Hashes and parses. The engine hashes on another thread, so it is asked first.
pub(crate) async fn read(bytes: &Uint8Array) -> Payload<Value> {
    let digest = hash::begin(bytes);
    let value = parse(bytes).map_err(|thrown| js::describe(&thrown));
    Payload { sha256: digest.finish(bytes).await, size: u64::from(bytes.length()), value }
}

/// The same for a text out of the cache. It goes the way of bytes from the network, so that the value is made of what was
/// hashed: an altered text may hold what UTF-8 cannot, such as half a surrogate pair.
pub(crate) async fn read_text(text: &JsString) -> Option<Payload<Value>> {
    let bytes = js::encode_utf8(text).ok()?;
    Some(read(&bytes).await)
}

fn parse(bytes: &Uint8Array) -> Result<Value, JsValue> {
    let text = js::decode_utf8(bytes)?;
    Ok(Value { data: js::parse_json(&text)?, text })
}
