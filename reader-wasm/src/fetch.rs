//! One request, with its limits of size and time.

use js_sys::{Object, Promise, Uint8Array};
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::layout;
use lastgood_protocol::read::{Caching, Request};
use lastgood_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestInit, Response, ResponseType,
};

use crate::page::{self, Page};
use crate::task::Sleep;

#[wasm_bindgen]
extern "C" {
    /// As in web-sys, but a body that something else reads throws.
    #[wasm_bindgen(js_name = ReadableStream)]
    type Stream;
    #[wasm_bindgen(js_namespace = ArrayBuffer, js_name = isView)]
    fn is_view(value: &JsValue) -> bool;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Stream) -> Result<ReadableStreamDefaultReader, JsValue>;
}

/// A body that was fetched.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Uint8Array,
    /// The server's time: unknown across origins, unless the server exposes `Date`.
    pub(crate) server_time: Option<Timestamp>,
    /// The media type, as the server says.
    pub(crate) media_type: String,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) struct FetchError {
    pub(crate) failure: Failure,
    /// What the page's function `init` has thrown, as an error for the page.
    pub(crate) thrown: Option<JsValue>,
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self { failure, thrown: None }
    }
}

/// How long is waited: for all of a small file; or for each part of a payload, so that a slow phone can finish a large download.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) ms: u32,
    pub(crate) for_each_part: bool,
}

/// Fetches a file of a feed.
pub(crate) async fn fetch(page: &Page, request: &Request, patience: Patience) -> Result<Body, FetchError> {
    let path = request.path.as_str();
    let mut clock = Clock { path, patience, sleep: Sleep::new(patience.ms.into()) };
    let (mut abort, mut response) = (Abort(AbortController::new().ok()), JsValue::UNDEFINED);
    if let Some(early) = page.early(path) {
        abort = Abort(Some(early.controller()));
        response = clock.wait(early.answer()).await?.map_err(|thrown| offline(path, &thrown))?;
    }
    if response.is_undefined() {
        let init = init(page, request, &abort, &mut clock).await?;
        let sent = page.send(&(page.url() + path), &init).map_err(|thrown| offline(path, &thrown))?;
        response = clock.wait(sent).await?.map_err(|thrown| offline(path, &thrown))?;
    }
    let response = readable(page, response).map_err(|thrown| offline(path, &thrown))?;
    if response.status() != 200 {
        return Err(unexpected_status(path, &response).into());
    }
    let in_parts = patience.for_each_part || !fits(&response, request);
    let bytes = match response.body().filter(|_| in_parts) {
        Some(body) => parts(&body, request, &mut clock).await?,
        None => whole(&response, request, &mut clock).await?,
    };
    let media_type = header(&response, "content-type").unwrap_or_default();
    Ok(Body { bytes, server_time: server_time(&response), media_type })
}

/// Ends the request in every case: when its last reader leaves, when it takes too long, and when the rest is not wanted.
struct Abort(Option<AbortController>);

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// `Accept` keeps single-page-app servers from answering with their HTML page and needs no CORS preflight; conditional headers
/// would need one, so revalidating is left to `cache`. What is no JSON is asked for as what it is: a server that negotiates might refuse.
async fn init(
    page: &Page,
    Request { path, caching, .. }: &Request,
    abort: &Abort,
    clock: &mut Clock<'_>,
) -> Result<RequestInit, FetchError> {
    let refused = |thrown: JsValue| {
        let detail = page::get(&thrown, "message").as_string().unwrap_or_default();
        FetchError { failure: Failure::new(Code::Offline, detail), thrown: Some(thrown) }
    };
    let mut given = page.init(&(page.url() + path.as_str())).map_err(refused)?;
    if let Some(promise) = given.dyn_ref::<Promise>() {
        given = clock.wait(promise.clone()).await?.map_err(refused)?;
    }
    let headers: Headers = page::get(&given, "headers").unchecked_into();
    if !headers.has("accept").unwrap_or(true) {
        let json = path.as_str().ends_with(".json") || *path == layout::lock();
        let _ = headers.set("accept", if json { "application/json" } else { "*/*" });
    }
    let init: RequestInit = given.unchecked_into();
    init.set_cache(cache_mode(*caching));
    init.set_signal(abort.0.as_ref().map(AbortController::signal).as_ref());
    Ok(init)
}

/// Offline, Firefox takes out of its cache what it was told to revalidate, as if it had; only `no-store` keeps it from that.
fn cache_mode(caching: Caching) -> RequestCache {
    let offline = || page::get(&page::get(&js_sys::global(), "navigator"), "onLine") == JsValue::FALSE;
    match caching {
        Caching::Allow => RequestCache::Default,
        Caching::Forbid => RequestCache::NoStore,
        _ if offline() => RequestCache::NoStore,
        Caching::Revalidate => RequestCache::NoCache,
        Caching::Bypass => RequestCache::Reload,
    }
}

