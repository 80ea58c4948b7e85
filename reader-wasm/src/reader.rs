//! What TypeScript calls.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::read::{self, Kind, Known, LockPolicy, Outcome, Plan, Reading, Shape, VerifiedManifest, Wanted};
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::cache::Store;
use crate::drive::{Call, Value, drive, now};
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
    /// `[reading, { place }]`; and with how the last look at the feed went.
    pub fn read(&self, order: JsValue, shape: Option<Function>, responses: &SharedResponses, done: Function) -> u32 {
        let (feed, responses) = (Rc::clone(&self.0), responses.responses());
        task::spawn(Box::pin(async move {
            let (error, readings, look) = match Order::parse(&feed, &order) {
                Ok(order) => order.read(feed, shape, responses).await,
                Err(problem) => {
                    let mistake = page::to_js(&ErrorOut::mistake("invalid-name", &problem));
                    (mistake, JsValue::UNDEFINED, JsValue::NULL)
                }
            };
            // It settles a promise, which calls nobody before this has ended.
            let _ = done.call3(&JsValue::UNDEFINED, &error, &readings, &look);
        }))
    }

    /// Whether the manifest that was accepted last names what was published of a dataset at this time, and it has not expired.
    pub fn names(&self, dataset: &str, sha256: &str, published_at: &str) -> bool {
        self.0.store.names(dataset, sha256, published_at)
    }

    /// Forgets all that is kept of the feed; `done` is called when nothing is left.
    pub fn forget(&self, done: Function) {
        self.0.latest.replace(None);
        self.0.store.forget(done);
    }
}

/// What is to be read, and how patiently.
struct Order {
    plan: Plan,
    /// Why the copies are to be handed out without a look.
    copies: Option<Code>,
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
        let copies = match get(order, "copies").as_string().as_deref() {
            Some("timeout") => Some(Code::Timeout),
            Some(_) => Some(Code::Checking),
            None => None,
        };
        Ok(Self { plan, copies, timeout_ms: number("timeoutMs").unwrap_or(0.0) as u32 })
    }

    async fn read(
        self,
        feed: Rc<Feed>,
        shape: Option<Function>,
        responses: Rc<crate::inflight::Responses>,
    ) -> (JsValue, JsValue, JsValue) {
        let Self { plan, copies, timeout_ms } = self;
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
        let mut set = Vec::new();
        if found.len() > 1 {
            let names: Vec<DatasetName> = found.iter().map(|(name, _)| name.clone()).collect();
            set = feed.store.find_set(&names).await.unwrap_or_default();
        }
        let known_set = (!set.is_empty()).then(|| set.iter().map(|found| found.head.clone()).collect());
        let known = Known { memory, heads, set: known_set };
        // Not before: what another tab has made this page forget is no reason to forget what this read brings.
        let era = feed.store.era();
        let (asked, thrown, refused) = (RefCell::default(), RefCell::default(), RefCell::default());
        let call =
            Rc::new(Call { feed: Rc::clone(&feed), timeout_ms, found, set, responses, asked, shape, thrown, refused });
        let step = match copies {
            Some(code) => read::copies(plan, known, Failure::new(code, not_looked(code)), now()),
            None => read::start(plan, known),
        };
        let Outcome { result, too_old, memory, manifest, unread, at } = drive(Rc::clone(&call), step).await;
        let look = look_out(unread.as_ref(), at);
        let stands = || feed.store.era() == era;
        if let Some(memory) = memory.filter(|_| stands() && copies.is_none()) {
            feed.store.remember(memory);
        }
        if let Some(manifest) = manifest.filter(|_| stands()) {
            feed.store.purge(manifest).await;
        }
        match result {
            Ok(mut readings) => {
                if stands() {
                    feed.store.keep(&mut readings);
                }
                (JsValue::NULL, readings_out(&readings), look)
            }
            // The reading that an error of the code `too-old` carries.
            Err(failure) => (call.error(&failure, &too_old), readings_out(&too_old[..too_old.len().min(1)]), look),
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

/// Why a copy is handed out before the feed was looked at.
fn not_looked(code: Code) -> &'static str {
    match code {
        Code::Timeout => "the server has not answered in the time that the page waits; this is the copy from before",
        _ => "the feed is being looked at; this is the copy from before",
    }
}

/// How a look went, as `Look` in `npm/src/freshness.ts`.
fn look_out(unread: Option<&Failure>, at: Timestamp) -> JsValue {
    let look = Object::new();
    page::set(&look, "at", &(at.ms() as f64).into());
    page::set(&look, "failure", &unread.map_or(JsValue::NULL, |failure| page::to_js(&ErrorOut::of(failure, ""))));
    look.into()
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
