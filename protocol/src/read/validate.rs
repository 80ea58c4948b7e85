//! Step: validate payloads against the schemas that were published with them.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::request::{Check, Objection};
use super::{Checked, Step, Task};
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::{Entry, SchemaRef};
use crate::name::DatasetName;

/// Step: validate verified payloads. It is the host that has their text and the schemas.
#[must_use]
#[derive(Debug)]
pub struct Validate<V> {
    pub(super) task: Box<Task<V>>,
    pub(super) checked: Checked,
    /// Datasets whose payloads are at hand, and whose entries have a schema.
    pub(super) wanted: Vec<usize>,
}

impl<V> Validate<V> {
    /// What is to be validated against what.
    pub fn checks(&self) -> impl Iterator<Item = Check<'_, V>> {
        self.wanted.iter().filter_map(|&i| {
            let dataset = &self.task.plan.datasets[i].dataset;
            let value = self.task.at_hand[i].as_ref()?.payload.value.as_ref().ok()?;
            Some(Check { dataset, value, schema: self.schema(i)? })
        })
    }

    /// Takes the verdicts, in the order of [`checks`](Self::checks).
    pub fn complete(mut self, verdicts: Vec<Result<(), Objection>>) -> Step<V> {
        let wanted = core::mem::take(&mut self.wanted);
        for (i, verdict) in wanted.into_iter().zip(verdicts) {
            if let Err(objection) = verdict {
                let dataset = &self.task.plan.datasets[i].dataset;
                let failure = objection.into_failure(dataset, &self.checked.manifest.datasets[dataset]);
                return self.task.fall_back(failure, self.checked.now);
            }
            let satisfies = self.schema(i).map(|schema| schema.sha256);
            if let Some(at_hand) = &mut self.task.at_hand[i] {
                at_hand.satisfies = satisfies;
            }
        }
        self.task.validate(self.checked)
    }

    fn schema(&self, i: usize) -> Option<&SchemaRef> {
        self.checked.manifest.datasets[&self.task.plan.datasets[i].dataset].schema.as_ref()
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
        };
        Failure::new(code, detail).at(layout::object(&entry.sha256, &entry.ext).as_str()).of(dataset)
    }
}
