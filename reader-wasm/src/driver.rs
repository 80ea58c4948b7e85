//! Carries out the steps of the read algorithm.

use futures_util::future::{OptionFuture, join_all, join3};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, JsString};
use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    self, FetchManifest, FetchObjects, Known, LoadCache, ManifestAnswers, Outcome, Payload, Plan, Step,
};
use lastgood_protocol::time::Timestamp;

use crate::fetch::Fetcher;
use crate::payload::{self, Value};
use crate::store::{Entry, Store};

/// Reads what is planned. Dropping the future ends the read with everything that is under way for it.
pub(crate) async fn read(
    plan: Plan,
    memory: Option<FeedMemory>,
    store: &Store,
    fetcher: Fetcher<'_>,
) -> Outcome<Value> {
    let (cached, heads) = Cached::load(&plan.datasets, store);
    let mut step = read::start(plan, Known { memory, heads });
    loop {
        step = match step {
            Step::FetchManifest(step) => fetch_manifest(step, fetcher).await,
            Step::LoadCache(step) => cached.load_payloads(step).await,
            Step::FetchObjects(step) => fetch_objects(step, fetcher).await,
            Step::Wait(step) => {
                TimeoutFuture::new(u32::try_from(step.ms()).unwrap_or(u32::MAX)).await;
                step.complete()
            }
            Step::Done(outcome) => return outcome,
        }
    }
}

async fn fetch_manifest(step: FetchManifest<Value>, fetcher: Fetcher<'_>) -> Step<Value> {
    let (manifest, lock, guesses) = (step.manifest(), step.lock(), step.guesses());
    let (manifest, lock, guesses) = join3(
        fetcher.document(&manifest),
        OptionFuture::from(lock.as_ref().map(|lock| fetcher.document(lock))),
        join_all(guesses.iter().map(|guess| fetcher.payload(guess))),
    )
    .await;
    step.complete(ManifestAnswers { manifest, lock, guesses }, now())
}

async fn fetch_objects(step: FetchObjects<Value>, fetcher: Fetcher<'_>) -> Step<Value> {
    let requests = step.requests();
    let answers = join_all(requests.iter().map(|request| fetcher.payload(request))).await;
    step.complete(answers)
}

/// What was cached when the read began.
struct Cached<'a> {
    store: &'a Store,
    entries: Vec<(DatasetName, JsString, Sha256)>,
}

impl<'a> Cached<'a> {
    fn load(datasets: &[DatasetName], store: &'a Store) -> (Self, Vec<Option<CacheHead>>) {
        let mut entries = Vec::new();
        let mut take = |dataset: &DatasetName| {
            let Entry { head, text } = store.entry(dataset)?;
            entries.push((dataset.clone(), text, head.sha256));
            Some(head)
        };
        let heads = datasets.iter().map(&mut take).collect();
        (Self { store, entries }, heads)
    }

    async fn load_payloads(&self, step: LoadCache<Value>) -> Step<Value> {
        let payloads = join_all(step.wanted().map(|dataset| self.payload(dataset))).await;
        step.complete(payloads)
    }

    async fn payload(&self, dataset: &DatasetName) -> Option<Payload<Value>> {
        let (_, text, expected) = self.entries.iter().find(|(name, ..)| name == dataset)?;
        let payload = payload::read_text(text).await?;
        if payload.sha256 != *expected {
            self.store.tell_corrupt(dataset, "the cached copy has been altered");
        }
        Some(payload)
    }
}

fn now() -> Timestamp {
    Timestamp::from_ms(Date::now() as i64)
}
