//! Projects that make pages, read in a real browser.

use std::fs;

use lastgood_tests::browser::Browser;
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

fn violations(browser: &Browser) -> Vec<String> {
    browser.get("return globalThis.violations;")
}

#[test]
fn plain() {
    let project = Project::install("plain");
    let site = site(project.path(""));
    let browser = Browser::start();
    for page in ["", "worker.html", "service-worker.html", "strict.html"] {
        assert_page_reads(&browser, &format!("{}{page}", site.url()));
    }
    assert_eq!(violations(&browser), [""; 0], "of the policy in strict.html");

    browser.open(&format!("{}no-wasm.html", site.url()));
    browser.wait_for("output");
    let shown: Value = serde_json::from_str(&browser.text("output")).unwrap();
    assert_eq!(shown["error"]["code"], "wasm", "{shown}");
    let message = shown["error"]["message"].as_str().unwrap();
    assert!(message.contains("content security policy") && message.contains("'wasm-unsafe-eval'"), "{message}");
}

#[test]
fn loading_says_nothing_in_the_console() {
    let site = Site::start();
    let browser = Browser::start();
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
    let browser = Browser::start();
    let server = project.serve("vite", &["--port", "0"], &site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, server.url(), output);
    }
    project.build(&site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
        assert_eq!(violations(&browser), [""; 0], "of the policy in vite.config.js");
    }
}

#[test]
fn webpack() {
    let project = Project::install("webpack");
    let site = site(project.path(""));
    project.build(&site);
    let browser = Browser::start();
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
    }
}

#[test]
fn rollup() {
    let project = Project::install("rollup");
    let site = site(project.path(""));
    project.build(&site);
    assert_page_reads(&Browser::start(), site.url());
}

#[test]
fn esbuild() {
    let project = Project::install("esbuild");
    let site = site(project.path(""));
    project.build(&site);
    project.npm_run("test", &site);
    let browser = Browser::start();
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
    let browser = Browser::start();
    for output in ["#server", "#client"] {
        assert_shows(&browser, server.url(), output);
    }
}
