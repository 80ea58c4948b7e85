//! What tests of the read algorithm share: a publisher, and the loop that carries out the steps.

use lastgood_protocol::cache::CacheHead;
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::Failure;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    self, Check, Document, Known, ManifestAnswer, ManifestAnswers, ObjectAnswers, Objection, Outcome, Payload, Plan,
    Request, SchemaObject, SchemaRequest, Step,
};
use lastgood_protocol::schema::{Engine, Pattern, Schema};
use lastgood_protocol::time::Timestamp;

/// The most steps that a read may take here; the exhaustive test shows that far fewer are needed.
const MAX_STEPS: usize = 64;

/// What carries out the steps of a read. Values are the payload's text.
pub(crate) trait Host {
    /// Called before the requests of each parallel step.
    fn begin_round(&mut self) {}
    fn document(&mut self, request: &Request) -> Result<Document, Failure>;
    fn manifest(&mut self, request: &Request) -> Result<ManifestAnswer, Failure> {
        ManifestAnswer::verify(&self.document(request)?)
    }
    fn payload(&mut self, request: &Request) -> Result<Payload<String>, Failure>;
    fn schema(&mut self, schema: &SchemaRequest) -> Result<SchemaObject, Failure>;
    fn validate(&mut self, check: &Check<'_, String>) -> Result<(), Objection>;
    /// The payload of a dataset, of which this is known.
    fn cached(&mut self, dataset: &DatasetName, head: Option<&CacheHead>) -> Option<Payload<String>>;
    fn wait(&mut self, ms: u64);
    fn now(&self) -> Timestamp;
}

/// Carries out steps until the read ends.
pub(crate) fn drive(plan: Plan, known: Known, host: &mut impl Host) -> Outcome<String> {
    carry_out(read::start(plan, known), host)
}

/// Carries out a step and all that follow.
pub(crate) fn carry_out(mut step: Step<String>, host: &mut impl Host) -> Outcome<String> {
    for _ in 0..MAX_STEPS {
        step = match step {
            Step::FetchManifest(fetch) => {
                host.begin_round();
                let manifest = host.manifest(&fetch.manifest());
                let lock = fetch.lock().map(|request| host.document(&request));
                let guesses = fetch.guesses().iter().map(|request| host.payload(request)).collect();
                fetch.complete(ManifestAnswers { manifest, lock, guesses }, host.now())
            }
            Step::LoadCache(load) => {
                let wanted = load.wanted().zip(load.heads());
                let payloads = wanted.map(|(dataset, head)| host.cached(dataset, head)).collect();
                load.complete(payloads)
            }
            Step::FetchObjects(fetch) => {
                host.begin_round();
                let payloads = fetch.requests().iter().map(|request| host.payload(request)).collect();
                let schemas = fetch.schemas().iter().map(|schema| host.schema(schema)).collect();
                fetch.complete(ObjectAnswers { payloads, schemas })
            }
            Step::Validate(validate) => {
                let verdicts = validate.checks().iter().map(|check| host.validate(check).map(|()| None)).collect();
                validate.complete(verdicts)
            }
            Step::Wait(wait) => {
                host.wait(wait.ms());
                wait.complete()
            }
            Step::Done(outcome) => return outcome,
        };
    }
    panic!("the read did not end within {MAX_STEPS} steps");
}

/// A payload as a host makes it: hashed and parsed.
pub(crate) fn payload(bytes: &[u8]) -> Payload<String> {
    let value = serde_json::from_slice::<serde_json::Value>(bytes)
        .map(|_| String::from_utf8(bytes.to_vec()).expect("JSON is UTF-8"))
        .map_err(|error| error.to_string());
    Payload { sha256: Sha256::of(bytes), size: bytes.len() as u64, value }
}

/// An artifact as a host makes it: hashed.
#[allow(dead_code, reason = "not every test has artifacts")]
pub(crate) fn bytes(bytes: &[u8]) -> Payload<String> {
    let value = Ok(String::from_utf8_lossy(bytes).into_owned());
    Payload { sha256: Sha256::of(bytes), size: bytes.len() as u64, value }
}

pub(crate) fn name(text: &str) -> DatasetName {
    text.parse().expect("a test names datasets rightly")
}

/// What a host does to validate, for schemas without regular expressions.
pub(crate) fn validate(schema: &str, value: &str) -> Result<(), Objection> {
    let schema = Schema::compile(schema, &NoPatterns).map_err(|error| Objection::Unsupported(error.to_string()))?;
    schema.validate(value, 10).map_err(|invalid| Objection::Invalid(invalid.to_string()))
}

struct NoPatterns;

impl Engine for NoPatterns {
    type Pattern = Self;
    fn compile(&self, _: &str) -> Result<Self, String> {
        Err("there is no engine for regular expressions here".to_owned())
    }
}

impl Pattern for NoPatterns {
    fn is_in(&self, _: &str) -> bool {
        false
    }
}