/// The platform's own response, or what stands for it.
fn readable(page: &Page, given: JsValue) -> Result<Response, JsValue> {
    match given.dyn_into::<Response>() {
        Ok(response) if !response.body_used() => Ok(response),
        Ok(response) => page.adapt(&response),
        Err(other) => page.adapt(&other),
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// Whether the body is known beforehand to be within the limit. The size that is told is that of the body when it is not compressed; what
/// is answered from elsewhere may not say whether it is, and what an app's own `fetch` makes may say anything.
fn fits(response: &Response, request: &Request) -> bool {
    let length = header(response, "content-length").and_then(|length| length.parse::<u64>().ok());
    response.type_() == ResponseType::Basic
        && header(response, "content-encoding").is_none()
        && length.is_some_and(|length| length <= request.limit)
}

/// The body in one go, which takes the main thread much less time than part by part where there is only one.
async fn whole(response: &Response, request: &Request, clock: &mut Clock<'_>) -> Result<Uint8Array, Failure> {
    let path = request.path.as_str();
    let broken = |thrown: JsValue| broken(path, &thrown);
    let buffer = clock.wait(response.array_buffer().map_err(broken)?).await?.map_err(broken)?;
    let bytes = Uint8Array::new(&buffer);
    expect_json(path, &bytes)?;
    within_limit(request, bytes.length().into())?;
    Ok(bytes)
}

/// The body part by part, no more than the limit, in one piece of memory, which hashing and decoding need.
async fn parts(
    body: &web_sys::ReadableStream,
    request: &Request,
    clock: &mut Clock<'_>,
) -> Result<Uint8Array, Failure> {
    let path = request.path.as_str();
    let body: &Stream = body.unchecked_ref();
    let reader = body.get_reader().map_err(|thrown| broken(path, &thrown))?;
    let mut parts: Vec<Uint8Array> = Vec::new();
    let mut size = 0;
    loop {
        let read = clock.wait(reader.read()).await?.map_err(|thrown| broken(path, &thrown))?;
        if page::get(&read, "done").is_truthy() {
            break;
        }
        let part = page::get(&read, "value");
        let part = match part.dyn_into::<Uint8Array>() {
            Ok(part) => part,
            // Of another realm, such as Jest's around jsdom: no instance of this one's.
            Err(part) if is_view(&part) => Uint8Array::new(&part),
            Err(_) => return Err(broken(path, &JsValue::from("expected bytes in the body, found something else"))),
        };
        if size == 0 {
            expect_json(path, &part)?;
        }
        size += u64::from(part.length());
        within_limit(request, size)?;
        parts.push(part);
    }
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    // A body of more than 4 GiB fits no memory of a page.
    let joined = Uint8Array::new_with_length(size as u32);
    let mut at = 0;
    for part in parts {
        joined.set(&part, at);
        at += part.length();
    }
    Ok(joined)
}

fn within_limit(request: &Request, size: u64) -> Result<(), Failure> {
    if size > request.limit { Err(Failure::too_large(request.path.as_str(), request.limit)) } else { Ok(()) }
}

/// Tells the HTML page of a single-page app at its first byte, before its size can look like the problem.
fn expect_json(path: &str, start: &Uint8Array) -> Result<(), Failure> {
    if !path.ends_with(".json") {
        return Ok(());
    }
    let start = start.subarray(0, 256).to_vec();
    let begin = start.iter().position(|byte| !b" \t\r\n\xef\xbb\xbf".contains(byte)).unwrap_or(0);
    if start.get(begin) != Some(&b'<') {
        return Ok(());
    }
    let excerpt: String =
        start[begin..].iter().take(40).map(|&byte| if byte.is_ascii_graphic() { byte.into() } else { ' ' }).collect();
    let detail = format!("{path}: expected JSON, found an HTML page: \"{excerpt}\"");
    Err(Failure::new(Code::NotJson, detail).at(path))
}

fn offline(path: &str, thrown: &JsValue) -> Failure {
    let detail = format!(
        "{path}: the request did not get through ({}): no network, or refused by CORS or a content security policy",
        page::describe(thrown)
    );
    Failure::new(Code::Offline, detail).at(path)
}

fn broken(path: &str, thrown: &JsValue) -> Failure {
    let detail = format!("{path}: the connection broke in the middle ({})", page::describe(thrown));
    Failure::new(Code::Truncated, detail).at(path)
}

fn unexpected_status(path: &str, response: &Response) -> Failure {
    let mut failure = Failure::http(path, response.status());
    failure.retry_after_ms = header(response, "retry-after").and_then(|text| retry_after(&text));
    failure
}

/// `Retry-After` in seconds or as a date.
fn retry_after(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return seconds.checked_mul(1000);
    }
    let ms = js_sys::Date::parse(text) - js_sys::Date::now();
    (ms >= 0.0).then_some(ms as u64)
}

/// When the answer was made, and how long caches on the way have kept it since.
fn server_time(response: &Response) -> Option<Timestamp> {
    let made = js_sys::Date::parse(&header(response, "date")?);
    let kept_s: i64 = header(response, "age").and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    (!made.is_nan()).then(|| Timestamp::from_ms(made as i64).plus_ms(kept_s.clamp(0, i64::from(u32::MAX)) * 1000))
}

/// Ends a request that takes too long.
struct Clock<'a> {
    path: &'a str,
    patience: Patience,
    sleep: Sleep,
}

impl Clock<'_> {
    /// What the promise ends with, unless it takes too long; a custom `fetch` may not heed its signal.
    async fn wait(&mut self, promise: Promise) -> Result<Result<JsValue, JsValue>, Failure> {
        if self.patience.for_each_part {
            self.sleep = Sleep::new(self.patience.ms.into());
        }
        self.sleep.unless(promise).await.ok_or_else(|| self.too_late())
    }

    fn too_late(&self) -> Failure {
        let Patience { ms, for_each_part } = self.patience;
        let waited = if for_each_part {
            format!("the server sent nothing for {ms} ms")
        } else {
            format!("the server had not answered in full after {ms} ms")
        };
        Failure::new(Code::Timeout, format!("{}: {waited}", self.path)).at(self.path)
    }
}

/// The object that an answer is for the other tabs: `{ bytes, serverTime }`.
pub(crate) fn told(body: &Body) -> Object {
    let told = Object::new();
    page::set(&told, "bytes", &body.bytes);
    page::set(&told, "serverTime", &body.server_time.map_or(JsValue::NULL, |time| (time.ms() as f64).into()));
    told
}
