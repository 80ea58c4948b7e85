//! A publish takes the same memory whatever the size of the input.

use std::io::Write;
use std::process::{Command, Stdio};

use lastgood_tests::{Ran, TestFeed, binary};

/// Far less than the payload: a publish that held it, or a tenth of it in several places, would not get this far.
const ADDRESS_SPACE_KIB: u32 = 48 * 1024;

#[test]
fn a_large_payload_streams_through_little_memory() {
    let row = br#"{"date":"2012-01-01","precipitation":0.0,"temp_max":12.8,"temp_min":5.0,"weather":"drizzle"},"#;
    streams("json", b"[", row, b"0]");
}

#[test]
fn csv_is_converted_in_little_memory() {
    let row = b"2012-01-01,0.0,12.8,5.0,drizzle,\"with a \"\"quote\"\"\nand a line\"\n";
    streams("csv", b"date,precipitation,temp_max,temp_min,weather,note\n", row, b"1,2,3,4,5,last\n");
}

#[test]
fn json_lines_are_converted_in_little_memory() {
    let row =
        b"{\"date\":\"2012-01-01\",\"precipitation\":0.0,\"temp_max\":12.8,\"temp_min\":5.0,\"weather\":\"drizzle\"}\n";
    streams("jsonl", b"", row, b"0");
}

fn streams(format: &str, start: &[u8], row: &[u8], end: &[u8]) {
    let rows = 1_200_000;
    let feed = TestFeed::new();
    let mut publisher = Command::new("bash")
        .args(["-c", &format!("ulimit -v {ADDRESS_SPACE_KIB} && exec \"$@\""), "bash"])
        .arg(binary())
        .args(["publish", "large", "--format", format, "--max-bytes", "1GiB"])
        .args(["--gzip", "off", "--brotli", "off", "--json"])
        .current_dir(feed.root())
        .env_remove("LASTGOOD_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = publisher.stdin.take().unwrap();
    input.write_all(start).unwrap();
    for _ in 0..rows / 1000 {
        input.write_all(&row.repeat(1000)).unwrap();
    }
    input.write_all(end).unwrap();
    drop(input);
    let report = Ran::end_of(publisher).expect(0).json();
    assert_eq!(report["datasets"][0]["rows"], rows + 1);
    assert!(report["datasets"][0]["size"].as_u64().unwrap() > 2 * 1024 * u64::from(ADDRESS_SPACE_KIB));
}
