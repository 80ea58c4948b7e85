//! Carries out the steps of the read algorithm.

use std::future::poll_fn;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::{OptionFuture, join3, maybe_done};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, JsString};
use lastgood_protocol::cache::{CacheHead, FeedMemory};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{
    self, FetchManifest, FetchObjects, Known, LoadCache, ManifestAnswer, ManifestAnswers, ObjectAnswers, Outcome,
    Payload, Plan, Step, Wanted,
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
            Step::FetchManifest(step) => fetch_manifest(step, fetcher).boxed_local().await,
            Step::LoadCache(step) => cached.load_payloads(step).boxed_local().await,
            Step::FetchObjects(step) => fetch_objects(step, fetcher).boxed_local().await,
            // Nothing is asked to be validated yet.
            Step::Validate(step) => step.complete(Vec::new()),
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
        all(guesses.iter().map(|guess| fetcher.payload(guess))),
    )
    .await;
    let manifest = manifest.and_then(|document| ManifestAnswer::verify(&document));
    step.complete(ManifestAnswers { manifest, lock, guesses }, now())
}

async fn fetch_objects(step: FetchObjects<Value>, fetcher: Fetcher<'_>) -> Step<Value> {
    let requests = step.requests();
    let payloads = all(requests.iter().map(|request| fetcher.payload(request))).await;
    step.complete(ObjectAnswers { payloads, schemas: Vec::new() })
}

/// What was cached when the read began.
struct Cached<'a> {
    store: &'a Store,
    entries: Vec<(DatasetName, JsString, Sha256)>,
}

impl<'a> Cached<'a> {
    fn load(datasets: &[Wanted], store: &'a Store) -> (Self, Vec<Option<CacheHead>>) {
        let mut entries = Vec::new();
        let mut take = |dataset: &DatasetName| {
            let Entry { head, text } = store.entry(dataset)?;
            entries.push((dataset.clone(), text, head.sha256));
            Some(head)
        };
        let heads = datasets.iter().map(|wanted| take(&wanted.dataset)).collect();
        (Self { store, entries }, heads)
    }

    async fn load_payloads(&self, step: LoadCache<Value>) -> Step<Value> {
        let payloads = all(step.wanted().map(|dataset| self.payload(dataset))).await;
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

/// Runs the futures beside each other, for their outputs in order. Does what `join_all` does without the machinery for
/// thousands, which would be a tenth of the module.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| Box::pin(maybe_done(future))).collect();
    let poll_all = |context: &mut Context<'_>| {
        let mut pending = false;
        for future in &mut futures {
            pending |= future.as_mut().poll(context).is_pending();
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    };
    poll_fn(poll_all).await;
    futures.iter_mut().filter_map(|future| future.as_mut().take_output()).collect()
}

fn now() -> Timestamp {
    Timestamp::from_ms(Date::now() as i64)
}
