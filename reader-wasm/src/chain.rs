//! One read as a chain of texts: steps go out, answers come in. Nothing here knows JavaScript.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use lastgood_protocol::failure::Failure;
use lastgood_protocol::read::{self, ManifestAnswer, Step, VerifiedManifest};
use lastgood_protocol::time::Timestamp;

use crate::answer::{Answers, Begin};
use crate::step;

/// What stands for a payload's value: its place in a list on the other side.
pub(crate) type Handle = u32;

/// The manifest that was verified last, and the bytes that it was made of.
#[derive(Debug, Default)]
pub(crate) struct Latest(RefCell<Option<(Vec<u8>, VerifiedManifest)>>);

impl Latest {
    fn verify(&self, bytes: &[u8]) -> Result<VerifiedManifest, Failure> {
        if let Some((_, manifest)) = self.0.borrow().as_ref().filter(|(before, _)| before == bytes) {
            return Ok(manifest.clone());
        }
        let manifest = VerifiedManifest::verify(bytes)?;
        self.0.replace(Some((bytes.to_vec(), manifest.clone())));
        Ok(manifest)
    }
}

/// A read in progress.
#[derive(Debug)]
pub(crate) struct Chain {
    /// There until answers come that are not those of the step, which are a defect on the other side.
    step: Option<Step<Handle>>,
}

impl Chain {
    /// Begins a read of what `plan` says; the error is for the page.
    pub(crate) fn new(plan: &str) -> Result<Self, String> {
        let Begin { plan, known } = Begin::decode(plan)?;
        Ok(Self { step: Some(read::start(plan, known)) })
    }

    /// What to do now.
    pub(crate) fn step(&self) -> String {
        self.step.as_ref().map(step::encode).unwrap_or_default()
    }

    /// Takes what came of it, and says what to do next; `None` when the answers are not those of the step.
    pub(crate) fn answer(
        &mut self,
        latest: &Latest,
        answers: &str,
        manifest: &[u8],
        lock: &[u8],
        now: f64,
    ) -> Option<String> {
        let answers = Answers::decode(answers)?;
        let now = Timestamp::from_ms(now as i64);
        let next = match self.step.take()? {
            Step::FetchManifest(step) => {
                let verify = |server_time| Ok(ManifestAnswer { manifest: latest.verify(manifest)?, server_time });
                step.complete(answers.manifest(lock, verify)?, now)
            }
            Step::LoadCache(step) => step.complete(answers.cached()?),
            Step::FetchObjects(step) => step.complete(answers.objects()?),
            Step::Validate(step) => step.complete(answers.verdicts()?),
            Step::Wait(step) => step.complete(),
            done @ Step::Done(_) => done,
        };
        Some(step::encode(self.step.insert(next)))
    }
}
