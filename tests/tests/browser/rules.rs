//! The rules of reading, one by one, from `lastgood serve` and from the documented nginx.

use std::fs;

use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Host, Lastgood, Nginx, Site, dataset};
use serde_json::{Value, json};

use crate::reading::{
    NEW, OLD, READ, assert_verified, corrupt, falls_back, object, read, set_options, site_read_once,
    site_with_an_update, write_marker,
};

/// Makes a test for each server and browser out of every function that is named.
macro_rules! on_every_server {
    ($($test:ident)+) => {
        mod on_lastgood_serve {
            use super::*;
            $(fn $test(browser: Browser) { super::$test::<Lastgood>(browser); })+
            in_every_browser! { $($test)+ }
        }
        mod on_nginx {
            use super::*;
            $(fn $test(browser: Browser) { super::$test::<Nginx>(browser); })+
            in_every_browser! { $($test)+ }
        }
    };
}

on_every_server! {
    a_cold_read_takes_one_round_trip
    a_warm_read_downloads_no_payload
    identical_content_is_confirmed_without_a_download
    an_update_is_downloaded_as_an_object
    meta_and_times_arrive
    a_corrupted_object_falls_back
    a_corrupted_object_without_a_copy_is_an_error
    a_held_lock_hands_out_the_copy_from_before
    a_held_lock_without_a_copy_is_waited_for_and_then_read_past
    the_policies_wait_and_ignore
    a_missing_dataset_is_an_error_that_names_the_others
    a_server_that_is_gone_falls_back_and_comes_back
    a_regressed_manifest_is_refused
    a_snapshot_is_of_one_generation
    a_site_without_lastgood_reads_the_plain_copy
}

fn a_cold_read_takes_one_round_trip<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 1));
    assert_eq!(
        site.requests(),
        ["GET /data/.lock 204", "GET /data/manifest.json 200", "GET /data/performance.json 200"],
        "manifest, marker and guess together, and no object",
    );
}

fn a_warm_read_downloads_no_payload<H: Host>(browser: Browser) {
    let site = site_read_once::<H>(&browser);
    browser.open(site.url());
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("cache", true));
    let manifest = if browser.has_http_cache() { 304 } else { 200 };
    assert_eq!(site.requests(), ["GET /data/.lock 204".to_owned(), format!("GET /data/manifest.json {manifest}")]);
}

fn identical_content_is_confirmed_without_a_download<H: Host>(browser: Browser) {
    let site = site_read_once::<H>(&browser);
    site.publish(&[("performance", OLD)]);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("cache", true, 2));
    assert_eq!(site.requests(), ["GET /data/.lock 204", "GET /data/manifest.json 200"]);
}

fn an_update_is_downloaded_as_an_object<H: Host>(browser: Browser) {
    let site = site_with_an_update::<H>(&browser);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 2));
    let requests = site.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[2], format!("GET /data/objects/{}.json 200", reading.sha256));
}

fn meta_and_times_arrive<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    let item = lastgood::Item::new(dataset("performance"), OLD.as_bytes()).meta(r#"{"model": "ets-2.1", "run": 8841}"#);
    let publication = site.feed().publish(vec![item]).unwrap();
    browser.open(site.url());
    let reading = read(&browser, &site);
    assert_eq!(reading.meta, json!({"model": "ets-2.1", "run": 8841}));
    assert_eq!(reading.published_at, publication.published_at.to_string());
    assert!(reading.age_ms >= 0.0 && reading.age_ms < 120_000.0, "{reading:?}");
    assert_eq!(reading.dataset, "performance");
}

fn a_corrupted_object_falls_back<H: Host>(browser: Browser) {
    let site = site_with_an_update::<H>(&browser);
    corrupt(&object(&site, NEW));
    falls_back(&browser, &site, "checksum-mismatch");
    let asked = site.requests().iter().filter(|request| request.contains("/objects/")).count();
    assert_eq!(asked, 2, "once more, past the HTTP cache");
}

fn a_corrupted_object_without_a_copy_is_an_error<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    corrupt(&object(&site, OLD));
    corrupt(&site.data().join("performance.json"));
    browser.open(site.url());
    let error = browser.error(READ);
    assert_eq!((error.name.as_str(), error.code.as_deref()), ("LastgoodError", Some("checksum-mismatch")), "{error:?}");
}

fn a_held_lock_hands_out_the_copy_from_before<H: Host>(browser: Browser) {
    let site = site_with_an_update::<H>(&browser);
    write_marker(&site);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("cache", Some("locked")), "{reading:?}");
    assert_eq!(reading.generation, 1);
    fs::remove_file(site.data().join(".lock")).unwrap();
    assert_eq!(read(&browser, &site).generation, 2);
}

