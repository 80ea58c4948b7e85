//! What the native code makes of an input, so that the packed package can be asked the same.

use lastgood::protocol::MAX_SAFE_INTEGER;
use lastgood::protocol::failure::{Code, Failure};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::read::{Kind, LockPolicy, Plan, Reading, Shape, Wanted};
use lastgood::protocol::schema::Schema;
use serde::Serialize;

use crate::drive::{NOW, Value};
use crate::input::parts;
use crate::targets;
use crate::targets::schema::{Ecmascript, is_about_a_pattern};
use crate::visit::{Bytes, Entries, Exchange, Server, URL, Visit};

/// As many violations as the module lists.
const LISTED: usize = 10;

/// What is asked, and what is to be answered.
#[derive(Debug, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Transcript {
    /// A read of a page.
    Read(Box<Read>),
    /// Payloads against a schema.
    Schema(Validation),
}

impl Transcript {
    /// The targets whose inputs the package has a part in.
    pub const TARGETS: [&str; 4] = ["schema", "read", "reader", "cache"];

    /// What the native code does with an input of a target; `None` for what the package cannot be asked.
    #[must_use]
    pub fn of(target: &str, input: &[u8]) -> Option<Self> {
        match target {
            "read" => {
                let (server, plan, entries) = targets::read::begun(input);
                Read::of(server, plan, entries)
            }
            "reader" => {
                let (plan, entries) = targets::reader::begun(input)?;
                Read::of(targets::reader::Answers::of(input), plan, entries)
            }
            "cache" => {
                let (plan, entries) = targets::reader::kept(input)?;
                Read::of(targets::reader::Answers::of(&[]), plan, entries)
            }
            "schema" => Validation::of(input).map(Self::Schema),
            _ => None,
        }
    }
}

/// A read of a page: what it begins with, what it is answered, and what comes of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Read {
    url: &'static str,
    now: i64,
    order: Order,
    before: Entries,
    exchanges: Vec<Exchange>,
    readings: Option<Vec<Made>>,
    failure: Option<Refused>,
    after: Entries,
}

/// What a page asks for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    datasets: Vec<Dataset>,
    lock: &'static str,
    lock_wait_ms: u64,
    max_bytes: u64,
    max_age: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Dataset {
    name: DatasetName,
    artifact: bool,
    validate: bool,
    /// Whether the page has a schema of its own.
    own: bool,
    oldest: Option<u32>,
    newest: Option<u32>,
}

/// What is handed out, as far as the native code knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    dataset: DatasetName,
    source: &'static str,
    fresh: bool,
    reason: Option<&'static str>,
    /// None where it is in the words of the engine.
    detail: Option<String>,
    generation: u64,
    sha256: String,
    published_at: String,
    checked_at: String,
    age_ms: u64,
    schema_version: Option<u32>,
    meta: Option<String>,
    cached_in: Option<&'static str>,
    /// The bytes that its value is made of.
    payload: Bytes,
}

/// Why nothing is handed out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    code: &'static str,
    detail: Option<String>,
    url: Option<String>,
    dataset: Option<String>,
    status: Option<u16>,
    retry_after_ms: Option<u64>,
    /// What is too old.
    reading: Option<Made>,
}

impl Read {
    fn of(server: impl Server, plan: Plan, before: Entries) -> Option<Transcript> {
        let visit = Visit::to(server, askable(plan)?, before);
        if visit.tamed {
            return None;
        }
        let Visit { plan, before, after, kept, exchanges, played, .. } = visit;
        let made = |reading: &Reading<Value>, kept| Made::of(reading, played.bytes(reading), kept);
        let outcome = &played.outcome;
        let readings = outcome.result.as_ref().ok();
        let failure = outcome.result.as_ref().err().map(|failure| {
            let too_old = outcome.too_old.first();
            Refused {
                dataset: failure.dataset.as_ref().or(too_old.map(|reading| &reading.dataset)).map(ToString::to_string),
                // What is too old is a copy.
                reading: too_old.map(|reading| made(reading, true)),
                ..Refused::of(failure)
            }
        });
        Some(Transcript::Read(Box::new(Self {
            url: URL,
            now: NOW,
            order: Order::of(&plan),
            readings: readings.map(|all| all.iter().zip(kept).map(|(reading, kept)| made(reading, kept)).collect()),
            failure,
            before,
            exchanges,
            after,
        })))
    }
}

