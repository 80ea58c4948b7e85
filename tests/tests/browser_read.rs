//! Reading in a real browser, over real HTTP: each way in which it can go, with the reading or the error that comes of it.
//! In each, what comes out has been published: nothing unverified is ever handed out.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::path::PathBuf;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::time::Timestamp;
use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site, dataset};
use serde_json::{Value, json};

in_every_browser! {
    a_cold_read_takes_one_round_trip
    a_warm_read_downloads_no_payload
    identical_content_is_confirmed_without_a_download
    an_update_is_downloaded_as_an_object
    meta_and_times_arrive
    a_corrupted_object_falls_back
    a_corrupted_object_without_a_copy_is_an_error
    a_corrupted_manifest_falls_back
    a_truncated_object_falls_back
    a_held_lock_hands_out_the_copy_from_before
    a_held_lock_without_a_copy_is_waited_for_and_then_read_past
    the_policies_wait_and_ignore
    an_expired_or_unreadable_lock_counts_for_nothing
    a_missing_dataset_is_an_error_that_names_the_others
    an_invalid_name_is_refused_before_any_request
    a_server_that_is_gone_falls_back_and_comes_back
    a_silent_server_runs_into_the_time_limit
    the_page_of_a_single_page_app_is_not_json
    an_error_status_is_told
    blocked_storage_reads_without_a_cache(StorageBlocked)
    full_storage_reads_all_the_same_and_leaves_other_entries_alone
    when_full_the_least_recently_used_own_entry_goes_first
    a_tampered_cache_is_never_believed
    junk_in_the_cache_is_a_miss
    a_regressed_manifest_is_refused
    a_snapshot_is_of_one_generation
    a_closed_feed_and_an_aborted_call_say_so
    a_site_without_lastgood_reads_the_plain_copy
}

const OLD: &str = r#"[{"day": 1, "value": 3.5}]"#;
const NEW: &str = r#"[{"day": 1, "value": 3.5}, {"day": 2, "value": 4.25}]"#;

/// Reads `performance` in the page as it is.
const READ: &str = "
    const { open } = await import('lastgood');
    const feed = await open('/data/', globalThis.openOptions ?? {});
    return await feed.read('performance', globalThis.readOptions ?? {});";

fn read(browser: &Browser, site: &Site) -> Reading {
    let reading: Reading = browser.get(READ);
    assert_verified(&reading, site);
    reading
}

/// What was read is what was published under its digest, and the reading does not contradict itself.
fn assert_verified(reading: &Reading, site: &Site) {
    assert_eq!(Some(&reading.data), site.published(&reading.sha256).as_ref(), "not published: {reading:?}");
    assert_eq!(reading.fresh, reading.reason.is_none(), "{reading:?}");
    assert_eq!(reading.reason.is_none(), reading.detail.is_none(), "{reading:?}");
    let failed = !matches!(reading.reason.as_deref(), None | Some("locked"));
    assert_eq!(reading.source == "fallback", failed, "{reading:?}");
}

/// A site with one generation that the browser has read.
fn site_read_once(browser: &Browser) -> Site {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    assert!(read(browser, &site).fresh);
    let _ = site.requests();
    site
}

/// A site with one generation that the browser has read, and a second one published.
fn site_with_an_update(browser: &Browser) -> Site {
    let site = site_read_once(browser);
    site.publish(&[("performance", NEW)]);
    site
}

/// The update cannot be had: the last good copy is handed out, with the reason.
fn falls_back(browser: &Browser, site: &Site, reason: &str) -> Reading {
    let reading = read(browser, site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some(reason)), "{reading:?}");
    assert_eq!(reading.data, serde_json::from_str::<Value>(OLD).unwrap());
    assert_eq!(reading.generation, 1);
    reading
}

fn set_options(browser: &Browser, kind: &str, options: &str) {
    let _: Value = browser.get(&format!("globalThis.{kind}Options = {options};"));
}

/// Has the page collect the events of the feeds that it opens from now on.
fn collect_events(browser: &Browser) {
    let _: Value = browser.get("globalThis.events = [];");
    set_options(browser, "open", "{ onEvent: (event) => globalThis.events.push(event.type) }");
}

