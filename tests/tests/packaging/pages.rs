//! Projects that make pages, read in a real browser.

use std::fs;

use lastgood_tests::browser::{Browser, Engine, Profile};
use lastgood_tests::site::{Fault, Site};
use serde_json::Value;

use crate::project::Project;
use crate::{assert_read, site};

fn assert_page_reads(browser: &Browser, url: &str) {
    assert_shows(browser, url, "output");
}

/// Opens a page and expects the reading that it shows in `output`.
fn assert_shows(browser: &Browser, url: &str, output: &str) {
    browser.open(url);
    browser.wait_for(output);
    assert_read(&browser.text(output), url);
}

/// Bundlers and frameworks make the same pages for every browser.
fn chromium() -> Browser {
    Browser::start(Engine::Chromium, Profile::Default)
}

/// What the page's content security policy has refused, if anything.
fn violation(browser: &Browser) -> Option<String> {
    browser.look("return document.documentElement.dataset.violation ?? null;")
}

#[test]
fn plain() {
    let project = Project::install("plain");
    let site = site(project.path(""));
    for engine in [Engine::Chromium, Engine::Firefox, Engine::WebKit] {
        let browser = Browser::start(engine, Profile::Default);
        for page in ["", "worker.html", "strict.html"] {
            assert_page_reads(&browser, &format!("{}{page}", site.url()));
        }
        assert_eq!(violation(&browser), None, "of the policy in strict.html, in {engine:?}");

        browser.open(&format!("{}no-wasm.html", site.url()));
        browser.wait_for("output");
        let shown: Value = serde_json::from_str(&browser.text("output")).unwrap();
        assert_eq!(shown["error"]["code"], "wasm", "{shown}");
        // WebKit refuses WebAssembly without an event.
        assert_eq!(violation(&browser).is_some(), engine != Engine::WebKit, "the listener in strict.js tells them");
        let message = shown["error"]["message"].as_str().unwrap();
        assert!(message.contains("content security policy") && message.contains("'wasm-unsafe-eval'"), "{message}");
    }
    // The other two have no service workers of modules, or none in the sessions that a driver can have.
    assert_page_reads(&chromium(), &format!("{}service-worker.html", site.url()));
}

#[test]
fn loading_says_nothing_in_the_console() {
    let site = Site::start();
    let browser = chromium();
    let address = "'/lastgood/lastgood_reader_bg.wasm'";
    let bytes = format!("await (await fetch({address})).arrayBuffer()");
    let module = format!("await WebAssembly.compile({bytes})");
    let sources =
        ["undefined", address, &format!("new URL({address}, location)"), &format!("fetch({address})"), &bytes, &module];
    for source in sources {
        assert_eq!(said_while_loading(&browser, &site, source), [""; 0], "from {source}");
    }
    // A server that says the wrong type.
    let file = fs::read(site.www().join("lastgood/lastgood_reader_bg.wasm")).unwrap();
    site.fail(".wasm", Fault::Body(file));
    assert_eq!(said_while_loading(&browser, &site, "undefined"), [""; 0], "from JSON");
}

/// What is written to the console while a new page loads the module from `source`.
fn said_while_loading(browser: &Browser, site: &Site, source: &str) -> Vec<String> {
    browser.open(site.url());
    browser.get(&format!(
        "const said = [];
         for (const level of ['debug', 'log', 'info', 'warn', 'error']) {{
           console[level] = (...values) => said.push(values.join(' '));
         }}
         const {{ open }} = await import('lastgood');
         await open('/data/', {{ wasm: {source} }});
         return said;"
    ))
}

#[test]
fn vite() {
    let project = Project::install("vite");
    let site = site(project.path("dist"));
    let browser = chromium();
    let server = project.serve("vite", &["--port", "0"], &site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, server.url(), output);
    }
    project.build(&site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
        assert_eq!(violation(&browser), None, "of the policy in vite.config.js");
    }
}

#[test]
fn webpack() {
    let project = Project::install("webpack");
    let site = site(project.path(""));
    project.build(&site);
    let browser = chromium();
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
    }
}

#[test]
fn rollup() {
    let project = Project::install("rollup");
    let site = site(project.path(""));
    project.build(&site);
    assert_page_reads(&chromium(), site.url());
}

#[test]
fn esbuild() {
    let project = Project::install("esbuild");
    let site = site(project.path(""));
    project.build(&site);
    project.npm_run("test", &site);
    let browser = chromium();
    for page in ["inline.html", "copied.html", "file-loader.html", "service-worker.html"] {
        assert_page_reads(&browser, &format!("{}{page}", site.url()));
    }
}

#[test]
fn next() {
    let project = Project::install("next");
    let site = site(project.path(""));
    project.build(&site);
    let server = project.serve("next", &["start", "--port", "0"], &site);
    let page = ureq::get(server.url()).call().unwrap().into_body().read_to_string().unwrap();
    assert!(page.contains("id=\"pending\""), "rendered on the server: {page}");
    let browser = chromium();
    for output in ["#server", "#client"] {
        assert_shows(&browser, server.url(), output);
    }
}
