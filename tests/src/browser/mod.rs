//! Real browsers, driven over W3C WebDriver. Tests do not know in which one they run.

mod answer;
mod chromium;
mod firefox;
mod leash;
mod session;
mod webkit;

use std::sync::Mutex;

use serde::de::DeserializeOwned;
use thirtyfour::prelude::By;

pub use answer::{Answer, JsError, Reading};
use session::Session;
pub use session::Tab;

use crate::until;

/// Makes a test for each browser out of every function that is named: one that takes a [`Browser`]. It may say behind
/// its name which [`Profile`] the browser is to have.
///
/// ```ignore
/// in_every_browser! {
///     a_cold_read_takes_one_round_trip
///     blocked_storage_reads_without_a_cache(StorageBlocked)
/// }
/// ```
#[macro_export]
macro_rules! in_every_browser {
    (@profile) => { $crate::browser::Profile::Default };
    (@profile $profile:ident) => { $crate::browser::Profile::$profile };
    ($($test:ident $(($profile:ident))?)+) => {$(
        mod $test {
            use $crate::browser::{Browser, Engine};
            #[test]
            fn chromium() {
                super::$test(Browser::start(Engine::Chromium, $crate::in_every_browser!(@profile $($profile)?)));
            }
            #[test]
            fn firefox() {
                super::$test(Browser::start(Engine::Firefox, $crate::in_every_browser!(@profile $($profile)?)));
            }
            #[test]
            fn webkit() {
                super::$test(Browser::start(Engine::WebKit, $crate::in_every_browser!(@profile $($profile)?)));
            }
        }
    )+};
}

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Chromium or Chrome
    Chromium,
    /// Firefox
    Firefox,
    /// WebKitGTK's MiniBrowser
    WebKit,
}

/// How the visitor has set the browser up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As it comes.
    Default,
    /// A private window.
    Private,
    /// Sites may not store anything.
    StorageBlocked,
}

/// A browser with one tab, which the visitor has just started. What a test leaves behind in it is of no importance: each
/// [`Site`](crate::site::Site) is an origin of its own, so the next test may have the same process.
pub struct Browser {
    session: Option<Session>,
    profile: Profile,
}

/// Browsers that are running and that no test has. They end with this process.
static IDLE: Mutex<Vec<Session>> = Mutex::new(Vec::new());

