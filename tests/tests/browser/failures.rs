//! What a server can do wrong, and what the page gets then.

use std::fs;

use lastgood_tests::browser::Browser;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site};

use crate::reading::{
    NEW, OLD, READ, falls_back, marker, object_path, read, set_options, site_with_an_update, write_marker,
};

in_every_browser! {
    a_corrupted_manifest_falls_back
    a_truncated_object_falls_back
    an_expired_or_unreadable_lock_counts_for_nothing
    an_invalid_name_is_asked_for_nowhere
    a_silent_server_runs_into_the_time_limit
    the_page_of_a_single_page_app_is_not_json
    an_error_status_is_told
    a_closed_feed_and_an_aborted_call_say_so
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

fn an_expired_or_unreadable_lock_counts_for_nothing(browser: Browser) {
    let site = site_with_an_update(&browser);
    let markers = [marker(&site, -1000), "held by nightly.sh".to_owned(), "<!doctype html>".to_owned(), String::new()];
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

fn an_invalid_name_is_asked_for_nowhere(browser: Browser) {
    let site = Site::start();
    browser.open(site.url());
    let error = browser.error(&READ.replace("'performance'", "'../manifest'"));
    assert_eq!(error.code.as_deref(), Some("invalid-name"));
    let mut asked = site.requests();
    asked.sort();
    assert_eq!(asked, ["/data/.lock", "/data/manifest.json"], "which open asks for");
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
