//! Bytes, hashed and made into a value.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::futures::JsFuture;
use js_sys::{Array, Object, Promise, Uint8Array};
use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag};

use crate::cache::{LARGE, Place};
use crate::page;

/// How much is copied into this module's memory at a time, which never shrinks again.
const PIECE: u32 = 64 * 1024;

/// A payload: hashed, and made into a value. It stays on the engine's side.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Computed from its very bytes.
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    /// Only during the read: a value that is held has its text.
    bytes: Option<Uint8Array>,
    /// The text that the value was made from, as a blob where it is large and held; `null` for an artifact.
    pub(crate) text: JsValue,
    /// The value; of an artifact a `Blob`.
    pub(crate) data: JsValue,
    /// Why there is no value.
    pub(crate) problem: Option<String>,
    /// The copies of the datasets that it is the payload of: two of the same bytes are one download.
    copies: Rc<RefCell<Copies>>,
}

/// By dataset.
type Copies = Vec<(DatasetName, Rc<Copy>)>;

/// Where a copy of a payload was found or is kept, for readings too.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    place: Cell<Option<Place>>,
    /// `{ place }`, which the readings that were handed out look into.
    told: Object,
    handed_out: Cell<bool>,
}

impl Copy {
    pub(crate) fn place(&self) -> Option<Place> {
        self.place.get()
    }

    /// What a reading that is handed out now looks into.
    pub(crate) fn hand_out(&self) -> &Object {
        self.handed_out.set(true);
        &self.told
    }

    /// Whether a reading looks into it, so that a change is news.
    pub(crate) fn is_handed_out(&self) -> bool {
        self.handed_out.get()
    }

    pub(crate) fn is_in(&self, place: Option<Place>) {
        self.place.set(place);
        let told = place.map_or(JsValue::NULL, |place| place.as_str().into());
        page::set(&self.told, "place", &told);
    }
}

#[wasm_bindgen]
extern "C" {
    type Subtle;
    #[wasm_bindgen(method, catch)]
    fn digest(this: &Subtle, algorithm: &str, bytes: &Uint8Array) -> Result<Promise, JsValue>;

    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsValue) -> Uint8Array;
    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &TextEncoder, text: &JsValue, bytes: &Uint8Array) -> Object;
}

impl Payload {
    /// Hashes and parses JSON. The engine hashes on another thread, so it is asked first.
    pub(crate) async fn json(bytes: Uint8Array) -> Self {
        let hashing = Hashing::begin(&bytes);
        let (text, value) = match page::decode(&bytes) {
            Ok(text) => {
                let value = page::parse(&text);
                (text.into(), value)
            }
            Err(thrown) => (JsValue::from_str(""), Err(thrown)),
        };
        let (data, problem) = match value {
            Ok(data) => (data, None),
            Err(thrown) => (JsValue::UNDEFINED, Some(page::describe(&thrown))),
        };
        Self::made(hashing.end(&bytes).await, bytes, text, data, problem)
    }

    /// Hashes an artifact.
    pub(crate) async fn artifact(bytes: Uint8Array, media_type: &str) -> Self {
        let hashing = Hashing::begin(&bytes);
        let data = blob(&bytes, media_type);
        Self::made(hashing.end(&bytes).await, bytes, JsValue::NULL, data, None)
    }

    fn made(sha256: Sha256, bytes: Uint8Array, text: JsValue, data: JsValue, problem: Option<String>) -> Self {
        let size = u64::from(bytes.length());
        Self { sha256, size, bytes: Some(bytes), text, data, problem, copies: Rc::default() }
    }

    /// The same for as long as the page needs its value. The text is there for those who want it parsed in another way; a large one
    /// goes where the browser may put it on disk.
    pub(crate) fn held(&self) -> Self {
        let text = match &self.bytes {
            Some(bytes) if self.text_len() > LARGE => blob(bytes, ""),
            _ => self.text.clone(),
        };
        let (sha256, size, data, problem) = (self.sha256, self.size, self.data.clone(), self.problem.clone());
        Self { sha256, size, bytes: None, text, data, problem, copies: Rc::clone(&self.copies) }
    }

