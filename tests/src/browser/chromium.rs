//! Chromium, through `chromedriver`.

use std::process::Command;

use serde_json::json;
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
