//! What grows in a page that stays open, and what is left when it has closed its feed.

use lastgood_tests::browser::{Browser, Engine, Profile};
use serde::Deserialize;

use crate::data::Sites;
use crate::server::Route;

/// The name on the command line.
pub(crate) const NAME: &str = "endurance";

const REFRESHES: usize = 10_000;
const CHANGES: usize = 1_000;

/// What `page/src/census.ts` counts.
#[derive(Deserialize)]
struct Census {
    timers: u64,
    listeners: u64,
    channels: u64,
    locks: u64,
    wasm: f64,
}

/// Lets a page live a long life, and prints what it held at which age.
pub(crate) fn run(engine: Engine, sites: &Sites) {
    let browser = Browser::start(engine, Profile::Default);
    browser.open(&format!("{}endurance.html", sites.changing.server.address(Route::Loopback, 0)));
    browser.wait_until("document.body.dataset.ready");
    println!("\na page that stays open; KB of memory, what is open");
    println!(
        "  {:38} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "wasm", "JS heap", "timers", "listeners", "channels", "locks"
    );
    tell(&browser, "before it opens the feed");
    browser.get::<()>("await endurance.begin()");
    refresh(&browser, 100);
    tell(&browser, "after 100 refreshes");
    refresh(&browser, REFRESHES - 100);
    tell(&browser, &format!("after {REFRESHES} refreshes"));
    for change in 1..=CHANGES {
        let rows = sites.changing.publish(change);
        browser.get::<()>(&format!("await endurance.change({rows})"));
        if change == CHANGES / 10 {
            tell(&browser, &format!("after {change} changed reads"));
        }
    }
    tell(&browser, &format!("after {CHANGES} changed reads"));
    browser.get::<()>("await endurance.end()");
    tell(&browser, "after close()");
}

/// In parts: a script of a driver has a minute.
fn refresh(browser: &Browser, times: usize) {
    for begin in (0..times).step_by(1_000) {
        browser.get::<()>(&format!("await endurance.refresh({})", (times - begin).min(1_000)));
    }
}

fn tell(browser: &Browser, age: &str) {
    let heap = browser.js_heap_bytes().map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.0}", bytes / 1e3));
    let Census { timers, listeners, channels, locks, wasm } = browser.get("return endurance.census()");
    println!("  {age:38} {:9.0} {heap:>9} {timers:9} {listeners:9} {channels:9} {locks:9}", wasm / 1e3);
}
