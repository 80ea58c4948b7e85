//! Reading in a real browser, over real HTTP: each way in which it can go, with the reading or the error that comes of it.
//! In each, what comes out has been published: nothing unverified is ever handed out.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::path::PathBuf;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_protocol::time::Timestamp;
use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::site::{Fault, Site, dataset};
use serde_json::{Value, json};

const OLD: &str = r#"[{"day": 1, "value": 3.5}]"#;
const NEW: &str = r#"[{"day": 1, "value": 3.5}, {"day": 2, "value": 4.25}]"#;

/// Reads `performance` in the page as it is.
const READ: &str = "
    const { open } = await import('lastgood');
    const feed = await open('/data/', globalThis.openOptions ?? {});
    return await feed.read('performance', globalThis.readOptions ?? {});";

/// A browser with the site's page open.
fn visit(site: &Site) -> Browser {
    let browser = Browser::start();
    browser.open(site.url());
    browser
}

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
fn site_read_once() -> (Site, Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let browser = visit(&site);
    assert!(read(&browser, &site).fresh);
    let _ = site.requests();
    (site, browser)
}

/// A site with one generation that the browser has read, and a second one published.
fn site_with_an_update() -> (Site, Browser) {
    let (site, browser) = site_read_once();
    site.publish(&[("performance", NEW)]);
    (site, browser)
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

#[test]
fn a_cold_read_takes_one_round_trip() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let browser = visit(&site);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 1));
    assert_eq!(
        site.requests(),
        ["GET /data/.lock 204", "GET /data/manifest.json 200", "GET /data/performance.json 200"],
        "manifest, marker and guess together, and no object",
    );
}

#[test]
fn a_warm_read_downloads_no_payload() {
    let (site, browser) = site_read_once();
    browser.open(site.url());
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("cache", true));
    assert_eq!(site.requests(), ["GET /data/.lock 204", "GET /data/manifest.json 304"]);
}

#[test]
fn identical_content_is_confirmed_without_a_download() {
    let (site, browser) = site_read_once();
    site.publish(&[("performance", OLD)]);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("cache", true, 2));
    assert_eq!(site.requests(), ["GET /data/.lock 204", "GET /data/manifest.json 200"]);
}

#[test]
fn an_update_is_downloaded_as_an_object() {
    let (site, browser) = site_with_an_update();
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 2));
    let requests = site.requests();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_eq!(requests[2], format!("GET /data/objects/{}.json 200", reading.sha256));
}

#[test]
fn meta_and_times_arrive() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let item = lastgood::Item::new(dataset("performance"), OLD.as_bytes()).meta(r#"{"model": "ets-2.1", "run": 8841}"#);
    let publication = site.feed().publish(vec![item]).unwrap();
    let reading = read(&visit(&site), &site);
    assert_eq!(reading.meta, json!({"model": "ets-2.1", "run": 8841}));
    assert_eq!(reading.published_at, publication.published_at.to_string());
    assert!(reading.age_ms >= 0.0 && reading.age_ms < 120_000.0, "{reading:?}");
    assert_eq!(reading.dataset, "performance");
}

#[test]
fn a_corrupted_object_falls_back() {
    let (site, browser) = site_with_an_update();
    corrupt(&object(&site, NEW));
    falls_back(&browser, &site, "checksum-mismatch");
    let asked = site.requests().iter().filter(|request| request.contains("/objects/")).count();
    assert_eq!(asked, 2, "once more, past the HTTP cache");
}

#[test]
fn a_corrupted_object_without_a_copy_is_an_error() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    corrupt(&object(&site, OLD));
    corrupt(&site.data().join("performance.json"));
    let error = visit(&site).error(READ);
    assert_eq!((error.name.as_str(), error.code.as_deref()), ("LastgoodError", Some("checksum-mismatch")), "{error:?}");
}

#[test]
fn a_corrupted_manifest_falls_back() {
    let (site, browser) = site_with_an_update();
    site.fail("/manifest.json", Fault::Corrupt);
    falls_back(&browser, &site, "manifest-invalid");
}

#[test]
fn a_truncated_object_falls_back() {
    let (site, browser) = site_with_an_update();
    site.fail(&object_path(NEW), Fault::Truncate);
    falls_back(&browser, &site, "truncated");
}

#[test]
fn a_held_lock_hands_out_the_copy_from_before() {
    let (site, browser) = site_with_an_update();
    write_marker(&site);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("cache", Some("locked")), "{reading:?}");
    assert_eq!(reading.generation, 1);
    fs::remove_file(site.data().join(".lock")).unwrap();
    assert_eq!(read(&browser, &site).generation, 2);
}

#[test]
fn a_held_lock_without_a_copy_is_waited_for_and_then_read_past() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    write_marker(&site);
    let browser = visit(&site);
    set_options(&browser, "read", "{ lockWaitMs: 600 }");
    let reading = read(&browser, &site);
    assert!(reading.fresh, "the manifest is consistent in any case: {reading:?}");
    let looks = site.requests().iter().filter(|request| request.contains("/.lock 200")).count();
    assert!(looks > 1, "it has looked {looks} times");
}

