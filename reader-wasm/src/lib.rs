//! The browser's driver of the read algorithm: the WebAssembly half of the npm package `lastgood`.
//!
//! Beside it stands `npm/lastgood.js`, which loads this module and gives it the shape that `npm/lastgood.d.ts`
//! documents. Payloads stay on the JavaScript side: their bytes are hashed by the engine, and their values made by its
//! own `JSON.parse`.
//!
//! | module | what it does |
//! | --- | --- |
//! | `feed` | one call: check what it is given, end it early when told to, hand out its result |
//! | `driver` | carries out the steps of [`lastgood_protocol::read`] |
//! | `fetch` | one request, with its limits of size and time |
//! | `payload` | bytes into a digest and a value, beside each other |
//! | `hash` | SHA-256 by the browser, or by this module where the browser has none |
//! | `store` | what is kept between visits, in localStorage |
//! | `eviction` | which entries go first when space is short |
//! | `memory` | the latest manifest seen |
//! | `options` | options into types |
//! | `reading` | readings into plain objects |
//! | `error` | failures into plain objects |
//! | `event` | what an app may want to log |
//! | `cancel` | the end of a call before its time |
//! | `js` | what the page provides and `js-sys` and `web-sys` do not describe as it is needed here |

mod cancel;
mod driver;
mod error;
mod event;
mod eviction;
mod feed;
mod fetch;
mod hash;
mod js;
mod memory;
mod options;
mod payload;
mod reading;
mod store;

use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;

use crate::feed::Feed;

/// A feed opened for reading.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Reader {
    feed: Rc<Feed>,
}

#[wasm_bindgen]
impl Reader {
    /// Opens the feed at `url`: absolute, with a slash at the end.
    ///
    /// # Errors
    /// An object with `code` and `message` when the options cannot be used.
    #[wasm_bindgen(constructor)]
    pub fn new(url: String, options: &JsValue) -> Result<Reader, JsValue> {
        let feed = Feed::open(url, options).map_err(|error| error.into_js(""))?;
        Ok(Self { feed: Rc::new(feed) })
    }

    /// Reads datasets that belong together. Resolves with an array of readings in the order of `names`, or rejects with
    /// an object that has `code`, `message`, `dataset`, `url` and `status`.
    pub fn read(&self, names: Array, options: JsValue) -> Promise {
        // The feed is shared, not borrowed: the page may drop or close it meanwhile.
        let feed = Rc::clone(&self.feed);
        wasm_bindgen_futures::future_to_promise(async move {
            match feed.read(&names, &options).await {
                Ok(readings) => Ok(readings.into()),
                Err(error) => Err(error.into_js(feed.url())),
            }
        })
    }

    /// Ends every call in progress; later calls are refused.
    pub fn close(&self) {
        self.feed.close();
    }
}

/// Half the size of the default allocator, and still no list to search through.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
