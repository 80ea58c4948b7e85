//! A real Chromium, driven over WebDriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, ChromeCapabilities};
use tokio::runtime::Runtime;

/// A browser with a profile of its own. Dropping it ends the browser and its driver.
pub struct Browser {
    runtime: Runtime,
    driver: Option<WebDriver>,
    chromedriver: Child,
    _profile: tempfile::TempDir,
}

/// What a page's script came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// What its promise resolved with.
    Ok(Value),
    /// What it was rejected with.
    Error(JsError),
}

/// An error of a page.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct JsError {
    /// Its stable code, if it has one.
    pub code: Option<String>,
    /// Its `name`.
    pub name: String,
    /// Its message.
    pub message: String,
}

/// A reading as a page gets it.
#[derive(Debug, Clone, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reading {
    /// The value.
    pub data: Value,
    /// The dataset.
    pub dataset: String,
    /// Where it came from.
    pub source: String,
    /// Whether a manifest checked just now names it.
    pub fresh: bool,
    /// The code of the reason why not.
    pub reason: Option<String>,
    /// A sentence about it.
    pub detail: Option<String>,
    /// The generation.
    pub generation: u64,
    /// The digest.
    pub sha256: String,
    /// When it was published.
    pub published_at: String,
    /// Its age in milliseconds.
    pub age_ms: f64,
    /// When it was last confirmed.
    pub checked_at: String,
    /// The publisher's meta.
    pub meta: Value,
}

impl Browser {
    /// Starts a browser with default settings.
    #[must_use]
    pub fn start() -> Self {
        Self::with_preferences(json!({}))
    }

    /// Starts a browser with these preferences of its profile.
    #[must_use]
    pub fn with_preferences(preferences: Value) -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory can be made");
        let program = std::env::var_os("LASTGOOD_TEST_CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut chromedriver = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is on the PATH: `cargo xtask test` installs it or says how");
        let port = port_of(&mut chromedriver);
        let runtime = Runtime::new().expect("a runtime can be started");
        let capabilities = capabilities(&profile, preferences);
        let driver = runtime.block_on(WebDriver::new(&format!("http://127.0.0.1:{port}"), capabilities));
        let driver = match driver {
            Ok(driver) => driver,
            Err(error) => {
                let _ = chromedriver.kill();
                panic!("the browser does not start: {error}");
            }
        };
        let timeout = driver.set_script_timeout(Duration::from_secs(60));
        runtime.block_on(timeout).expect("the browser takes a time limit");
        Self { runtime, driver: Some(driver), chromedriver, _profile: profile }
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("the driver is there until the browser is dropped")
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.runtime.block_on(self.driver().goto(url)).expect("the page opens");
    }

    /// Runs `body`, an async function's body, in the page.
    pub fn run(&self, body: &str) -> Answer {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then(
               (ok) => done({{ ok: ok === undefined ? null : ok }}),
               (error) => done({{ error: {{ code: typeof error?.code === 'string' ? error.code : null, name: String(error?.name), message: String(error?.message ?? error) }} }}));"
        );
        let answer = self.runtime.block_on(self.driver().execute_async(script, Vec::new()));
        let answer = answer.expect("the page runs the script");
        serde_json::from_value(answer.json().clone()).expect("the script answers in this form")
    }

    /// Runs `body` and takes what it resolves with.
    ///
    /// # Panics
    /// When it is rejected.
    pub fn get<T: DeserializeOwned>(&self, body: &str) -> T {
        match self.run(body) {
            Answer::Ok(value) => serde_json::from_value(value.clone())
                .unwrap_or_else(|error| panic!("{error} in what the page answered: {value}")),
            Answer::Error(error) => panic!("rejected: {error:?}"),
        }
    }

    /// Runs `body` and takes the error that it is rejected with.
    ///
    /// # Panics
    /// When it resolves.
    pub fn error(&self, body: &str) -> JsError {
        match self.run(body) {
            Answer::Error(error) => error,
            Answer::Ok(value) => panic!("expected a rejection, it resolved with {value}"),
        }
    }

    /// Waits until the page has an element that `selector` selects.
    ///
    /// # Panics
    /// When there is none after half a minute.
    pub fn wait_for(&self, selector: &str) {
        let found: bool = self.get(&format!(
            "const end = Date.now() + 30000;
             while (!document.querySelector({selector:?})) {{
               if (Date.now() > end) return false;
               await new Promise((resolve) => setTimeout(resolve, 20));
             }}
             return true;"
        ));
        assert!(found, "waited in vain for {selector}");
    }

    /// The processor time that the page's main thread has taken, in milliseconds, where the browser tells it.
    #[must_use]
    pub fn main_thread_ms(&self) -> Option<f64> {
        let cdp = self.driver().cdp();
        let metrics = async {
            cdp.send_raw("Performance.enable", json!({ "timeDomain": "threadTicks" })).await?;
            cdp.send_raw("Performance.getMetrics", json!({})).await
        };
        let metrics = self.runtime.block_on(metrics).ok()?;
        let tasks = metrics["metrics"].as_array()?.iter().find(|metric| metric["name"] == "TaskDuration")?;
        Some(tasks["value"].as_f64()? * 1e3)
    }

    /// Clicks an element.
    pub fn click(&self, selector: &str) {
        let click = async { self.driver().find(By::Css(selector)).await?.click().await };
        self.runtime.block_on(click).expect("the element is there and can be clicked");
    }

    /// The text of an element as a visitor sees it.
    #[must_use]
    pub fn text(&self, selector: &str) -> String {
        let find = async { self.driver().find(By::Css(selector)).await?.text().await };
        self.runtime.block_on(find).expect("the element is there")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let _ = self.runtime.block_on(driver.quit());
        }
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}

fn port_of(chromedriver: &mut Child) -> u16 {
    let output = chromedriver.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        // "ChromeDriver was started successfully on port 41473."
        line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    // Read on, or a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    port.expect("chromedriver says on which port it listens")
}

fn capabilities(profile: &tempfile::TempDir, preferences: Value) -> Capabilities {
    let mut capabilities: ChromeCapabilities = DesiredCapabilities::chrome();
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--user-data-dir={}", profile.path().display()),
    ];
    for argument in arguments {
        capabilities.add_arg(argument).expect("an argument can be added");
    }
    capabilities.add_experimental_option("prefs", preferences).expect("preferences can be added");
    capabilities.into()
}
