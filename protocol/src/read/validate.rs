//! Step: judge payloads by the schemas that were published with them, and by the shape that their reader expects.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::request::{Check, Objection, Own};
use super::{AtHand, Checked, Reading, Step, Task};
use crate::digest::Sha256;
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::{Entry, SchemaRef};
use crate::name::DatasetName;
use crate::time::Timestamp;

/// Step: judge verified payloads. It is the host that has their text, the schemas and the reader's own shapes.
#[must_use]
#[derive(Debug)]
pub struct Validate<V> {
    pub(super) task: Box<Task<V>>,
    pub(super) judged: Judged<V>,
}

/// Values that are to be handed out, unless somebody objects.
#[derive(Debug)]
pub(super) enum Judged<V> {
    /// What a manifest names: of these datasets the payloads are at hand, and their schemas.
    Current(Checked, Vec<usize>),
    /// The copies, in the place of what could not be had.
    Copies(Vec<Reading<V>>, Failure, Timestamp),
}

impl<V> Validate<V> {
    /// What is to be judged by what.
    #[must_use]
    pub fn checks(&self) -> Vec<Check<'_, V>> {
        let task = &self.task;
        match &self.judged {
            Judged::Current(checked, wanted) => wanted.iter().filter_map(|&i| task.check(i, checked)).collect(),
            Judged::Copies(readings, ..) => {
                let mut checks = Vec::with_capacity(readings.len());
                for (i, Reading { value, head, .. }) in readings.iter().enumerate() {
                    let own = task.has_shape(i).then(|| Own::of(head.sha256, head.schema.as_ref()));
                    checks.push(Check { dataset: &task.plan.datasets[i].dataset, value, schema: None, own });
                }
                checks
            }
        }
    }

    /// Takes the verdicts, in the order of [`checks`](Self::checks): what the reader's own shape has made of the value, where it
    /// was asked; else nothing.
    pub fn complete(self, verdicts: Vec<Result<Option<V>, Objection>>) -> Step<V> {
        let Self { mut task, judged } = self;
        match judged {
            Judged::Current(checked, wanted) => {
                for (i, verdict) in wanted.into_iter().zip(verdicts) {
                    let dataset = &task.plan.datasets[i].dataset;
                    let shaped = match verdict {
                        Ok(shaped) => shaped,
                        Err(objection) => {
                            task.refused = matches!(objection, Objection::Refused(_));
                            let failure = objection.into_failure(dataset, &checked.manifest.datasets[dataset]);
                            return task.fall_back(failure, checked.now);
                        }
                    };
                    let satisfies = task.unsatisfied(i, &checked).map(|schema| schema.sha256);
                    if let Some(at_hand) = &mut task.at_hand[i] {
                        at_hand.accept(satisfies, shaped);
                    }
                }
                task.validate(checked)
            }
            Judged::Copies(mut readings, failure, now) => {
                for (reading, verdict) in readings.iter_mut().zip(verdicts) {
                    match verdict {
                        Ok(Some(value)) => reading.value = value,
                        Ok(None) => {}
                        Err(Objection::Refused(refusal)) => {
                            let refusal = refusal.of(&reading.dataset);
                            return task.end_refused(failure, refusal, now);
                        }
                        Err(Objection::Invalid(_) | Objection::Unsupported(_)) => return task.fail(failure, now),
                    }
                }
                task.end_with(readings, failure, now)
            }
        }
    }
}

impl<V> Task<V> {
    /// What the payload of a dataset that is at hand is still to be judged by.
    pub(super) fn check<'a>(&'a self, i: usize, checked: &'a Checked) -> Option<Check<'a, V>> {
        let AtHand { payload, shaped, .. } = self.at_hand[i].as_ref()?;
        let dataset = &self.plan.datasets[i].dataset;
        let value = payload.value.as_ref().ok()?;
        let published = checked.manifest.datasets[dataset].schema.as_ref();
        let schema = self.unsatisfied(i, checked);
        let own = (self.has_shape(i) && !shaped).then(|| Own::of(payload.sha256, published));
        (schema.is_some() || own.is_some()).then_some(Check { dataset, value, schema, own })
    }

    /// Whether the reader has a shape of its own for a dataset.
    pub(super) fn has_shape(&self, i: usize) -> bool {
        self.plan.datasets[i].kind.shape().is_some_and(|shape| shape.own)
    }
}

impl<V> AtHand<V> {
    fn accept(&mut self, satisfies: Option<Sha256>, shaped: Option<V>) {
        self.satisfies = satisfies.or(self.satisfies);
        self.shaped = true;
        if let Some(value) = shaped {
            self.payload.value = Ok(value);
        }
    }
}

impl Own {
    fn of(sha256: Sha256, schema: Option<&SchemaRef>) -> Self {
        Self { sha256, version: schema.map(|schema| schema.version) }
    }
}

impl Objection {
    /// The failure that it is to read the payload of `dataset` that `entry` names.
    #[must_use]
    pub fn into_failure(self, dataset: &DatasetName, entry: &Entry) -> Failure {
        let (code, detail) = match self {
            Self::Invalid(problem) => {
                (Code::SchemaInvalid, format!("\"{dataset}\" does not satisfy its schema: {problem}"))
            }
            Self::Unsupported(problem) => (
                Code::SchemaUnsupported,
                format!(
                    "the schema of \"{dataset}\" cannot be checked here; update the reader, or do not validate: {problem}"
                ),
            ),
            Self::Refused(failure) => return failure.of(dataset),
        };
        Failure::new(code, detail).at(layout::object(&entry.sha256, &entry.ext).as_str()).of(dataset)
    }
}
