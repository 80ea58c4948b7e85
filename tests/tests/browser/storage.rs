//! The cache in localStorage: blocked, full, altered.

use lastgood_tests::browser::Browser;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site};
use serde_json::Value;

use crate::reading::{OLD, READ, collect_events, events, read, site_read_once};

in_every_browser! {
    blocked_storage_reads_without_a_cache(StorageBlocked)
    full_storage_reads_all_the_same_and_leaves_other_entries_alone
    storage_that_other_code_fills_later_leaves_the_copy_from_before
    when_full_the_least_recently_used_own_entry_goes_first
    a_tampered_cache_is_never_believed
    junk_in_the_cache_is_a_miss
}

fn blocked_storage_reads_without_a_cache(browser: Browser) {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    let error = browser.error("localStorage.getItem('x');");
    assert!(["SecurityError", "TypeError"].contains(&error.name.as_str()), "the browser does block it: {error:?}");
    collect_events(&browser);
    assert_eq!(read(&browser, &site).source, "network");
    let events = events(&browser);
    // WebKit blocks localStorage alone: then everything is in Cache Storage, and nothing is amiss.
    let cached_in: Option<String> = browser.get(
        "const { open } = await import('lastgood');
         return (await (await open('/data/')).read('performance')).cachedIn;",
    );
    match cached_in.as_deref() {
        None => assert_eq!(events, ["cache-unavailable"]),
        Some(store) => assert_eq!((store, events), ("cacheStorage", Vec::new())),
    }
}

/// What other code of the origin does: it fills the storage to the last thousand characters. Returns its number of entries.
fn fill(browser: &Browser) -> usize {
    browser.get(
        "let size = 1 << 20, n = 0;
         while (size > 1000) {
           try { localStorage.setItem('other' + n, 'y'.repeat(size)); n += 1; } catch { size = size >> 1; }
         }
         return n;",
    )
}

/// The entries of the other code that are left.
fn others(browser: &Browser) -> usize {
    browser.get("return Object.keys(localStorage).filter((key) => key.startsWith('other')).length;")
}

fn large() -> String {
    format!("[\"{}\"]", "x".repeat(600_000))
}

fn full_storage_reads_all_the_same_and_leaves_other_entries_alone(browser: Browser) {
    // Where there is no Cache Storage to go to.
    let site = Site::insecure();
    site.publish(&[("performance", &large())]);
    browser.open(site.url());
    let filled = fill(&browser);
    collect_events(&browser);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh), ("network", true));
    assert_eq!(reading.cached_in, None, "and says so");
    assert_eq!(events(&browser), ["cache-full"]);
    assert_eq!(others(&browser), filled);
}

fn storage_that_other_code_fills_later_leaves_the_copy_from_before(browser: Browser) {
    let site: Site = site_read_once(&browser);
    let filled = fill(&browser);
    site.publish(&[("performance", &large())]);
    let reading = read(&browser, &site);
    assert_eq!((reading.fresh, reading.generation), (true, 2), "{}", reading.source);
    let in_cache_storage = reading.cached_in.as_deref() == Some("cacheStorage");
    // The next visit, while the feed cannot be reached.
    browser.open(site.url());
    site.fail("/manifest.json", Fault::Status(503));
    if in_cache_storage && !browser.keeps_cache_storage() {
        assert_eq!(browser.error(READ).code.as_deref(), Some("http"), "a copy that is gone is a miss");
    } else {
        let fallback = read(&browser, &site);
        assert_eq!((fallback.source.as_str(), fallback.reason.as_deref()), ("fallback", Some("http")));
        assert_eq!(fallback.generation, if reading.cached_in.is_some() { 2 } else { 1 }, "as the reading has said");
    }
    assert_eq!(others(&browser), filled);
    // Once there is room again, the new one is kept.
    site.heal();
    let _: Value = browser
        .get("for (const key of Object.keys(localStorage)) if (key.startsWith('other')) localStorage.removeItem(key);");
    assert!(read(&browser, &site).cached_in.is_some());
    browser.open(site.url());
    assert_eq!(read(&browser, &site).source, "cache");
}

fn when_full_the_least_recently_used_own_entry_goes_first(browser: Browser) {
    let site = Site::insecure();
    let large = |letter: &str| format!("[\"{}\"]", letter.repeat(2_000_000));
    site.publish(&[("a", &large("a")), ("b", &large("b")), ("performance", &large("p"))]);
    browser.open(site.url());
    let evicted: Vec<String> = browser.get(
        "const { open } = await import('lastgood');
         const evicted = [];
         const feed = await open('/data/', { onEvent: (event) => { if (event.type.startsWith('cache-')) evicted.push(event.type + ' ' + event.dataset); } });
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
