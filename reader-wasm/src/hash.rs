//! SHA-256 by the browser, or by this module where the browser has none: it has it on secure origins only.

use js_sys::{ArrayBuffer, Uint8Array};
use lastgood_protocol::digest::{Hasher, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::SubtleCrypto;

use crate::js;

/// How much is copied into the module's memory at a time, which never shrinks again.
const PIECE: u32 = 64 * 1024;

/// A digest that the browser may be computing.
pub(crate) struct Pending(Option<JsFuture>);

/// Begins to hash `bytes`, which the browser copies at once.
pub(crate) fn begin(bytes: &Uint8Array) -> Pending {
    let subtle = js::global("crypto").and_then(|crypto| js::member(&crypto, "subtle"));
    let subtle = subtle.ok().filter(JsValue::is_object).map(SubtleCrypto::unchecked_from_js);
    let digest = subtle.and_then(|subtle| subtle.digest_with_str_and_js_u8_array("SHA-256", bytes).ok());
    Pending(digest.map(JsFuture::from))
}

impl Pending {
    /// The digest of the same `bytes`.
    pub(crate) async fn finish(self, bytes: &Uint8Array) -> Sha256 {
        if let Some(digest) = self.0
            && let Ok(digest) = digest.await
            && let Ok(digest) = Uint8Array::new(&ArrayBuffer::unchecked_from_js(digest)).to_vec().try_into()
        {
            return Sha256::from_bytes(digest);
        }
        here(bytes)
    }
}

fn here(bytes: &Uint8Array) -> Sha256 {
    let mut hasher = Hasher::new();
    let mut at = 0;
    while at < bytes.length() {
        let end = at.saturating_add(PIECE).min(bytes.length());
        hasher.update(&bytes.subarray(at, end).to_vec());
        at = end;
    }
    hasher.finish()
}
