//! Projects that make pages, read in a real browser.

use std::fs;

use lastgood::{Feed, Item};
use lastgood_tests::browser::{Browser, Engine, Profile};
use lastgood_tests::site::{Fault, Site, dataset};
use serde_json::Value;

use crate::project::Project;
use crate::{PUBLISHED, assert_read, site};

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

/// The statuses of the page's requests for WebAssembly modules: a bundler that loses the file makes them 404.
fn module_requests(browser: &Browser) -> Vec<u16> {
    // From outside of the page, whose policy may allow no other script.
    browser.look(
        "const modules = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.wasm'));
         return modules.map(({ responseStatus }) => responseStatus);",
    )
}

/// The module is in the script.
const NONE: [u16; 0] = [];

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

#[test]
fn a_module_that_the_server_refuses_comes_as_a_script() {
    let site = Site::start();
    for engine in [Engine::Chromium, Engine::Firefox, Engine::WebKit] {
        let browser = Browser::start(engine, Profile::Default);
        for fault in [Fault::Status(404), Fault::HtmlPage] {
            site.fail(".wasm", fault);
            let said = said_while_loading(&browser, &site, "undefined");
            assert!(matches!(&said[..], [line] if line.contains("'lastgood/inline'")), "in {engine:?}: {said:?}");
            site.heal();
        }
    }
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
    for version in [8, 7] {
        assert_vite_reads(&project, version);
    }
    assert_vite_survives_publishing(&project, 8);
}

#[test]
#[ignore = "cargo xtask packaging --all"]
fn vite_before() {
    let project = Project::install("vite");
    for version in [6, 5, 4] {
        assert_vite_reads(&project, version);
    }
    for version in [7, 6, 5] {
        assert_vite_survives_publishing(&project, version);
    }
}

fn assert_vite_reads(project: &Project, version: u8) {
    let site = site(project.path("dist"));
    let browser = chromium();
    let server = project.serve(&format!("dev:{version}"), &site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, server.url(), output);
    }
    assert_eq!(module_requests(&browser), NONE, "Vite {version}");
    project.build_by(&format!("build:{version}"), &site);
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
        assert_eq!(violation(&browser), None, "of the policy in vite.config.js");
    }
    assert_eq!(module_requests(&browser), [200], "Vite {version}");
}

/// A feed in `public/`: its lock markers come and go, which Vite notices late, and it belongs into no build.
fn assert_vite_survives_publishing(project: &Project, version: u8) {
    fs::create_dir_all(project.path("public")).unwrap();
    let feed = Feed::open(project.path("public/feed"));
    let publish = |day: u8| {
        let json = format!("[{day}]");
        feed.publish(vec![Item::new(dataset("performance"), json.as_bytes())]).unwrap();
    };
    publish(0);
    let site = site(project.path("dist"));
    let server = project.serve(&format!("dev:{version}"), &site);
    let get = |path: &str| {
        // As the reader asks: who takes anything gets the page.
        let request = ureq::get(format!("{}feed/{path}", server.url()))
            .header("accept", "application/json")
            .config()
            .http_status_as_error(false)
            .build();
        request.call().unwrap().status().as_u16()
    };
    for day in 1..10 {
        publish(day);
        assert_eq!([get(".lock"), get(".performance_lock")], [204; 2], "Vite {version}");
    }
    assert_eq!(get("manifest.json"), 200);
    assert_eq!(get(".lastgood/operations.jsonl"), 404, "it is private");
    fs::write(project.path("public/robots.txt"), "public").unwrap();
    project.build_by(&format!("build:{version}"), &site);
    assert!(project.path("dist/robots.txt").exists(), "Vite {version}");
    assert!(!project.path("dist/feed").exists(), "Vite {version} copies the feed");
}

/// The recipe of docs/reader/offline.md.
#[test]
fn offline() {
    let project = Project::install("offline");
    for engine in [Engine::Chromium, Engine::Firefox, Engine::WebKit] {
        let mut site = site(project.path("dist"));
        project.build(&site);
        let browser = Browser::start(engine, Profile::Default);
        assert_page_reads(&browser, site.url());
        browser.wait_until("navigator.serviceWorker.controller?.state === 'activated'");
        site.stop();
        for page in ["", "a/page/of/the/app"] {
            browser.open(&format!("{}{page}", site.url()));
            browser.wait_for("output");
            let reading: Value = serde_json::from_str(&browser.text("output")).unwrap();
            assert_eq!(
                (&reading["reason"], &reading["fresh"]),
                (&"offline".into(), &false.into()),
                "{engine:?}: {reading}"
            );
            assert_eq!(reading["data"], serde_json::from_str::<Value>(PUBLISHED).unwrap(), "{engine:?}");
        }
        // And what the server has when it is back is there at once.
        site.restart();
        site.publish(&[("performance", "[4]")]);
        browser.open(site.url());
        browser.wait_for("output");
        let reading: Value = serde_json::from_str(&browser.text("output")).unwrap();
        assert_eq!((&reading["data"], &reading["fresh"]), (&serde_json::json!([4]), &true.into()), "{engine:?}");
    }
}

#[test]
fn webpack() {
    assert_build_reads("webpack");
}

#[test]
fn rspack() {
    assert_build_reads("rspack");
}

