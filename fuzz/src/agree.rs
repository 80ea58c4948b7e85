//! What the native code answers, call by call, so that the packed module can be asked the same.

use serde::Serialize;

use lastgood::protocol::schema::Schema;

use crate::chain::{Chain, Latest};
use crate::input::parts;
use crate::targets;
use crate::targets::schema::{Ecmascript, is_about_a_pattern};

/// As many violations as the module lists.
const LISTED: usize = 10;

/// Calls to the module and the answers that it should give.
#[derive(Debug, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Transcript {
    /// A read.
    Read(Read),
    /// Payloads against a schema.
    Schema(Validation),
}

impl Transcript {
    /// What the native code does with an input of a target; `None` for what the module has no part in.
    #[must_use]
    pub fn of(target: &str, input: &[u8]) -> Option<Self> {
        match target {
            "read" => Some(Self::Read(targets::read::played(input))),
            "reader" => Some(Self::Read(targets::reader::played(input))),
            "schema" => Validation::of(input).map(Self::Schema),
            _ => None,
        }
    }
}

/// A read: what it begins with, and what was said.
#[derive(Debug, Serialize)]
pub struct Read {
    plan: String,
    /// What the plan is refused for.
    refused: Option<String>,
    /// The first step.
    first: Option<String>,
    calls: Vec<Call>,
    #[serde(skip)]
    chain: Option<Chain>,
    #[serde(skip)]
    latest: Latest,
}

/// What came of a step, and the next one; none when the answers are not those of the step.
#[derive(Debug, Serialize)]
struct Call {
    answers: String,
    manifest: Vec<u8>,
    lock: Vec<u8>,
    now: f64,
    next: Option<String>,
}

impl Read {
    pub(crate) fn begin(plan: String) -> Self {
        let (chain, refused) = match Chain::new(&plan) {
            Ok(chain) => (Some(chain), None),
            Err(refused) => (None, Some(refused)),
        };
        let first = chain.as_ref().map(Chain::step);
        Self { plan, refused, first, calls: Vec::new(), chain, latest: Latest::default() }
    }

    /// What to do now.
    pub(crate) fn step(&self) -> Option<&str> {
        self.calls.last().map_or(self.first.as_deref(), |call| call.next.as_deref())
    }

    pub(crate) fn is_going_on(&self) -> bool {
        self.step().is_some()
    }

    pub(crate) fn answer(&mut self, answers: String, manifest: Vec<u8>, lock: Vec<u8>, now: f64) {
        let chain = self.chain.as_mut().expect("what is going on has begun");
        let next = chain.answer(&self.latest, &answers, &manifest, &lock, now);
        self.calls.push(Call { answers, manifest, lock, now, next });
    }
}

/// A schema and what is said of payloads.
#[derive(Debug, Serialize)]
pub struct Validation {
    schema: String,
    /// What the schema is refused for.
    refused: Option<String>,
    /// The engine refuses a regular expression, in words of its own.
    bad_pattern: bool,
    payloads: Vec<Payload>,
}

/// A payload and what in it the schema does not allow.
#[derive(Debug, Serialize)]
struct Payload {
    text: String,
    violations: Option<String>,
}

impl Validation {
    /// `None` where a regular expression was decided without its engine.
    fn of(input: &[u8]) -> Option<Self> {
        let mut parts = parts(input).map_while(|part| std::str::from_utf8(part).ok());
        let text = parts.next()?.to_owned();
        let engine = Ecmascript::default();
        Some(match Schema::compile(&text, &engine) {
            Ok(schema) => {
                let validate = |text: &str| schema.validate(text, LISTED).err().map(|invalid| invalid.to_string());
                let payloads =
                    parts.map(|text| Payload { violations: validate(text), text: text.to_owned() }).collect();
                if engine.tamed.get() {
                    return None;
                }
                Self { schema: text, refused: None, bad_pattern: false, payloads }
            }
            Err(error) => {
                let bad_pattern = is_about_a_pattern(&error);
                Self { schema: text, refused: Some(error.to_string()), bad_pattern, payloads: Vec::new() }
            }
        })
    }
}
