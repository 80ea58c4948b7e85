//! Preconditions and ranges.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Folder, HASH, put_with_siblings};

const MODIFIED: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
const EARLIER: &str = "Sun, 09 Sep 2001 01:46:39 GMT";
const LATER: &str = "Sun, 09 Sep 2001 01:46:41 GMT";

fn modified() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

#[test]
fn preconditions_are_evaluated_in_their_order() {
    let folder = Folder::new();
    folder.put_at("data/manifest.json", "0123456789", modified());
    let server = folder.serve();
    let first = server.get("/data/manifest.json");
    assert_eq!(first.header("last-modified"), MODIFIED);
    let tag = first.header("etag");
    let (weak, listed) = (format!("W/{tag}"), format!("\"a,b\", {tag}"));
    for (headers, status) in [
        (vec![("if-none-match", tag)], 304),
        (vec![("if-none-match", &weak)], 304),
        (vec![("if-none-match", &listed)], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-none-match", "\"a b\"")], 200),
        (vec![("if-none-match", "W/\"a\",,\" \t\"")], 200),
        (vec![("if-match", "\"a b\"")], 412),
        (vec![("if-none-match", "\"other\""), ("if-modified-since", LATER)], 200),
        (vec![("if-none-match", tag), ("if-modified-since", EARLIER)], 304),
        (vec![("if-modified-since", EARLIER)], 200),
        (vec![("if-modified-since", MODIFIED)], 304),
        (vec![("if-modified-since", LATER)], 304),
        (vec![("if-modified-since", "yesterday")], 200),
        (vec![("if-match", tag)], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", &weak)], 412),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-match", "\"other\""), ("if-none-match", tag)], 412),
        (vec![("if-match", tag), ("if-unmodified-since", EARLIER)], 200),
        (vec![("if-unmodified-since", EARLIER)], 412),
        (vec![("if-unmodified-since", MODIFIED)], 200),
        (vec![("range", "bytes=0-3"), ("if-none-match", tag)], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = server.request(method, "/data/manifest.json", &headers);
            assert_eq!(reply.status, status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!(reply.header("etag"), tag);
                assert_eq!(reply.header("last-modified"), MODIFIED);
                assert_eq!(reply.header("cache-control"), "no-cache");
                assert_eq!(reply.header("x-content-type-options"), "nosniff");
                assert_eq!((reply.header("content-type"), reply.header("content-length")), ("", ""));
                assert_eq!(reply.body, b"");
            }
        }
    }
}

/// The library that would read these lists asserts that the tags in them are well-formed.
#[test]
fn tags_are_compared_whatever_stands_beside_them() {
    let folder = Folder::new();
    folder.put_at("data/manifest.json", "0123456789", modified());
    let server = folder.serve();
    let tag = server.get("/data/manifest.json").header("etag").to_owned();
    let opaque = tag.trim_matches('"');
    let many = "\"x\", ".repeat(5000);
    for (list, listed) in [
        (format!("\"a b\", {tag}"), true),
        (format!("\"\" , ,,\t{tag}"), true),
        (format!("\"x\"{tag}"), true),
        (format!("W/\"a,W/b\",W/{tag}"), true),
        (format!("{many}{tag}"), true),
        (format!("{tag}, \"without end"), true),
        (" * ".to_owned(), true),
        (many.clone(), false),
        (format!("\"without end, {tag}"), false),
        (format!("without quotes, {tag}"), false),
        (format!("w/{tag}"), false),
        (format!("W{tag}"), false),
        ("\"*\"".to_owned(), false),
        (opaque.to_owned(), false),
        (format!("\"{opaque}"), false),
        (format!("\" {opaque}\""), false),
        (tag.to_uppercase(), false),
        ("\"".to_owned(), false),
        ("W/".to_owned(), false),
        ("\u{e4}".to_owned(), false),
        (",".to_owned(), false),
    ] {
        // A time does not count beside a list of tags, whatever is in it.
        let status = |header: &str, time: &str| {
            let headers = [(header, &*list), (time, if time == "if-modified-since" { LATER } else { EARLIER })];
            server.get_with("/data/manifest.json", &headers).status.as_u16()
        };
        let shown = &list[..list.len().min(80)];
        assert_eq!(status("if-none-match", "if-modified-since"), if listed { 304 } else { 200 }, "{shown}");
        let strong = listed && !list.contains("W/\"a,");
        assert_eq!(status("if-match", "if-unmodified-since"), if strong { 200 } else { 412 }, "{shown}");
    }
    // A list may come in several lines.
    let lines = [("if-none-match", "\"x\""), ("if-none-match", &*tag)];
    assert_eq!(server.get_with("/data/manifest.json", &lines).status, 304);
}