/// The plan, as far as a page can ask for it in one call: one artifact, or JSON values.
fn askable(mut plan: Plan) -> Option<Plan> {
    if plan.datasets.first()?.kind == Kind::Artifact {
        plan.datasets.truncate(1);
    }
    let mut first = true;
    plan.datasets.retain(|wanted| std::mem::take(&mut first) || wanted.kind != Kind::Artifact);
    for Wanted { kind, .. } in &mut plan.datasets {
        if let Kind::Json(Shape { versions: Some(versions), own, .. }) = kind {
            // Earlier versions are understood by those that bring steps; too long a row of steps is none.
            let newest = *versions.end();
            let oldest = (*versions.start()).clamp(newest.saturating_sub(4), newest);
            (*versions, *own) = (oldest..=newest, *own || oldest < newest);
        }
    }
    plan.again = false;
    plan.max_bytes = plan.max_bytes.clamp(1, MAX_SAFE_INTEGER);
    plan.max_age_ms = plan.max_age_ms.map(|limit| limit.min(MAX_SAFE_INTEGER));
    Some(plan)
}

impl Order {
    fn of(plan: &Plan) -> Self {
        Self {
            datasets: plan.datasets.iter().map(Dataset::of).collect(),
            lock: match plan.lock {
                LockPolicy::Cache => "cache",
                LockPolicy::Wait => "wait",
                LockPolicy::Ignore => "ignore",
            },
            lock_wait_ms: plan.lock_wait_ms,
            max_bytes: plan.max_bytes,
            max_age: plan.max_age_ms,
        }
    }
}

impl Dataset {
    fn of(Wanted { dataset, kind }: &Wanted) -> Self {
        let shape = match kind {
            Kind::Json(shape) | Kind::Any(shape) => shape.clone(),
            Kind::Artifact => Shape { validate: false, versions: None, own: false },
        };
        let [oldest, newest] = [shape.versions.as_ref().map(|all| *all.start()), shape.versions.map(|all| *all.end())];
        let artifact = *kind == Kind::Artifact;
        Self { name: dataset.clone(), artifact, validate: shape.validate, own: shape.own, oldest, newest }
    }
}

impl Made {
    fn of(reading: &Reading<Value>, payload: &[u8], kept: bool) -> Self {
        let Reading { dataset, source, reason, generation, age_ms, head, .. } = reading;
        Self {
            dataset: dataset.clone(),
            source: source.as_str(),
            fresh: reading.fresh(),
            reason: reason.as_ref().map(|reason| reason.code.as_str()),
            detail: reason.as_ref().and_then(detail),
            generation: generation.get(),
            sha256: head.sha256.to_string(),
            published_at: head.published_at.to_string(),
            checked_at: head.checked_at.to_string(),
            age_ms: *age_ms,
            schema_version: head.schema.as_ref().map(|schema| schema.version),
            meta: head.meta.as_ref().map(|meta| meta.as_str().to_owned()),
            cached_in: kept.then_some("localStorage"),
            payload: Bytes(payload.to_vec()),
        }
    }
}

impl Refused {
    fn of(failure: &Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            detail: detail(failure),
            url: failure.path.as_ref().map(|path| format!("{URL}{path}")),
            dataset: None,
            status: failure.status,
            retry_after_ms: failure.retry_after_ms,
            reading: None,
        }
    }
}

/// The words for a failure, unless an engine or a host has words of its own for what they quote.
fn detail(failure: &Failure) -> Option<String> {
    let quotes = [Code::NotJson, Code::TooOld, Code::Inconsistent, Code::SchemaUnsupported].contains(&failure.code);
    (!quotes && !failure.detail.is_empty()).then(|| failure.detail.clone())
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
