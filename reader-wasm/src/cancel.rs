//! The end of a call before its time.
//!
//! A call is a future, and dropping it ends it: requests and timers in it stop when they are dropped. What is here waits
//! for the moment to do so.

use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

/// Becomes ready when a signal is aborted. Takes its listener back when dropped, so that a signal that outlives many
/// calls does not gather them.
pub(crate) struct Aborted {
    signal: AbortSignal,
    listener: Option<Function>,
    heard: JsFuture,
}

impl Aborted {
    /// Listens to `signal`, which has not been aborted yet.
    pub(crate) fn listen(signal: &AbortSignal) -> Self {
        let mut listener = None;
        let promise = Promise::new(&mut |resolve, _| listener = Some(resolve));
        if let Some(listener) = &listener {
            // A signal that takes no listeners is one that is never aborted.
            let _ = signal.add_event_listener_with_callback("abort", listener);
        }
        Self { signal: signal.clone(), listener, heard: promise.into() }
    }
}

impl Future for Aborted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.heard).poll(context).map(|_: Result<JsValue, JsValue>| ())
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            let _ = self.signal.remove_event_listener_with_callback("abort", listener);
        }
    }
}

/// Aborts what was started with its signal when dropped; what has ended by then does not mind.
pub(crate) struct AbortOnDrop(AbortController);

impl AbortOnDrop {
    pub(crate) fn new() -> Result<Self, JsValue> {
        AbortController::new().map(Self)
    }

    pub(crate) fn signal(&self) -> AbortSignal {
        self.0.signal()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