#[test]
fn times_that_are_none_are_no_conditions() {
    let folder = Folder::new();
    folder.put_at("data/manifest.json", "0123456789", modified());
    let server = folder.serve();
    let long = "9".repeat(10_000);
    for time in ["", " ", "0", "-1", &long, "Sun, 99 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 99999 01:46:40 GMT", "\u{e4}"]
    {
        for header in ["if-modified-since", "if-unmodified-since"] {
            assert_eq!(server.get_with("/data/manifest.json", &[(header, time)]).status, 200, "{header}: {time}");
        }
    }
}

/// A wrong `Content-Length` in a 304 would put the two of them out of step.
#[test]
fn an_answer_without_content_leaves_the_connection_usable() {
    use std::io::{Read, Write};
    let folder = Folder::new();
    folder.put("data/manifest.json", "content");
    let server = folder.serve();
    let mut stream = server.connect();
    let requests = "GET /data/manifest.json HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n\
                    GET /data/.lock HTTP/1.1\r\nHost: x\r\n\r\n\
                    GET /data/manifest.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let heads: Vec<&str> = answers.split("\r\n\r\n").collect();
    assert!(heads[0].starts_with("HTTP/1.1 304 "), "{answers}");
    assert!(heads[1].starts_with("HTTP/1.1 204 "), "{answers}");
    assert!(heads[2].starts_with("HTTP/1.1 200 "), "{answers}");
    assert_eq!(heads[3], "content");
    for head in &heads[..2] {
        assert!(!head.to_ascii_lowercase().contains("content-length"), "{head}");
    }
}

#[test]
fn a_compressed_object_is_confirmed_by_its_own_tag_alone() {
    let folder = Folder::new();
    let path = format!("/data/objects/{HASH}.json");
    put_with_siblings(&folder, &path[1..]);
    let server = folder.serve();
    for (accept, tag, status) in [
        ("br", format!("\"{HASH}-br\""), 304),
        ("gzip", format!("\"{HASH}-gzip\""), 304),
        ("identity", format!("\"{HASH}\""), 304),
        ("br", format!("\"{HASH}-gzip\""), 200),
        ("br", format!("\"{HASH}\""), 200),
        ("identity", format!("\"{HASH}-br\""), 200),
    ] {
        let headers = [("accept-encoding", accept), ("if-none-match", &*tag)];
        let reply = server.get_with(&path, &headers);
        assert_eq!(reply.status, status, "{headers:?}");
        assert_eq!(reply.header("vary"), "accept-encoding");
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
    }
}

/// `Last-Modified` counts in seconds: a version that comes within the same one
/// must not be taken for this one.
#[test]
fn a_file_of_this_very_second_has_no_time_as_validator() {
    let folder = Folder::new();
    let server = folder.serve();
    let ahead = SystemTime::now() + Duration::from_secs(3600);
    folder.put_at("data/manifest.json", "{}", ahead);
    let far_future = "Fri, 01 Jan 2100 00:00:00 GMT";
    let reply = server.get_with("/data/manifest.json", &[("if-modified-since", far_future)]);
    assert_eq!((reply.status.as_u16(), reply.header("last-modified")), (200, ""));
    let reply = server.get_with("/data/manifest.json", &[("if-unmodified-since", far_future)]);
    assert_eq!(reply.status, 412);
}

