//! Several tabs of one origin: one polls, the others are told.

use lastgood_tests::browser::{Browser, Tab};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::Site;
use serde_json::Value;

use crate::reading::{NEW, OLD};
use crate::watching::{HOUR_MS, looks, wait_for_generation, watch, watch_with};

in_every_browser! {
    what_one_of_two_tabs_sees_the_other_is_told
    what_one_of_five_tabs_sees_the_others_are_told
    only_the_leader_of_five_tabs_polls
    leadership_moves_when_the_leader_is_hidden
    leadership_moves_when_the_leader_is_closed
    without_web_locks_tabs_share_all_the_same
    tabs_that_do_not_share_poll_each_on_its_own
}

const LEADING: &str = ":root[data-leading=true]";

/// Opens the site in so many tabs, all of them visible, each of which shows the first generation. The first one leads; the
/// browser is in the last one, and stays there: in Firefox going to a tab gives it the focus, upon which it looks by itself.
fn open_tabs(browser: &Browser, site: &Site, count: usize, interval_ms: u32) -> Vec<Tab> {
    let mut tabs = vec![browser.tab()];
    tabs.extend((1..count).map(|_| browser.new_tab()));
    for (n, tab) in tabs.iter().enumerate() {
        browser.switch_to(tab);
        browser.open(&format!("{}?tab={n}", site.url()));
        watch(browser, interval_ms);
        wait_for_generation(browser, 1);
    }
    tabs
}

/// Waits until all tabs show a generation, without going to them.
fn wait_for_generation_in_all(browser: &Browser, count: usize, generation: u64) {
    let shown = format!("Array.from({{ length: {count} }}, (_, n) => localStorage.getItem(`shown in ${{n}}`))");
    browser.wait_until(&format!("{shown}.every((shown) => shown === '{generation}')"));
}

fn site() -> Site {
    let site = Site::start();
    site.publish(&[("performance", OLD)]);
    site
}

/// One tab, which does not lead, looks, and all show it.
fn the_others_are_told(browser: &Browser, site: &Site, count: usize) {
    let _ = site.requests();
    site.publish(&[("performance", NEW)]);
    let _: Value = browser.get("await globalThis.feed.refresh();");
    wait_for_generation_in_all(browser, count, 2);
    let requests = site.requests();
    let asked = |what: &str| requests.iter().filter(|request| request.contains(what)).count();
    assert_eq!(asked("/manifest.json"), 1, "{requests:?}");
    // What is stored reaches other processes after the news of it, at times, and then they download it for themselves.
    assert!((1..=count).contains(&asked("/objects/")), "{requests:?}");
}

fn what_one_of_two_tabs_sees_the_other_is_told(browser: Browser) {
    let site = site();
    open_tabs(&browser, &site, 2, HOUR_MS);
    the_others_are_told(&browser, &site, 2);
}

fn what_one_of_five_tabs_sees_the_others_are_told(browser: Browser) {
    let site = site();
    open_tabs(&browser, &site, 5, HOUR_MS);
    the_others_are_told(&browser, &site, 5);
}

fn only_the_leader_of_five_tabs_polls(browser: Browser) {
    let site = site();
    open_tabs(&browser, &site, 5, 2000);
    let before = looks(&browser);
    let _ = site.requests();
    for generation in 2..=4 {
        site.publish(&[("performance", &format!("[{generation}]"))]);
        wait_for_generation_in_all(&browser, 5, generation);
    }
    let requests = site.requests();
    let asked = |what: &str| requests.iter().filter(|request| request.contains(what)).count();
    assert!(asked("/manifest.json") >= 3, "{requests:?}");
    assert_eq!(looks(&browser), before, "this one does not lead, and has not asked");
    assert!(asked("/objects/") < 3 * 5, "not every tab downloads every payload: {requests:?}");
}

fn leadership_moves_when_the_leader_is_hidden(browser: Browser) {
    let site = site();
    let tabs = open_tabs(&browser, &site, 2, HOUR_MS);
    browser.switch_to(&tabs[0]);
    browser.wait_for(LEADING);
    browser.hide();
    browser.wait_for(":root[data-leading=false]");
    browser.switch_to(&tabs[1]);
    browser.wait_for(LEADING);
    site.publish(&[("performance", NEW)]);
    let _: Value = browser.get("await globalThis.feed.refresh();");
    wait_for_generation(&browser, 2);
    // The hidden one is left alone until somebody looks at it.
    browser.switch_to(&tabs[0]);
    assert_eq!(browser.look::<String>("return document.documentElement.dataset.generation;"), "1");
    browser.show();
    wait_for_generation(&browser, 2);
    assert_eq!(browser.look::<String>("return document.documentElement.dataset.leading;"), "false");
}

fn leadership_moves_when_the_leader_is_closed(browser: Browser) {
    let site = site();
    let tabs = open_tabs(&browser, &site, 2, 1000);
    browser.switch_to(&tabs[0]);
    browser.close_tab(&tabs[1]);
    browser.wait_for(LEADING);
    site.publish(&[("performance", NEW)]);
    wait_for_generation(&browser, 2);
}

fn without_web_locks_tabs_share_all_the_same(browser: Browser) {
    let site = Site::insecure();
    site.publish(&[("performance", OLD)]);
    let tabs = open_tabs(&browser, &site, 2, HOUR_MS);
    assert!(browser.get::<bool>("return navigator.locks === undefined;"), "this is what the test is about");
    the_others_are_told(&browser, &site, 2);
    browser.switch_to(&tabs[0]);
    browser.wait_for(LEADING);
    browser.close_tab(&tabs[1]);
    browser.wait_for(LEADING);
}

fn tabs_that_do_not_share_poll_each_on_its_own(browser: Browser) {
    let site = site();
    let tabs = [browser.tab(), browser.new_tab()];
    let options = format!("{{ intervalMs: {HOUR_MS}, minIntervalMs: 1, shareTabs: false }}");
    for (n, tab) in tabs.iter().enumerate() {
        browser.switch_to(tab);
        browser.open(&format!("{}?tab={n}", site.url()));
        watch_with(&browser, &options);
        wait_for_generation(&browser, 1);
    }
    site.publish(&[("performance", NEW)]);
    let _: Value = browser.get("await globalThis.feed.refresh();");
    assert_eq!(browser.look::<String>("return localStorage.getItem('shown in 0');"), "1", "nobody tells it");
    browser.switch_to(&tabs[0]);
    let _: Value = browser.get("await globalThis.feed.refresh();");
    wait_for_generation(&browser, 2);
}
