//! One request, with its limits of size and time.

use std::pin::pin;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Date, Object, Promise, Reflect, Uint8Array};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::read::{Caching, Document, Payload, Request};
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, ReadableStreamDefaultReader, ReadableStreamReadResult, RequestCache, RequestInit, Response};

use crate::cancel::AbortOnDrop;
use crate::js;
use crate::payload::{self, Value};

/// Fetches the files of one feed for one call. A request ends when its future is dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetcher<'a> {
    /// The feed's address, which ends in a slash.
    pub(crate) feed: &'a str,
    /// The longest wait, in milliseconds.
    pub(crate) timeout_ms: u32,
}

impl Fetcher<'_> {
    /// A small file, all of it within the time limit.
    pub(crate) async fn document(&self, request: &Request) -> Result<Document, Failure> {
        let mut exchange = Exchange::new(request, Patience::for_all_of_it(self.timeout_ms))?;
        let response = exchange.response(self.feed).await?;
        let server_time = server_time(&response.headers());
        let mut bytes = Vec::new();
        for chunk in exchange.body(&response).await? {
            bytes.extend(chunk.to_vec());
        }
        Ok(Document { bytes, server_time })
    }

    /// A payload, however long it takes as long as something arrives: a slow phone can finish a large download.
    pub(crate) async fn payload(&self, request: &Request) -> Result<Payload<Value>, Failure> {
        let mut exchange = Exchange::new(request, Patience::for_each_part(self.timeout_ms))?;
        let response = exchange.response(self.feed).await?;
        let chunks = exchange.body(&response).await?;
        Ok(payload::read(&joined(chunks)).await)
    }
}

/// A request and its answer.
struct Exchange<'a> {
    request: &'a Request,
    patience: Patience,
    abort: AbortOnDrop,
}

impl<'a> Exchange<'a> {
    fn new(request: &'a Request, patience: Patience) -> Result<Self, Failure> {
        let abort = AbortOnDrop::new().map_err(|thrown| not_sent(request, &thrown))?;
        Ok(Self { request, patience, abort })
    }

    fn path(&self) -> &'a str {
        self.request.path.as_str()
    }

    async fn response(&mut self, feed: &str) -> Result<Response, Failure> {
        let url = [feed, self.path()].concat();
        let sent = js::fetch(&url, &self.init()).map_err(|thrown| not_sent(self.request, &thrown))?;
        let answer = self.in_time(sent).await?.map_err(|thrown| not_sent(self.request, &thrown))?;
        let response: Response = answer.unchecked_into();
        match response.status() {
            200 => Ok(response),
            status => Err(Failure::http(self.path(), status)),
        }
    }

    /// Credentials stay at the default, `same-origin`. `Accept` keeps single-page-app servers from answering with their
    /// HTML page and needs no CORS preflight; conditional headers would need one, so revalidating is left to `cache`.
    fn init(&self) -> RequestInit {
        let init = RequestInit::new();
        init.set_cache(match self.request.caching {
            Caching::Allow => RequestCache::Default,
            Caching::Revalidate => RequestCache::NoCache,
            Caching::Bypass => RequestCache::Reload,
            Caching::Forbid => RequestCache::NoStore,
        });
        let headers = Object::new();
        // A new plain object takes every member.
        let _ = Reflect::set(&headers, &"accept".into(), &"application/json".into());
        init.set_headers(&headers);
        init.set_signal(Some(&self.abort.signal()));
        init
    }

    /// The parts of the body, no more than the limit.
    async fn body(&mut self, response: &Response) -> Result<Vec<Uint8Array>, Failure> {
        let mut chunks = Vec::new();
        let Some(stream) = response.body() else { return Ok(chunks) };
        let broken = |thrown: &JsValue| {
            let detail =
                format!("{}: the connection broke in the middle ({})", self.request.path, js::describe(thrown));
            Failure::new(Code::Truncated, detail).at(self.request.path.as_str())
        };
        let reader = ReadableStreamDefaultReader::new(&stream).map_err(|thrown| broken(&thrown))?;
        let mut size = 0;
        loop {
            let result = self.in_time(reader.read()).await?;
            let result: ReadableStreamReadResult = result.map_err(|thrown| broken(&thrown))?.unchecked_into();
            if result.get_done() == Some(true) {
                return Ok(chunks);
            }
            let chunk: Uint8Array = result.get_value().unchecked_into();
            if size == 0 {
                self.expect_json(&chunk)?;
            }
            size += u64::from(chunk.length());
            if size > self.request.limit {
                // Leaving drops the abort guard: the rest is not downloaded.
                return Err(Failure::too_large(self.path(), self.request.limit));
            }
            chunks.push(chunk);
        }
    }

    /// Tells the HTML page of a single-page app at its first byte, before its size can look like the problem.
    fn expect_json(&self, start: &Uint8Array) -> Result<(), Failure> {
        let start = start.subarray(0, start.length().min(256)).to_vec();
        if self.path().ends_with(".json") && start.trim_ascii_start().starts_with(b"<") {
            return Err(Failure::not_json(self.path(), &start));
        }
        Ok(())
    }

    async fn in_time(&mut self, promise: Promise) -> Result<Result<JsValue, JsValue>, Failure> {
        let late = |waited| {
            let detail = format!("{}: {waited}", self.request.path);
            Failure::new(Code::Timeout, detail).at(self.request.path.as_str())
        };
        self.patience.wait_for(promise).await.map_err(late)
    }
}

