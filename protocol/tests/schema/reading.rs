//! Objects and arrays however they are written: what is found while they are read is what is found in a tree of them.

use lastgood_protocol::schema::Invalid;

use crate::engine::{compile, fits};

/// Whether a payload fits, which is the same when the schema can only be checked with a tree.
fn fits_both_ways(schema: &str, payload: &str) -> bool {
    let found = fits(schema, payload);
    assert_eq!(fits(&format!("{{\"allOf\": [{schema}]}}"), payload), found, "{schema} {payload}");
    found
}

#[test]
fn members_are_found_however_they_are_written() {
    let schema = r#"{"properties": {"a\"b": {"type": "null"}, "ä": {"type": "integer"}},
        "required": ["ä", "c"], "additionalProperties": {"type": "string"}}"#;
    for good in [
        r#"{"a\"b":null,"ä":1,"c":""}"#,
        " {\t\"c\" :\n\"\\u00e4\" , \"\\u00e4\" : 1.0 , \"a\\u0022b\" : null } ",
        r#"{"d":"", "c":"", "ä":1, "ä":2}"#,
        r#"{"c":"", "":"\ud800", "ä":1e2}"#,
    ] {
        assert!(fits_both_ways(schema, good), "{good}");
    }
    for bad in [
        "{}",
        r#"{"ä":1}"#,
        // One of them twice is not both.
        r#"{"ä":1,"ä":1}"#,
        r#"{"ä":1,"c":"","\u00e4":"x"}"#,
        r#"{"ä":1,"c":"","a\"b":1}"#,
        // Required, but not one of the properties.
        r#"{"ä":1,"c":1}"#,
        r#"{"ä":1,"c":"","d":{"ä":1}}"#,
    ] {
        assert!(!fits_both_ways(schema, bad), "{bad}");
    }
}

#[test]
fn objects_may_have_many_properties() {
    let names: Vec<String> = (0..200).map(|name| format!("\"{name}\"")).collect();
    let properties: Vec<String> = names.iter().map(|name| format!("{name}: {{\"type\": \"null\"}}")).collect();
    let (names, properties) = (names.join(","), properties.join(","));
    let schema = format!(r#"{{"required": [{names}], "properties": {{{properties}}}, "additionalProperties": false}}"#);
    let all: Vec<String> = (0..200).map(|name| format!("\"{name}\":null")).collect();
    assert!(fits_both_ways(&schema, &format!("{{{}}}", all.join(","))));
    assert!(!fits_both_ways(&schema, &format!("{{{}}}", all[1..].join(","))));
    assert!(!fits_both_ways(&schema, &format!("{{{},\"200\":null}}", all.join(","))));
}

#[test]
fn nesting_is_bounded_whatever_the_schema() {
    for schema in ["true", r##"{"items": {"$ref": "#"}}"##, r##"{"properties": {"": {"$ref": "#"}}}"##] {
        for (open, close) in [("[", "]"), ("{\"\":", "}")] {
            let nested = |levels: usize| open.repeat(levels) + "0" + &close.repeat(levels);
            assert!(fits_both_ways(schema, &nested(120)), "{schema}");
            let found = compile(schema).unwrap().validate(&nested(100_000), 1);
            let Err(Invalid::NotJson(found)) = found else { panic!("{schema} {open}: {found:?}") };
            assert_eq!(found.expected, "at most 128 levels of arrays and objects");
        }
    }
}

#[test]
fn limits_are_compared_beyond_the_point() {
    for (keyword, at, below, above) in [
        ("minimum", true, false, true),
        ("exclusiveMinimum", false, false, true),
        ("maximum", true, true, false),
        ("exclusiveMaximum", false, true, false),
    ] {
        for [less, limit, more] in [
            ["-1", "0", "1"],
            ["-0.5", "-0", "0.5"],
            ["1.4", "1.5", "1.50001"],
            ["-1.6", "-1.5", "-1.4"],
            ["-2", "-1.5", "-1"],
            ["9.99e1", "100.0", "1001e-1"],
            ["123456789012345678901", "123456789012345678902", "123456789012345678903"],
            ["-1e400", "1e400", "1e401"],
        ] {
            let schema = format!(r#"{{"{keyword}": {limit}}}"#);
            let found = [less, limit, more].map(|number| fits_both_ways(&schema, number));
            assert_eq!(found, [below, at, above], "{schema}: {less} {limit} {more}");
        }
    }
}

#[test]
fn branches_of_members_are_alternatives() {
    let schema = r#"{"properties": {"a": {"minimum": 0, "anyOf": [{"type": "integer"}, {"enum": ["x", -1]}, {}]},
        "b": {"anyOf": [{"type": "string", "maxLength": 1}, {"type": "null"}, {"items": {"type": "null"}, "type": "array"}]}}}"#;
    for (payload, good) in [
        (r#"{"a": 1, "b": "x"}"#, true),
        (r#"{"a": -1, "b": "x"}"#, false),
        (r#"{"a": 0.5, "b": null}"#, true),
        (r#"{"b": [null]}"#, true),
        (r#"{"b": [1]}"#, false),
        (r#"{"b": "xy"}"#, false),
        (r#"{"b": "\u0061"}"#, true),
    ] {
        assert_eq!(fits_both_ways(schema, payload), good, "{payload}");
    }
}