#[test]
fn ranges_are_cut_from_the_plain_bytes() {
    // Kept in memory, and streamed from the file.
    for (length, path) in [(10_u64, "data/small.json"), (1_000_000, "data/large.json")] {
        let content: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        let folder = Folder::new();
        folder.put(path, &content);
        let server = folder.serve();
        let (last, beyond) = (length - 1, length + 5);
        for (range, part) in [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=2-5".to_owned(), 2..6),
            ("bytes=2-".to_owned(), 2..length),
            (format!("bytes={last}-{last}"), last..length),
            (format!("bytes=3-{beyond}"), 3..length),
            (format!("bytes=0-{}", u64::MAX), 0..length),
            ("bytes=-4".to_owned(), length - 4..length),
            (format!("bytes=-{beyond}"), 0..length),
        ] {
            let reply = server.get_with(&format!("/{path}"), &[("range", &*range)]);
            assert_eq!(reply.status, 206, "{range}");
            let said = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            assert_eq!(reply.header("content-range"), said, "{range}");
            assert_eq!(reply.header("content-length"), (part.end - part.start).to_string());
            assert_eq!(reply.header("accept-ranges"), "bytes");
            assert_eq!(reply.header("cache-control"), "no-cache");
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.body, content[part.start as usize..part.end as usize], "{range}");
        }
        for range in [format!("bytes={length}-"), format!("bytes={length}-{beyond}")] {
            let reply = server.get_with(&format!("/{path}"), &[("range", &*range)]);
            assert_eq!(reply.status, 416, "{range}");
            assert_eq!(reply.header("content-range"), format!("bytes */{length}"));
            assert_eq!(reply.header("cache-control"), "no-store");
        }
        // What is no single range of bytes is answered with the whole file.
        let many = format!("bytes=0-0{}", ",1-1".repeat(10_000));
        let longest = format!("bytes={}-", "9".repeat(60_000));
        let odd =
            ["bytes=0-1,4-5", "bytes=a-b", "bytes=-0", "bytes=", "lines=1-2", "-5", "bytes=0-99999999999999999999"];
        for range in odd.into_iter().chain([&*many, &*longest]) {
            let reply = server.get_with(&format!("/{path}"), &[("range", range)]);
            assert_eq!((reply.status.as_u16(), reply.body.len() as u64), (200, length), "{range}");
            assert_eq!(reply.header("accept-ranges"), "bytes");
        }
        let reply = server.request("HEAD", &format!("/{path}"), &[("range", "bytes=0-1")]);
        assert_eq!(reply.status, 200, "ranges have no meaning for HEAD");
    }
}

#[test]
fn a_backward_range_and_an_empty_file_have_no_part() {
    let folder = Folder::new();
    folder.put("data/empty.json", "");
    folder.put("data/some.json", "0123456789");
    let server = folder.serve();
    for (path, range) in
        [("/data/empty.json", "bytes=0-"), ("/data/empty.json", "bytes=-1"), ("/data/some.json", "bytes=5-2")]
    {
        assert_eq!(server.get_with(path, &[("range", range)]).status, 416, "{path} {range}");
    }
    let whole = server.get("/data/empty.json");
    assert_eq!((whole.status.as_u16(), whole.header("content-length")), (200, "0"));
}

#[test]
fn a_range_is_of_the_plain_bytes_whatever_codings_are_accepted() {
    let folder = Folder::new();
    let path = format!("/data/objects/{HASH}.json");
    put_with_siblings(&folder, &path[1..]);
    let headers = [("accept-encoding", "br, gzip"), ("range", "bytes=0-4")];
    let reply = folder.serve().get_with(&path, &headers);
    assert_eq!((reply.status.as_u16(), reply.text()), (206, "plain"));
    assert_eq!(reply.header("content-encoding"), "");
    assert_eq!(reply.header("content-range"), "bytes 0-4/11");
    assert_eq!(reply.header("etag"), format!("\"{HASH}\""));
    assert_eq!(reply.header("vary"), "accept-encoding");
}

#[test]
fn a_part_is_sent_only_of_the_version_that_the_client_began_with() {
    let folder = Folder::new();
    folder.put_at("data/performance.json", "0123456789", modified());
    let server = folder.serve();
    let tag = server.get("/data/performance.json").header("etag").to_owned();
    for (validator, status) in [
        (&*tag, 206),
        (MODIFIED, 206),
        (&*format!("W/{tag}"), 200),
        ("\"other\"", 200),
        (EARLIER, 200),
        (LATER, 200),
        ("nonsense", 200),
    ] {
        let headers = [("range", "bytes=0-3"), ("if-range", validator)];
        let reply = server.get_with("/data/performance.json", &headers);
        assert_eq!(reply.status, status, "{validator}");
        let whole = if status == 200 { "0123456789" } else { "0123" };
        assert_eq!(reply.text(), whole);
    }
}
