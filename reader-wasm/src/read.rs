//! One read, step by step.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use lastgood_protocol::failure::Failure;
use lastgood_protocol::read::{self, ManifestAnswer, Step, VerifiedManifest};
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::answer::{Answers, Begin};
use crate::step;

/// What stands for a payload's value: its place in a list on the JavaScript side.
pub(crate) type Handle = u32;

/// What the reads of one feed share: the manifest that was verified last. However many datasets a page reads from one answer, it
/// is verified once.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Manifests(RefCell<Option<(Vec<u8>, VerifiedManifest)>>);

#[wasm_bindgen]
impl Manifests {
    /// Nothing verified so far.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Manifests {
    fn verify(&self, bytes: &[u8]) -> Result<VerifiedManifest, Failure> {
        if let Some((_, manifest)) = self.0.borrow().as_ref().filter(|(before, _)| before == bytes) {
            return Ok(manifest.clone());
        }
        let manifest = VerifiedManifest::verify(bytes)?;
        self.0.replace(Some((bytes.to_vec(), manifest.clone())));
        Ok(manifest)
    }
}

/// A read in progress. Leaving it ends it; nothing is under way in here.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Read {
    /// Always there between calls: each takes it and puts the next one in its place.
    step: Option<Step<Handle>>,
}

#[wasm_bindgen]
impl Read {
    /// Begins a read of what `plan` says, as in `npm/src/read/core.ts`.
    ///
    /// # Errors
    /// What is wrong with a dataset's name, as a text.
    #[wasm_bindgen(constructor)]
    pub fn new(plan: &str) -> Result<Read, JsValue> {
        let Begin { plan, known } = Begin::decode(plan).map_err(JsValue::from)?;
        Ok(Self { step: Some(read::start(plan, known)) })
    }

    /// What to do now.
    pub fn step(&self) -> String {
        self.step.as_ref().map(step::encode).unwrap_or_default()
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
        let wrong = || JsValue::from("these are not the answers of this step");
        let answers = Answers::decode(answers).ok_or_else(wrong)?;
        let now = Timestamp::from_ms(now as i64);
        let next = match self.step.take().ok_or_else(wrong)? {
            Step::FetchManifest(step) => {
                let verify = |server_time| Ok(ManifestAnswer { manifest: manifests.verify(manifest)?, server_time });
                step.complete(answers.manifest(lock, verify).ok_or_else(wrong)?, now)
            }
            Step::LoadCache(step) => step.complete(answers.cached().ok_or_else(wrong)?),
            Step::FetchObjects(step) => step.complete(answers.objects().ok_or_else(wrong)?),
            Step::Validate(step) => step.complete(answers.verdicts().ok_or_else(wrong)?),
            Step::Wait(step) => step.complete(),
            done @ Step::Done(_) => done,
        };
        Ok(step::encode(self.step.insert(next)))
    }
}
