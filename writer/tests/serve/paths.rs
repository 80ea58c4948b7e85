//! No path leads out of the two directories, or to a hidden file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Folder, HASH, link};

const SECRET: &str = "nobody may read this";

/// Sent byte for byte, so that no client tidies the paths.
#[test]
fn no_spelling_of_a_path_reaches_a_hidden_file_or_one_outside() {
    let folder = Folder::new();
    for path in [
        "secret",
        "data/.lastgood/lock",
        "data/.lastgood/secret",
        "data/.secret",
        "data/history/.secret",
        "data/objects/.lock",
        "www/.env",
        "www/.git/config",
        "www/.well-known/.secret",
        "www/data/secret",
        "www/data/.lock",
        "www/%2e%2e/secret",
    ] {
        folder.put(path, SECRET);
    }
    folder.put("data/manifest.json", "{}");
    folder.put("www/index.html", "page");
    let server = folder.serve();
    let absolute = folder.path("secret").display().to_string();
    for path in [
        "/../secret",
        "/data/../secret",
        "/data/../../secret",
        "/data/../data/manifest.json",
        "/data/history/../../secret",
        "/data/history/../manifest.json",
        "/data/%2e%2e/secret",
        "/data/%2E%2E/secret",
        "/data/.%2e/secret",
        "/data/..%2fsecret",
        "/data/..%2Fsecret",
        "/data/%2e%2e%2fsecret",
        "/data/history%2f..%2f..%2fsecret",
        "/data%2fmanifest.json",
        "/data/%252e%252e/secret",
        "/data/%c0%ae%c0%ae/secret",
        "/data/%ff",
        "/data/..\\secret",
        "/data/..%5csecret",
        "/data/./manifest.json",
        "/data/%2e/manifest.json",
        "/data//manifest.json",
        "//data/manifest.json",
        "/data/manifest.json/",
        "/data/manifest.json/x",
        "/data/manifest.json%00",
        "/data/manifest.json%00.png",
        "/data/.lastgood",
        "/data/.lastgood/",
        "/data/.lastgood/lock",
        "/data/.lastgood/secret",
        "/data/%2elastgood/secret",
        "/data/%2Elastgood%2Fsecret",
        "/data/history/../.lastgood/secret",
        "/data/history/%2e%2e/%2elastgood/secret",
        "/data/.secret",
        "/data/history/.secret",
        "/data/objects/.lock",
        "/data/objects/..%2f.lastgood%2fsecret",
        "/%64ata/secret",
        "/d%61ta/secret",
        "/data/secret",
        "/./data/secret",
        "/x/../data/secret",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.well-known/.secret",
        "/../data/manifest.json",
        "/..%2fsecret",
        "/%2e%2e/secret",
        "/%2e%2e%2fsecret",
        &absolute,
        &format!("/data/{absolute}"),
        &format!("/data{absolute}"),
        &format!("/data/{}", absolute.replace('/', "%2f")),
    ] {
        let answer = server.raw(&format!("GET {path} HTTP/1.1"));
        // What is no valid request may be refused as such.
        let refused = ["HTTP/1.1 404 ", "HTTP/1.1 400 "]
            .iter()
            .any(|s| answer.starts_with(s));
        assert!(refused, "{path}: {answer}");
        assert!(!answer.contains(SECRET), "{path}: {answer}");
    }
    // The absolute form of a request leads to the same places.
    let answer = server.raw("GET http://other/data/.lastgood/secret HTTP/1.1");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn a_path_is_decoded_once() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "feed");
    folder.put("www/a b%2f.txt", "odd");
    folder.put("www/ü.txt", "umlaut");
    let server = folder.serve();
    for (path, body) in [
        ("/data/%6danifest.json", "feed"),
        ("/d%61ta/manifest.json", "feed"),
        ("/data/manifest.json?x=1", "feed"),
        ("/a%20b%252f.txt", "odd"),
        ("/%c3%bc.txt", "umlaut"),
    ] {
        let answer = server.raw(&format!("GET {path} HTTP/1.1"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        assert!(answer.ends_with(body), "{path}: {answer}");
    }
}

#[test]
fn symbolic_links_are_not_followed() {
    let folder = Folder::new();
    folder.put("outside/secret.json", SECRET);
    folder.put("data/.lastgood/secret.json", SECRET);
    folder.put("data/manifest.json", "{}");
    folder.put(&format!("data/objects/{HASH}.json"), "{}");
    let data = folder.path("data");
    link(folder.path("outside/secret.json"), data.join("file.json"));
    link("../outside/secret.json", data.join("relative.json"));
    link(folder.path("outside"), data.join("folder"));
    link(".lastgood", data.join("hidden"));
    link(".lastgood/secret.json", data.join("hidden.json"));
    link(".lastgood/secret.json", data.join(".lock"));
    link("/", data.join("all"));
    link("loop", data.join("loop"));
    link(
        "../../outside/secret.json",
        data.join(format!("objects/{HASH}.json.br")),
    );
    link(folder.path("outside"), folder.path("www/folder"));
    link(folder.path("data/.lastgood"), folder.path("www/hidden"));
    let server = folder.serve();
    for path in [
        "/data/file.json",
        "/data/relative.json",
        "/data/folder/secret.json",
        "/data/hidden/secret.json",
        "/data/hidden.json",
        "/data/loop",
        &format!("/data/all{}", folder.path("outside/secret.json").display()),
        "/folder/secret.json",
        "/folder/",
        "/hidden/secret.json",
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.text().contains(SECRET));
    }
    assert_eq!(
        server.get("/data/.lock").status,
        204,
        "no lock marker, only a link"
    );
    let object = format!("/data/objects/{HASH}.json");
    let reply = server.get_with(&object, &[("accept-encoding", "br")]);
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "{}"));
}

/// As when a deployment repoints `current` to the next release.
#[test]
fn a_served_directory_may_itself_be_a_link_and_be_repointed() {
    let folder = Folder::new();
    folder.put("one/index.html", "release one");
    folder.put("two/index.html", "release two");
    link("one", folder.path("current"));
    let mut config = folder.config();
    config.www = Some(folder.path("current"));
    let server = crate::support::Server::start(&config);
    assert_eq!(server.get("/").text(), "release one");
    link("two", folder.path("next"));
    fs::rename(folder.path("next"), folder.path("current")).unwrap();
    assert_eq!(server.get("/").text(), "release two");
}

/// Opening a pipe without a writer would otherwise never return.
#[test]
fn what_is_not_a_file_is_not_served() {
    let folder = Folder::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path("data/pipe.json"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("data/socket.json")).unwrap();
    fs::create_dir(folder.path("data/.lock")).unwrap();
    let server = folder.serve();
    assert_eq!(server.get("/data/pipe.json").status, 404);
    assert_eq!(server.get("/data/socket.json").status, 404);
    assert_eq!(server.get("/data/.lock").status, 204);
    assert_eq!(
        server.get(&format!("/data/{}", "n".repeat(300))).status,
        404
    );
}

#[test]
fn a_file_that_the_server_may_not_read_is_forbidden() {
    let folder = Folder::new();
    folder.put("data/manifest.json", "{}");
    let path = folder.path("data/manifest.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let reply = folder.serve().get("/data/manifest.json");
    // The superuser may read everything.
    let expected = if fs::File::open(&path).is_ok() {
        200
    } else {
        403
    };
    assert_eq!(reply.status, expected);
}
