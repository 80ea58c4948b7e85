//! One call: check what it is given, end it early when told to, hand out its result.

use std::cell::RefCell;

use futures_util::FutureExt;
use futures_util::future::{Either, pending, select};
use js_sys::Array;
use lastgood_protocol::cache::FeedMemory;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{Kind, Outcome, Plan, Shape, Wanted};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};

use crate::cancel::Aborted;
use crate::error::Error;
use crate::event::Listener;
use crate::fetch::Fetcher;
use crate::options::{OpenOptions, Patience, ReadOptions};
use crate::payload::Value;
use crate::store::Store;
use crate::{driver, js, memory, reading};

/// An open feed.
#[derive(Debug)]
pub(crate) struct Feed {
    url: String,
    defaults: Patience,
    max_bytes: u64,
    store: Store,
    /// Beside the stored one, so that a replay is noticed in this page even where storage is blocked.
    memory: RefCell<Option<FeedMemory>>,
    closing: AbortController,
}

impl Feed {
    pub(crate) fn open(url: String, options: &JsValue) -> Result<Self, Error> {
        let options = OpenOptions::parse(options)?;
        let store = Store::new(&url, options.cached, Listener(options.on_event));
        let closing = AbortController::new().map_err(|thrown| Error::Platform(js::describe(&thrown)))?;
        let (defaults, max_bytes) = (options.patience, options.max_bytes);
        Ok(Self { url, defaults, max_bytes, store, memory: RefCell::new(None), closing })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn close(&self) {
        self.closing.abort();
    }

    /// Reads the datasets; an array of readings, in order.
    pub(crate) async fn read(&self, names: &Array, options: &JsValue) -> Result<Array, Error> {
        let closed = listen(&self.closing.signal()).ok_or(Error::Closed)?;
        let ReadOptions { patience, signal } = ReadOptions::parse(options, &self.defaults)?;
        let datasets = names.iter().map(|name| parse_name(&name)).collect::<Result<Vec<_>, _>>()?;
        let aborted = match &signal {
            Some(signal) => Either::Left(listen(signal).ok_or(Error::Aborted)?),
            None => Either::Right(pending()),
        };
        if datasets.is_empty() {
            return Ok(Array::new());
        }
        let reading = self.read_now(datasets, &patience).boxed_local();
        match select(select(closed, aborted), reading).await {
            Either::Left((Either::Left(_), _)) => Err(Error::Closed),
            Either::Left((Either::Right(_), _)) => Err(Error::Aborted),
            Either::Right((outcome, _)) => Ok(outcome.result?.iter().map(reading::into_js).collect()),
        }
    }

    async fn read_now(&self, datasets: Vec<DatasetName>, patience: &Patience) -> Outcome<Value> {
        let shape = Shape { validate: false, versions: None };
        let json = |dataset| Wanted { dataset, kind: Kind::Json(shape.clone()) };
        let plan = Plan {
            datasets: datasets.into_iter().map(json).collect(),
            lock: patience.lock,
            lock_wait_ms: patience.lock_wait_ms.into(),
            max_bytes: self.max_bytes,
            max_age_ms: None,
            again: false,
        };
        let before = memory::later(self.store.memory(), self.memory.borrow().clone());
        let fetcher = Fetcher { feed: &self.url, timeout_ms: patience.timeout_ms };
        let outcome = driver::read(plan, before, &self.store, fetcher).await;
        self.remember(outcome.memory.clone());
        if let Ok(readings) = &outcome.result {
            self.store.keep(readings);
        }
        outcome
    }

    /// Keeps what was seen, unless another call or tab has seen more meanwhile.
    fn remember(&self, seen: Option<FeedMemory>) {
        let Some(seen) = seen else { return };
        let before = memory::later(self.store.memory(), self.memory.borrow().clone());
        if before.is_some_and(|before| before.feed == seen.feed && before.generation > seen.generation) {
            return;
        }
        self.store.keep_memory(&seen);
        self.memory.replace(Some(seen));
    }
}

/// Listens for the end; `None` when it has come already.
fn listen(signal: &AbortSignal) -> Option<Aborted> {
    (!signal.aborted()).then(|| Aborted::listen(signal))
}

fn parse_name(name: &JsValue) -> Result<DatasetName, Error> {
    let text = name.as_string().ok_or_else(|| Error::NotAName(js::describe(name)))?;
    Ok(DatasetName::parse(&text)?)
}