fn events(browser: &Browser) -> Vec<String> {
    browser.get("return globalThis.events;")
}

fn a_cold_read_takes_one_round_trip(browser: Browser) {
    let site = Site::start();
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

fn a_warm_read_downloads_no_payload(browser: Browser) {
    let site = site_read_once(&browser);
    browser.open(site.url());
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("cache", true));
    let manifest = if browser.has_http_cache() { 304 } else { 200 };
    assert_eq!(site.requests(), ["GET /data/.lock 204".to_owned(), format!("GET /data/manifest.json {manifest}")]);
}

fn identical_content_is_confirmed_without_a_download(browser: Browser) {
    let site = site_read_once(&browser);
    site.publish(&[("performance", OLD)]);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("cache", true, 2));
    assert_eq!(site.requests(), ["GET /data/.lock 204", "GET /data/manifest.json 200"]);
}

fn an_update_is_downloaded_as_an_object(browser: Browser) {
    let site = site_with_an_update(&browser);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 2));
    let requests = site.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[2], format!("GET /data/objects/{}.json 200", reading.sha256));
}

fn meta_and_times_arrive(browser: Browser) {
    let site = Site::start();
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

fn a_corrupted_object_falls_back(browser: Browser) {
    let site = site_with_an_update(&browser);
    corrupt(&object(&site, NEW));
    falls_back(&browser, &site, "checksum-mismatch");
    let asked = site.requests().iter().filter(|request| request.contains("/objects/")).count();
    assert_eq!(asked, 2, "once more, past the HTTP cache");
}

fn a_corrupted_object_without_a_copy_is_an_error(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    corrupt(&object(&site, OLD));
    corrupt(&site.data().join("performance.json"));
    browser.open(site.url());
    let error = browser.error(READ);
    assert_eq!((error.name.as_str(), error.code.as_deref()), ("LastgoodError", Some("checksum-mismatch")), "{error:?}");
}

fn a_corrupted_manifest_falls_back(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::Corrupt);
    falls_back(&browser, &site, "manifest-invalid");
}

fn a_truncated_object_falls_back(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail(&object_path(NEW), Fault::Truncate);
    falls_back(&browser, &site, "truncated");
}

fn a_held_lock_hands_out_the_copy_from_before(browser: Browser) {
    let site = site_with_an_update(&browser);
    write_marker(&site);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("cache", Some("locked")), "{reading:?}");
    assert_eq!(reading.generation, 1);
    fs::remove_file(site.data().join(".lock")).unwrap();
    assert_eq!(read(&browser, &site).generation, 2);
}

fn a_held_lock_without_a_copy_is_waited_for_and_then_read_past(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    write_marker(&site);
    browser.open(site.url());
    set_options(&browser, "read", "{ lockWaitMs: 600 }");
    let reading = read(&browser, &site);
    assert!(reading.fresh, "the manifest is consistent in any case: {reading:?}");
    let looks = site.requests().iter().filter(|request| request.contains("/.lock 200")).count();
    assert!(looks > 1, "it has looked {looks} times");
}

fn the_policies_wait_and_ignore(browser: Browser) {
    let site = site_with_an_update(&browser);
    write_marker(&site);
    set_options(&browser, "read", "{ lock: 'ignore' }");
    assert_eq!(read(&browser, &site).generation, 2);
    assert!(!site.requests().iter().any(|request| request.contains(".lock")));
    set_options(&browser, "read", "{ lock: 'wait', lockWaitMs: 300 }");
    assert!(read(&browser, &site).fresh);
}

fn an_expired_or_unreadable_lock_counts_for_nothing(browser: Browser) {
    let site = site_with_an_update(&browser);
    let markers = [marker(-1000), "held by nightly.sh".to_owned(), "<!doctype html>".to_owned(), String::new()];
    for marker in markers {
        fs::write(site.data().join(".lock"), &marker).unwrap();
        assert_eq!(read(&browser, &site).reason, None, "with {marker:?}");
    }
    write_marker(&site);
    assert_eq!(read(&browser, &site).reason.as_deref(), Some("locked"), "a good one counts");
    for fault in [Fault::Status(403), Fault::Status(404), Fault::Status(500), Fault::HtmlPage] {
        site.fail("/.lock", fault.clone());
        assert_eq!(read(&browser, &site).reason, None, "with {fault:?}");
        site.heal();
    }
}

