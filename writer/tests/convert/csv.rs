//! What CSV becomes.

use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, Options};
use lastgood::protocol::payload::{Nan, Permit, Rules};
use serde_json::json;

use crate::site::{converted, converted_with, typed, value};

fn csv() -> Format {
    Format::Csv(Options::default())
}

#[test]
fn each_row_is_an_object_on_the_line_that_it_has_in_the_input() {
    let input = "id,name\n1,a\n\n2,\"b\nc\"\n3,d\n";
    let array = "[\n{\"id\":1,\"name\":\"a\"},\n\n{\"id\":2,\"name\":\"b\\nc\"\n},\n{\"id\":3,\"name\":\"d\"}\n]";
    assert_eq!(converted(&csv(), input.as_bytes()).unwrap(), array);
}

#[test]
fn a_header_alone_is_an_empty_array() {
    for input in ["id", "id\n", "id,name\r\n", "\u{feff}id\n\n\n"] {
        assert_eq!(converted(&csv(), input.as_bytes()).unwrap(), "[]", "{input:?}");
    }
}

#[test]
fn spreadsheets_and_line_ends() {
    let rows = json!([{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]);
    for input in [
        "id,name\n1,x\n2,y\n",
        "id,name\r\n1,x\r\n2,y\r\n",
        "\u{feff}id,name\r\n1,x\r\n2,y",
        "\n\r\nid,name\n\n1,x\n\r\n2,y\n\n\n",
        "\u{feff}\"id\",\"name\"\n\"1\",\"x\"\n\"2\",\"y\"\n",
    ] {
        assert_eq!(value(&Options::default(), input), rows, "{input:?}");
    }
}

#[test]
fn any_delimiter_but_a_quote_and_the_end_of_a_line() {
    for byte in 0..=u8::MAX {
        let Some(delimiter) = Delimiter::new(byte) else {
            assert!(!byte.is_ascii() || b"\"\n\r".contains(&byte), "{byte}");
            continue;
        };
        let options = Options { delimiter: delimiter.into(), ..typed(&[("a", ColumnType::Text)]) };
        let d = char::from(byte);
        let input = format!("a{d}\"b{d}\"\nx{d}\"y{d}z\"\n");
        let expected = match d {
            'a' | 'x' | 'b' => continue,
            _ => json!([{"a": "x", format!("b{d}"): format!("y{d}z")}]),
        };
        assert_eq!(value(&options, &input), expected, "{d:?}");
    }
}

/// What each text makes of an otherwise empty column, and what is published of it.
#[test]
fn the_type_of_a_column_is_the_narrowest_that_holds_its_values() {
    for (field, published) in [
        ("0", "0"),
        ("-0", "-0"),
        ("42", "42"),
        ("-17", "-17"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("9007199254740992", "\"9007199254740992\""),
        ("-9007199254740992", "\"-9007199254740992\""),
        ("20230112345678901234", "\"20230112345678901234\""),
        ("123456789012345", "123456789012345"),
        ("007", "\"007\""),
        ("-01", "\"-01\""),
        ("00", "\"00\""),
        ("+1", "\"+1\""),
        (" 1", "\" 1\""),
        ("1 ", "\"1 \""),
        ("-", "\"-\""),
        ("1-2", "\"1-2\""),
        ("2026-11-20", "\"2026-11-20\""),
        ("1_000", "\"1_000\""),
        ("0x10", "\"0x10\""),
        ("1.50", "1.50"),
        ("-0.0", "-0.0"),
        ("01.5", "\"01.5\""),
        (".5", "\".5\""),
        ("-.5", "\"-.5\""),
        ("1.", "\"1.\""),
        ("1.e3", "\"1.e3\""),
        ("1.2.3", "\"1.2.3\""),
        ("1e5", "1e5"),
        ("1E+05", "1E+05"),
        ("1.5e-7", "1.5e-7"),
        ("1e", "\"1e\""),
        ("1e+", "\"1e+\""),
        ("1e5x", "\"1e5x\""),
        ("1e308", "1e308"),
        ("1e309", "\"1e309\""),
        ("true", "true"),
        ("True", "true"),
        ("FALSE", "false"),
        ("truE", "true"),
        ("yes", "\"yes\""),
        ("t", "\"t\""),
        ("NA", "\"NA\""),
        ("null", "\"null\""),
        ("", "null"),
        ("\"\"", "null"),
        ("\"1\"", "1"),
        ("\"a\"\"b\"", "\"a\\\"b\""),
        ("a\\b", "\"a\\\\b\""),
        ("\"a\tb\"", "\"a\\tb\""),
        ("\u{1}\u{7f}ä日😀", "\"\\u0001\u{7f}ä日😀\""),
    ] {
        // The other column keeps the line from being blank.
        let input = format!("v,w\n{field},x\n");
        let array = format!("[\n{{\"v\":{published},\"w\":\"x\"}}\n]");
        assert_eq!(converted(&csv(), input.as_bytes()).unwrap(), array, "{field:?}");
        // Seen among empty ones, and quoted.
        let input = format!("v,w\n,x\n{field},x\n\"\",x\n");
        let null = if published.starts_with('"') { "\"\"" } else { "null" };
        let array = format!(
            "[\n{{\"v\":null,\"w\":\"x\"}},\n{{\"v\":{published},\"w\":\"x\"}},\n{{\"v\":{null},\"w\":\"x\"}}\n]"
        );
        assert_eq!(converted(&csv(), input.as_bytes()).unwrap(), array, "{field:?} among empty ones");
    }
}

/// The last row can decide: the types are of the whole input.
#[test]
fn one_value_decides_for_a_column_of_many() {
    for (many, one, first, last) in [
        ("7", "8", json!(7), json!(8)),
        ("7", "0.5", json!(7), json!(0.5)),
        ("7", "x", json!("7"), json!("x")),
        ("7", "08", json!("7"), json!("08")),
        ("7", "true", json!("7"), json!("true")),
        ("7", "9007199254740993", json!("7"), json!("9007199254740993")),
        ("7.5", "", json!(7.5), json!(null)),
        ("true", "FALSE", json!(true), json!(false)),
        ("true", "1.5", json!("true"), json!("1.5")),
        ("", "3", json!(null), json!(3)),
    ] {
        // More than is kept in memory or read at once.
        let rows = 30_000;
        let row = format!("{many},{}\n", "x".repeat(40));
        let input = format!("v,w\n{}{one},x\n", row.repeat(rows));
        let array = value(&Options::default(), &input);
        let array = array.as_array().unwrap();
        assert_eq!(array.len(), rows + 1);
        assert!(array[..rows].iter().all(|row| row["v"] == first), "{many:?} and at last {one:?}");
        assert_eq!(array[rows]["v"], last, "{many:?} and at last {one:?}");
    }
}

#[test]
fn a_given_type_holds_whatever_the_values_suggest() {
    let input = "i,f,b,t\n1,2,true,3\n,,,\n-5,1e3,FALSE,\"\"\n\"\",\"\",\"\",x\n";
    let all =
        [("i", ColumnType::Integer), ("f", ColumnType::Float), ("b", ColumnType::Boolean), ("t", ColumnType::Text)];
    let expected = json!([
        {"i": 1, "f": 2, "b": true, "t": "3"},
        {"i": null, "f": null, "b": null, "t": null},
        {"i": -5, "f": 1e3, "b": false, "t": ""},
        {"i": null, "f": null, "b": null, "t": "x"},
    ]);
    assert_eq!(value(&typed(&all), input), expected);
    let text = value(&typed(&[("i", ColumnType::Text), ("b", ColumnType::Text)]), input);
    assert_eq!(text[0], json!({"i": "1", "f": 2, "b": "true", "t": "3"}));
}

#[test]
fn numbers_that_json_lacks_follow_the_payload_rules() {
    let nan = Rules { nan: Nan::Null, ..Rules::default() };
    let spellings = "v\n1\nnan\nNaN\nNAN\n-nan\ninf\n-inf\nInf\n+Inf\n-Infinity\ninfinity\n2.5\n";
    let array = converted_with(&csv(), spellings.as_bytes(), nan).unwrap();
    assert_eq!(array.matches("{\"v\":null}").count(), 10, "{array}");
    assert!(array.contains("{\"v\":1}") && array.contains("{\"v\":2.5}"), "{array}");
    // Beside a text, they are text.
    let array = converted(&csv(), "v\nnan\nAnna\n".as_bytes()).unwrap();
    assert_eq!(array, "[\n{\"v\":\"nan\"},\n{\"v\":\"Anna\"}\n]");
    // An integer that a browser would change is published as a number when both are asked for.
    let unsafe_numbers = Rules { unsafe_numbers: Permit::Allow, ..Rules::default() };
    let given = Format::Csv(typed(&[("v", ColumnType::Integer)]));
    let array = converted_with(&given, "v\n20230112345678901234\n".as_bytes(), unsafe_numbers).unwrap();
    assert_eq!(array, "[\n{\"v\":20230112345678901234}\n]");
}

#[test]
fn names_may_be_anything() {
    let input = "\"a\"\"b\",\"c\nd\",\" e \",\\,\u{e9}/~\n1,2,3,4,5\n";
    let expected = "[\n\n{\"a\\\"b\":1,\"c\\nd\":2,\" e \":3,\"\\\\\":4,\"é/~\":5}\n]";
    assert_eq!(converted(&csv(), input.as_bytes()).unwrap(), expected);
}

/// A table of one column: the blank line is no row, the quoted empty field is.
#[test]
fn blank_lines_are_passed_over() {
    assert_eq!(value(&Options::default(), "v\n1\n\n\"\"\n2\n"), json!([{"v": 1}, {"v": null}, {"v": 2}]));
}
