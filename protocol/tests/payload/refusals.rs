//! Each refusal names the place, what was expected and found, and the way out.

use lastgood_protocol::payload::{DEFAULT_MAX_BYTES, MAX_DEPTH, Refusal, Rules, check};

use crate::scan;

/// Input, line, column, pointer, message behind the place.
type Case = (&'static [u8], u64, u64, &'static str, &'static str);

/// The same refusal for the input in one piece and byte by byte, with its place
/// before the message, and with its way out in it.
#[track_caller]
fn refused(code: &str, way_out: Option<&str>, cases: &[Case]) {
    for &(input, line, column, pointer, message) in cases {
        let shown = String::from_utf8_lossy(input);
        let refusal = check(input, &Rules::default()).expect_err(&shown);
        assert_eq!(refusal.code(), code, "{shown}: {refusal}");
        assert_eq!(refusal.way_out(), way_out, "{shown}");
        assert_eq!(
            (refusal.line, refusal.column),
            (line, column),
            "{shown}: {refusal}"
        );
        assert_eq!(refusal.pointer, pointer, "{shown}");
        assert_eq!(refusal.kind.to_string(), message, "{shown}");
        assert!(message.contains(way_out.unwrap_or_default()), "{shown}");
        let chunked = scan(input.chunks(1), Rules::default());
        assert_eq!(chunked, Err(refusal), "{shown}");
    }
}

#[test]
#[rustfmt::skip] // One line per case.
fn truncated() {
    refused("truncated", None, &[
        (b"", 1, 1, "", "the input ends here, expected a value; publish the whole document"),
        (b" \n ", 2, 2, "", "the input ends here, expected a value; publish the whole document"),
        (b"tru", 1, 4, "", "the input ends here, expected true; publish the whole document"),
        (b"[-", 1, 3, "/0", "the input ends here, expected a digit after the minus sign; publish the whole document"),
        (b"1.", 1, 3, "", "the input ends here, expected a digit after the decimal point; publish the whole document"),
        (b"1e", 1, 3, "", "the input ends here, expected a digit in the exponent; publish the whole document"),
        (b"[1,", 1, 4, "/1", "the input ends here, expected a value after the comma; publish the whole document"),
        (b"[", 1, 2, "", "the input ends here, expected a value or `]`; publish the whole document"),
        (b"[1", 1, 3, "", "the input ends here, expected `,` or `]` after the element; publish the whole document"),
        (b"{", 1, 2, "", "the input ends here, expected a name in double quotes or `}`; publish the whole document"),
        (b"{\"a\"", 1, 5, "/a", "the input ends here, expected a colon after the name; publish the whole document"),
        (b"{\"a\":", 1, 6, "/a", "the input ends here, expected a value after the colon; publish the whole document"),
        (b"{\"a\":1", 1, 7, "", "the input ends here, expected `,` or `}` after the member; publish the whole document"),
        (b"{\"a\":1,", 1, 8, "", "the input ends here, expected a name in double quotes after the comma; publish the whole document"),
        (b"{\"a", 1, 4, "", "the input ends here, expected the closing quote of the string; publish the whole document"),
        (b"[\"abc", 1, 6, "/0", "the input ends here, expected the closing quote of the string; publish the whole document"),
        (b"[\"abc\\", 1, 7, "/0", "the input ends here, expected the closing quote of the string; publish the whole document"),
        (b"[\"abc\\u12", 1, 10, "/0", "the input ends here, expected the closing quote of the string; publish the whole document"),
        (b"[\"\xe2\x82", 1, 4, "/0", "the input ends here, expected the closing quote of the string; publish the whole document"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn nan() {
    refused("nan", Some("--nan null"), &[
        (b"{\"a\":NaN}", 1, 6, "/a", "NaN is not JSON (Python's json.dump writes it for a missing value); --nan null publishes it as null"),
        (b"[1,\r\n\tInfinity]", 2, 2, "/1", "Infinity is not JSON (Python's json.dump writes it for an infinite number); --nan null publishes it as null"),
        ("{\"é\":[0,{\"日本\":-Infinity}]}".as_bytes(), 1, 15, "/é/1/日本", "-Infinity is not JSON (Python's json.dump writes it for an infinite number); --nan null publishes it as null"),
        (b"{\"a/b\":{\"m~n\":[0,1,{\"\":NaN}]}}", 1, 24, "/a~1b/m~0n/2/", "NaN is not JSON (Python's json.dump writes it for a missing value); --nan null publishes it as null"),
        (b"{\"a\\n\\u001b[31m\":NaN}", 1, 18, "/a\n\u{1b}[31m", "NaN is not JSON (Python's json.dump writes it for a missing value); --nan null publishes it as null"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn not_json() {
    refused("not-json", None, &[
        (b"[\n  [1, 2],\n  [3, nan]\n]", 3, 7, "/1/1", "expected a value after the comma, found `nan`; JSON writes null for a missing value"),
        (b"Inf", 1, 1, "", "expected a value, found `Inf`; JSON writes null for a missing value"),
        (b"[inf]", 1, 2, "/0", "expected a value or `]`, found `inf`; JSON writes null for a missing value"),
        (b"[None]", 1, 2, "/0", "expected a value or `]`, found `None`; this is Python's notation, write the input with json.dump"),
        (b"[undefined]", 1, 2, "/0", "expected a value or `]`, found `undefined`; JSON writes null for a missing value"),
        (b"[tru]", 1, 2, "/0", "expected a value or `]`, found `tru`"),
        (b"[trux,", 1, 2, "/0", "expected a value or `]`, found `trux`"),
        (b"truer", 1, 1, "", "expected a value, found `truer`"),
        (b"[NaNs]", 1, 2, "/0", "expected a value or `]`, found `NaNs`"),
        (b"-NaN", 1, 1, "", "expected a digit after the minus sign, found `-NaN`; JSON writes null for a missing value"),
        (b"-x", 1, 1, "", "expected a digit after the minus sign, found `-x`"),
        (b"01", 1, 1, "", "expected a number without leading zeros, found `01`"),
        (b"[-012]", 1, 2, "/0", "expected a number without leading zeros, found `-012`"),
        (b"+1", 1, 1, "", "expected a value, found `+1`"),
        (b".5", 1, 1, "", "expected a value, found `.5`"),
        (b"[1.,", 1, 2, "/0", "expected a digit after the decimal point, found `1.`"),
        (b"[1.x]", 1, 2, "/0", "expected a digit after the decimal point, found `1.x`"),
        (b"[1e+]", 1, 2, "/0", "expected a digit in the exponent, found `1e+`"),
        (b"0x1F", 1, 1, "", "expected a number without leading zeros, found `0x1F`"),
        (b"1_000", 1, 1, "", "expected a number, found `1_000`"),
        (b"[1 2]", 1, 4, "", "expected `,` or `]` after the element, found `2`"),
        (b"[1,]", 1, 4, "/1", "expected a value after the comma, found `]`"),
        (b"[,1]", 1, 2, "/0", "expected a value or `]`, found `,`"),
        (b"{\"a\":1,}", 1, 8, "", "expected a name in double quotes after the comma, found `}`"),
        (b"{a:1}", 1, 2, "", "expected a name in double quotes or `}`, found `a`"),
        (b"{'a':1}", 1, 2, "", "expected a name in double quotes or `}`, found `'`; strings stand in double quotes"),
        (b"{\"a\" 1}", 1, 6, "/a", "expected a colon after the name, found `1`"),
        (b"{\"a\":}", 1, 6, "/a", "expected a value after the colon, found `}`"),
        (b"{\"a\":1 \"b\":2}", 1, 8, "", "expected `,` or `}` after the member, found `\"`"),
        (b"{\"a\":1]", 1, 7, "", "expected `,` or `}` after the member, found `]`"),
        (b"[1}", 1, 3, "", "expected `,` or `]` after the element, found `}`"),
        (b"]", 1, 1, "", "expected a value, found `]`"),
        (b"['x']", 1, 2, "/0", "expected a value or `]`, found `'`; strings stand in double quotes"),
        (b"/* x */ []", 1, 1, "", "expected a value, found `/`; JSON has no comments"),
        (b"# x", 1, 1, "", "expected a value, found `#`; JSON has no comments"),
        (b"<!DOCTYPE html>", 1, 1, "", "expected a value, found `<`; this looks like HTML or XML"),
        (b"[\"a\tb\"]", 1, 4, "/0", "expected a control character in a string to be escaped, found U+0009"),
        (b"[\"a\nb\"]", 1, 4, "/0", "expected a control character in a string to be escaped, found U+000A"),
        (b"{\"a\nb\":1}", 1, 4, "", "expected a control character in a string to be escaped, found U+000A"),
        (b"[\"a\\xb\"]", 1, 4, "/0", "expected one of \" \\ / b f n r t u after a backslash, found `\\x`"),
        (b"[\"\\u12G4\"]", 1, 3, "/0", "expected four hexadecimal digits after \\u, found `\\u12G`"),
        ("[\"\\é\"]".as_bytes(), 1, 3, "/0", "expected one of \" \\ / b f n r t u after a backslash, found `\\é`"),
        (" \u{feff}[]".as_bytes(), 1, 2, "", "expected a value, found U+FEFF"),
        ("[\u{a0}1]".as_bytes(), 1, 2, "/0", "expected a value or `]`, found U+00A0"),
        ("[“a”]".as_bytes(), 1, 2, "/0", "expected a value or `]`, found `“`"),
        (b"[\0", 1, 2, "/0", "expected a value or `]`, found U+0000"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn trailing_data() {
    refused("trailing-data", None, &[
        (b"[1] // done", 1, 5, "", "expected the end of the input, found `/`; a payload is one JSON value"),
        (b"{} {}", 1, 4, "", "expected the end of the input, found `{`; a payload is one JSON value"),
        (b"{\"a\":1}\n{\"a\":2}\n", 2, 1, "", "expected the end of the input, found `{`; a payload is one JSON value"),
        (b"1 2", 1, 3, "", "expected the end of the input, found `2`; a payload is one JSON value"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn byte_order_mark() {
    refused("byte-order-mark", None, &[(
            "\u{feff}[]".as_bytes(),
            1,
            1,
            "",
            "expected a value, found a byte order mark; save the input as UTF-8 without one",
        )],
    );
}

#[test]
#[rustfmt::skip] // One line per case.
fn invalid_utf8() {
    refused("invalid-utf8", None, &[
        (b"\xff\xfe[\0", 1, 1, "", "expected UTF-8, found 0xFF; convert the input to UTF-8"),
        (b"[\"caf\xe9\"]", 1, 6, "/0", "expected UTF-8, found 0xE9; convert the input to UTF-8"),
        (b"[\"\xc3\xa9\xe2\x82\"]", 1, 4, "/0", "expected UTF-8, found 0xE2 0x82; convert the input to UTF-8"),
        (b"[\xe2\x82", 1, 2, "", "expected UTF-8, found 0xE2 0x82; convert the input to UTF-8"),
        (b"[\"\xed\xa0\x80\"]", 1, 3, "/0", "expected UTF-8, found 0xED; convert the input to UTF-8"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn unsafe_number() {
    refused("unsafe-number", Some("--allow unsafe-numbers"), &[
        (b"9007199254740992", 1, 1, "", "`9007199254740992` is an integer beyond ±9007199254740991, which a browser may silently change; publish it as a string, or as it is with --allow unsafe-numbers"),
        (b"[1,-9007199254740993]", 1, 4, "/1", "`-9007199254740993` is an integer beyond ±9007199254740991, which a browser may silently change; publish it as a string, or as it is with --allow unsafe-numbers"),
        (b"{\"id\":12345678901234567890123456789012345678901234567890}", 1, 7, "/id", "`1234567890123456789012345678901234567890…` is an integer beyond ±9007199254740991, which a browser may silently change; publish it as a string, or as it is with --allow unsafe-numbers"),
        (b"[1e309]", 1, 2, "/0", "`1e309` overflows a double, a browser would silently read it as infinite; publish it as a string, or as it is with --allow unsafe-numbers"),
        (b"[-1.8e308]", 1, 2, "/0", "`-1.8e308` overflows a double, a browser would silently read it as infinite; publish it as a string, or as it is with --allow unsafe-numbers"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn duplicate_name() {
    refused("duplicate-name", Some("--allow duplicate-names"), &[
        (b"{\"a\":1,\"b\":2,\"a\":3}", 1, 14, "/a", "the name `a` occurs twice in this object, readers would keep one member and drop the other; rename one, or publish both with --allow duplicate-names"),
        ("{\"é\":1,\n \"\\u00e9\":2}".as_bytes(), 2, 2, "/é", "the name `é` occurs twice in this object, readers would keep one member and drop the other; rename one, or publish both with --allow duplicate-names"),
        (b"{\"a/b\":{\"m~n\":{\"x\":1,\"x\":2}}}", 1, 22, "/a~1b/m~0n/x", "the name `x` occurs twice in this object, readers would keep one member and drop the other; rename one, or publish both with --allow duplicate-names"),
    ]);
}

#[test]
#[rustfmt::skip] // One line per case.
fn unpaired_surrogate() {
    refused("unpaired-surrogate", Some("--allow unpaired-surrogates"), &[
        (b"[\"\\ud800\"]", 1, 3, "/0", "\\ud800 is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
        (b"[\"x\\udc00\"]", 1, 4, "/0", "\\udc00 is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
        (b"[\"\\ud83d\\ud83d\\ude00\"]", 1, 3, "/0", "\\ud83d is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
        (b"[\"\\ud83d\\u00e9\"]", 1, 3, "/0", "\\ud83d is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
        (b"{\"\\ud800\":1}", 1, 3, "", "\\ud800 is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
        (b"[\"\\ud800\\x\"]", 1, 3, "/0", "\\ud800 is half of a surrogate pair, expected its other half next to it; replace it, or publish it as it is with --allow unpaired-surrogates"),
    ]);
}

#[test]
fn too_deep() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(check(nested(MAX_DEPTH).as_bytes(), &Rules::default()).is_ok());
    let refusal = check(nested(MAX_DEPTH + 1).as_bytes(), &Rules::default()).unwrap_err();
    assert_eq!(refusal.code(), "too-deep");
    assert_eq!(refusal.way_out(), None);
    assert_eq!((refusal.line, refusal.column), (1, 129));
    assert_eq!(refusal.pointer, "/0".repeat(128));
    assert_eq!(
        refusal.kind.to_string(),
        "expected at most 128 levels of arrays and objects, found one more; flatten the data"
    );

    let objects = r#"{"a":"#.repeat(MAX_DEPTH) + "0" + &"}".repeat(MAX_DEPTH);
    assert!(check(objects.as_bytes(), &Rules::default()).is_ok());
    let deeper = format!("[{objects}]");
    let refusal = check(deeper.as_bytes(), &Rules::default()).unwrap_err();
    assert_eq!(refusal.code(), "too-deep");

    // Depth is not a count: closed containers leave room.
    let wide = format!("[{}0]", "[[]],{\"a\":[]},".repeat(1000));
    assert_eq!(
        check(wide.as_bytes(), &Rules::default()).map(|summary| summary.rows),
        Ok(Some(2001))
    );
}

#[test]
fn too_large() {
    let rules = Rules {
        max_bytes: 9,
        ..Rules::default()
    };
    assert!(check(br#"{"a":"b"}"#, &rules).is_ok());
    let refusal = check(br#"{"a":"bc"}"#, &rules).unwrap_err();
    assert_eq!(refusal.way_out(), Some("--max-bytes"));
    assert_eq!(
        refusal.to_string(),
        "line 1, column 10: expected at most 9 bytes, found more; split the dataset, or raise \
         the limit with --max-bytes"
    );
    assert_eq!(Rules::default().max_bytes, DEFAULT_MAX_BYTES);
    assert_eq!(DEFAULT_MAX_BYTES, 64 << 20);
}

#[test]
fn the_first_breach_counts() {
    for (input, code) in [
        (&b"[NaN, 01]"[..], "nan"),
        (b"[01, NaN]", "not-json"),
        (b"[\"\xff\", NaN]", "invalid-utf8"),
        (b"[NaN, \"\xff\"]", "nan"),
        (b"{\"a\":1,\"a\":NaN}", "duplicate-name"),
        (b"[9007199254740993", "unsafe-number"),
    ] {
        assert_eq!(check(input, &Rules::default()).unwrap_err().code(), code);
        assert_eq!(
            scan(input.chunks(1), Rules::default()).unwrap_err().code(),
            code
        );
    }
}

fn refusal(input: &str) -> Refusal {
    check(input.as_bytes(), &Rules::default()).expect_err(input)
}

#[test]
fn the_whole_message() {
    assert_eq!(
        refusal(r#"{"a":NaN}"#).to_string(),
        "line 1, column 6, at /a: NaN is not JSON (Python's json.dump writes it for a missing \
         value); --nan null publishes it as null"
    );
    assert_eq!(
        refusal("[1] 2").to_string(),
        "line 1, column 5: expected the end of the input, found `2`; a payload is one JSON value"
    );
}

#[test]
fn messages_are_short_and_safe_to_print() {
    let long = "x".repeat(100_000);
    for input in [
        long.clone(),
        format!("[1{long}]"),
        format!("[{}.]", "1".repeat(100_000)),
        format!("[{}]", "1".repeat(100_000)),
        format!(r#"{{"{long}":NaN}}"#),
        format!(r#"{{"{long}":0,"{long}":0}}"#),
    ] {
        for chunk in [1, 1000, input.len()] {
            let refusal = scan(input.as_bytes().chunks(chunk), Rules::default()).unwrap_err();
            assert!(refusal.to_string().len() < 500, "{refusal}");
        }
    }
    for input in [
        r#"{"\u001b[31m":NaN}"#,
        r#"{"\u001b[31m":0,"\u001b[31m":0}"#,
        "[\u{1b}]",
        "[\u{202e}]",
    ] {
        let message = refusal(input).to_string();
        assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
    }
    assert_eq!(refusal(r#"{"\u001b[31m":NaN}"#).pointer, "/\u{1b}[31m");
}
