//! Reading one dataset in a page, and what must be true of every reading.

use std::fs;
use std::path::{Path, PathBuf};

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::marker::{Holder, LockMarker};
use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::site::{Host, Site, dataset};
use serde_json::Value;

pub(crate) const OLD: &str = r#"[{"day": 1, "value": 3.5}]"#;
pub(crate) const NEW: &str = r#"[{"day": 1, "value": 3.5}, {"day": 2, "value": 4.25}]"#;

/// Reads `performance` in the page as it is.
pub(crate) const READ: &str = "
    const { open } = await import('lastgood');
    const feed = await open('/data/', globalThis.openOptions ?? {});
    const reading = await feed.read('performance', globalThis.readOptions ?? {});
    // Large copies are written after the value was handed out, where there is room.
    const isLarge = JSON.stringify(reading.data ?? null).length > 32_768;
    for (let wait = 0; isLarge && reading.cachedIn === null && wait < 40; wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return reading;";

pub(crate) fn read<H: Host>(browser: &Browser, site: &Site<H>) -> Reading {
    let reading: Reading = browser.get(READ);
    assert_verified(&reading, site);
    reading
}

/// What was read is what was published under its digest, and the reading does not contradict itself.
pub(crate) fn assert_verified<H: Host>(reading: &Reading, site: &Site<H>) {
    assert_eq!(Some(&reading.data), site.published(&reading.sha256).as_ref(), "not published: {reading:?}");
    assert_eq!(reading.fresh, reading.reason.is_none(), "{reading:?}");
    assert_eq!(reading.reason.is_none(), reading.detail.is_none(), "{reading:?}");
    match reading.reason.as_deref() {
        None | Some("locked") => assert_ne!(reading.source, "fallback", "{reading:?}"),
        // What the manifest names, past its own end; or a copy, when the whole generation is past its end.
        Some("expired") => {}
        Some(_) => assert_eq!(reading.source, "fallback", "{reading:?}"),
    }
}

/// A site with one generation that the browser has read.
pub(crate) fn site_read_once<H: Host>(browser: &Browser) -> Site<H> {
    let site = Site::<H>::start_on();
    site.publish(&[("performance", OLD)]);
    browser.open(site.url());
    assert!(read(browser, &site).fresh);
    let _ = site.requests();
    site
}

/// A site with one generation that the browser has read, and a second one published.
pub(crate) fn site_with_an_update<H: Host>(browser: &Browser) -> Site<H> {
    let site = site_read_once(browser);
    site.publish(&[("performance", NEW)]);
    site
}

/// The update cannot be had: the last good copy is handed out, with the reason.
pub(crate) fn falls_back<H: Host>(browser: &Browser, site: &Site<H>, reason: &str) -> Reading {
    let reading = read(browser, site);
    assert_eq!((reading.source.as_str(), reading.reason.as_deref()), ("fallback", Some(reason)), "{reading:?}");
    assert_eq!(reading.data, serde_json::from_str::<Value>(OLD).unwrap());
    assert_eq!(reading.generation, 1);
    reading
}

pub(crate) fn set_options(browser: &Browser, kind: &str, options: &str) {
    let _: Value = browser.get(&format!("globalThis.{kind}Options = {options};"));
}

/// Has the page collect what the feeds that it opens from now on tell of their caches.
pub(crate) fn collect_events(browser: &Browser) {
    let _: Value = browser.get("globalThis.events = [];");
    set_options(
        browser,
        "open",
        "{ onEvent: ({ type }) => { if (type.startsWith('cache-')) globalThis.events.push(type); } }",
    );
}

pub(crate) fn events(browser: &Browser) -> Vec<String> {
    browser.get("return globalThis.events;")
}

pub(crate) fn object_path(json: &str) -> String {
    format!("objects/{}.json", Sha256::of(json.as_bytes()))
}

pub(crate) fn object<H: Host>(site: &Site<H>, json: &str) -> PathBuf {
    site.data().join(object_path(json))
}

pub(crate) fn corrupt(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A marker of a writer whose lease ends in `lease_ms` from now, by the site's clock.
pub(crate) fn marker<H: Host>(site: &Site<H>, lease_ms: i64) -> String {
    let now = site.now();
    let marker = LockMarker {
        format: 1,
        holder: Holder { host: "test".to_owned(), pid: 1, token: "0".to_owned() },
        datasets: vec![dataset("performance")],
        acquired_at: now.plus_ms(lease_ms.min(0) - 60_000),
        expires_at: now.plus_ms(lease_ms),
    };
    String::from_utf8(marker.encode()).unwrap()
}

pub(crate) fn write_marker<H: Host>(site: &Site<H>) {
    fs::write(site.data().join(".lock"), marker(site, 60_000)).unwrap();
}