    /// The copy of a dataset whose payload it is.
    pub(crate) fn copy(&self, dataset: &DatasetName) -> Rc<Copy> {
        let mut copies = self.copies.borrow_mut();
        if let Some((_, copy)) = copies.iter().find(|(name, _)| name == dataset) {
            return Rc::clone(copy);
        }
        let copy = Rc::<Copy>::default();
        copies.push((dataset.clone(), Rc::clone(&copy)));
        copy
    }

    /// The length of the text in UTF-16 units; 0 where it is no text.
    pub(crate) fn text_len(&self) -> u32 {
        self.text.dyn_ref::<js_sys::JsString>().map_or(0, js_sys::JsString::length)
    }

    /// The bytes that it was made of, while they are at hand.
    pub(crate) fn bytes(&self) -> Option<&Uint8Array> {
        self.bytes.as_ref()
    }

    /// The bytes that it was made of, made anew where they are no longer at hand.
    pub(crate) async fn bytes_again(&self) -> Result<Uint8Array, JsValue> {
        if let Some(bytes) = &self.bytes {
            return Ok(bytes.clone());
        }
        let Some(blob) = self.text.dyn_ref::<Blob>() else { return Ok(encoded(&self.text, self.size)) };
        Ok(Uint8Array::new(&JsFuture::from(blob.array_buffer()).await?))
    }

    /// As the read algorithm has it; `value` stands for it.
    pub(crate) fn as_read<V>(&self, value: V) -> read::Payload<V> {
        let value = self.problem.clone().map_or(Ok(value), Err);
        read::Payload { sha256: self.sha256, size: self.size, value }
    }
}

/// A text in UTF-8, which should take `size` bytes: given memory of just that size, engines take a fraction of the time that it takes
/// them to provide for the most that it could be.
pub(crate) fn encoded(text: &JsValue, size: u64) -> Uint8Array {
    let encoder = TextEncoder::new();
    let units = u64::from(text.dyn_ref::<js_sys::JsString>().map_or(0, js_sys::JsString::length));
    // A stored size may have been altered. A unit of UTF-16 takes one to three bytes.
    if let Ok(length) = u32::try_from(size)
        && (units..=3 * units).contains(&size)
    {
        let bytes = Uint8Array::new_with_length(length);
        let done = encoder.encode_into(text, &bytes);
        let is = |name: &str, number: u64| page::get(&done, name).as_f64() == Some(number as f64);
        if is("read", units) && is("written", size) {
            return bytes;
        }
    }
    encoder.encode(text)
}

fn blob(bytes: &Uint8Array, media_type: &str) -> JsValue {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    // Without memory for one there is nothing to hand out.
    Blob::new_with_u8_array_sequence_and_options(&Array::of1(bytes), &options).map_or(JsValue::NULL, JsValue::from)
}

/// SHA-256 that is being computed: by the browser, on a thread of its own, or by this module where the browser has none: it has it
/// on secure origins only.
struct Hashing(Option<Promise>);

impl Hashing {
    fn begin(bytes: &Uint8Array) -> Self {
        let subtle = page::get(&page::get(&js_sys::global(), "crypto"), "subtle");
        if subtle.is_falsy() {
            return Self(None);
        }
        Self(subtle.unchecked_into::<Subtle>().digest("SHA-256", bytes).ok())
    }

    async fn end(self, bytes: &Uint8Array) -> Sha256 {
        // A browser may refuse what it has; the module does not.
        if let Some(promise) = self.0
            && let Ok(digest) = JsFuture::from(promise).await
        {
            let mut computed = [0; 32];
            Uint8Array::new(&digest).copy_to(&mut computed);
            return Sha256::from_bytes(computed);
        }
        let mut hasher = Hasher::new();
        let mut piece = vec![0; PIECE as usize];
        let length = bytes.length();
        let mut at = 0;
        while at < length {
            let end = length.min(at + PIECE);
            let piece = &mut piece[..(end - at) as usize];
            bytes.subarray(at, end).copy_to(piece);
            hasher.update(piece);
            at = end;
        }
        hasher.finish()
    }
}