fn a_held_lock_without_a_copy_is_waited_for_and_then_read_past<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    write_marker(&site);
    browser.open(site.url());
    set_options(&browser, "read", "{ lock: 'wait', lockWaitMs: 600 }");
    let reading = read(&browser, &site);
    assert!(reading.fresh, "the manifest is consistent in any case: {reading:?}");
    let looks = site.requests().iter().filter(|request| request.contains("/.lock 200")).count();
    assert!(looks > 1, "it has looked {looks} times");
}

fn the_policies_wait_and_ignore<H: Host>(browser: Browser) {
    let site = site_with_an_update::<H>(&browser);
    write_marker(&site);
    set_options(&browser, "read", "{ lock: 'ignore' }");
    assert_eq!(read(&browser, &site).generation, 2);
    assert!(!site.requests().iter().any(|request| request.contains(".lock")));
    set_options(&browser, "read", "{ lock: 'wait', lockWaitMs: 300 }");
    assert!(read(&browser, &site).fresh);
}

fn a_missing_dataset_is_an_error_that_names_the_others<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("transactions", "[]")]);
    browser.open(site.url());
    let error = browser.error(READ);
    assert_eq!(error.code.as_deref(), Some("not-found"));
    assert!(error.message.contains("performance") && error.message.contains("transactions"), "{error:?}");
}

fn a_server_that_is_gone_falls_back_and_comes_back<H: Host>(browser: Browser) {
    let mut site = site_with_an_update::<H>(&browser);
    // The module is loaded while the server still answers, as on an open page.
    let _: Value = browser.get("const { open } = await import('lastgood'); globalThis.feed = await open('/data/');");
    let again = "return await globalThis.feed.read('performance');";
    site.stop();
    let reading: Reading = browser.get(again);
    assert_verified(&reading, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some("offline")));
    assert_eq!(reading.generation, 1);
    assert_eq!(browser.error("return await globalThis.feed.read('transactions');").code.as_deref(), Some("offline"));
    site.restart();
    let reading: Reading = browser.get(again);
    assert_eq!((reading.fresh, reading.generation), (true, 2));
}

fn a_regressed_manifest_is_refused<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    let old_manifest = fs::read(site.data().join("manifest.json")).unwrap();
    site.publish(&[("performance", NEW)]);
    browser.open(site.url());
    assert_eq!(read(&browser, &site).generation, 2);
    fs::write(site.data().join("manifest.json"), old_manifest).unwrap();
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some("regressed")));
    assert_eq!(reading.generation, 2);
    // Without the copy: an error, not the old data.
    let forget = "
        for (const key of Object.keys(localStorage)) if (key.includes('performance')) localStorage.removeItem(key);";
    let _: Value = browser.get(forget);
    assert_eq!(browser.error(READ).code.as_deref(), Some("regressed"));
}

fn a_snapshot_is_of_one_generation<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD), ("transactions", "[1]")]);
    browser.open(site.url());
    let snapshot = "
        const { open } = await import('lastgood');
        const feed = await open('/data/');
        const snapshot = await feed.snapshot(['performance', 'transactions']);
        return [snapshot.performance, snapshot.transactions];";
    let readings: Vec<Reading> = browser.get(snapshot);
    assert!(readings.iter().all(|reading| reading.fresh && reading.generation == 1), "{readings:?}");
    site.publish(&[("performance", NEW), ("transactions", "[1, 2]")]);
    // One of the two cannot be had: both are from before.
    let (object, elsewhere) = (object(&site, "[1, 2]"), site.data().join("elsewhere"));
    fs::rename(&object, &elsewhere).unwrap();
    let readings: Vec<Reading> = browser.get(snapshot);
    let assert_before = |readings: &[Reading]| {
        for reading in readings {
            assert_verified(reading, &site);
            assert_eq!((reading.generation, reading.reason.as_deref()), (1, Some("http")), "{reading:?}");
        }
    };
    assert_before(&readings);
    // One of them is read alone. What was handed out together last is there all the same.
    assert_eq!(read(&browser, &site).generation, 2);
    assert_before(&browser.get::<Vec<Reading>>(snapshot));
    fs::rename(&elsewhere, &object).unwrap();
    let readings: Vec<Reading> = browser.get(snapshot);
    assert!(readings.iter().all(|reading| reading.fresh && reading.generation == 2), "{readings:?}");
}

fn a_site_without_lastgood_reads_the_plain_copy<H: Host>(browser: Browser) {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", NEW)]);
    browser.open(site.url());
    let plain: Value = browser.get("return await (await fetch('data/performance.json')).json();");
    assert_eq!(plain, serde_json::from_str::<Value>(NEW).unwrap());
}
