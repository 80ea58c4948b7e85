//! Texts into plans and answers. What the other side gives is of this package, so what does not fit is a defect and is told
//! without detail; only names of datasets come from the page.

use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::json::{Json, Object};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Document, Known, LockPolicy, ManifestAnswers, Payload, Plan};
use lastgood_protocol::time::Timestamp;

use crate::read::Handle;

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
        let names = plan.member("datasets").and_then(Json::array).ok_or("a plan has datasets")?;
        let datasets = names
            .into_iter()
            .map(|name| {
                let name: String = name.parsed().ok_or("a dataset name is made of characters")?;
                DatasetName::parse(&name).map_err(|invalid| invalid.to_string())
            })
            .collect::<Result<Vec<_>, String>>()?;
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
        let lock_wait_ms = plan.number("lockWaitMs").unwrap_or(0);
        let max_bytes = plan.number("maxBytes").unwrap_or(u64::MAX);
        Ok(Self { plan: Plan { datasets, lock, lock_wait_ms, max_bytes }, known })
    }
}

/// What came of a step.
pub(crate) struct Answers<'a>(Object<'a>);

impl<'a> Answers<'a> {
    pub(crate) fn decode(text: &'a str) -> Option<Self> {
        Json::parse(text).ok()?.object().map(Self)
    }

    pub(crate) fn manifest(&self, manifest: &[u8], lock: &[u8]) -> Option<ManifestAnswers<Handle>> {
        Some(ManifestAnswers {
            manifest: document(self.0.member("manifest")?, manifest)?,
            lock: self.0.nullable("lock", |answer| document(answer, lock))?,
            guesses: self.objects()?,
        })
    }

    pub(crate) fn cached(&self) -> Option<Vec<Option<Payload<Handle>>>> {
        self.payloads()?.into_iter().map(|answer| Some(payload(&answer.object()?)?.ok())).collect()
    }

    pub(crate) fn objects(&self) -> Option<Vec<Result<Payload<Handle>, Failure>>> {
        self.payloads()?.into_iter().map(|answer| payload(&answer.object()?)).collect()
    }

    fn payloads(&self) -> Option<Vec<Json<'a>>> {
        self.0.member("payloads")?.array()
    }
}

fn document(answer: Json<'_>, bytes: &[u8]) -> Option<Result<Document, Failure>> {
    let answer = answer.object()?;
    if let Some(failure) = failure(&answer) {
        return Some(Err(failure));
    }
    let server_time = answer.nullable("serverTime", Json::number)?.map(Timestamp::from_ms);
    Some(Ok(Document { bytes: bytes.to_vec(), server_time }))
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
    Some(Failure { path: answer.parsed("path"), status: answer.number("status"), ..Failure::new(code, detail) })
}
