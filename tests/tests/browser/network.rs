//! Slow and lossy lines, clocks that disagree, and a feed that begins anew.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lastgood::{Item, Settings};
use lastgood_tests::browser::{Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site, dataset};
use serde_json::{Value, json};

use crate::reading::{
    NEW, OLD, assert_verified, falls_back, marker, object_path, read, set_options, site_read_once, site_with_an_update,
    write_marker,
};

in_every_browser! {
    a_payload_may_take_longer_than_the_time_limit_as_long_as_it_comes
    a_payload_that_stops_coming_runs_into_the_time_limit
    a_lossy_line_never_leads_to_wrong_or_older_data
    a_clock_that_is_a_day_off_changes_nothing
    a_lease_ends_by_the_clock_of_the_server
    a_feed_expires_by_the_clock_of_the_server
    a_feed_that_is_created_from_scratch_is_read_from_its_first_generation
    a_new_identity_is_read_although_its_payloads_are_old
}

fn a_payload_may_take_longer_than_the_time_limit_as_long_as_it_comes(browser: Browser) {
    let site = site_with_an_update(&browser);
    set_options(&browser, "read", "{ timeoutMs: 1500 }");
    site.fail(&object_path(NEW), Fault::Drip(8, Duration::from_millis(300)));
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 2), "{reading:?}");
}

fn a_payload_that_stops_coming_runs_into_the_time_limit(browser: Browser) {
    let site = site_with_an_update(&browser);
    set_options(&browser, "read", "{ timeoutMs: 300 }");
    site.fail(&object_path(NEW), Fault::Drip(2, Duration::from_secs(3600)));
    falls_back(&browser, &site, "timeout");
}

fn a_lossy_line_never_leads_to_wrong_or_older_data(browser: Browser) {
    let site = Site::start();
    browser.open(site.url());
    let (mut seen, mut fresh, mut fallen_back) = (0, 0, 0);
    // As many rounds as it takes to see both; the dice are the same in every run.
    while fresh < 3 || fallen_back < 3 {
        site.heal();
        let rows: Vec<Value> = (0..20 + seen).map(|row| json!({"row": row, "value": 0.5})).collect();
        site.publish(&[("performance", &json!(rows).to_string())]);
        if seen == 0 {
            assert!(read(&browser, &site).fresh);
        }
        site.fail(".json", Fault::Lossy);
        let reading = read(&browser, &site);
        assert!(reading.generation >= seen, "{seen} has been seen before {reading:?}");
        seen = reading.generation;
        *if reading.fresh { &mut fresh } else { &mut fallen_back } += 1;
        assert!(fresh + fallen_back < 200, "{fresh} were fresh");
    }
    site.heal();
    assert!(read(&browser, &site).fresh);
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn a_clock_that_is_a_day_off_changes_nothing(browser: Browser) {
    for ahead_ms in [DAY_MS, -DAY_MS] {
        let site = Site::start();
        site.set_clock(ahead_ms);
        site.publish(&[("performance", OLD)]);
        browser.open(site.url());
        for source in ["network", "cache"] {
            let reading = read(&browser, &site);
            assert_eq!((reading.source.as_str(), reading.fresh), (source, true), "{reading:?}");
            assert_eq!(reading.published_at, site.feed().manifest().unwrap().published_at.to_string());
            assert!((0.0..120_000.0).contains(&reading.age_ms), "by the server's clock: {reading:?}");
        }
        site.publish(&[("performance", NEW)]);
        write_marker(&site);
        assert_eq!(read(&browser, &site).reason.as_deref(), Some("locked"), "the marker counts");
        fs::remove_file(site.data().join(".lock")).unwrap();
        assert_eq!(read(&browser, &site).generation, 2);
    }
}

fn a_lease_ends_by_the_clock_of_the_server(browser: Browser) {
    let site = site_with_an_update(&browser);
    // To the visitor's clock it has a day to go, and to the server's it is over.
    let lease = marker(&site, DAY_MS / 48);
    site.set_clock(DAY_MS);
    fs::write(site.data().join(".lock"), lease).unwrap();
    assert!(read(&browser, &site).fresh);
}

fn a_feed_expires_by_the_clock_of_the_server(browser: Browser) {
    let site = Site::start();
    let publish = || {
        site.publish(&[("performance", OLD)]);
        let settings = Settings { expires_in: Some(Duration::from_secs(3600)), ..Settings::default() };
        let item = Item::new(dataset("performance"), OLD.as_bytes());
        site.feed().with_settings(settings).publish(vec![item]).unwrap();
    };
    publish();
    browser.open(site.url());
    assert!(read(&browser, &site).fresh);
    site.set_clock(DAY_MS);
    assert_eq!(read(&browser, &site).reason.as_deref(), Some("expired"), "the visitor's clock does not say so");
    publish();
    assert!(read(&browser, &site).fresh);
    // To the visitor it would have expired long ago.
    site.set_clock(-DAY_MS);
    fs::remove_dir_all(site.data()).unwrap();
    fs::create_dir(site.data()).unwrap();
    publish();
    assert!(read(&browser, &site).fresh);
}

fn a_feed_that_is_created_from_scratch_is_read_from_its_first_generation(browser: Browser) {
    let mut site: Site = site_with_an_update(&browser);
    assert_eq!(read(&browser, &site).generation, 2);
    fs::remove_dir_all(site.data()).unwrap();
    fs::create_dir(site.data()).unwrap();
    let newest = r#"[{"day": 3, "value": 5.5}]"#;
    site.publish(&[("performance", newest)]);
    let reading = read(&browser, &site);
    assert_eq!((reading.source.as_str(), reading.fresh, reading.generation), ("network", true, 1), "{reading:?}");
    // What is kept from now on is of the new feed.
    let _: Value = browser.get("const { open } = await import('lastgood'); globalThis.feed = await open('/data/');");
    site.stop();
    let reading: Reading = browser.get("return await globalThis.feed.read('performance');");
    assert_verified(&reading, &site);
    assert_eq!((reading.generation, reading.reason.as_deref()), (1, Some("offline")));
    assert_eq!(reading.data, serde_json::from_str::<Value>(newest).unwrap());
}

fn a_new_identity_is_read_although_its_payloads_are_old(browser: Browser) {
    let site: Site = site_read_once(&browser);
    let backup = site.data().with_file_name("backup");
    copy_feed(&site.data(), &backup);
    site.publish(&[("performance", NEW)]);
    assert_eq!(read(&browser, &site).generation, 2);
    fs::remove_dir_all(site.data()).unwrap();
    fs::rename(&backup, site.data()).unwrap();
    assert_eq!(read(&browser, &site).reason.as_deref(), Some("regressed"), "an old copy of the directory is a replay");
    site.feed().recover_as_new_feed().unwrap();
    let reading = read(&browser, &site);
    assert!(reading.fresh, "{reading:?}");
    assert_eq!(reading.data, serde_json::from_str::<Value>(OLD).unwrap());
}

fn copy_feed(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}
