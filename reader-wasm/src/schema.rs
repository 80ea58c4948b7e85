//! Payloads against the schema that they were published with, by the validator of the writer and the browser's regular expressions.

use lastgood_protocol::schema::{self, Engine, Pattern};
use wasm_bindgen::prelude::*;

/// How many violations a message lists.
const LIMIT: usize = 10;

#[wasm_bindgen]
extern "C" {
    /// The browser's own regular expressions.
    type RegExp;
    #[wasm_bindgen(catch, constructor)]
    fn new(source: &str, flags: &str) -> Result<RegExp, JsValue>;
    #[wasm_bindgen(method)]
    fn test(this: &RegExp, text: &str) -> bool;
    #[wasm_bindgen(js_name = String)]
    fn to_text(value: &JsValue) -> String;
}

struct Browser;

impl Engine for Browser {
    type Pattern = RegExp;

    fn compile(&self, source: &str) -> Result<RegExp, String> {
        RegExp::new(source, "u").map_err(|thrown| to_text(&thrown))
    }
}

impl Pattern for RegExp {
    fn is_in(&self, text: &str) -> bool {
        self.test(text)
    }
}

/// A schema that has been understood.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Schema(schema::Schema<RegExp>);

#[wasm_bindgen]
impl Schema {
    /// Compiles the text of a schema.
    ///
    /// # Errors
    /// What in it is wrong or not known, as a text.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str) -> Result<Schema, JsValue> {
        schema::Schema::compile(text, &Browser).map(Self).map_err(|error| error.to_string().into())
    }

    /// What in a payload the schema does not allow; nothing when all is well.
    pub fn violations(&self, payload: &[u8]) -> Option<String> {
        let Ok(text) = std::str::from_utf8(payload) else { return Some("it is not UTF-8".to_owned()) };
        self.0.validate(text, LIMIT).err().map(|invalid| invalid.to_string())
    }
}
