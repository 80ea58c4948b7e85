//! WebKitGTK's MiniBrowser, through `WebKitWebDriver`. It has no mode without a screen, so it gets one that nobody sees.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::json;
use thirtyfour::prelude::WebDriverResult;
use thirtyfour::{Capabilities, WebDriver};

use super::Profile;
use super::leash::Leashed;
use super::session::program;

pub(super) fn driver(port: u16) -> Command {
    let mut command = program("WEBKITDRIVER", "WebKitWebDriver");
    // Visitors have a language; of what a server's locale `C` gives it, `Intl` makes an error.
    command.arg(format!("--port={port}")).env("DISPLAY", screen()).env("LANG", "en_GB.UTF-8");
    command
}

pub(super) fn capabilities(profile: Profile) -> Capabilities {
    let arguments = match profile {
        // Nothing outlives an automated session; there is no further private mode.
        Profile::Default | Profile::Private => vec!["--automation"],
        // There is no such setting for visitors. This one comes close: localStorage is null, so using it throws.
        Profile::StorageBlocked => vec!["--automation", "--enable-html5-local-storage=false"],
    };
    let options = json!({"args": arguments});
    [("webkitgtk:browserOptions".to_owned(), options)].into_iter().collect::<serde_json::Map<_, _>>().into()
}

/// It believes what the system says of the network, so only the page is told.
pub(super) async fn set_online(driver: &WebDriver, online: bool) -> WebDriverResult<()> {
    let script = "
        Object.defineProperty(navigator, 'onLine', { value: arguments[0], configurable: true });
        window.dispatchEvent(new Event(arguments[0] ? 'online' : 'offline'));";
    driver.execute(script, vec![json!(online)]).await.map(drop)
}

/// One for all browsers of this process.
fn screen() -> &'static str {
    static SCREEN: OnceLock<(String, Leashed)> = OnceLock::new();
    let (name, _) = SCREEN.get_or_init(|| {
        let mut command = program("XVFB", "Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
        let mut server = Leashed::start(&command).expect("a shell can be started");
        let mut number = String::new();
        BufReader::new(server.stdout()).read_line(&mut number).expect("its output can be read");
        assert!(!number.is_empty(), "Xvfb does not start: `cargo xtask test` installs it or says how");
        (format!(":{}", number.trim()), server)
    });
    name
}