fn a_missing_dataset_is_an_error_that_names_the_others(browser: Browser) {
    let site = Site::start();
    site.publish(&[("transactions", "[]")]);
    browser.open(site.url());
    let error = browser.error(READ);
    assert_eq!(error.code.as_deref(), Some("not-found"));
    assert!(error.message.contains("performance") && error.message.contains("transactions"), "{error:?}");
}

fn an_invalid_name_is_refused_before_any_request(browser: Browser) {
    let site = Site::start();
    browser.open(site.url());
    let error = browser.error(&READ.replace("'performance'", "'../manifest'"));
    assert_eq!(error.code.as_deref(), Some("invalid-name"));
    assert_eq!(site.requests(), [""; 0]);
}

fn a_server_that_is_gone_falls_back_and_comes_back(browser: Browser) {
    let mut site = site_with_an_update(&browser);
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

fn a_silent_server_runs_into_the_time_limit(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::Silence);
    set_options(&browser, "read", "{ timeoutMs: 300 }");
    falls_back(&browser, &site, "timeout");
}

fn the_page_of_a_single_page_app_is_not_json(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::HtmlPage);
    falls_back(&browser, &site, "not-json");
    site.heal();
    site.fail(&object_path(NEW), Fault::HtmlPage);
    falls_back(&browser, &site, "not-json");
    site.heal();
    assert_eq!(read(&browser, &site).generation, 2);
}

fn an_error_status_is_told(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::Status(503));
    let reading = falls_back(&browser, &site, "http");
    assert!(reading.detail.unwrap().contains("503"));
}

fn blocked_storage_reads_without_a_cache(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    let error = browser.error("localStorage.getItem('x');");
    assert!(["SecurityError", "TypeError"].contains(&error.name.as_str()), "the browser does block it: {error:?}");
    collect_events(&browser);
    assert_eq!(read(&browser, &site).source, "network");
    assert_eq!(events(&browser), ["cache-unavailable"]);
}

fn full_storage_reads_all_the_same_and_leaves_other_entries_alone(browser: Browser) {
    let site = Site::start();
    let large = format!("[\"{}\"]", "x".repeat(600_000));
    site.publish(&[("performance", &large)]);
    browser.open(site.url());
    let filled: usize = browser.get(
        "let size = 1 << 20, n = 0;
         while (size > 1000) {
           try { localStorage.setItem('other' + n, 'y'.repeat(size)); n += 1; } catch { size = size >> 1; }
         }
         return n;",
    );
    collect_events(&browser);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("network", true));
    assert_eq!(events(&browser), ["cache-full"]);
    let others: usize =
        browser.get("return Object.keys(localStorage).filter((key) => key.startsWith('other')).length;");
    assert_eq!(others, filled);
}

fn when_full_the_least_recently_used_own_entry_goes_first(browser: Browser) {
    let site = Site::start();
    let large = |letter: &str| format!("[\"{}\"]", letter.repeat(2_000_000));
    site.publish(&[("a", &large("a")), ("b", &large("b")), ("performance", &large("p"))]);
    browser.open(site.url());
    let evicted: Vec<String> = browser.get(
        "const { open } = await import('lastgood');
         const evicted = [];
         const feed = await open('/data/', { onEvent: (event) => evicted.push(event.type + ' ' + event.dataset) });
         for (const name of ['a', 'b', 'a', 'performance']) {
           await feed.read(name);
           await new Promise((resolve) => setTimeout(resolve, 5));
         }
         return evicted;",
    );
    assert_eq!(evicted, ["cache-evicted b"]);
    assert_eq!(read(&browser, &site).source, "cache");
}

fn a_tampered_cache_is_never_believed(browser: Browser) {
    let site = site_read_once(&browser);
    let tamper = "
        let n = 0;
        for (const key of Object.keys(localStorage)) {
          const value = localStorage.getItem(key);
          if (value.includes('3.5')) { localStorage.setItem(key, value.replace('3.5', '666')); n += 1; }
        }
        return n;";
    assert_eq!(browser.get::<usize>(tamper), 1, "the payload is there once");
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("network", true), "the object is fetched anew");

    assert_eq!(browser.get::<usize>(tamper), 1, "and has been cached anew");
    site.fail("/manifest.json", Fault::Status(500));
    assert_eq!(browser.error(READ).code.as_deref(), Some("http"), "an error rather than altered data");
}

