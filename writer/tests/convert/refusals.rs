//! What is refused, where, and in which words.

use lastgood::Error;
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, MAX_COLUMNS, MAX_ROW_BYTES, Options, Separation, Unnamed};
use lastgood::protocol::payload::Rules;

use crate::site::{Pieces, converted, converted_with, typed};

/// The message after the name of the dataset, and the code. However the input is cut, they are the same.
#[track_caller]
fn refused(format: &Format, input: &[u8]) -> (String, &'static str) {
    let error = converted(format, input).unwrap_err();
    let cut = converted(format, Pieces::new(input, vec![1, 3, 2])).unwrap_err();
    assert_eq!(cut.to_string(), error.to_string());
    (error.to_string().strip_prefix("rows: ").unwrap().to_owned(), error.code())
}

#[test]
fn csv() {
    let correct = "; correct it, or publish the column as text with --column";
    let cases: Vec<(Options, &[u8], &str, String)> = vec![
        (
            Options::default(),
            b"",
            "bad-header",
            "line 1: the input is empty, expected a header row with the names of the columns".into(),
        ),
        (
            Options::default(),
            b"\xef\xbb\xbf\n\n",
            "bad-header",
            "line 1: the input is empty, expected a header row with the names of the columns".into(),
        ),
        (
            Options::default(),
            b"id,,price\n0,1,2\n",
            "bad-header",
            "line 1: column 2 has no name in the header; --unnamed NAME names it, --unnamed drop leaves it out".into(),
        ),
        (
            Options::default(),
            b"\nid,\"na\nme\",id\n",
            "bad-header",
            "line 3, column id: the header has two columns of this name, expected each once; rename one".into(),
        ),
        (
            typed(&[("prize", ColumnType::Float)]),
            b"id,price\n1,2\n",
            "bad-header",
            "line 1, column prize: the header has no such column, though its type is given; it has id, price; is the \
             delimiter right? With several datasets, --column NAME=COLUMN=TYPE is for one alone"
                .into(),
        ),
        // What would control a terminal is shown, not sent to it.
        (
            typed(&[("prize", ColumnType::Float)]),
            b"\x1b[2J,price\n1,2\n",
            "bad-header",
            "line 1, column prize: the header has no such column, though its type is given; it has \\u{1b}[2J, price; is \
             the delimiter right? With several datasets, --column NAME=COLUMN=TYPE is for one alone"
                .into(),
        ),
        (
            typed(&[("\u{1b}[2J", ColumnType::Float)]),
            b"\x1b[2J\nx\n",
            "bad-value",
            "line 2, column \\u{1b}[2J: expected a number, found `x`; correct it, or publish the column as text".into(),
        ),
        (
            Options::default(),
            b"a,b\n1,2\n\n3\n",
            "bad-row",
            "line 4, column b: expected 2 fields as in the header, found 1; a field with a delimiter in it stands in quotes"
                .into(),
        ),
        (
            Options::default(),
            b"a\n\"x\ny\"\n1,5\n",
            "bad-row",
            "line 4: expected 1 field as in the header, found 2; a field with a delimiter in it stands in quotes".into(),
        ),
        (
            Options::default(),
            b"a,b\n1,2\n1,\"x\n2,y\n",
            "bad-row",
            "line 3, column b: the quote that opens this field is not closed; close it, and double the quotes in it".into(),
        ),
        (
            Options::default(),
            b"a,b\n1,5\" disk\n",
            "bad-row",
            "line 2, column b: a quote in a field that does not start with one; put the field in quotes, and double the \
             quotes in it"
                .into(),
        ),
        (
            Options::default(),
            b"a,b\n\"x\ny\",\"say \"hi\"\"\n",
            "bad-row",
            "line 3, column b: expected the delimiter or the end of the line after the closing quote; double the quotes in \
             the field"
                .into(),
        ),
        (
            Options::default(),
            b"a,b\n1,2\r3,4\n",
            "bad-row",
            "line 2, column b: a carriage return without a line feed; where it ends a line, tr '\\r' '\\n' makes line feeds of \
             all, and a field that has one stands in quotes"
                .into(),
        ),
        (
            Options::default(),
            b"a,b\n1,2\n\"3\",\"4\"\r",
            "bad-row",
            "line 3, column b: a carriage return without a line feed; where it ends a line, tr '\\r' '\\n' makes line feeds of \
             all, and a field that has one stands in quotes"
                .into(),
        ),
        (
            Options::default(),
            b"a,city\n1,K\xf6ln\n",
            "invalid-utf8",
            "line 2, column city: expected UTF-8, found 0xF6; save it as UTF-8, or convert it with the command that gives the \
             right text, the likeliest first: iconv -f WINDOWS-1252 -t UTF-8 gives `Köln`, iconv -f MACINTOSH -t UTF-8 gives \
             `Kˆln`, iconv -f CP850 -t UTF-8 gives `K÷ln`"
                .into(),
        ),
        (
            Options::default(),
            b"\xff\xfea\0,\0b\0\n",
            "invalid-utf8",
            "line 1: expected UTF-8; this looks like UTF-16; save it as UTF-8, or convert it with iconv -f UTF-16 -t UTF-8"
                .into(),
        ),
        (
            typed(&[("n", ColumnType::Integer)]),
            b"n,t\n1,x\n,\"a\nb\"\n1.0,y\n",
            "bad-value",
            format!("line 5, column n: expected an integer, found `1.0`{correct} n=text"),
        ),
        (
            typed(&[("unit price", ColumnType::Float)]),
            "unit price\n1e3\nnan\n1,5\n".replace("1,5", "\"1,5\"").leak().as_bytes(),
            "bad-value",
            "line 4, column unit price: expected a number, found `1,5`, a number with a decimal comma; write it with a decimal \
             point and no separators of thousands, or publish the column as text with --column 'unit price=text'"
                .into(),
        ),
        (
            typed(&[("ok", ColumnType::Boolean)]),
            b"t,ok\n\"a\n\",1\n",
            "bad-value",
            format!("line 3, column ok: expected true or false, found `1`{correct} ok=text"),
        ),
        (
            typed(&[("n", ColumnType::Integer)]),
            format!("n\n\"{}\"\n", "\"\"é\n".repeat(20)).leak().as_bytes(),
            "bad-value",
            format!(
                "line 2, column n: expected an integer, found `{}\\\"…`{correct} n=text",
                "\\\"é\\n".repeat(13)
            ),
        ),
        (
            Options::default(),
            b"id,price\n1,2\n\n2,nan\n",
            "nan",
            "line 4, column price: NaN is not JSON (Python's json.dump writes it for a missing value); --nan null publishes \
             it as null"
                .into(),
        ),
        (
            typed(&[("a/~id", ColumnType::Integer)]),
            b"t,a/~id\n\"x\ny\n\",1\nz,9007199254740993\n",
            "unsafe-number",
            "line 5, column a/~id: `9007199254740993` is an integer beyond \u{b1}9007199254740991, which a browser may \
             silently change; publish it as a string, or as it is with --allow unsafe-numbers"
                .into(),
        ),
    ];
    for (options, input, code, message) in cases {
        let shown = String::from_utf8_lossy(input);
        assert_eq!(refused(&Format::Csv(options), input), (message, code), "{shown:?}");
    }
}

