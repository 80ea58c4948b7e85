//! SHA-256 where the browser has none: it has it on secure origins only.

use alloc::string::{String, ToString};

use lastgood_protocol::digest::Hasher;
use wasm_bindgen::prelude::*;

/// A digest that is being computed, piece by piece, so that no payload is copied into this module as a whole.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Digest(Hasher);

#[wasm_bindgen]
impl Digest {
    /// The digest of nothing.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default, reason = "the only caller is JavaScript")]
    pub fn new() -> Self {
        Self(Hasher::new())
    }

    /// Goes on with the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest in hex.
    pub fn finish(self) -> String {
        self.0.finish().to_string()
    }
}
