//! Firefox, through `geckodriver`.

use std::process::Command;

use serde_json::json;
use thirtyfour::prelude::WebDriverResult;
use thirtyfour::{Capabilities, WebDriver};

use super::Profile;
use super::session::{Vendor, program};

pub(super) fn driver(port: u16) -> Command {
    let mut command = program("GECKODRIVER", "geckodriver");
    // Port 0: several run at a time. System access is for `set_online`.
    command.arg(format!("--port={port}")).args(["--websocket-port=0", "--allow-system-access", "--log=error"]);
    command
}

pub(super) fn capabilities(profile: Profile) -> Capabilities {
    let preferences = match profile {
        Profile::Default => json!({}),
        Profile::Private => json!({"browser.privatebrowsing.autostart": true}),
        // No cookies and no storage: touching localStorage throws.
        Profile::StorageBlocked => json!({"network.cookie.cookieBehavior": 2}),
    };
    let options = json!({"args": ["-headless"], "prefs": preferences});
    [("moz:firefoxOptions".to_owned(), options)].into_iter().collect::<serde_json::Map<_, _>>().into()
}

/// What the menu entry "Work Offline" does.
pub(super) async fn set_online(driver: &WebDriver, online: bool) -> WebDriverResult<()> {
    driver.cmd(Vendor("moz/context", json!({"context": "chrome"}))).await?;
    driver.execute("Services.io.offline = arguments[0];", vec![json!(!online)]).await?;
    driver.cmd(Vendor("moz/context", json!({"context": "content"}))).await.map(drop)
}
