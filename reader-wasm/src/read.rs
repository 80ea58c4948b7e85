//! One read, step by step: what JavaScript sees of the chain.

use alloc::string::String;

use wasm_bindgen::prelude::*;

use crate::chain::{Chain, Latest};

/// What the reads of one feed share: the manifest that was verified last. However many datasets a page reads from one answer, it
/// is verified once.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Manifests(Latest);

#[wasm_bindgen]
impl Manifests {
    /// Nothing verified so far.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A read in progress. Leaving it ends it; nothing is under way in here.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Read(Chain);

#[wasm_bindgen]
impl Read {
    /// Begins a read of what `plan` says, as in `npm/src/read/core.ts`.
    ///
    /// # Errors
    /// What is wrong with a dataset's name, as a text.
    #[wasm_bindgen(constructor)]
    pub fn new(plan: &str) -> Result<Read, JsValue> {
        Chain::new(plan).map(Self).map_err(JsValue::from)
    }

    /// What to do now.
    pub fn step(&self) -> String {
        self.0.step()
    }

    /// Takes what came of it, and says what to do next. Documents come apart from the rest of the answers, as bytes. `now` is this
    /// device's time in milliseconds.
    ///
    /// # Errors
    /// The answers are not those of the step: a defect on the other side.
    pub fn answer(
        &mut self,
        manifests: &Manifests,
        answers: &str,
        manifest: &[u8],
        lock: &[u8],
        now: f64,
    ) -> Result<String, JsValue> {
        let next = self.0.answer(&manifests.0, answers, manifest, lock, now);
        next.ok_or_else(|| JsValue::from("these are not the answers of this step"))
    }
}
