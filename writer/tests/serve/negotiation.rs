//! Compressed siblings by `Accept-Encoding`.

use std::fs;

use crate::support::{Folder, HASH, put_with_siblings};

#[test]
fn the_sibling_that_the_client_wants_most_is_sent() {
    let folder = Folder::new();
    let object = format!("objects/{HASH}.json");
    put_with_siblings(&folder, &format!("data/{object}"));
    put_with_siblings(&folder, "www/page.html");
    let server = folder.serve();
    for (accept, coding) in [
        ("", ""),
        ("identity", ""),
        ("zstd, deflate", ""),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("br", "br"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("br;q=0.2,gzip;q=0.3", "gzip"),
        ("br; q=0.5 , gzip ; Q=0.4", "br"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0, br;q=0", ""),
        ("gzip;q=0.000", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=0, *", "gzip"),
        ("gzip, *;q=0", "gzip"),
        ("identity, *;q=0.5", ""),
        ("identity;q=0.5, gzip;q=0.4", ""),
        ("identity;q=0.5, gzip;q=0.6", "gzip"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0", ""),
        ("gzip;q=2", ""),
        ("gzip;q=nan", ""),
        ("gzip;level=9", ""),
        (",;=,", ""),
        (";q=1", ""),
        ("gzip;q=", ""),
        ("gzip;q=-1", ""),
        ("gzip;q=1e-400", ""),
        ("gzip;q=inf", ""),
        ("gzip;q=1;q=0", ""),
        ("gzip\u{e4}", ""),
        (&*format!("{}gzip", "zstd;q=0.5,".repeat(5000)), "gzip"),
        (&*format!("br;q={}1", "0".repeat(60_000)), "br"),
    ] {
        for (path, media_type) in
            [(format!("/data/{object}"), "application/json"), ("/page.html".to_owned(), "text/html; charset=utf-8")]
        {
            let reply = server.get_with(&path, &[("accept-encoding", accept)]);
            let body = match coding {
                "" => "plain bytes",
                "gzip" => "bytes in gzip",
                _ => "bytes in brotli",
            };
            assert_eq!(reply.text(), body, "{accept:?}");
            assert_eq!(reply.header("content-encoding"), coding, "{accept:?}");
            assert_eq!(reply.header("content-type"), media_type);
            assert_eq!(reply.header("content-length"), body.len().to_string());
            assert_eq!(reply.header("vary"), "accept-encoding");
        }
    }
}

#[test]
fn a_request_may_list_its_codings_on_several_lines() {
    let folder = Folder::new();
    put_with_siblings(&folder, &format!("data/objects/{HASH}.json"));
    let headers = [("accept-encoding", "zstd"), ("accept-encoding", "gzip")];
    let reply = folder.serve().get_with(&format!("/data/objects/{HASH}.json"), &headers);
    assert_eq!(reply.header("content-encoding"), "gzip");
}

#[test]
fn a_missing_sibling_falls_back_to_the_next_and_then_to_plain_bytes() {
    let folder = Folder::new();
    let object = format!("data/objects/{HASH}.json");
    put_with_siblings(&folder, &object);
    let server = folder.serve();
    let coding = || {
        let reply = server.get_with(&format!("/{object}"), &[("accept-encoding", "gzip, br")]);
        assert_eq!(reply.header("vary"), "accept-encoding");
        (reply.status.as_u16(), reply.header("content-encoding").to_owned())
    };
    assert_eq!(coding(), (200, "br".to_owned()));
    fs::remove_file(folder.path(&format!("{object}.br"))).unwrap();
    assert_eq!(coding(), (200, "gzip".to_owned()));
    fs::remove_file(folder.path(&format!("{object}.gz"))).unwrap();
    assert_eq!(coding(), (200, String::new()));
}

#[test]
fn a_sibling_alone_is_no_object() {
    let folder = Folder::new();
    folder.put(&format!("data/objects/{HASH}.json.gz"), "left behind");
    let path = format!("/data/objects/{HASH}.json");
    assert_eq!(folder.serve().get_with(&path, &[("accept-encoding", "gzip")]).status, 404);
}

/// A commit replaces a plain copy with its siblings.
#[test]
fn a_plain_copy_is_answered_with_its_sibling() {
    let folder = Folder::new();
    let server = folder.serve();
    for path in ["performance.json", "report.csv"] {
        put_with_siblings(&folder, &format!("data/{path}"));
        let path = format!("/data/{path}");
        for (accepted, encoding, bytes) in
            [("br, gzip", "br", "bytes in brotli"), ("gzip", "gzip", "bytes in gzip"), ("identity", "", "plain bytes")]
        {
            let reply = server.get_with(&path, &[("accept-encoding", accepted)]);
            assert_eq!((reply.header("content-encoding"), reply.text()), (encoding, bytes), "{path}");
            assert_eq!((reply.header("vary"), reply.header("cache-control")), ("accept-encoding", "no-cache"));
        }
        let etags = ["br", "gzip", ""].map(|accepted| {
            let reply = server.get_with(&path, &[("accept-encoding", accepted)]);
            reply.header("etag").to_owned()
        });
        assert!(etags[0] != etags[1] && etags[1] != etags[2] && etags[0] != etags[2], "{etags:?}");
    }
}

/// A commit replaces these files and nothing beside them.
#[test]
fn a_file_that_commits_replace_alone_is_never_answered_with_a_sibling() {
    let folder = Folder::new();
    let server = folder.serve();
    for path in ["manifest.json", "performance_backup.json", "last_update.txt", "history/1.json", ".lock"] {
        put_with_siblings(&folder, &format!("data/{path}"));
        let path = format!("/data/{path}");
        let reply = server.get_with(&path, &[("accept-encoding", "gzip, br")]);
        assert_eq!(reply.text(), "plain bytes");
        assert_eq!((reply.header("content-encoding"), reply.header("vary")), ("", ""));
    }
}
