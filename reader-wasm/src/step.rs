//! Steps into texts, as in `npm/src/read/core.ts`.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::Failure;
use lastgood_protocol::json::{Writer, quoted};
use lastgood_protocol::manifest::Noted;
use lastgood_protocol::read::{Caching, Check, Outcome, Reading, Request, SchemaRequest, Step};

use crate::chain::Handle;

pub(crate) fn encode(step: &Step<Handle>) -> String {
    match step {
        Step::FetchManifest(step) => {
            let lock = step.lock().map_or_else(null, |lock| request(&lock));
            named("fetch-manifest")
                .json("manifest", &request(&step.manifest()))
                .json("lock", &lock)
                .json("payloads", &list(step.guesses().iter().map(request)))
                .finish()
        }
        Step::LoadCache(step) => {
            named("load-cache").json("datasets", &list(step.wanted().map(|name| quoted(name.as_str())))).finish()
        }
        Step::FetchObjects(step) => {
            let schemas = step.schemas();
            let schema = |schema: &SchemaRequest| {
                Writer::new().plain("sha256", &schema.sha256).json("request", &request(&schema.request)).finish()
            };
            named("fetch-objects")
                .json("payloads", &list(step.requests().iter().map(request)))
                .json("schemas", &list(schemas.iter().map(schema)))
                .finish()
        }
        Step::Validate(step) => {
            let check = |check: Check<'_, Handle>| {
                Writer::new().number("handle", (*check.value).into()).plain("schema", &check.schema.sha256).finish()
            };
            named("validate").json("checks", &list(step.checks().map(check))).finish()
        }
        Step::Wait(step) => named("wait").number("ms", step.ms()).finish(),
        Step::Done(outcome) => done(outcome),
    }
}

fn named(step: &str) -> Writer {
    let mut writer = Writer::new();
    writer.text("step", step);
    writer
}

fn request(request: &Request) -> String {
    let cache = match request.caching {
        Caching::Allow => "default",
        Caching::Revalidate => "no-cache",
        Caching::Bypass => "reload",
        Caching::Forbid => "no-store",
    };
    Writer::new().text("path", request.path.as_str()).number("limit", request.limit).text("cache", cache).finish()
}

fn done(outcome: &Outcome<Handle>) -> String {
    let memory = outcome.memory.as_ref().map_or_else(null, |memory| quoted(&memory.encode()));
    let mut writer = named("done");
    writer.json("memory", &memory);
    let digests = |purged: &Noted<Sha256>| list(purged.iter().map(|(sha256, _)| quoted(&sha256.to_string())));
    writer.json("purged", &outcome.manifest.as_ref().map_or_else(null, |manifest| digests(&manifest.purged)));
    match &outcome.result {
        Ok(readings) => writer.json("readings", &list(readings.iter().map(reading))),
        Err(error) => {
            writer.json("failure", &failure(error)).json("tooOld", &list(outcome.too_old.iter().map(reading)))
        }
    }
    .finish()
}

/// The reading with the names that it has in JavaScript, the handle of its value, and its head for the cache.
fn reading(reading: &Reading<Handle>) -> String {
    let head = &reading.head;
    let reason = reading.reason.as_ref();
    Writer::new()
        .number("handle", reading.value.into())
        .text("head", &head.encode())
        .text("dataset", reading.dataset.as_str())
        .text("source", reading.source.as_str())
        .json("reason", &reason.map_or_else(null, failure))
        .number("generation", reading.generation.get())
        .plain("sha256", &head.sha256)
        .plain("publishedAt", &head.published_at)
        .number("ageMs", reading.age_ms)
        .plain("checkedAt", &head.checked_at)
        .text("ext", head.ext.as_str())
        .json("schemaVersion", &head.schema.as_ref().map_or_else(null, |schema| schema.version.to_string()))
        .json("meta", head.meta.as_ref().map_or("null", |meta| meta.as_str()))
        .finish()
}

fn failure(failure: &Failure) -> String {
    let text = |text: Option<&str>| text.map_or_else(null, quoted);
    Writer::new()
        .text("code", failure.code.as_str())
        .text("detail", &failure.detail)
        .json("path", &text(failure.path.as_deref()))
        .json("status", &failure.status.map_or_else(null, |status| status.to_string()))
        .json("retryAfterMs", &failure.retry_after_ms.map_or_else(null, |ms| ms.to_string()))
        .json("dataset", &text(failure.dataset.as_ref().map(|dataset| dataset.as_str())))
        .finish()
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    ["[", &items.join(","), "]"].concat()
}

fn null() -> String {
    "null".to_owned()
}
