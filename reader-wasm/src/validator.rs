//! Payloads against the schema that they were published with, by the validator of the writer and the browser's regular expressions.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::cell::RefCell;

use lastgood_protocol::schema::{self, Engine, Pattern};
use wasm_bindgen::prelude::*;

/// How many violations a message lists.
const LIMIT: usize = 10;
/// How many texts a pattern remembers, and how long they are at most, in bytes.
const PLACES: usize = 256;
const LONGEST: usize = 32;

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
    type Pattern = Remembering;

    fn compile(&self, source: &str) -> Result<Remembering, String> {
        let pattern = RegExp::new(source, "u").map_err(|thrown| to_text(&thrown))?;
        Ok(Remembering { pattern, seen: RefCell::new([const { None }; PLACES]) })
    }
}

/// A text, and whether the pattern is in it.
type Seen = (Box<str>, bool);

/// A pattern that remembers some of the texts that it was asked about. To ask the browser takes longer than all the rest of the
/// validation of a text, and columns of data repeat themselves: codes, units, categories.
struct Remembering {
    pattern: RegExp,
    /// In each place the last text of those that belong there, and whether the pattern is in it.
    seen: RefCell<[Option<Seen>; PLACES]>,
}

impl Pattern for Remembering {
    fn is_in(&self, text: &str) -> bool {
        if text.len() > LONGEST {
            return self.pattern.test(text);
        }
        let hash = text.bytes().fold(0_usize, |hash, byte| (hash ^ usize::from(byte)).wrapping_mul(0x0100_0193));
        let mut seen = self.seen.borrow_mut();
        let place = &mut seen[(hash >> 8) % PLACES];
        match place {
            Some((known, is_in)) if **known == *text => *is_in,
            _ => {
                let is_in = self.pattern.test(text);
                *place = Some((text.into(), is_in));
                is_in
            }
        }
    }
}

/// A schema that has been understood.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Schema(schema::Schema<Remembering>);

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
        let Ok(text) = core::str::from_utf8(payload) else { return Some("it is not UTF-8".to_owned()) };
        self.0.validate(text, LIMIT).err().map(|invalid| invalid.to_string())
    }
}