fn junk_in_the_cache_is_a_miss(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    for junk in ["", "{", "null", "[1]", r#"{"feed": 1}"#] {
        let _ = read(&browser, &site);
        let script = format!("for (const key of Object.keys(localStorage)) localStorage.setItem(key, {junk:?});");
        let _: Value = browser.get(&script);
        let reading = read(&browser, &site);
        assert_eq!((reading.source.as_str(), reading.fresh), ("network", true), "with {junk:?}");
    }
}

fn a_regressed_manifest_is_refused(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let old_manifest = fs::read(site.data().join("manifest.json")).unwrap();
    site.publish(&[("performance", NEW)]);
    browser.open(site.url());
    assert_eq!(read(&browser, &site).generation, 2);
    site.fail("/manifest.json", Fault::Body(old_manifest));
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some("regressed")));
    assert_eq!(reading.generation, 2);
    // Without the copy: an error, not the old data.
    let forget = "
        for (const key of Object.keys(localStorage)) if (key.includes('performance')) localStorage.removeItem(key);";
    let _: Value = browser.get(forget);
    assert_eq!(browser.error(READ).code.as_deref(), Some("regressed"));
}

fn a_snapshot_is_of_one_generation(browser: Browser) {
    let site = Site::start();
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
    site.fail(&object_path("[1, 2]"), Fault::Status(500));
    let readings: Vec<Reading> = browser.get(snapshot);
    for reading in &readings {
        assert_verified(reading, &site);
        assert_eq!((reading.generation, reading.reason.as_deref()), (1, Some("http")), "{reading:?}");
    }
    // Only one of them is renewed in the cache: together they are no longer of one generation.
    assert_eq!(read(&browser, &site).generation, 2);
    assert_eq!(browser.error(snapshot).code.as_deref(), Some("inconsistent"));
    site.heal();
    let readings: Vec<Reading> = browser.get(snapshot);
    assert!(readings.iter().all(|reading| reading.fresh && reading.generation == 2), "{readings:?}");
}

fn a_closed_feed_and_an_aborted_call_say_so(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    site.fail("/manifest.json", Fault::Silence);
    browser.open(site.url());
    let aborted = browser.error(
        "const { open } = await import('lastgood');
         const feed = await open('/data/');
         return await feed.read('performance', { signal: AbortSignal.timeout(100) });",
    );
    assert_eq!(aborted.code.as_deref(), Some("aborted"));
    let closed = browser.error(
        "const { open } = await import('lastgood');
         const feed = await open('/data/');
         setTimeout(() => feed.close(), 50);
         return await feed.read('performance');",
    );
    assert_eq!(closed.code.as_deref(), Some("closed"));
}

fn a_site_without_lastgood_reads_the_plain_copy(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", NEW)]);
    browser.open(site.url());
    let plain: Value = browser.get("return await (await fetch('data/performance.json')).json();");
    assert_eq!(plain, serde_json::from_str::<Value>(NEW).unwrap());
}

fn object_path(json: &str) -> String {
    format!("objects/{}.json", Sha256::of(json.as_bytes()))
}

fn object(site: &Site, json: &str) -> PathBuf {
    site.data().join(object_path(json))
}

fn corrupt(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A marker of a writer whose lease ends in `lease_ms` from now.
fn marker(lease_ms: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_ms(i64::try_from(now.as_millis()).unwrap());
    let marker = LockMarker {
        format: 1,
        holder: Holder { host: "test".to_owned(), pid: 1, token: "0".to_owned() },
        datasets: vec![dataset("performance")],
        acquired_at: now.plus_ms(lease_ms.min(0) - 60_000),
        expires_at: now.plus_ms(lease_ms),
    };
    String::from_utf8(marker.encode()).unwrap()
}

fn write_marker(site: &Site) {
    fs::write(site.data().join(".lock"), marker(60_000)).unwrap();
}
