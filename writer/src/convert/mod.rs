//! Input that is not JSON: CSV and JSON Lines become a JSON array on their way to the payload rules.
//!
//! Both are converted in constant memory, and so that a place in the array is a place in the input: what stands on a line
//! of the input stands on the same line of the array. A payload rule that is broken is therefore told with its line in
//! the input, although the rules look at the array.

mod bytes;
pub mod csv;
mod encoding;
mod hint;
mod jsonl;
mod kind;
mod pipe;
mod spool;

use std::io;

use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload::Refusal;

use crate::error::Error;
use crate::objects::CHUNK_BYTES;
use crate::storage::Staging;

pub use self::encoding::{Advice, Reading};
pub(crate) use self::hint::Head;
pub use self::hint::Hint;
pub use self::kind::FileKind;

/// What an input is written in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON, published to the byte.
    #[default]
    Json,
    /// JSON Lines: one JSON value on each line; published as an array of them. Blank lines are passed over.
    JsonLines,
    /// Comma-separated values, RFC 4180: a header row and rows; published as an array of objects.
    Csv(csv::Options),
}

/// How an input is read: at most as much as fits, nothing at its end.
pub(crate) trait Source {
    /// Reads the next bytes into `buffer` and says how many.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;
}

impl<F: FnMut(&mut [u8]) -> Result<usize, Error>> Source for F {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self(buffer)
    }
}

/// What a conversion did that the publisher should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remarks {
    /// The columns that were left out.
    pub(crate) left_out: Vec<csv::LeftOut>,
    /// What may not be as it was meant, each in a sentence.
    pub(crate) notes: Vec<String>,
    /// The columns whose type was inferred, with that type. Those without a value have none.
    pub(crate) inferred: Vec<(String, csv::ColumnType)>,
}

/// An input on its way to the payload rules.
pub(crate) struct Conversion<'a, G> {
    pub(crate) dataset: &'a DatasetName,
    pub(crate) staging: &'a G,
    /// The limit for the input, in bytes.
    pub(crate) max_bytes: u64,
}

impl<G: Staging> Conversion<'_, G> {
    /// Reads `input` to its end and gives `json` the array, piece by piece.
    ///
    /// Where `json` refuses what comes before a fault of the input, that refusal is the answer.
    pub(crate) fn run(
        &self,
        format: &Format,
        mut input: impl Source,
        json: &mut (impl FnMut(&[u8]) -> Result<(), Error> + Send),
    ) -> Result<Remarks, Error> {
        match format {
            Format::Json => {
                let mut chunk = vec![0; CHUNK_BYTES];
                loop {
                    match input.read(&mut chunk)? {
                        0 => return Ok(Remarks::default()),
                        size => json(&chunk[..size])?,
                    }
                }
            }
            Format::JsonLines => {
                jsonl::convert(&mut input, json, |refusal| self.refused_as_it_is(refusal))?;
                Ok(Remarks::default())
            }
            Format::Csv(options) => csv::convert(self, options, input, json),
        }
    }

    /// A payload rule is broken, at a place in the array.
    pub(crate) fn refused(&self, format: &Format, refusal: Refusal) -> Error {
        match format {
            Format::Json => self.refused_as_it_is(refusal),
            Format::JsonLines => self.refused_as_it_is(jsonl::in_the_input(refusal)),
            Format::Csv(_) => self.refused_csv(csv::Refusal::of_rule(refusal)),
        }
    }

    fn refused_as_it_is(&self, refusal: Refusal) -> Error {
        Error::Refused { dataset: self.dataset.clone(), refusal: Box::new(refusal), hint: None }
    }

    /// The error with what the input, which starts with `head` and goes on with `rest`, is in all likelihood.
    pub(crate) fn explained(&self, format: &Format, error: Error, mut head: Head, rest: impl Source) -> Error {
        let of_the_input = matches!(error, Error::Refused { .. } | Error::Csv { .. });
        if let Some(kind) = head.kind().filter(|_| of_the_input) {
            return Error::OtherKind { dataset: self.dataset.clone(), kind };
        }
        match error {
            Error::Refused { dataset, refusal, .. } => {
                let hint = hint::may_help(&refusal).then(|| {
                    head.complete(rest);
                    head.hint(format, &refusal).map(Box::new)
                });
                Error::Refused { dataset, refusal, hint: hint.flatten() }
            }
            other => other,
        }
    }

    /// The copy of an input that is read twice.
    fn cannot_spool(&self, source: io::Error) -> Error {
        Error::Io { doing: format!("keep a copy of the input of {} in staging", self.dataset), source }
    }

    fn refused_csv(&self, refusal: csv::Refusal) -> Error {
        Error::Csv { dataset: self.dataset.clone(), refusal: Box::new(refusal) }
    }
}
