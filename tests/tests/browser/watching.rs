//! Watches in several tabs of one browser.

use lastgood_tests::browser::Browser;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::Site;

in_every_browser! {
    tabs_download_once_and_one_leads
    tabs_without_web_locks_download_once_and_one_leads
}

fn tabs_download_once_and_one_leads(browser: Browser) {
    download_once_and_one_leads(&browser, &Site::start());
}

fn tabs_without_web_locks_download_once_and_one_leads(browser: Browser) {
    download_once_and_one_leads(&browser, &Site::insecure());
}

/// Watches in a page; the document shows what was told last, and whether the tab leads.
fn watch(browser: &Browser, site: &Site) {
    browser.open(site.url());
    browser.get::<()>(
        "const { open } = await import('lastgood');
         const show = (name, value) => { document.body.dataset[name] = JSON.stringify(value); };
         const onEvent = (event) => { if (event.type === 'leader') show('leading', event.leading); };
         const feed = await open('/data/', { intervalMs: 1000, onEvent });
         feed.watch('sales', ({ data }) => show('told', data));",
    );
}

fn wait_for(browser: &Browser, name: &str, value: &str) {
    browser.wait_until(&format!("document.body.dataset.{name} === '{value}'"));
}

fn download_once_and_one_leads(browser: &Browser, site: &Site) {
    site.publish(&[("sales", "[1]")]);
    let first = browser.tab();
    watch(browser, site);
    wait_for(browser, "told", "[1]");
    wait_for(browser, "leading", "true");
    let second = browser.new_tab();
    watch(browser, site);
    wait_for(browser, "told", "[1]");

    drop(site.requests());
    site.publish(&[("sales", "[2]")]);
    wait_for(browser, "told", "[2]");
    assert!(!browser.look::<bool>("return document.body.dataset.leading === 'true';"), "the first tab leads");
    browser.switch_to(&first);
    wait_for(browser, "told", "[2]");
    let downloads = site.requests().into_iter().filter(|request| request.contains("/objects/")).collect::<Vec<_>>();
    assert_eq!(downloads.len(), 1, "one tab downloads, the other one takes it from the cache: {downloads:?}");

    // Closes the first one.
    browser.close_tab(&second);
    wait_for(browser, "leading", "true");
    site.publish(&[("sales", "[3]")]);
    wait_for(browser, "told", "[3]");
}