#[test]
fn the_policies_wait_and_ignore() {
    let (site, browser) = site_with_an_update();
    write_marker(&site);
    set_options(&browser, "read", "{ lock: 'ignore' }");
    assert_eq!(read(&browser, &site).generation, 2);
    assert!(!site.requests().iter().any(|request| request.contains(".lock")));
    set_options(&browser, "read", "{ lock: 'wait', lockWaitMs: 300 }");
    assert!(read(&browser, &site).fresh);
}

#[test]
fn an_expired_or_unreadable_lock_counts_for_nothing() {
    let (site, browser) = site_with_an_update();
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

#[test]
fn a_missing_dataset_is_an_error_that_names_the_others() {
    let site = Site::start();
    site.publish(&[("transactions", "[]")]);
    let error = visit(&site).error(READ);
    assert_eq!(error.code.as_deref(), Some("not-found"));
    assert!(error.message.contains("performance") && error.message.contains("transactions"), "{error:?}");
}

#[test]
fn an_invalid_name_is_refused_before_any_request() {
    let site = Site::start();
    let browser = visit(&site);
    let error = browser.error(&READ.replace("'performance'", "'../manifest'"));
    assert_eq!(error.code.as_deref(), Some("invalid-name"));
    assert_eq!(site.requests(), [""; 0]);
}

#[test]
fn a_server_that_is_gone_falls_back_and_comes_back() {
    let (mut site, browser) = site_with_an_update();
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

#[test]
fn a_silent_server_runs_into_the_time_limit() {
    let (site, browser) = site_with_an_update();
    site.fail("/manifest.json", Fault::Silence);
    set_options(&browser, "read", "{ timeoutMs: 300 }");
    falls_back(&browser, &site, "timeout");
}

#[test]
fn the_page_of_a_single_page_app_is_not_json() {
    let (site, browser) = site_with_an_update();
    site.fail("/manifest.json", Fault::HtmlPage);
    falls_back(&browser, &site, "not-json");
    site.heal();
    site.fail(&object_path(NEW), Fault::HtmlPage);
    falls_back(&browser, &site, "not-json");
    site.heal();
    assert_eq!(read(&browser, &site).generation, 2);
}

#[test]
fn an_error_status_is_told() {
    let (site, browser) = site_with_an_update();
    site.fail("/manifest.json", Fault::Status(503));
    let reading = falls_back(&browser, &site, "http");
    assert!(reading.detail.unwrap().contains("503"));
}

#[test]
fn blocked_storage_reads_without_a_cache() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    // "Block all cookies": touching localStorage throws.
    let browser = Browser::with_preferences(json!({"profile.default_content_setting_values.cookies": 2}));
    browser.open(site.url());
    assert_eq!(browser.error("localStorage.getItem('x');").name, "SecurityError", "the browser does block it");
    collect_events(&browser);
    assert_eq!(read(&browser, &site).source, "network");
    assert_eq!(events(&browser), ["cache-unavailable"]);
}

#[test]
fn full_storage_reads_all_the_same_and_leaves_other_entries_alone() {
    let site = Site::start();
    let large = format!("[\"{}\"]", "x".repeat(600_000));
    site.publish(&[("performance", &large)]);
    let browser = visit(&site);
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

#[test]
fn when_full_the_least_recently_used_own_entry_goes_first() {
    let site = Site::start();
    let large = |letter: &str| format!("[\"{}\"]", letter.repeat(2_000_000));
    site.publish(&[("a", &large("a")), ("b", &large("b")), ("performance", &large("p"))]);
    let browser = visit(&site);
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

#[test]
fn a_tampered_cache_is_never_believed() {
    let (site, browser) = site_read_once();
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

#[test]
fn junk_in_the_cache_is_a_miss() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let browser = visit(&site);
    for junk in ["", "{", "null", "[1]", r#"{"feed": 1}"#] {
        let _ = read(&browser, &site);
        let script = format!("for (const key of Object.keys(localStorage)) localStorage.setItem(key, {junk:?});");
        let _: Value = browser.get(&script);
        let reading = read(&browser, &site);
        assert_eq!((reading.source.as_str(), reading.fresh), ("network", true), "with {junk:?}");
    }
}

#[test]
fn a_regressed_manifest_is_refused() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let old_manifest = fs::read(site.data().join("manifest.json")).unwrap();
    site.publish(&[("performance", NEW)]);
    let browser = visit(&site);
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

#[test]
fn a_snapshot_is_of_one_generation() {
    let site = Site::start();
    site.publish(&[("performance", OLD), ("transactions", "[1]")]);
    let browser = visit(&site);
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

#[test]
fn a_closed_feed_and_an_aborted_call_say_so() {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    site.fail("/manifest.json", Fault::Silence);
    let browser = visit(&site);
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

#[test]
fn a_site_without_lastgood_reads_the_plain_copy() {
    let site = Site::start();
    site.publish(&[("performance", NEW)]);
    let browser = visit(&site);
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
