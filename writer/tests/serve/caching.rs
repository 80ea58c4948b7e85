//! What may be cached, and how a replaced file is noticed.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Folder, HASH, put_with_siblings};

fn long_ago() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[test]
fn only_objects_of_the_feed_are_cached_for_ever() {
    let folder = Folder::new();
    let server = folder.serve();
    for (path, rule) in [
        (format!("objects/{HASH}.json"), FOR_EVER),
        (format!("objects/{HASH}.png"), FOR_EVER),
        (format!("objects/{HASH}.json.gz"), "no-cache"),
        (format!("objects/{HASH}"), "no-cache"),
        (format!("objects/{}.json", &HASH[1..]), "no-cache"),
        (format!("objects/{}.json", HASH.to_uppercase()), "no-cache"),
        (format!("objects/{HASH}.extension"), "no-cache"),
        (format!("objects/more/{HASH}.json"), "no-cache"),
        (format!("{HASH}.json"), "no-cache"),
        ("manifest.json".to_owned(), "no-cache"),
        ("performance.json".to_owned(), "no-cache"),
        ("performance_backup.json".to_owned(), "no-cache"),
        ("last_update.txt".to_owned(), "no-cache"),
        ("history/7.json".to_owned(), "no-cache"),
        (".lock".to_owned(), "no-store"),
        (".performance_lock".to_owned(), "no-store"),
    ] {
        folder.put(&format!("data/{path}"), "x");
        let reply = server.get(&format!("/data/{path}"));
        assert_eq!(
            (reply.status.as_u16(), reply.header("cache-control")),
            (200, rule),
            "{path}"
        );
    }
}

#[test]
fn of_the_site_only_assets_with_a_hash_in_their_name_are_cached_for_ever() {
    let folder = Folder::new();
    let server = folder.serve();
    for (path, rule) in [
        ("assets/index-BfYQtAy3.js", FOR_EVER),
        ("assets/index-BfYQtAyE.js", FOR_EVER),
        ("assets/app.3f9c1a2b.css", FOR_EVER),
        ("assets/fonts/inter-D_x81kQz.woff2", FOR_EVER),
        ("assets/logo.svg", "no-cache"),
        ("assets/logo-2024.svg", "no-cache"),
        ("assets/logo-v2.svg", "no-cache"),
        ("assets/chart-superWidget.js", "no-cache"),
        ("assets/photo-summer+2024.jpg", "no-cache"),
        ("assets/report-20261120.csv", "no-cache"),
        ("assets/social-facebook.svg", "no-cache"),
        ("assets/cover-Portrait.svg", "no-cache"),
        ("assets/BfYQtAy3.js", "no-cache"),
        ("assets/index-BfYQtAy3", "no-cache"),
        ("index-BfYQtAy3.js", "no-cache"),
        ("other/index-BfYQtAy3.js", "no-cache"),
        ("index.html", "no-cache"),
    ] {
        folder.put(&format!("www/{path}"), "x");
        let reply = server.get(&format!("/{path}"));
        assert_eq!(
            (reply.status.as_u16(), reply.header("cache-control")),
            (200, rule),
            "{path}"
        );
    }
}

#[test]
fn the_tag_of_an_object_is_its_hash_and_the_coding() {
    let folder = Folder::new();
    put_with_siblings(&folder, &format!("data/objects/{HASH}.json"));
    let server = folder.serve();
    for (coding, tag) in [
        ("identity", format!("\"{HASH}\"")),
        ("gzip", format!("\"{HASH}-gzip\"")),
        ("br", format!("\"{HASH}-br\"")),
    ] {
        let reply = server.get_with(
            &format!("/data/objects/{HASH}.json"),
            &[("accept-encoding", coding)],
        );
        assert_eq!(reply.header("etag"), tag);
    }
}

/// Also when the clock of the file system does not tell the versions apart.
#[test]
fn a_replaced_file_has_a_new_tag_even_with_the_same_length_and_time() {
    let folder = Folder::new();
    let server = folder.serve();
    for path in [
        "manifest.json",
        "performance.json",
        "last_update.txt",
        ".lock",
    ] {
        let at = format!("data/{path}");
        folder.put_at(&at, "one", long_ago());
        let one = server.get(&format!("/{at}"));
        folder.put_at(&at, "two", long_ago());
        let two = server.get_with(&format!("/{at}"), &[("if-none-match", one.header("etag"))]);
        assert_eq!((two.status.as_u16(), two.text()), (200, "two"));
        assert!(two.header("etag").starts_with('"'), "a strong tag");
        assert_ne!(one.header("etag"), two.header("etag"), "{path}");
    }
}

#[test]
fn a_replaced_large_file_has_a_new_tag_even_with_the_same_length_and_time() {
    let folder = Folder::new();
    let server = folder.serve();
    folder.put_at("data/performance.json", &"1".repeat(1_000_000), long_ago());
    let one = server.get("/data/performance.json");
    folder.put_at("data/performance.json", &"2".repeat(1_000_000), long_ago());
    let tag = [("if-none-match", one.header("etag"))];
    let two = server.get_with("/data/performance.json", &tag);
    assert_eq!((two.status.as_u16(), two.body[0]), (200, b'2'));
    assert!(two.header("etag").starts_with('"'), "a strong tag");
}

/// As an editor does to a file of the site.
#[test]
fn a_large_file_that_is_changed_in_place_has_a_new_tag() {
    let folder = Folder::new();
    let server = folder.serve();
    folder.put_at("www/page.html", &"1".repeat(1_000_000), long_ago());
    let one = server.get("/page.html");
    let file = fs::File::options()
        .write(true)
        .open(folder.path("www/page.html"))
        .unwrap();
    file.set_modified(long_ago() + Duration::from_nanos(1))
        .unwrap();
    let two = server.get("/page.html");
    assert_ne!(one.header("etag"), two.header("etag"));
    file.set_len(999_999).unwrap();
    file.set_modified(long_ago() + Duration::from_nanos(1))
        .unwrap();
    assert_ne!(two.header("etag"), server.get("/page.html").header("etag"));
}

/// The response is under way when the file is replaced, and again when it is
/// removed.
#[test]
fn a_response_is_wholly_one_version() {
    use std::io::{Read, Write};
    const LENGTH: usize = 32 << 20;

    let folder = Folder::new();
    folder.put("data/performance.json", vec![b'1'; LENGTH]);
    let server = folder.serve();
    let mut stream = server.connect();
    let request = "GET /data/performance.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 1000];
    stream.read_exact(&mut answer).unwrap();

    folder.put("data/performance.json", vec![b'2'; LENGTH / 2]);
    let newer = server.get("/data/performance.json");
    assert_eq!(newer.body, vec![b'2'; LENGTH / 2]);
    fs::remove_file(folder.path("data/performance.json")).unwrap();

    stream.read_to_end(&mut answer).unwrap();
    let end_of_head = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let (head, body) = answer.split_at(end_of_head + 4);
    let head = std::str::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(
        head.contains(&format!("content-length: {LENGTH}\r\n")),
        "{head}"
    );
    assert!(!head.contains(newer.header("etag")), "{head}");
    assert_eq!(body.len(), LENGTH);
    assert!(body.iter().all(|byte| *byte == b'1'));
}
