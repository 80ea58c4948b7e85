//! What every server of a feed must do: one suite for `lastgood serve`, nginx and Caddy.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use lastgood_tests::server::{Reply, Server, Software};

use crate::www::{APP, MISSING, MODIFIED, SECRET, Www, payload};

/// Every test of the suite for each server.
macro_rules! suite {
    ($($server:ident: $software:expr),+ => $tests:tt) => { $(suite!(@ $server $software => $tests);)+ };
    (@ $server:ident $software:expr => { $($test:ident)+ }) => {
        mod $server {
            $(#[test] fn $test() { super::$test($software); })+
        }
    };
}

suite! {
    lastgood: super::Software::Lastgood,
    nginx: super::Software::Nginx,
    nginx_with_brotli: super::Software::NginxBrotli,
    caddy: super::Software::Caddy => {
        the_manifest_is_revalidated
        a_generation_of_the_same_second_and_size_is_told_from_the_one_before
        derived_files_are_revalidated
        objects_are_kept_for_ever
        objects_are_sent_compressed
        plain_copies_are_sent_compressed
        artifacts_have_their_own_type
        unchanged_files_are_not_sent_again
        ranges_are_of_the_plain_bytes
        what_is_missing_is_not_found
        a_missing_marker_is_no_error
        a_marker_is_served
        what_is_private_is_never_served
        directories_are_not_listed
        no_path_leads_out
        other_origins_may_read
        the_module_has_its_type
    }
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[track_caller]
fn expect(reply: &Reply, status: u16, content_type: &str, caching: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), content_type);
    assert_eq!(reply.header("cache-control"), caching);
    assert_ne!(reply.header("date"), "", "readers measure leases by it");
}

/// `HEAD` tells the same as `GET`, without a body.
#[track_caller]
fn expect_head(server: &Server, path: &str, headers: &[(&str, &str)]) {
    let (get, head) = (server.get(path, headers), server.request("HEAD", path, headers));
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    for name in ["content-type", "content-encoding", "cache-control", "etag", "vary", "last-modified"] {
        assert_eq!(head.header(name), get.header(name), "{path}: {name}");
    }
}

/// Neither found nor kept, and not the page of the app.
#[track_caller]
fn expect_not_found(server: &Server, path: &str) {
    let reply = server.get(path, &[]);
    assert_eq!((reply.status, reply.header("cache-control").as_str()), (404, "no-store"), "{path}");
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(!body.contains(APP) && !body.contains(SECRET), "{path}: {body}");
}

fn the_manifest_is_revalidated(software: Software) {
    let www = Www::new();
    www.put_compressed("manifest.json");
    let server = www.serve(software);
    let reply = server.get("/data/manifest.json", &[("accept-encoding", "gzip, br")]);
    expect(&reply, 200, "application/json", "no-cache");
    assert_eq!(reply.body, www.read("manifest.json"));
    expect_head(&server, "/data/manifest.json", &[]);
    www.publish("performance", "[3]");
    assert_eq!(server.get("/data/manifest.json", &[]).body, www.read("manifest.json"), "no open file is kept");
}

fn a_generation_of_the_same_second_and_size_is_told_from_the_one_before(software: Software) {
    let www = Www::new();
    www.set_modified();
    let server = www.serve(software);
    let content = || www.read("manifest.json").trim_ascii_end().len();
    let (before, size) = (server.get("/data/manifest.json", &[]), content());
    assert_eq!(before.header("last-modified"), "", "a cache on the way would go by it");
    www.publish("performance", payload(3));
    www.set_modified();
    assert_eq!(content(), size, "generations 2 and 3 differ in nothing that changes the size");
    let etag = before.header("etag");
    let (etag, modified) = (("if-none-match", etag.as_str()), ("if-modified-since", MODIFIED));
    // Whoever is not told a time of modification may know it from elsewhere.
    for known in [vec![etag], vec![modified], vec![etag, modified]] {
        let reply = server.get("/data/manifest.json", &known);
        assert_eq!((reply.status, reply.body), (200, www.read("manifest.json")), "{known:?}");
    }
}

