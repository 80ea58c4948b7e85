//! Pages that are older or newer than the data, by the version of its schema.

use std::fs;

use lastgood::{Item, Schema};
use lastgood_protocol::manifest::{Generation, Manifest};
use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site, dataset};
use serde_json::{Value, json};

use crate::reading::READ;

in_every_browser! {
    a_page_reads_the_version_that_it_was_written_for
    a_newer_page_migrates_what_is_older
    a_newer_page_migrates_what_it_has_cached
    an_older_page_keeps_what_it_can_read
    a_payload_that_does_not_match_its_schema_is_not_handed_out
}

/// Publishes days with their value under `value` (version 1) or `revenue` (version 2).
fn publish(site: &Site, version: u32) {
    let member = if version == 1 { "value" } else { "revenue" };
    let schema = json!({"type": "array", "items": {"type": "object", "required": [member]}});
    let schema = Schema { version, json: schema.to_string().into() };
    let payload = payload(version).to_string();
    let item = Item::new(dataset("performance"), payload.as_bytes()).schema(schema);
    site.feed().publish(vec![item]).unwrap();
}

fn payload(version: u32) -> Value {
    if version == 1 { json!([{"day": 1, "value": 3.5}]) } else { json!([{"day": 1, "revenue": 3.5}]) }
}

/// Has the page be one that was written for a version, with a migration from the first.
fn written_for(browser: &Browser, version: u32) {
    let _: Value = browser.get(&format!(
        "const migrate = {{ 1: (days) => days.map(({{ day, value }}) => ({{ day, revenue: value }})) }};
         globalThis.readOptions = {version} === 1 ? {{ version: 1 }} : {{ version: {version}, migrate }};"
    ));
}

fn read(browser: &Browser) -> Reading {
    browser.get(READ)
}

fn a_page_reads_the_version_that_it_was_written_for(browser: Browser) {
    let site = Site::start();
    publish(&site, 1);
    browser.open(site.url());
    written_for(&browser, 1);
    for _ in 0..2 {
        let reading = read(&browser);
        assert_eq!((reading.fresh, reading.schema_version), (true, Some(1)), "{reading:?}");
        assert_eq!(reading.data, payload(1));
    }
}

fn a_newer_page_migrates_what_is_older(browser: Browser) {
    let site = Site::start();
    publish(&site, 1);
    browser.open(site.url());
    written_for(&browser, 2);
    let reading = read(&browser);
    assert_eq!((reading.fresh, reading.schema_version), (true, Some(1)), "{reading:?}");
    assert_eq!(reading.data, payload(2));
    publish(&site, 2);
    let reading = read(&browser);
    assert_eq!((reading.fresh, reading.schema_version), (true, Some(2)), "{reading:?}");
    assert_eq!(reading.data, payload(2));
}

fn a_newer_page_migrates_what_it_has_cached(browser: Browser) {
    let site = Site::start();
    publish(&site, 1);
    browser.open(site.url());
    written_for(&browser, 1);
    assert_eq!(read(&browser).data, payload(1));
    // The next visit, after the site was deployed anew, while the feed cannot be reached.
    browser.open(site.url());
    written_for(&browser, 2);
    site.fail("/manifest.json", Fault::Status(503));
    let reading = read(&browser);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some("http")), "{reading:?}");
    assert_eq!(reading.data, payload(2));
}

fn an_older_page_keeps_what_it_can_read(browser: Browser) {
    let site = Site::start();
    publish(&site, 1);
    browser.open(site.url());
    written_for(&browser, 1);
    assert!(read(&browser).fresh);
    publish(&site, 2);
    let reading = read(&browser);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some("schema-newer")), "{reading:?}");
    assert_eq!(reading.data, payload(1));
    let _: Value = browser.get("localStorage.clear();");
    browser.open(site.url());
    written_for(&browser, 1);
    assert_eq!(browser.error(READ).code.as_deref(), Some("schema-newer"), "nothing to fall back to");
}

/// No writer publishes such a thing: the manifest is put together by hand.
fn a_payload_that_does_not_match_its_schema_is_not_handed_out(browser: Browser) {
    let site = Site::start();
    publish(&site, 1);
    let schema = Schema { version: 1, json: r#"{"maxItems": 0}"#.into() };
    site.feed().publish(vec![Item::new(dataset("empty"), "[]".as_bytes()).schema(schema)]).unwrap();
    browser.open(site.url());
    written_for(&browser, 1);
    assert!(read(&browser).fresh);
    let path = site.data().join("manifest.json");
    let mut manifest = Manifest::verify(&fs::read(&path).unwrap()).unwrap();
    manifest.generation = Generation::new(manifest.generation.get() + 1).unwrap();
    let another = manifest.datasets[&dataset("empty")].schema.clone();
    manifest.datasets.get_mut(&dataset("performance")).unwrap().schema = another;
    fs::write(&path, manifest.encode()).unwrap();
    let reading = read(&browser);
    assert_eq!(
        (reading.source.as_str(), reading.reason.as_deref()),
        ("fallback", Some("schema-invalid")),
        "{reading:?}"
    );
    let _: Value = browser.get("localStorage.clear();");
    browser.open(site.url());
    written_for(&browser, 1);
    assert_eq!(browser.error(READ).code.as_deref(), Some("schema-invalid"));
}