impl Browser {
    /// Starts a browser.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(engine: Engine, profile: Profile) -> Self {
        let idle = (profile == Profile::Default).then(|| {
            let mut idle = IDLE.lock().expect("no test panics while it has the list");
            let at = idle.iter().position(|session| session.engine() == engine)?;
            Some(idle.swap_remove(at))
        });
        let session = idle.flatten().unwrap_or_else(|| Session::start(engine, profile));
        Self { session: Some(session), profile }
    }

    fn session(&self) -> &Session {
        self.session.as_ref().expect("it is there until the browser is dropped")
    }

    /// Whether it keeps an HTTP cache, out of which it can revalidate what it has. WebKitGTK keeps none in the sessions that
    /// a driver can have, which leave nothing behind: there what is unchanged comes whole, with the status 200.
    #[must_use]
    pub fn has_http_cache(&self) -> bool {
        self.session().engine() != Engine::WebKit
    }

    /// Whether Cache Storage outlives the page. In such sessions of WebKitGTK it ends with the last page of its origin.
    #[must_use]
    pub fn keeps_cache_storage(&self) -> bool {
        self.session().engine() != Engine::WebKit
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.session().command(async |driver| driver.goto(url).await);
    }

    /// Goes back to the page before, as the visitor does with the button.
    pub fn back(&self) {
        self.session().command(async |driver| driver.back().await);
    }

    /// Runs `body`, an async function's body, as a script of the page, whose content security policy must allow that.
    pub fn run(&self, body: &str) -> Answer {
        // What Firefox runs for the driver has globals and modules of its own.
        let script = format!(
            "(async () => {{ {body} }})().then(
               (ok) => ({{ ok: ok === undefined ? null : ok }}),
               (error) => ({{ error: {{ code: typeof error?.code === 'string' ? error.code : null, name: String(error?.name), message: String(error?.message ?? error) }} }})
             ).then((answer) => dispatchEvent(new CustomEvent('ran', {{ detail: JSON.stringify(answer) }})));"
        );
        let run = "
            addEventListener('ran', (event) => arguments[1](event.detail), { once: true });
            const script = document.createElement('script');
            script.textContent = arguments[0];
            document.documentElement.append(script);
            script.remove();";
        let answer = self.session().command(async |driver| driver.execute_async(run, vec![script.into()]).await);
        serde_json::from_value(answer.json().clone())
            .and_then(|text: String| serde_json::from_str(&text))
            .expect("the script answers in this form")
    }

    /// Looks at the document from outside of the page: `body` is a function's body, which does not see the page's globals
    /// and which no content security policy stops.
    #[must_use]
    pub fn look<T: DeserializeOwned>(&self, body: &str) -> T {
        let seen = self.session().command(async |driver| driver.execute(body, Vec::new()).await);
        serde_json::from_value(seen.json().clone()).unwrap_or_else(|error| panic!("{error} in {seen:?}"))
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

    /// Waits until `condition`, an expression, holds for the document as [`look`](Self::look) sees it.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub fn wait_until(&self, condition: &str) {
        until(condition, || self.look(&format!("return Boolean({condition});")));
    }

    /// Waits until the page has an element that `selector` selects.
    ///
    /// # Panics
    /// When there is none after a minute.
    pub fn wait_for(&self, selector: &str) {
        self.wait_until(&format!("document.querySelector({selector:?})"));
    }

    /// Clicks an element.
    pub fn click(&self, selector: &str) {
        self.session().command(async |driver| driver.find(By::Css(selector)).await?.click().await);
    }

    /// The text of an element as a visitor sees it.
    #[must_use]
    pub fn text(&self, selector: &str) -> String {
        self.session().command(async |driver| driver.find(By::Css(selector)).await?.text().await)
    }

    /// The processor time that the main thread of the page has taken, in milliseconds, where the browser tells it.
    #[must_use]
    pub fn main_thread_ms(&self) -> Option<f64> {
        self.session().main_thread_ms()
    }

    /// What the page's JavaScript holds when nothing is left to be collected, in bytes, where the browser tells it.
    #[must_use]
    pub fn js_heap_bytes(&self) -> Option<f64> {
        self.session().js_heap_bytes()
    }

    /// The tab that all the other functions are about.
    #[must_use]
    pub fn tab(&self) -> Tab {
        self.session().command(async |driver| driver.window().await)
    }

    /// Opens a tab, in a window of its own so that each can be hidden by itself, and goes on in it.
    pub fn new_tab(&self) -> Tab {
        self.session().command(async |driver| {
            let tab = driver.new_window().await?;
            driver.switch_to_window(tab.clone()).await?;
            Ok(tab)
        })
    }

    /// Goes on in another tab. It need not be visible.
    pub fn switch_to(&self, tab: &Tab) {
        self.session().command(async |driver| driver.switch_to_window(tab.clone()).await);
    }

    /// Closes the tab and goes on in another one.
    pub fn close_tab(&self, go_on_in: &Tab) {
        self.session().command(async |driver| driver.close_window().await);
        self.switch_to(go_on_in);
    }

    /// Hides the tab, as when the visitor looks at another one.
    pub fn hide(&self) {
        self.session().command(async |driver| driver.minimize_window().await);
        self.wait_until("document.visibilityState === 'hidden'");
    }

    /// Shows the tab again.
    pub fn show(&self) {
        self.session().command(async |driver| driver.set_window_rect(0, 0, 800, 600).await);
        self.wait_until("document.visibilityState === 'visible'");
    }

    /// Takes the visitor's device off the network, or back to it, as far as the page is told. To a server on the device
    /// itself requests may get through all the same: stop it too.
    pub fn set_online(&self, online: bool) {
        self.session().set_online(online);
        self.wait_until(&format!("navigator.onLine === {online}"));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.profile == Profile::Default && !std::thread::panicking() && session.tidy_up().is_ok() {
            IDLE.lock().expect("no test panics while it has the list").push(session);
        }
    }
}