fn derived_files_are_revalidated(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let json = ["performance_backup.json", "history/1.json"].map(|name| (name, "application/json"));
    for (name, content_type) in json.into_iter().chain([("last_update.txt", "text/plain; charset=utf-8")]) {
        let path = format!("/data/{name}");
        www.put_compressed(name);
        let reply = server.get(&path, &[("accept-encoding", "gzip, br")]);
        expect(&reply, 200, content_type, "no-cache");
        assert_eq!(reply.body, www.read(name), "{name}");
        assert_ne!(reply.header("etag"), "", "{name}");
        expect_head(&server, &path, &[]);
    }
}

fn objects_are_kept_for_ever(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let path = format!("/data/{}", www.object());
    let reply = server.get(&path, &[]);
    expect(&reply, 200, "application/json", FOR_EVER);
    assert_eq!(reply.body, www.read(&www.object()));
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    assert_eq!(reply.header("content-encoding"), "");
    assert_eq!(reply.header("vary").to_lowercase(), "accept-encoding", "caches on the way must know");
    expect_head(&server, &path, &[]);
}

fn objects_are_sent_compressed(software: Software) {
    let www = Www::new();
    expect_compressed(software, &www, &www.object(), FOR_EVER);
}

/// Which is what a first visit asks for.
fn plain_copies_are_sent_compressed(software: Software) {
    let www = Www::new();
    expect_compressed(software, &www, "performance.json", "no-cache");
    // A commit replaces all forms of it, and one that the new payload does not have is not sent any more.
    let server = www.serve(software);
    let accepted = [("accept-encoding", "gzip, br")];
    for payload in [payload(3), "[]".to_owned()] {
        www.publish("performance", &payload);
        let reply = server.get("/data/performance.json", &accepted);
        assert_eq!(reply.status, 200);
        assert_eq!(unpacked(&www, &reply), payload.as_bytes(), "{}", reply.header("content-encoding"));
    }
    www.publish("performance", payload(4));
    www.run(&["remove", "performance"]).expect(0);
    assert_eq!(server.get("/data/performance.json", &accepted).status, 404);
}

/// What a reply gives, by the file that was sent.
fn unpacked(www: &Www, reply: &Reply) -> Vec<u8> {
    match reply.header("content-encoding").as_str() {
        "" => reply.body.clone(),
        encoding => {
            let suffix = if encoding == "gzip" { "gz" } else { "br" };
            assert_eq!(reply.body, www.read(&format!("performance.json.{suffix}")));
            www.read("performance.json")
        }
    }
}

fn expect_compressed(software: Software, www: &Www, name: &str, caching: &str) {
    let server = www.serve(software);
    let path = format!("/data/{name}");
    let brotli = if software == Software::Nginx { "gzip" } else { "br" };
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", brotli),
        ("br;q=0, gzip;q=1", "gzip"),
        ("identity", ""),
        ("gzip;q=0", ""),
    ] {
        // The second header is what a CDN sends along.
        for headers in [vec![("accept-encoding", accepted)], vec![("accept-encoding", accepted), ("via", "1.1 cdn")]] {
            let reply = server.get(&path, &headers);
            expect(&reply, 200, "application/json", caching);
            assert_eq!(reply.header("content-encoding"), encoding, "{headers:?}");
            assert_eq!(reply.header("vary").to_lowercase(), "accept-encoding");
            let suffix = encoding.replace("gzip", ".gz").replace("br", ".br");
            assert!(reply.body == www.read(&format!("{name}{suffix}")), "{headers:?}: another body");
            expect_head(&server, &path, &headers);
        }
    }
}

