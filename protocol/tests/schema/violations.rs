//! What is said about what is wrong.

use lastgood_protocol::schema::Invalid;

use crate::engine::{compile, violations};

#[test]
fn each_keyword_says_what_it_wants() {
    for (schema, payload, expected) in [
        ("false", "1", "at the root: expected nothing here, found 1 (false at )"),
        (r#"{"type": "integer"}"#, "1.5", "at the root: expected integer, found 1.5 (type at /type)"),
        (r#"{"type": ["string", "null"]}"#, "true", "at the root: expected null or string, found true (type at /type)"),
        (r#"{"const": {"a": 1}}"#, "{}", r#"at the root: expected {"a": 1}, found {} (const at /const)"#),
        (r#"{"enum": ["a", 1]}"#, "2", r#"at the root: expected one of "a", 1, found 2 (enum at /enum)"#),
        (r#"{"minimum": 1e2}"#, "99", "at the root: expected a number of at least 1e2, found 99 (minimum at /minimum)"),
        (r#"{"maximum": 1}"#, "2", "at the root: expected a number of at most 1, found 2 (maximum at /maximum)"),
        (
            r#"{"exclusiveMinimum": 1}"#,
            "1.0",
            "at the root: expected a number above 1, found 1.0 (exclusiveMinimum at /exclusiveMinimum)",
        ),
        (
            r#"{"exclusiveMaximum": 1}"#,
            "1",
            "at the root: expected a number below 1, found 1 (exclusiveMaximum at /exclusiveMaximum)",
        ),
        (
            r#"{"multipleOf": 0.01}"#,
            "0.015",
            "at the root: expected a multiple of 0.01, found 0.015 (multipleOf at /multipleOf)",
        ),
        (
            r#"{"minLength": 2}"#,
            "\"\\ud83d\\ude00\"",
            "at the root: expected at least 2 characters, not 1, found \"\\ud83d\\ude00\" (minLength at /minLength)",
        ),
        (
            r#"{"maxLength": 1}"#,
            "\"ab\"",
            "at the root: expected at most 1 character, not 2, found \"ab\" (maxLength at /maxLength)",
        ),
        (
            r#"{"pattern": "^a"}"#,
            "\"b\"",
            "at the root: expected a text that matches \"^a\", found \"b\" (pattern at /pattern)",
        ),
        (
            r#"{"minItems": 2}"#,
            "[1]",
            "at the root: expected at least 2 elements, not 1, found [1] (minItems at /minItems)",
        ),
        (
            r#"{"maxItems": 0}"#,
            "[1]",
            "at the root: expected at most 0 elements, not 1, found [1] (maxItems at /maxItems)",
        ),
        (
            r#"{"uniqueItems": true}"#,
            "[1, 2, 1.0]",
            "at /2: expected elements that are all different, not equal to /0, found 1.0 (uniqueItems at /uniqueItems)",
        ),
        (r#"{"items": false}"#, "[1]", "at /0: expected no element at this place, found 1 (items at /items)"),
        (
            r#"{"contains": {"type": "null"}}"#,
            "[1]",
            "at the root: expected at least 1 element that fits contains, not 0, found [1] (contains at /contains)",
        ),
        (
            r#"{"minProperties": 1}"#,
            "{}",
            "at the root: expected at least 1 member, not 0, found {} (minProperties at /minProperties)",
        ),
        (
            r#"{"properties": {"a/b": {"type": "null"}}}"#,
            r#"{"a/b": 1}"#,
            "at /a~1b: expected null, found 1 (type at /properties/a~1b/type)",
        ),
        (r#"{"required": ["a"]}"#, "{}", r#"at the root: expected the member "a", found {} (required at /required)"#),
        (
            r#"{"dependentRequired": {"a": ["b"]}}"#,
            r#"{"a": 1}"#,
            r#"at the root: expected the member "b" beside "a", found {"a": 1} (dependentRequired at /dependentRequired)"#,
        ),
        (
            r#"{"propertyNames": {"maxLength": 1}}"#,
            r#"{"ab": 1}"#,
            r#"at /ab: expected at most 1 character, not 2, found "ab" (maxLength at /propertyNames/maxLength)"#,
        ),
        (
            r#"{"unevaluatedProperties": false}"#,
            r#"{"a": 1}"#,
            "at /a: expected no member of this name, found 1 (unevaluatedProperties at /unevaluatedProperties)",
        ),
        (
            r#"{"anyOf": [{"minimum": 1}, {"multipleOf": 2}]}"#,
            "-1",
            "at the root: expected a value that fits one of 2 schemas, found -1 (anyOf at /anyOf)",
        ),
        (
            r#"{"anyOf": [{"type": "number"}, {"type": "null"}]}"#,
            "\"1\"",
            "at the root: expected null or number, found \"1\" (anyOf at /anyOf)",
        ),
        (
            r#"{"anyOf": [{"type": "number", "minimum": 1}, {"type": "null"}]}"#,
            "0",
            "at the root: expected a number of at least 1, found 0 (minimum at /anyOf/0/minimum)",
        ),
        (
            r#"{"oneOf": [{"minimum": 1}, {"multipleOf": 2}]}"#,
            "2",
            "at the root: expected a value that fits exactly one of 2 schemas, found 2 (oneOf at /oneOf)",
        ),
        (
            r#"{"not": {"type": "null"}}"#,
            "null",
            "at the root: expected a value that does not fit the schema of not, found null (not at /not)",
        ),
        (r#"{"if": true, "then": {"type": "null"}}"#, "1", "at the root: expected null, found 1 (type at /then/type)"),
    ] {
        let found: Vec<String> = violations(schema, payload).iter().map(ToString::to_string).collect();
        assert_eq!(found, [expected], "{schema}");
    }
}

#[test]
fn values_are_shown_in_part_and_fit_for_a_terminal() {
    let long = format!("\"{}\"", "ä".repeat(100));
    let [found] = &violations(r#"{"type": "null"}"#, &long)[..] else { panic!() };
    assert_eq!(found.found, format!("\"{}…", "ä".repeat(59)));
    let [found] = &violations(r#"{"type": "null"}"#, "[\n\t\"\u{9b}31m\"]")[..] else { panic!() };
    assert_eq!(found.found, "[  \" 31m\"]");
}

#[test]
fn all_violations_are_counted_and_as_many_listed_as_were_asked_for() {
    let schema = compile(r#"{"items": {"type": "null"}}"#).unwrap();
    let Err(Invalid::Violations(found)) = schema.validate("[1, null, 2, 3]", 2) else { panic!() };
    assert_eq!((found.list.len(), found.more), (2, 1));
    assert_eq!(
        found.to_string(),
        "at /0: expected null, found 1 (type at /items/type)\nat /2: expected null, found 2 (type at /items/type)\nand 1 more"
    );
}

#[test]
fn what_is_not_json_is_said_with_its_place() {
    for (schema, payload, expected) in [
        ("true", "{\"a\" 1}", "it is not JSON: expected a colon at byte 5"),
        ("true", "[1] 2", "it is not JSON: expected the end of the payload at byte 4"),
        (r#"{"items": true}"#, "[1, [2,]]", "it is not JSON: expected a value at byte 7"),
        (r#"{"items": true}"#, "[1, \"a\\q\"]", "it is not JSON: expected an escape sequence at byte 6"),
        (r#"{"items": true}"#, "[1", "it is not JSON: expected a comma or the end of the array at byte 2"),
        (r#"{"items": true}"#, "[01]", "it is not JSON: expected a comma or the end of the array at byte 2"),
        (r#"{"items": true}"#, "", "it is not JSON: expected a value at byte 0"),
        (r#"{"items": true}"#, "[1.]", "it is not JSON: expected a digit at byte 3"),
    ] {
        assert_eq!(compile(schema).unwrap().validate(payload, 1).unwrap_err().to_string(), expected, "{payload}");
    }
}
