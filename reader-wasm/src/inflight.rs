//! Requests that several reads share.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use js_sys::{Object, Uint8Array};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::layout;
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::fetch::{self, Body, FetchError};
use crate::page;
use crate::payload::Payload;
use crate::reading::ErrorOut;
use crate::task::Boxed;

/// What comes of a request.
#[derive(Debug)]
pub(crate) enum Fetched {
    Document(Body),
    Payload(Rc<Payload>),
}

pub(crate) type Fetching = Result<Rc<Fetched>, Rc<FetchError>>;
/// A request under way. It ends early when the last that waits for it is dropped.
pub(crate) type Flight = Shared<Boxed<Fetching>>;

/// The requests under way, one per key, whatever the number of those that wait for it.
#[derive(Default)]
pub(crate) struct InFlight(RefCell<Vec<(String, WeakShared<Boxed<Fetching>>)>>);

impl InFlight {
    /// Joins the request of this key, or makes it.
    pub(crate) fn join(&self, key: String, request: impl FnOnce() -> Boxed<Fetching>) -> Flight {
        let mut flights = self.0.borrow_mut();
        flights.retain(|(_, flight)| flight.upgrade().is_some_and(|flight| flight.peek().is_none()));
        if let Some(flight) = flights.iter().find(|flight| flight.0 == key).and_then(|flight| flight.1.upgrade()) {
            return flight;
        }
        let flight = request().shared();
        flights.extend(flight.downgrade().map(|weak| (key, weak)));
        flight
    }
}

/// What the server answers to the requests of one look for the manifest and the lock marker: all reads of the look share it, and other
/// tabs are told.
#[wasm_bindgen]
#[derive(Default)]
pub struct SharedResponses(Rc<Responses>);

/// By path.
#[derive(Default)]
pub(crate) struct Responses(RefCell<Vec<(String, Flight)>>);

#[wasm_bindgen]
impl SharedResponses {
    /// None so far.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// The responses that another tab has got, as in [`told`](Self::told).
    pub fn heard(manifest: JsValue, lock: JsValue) -> Self {
        let responses = Self::default();
        responses.0.hear(layout::manifest().as_str(), &manifest);
        if !lock.is_null() {
            responses.0.hear(layout::lock().as_str(), &lock);
        }
        responses
    }

    /// What to tell other tabs: `{ manifest, lock }`, each `{ bytes, serverTime }` or a failure, `lock` is `null` where it was not asked
    /// for; `undefined` when there is nothing to tell.
    pub fn told(&self) -> JsValue {
        let of = |path: &str| {
            let responses = self.0.0.borrow();
            let (_, flight) = responses.iter().find(|response| response.0 == path)?;
            match flight.peek()? {
                Ok(fetched) => match &**fetched {
                    Fetched::Document(body) => Some(JsValue::from(fetch::told(body))),
                    Fetched::Payload(_) => None,
                },
                Err(error) if error.thrown.is_none() => Some(page::to_js(&ErrorOut::of(&error.failure, ""))),
                Err(_) => None,
            }
        };
        let Some(manifest) = of(layout::manifest().as_str()) else { return JsValue::UNDEFINED };
        let told = Object::new();
        page::set(&told, "manifest", &manifest);
        page::set(&told, "lock", &of(layout::lock().as_str()).unwrap_or(JsValue::NULL));
        told.into()
    }

    pub(crate) fn responses(&self) -> Rc<Responses> {
        Rc::clone(&self.0)
    }
}

impl Responses {
    fn hear(&self, path: &str, answer: &JsValue) {
        let fetching: Fetching = match page::get(answer, "bytes").dyn_into::<Uint8Array>() {
            Ok(bytes) => {
                let server_time = page::get(answer, "serverTime").as_f64().map(|ms| Timestamp::from_ms(ms as i64));
                Ok(Rc::new(Fetched::Document(Body { bytes, server_time, media_type: String::new() })))
            }
            Err(_) => Err(Rc::new(heard_failure(answer).into())),
        };
        let ready: Boxed<Fetching> = Box::pin(std::future::ready(fetching));
        self.0.borrow_mut().push((path.to_owned(), ready.shared()));
    }

    /// The response to the request for a file; `ask` makes it, also `again`, when the first answer did not do.
    pub(crate) fn get(&self, path: &str, again: bool, ask: impl FnOnce() -> Flight) -> Flight {
        let mut responses = self.0.borrow_mut();
        let known = responses.iter().position(|response| response.0 == path);
        if let Some(at) = known {
            let failed_here = matches!(responses[at].1.peek(), Some(Err(error)) if error.thrown.is_some());
            if !again && !failed_here {
                return responses[at].1.clone();
            }
            drop(responses.swap_remove(at));
        }
        let flight = ask();
        responses.push((path.to_owned(), flight.clone()));
        flight
    }
}

/// A failure that another tab has told of. What it may be about is checked where messages are taken.
fn heard_failure(answer: &JsValue) -> Failure {
    let text = |name: &str| page::get(answer, name).as_string();
    let number = |name: &str| page::get(answer, name).as_f64();
    let code = text("code").and_then(|code| Code::ALL.into_iter().find(|known| known.as_str() == code));
    let mut failure = Failure::new(code.unwrap_or(Code::Offline), text("detail").unwrap_or_default());
    failure.path = text("path");
    failure.status = number("status").map(|status| status as u16);
    failure.retry_after_ms = number("retryAfterMs").map(|ms| ms as u64);
    failure
}
