//! What a page can run in: without `crypto.subtle`, in a private window, as a worker, under a content security policy,
//! and out of the back-forward cache.

use std::fs;

use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site};
use serde_json::Value;

use crate::reading::{
    NEW, OLD, assert_verified, corrupt, falls_back, object, read, site_read_once, site_with_an_update,
};

in_every_browser! {
    without_crypto_subtle_everything_is_verified_all_the_same
    a_private_window_reads_and_keeps_a_copy(Private)
    a_worker_reads
    a_service_worker_reads
    the_documented_content_security_policy_is_enough
    a_stricter_content_security_policy_is_an_error_that_says_so
    a_page_out_of_the_back_forward_cache_reads_on
}

fn without_crypto_subtle_everything_is_verified_all_the_same(browser: Browser) {
    let site = Site::insecure();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    let secure: Vec<bool> = browser.get("return [isSecureContext, Boolean(globalThis.crypto?.subtle)];");
    assert_eq!(secure, [false, false], "this is what the test is about");
    assert_eq!(read(&browser, &site).source, "network");
    assert_eq!(read(&browser, &site).source, "cache");
    site.publish(&[("performance", NEW)]);
    assert_eq!(read(&browser, &site).generation, 2);
    let newest = "[3]";
    site.publish(&[("performance", newest)]);
    corrupt(&object(&site, newest));
    let reading = read(&browser, &site);
    assert_eq!((reading.generation, reading.reason.as_deref()), (2, Some("checksum-mismatch")));
}

fn a_private_window_reads_and_keeps_a_copy(browser: Browser) {
    let site = site_with_an_update(&browser);
    site.fail("/manifest.json", Fault::Status(503));
    falls_back(&browser, &site, "http");
    site.heal();
    assert_eq!(read(&browser, &site).generation, 2);
}

/// A module that reads once and tells what came of it.
const WORKER: &str = "
    import { open } from '/lastgood/lastgood.js';
    export const answer = open('/data/')
      .then((feed) => feed.read('performance'))
      .then((ok) => ({ ok }), (error) => ({ error: `${error.code}: ${error.message}` }));";

fn told(browser: &Browser, site: &Site, script: &str) -> Reading {
    let answer: Value = browser.get(script);
    assert_eq!(answer.get("error"), None);
    let reading: Reading = serde_json::from_value(answer["ok"].clone()).unwrap();
    assert_verified(&reading, site);
    reading
}

fn a_worker_reads(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let worker = format!("{WORKER}\nanswer.then((answer) => postMessage(answer));");
    fs::write(site.www().join("worker.js"), worker).unwrap();
    browser.open(site.url());
    let reading = told(
        &browser,
        &site,
        "const worker = new Worker('/worker.js', { type: 'module' });
         return await new Promise((resolve, reject) => {
           worker.onmessage = (event) => resolve(event.data);
           worker.onerror = (event) => reject(new Error(event.message));
         });",
    );
    assert_eq!((reading.source.as_str(), reading.fresh), ("network", true));
}

fn a_service_worker_reads(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    // It answers the page's own request with a reading of its own.
    let worker = format!(
        "{WORKER}
         addEventListener('install', () => skipWaiting());
         addEventListener('activate', (event) => event.waitUntil(clients.claim()));
         addEventListener('fetch', (event) => {{
           if (event.request.url.endsWith('/reading')) event.respondWith(answer.then((value) => Response.json(value)));
         }});"
    );
    fs::write(site.www().join("worker.js"), worker).unwrap();
    browser.open(site.url());
    let reading = told(
        &browser,
        &site,
        "await navigator.serviceWorker.register('/worker.js', { type: 'module' });
         if (!navigator.serviceWorker.controller) {
           await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
         }
         return await (await fetch('/reading')).json();",
    );
    assert_eq!((reading.source.as_str(), reading.fresh), ("network", true));
}

/// Opens a page with this content security policy, which says in its title what came of reading, and of what the browser
/// has complained.
fn open_under(browser: &Browser, site: &Site, policy: &str) -> String {
    let script = "
        const violations = new Set();
        addEventListener('securitypolicyviolation', (event) => violations.add(event.effectiveDirective));
        const { open } = await import('/lastgood/lastgood.js');
        const outcome = await open('/data/')
          .then((feed) => feed.read('performance'))
          .then((reading) => reading.source, (error) => error.code);
        // The browser tells of violations in a task of its own.
        setTimeout(() => { document.title = ['done', outcome, ...violations].join(' '); });";
    let page = format!(
        "<!doctype html><meta http-equiv=Content-Security-Policy content=\"{policy}\"><title>csp</title>
         <link rel=icon href=data:,><script type=module src=page.js></script>"
    );
    fs::write(site.www().join("page.js"), script).unwrap();
    fs::write(site.www().join("page.html"), page).unwrap();
    browser.open(&format!("{}page.html", site.url()));
    browser.wait_until("document.title.startsWith('done')");
    browser.look("return document.title;")
}

/// The policy of the documentation, for a feed on the same origin.
fn documented_policy() -> String {
    let page = fs::read_to_string(lastgood_tests::site::workspace().join("docs/operations.md")).unwrap();
    let policy = page.lines().find_map(|line| line.strip_prefix("Content-Security-Policy: ")).unwrap();
    // The icon of the test's page.
    format!("{}; img-src data:", policy.replace(" https://feeds.example.org", ""))
}

fn the_documented_content_security_policy_is_enough(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    assert!(documented_policy().contains("script-src 'self' 'wasm-unsafe-eval'"), "{}", documented_policy());
    assert_eq!(open_under(&browser, &site, &documented_policy()), "done network");
    assert_eq!(open_under(&browser, &site, &documented_policy()), "done cache");
}

fn a_stricter_content_security_policy_is_an_error_that_says_so(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    let without_wasm = documented_policy().replace(" 'wasm-unsafe-eval'", "");
    // WebKit does not report this one.
    let outcome = open_under(&browser, &site, &without_wasm);
    assert!(["done wasm", "done wasm script-src"].contains(&outcome.as_str()), "{outcome}");
    let without_requests = documented_policy().replace("connect-src 'self'", "connect-src 'none'");
    // The module comes as a script then, and reading fails as without a network.
    assert_eq!(open_under(&browser, &site, &without_requests), "done offline connect-src");
}

fn a_page_out_of_the_back_forward_cache_reads_on(browser: Browser) {
    let site: Site = site_read_once(&browser);
    let _: Value = browser.get(
        "const { open } = await import('lastgood');
         globalThis.feed = await open('/data/');
         addEventListener('pageshow', (event) => { globalThis.restored = event.persisted; });",
    );
    browser.open(&format!("{}?elsewhere", site.url()));
    site.publish(&[("performance", NEW)]);
    browser.back();
    assert!(browser.get::<bool>("return globalThis.restored === true;"), "the page is the same as before");
    let reading: Reading = browser.get("return await globalThis.feed.read('performance');");
    assert_verified(&reading, &site);
    assert_eq!((reading.fresh, reading.generation), (true, 2));
}