fn artifacts_have_their_own_type(software: Software) {
    let www = Www::new();
    let png: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";
    let csv: &[u8] = b"a,b\n1,2\n";
    www.input("chart.png", png);
    www.input("report.csv", csv);
    www.run(&["publish", "--artifact", "chart=chart.png", "--artifact", "report=report.csv"]).expect(0);
    let server = www.serve(software);
    for (dataset, copy, content_type, content) in
        [("chart", "chart.png", "image/png", png), ("report", "report.csv", "text/csv; charset=utf-8", csv)]
    {
        let object = server.get(&format!("/data/{}", www.object_of(dataset)), &[]);
        expect(&object, 200, content_type, FOR_EVER);
        assert_eq!(object.body, content);
        let copy = server.get(&format!("/data/{copy}"), &[]);
        expect(&copy, 200, content_type, "no-cache");
        assert_eq!(copy.body, content);
    }
}

fn unchanged_files_are_not_sent_again(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let object = www.object();
    let table = ["manifest.json", "performance.json", "last_update.txt", &object].map(|name| (name, "identity"));
    let compressed = [("manifest.json", "gzip, br"), (&object, "gzip"), ("performance.json", "gzip")];
    for (name, encoding) in table.into_iter().chain(compressed) {
        let path = format!("/data/{name}");
        let first = server.get(&path, &[("accept-encoding", encoding)]);
        let (etag, modified) = (first.header("etag"), first.header("last-modified"));
        // A browser sends both back, if it was told both.
        let mut known = vec![("accept-encoding", encoding), ("if-none-match", &etag), ("if-modified-since", &modified)];
        known.retain(|(_, value)| !value.is_empty());
        let again = server.get(&path, &known);
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
        assert_eq!((again.header("etag"), again.header("access-control-allow-origin")), (etag, "*".to_owned()));
        assert_eq!(server.get(&path, &[("if-none-match", "\"another\"")]).status, 200);
    }
    let before = server.get("/data/performance.json", &[]).header("etag");
    www.publish("performance", "[]");
    assert_eq!(server.get("/data/performance.json", &[("if-none-match", &before)]).body, b"[]");
}

fn ranges_are_of_the_plain_bytes(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let bytes = www.read(&www.object());
    let path = format!("/data/{}", www.object());
    let reply = server.get(&path, &[("range", "bytes=5-14")]);
    expect(&reply, 206, "application/json", FOR_EVER);
    assert_eq!(reply.body, bytes[5..15]);
    assert_eq!(reply.header("content-range"), format!("bytes 5-14/{}", bytes.len()));
}

fn what_is_missing_is_not_found(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    for ext in ["json", "png", "json.gz"] {
        expect_not_found(&server, &format!("/data/objects/{MISSING}.{ext}"));
    }
    for name in ["missing.json", "missing", "history/99.json", "history/x/y", "index.html"] {
        expect_not_found(&server, &format!("/data/{name}"));
    }
    if software != Software::Lastgood {
        // So that the page of the app could have been an answer.
        assert_eq!(server.get("/some/view", &[]).body, APP.as_bytes());
    }
}

fn a_missing_marker_is_no_error(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    for marker in [".lock", ".performance_lock", ".a-b_c_lock"] {
        for method in ["GET", "HEAD"] {
            let reply = server.request(method, &format!("/data/{marker}"), &[]);
            assert_eq!((reply.status, reply.body.len()), (204, 0), "{marker}");
            assert_eq!(reply.header("cache-control"), "no-store");
            assert_ne!(reply.header("date"), "");
        }
    }
}

fn a_marker_is_served(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    for marker in [".lock", ".performance_lock"] {
        www.put(marker, "{}");
        // The writer's own are read-only.
        fs::set_permissions(www.path(marker), fs::Permissions::from_mode(0o444)).unwrap();
        let reply = server.get(&format!("/data/{marker}"), &[("accept-encoding", "gzip, br")]);
        expect(&reply, 200, "application/json", "no-store");
        assert_eq!(reply.body, b"{}");
        fs::remove_file(www.path(marker)).unwrap();
        assert_eq!(server.get(&format!("/data/{marker}"), &[]).status, 204, "no open file is kept");
    }
}

