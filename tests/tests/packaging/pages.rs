//! Projects that make pages, read in a real browser.

use lastgood_tests::browser::Browser;
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
    assert!(message.contains("Content Security Policy") && message.contains("'wasm-unsafe-eval'"), "{message}");
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
    project.npm_run("build", &site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
        assert_eq!(violations(&browser), [""; 0], "of the policy in vite.config.js");
    }
}

#[test]
fn webpack() {
    let project = Project::install("webpack");
    let site = site(project.path(""));
    project.npm_run("build", &site);
    let browser = Browser::start();
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
    }
}

#[test]
fn rollup() {
    let project = Project::install("rollup");
    let site = site(project.path(""));
    project.npm_run("build", &site);
    assert_page_reads(&Browser::start(), site.url());
}

#[test]
fn esbuild() {
    let project = Project::install("esbuild");
    let site = site(project.path(""));
    project.npm_run("build", &site);
    let browser = Browser::start();
    for page in ["inline.html", "copied.html", "file-loader.html", "service-worker.html"] {
        assert_page_reads(&browser, &format!("{}{page}", site.url()));
    }
}

#[test]
fn next() {
    let project = Project::install("next");
    let site = site(project.path(""));
    project.npm_run("build", &site);
    let server = project.serve("next", &["start", "--port", "0"], &site);
    let page = ureq::get(server.url()).call().unwrap().into_body().read_to_string().unwrap();
    assert!(page.contains("id=\"fallback\""), "rendered on the server: {page}");
    let browser = Browser::start();
    for output in ["#server", "#client"] {
        assert_shows(&browser, server.url(), output);
    }
}