fn assert_build_reads(name: &str) {
    let project = Project::install(name);
    let site = site(project.path(""));
    project.build(&site);
    let browser = chromium();
    for output in ["#page", "#worker"] {
        assert_shows(&browser, site.url(), output);
    }
    assert_eq!(module_requests(&browser), [200]);
}

#[test]
fn parcel() {
    let project = Project::install("parcel");
    let site = site(project.path("dist"));
    project.build(&site);
    let browser = chromium();
    assert_page_reads(&browser, site.url());
    assert_eq!(module_requests(&browser), [200]);
}

#[test]
fn rollup() {
    let project = Project::install("rollup");
    let site = site(project.path(""));
    project.build(&site);
    let browser = chromium();
    assert_page_reads(&browser, site.url());
    assert_eq!(module_requests(&browser), NONE);
    // With the entry that has the module in a file, which Rollup leaves behind.
    let script = fs::read_to_string(project.path("dist/left-behind.js")).unwrap();
    assert!(script.contains("lastgood_reader_bg.wasm") && !project.path("dist/lastgood_reader_bg.wasm").exists());
    assert_page_reads(&browser, &format!("{}left-behind.html", site.url()));
}

#[test]
fn angular() {
    let project = Project::install("angular");
    let site = site(project.path("dist/browser"));
    let browser = chromium();
    let server = project.serve("start", &site);
    assert_page_reads(&browser, server.url());
    assert_eq!(module_requests(&browser), NONE);
    project.build(&site);
    assert_page_reads(&browser, site.url());
    assert_eq!(module_requests(&browser), NONE);
}

#[test]
fn bun() {
    let project = Project::install("bun");
    let site = site(project.path(""));
    let program = project.platform_binary("@oven", "bin/bun");
    for arguments in [["--target=browser"].as_slice(), &["--production"], &["--splitting", "--minify"]] {
        let build = [["build", "main.js", "--outdir=dist"].as_slice(), arguments].concat();
        project.run(&program, &build, &site);
        let browser = chromium();
        assert_page_reads(&browser, site.url());
        assert_eq!(module_requests(&browser), NONE, "{arguments:?}");
    }
    assert_read(&project.run(&program, &["run", "run.mjs"], &site), "Bun's runtime");
}

#[test]
fn esbuild() {
    let project = Project::install("esbuild");
    let site = site(project.path(""));
    project.build(&site);
    project.npm_run("test", &site);
    let browser = chromium();
    let pages: [(&str, &[u16]); 4] =
        [("inline.html", &NONE), ("copied.html", &[200]), ("file-loader.html", &[200]), ("service-worker.html", &NONE)];
    for (page, modules) in pages {
        assert_page_reads(&browser, &format!("{}{page}", site.url()));
        assert_eq!(module_requests(&browser), modules, "{page}");
    }
}

#[test]
fn next() {
    let project = Project::install("next");
    let site = site(project.path(""));
    // Where the variable CI is set, Next.js warns of a build that finds no cache of an earlier one.
    fs::create_dir_all(project.path(".next/cache")).unwrap();
    project.build(&site);
    let server = project.serve("start", &site);
    let page = ureq::get(server.url()).call().unwrap().into_body().read_to_string().unwrap();
    assert!(page.contains("1 days of generation 1, "), "rendered on the server, with what is known of it: {page}");
    let browser = chromium();
    for output in ["#server", "#client"] {
        assert_shows(&browser, server.url(), output);
    }
    assert_eq!(module_requests(&browser), [200]);
    // The payload came with the page.
    let payloads: Vec<String> = browser.look(
        "const names = performance.getEntriesByType('resource').map(({ name }) => name);
         return names.filter((name) => /\\/data\\/(performance\\.json|objects\\/)/.test(name));",
    );
    assert_eq!(payloads, [""; 0]);
}

#[test]
#[ignore = "cargo xtask packaging --all"]
fn sveltekit() {
    let project = Project::install("sveltekit");
    let site = site(project.path("dist"));
    let browser = chromium();
    let server = project.serve("dev", &site);
    assert_page_reads(&browser, server.url());
    project.build(&site);
    assert!(fs::read_to_string(project.path("dist/index.html")).unwrap().contains("id=\"pending\""), "on the server");
    assert_page_reads(&browser, site.url());
    assert_eq!(module_requests(&browser), [200]);
}

#[test]
#[ignore = "cargo xtask packaging --all"]
fn nuxt() {
    let project = Project::install("nuxt");
    let site = site(project.path(".output/public"));
    let browser = chromium();
    project.build(&site);
    assert!(
        fs::read_to_string(project.path(".output/public/index.html")).unwrap().contains("id=\"pending\""),
        "on the server"
    );
    assert_page_reads(&browser, site.url());
    assert_eq!(module_requests(&browser), [200]);
}

#[test]
#[ignore = "cargo xtask packaging --all"]
fn astro() {
    let project = Project::install("astro");
    let site = site(project.path("dist"));
    let browser = chromium();
    let server = project.serve("dev", &site);
    project.build(&site);
    for url in [server.url(), site.url()] {
        for output in ["#server", "#client"] {
            assert_shows(&browser, url, output);
        }
    }
    assert_eq!(module_requests(&browser), [200]);
}
