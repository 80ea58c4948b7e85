//! The WebAssembly reader makes of the golden fixtures exactly what their table says, as the native reader does.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use lastgood_protocol::time::Timestamp;
use lastgood_tests::browser::{Answer, Browser, Reading};
use lastgood_tests::in_every_browser;
use lastgood_tests::site::{Fault, Site, workspace};
use serde_json::{Value, json};

in_every_browser! {
    manifests
    lock_markers
}

fn fixtures() -> PathBuf {
    workspace().join("protocol/fixtures")
}

fn cases(kind: &str) -> Vec<Value> {
    let cases: Value = serde_json::from_slice(&fs::read(fixtures().join("cases.json")).unwrap()).unwrap();
    let cases = cases[kind].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

/// A site that serves the fixture feed without its plain copies.
fn site(browser: &Browser) -> Site {
    let site = Site::start();
    fs::create_dir(site.data().join("objects")).unwrap();
    for object in fs::read_dir(fixtures().join("feed/objects")).unwrap() {
        let object = object.unwrap();
        fs::copy(object.path(), site.data().join("objects").join(object.file_name())).unwrap();
    }
    fs::copy(fixtures().join("feed/manifest.json"), site.data().join("manifest.json")).unwrap();
    browser.open(site.url());
    site
}

/// Each time a feed that remembers nothing.
fn read(browser: &Browser, dataset: &Value) -> Answer {
    browser.run(&format!(
        "const {{ open }} = await import('lastgood');
         const feed = await open('/data/', {{ cache: 'none', lock: 'wait', lockWaitMs: 1 }});
         return await feed.read({dataset});"
    ))
}

fn manifests(browser: Browser) {
    let site = site(&browser);
    for case in cases("manifests") {
        let bytes = fs::read(fixtures().join(case["file"].as_str().unwrap())).unwrap();
        site.fail("/manifest.json", Fault::Body(bytes));
        match (read(&browser, &case["dataset"]), case["error"].as_str()) {
            (Answer::Error(error), Some(code)) => assert_eq!(error.code.as_deref(), Some(code), "{case}: {error:?}"),
            (Answer::Ok(reading), None) if case["ext"] == "json" => {
                let reading: Reading = serde_json::from_value(reading).unwrap();
                assert_eq!(reading.generation, case["generation"], "{case}");
                assert_eq!(reading.sha256, case["sha256"], "{case}");
                assert_eq!(reading.published_at, case["published_at"], "{case}");
                // Through the engine's own parser, to which 1.0 is 1.
                let meta: Value =
                    browser.get(&format!("return JSON.parse({});", json!(case["meta"].as_str().unwrap_or("null"))));
                assert_eq!(reading.meta, meta, "{case}");
                assert!(reading.fresh, "{case}");
            }
            (Answer::Error(_), None) if case["ext"] != "json" => {}
            (answer, _) => panic!("{case}: {answer:?}"),
        }
        site.heal();
    }
}

fn lock_markers(browser: Browser) {
    let site = site(&browser);
    for case in cases("markers") {
        let bytes = fs::read(fixtures().join(case["file"].as_str().unwrap())).unwrap();
        let at: Timestamp = case["at"].as_str().unwrap().parse().unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at.ms().try_into().unwrap());
        site.fail("/.lock", Fault::Dated(bytes, at));
        let _ = site.requests();
        let _ = read(&browser, &case["dataset"]);
        let looks = site.requests().iter().filter(|request| request.contains("/.lock")).count();
        // A marker that counts is waited for: it is looked at a second time.
        assert_eq!(looks, if case["locked"] == true { 2 } else { 1 }, "{case}");
        site.heal();
    }
}
