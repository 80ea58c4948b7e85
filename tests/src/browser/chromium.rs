//! Chromium, through `chromedriver`.

use std::process::Command;

use serde_json::{Value, json};
use thirtyfour::prelude::WebDriverResult;
use thirtyfour::{Capabilities, WebDriver};

use super::Profile;
use super::session::{Vendor, program};

pub(super) fn driver(port: u16) -> Command {
    let mut command = program("CHROMEDRIVER", "chromedriver");
    command.arg(format!("--port={port}"));
    command
}

pub(super) fn capabilities(profile: Profile) -> Capabilities {
    let mut arguments = vec![
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-breakpad",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];
    let preferences = match profile {
        Profile::Default => json!({}),
        Profile::Private => {
            arguments.push("--incognito");
            json!({})
        }
        // "Block all cookies", which means all storage: touching localStorage throws.
        Profile::StorageBlocked => json!({"profile.default_content_setting_values.cookies": 2}),
    };
    let options = json!({"args": arguments, "prefs": preferences});
    [("goog:chromeOptions".to_owned(), options)].into_iter().collect::<serde_json::Map<_, _>>().into()
}

pub(super) async fn set_online(driver: &WebDriver, online: bool) -> WebDriverResult<()> {
    let conditions = json!({"offline": !online, "latency": 0, "download_throughput": -1, "upload_throughput": -1});
    driver.cmd(Vendor("chromium/network_conditions", json!({"network_conditions": conditions}))).await.map(drop)
}

/// The processor time of the page's main thread, in milliseconds.
pub(super) async fn main_thread_ms(driver: &WebDriver) -> WebDriverResult<Option<f64>> {
    cdp(driver, "Performance.enable", json!({"timeDomain": "threadTicks"})).await?;
    let answer = cdp(driver, "Performance.getMetrics", json!({})).await?;
    let metrics = answer["metrics"].as_array();
    let tasks = metrics.and_then(|metrics| metrics.iter().find(|metric| metric["name"] == "TaskDuration"));
    Ok(tasks.and_then(|tasks| tasks["value"].as_f64()).map(|seconds| seconds * 1e3))
}

/// What the page's JavaScript holds when nothing is left to be collected, in bytes.
pub(super) async fn js_heap_bytes(driver: &WebDriver) -> WebDriverResult<Option<f64>> {
    // What a first collection finalises is collected by the second.
    for _ in 0..2 {
        cdp(driver, "HeapProfiler.collectGarbage", json!({})).await?;
    }
    Ok(cdp(driver, "Runtime.getHeapUsage", json!({})).await?["usedSize"].as_f64())
}

async fn cdp(driver: &WebDriver, command: &str, parameters: Value) -> WebDriverResult<Value> {
    driver.cmd(Vendor("goog/cdp/execute", json!({"cmd": command, "params": parameters}))).await?.value::<Value>()
}
