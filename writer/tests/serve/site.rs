//! The site beside the feed.

use lastgood::serve::Config;

use crate::support::Folder;

#[test]
fn the_feed_takes_the_place_of_a_data_folder_in_the_site() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "feed");
    folder.put("www/data/manifest.json", "site");
    folder.put("www/data/other.json", "site");
    folder.put("www/data/index.html", "site");
    let server = folder.serve();
    assert_eq!(server.get("/data/manifest.json").text(), "feed");
    for path in ["/data/other.json", "/data/", "/data", "/data/index.html"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_feed_may_lie_inside_the_site() {
    let folder = Folder::new();
    folder.put("www/index.html", "page");
    folder.put("www/data/manifest.json", "feed");
    folder.put("www/data/.lastgood/secret", "secret");
    let mut config = folder.config();
    config.feed = folder.path("www/data");
    let server = crate::support::Server::start(&config);
    assert_eq!(server.get("/data/manifest.json").text(), "feed");
    assert_eq!(server.get("/").text(), "page");
    assert_eq!(server.get("/data/.lock").status, 204);
    assert_eq!(server.get("/data/.lastgood/secret").status, 404);
}

#[test]
fn a_directory_stands_for_its_index_page() {
    let folder = Folder::new();
    folder.put("www/index.html", "home");
    folder.put("www/docs/index.html", "docs");
    folder.put("www/empty/other.html", "x");
    let server = folder.serve();
    for (path, body) in [("/", "home"), ("/?q=1", "home"), ("/docs/", "docs")] {
        let reply = server.get(path);
        assert_eq!((reply.status.as_u16(), reply.text()), (200, body), "{path}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(reply.header("cache-control"), "no-cache");
    }
    for (path, location) in [("/docs", "/docs/"), ("/docs?a=b", "/docs/?a=b")] {
        let reply = server.get(path);
        assert_eq!((reply.status.as_u16(), reply.header("location")), (308, location));
    }
    for path in ["/empty/", "/index.html/", "/docs/index.html/", "//docs"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

/// An index page in place of a missing file is the classic way to feed HTML to
/// a page that expects JSON.
#[test]
fn a_missing_file_is_not_answered_with_the_index_page() {
    let folder = Folder::new();
    folder.put("www/index.html", "home");
    let server = folder.serve();
    for path in ["/missing", "/missing/", "/data/missing.json", "/app/route"] {
        let reply = server.get_with(path, &[("accept", "text/html")]);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains("home"));
    }
}

fn single_page_app(folder: &Folder) -> crate::support::Server {
    folder.put("www/index.html", "app");
    folder.put("www/assets/app.js", "script");
    folder.put("www/docs/index.html", "docs");
    folder.put("data/manifest.json", "feed");
    crate::support::Server::start(&Config { spa: true, ..folder.config() })
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8");

#[test]
fn the_pages_of_a_single_page_app_are_its_index_page() {
    let folder = Folder::new();
    let server = single_page_app(&folder);
    for path in ["/", "/orders", "/orders/", "/orders/7", "/orders/7?tab=items", "/%C3%BC", "/a/b/c/d", "/docs/intro"] {
        for accept in [BROWSER, ("accept", "*/*"), ("accept", "text/*;q=0.5"), ("x", "no accept")] {
            let reply = server.get_with(path, &[accept]);
            assert_eq!((reply.status.as_u16(), reply.text()), (200, "app"), "{path} {accept:?}");
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(reply.header("cache-control"), "no-cache");
            let head = server.request("HEAD", path, &[accept]);
            assert_eq!((head.status.as_u16(), head.header("etag")), (200, reply.header("etag")), "{path}");
            let again = server.get_with(path, &[accept, ("if-none-match", reply.header("etag"))]);
            assert_eq!(again.status, 304);
        }
    }
    assert_eq!(server.get_with("/orders/7", &[BROWSER]).header("vary"), "accept, accept-encoding");
    // Files are what they are.
    for (path, body) in [("/assets/app.js", "script"), ("/docs/", "docs"), ("/data/manifest.json", "feed")] {
        assert_eq!(server.get_with(path, &[BROWSER]).text(), body);
    }
    assert_eq!(server.get_with("/docs", &[BROWSER]).status, 308);
    // What only looks like a file, asked for by a person who follows a link.
    assert_eq!(server.get_with("/users/jane.doe", &[BROWSER]).text(), "app");
    assert_eq!(server.get_with("/users/jane.doe", &[("accept", "*/*")]).status, 404);
}

#[test]
fn nothing_else_is_answered_with_the_page_of_a_single_page_app() {
    let folder = Folder::new();
    let server = single_page_app(&folder);
    let missing = [
        "/data",
        "/data/",
        "/data/missing",
        "/data/missing.json",
        "/data/objects/missing",
        "/d%61ta/missing",
        "/data/.lastgood/lock",
        "/assets/x.js",
        "/assets/x",
        "/assets",
        "/assets/deep/x",
        "/app.js",
        "/app.3f9c1a2b.css",
        "/logo.svg",
        "/index.html/",
        "/orders/7.json",
        "/.env",
        "/.git/config",
        "/.git",
        "/orders/.hidden",
        "/../secret",
        "/orders/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/orders/%00",
        "//orders",
        "/orders//7",
    ];
    for path in missing {
        for method in ["GET", "HEAD"] {
            let answer = server.raw(&format!("{method} {path} HTTP/1.1\r\nAccept: text/html"));
            let is_missing =
                ["404 ", "400 ", "308 "].iter().any(|code| answer.starts_with(&format!("HTTP/1.1 {code}")));
            assert!(is_missing && !answer.contains("app\n") && !answer.ends_with("app"), "{method} {path}: {answer}");
        }
    }
    assert_eq!(server.get_with("/data/.lock", &[BROWSER]).status, 204);
    // Who asks for data is not handed a page.
    for accept in ["application/json", "text/html;q=0", "image/*", ""] {
        assert_eq!(server.get_with("/orders/7", &[("accept", accept)]).status, 404, "{accept}");
    }
    assert_eq!(server.request("POST", "/orders/7", &[BROWSER]).status, 405);
    // Without an index page there is nothing to answer with.
    std::fs::remove_file(folder.path("www/index.html")).unwrap();
    assert_eq!(server.get_with("/orders/7", &[BROWSER]).status, 404);
}

#[test]
fn browsers_get_the_types_that_they_insist_on() {
    let folder = Folder::new();
    let server = folder.serve();
    for (name, media_type) in [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a", "application/octet-stream"),
    ] {
        folder.put(&format!("www/{name}"), "x");
        let reply = server.get(&format!("/{name}"));
        assert_eq!(reply.header("content-type"), media_type);
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    folder.put("www/b.mjs", "x");
    assert!(server.get("/b.mjs").header("content-type").contains("javascript"));
}

#[test]
fn the_one_dot_folder_that_is_made_to_be_served_is_served() {
    let folder = Folder::new();
    folder.put("www/.well-known/security.txt", "Contact");
    folder.put("www/docs/.well-known/security.txt", "Contact");
    folder.put("data/.well-known/x", "x");
    let server = folder.serve();
    assert_eq!(server.get("/.well-known/security.txt").text(), "Contact");
    assert_eq!(server.get("/docs/.well-known/security.txt").status, 404);
    assert_eq!(server.get("/data/.well-known/x").status, 404);
}
