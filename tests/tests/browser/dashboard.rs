//! The dashboard as a visitor meets it: fresh, then cached when the server is gone, then fresh again.

use lastgood_tests::browser::Browser;
use lastgood_tests::in_every_browser;
use lastgood_tests::site::Site;
use serde_json::{Value, json};

in_every_browser! {
    fresh_then_cached_then_fresh_again
    without_a_copy_it_says_what_failed
    data_of_another_shape_is_a_failure_and_not_a_broken_page
}

fn publish(site: &Site, warmest: f64) {
    let weather = |day: u32| {
        let temp_max = if day == 20 { warmest } else { 12.5 + f64::from(day % 7) };
        let date = format!("2012-01-{day:02}");
        json!({"date": date, "precipitation": 0.5, "temp_max": temp_max, "temp_min": 4.5, "wind": 3.1, "weather": "rain"})
    };
    let flight = |n: u32| {
        let date = format!("2001-01-{:02}T{:02}:20:00", n % 28 + 1, n % 24);
        json!({"date": date, "delay": n % 60, "distance": 100 + n, "origin": "HOU", "destination": "SJC"})
    };
    let performance = (1..=30).map(weather).collect::<Value>().to_string();
    let transactions = (0..250).map(flight).collect::<Value>().to_string();
    site.publish(&[("performance", &performance), ("transactions", &transactions)]);
}

fn both(browser: &Browser, state: &str) {
    for dataset in ["performance", "transactions"] {
        browser.wait_for(&format!("[data-dataset={dataset}][data-state={state}]"));
    }
}

/// The distances in the table, from top to bottom.
fn distances(browser: &Browser) -> Vec<u32> {
    let script = "
        const column = [...document.querySelectorAll('[data-dataset=transactions] thead th')]
          .findIndex((th) => th.dataset.column === 'distance');
        return [...document.querySelectorAll('[data-dataset=transactions] tbody tr')]
          .map((row) => Number(row.cells[column].textContent.replace(/[^0-9]/g, '')));";
    browser.look(script)
}

fn fresh_then_cached_then_fresh_again(browser: Browser) {
    let mut site = Site::dashboard();
    publish(&site, 30.5);
    browser.open(site.url());
    both(&browser, "fresh");
    let drawn: bool = browser.look("return document.querySelector('[data-dataset=performance] canvas')?.width > 0;");
    assert!(drawn, "the chart is there");
    assert!(browser.text("[data-dataset=performance]").contains("30.5"), "the hottest day is a key figure");

    browser.click("[data-dataset=transactions] th[data-column=distance] button");
    let sorted = distances(&browser);
    assert_eq!(sorted.len(), 250);
    assert!(sorted.is_sorted() || sorted.iter().rev().is_sorted(), "sorted by distance: {sorted:?}");

    site.stop();
    both(&browser, "cached");
    assert_eq!(distances(&browser), sorted, "the data stays, and so does the order");
    for dataset in ["performance", "transactions"] {
        browser.wait_for(&format!("[data-dataset={dataset}][data-reason=offline]"));
        let badge = browser.text(&format!("[data-dataset={dataset}] [data-part=badge]"));
        assert!(badge.contains("Cached"), "it says so in words: {badge}");
        let summary = browser.text(&format!("[data-dataset={dataset}] [data-part=summary]"));
        let has_age = ["just now", "ago", "old"].iter().any(|age| summary.contains(age));
        assert!(has_age, "with its age: {summary}");
    }

    publish(&site, 31.5);
    site.restart();
    browser.wait_for("[data-dataset=performance][data-state=fresh][data-generation='2']");
    assert!(browser.text("[data-dataset=performance]").contains("31.5"), "the new hottest day is shown");
}

fn without_a_copy_it_says_what_failed(browser: Browser) {
    let site = Site::dashboard();
    browser.open(site.url());
    both(&browser, "failed");
    browser.wait_for("[data-dataset=performance][data-reason=http]");
    publish(&site, 30.5);
    both(&browser, "fresh");
}

fn data_of_another_shape_is_a_failure_and_not_a_broken_page(browser: Browser) {
    let site = Site::dashboard();
    site.publish(&[("performance", r#"{"rows": 3}"#), ("transactions", "[]")]);
    browser.open(site.url());
    browser.wait_for("[data-dataset=performance][data-state=failed][data-reason=unexpected-shape]");
    browser.wait_for("[data-dataset=transactions][data-state=fresh]");
}
