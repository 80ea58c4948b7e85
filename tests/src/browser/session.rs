//! A running browser and the driver that it is reached through.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::prelude::WebDriverResult;
use thirtyfour::{RequestData, SessionId, WebDriver, WindowHandle};
use tokio::runtime::{Builder, Runtime};
use ureq::http::Method;

use super::leash::Leashed;
use super::{Engine, Profile, chromium, firefox, webkit};
use crate::until;

/// A tab of a browser.
pub type Tab = WindowHandle;

pub(super) struct Session {
    engine: Engine,
    runtime: Runtime,
    driver: WebDriver,
    // Ends the driver and the browser.
    _process: Leashed,
}

impl Session {
    pub(super) fn start(engine: Engine, profile: Profile) -> Self {
        let address = free_address();
        let program = match engine {
            Engine::Chromium => chromium::driver(address.port()),
            Engine::Firefox => firefox::driver(address.port()),
            Engine::WebKit => webkit::driver(address.port()),
        };
        let process = Leashed::start(&program).expect("a shell can be started");
        until("the driver of the browser is installed and answers", || TcpStream::connect(address).is_ok());
        let capabilities = match engine {
            Engine::Chromium => chromium::capabilities(profile),
            Engine::Firefox => firefox::capabilities(profile),
            Engine::WebKit => webkit::capabilities(profile),
        };
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be started");
        let start = async || -> WebDriverResult<WebDriver> {
            let driver = WebDriver::new(format!("http://{address}"), capabilities).await?;
            driver.set_script_timeout(Duration::from_secs(60)).await?;
            Ok(driver)
        };
        let driver = runtime.block_on(start()).unwrap_or_else(|error| panic!("{engine:?} does not start: {error}"));
        Self { engine, runtime, driver, _process: process }
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// Gives the browser a command that must succeed.
    #[track_caller]
    pub(super) fn command<T>(&self, command: impl AsyncFnOnce(&WebDriver) -> WebDriverResult<T>) -> T {
        let done = self.runtime.block_on(command(&self.driver));
        done.unwrap_or_else(|error| panic!("{:?} does not do it: {error}", self.engine))
    }

    pub(super) fn set_online(&self, online: bool) {
        self.command(async |driver| match self.engine {
            Engine::Chromium => chromium::set_online(driver, online).await,
            Engine::Firefox => firefox::set_online(driver, online).await,
            Engine::WebKit => webkit::set_online(driver, online).await,
        });
    }

    pub(super) fn main_thread_ms(&self) -> Option<f64> {
        self.command(async |driver| match self.engine {
            Engine::Chromium => chromium::main_thread_ms(driver).await,
            Engine::Firefox | Engine::WebKit => Ok(None),
        })
    }

    pub(super) fn js_heap_bytes(&self) -> Option<f64> {
        self.command(async |driver| match self.engine {
            Engine::Chromium => chromium::js_heap_bytes(driver).await,
            Engine::Firefox | Engine::WebKit => Ok(None),
        })
    }

    /// Leaves one tab with nothing in it, as if the browser had just been started.
    pub(super) fn tidy_up(&self) -> WebDriverResult<()> {
        self.runtime.block_on(async {
            let driver = &self.driver;
            let tabs = driver.windows().await?;
            let (kept, others) = tabs.split_first().expect("a browser has a tab");
            for tab in others {
                driver.switch_to_window(tab.clone()).await?;
                driver.close_window().await?;
            }
            driver.switch_to_window(kept.clone()).await?;
            driver.goto("about:blank").await
        })
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a listener has an address")
}

/// A program that `cargo xtask test` names in an environment variable, else the one on the PATH.
pub(super) fn program(variable: &str, name: &str) -> Command {
    Command::new(std::env::var_os(format!("LASTGOOD_TEST_{variable}")).unwrap_or_else(|| name.into()))
}

/// A command that only one browser has: a path below the session, and a body.
#[derive(Debug)]
pub(super) struct Vendor(pub(super) &'static str, pub(super) Value);

impl FormatRequestData for Vendor {
    fn format_request(&self, session: &SessionId) -> RequestData {
        RequestData::new(Method::POST, format!("session/{session}/{}", self.0)).add_body(self.1.clone())
    }
}
