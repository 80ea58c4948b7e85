//! A page that stays open: what it is told, when it asks, and what it leaves undone.

use std::fs;

use lastgood_tests::browser::Browser;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site};
use lastgood_tests::until;
use serde_json::Value;

use crate::reading::{NEW, OLD, object_path, site_with_an_update, write_marker};

in_every_browser! {
    an_unchanged_feed_costs_one_request_and_stays_the_same_object
    a_change_downloads_nothing_but_the_change
    a_released_lock_is_noticed_at_once
    a_hidden_page_does_not_poll_and_looks_when_it_is_shown
    a_page_that_goes_offline_says_so_and_looks_when_it_is_back
    a_page_out_of_the_back_forward_cache_looks_at_once
    a_server_that_recovers_is_noticed
}

/// Longer than any test: whatever is seen before is not due to polling.
pub(crate) const HOUR_MS: u32 = 3_600_000;

/// Has the page watch `performance` and write into its root element what it is told.
pub(crate) fn watch(browser: &Browser, interval_ms: u32) {
    watch_with(browser, &format!("{{ intervalMs: {interval_ms}, minIntervalMs: 1 }}"));
}

pub(crate) fn watch_with(browser: &Browser, options: &str) {
    let _: Value = browser.get(&format!(
        "const {{ open }} = await import('lastgood');
         const root = document.documentElement.dataset;
         const onEvent = (event) => {{ if (event.type === 'leader') root.leading = String(event.leading); }};
         const name = new URLSearchParams(location.search).get('tab');
         globalThis.readings = [];
         globalThis.feed = await open('/data/', {{ ...{options}, onEvent }});
         globalThis.feed.watch('performance', (reading) => {{
           globalThis.readings.push(reading);
           root.generation = reading.generation;
           root.reason = reading.reason ?? 'none';
           if (name) localStorage.setItem('shown in ' + name, reading.generation);
         }}, {{ onError: (error) => {{ root.error = error.code; }} }});"
    ));
}

/// Waits until the page shows a generation, fresh.
pub(crate) fn wait_for_generation(browser: &Browser, generation: u64) {
    browser.wait_for(&format!(":root[data-generation='{generation}'][data-reason=none]"));
}

/// How often this page has asked for the manifest.
pub(crate) fn looks(browser: &Browser) -> usize {
    browser.look(
        "return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/manifest.json')).length;",
    )
}

/// A site whose first generation the page shows, and which it looks at no more by itself.
fn watched(browser: &Browser) -> Site {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    watch(browser, HOUR_MS);
    wait_for_generation(browser, 1);
    let _ = site.requests();
    site
}

fn an_unchanged_feed_costs_one_request_and_stays_the_same_object(browser: Browser) {
    let site = watched(&browser);
    let _: Value = browser.get("for (let n = 0; n < 3; n += 1) await globalThis.feed.refresh();");
    let manifest = if browser.has_http_cache() { 304 } else { 200 };
    assert_eq!(site.requests(), vec![format!("GET /data/manifest.json {manifest}"); 3]);
    let told: usize = browser.get("return globalThis.readings.length;");
    assert_eq!(told, 1, "there was nothing new to tell");
    let same: bool = browser.get(
        "const reading = await globalThis.feed.read('performance');
         return reading.data === globalThis.readings[0].data;",
    );
    assert!(same);
}

fn a_change_downloads_nothing_but_the_change(browser: Browser) {
    let site = watched(&browser);
    site.publish(&[("performance", NEW), ("transactions", "[1]")]);
    let _: Value = browser.get("await globalThis.feed.refresh();");
    wait_for_generation(&browser, 2);
    let path = object_path(NEW);
    assert_eq!(site.requests(), ["GET /data/manifest.json 200".to_owned(), format!("GET /data/{path} 200")]);
}

fn a_released_lock_is_noticed_at_once(browser: Browser) {
    let site: Site = site_with_an_update(&browser);
    write_marker(&site);
    watch(&browser, HOUR_MS);
    browser.wait_for(":root[data-generation='1'][data-reason=locked]");
    let mut looks = 0;
    until("the page looks at the marker again and again", || {
        looks += site.requests().iter().filter(|request| request.contains("/.lock 200")).count();
        looks > 3
    });
    browser.wait_for(":root[data-generation='1'][data-reason=locked]");
    fs::remove_file(site.data().join(".lock")).unwrap();
    wait_for_generation(&browser, 2);
}

fn a_hidden_page_does_not_poll_and_looks_when_it_is_shown(browser: Browser) {
    const INTERVAL_MS: u32 = 200;
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    watch(&browser, INTERVAL_MS);
    wait_for_generation(&browser, 1);
    let hidden = browser.tab();
    browser.hide();
    // What tells the time is another page with the same interval, which shares nothing with the first.
    let clock = browser.new_tab();
    browser.open(site.url());
    watch_with(&browser, &format!("{{ intervalMs: {INTERVAL_MS}, minIntervalMs: 1, shareTabs: false }}"));
    browser.switch_to(&hidden);
    let before = looks(&browser);
    site.publish(&[("performance", NEW)]);
    browser.switch_to(&clock);
    wait_for_generation(&browser, 2);
    let begin = looks(&browser);
    browser.wait_until(&format!(
        "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/manifest.json')).length > {begin} + 5"
    ));
    browser.switch_to(&hidden);
    assert_eq!(looks(&browser), before, "nobody sees it");
    browser.show();
    wait_for_generation(&browser, 2);
}

fn a_page_that_goes_offline_says_so_and_looks_when_it_is_back(browser: Browser) {
    let mut site = watched(&browser);
    site.stop();
    browser.set_online(false);
    browser.wait_for(":root[data-generation='1'][data-reason=offline]");
    site.publish(&[("performance", NEW)]);
    site.restart();
    browser.set_online(true);
    wait_for_generation(&browser, 2);
}

fn a_page_out_of_the_back_forward_cache_looks_at_once(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    // Firefox keeps no page that has held a Web Lock, even if it lets go of it when it is left.
    watch_with(&browser, &format!("{{ intervalMs: {HOUR_MS}, minIntervalMs: 1, shareTabs: false }}"));
    wait_for_generation(&browser, 1);
    let _: Value = browser.get("globalThis.kept = true;");
    browser.open(&format!("{}?elsewhere", site.url()));
    site.publish(&[("performance", NEW)]);
    browser.back();
    wait_for_generation(&browser, 2);
    assert!(browser.get::<bool>("return globalThis.kept === true;"), "the page is the same as before");
}

fn a_server_that_recovers_is_noticed(browser: Browser) {
    let site = watched(&browser);
    site.fail("/manifest.json", Fault::Status(503));
    let _: Value = browser.get("await globalThis.feed.refresh();");
    browser.wait_for(":root[data-generation='1'][data-reason=http]");
    site.publish(&[("performance", NEW)]);
    site.heal();
    // After the first pause of a few seconds, although it would look once in an hour.
    wait_for_generation(&browser, 2);
}
