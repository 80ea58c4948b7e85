//! Texts into plans and answers. What the other side gives is of this package, so what does not fit is a defect and is told
//! without detail; only names of datasets come from the page.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::json::{Json, Object};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    Document, Kind, Known, LockPolicy, ManifestAnswer, ManifestAnswers, ObjectAnswers, Objection, Payload, Plan,
    SchemaObject, Shape, Wanted,
};
use lastgood_protocol::time::Timestamp;

use crate::chain::Handle;

/// What a read begins with.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) plan: Plan,
    pub(crate) known: Known,
}

impl Begin {
    /// Decodes a plan; the error is for the page.
    pub(crate) fn decode(text: &str) -> Result<Self, String> {
        let plan = Json::parse(text).ok().and_then(Json::object).ok_or("this is not a plan")?;
        let datasets = plan.member("datasets").and_then(Json::array).ok_or("a plan has datasets")?;
        let datasets = datasets.into_iter().map(wanted).collect::<Result<Vec<_>, String>>()?;
        let lock = match plan.parsed::<String>("lock").as_deref() {
            Some("ignore") => LockPolicy::Ignore,
            Some("wait") => LockPolicy::Wait,
            _ => LockPolicy::Cache,
        };
        let heads = plan.member("heads").and_then(Json::array).unwrap_or_default();
        // What cannot be decoded is not there: the step says which heads were taken.
        let known = Known {
            memory: plan.parsed::<String>("memory").and_then(|text| FeedMemory::decode(&text)),
            heads: heads.into_iter().map(|head| CacheHead::decode(&head.parsed::<String>()?)).collect(),
        };
        let plan = Plan {
            datasets,
            lock,
            lock_wait_ms: plan.number("lockWaitMs").unwrap_or(0),
            max_bytes: plan.number("maxBytes").unwrap_or(u64::MAX),
            max_age_ms: plan.number("maxAge"),
            again: plan.member("again").is_some_and(|again| again.as_str() == "true"),
        };
        Ok(Self { plan, known })
    }
}

/// A dataset and what it is read as: an artifact has no `versions` and nothing to validate.
fn wanted(json: Json<'_>) -> Result<Wanted, String> {
    let wanted = json.object().ok_or("a dataset is told by an object")?;
    let name: String = wanted.parsed("name").ok_or("a dataset name is made of characters")?;
    let dataset = DatasetName::parse(&name).map_err(|invalid| invalid.to_string())?;
    if wanted.parsed::<String>("kind").as_deref() == Some("artifact") {
        return Ok(Wanted::artifact(dataset));
    }
    let validate = wanted.member("validate").is_some_and(|validate| validate.as_str() == "true");
    let versions = wanted.number("oldest").zip(wanted.number("newest")).map(|(oldest, newest)| oldest..=newest);
    Ok(Wanted { dataset, kind: Kind::Json(Shape { validate, versions }) })
}

/// What came of a step.
pub(crate) struct Answers<'a>(Object<'a>);

impl<'a> Answers<'a> {
    pub(crate) fn decode(text: &'a str) -> Option<Self> {
        Json::parse(text).ok()?.object().map(Self)
    }

    /// `verify` makes a manifest of its bytes.
    pub(crate) fn manifest(
        &self,
        lock: &[u8],
        verify: impl FnOnce(Option<Timestamp>) -> Result<ManifestAnswer, Failure>,
    ) -> Option<ManifestAnswers<Handle>> {
        let document = |bytes: &[u8], time| Document { bytes: bytes.to_vec(), server_time: time };
        Some(ManifestAnswers {
            manifest: server_time(self.0.member("manifest")?)?.and_then(verify),
            lock: self.0.nullable("lock", server_time)?.map(|answer| answer.map(|time| document(lock, time))),
            guesses: self.payloads()?,
        })
    }

    pub(crate) fn cached(&self) -> Option<Vec<Option<Payload<Handle>>>> {
        Some(self.payloads()?.into_iter().map(Result::ok).collect())
    }

    pub(crate) fn objects(&self) -> Option<ObjectAnswers<Handle>> {
        Some(ObjectAnswers {
            payloads: self.payloads()?,
            schemas: self.each("schemas", |answer| schema(&answer.object()?))?,
        })
    }

    pub(crate) fn verdicts(&self) -> Option<Vec<Result<(), Objection>>> {
        self.each("verdicts", |verdict| {
            let verdict = verdict.object()?;
            let invalid = verdict.parsed("invalid").map(Objection::Invalid);
            Some(invalid.or_else(|| verdict.parsed("unsupported").map(Objection::Unsupported)).map_or(Ok(()), Err))
        })
    }

    fn payloads(&self) -> Option<Vec<Result<Payload<Handle>, Failure>>> {
        self.each("payloads", |answer| payload(&answer.object()?))
    }

    fn each<T>(&self, name: &str, decode: impl Fn(Json<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.0.member(name)?.array()?.into_iter().map(decode).collect()
    }
}

/// The server's time in the answer for a document, whose bytes come apart.
fn server_time(answer: Json<'_>) -> Option<Result<Option<Timestamp>, Failure>> {
    let answer = answer.object()?;
    Some(match failure(&answer) {
        Some(failure) => Err(failure),
        None => Ok(answer.nullable("serverTime", Json::signed)?.map(Timestamp::from_ms)),
    })
}

fn schema(answer: &Object<'_>) -> Option<Result<SchemaObject, Failure>> {
    Some(match failure(answer) {
        Some(failure) => Err(failure),
        None => Ok(SchemaObject { sha256: answer.parsed("sha256")?, size: answer.number("size")? }),
    })
}

fn payload(answer: &Object<'_>) -> Option<Result<Payload<Handle>, Failure>> {
    if let Some(failure) = failure(answer) {
        return Some(Err(failure));
    }
    let value = match answer.nullable("problem", Json::parsed)? {
        Some(problem) => Err(problem),
        None => Ok(answer.number("handle")?),
    };
    Some(Ok(Payload { sha256: answer.parsed("sha256")?, size: answer.number("size")?, value }))
}

fn failure(answer: &Object<'_>) -> Option<Failure> {
    let code: String = answer.parsed("code")?;
    let code = Code::ALL.into_iter().find(|known| known.as_str() == code)?;
    // Half a surrogate pair, which the text of a thrown error may have, is no character.
    let detail: String = answer.parsed("detail").unwrap_or_default();
    let mut failure = Failure::new(code, detail);
    (failure.path, failure.status) = (answer.parsed("path"), answer.number("status"));
    failure.retry_after_ms = answer.number("retryAfterMs");
    Some(failure)
}