/// How long is waited for an answer.
struct Patience {
    ms: u32,
    /// Whether the time begins anew with each part.
    for_each_part: bool,
    timer: TimeoutFuture,
}

impl Patience {
    fn for_all_of_it(ms: u32) -> Self {
        Self { ms, for_each_part: false, timer: TimeoutFuture::new(ms) }
    }

    fn for_each_part(ms: u32) -> Self {
        Self { for_each_part: true, ..Self::for_all_of_it(ms) }
    }

    /// How the promise ended, or in words how long was waited for it.
    async fn wait_for(&mut self, promise: Promise) -> Result<Result<JsValue, JsValue>, String> {
        let ms = self.ms;
        if self.for_each_part {
            self.timer = TimeoutFuture::new(ms);
        }
        match select(JsFuture::from(promise), pin!(&mut self.timer)).await {
            Either::Left((ended, _)) => Ok(ended),
            Either::Right(_) if self.for_each_part => Err(format!("the server sent nothing for {ms} ms")),
            Either::Right(_) => Err(format!("the server had not answered in full after {ms} ms")),
        }
    }
}

/// One piece of memory, which hashing and decoding need. A single chunk is that already.
fn joined(mut chunks: Vec<Uint8Array>) -> Uint8Array {
    if chunks.len() == 1 {
        return chunks.swap_remove(0);
    }
    let joined = Uint8Array::new_with_length(chunks.iter().map(Uint8Array::length).sum());
    let mut at = 0;
    for chunk in &chunks {
        joined.set(chunk, at);
        at += chunk.length();
    }
    joined
}

/// The server's time: when the answer was made, and how long caches on the way have kept it since. Unknown across
/// origins, unless the server exposes `Date`.
fn server_time(headers: &Headers) -> Option<Timestamp> {
    let made = Date::parse(&headers.get("date").ok()??);
    let age_s: i64 = headers.get("age").ok().flatten().and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    made.is_finite().then(|| Timestamp::from_ms(made as i64).plus_ms(age_s.saturating_mul(1000)))
}

fn not_sent(request: &Request, thrown: &JsValue) -> Failure {
    let detail = format!(
        "{}: the request did not get through ({}): no network, or refused by CORS or a content security policy",
        request.path,
        js::describe(thrown),
    );
    Failure::new(Code::Offline, detail).at(request.path.as_str())
}