/// What shows in the first rows, and in the last.
#[test]
fn csv_in_disguise() {
    let detected = Options { delimiter: Separation::Detected, ..Options::default() };
    let named = Options { unnamed: Unnamed::Name("\u{1b}".to_owned()), ..Options::default() };
    let told = Options { delimiter: Delimiter::new(0x1f).unwrap().into(), ..Options::default() };
    let many = |first: &str, row: &str, last: &str| format!("{first}{}{last}", row.repeat(40_000));
    let cases: Vec<(Options, Vec<u8>, &str, &str)> = vec![
        (Options::default(), many("a;b\n", "1;2\n", "").into(), "bad-header", "line 1: semicolons split the header"),
        (
            Options::default(),
            many("a;b,c\n", "1;2,5\n", "").into(),
            "bad-header",
            "line 1: commas and semicolons split",
        ),
        (detected.clone(), many("a|b;c\n", "1|2;5\n", "").into(), "bad-header", "line 1: semicolons and vertical bars"),
        (
            told,
            b"sep=;\na;b\n".into(),
            "bad-header",
            "line 1: `sep=;`, which tells spreadsheets the delimiter, contradicts --delimiter '\\u{1f}'",
        ),
        (
            Options::default(),
            many(",a\n0,x\n", "", "2,y\n").into(),
            "bad-header",
            "line 1: column 1 has no name in the header, and is no plain counter",
        ),
        (
            named,
            b"a,,\n".into(),
            "bad-header",
            "line 1: columns 2, 3 have no names in the header, and --unnamed names only one",
        ),
        (Options::default(), many("a,b\n", "1,2\n", "\u{feff}a,b\n").into(), "byte-order-mark", "line 40002: "),
        (
            Options::default(),
            many("a,b\n", "1,2\n", "1,\u{feff}2\n").into(),
            "byte-order-mark",
            "line 40002, column b: ",
        ),
        (
            Options::default(),
            many("a\r", "1\r", "").into(),
            "bad-row",
            "line 1: lines end with a carriage return alone",
        ),
        (
            Options::default(),
            [many("a,b\n", "1,2\n", "1,K").as_bytes(), b"\x9aln\n"].concat(),
            "invalid-utf8",
            "line 40002, column b: expected UTF-8, found 0x9A; save",
        ),
        (
            Options::default(),
            [many("a,b\n", "1,\u{e9}\n", "1,K").as_bytes(), b"\xf6ln\n"].concat(),
            "invalid-utf8",
            "line 40002, column b: expected UTF-8, found 0xF6; the rest is UTF-8",
        ),
        (
            Options::default(),
            b"a\0,\0b\0\n\0".into(),
            "invalid-utf8",
            "line 1: expected UTF-8; this looks like UTF-16LE",
        ),
        (
            Options::default(),
            b"a,b\n1,\xe9\x1b[2J\n".into(),
            "invalid-utf8",
            "line 2, column b: expected UTF-8, found 0xE9",
        ),
        // A long row.
        (
            Options::default(),
            [many("a\n\"", "é\n", "K").as_bytes(), b"\xf6ln\"\n"].concat(),
            "invalid-utf8",
            "line 40002, column a: expected UTF-8, found 0xF6; the rest",
        ),
        (
            Options::default(),
            [many("a\n\"", "x\n", "K").as_bytes(), b"\xf6ln\"\n"].concat(),
            "invalid-utf8",
            "line 40002, column a: expected UTF-8, found 0xF6; save",
        ),
        (Options::default(), b"{\"a\":1}\n{\"a\":2}\n".into(), "bad-header", "line 1: this looks like JSON Lines"),
        (
            Options::default(),
            b"a,b\n\"1\",2,3\n".into(),
            "bad-row",
            "line 2: expected 2 fields as in the header, found one more; R's",
        ),
    ];
    for (options, input, code, start) in cases {
        let (message, found) = refused(&Format::Csv(options), &input);
        assert!(message.starts_with(start) && found == code, "{start}: {found}: {message}");
        assert!(!message.contains(|char: char| char.is_control()), "{message:?}");
    }
}

