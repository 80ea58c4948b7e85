//! Memory stays bounded, however long the input or a single token of it.

use lastgood_protocol::payload::{Nan, Permit, Rules, Scanner, Summary};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CHUNK: usize = 64 * 1024;
const REPEATS: usize = 40;
const SIZE: usize = CHUNK * REPEATS;

/// Scans `start`, many times `middle`, and `end`; also says how many bytes were
/// allocated at most on top of the input.
fn scan(start: &str, middle: &str, end: &str, rules: Rules) -> (Summary, usize) {
    let middle = middle.repeat(CHUNK / middle.len());
    let mut out = |_: &[u8]| {};
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut scanner = Scanner::new(rules);
    let mut push = |text: &str| scanner.push(text.as_bytes(), &mut out).expect("accepted");
    push(start);
    (0..REPEATS).for_each(|_| push(&middle));
    push(end);
    let summary = scanner.finish(&mut out).expect("accepted");
    (summary, ALLOCATOR.peak_usage() - before)
}

// One test: the allocator counts for the whole process.
#[test]
fn memory_is_bounded() {
    const ALLOWED: Rules = Rules {
        nan: Nan::Null,
        unsafe_numbers: Permit::Allow,
        duplicate_names: Permit::Allow,
        unpaired_surrogates: Permit::Allow,
        max_bytes: u64::MAX,
    };
    let default = Rules::default();
    let row = r#"{"symbol":"MSFT","date":"Jan 1 2000","price":39.81,"\u00e9":null},"#;
    let escapes = r"\u00e9\ud83d\ude00\n";
    for (case, start, middle, end, rules) in [
        ("whitespace", "[", " \n", "]", default),
        ("rows", "[", row, "{}]", default),
        (
            "objects with other names each",
            "[",
            r#"{"a":{"b":0}},{"c":[{"d":{}}]},"#,
            "0]",
            default,
        ),
        ("a string", "[\"", "some text, 日本 ", "\"]", default),
        ("a string of escapes", "\"", escapes, "\"", default),
        ("numbers", "[", "-1.5e-7, 42,", "0]", default),
        ("a number with a long fraction", "[0.", "3", "]", default),
        ("a long integer", "[1", "0", "]", ALLOWED),
        ("a long exponent", "1e-", "0", "1", default),
        ("an array of NaN", "[", "NaN,-Infinity,", "0]", ALLOWED),
        (
            "duplicate names",
            "{",
            r#""name":0,"other":1,"#,
            r#""end":0}"#,
            ALLOWED,
        ),
        ("nesting", "[", "[[[[{\"a\":[[]]}]]]],", "0]", default),
    ] {
        let (summary, peak) = scan(start, middle, end, rules);
        assert!(summary.size > SIZE as u64 / 2, "{case}");
        assert!(peak < 16 * 1024, "{case} took {peak} bytes");
    }

    // Names that never come again do not pile up.
    let mut scanner = Scanner::new(default);
    let mut out = |_: &[u8]| {};
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    scanner.push(b"[", &mut out).expect("accepted");
    for number in 0..50_000 {
        let row = format!(r#"{{"id-{number}":{{"other-{number}":0,"third-{number}":1}}}},"#);
        scanner.push(row.as_bytes(), &mut out).expect("accepted");
    }
    scanner.push(b"0]", &mut out).expect("accepted");
    scanner.finish(&mut out).expect("accepted");
    let peak = ALLOCATOR.peak_usage() - before;
    assert!(peak < 16 * 1024, "{peak} bytes");

    // Nor do they stay behind when their object was large.
    let mut scanner = Scanner::new(default);
    let before = ALLOCATOR.current_usage();
    scanner.push(b"[{", &mut out).expect("accepted");
    for number in 0..100_000 {
        let member = format!(r#""name-{number}":0,"#);
        scanner.push(member.as_bytes(), &mut out).expect("accepted");
    }
    assert!(ALLOCATOR.current_usage() - before > 1024 * 1024);
    let long = format!(r#""\n{}":0"#, "x".repeat(1024 * 1024));
    scanner.push(long.as_bytes(), &mut out).expect("accepted");
    drop(long);
    scanner.push(b"},", &mut out).expect("accepted");
    let kept = ALLOCATOR.current_usage() - before;
    assert!(kept < 16 * 1024, "{kept} bytes");
}
