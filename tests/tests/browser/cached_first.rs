//! What the device has comes before what a server has yet to answer. Nothing here is timed: a server that hangs never answers.

use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site};
use serde_json::Value;

use crate::reading::{NEW, OLD, object_path, site_read_once, site_with_an_update, write_marker};
use crate::watching::{HOUR_MS, watch_with};

in_every_browser! {
    a_returning_visitor_of_a_server_that_hangs_has_the_data
    a_first_visitor_during_a_lock_has_what_the_manifest_names
    a_snapshot_is_there_after_a_single_read_and_a_reload_without_the_server
    what_is_forgotten_is_gone_after_a_reload
}

/// Opens the feed with a patience that outlasts the test.
fn open_patiently(what: &str) -> String {
    format!(
        "const {{ open }} = await import('lastgood'); const feed = await open('/data/', {{ timeoutMs: {HOUR_MS} }}); {what}"
    )
}

fn a_returning_visitor_of_a_server_that_hangs_has_the_data(browser: Browser) {
    let site: Site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::Silence);
    browser.open(site.url());
    watch_with(&browser, &format!("{{ intervalMs: {HOUR_MS}, minIntervalMs: 1, timeoutMs: {HOUR_MS} }}"));
    browser.wait_for(":root[data-generation='1'][data-reason=checking]");
    let told: Vec<Reading> = browser.get("return globalThis.readings;");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].source.as_str(), told[0].fresh), ("cache", false));
    assert_eq!(told[0].data, serde_json::from_str::<Value>(OLD).unwrap());
    for (options, reason) in [("{ within: 1 }", "timeout"), ("{ cached: 'first' }", "checking")] {
        let read = open_patiently(&format!("return feed.read('performance', {options});"));
        let reading: Reading = browser.get(&read);
        assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("cache", Some(reason)), "{options}");
    }
}

fn a_first_visitor_during_a_lock_has_what_the_manifest_names(browser: Browser) {
    let site: Site = Site::start();
    site.publish(&[("performance", OLD)]);
    write_marker(&site);
    browser.open(site.url());
    let reading: Reading = browser.get(&open_patiently("return feed.read('performance');"));
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("network", Some("locked")));
    assert_eq!(reading.data, serde_json::from_str::<Value>(OLD).unwrap());
    let asked = site.requests();
    assert_eq!(asked.iter().filter(|request| request.contains("manifest.json")).count(), 1, "{asked:?}");
}

fn a_snapshot_is_there_after_a_single_read_and_a_reload_without_the_server(browser: Browser) {
    let site: Site = Site::start();
    site.publish(&[("performance", OLD), ("sales", "[1]")]);
    browser.open(site.url());
    let snapshot = "return Object.values(await feed.snapshot(['performance', 'sales']));";
    let first: Vec<Reading> = browser.get(&open_patiently(snapshot));
    assert!(first.iter().all(|reading| reading.fresh), "{first:?}");
    site.publish(&[("performance", NEW), ("sales", "[2]")]);
    let single: Reading = browser.get(&open_patiently("return feed.read('performance');"));
    assert_eq!((single.fresh, single.generation), (true, 2));
    site.fail("/manifest.json", Fault::Status(503));
    browser.open(site.url());
    let last: Vec<Reading> = browser.get(&open_patiently(snapshot));
    let seen: Vec<_> = last.iter().map(|reading| (reading.generation, reading.reason.as_deref())).collect();
    assert_eq!(seen, [(1, Some("http")); 2]);
    assert_eq!(last[0].data, serde_json::from_str::<Value>(OLD).unwrap());
    assert_eq!(last[1].data, serde_json::json!([1]));
    // Also when it is an object that cannot be had.
    site.heal();
    site.fail(&object_path("[2]"), Fault::Corrupt);
    site.fail("/sales.json", Fault::Corrupt);
    let damaged: Vec<Reading> = browser.get(&open_patiently(snapshot));
    assert!(damaged.iter().all(|reading| reading.generation == 1 && !reading.fresh), "{damaged:?}");
}

fn what_is_forgotten_is_gone_after_a_reload(browser: Browser) {
    let site: Site = site_read_once(&browser);
    let _: Value = browser.get(&open_patiently("await feed.forget(); return null;"));
    let left: Vec<String> = browser.get("return Object.keys(localStorage).filter((key) => key.includes('/data/'));");
    assert_eq!(left, [""; 0]);
    site.fail("/manifest.json", Fault::Status(503));
    browser.open(site.url());
    assert_eq!(browser.error(&open_patiently("return feed.read('performance');")).code.as_deref(), Some("http"));
}