/// The refusal of the first line at fault, whatever its kind.
#[test]
fn the_first_fault_counts() {
    let options = Format::Csv(typed(&[("n", ColumnType::Integer)]));
    let faults = ["x", "1,2", "\"", "\"1\"x", "1\"", "\"\u{0}é\""];
    for first in faults {
        for second in faults {
            if first == "\"" && second.starts_with('"') {
                // A text of two lines, and whatever follows it on the second.
                continue;
            }
            let input = format!("n\n1\n{first}\n{second}\n");
            assert!(refused(&options, input.as_bytes()).0.starts_with("line 3"), "{input:?}");
        }
    }
}

#[test]
fn csv_limits() {
    let csv = Format::Csv(Options::default());
    let too_long = |bytes: usize| format!("a,b\n1,2\n3,\"{}\"\n", "x\n".repeat(bytes / 2));
    assert!(converted(&csv, too_long(MAX_ROW_BYTES - 10).as_bytes()).is_ok());
    let message = "line 3: expected a row of at most 8388608 bytes, found more; is a quote not closed?";
    for input in [too_long(MAX_ROW_BYTES), format!("a,b\n1,2\n\"{}", "x".repeat(2 * MAX_ROW_BYTES))] {
        let error = converted(&csv, input.as_bytes()).unwrap_err();
        assert_eq!((error.to_string(), error.code()), (format!("rows: {message}"), "bad-row"));
    }
    let header = |columns: usize| (0..columns).map(|column| column.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(converted(&csv, header(MAX_COLUMNS).as_bytes()).unwrap(), "[]");
    for columns in [MAX_COLUMNS + 1, 3 * MAX_COLUMNS] {
        let (message, code) = refused(&csv, header(columns).as_bytes());
        assert_eq!(
            (message, code),
            (
                format!("line 1: expected at most 16384 columns in the header, found {columns}; split the dataset"),
                "bad-header"
            )
        );
    }
}

/// The limit holds for the input, so that an endless one ends, and for the array, which is larger.
#[test]
fn the_limit_of_the_size() {
    let csv = Format::Csv(Options::default());
    let too_large = |format: &Format, input: &[u8], max_bytes| {
        let error = converted_with(format, input, Rules { max_bytes, ..Rules::default() }).unwrap_err();
        assert_eq!(error.code(), "too-large", "{error}");
        assert!(error.to_string().contains(&format!("at most {max_bytes} bytes")), "{error}");
        error.to_string()
    };
    let array = "[\n{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]";
    let rules = Rules { max_bytes: array.len() as u64, ..Rules::default() };
    assert_eq!(converted_with(&csv, &b"a\n1\n2\n3\n"[..], rules).unwrap(), array);
    assert!(too_large(&csv, b"a\n1\n2\n3\n", array.len() as u64 - 1).starts_with("rows: line "));
    assert!(too_large(&csv, b"a\n\n\n\n\n\n\n", 7).starts_with("rows: line 1: "));
    let endless = std::io::Read::chain(&b"a\n"[..], std::io::repeat(b'\n'));
    let rules = Rules { max_bytes: 10_000_000, ..Rules::default() };
    assert_eq!(converted_with(&csv, endless, rules).unwrap_err().code(), "too-large");
    too_large(&Format::JsonLines, b"1\n2\n3\n", 6);
    too_large(&Format::JsonLines, b"\n\n\n\n\n\n", 5);
}

#[test]
fn json_lines() {
    for (input, code, message) in [
        (
            "",
            "truncated",
            "line 1, column 1: the input ends here, expected a JSON value on a line (a blank line alone is an empty array); \
             publish the whole document",
        ),
        (
            "{\"a\":1}\n{\"a\":NaN}\n",
            "nan",
            "line 2, column 6, at /1/a: NaN is not JSON (Python's json.dump writes it for a missing value); --nan null \
             publishes it as null",
        ),
        (
            "1\n\n  {\"é\": 1, \"é\": 2}\n",
            "duplicate-name",
            "line 3, column 12, at /1/é: the name `é` occurs twice in this object, readers would keep one member and drop \
             the other; rename one, or publish both with --allow duplicate-names",
        ),
        (
            "{\"a\":1}\n{\"a\":1\n{\"a\":1}\n",
            "not-json",
            "line 2, column 7, at /1: expected the value to end on its line, as JSON Lines has it (a document over several lines is JSON), found U+000A",
        ),
        (
            "[\n  {\"a\":1},\n  {\"a\":2}\n]\n",
            "not-json",
            "line 1, column 2, at /0: expected the value to end on its line, as JSON Lines has it (a document over several lines is JSON), found U+000A; this looks like JSON: --format json reads it",
        ),
        (
            "1\n\"a\nb\"\n",
            "not-json",
            "line 2, column 3, at /1: expected the value to end on its line, as JSON Lines has it (a document over several lines is JSON), found U+000A",
        ),
        (
            "{\"é\":1} {\"a\":2}\n",
            "not-json",
            "line 1, column 9, at /0: expected the end of the line after its value, as JSON Lines has it, found `{`; these are several JSON documents, one after another, and no JSON Lines, which have one on each line; jq -s . FILE > NEW makes one array of them",
        ),
        (
            "1\n2, 3\n",
            "not-json",
            "line 2, column 2, at /1: expected the end of the line after its value, as JSON Lines has it, found `,`",
        ),
        (
            "{\"a\":1},\n{\"a\":2}\n",
            "not-json",
            "line 1, column 8, at /0: expected the end of the line after its value, as JSON Lines has it, found `,`",
        ),
        ("1\n]\n", "not-json", "line 2, column 1: expected a JSON value on each line, found `]`"),
        ("1\n,2\n", "not-json", "line 2, column 1: expected a JSON value on each line, found `,`"),
        (
            "1\nTrue\n",
            "not-json",
            "line 2, column 1, at /1: expected a value after the comma, found `True`; this is Python's notation, write the input with json.dump",
        ),
        (
            "{\"a\":[1,",
            "truncated",
            "line 1, column 9, at /0/a/1: the input ends here, expected a value after the comma; publish the whole document",
        ),
        (
            "1\n\"a",
            "truncated",
            "line 2, column 3, at /1: the input ends here, expected the closing quote of the string; publish the whole document",
        ),
        ("\u{feff}", "truncated", ""),
        ("1\u{feff}\n", "not-json", ""),
        ("1\né\n", "not-json", ""),
        ("1 é\n", "not-json", ""),
        ("[}\n", "not-json", ""),
    ] {
        let (found, found_code) = refused(&Format::JsonLines, input.as_bytes());
        assert_eq!(found_code, code, "{input:?}: {found}");
        if !message.is_empty() {
            assert_eq!(found, message, "{input:?}");
        }
    }
    let (message, code) = refused(&Format::JsonLines, b"1\n\"\xff\"\n");
    assert!(message.starts_with("line 2, column 2, at /1: "), "{message}");
    assert_eq!(code, "invalid-utf8");
}

/// What a refusal says to machines.
#[test]
fn members() {
    let format = Format::Csv(typed(&[("n", ColumnType::Integer)]));
    let Error::Csv { refusal, .. } = converted(&format, &b"n\nx\n"[..]).unwrap_err() else { panic!("another error") };
    assert_eq!((refusal.line, refusal.column.as_deref(), refusal.value()), (2, Some("n"), Some("x")));
    assert_eq!(refusal.way_out().as_deref(), Some("--column n=text"));
    let Error::Csv { refusal, .. } = converted(&format, &b"n\n20230112345678901234\n"[..]).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((refusal.line, refusal.column.as_deref()), (2, Some("n")));
    assert_eq!(refusal.value(), Some("20230112345678901234"));
    assert_eq!(refusal.way_out().as_deref(), Some("--allow unsafe-numbers"));
}
