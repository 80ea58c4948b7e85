//! What TypeScript calls.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function};
use lastgood_protocol::failure::Failure;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{self, Kind, Known, LockPolicy, Outcome, Plan, Reading, Shape, VerifiedManifest, Wanted};
use wasm_bindgen::prelude::*;

use crate::cache::Store;
use crate::drive::{Call, Value, drive};
use crate::inflight::{InFlight, SharedResponses};
use crate::page::{self, Page, get};
use crate::reading::{self, ErrorOut};
use crate::schemas::Schemas;
use crate::task::{self, Boxed, together};

/// What the reads of one feed share.
pub(crate) struct Feed {
    pub(crate) page: Rc<Page>,
    pub(crate) store: Rc<Store>,
    pub(crate) in_flight: InFlight,
    pub(crate) schemas: Schemas,
    /// The manifest that was verified last, and the bytes that it was made of: however many reads share an answer, it is verified once.
    latest: RefCell<Option<(Vec<u8>, VerifiedManifest)>>,
}

impl Feed {
    pub(crate) fn verified(&self, bytes: Vec<u8>) -> Result<VerifiedManifest, Failure> {
        if let Some((_, manifest)) = self.latest.borrow().as_ref().filter(|(before, _)| *before == bytes) {
            return Ok(manifest.clone());
        }
        let manifest = VerifiedManifest::verify(&bytes)?;
        self.latest.replace(Some((bytes, manifest.clone())));
        Ok(manifest)
    }
}

/// Reads from one feed.
#[wasm_bindgen]
pub struct Reader(Rc<Feed>);

#[wasm_bindgen]
impl Reader {
    /// Makes no request.
    #[wasm_bindgen(constructor)]
    pub fn new(page: Page) -> Self {
        let page = Rc::new(page);
        let store = Rc::new(Store::new(Rc::clone(&page)));
        let (in_flight, schemas, latest) = (InFlight::default(), Schemas::default(), RefCell::default());
        Self(Rc::new(Feed { page, store, in_flight, schemas, latest }))
    }

    /// Begins a read of what `order` says (`Task` in `npm/src/read/reader.ts`) and returns its number, for [`cancel`](crate::task::cancel).
    /// `done` is called once unless it is cancelled: with an error and `undefined`, or with `null` and readings, each as
    /// `[reading, { place }]`.
    pub fn read(&self, order: JsValue, shape: Option<Function>, responses: &SharedResponses, done: Function) -> u32 {
        let (feed, responses) = (Rc::clone(&self.0), responses.responses());
        task::spawn(Box::pin(async move {
            let (error, readings) = match Order::parse(&feed, &order) {
                Ok(order) => order.read(feed, shape, responses).await,
                Err(problem) => (page::to_js(&ErrorOut::mistake("invalid-name", &problem)), JsValue::UNDEFINED),
            };
            // It settles a promise, which calls nobody before this has ended.
            let _ = done.call2(&JsValue::UNDEFINED, &error, &readings);
        }))
    }
}

/// What is to be read, and how patiently.
struct Order {
    plan: Plan,
    timeout_ms: u32,
}

impl Order {
    fn parse(feed: &Feed, order: &JsValue) -> Result<Self, String> {
        let number = |name: &str| get(order, name).as_f64();
        let datasets = Array::from(&get(order, "datasets"));
        let plan = Plan {
            datasets: datasets.iter().map(|wanted| parse_wanted(&wanted)).collect::<Result<_, _>>()?,
            lock: match get(order, "lock").as_string().as_deref() {
                Some("ignore") => LockPolicy::Ignore,
                Some("wait") => LockPolicy::Wait,
                _ => LockPolicy::Cache,
            },
            lock_wait_ms: number("lockWaitMs").unwrap_or(0.0) as u64,
            max_bytes: feed.page.max_bytes() as u64,
            max_age_ms: number("maxAge").map(|ms| ms as u64),
            again: get(order, "again").is_truthy(),
        };
        Ok(Self { plan, timeout_ms: number("timeoutMs").unwrap_or(0.0) as u32 })
    }

    async fn read(
        self,
        feed: Rc<Feed>,
        shape: Option<Function>,
        responses: Rc<crate::inflight::Responses>,
    ) -> (JsValue, JsValue) {
        let Self { plan, timeout_ms } = self;
        let memory = feed.store.memory().await;
        let find = |wanted: &Wanted| -> Boxed<_> {
            let (store, dataset) = (Rc::clone(&feed.store), wanted.dataset.clone());
            Box::pin(async move {
                let found = store.find(&dataset).await;
                (dataset, found)
            })
        };
        let found = together(plan.datasets.iter().map(find).collect()).await;
        let heads = found.iter().map(|(_, found)| found.as_ref().map(|found| found.head.clone())).collect();
        let (asked, thrown) = (RefCell::default(), RefCell::default());
        let call = Rc::new(Call { feed: Rc::clone(&feed), timeout_ms, found, responses, asked, shape, thrown });
        let step = read::start(plan, Known { memory, heads });
        let Outcome { result, too_old, memory, manifest, .. } = drive(Rc::clone(&call), step).await;
        if let Some(memory) = memory {
            feed.store.remember(memory);
        }
        if let Some(manifest) = manifest {
            feed.store.purge(manifest).await;
        }
        match result {
            Ok(mut readings) => {
                feed.store.keep(&mut readings);
                (JsValue::NULL, readings_out(&readings))
            }
            // The reading that an error of the code `too-old` carries.
            Err(failure) => (call.error(&failure, &too_old), readings_out(&too_old[..too_old.len().min(1)])),
        }
    }
}

impl Call {
    /// What the page gets where there is nothing to hand out.
    fn error(&self, failure: &Failure, too_old: &[Reading<Value>]) -> JsValue {
        let thrown = self.thrown.borrow();
        let is_it = |(known, _): &&(Failure, JsValue)| known.code == failure.code && known.detail == failure.detail;
        if let Some((_, thrown)) = thrown.iter().find(is_it) {
            return thrown.clone();
        }
        let dataset = too_old.first().map_or("", |reading| reading.dataset.as_str());
        page::to_js(&ErrorOut::of(failure, dataset))
    }
}

fn readings_out(readings: &[Reading<Value>]) -> JsValue {
    readings.iter().map(reading::to_js).collect::<Array>().into()
}

/// A dataset and what it is read as: an artifact has no versions and nothing to validate.
fn parse_wanted(wanted: &JsValue) -> Result<Wanted, String> {
    let name = get(wanted, "name").as_string().ok_or("a dataset name is made of characters")?;
    let dataset = DatasetName::parse(&name).map_err(|invalid| invalid.to_string())?;
    if get(wanted, "kind").as_string().as_deref() == Some("artifact") {
        return Ok(Wanted::artifact(dataset));
    }
    let version = |name: &str| get(wanted, name).as_f64().map(|version| version as u32);
    let shape = Shape {
        validate: get(wanted, "validate").is_truthy(),
        versions: version("oldest").zip(version("newest")).map(|(oldest, newest)| oldest..=newest),
        own: get(wanted, "own").is_truthy(),
    };
    Ok(Wanted { dataset, kind: Kind::Json(shape) })
}
