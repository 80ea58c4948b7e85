//! The crate `jsonschema` behind the interface that a page would want.

use wasm_bindgen::prelude::*;

/// A compiled schema.
#[wasm_bindgen]
pub struct Validator(jsonschema::Validator);

#[wasm_bindgen]
impl Validator {
    /// Compiles the text of a schema.
    #[wasm_bindgen(constructor)]
    pub fn new(schema: &str) -> Result<Validator, JsError> {
        let schema = serde_json::from_str(schema)?;
        Ok(Self(jsonschema::options().build(&schema)?))
    }

    /// Whether the bytes are JSON that satisfies the schema.
    pub fn is_valid(&self, payload: &[u8]) -> bool {
        serde_json::from_slice(payload).is_ok_and(|value| self.0.is_valid(&value))
    }
}