fn what_is_private_is_never_served(software: Software) {
    let www = Www::new();
    www.put(".lastgood/log.json", SECRET);
    www.put(".hidden.json", SECRET);
    www.put("objects/.hidden.json", SECRET);
    let server = www.serve(software);
    for name in [
        ".lastgood/lock",
        ".lastgood/log.json",
        ".lastgood/",
        ".lastgood",
        "%2elastgood/log.json",
        "%2Elastgood%2flog.json",
        "./.lastgood/log.json",
        "objects/../.lastgood/log.json",
        "/.lastgood/log.json",
        ".hidden.json",
        "objects/.hidden.json",
    ] {
        let answer = raw(&server, &format!("/data/{name}"));
        assert!(!answer.contains(SECRET), "{name}: {answer}");
        // A server may also refuse such a path, or say where the plain one is.
        assert!(["400", "404", "301"].iter().any(|status| answer[9..].starts_with(status)), "{name}: {answer}");
    }
    for name in [".lastgood/lock", ".lastgood/log.json", ".hidden.json"] {
        expect_not_found(&server, &format!("/data/{name}"));
    }
}

fn directories_are_not_listed(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    for path in ["/data/", "/data/objects/", "/data/history/", "/data/.lastgood/"] {
        expect_not_found(&server, path);
    }
    for path in ["/data/objects", "/data/history"] {
        let reply = server.get(path, &[]);
        assert!([301, 404].contains(&reply.status), "{path}: {reply:?}");
        assert!(!String::from_utf8_lossy(&reply.body).contains(".json"), "{path}: {reply:?}");
    }
}

fn no_path_leads_out(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    assert!(raw(&server, "/data/performance.json").ends_with(&payload(2)), "a path that leads somewhere");
    for path in [
        "/data/../secret.json",
        "/data/%2e%2e/secret.json",
        "/data/..%2fsecret.json",
        "/data/objects/../../secret.json",
        "/data/objects/..%2f..%2fsecret.json",
        "/../secret.json",
        "/..%2fsecret.json",
        "/data/..\\secret.json",
        "/data//../../secret.json",
        "//secret.json",
    ] {
        let answer = raw(&server, path);
        assert!(answer.starts_with("HTTP/1.1 ") && !answer.contains(SECRET), "{path}: {answer}");
    }
}

/// Sends a path as it stands, which a well-behaved client does not.
fn raw(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn other_origins_may_read(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let object = www.object();
    for name in ["manifest.json", "performance.json", &object, ".lock", "missing.json"] {
        let reply = server.get(&format!("/data/{name}"), &[("origin", "https://example.com")]);
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{name}");
        let exposed = reply.header("access-control-expose-headers").to_lowercase();
        for header in ["date", "age", "etag"] {
            assert!(exposed.split(',').any(|name| name.trim() == header), "{name}: {header} is not in {exposed:?}");
        }
        let preflight = [
            ("origin", "https://example.com"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "if-none-match"),
        ];
        let reply = server.request("OPTIONS", &format!("/data/{name}"), &preflight);
        assert!([200, 204].contains(&reply.status), "{name}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{name}");
        assert!(reply.header("access-control-allow-methods").contains("GET"), "{name}: {reply:?}");
        assert_eq!(reply.header("access-control-allow-headers"), "*", "{name}");
    }
}

fn the_module_has_its_type(software: Software) {
    let www = Www::new();
    let server = www.serve(software);
    let reply = server.get("/module.wasm", &[]);
    assert_eq!((reply.status, reply.header("content-type").as_str()), (200, "application/wasm"));
    assert!(reply.body.starts_with(b"\0asm"));
}
