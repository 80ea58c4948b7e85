//! Schemas that are refused, each by its name and with its place.

use crate::engine::compile;

#[test]
fn what_is_not_supported_or_wrong_is_refused_with_its_place() {
    for (schema, code, pointer) in [
        ("", "not-json", ""),
        ("{} {}", "not-json", ""),
        ("{\"a\":1,}", "not-json", ""),
        ("[]", "invalid-value", ""),
        ("7", "invalid-value", ""),
        (r#"{"items": 7}"#, "invalid-value", "/items"),
        (r#"{"items": [true]}"#, "invalid-value", "/items"),
        (r#"{"$defs": {"a/b": {"type": "int"}}}"#, "invalid-value", "/$defs/a~1b/type"),
        (r#"{"type": []}"#, "invalid-value", "/type"),
        (r#"{"type": ["null", "null"]}"#, "invalid-value", "/type"),
        (r#"{"enum": {}}"#, "invalid-value", "/enum"),
        (r#"{"minimum": "1"}"#, "invalid-value", "/minimum"),
        (r#"{"multipleOf": 0}"#, "invalid-value", "/multipleOf"),
        (r#"{"multipleOf": -1}"#, "invalid-value", "/multipleOf"),
        (r#"{"multipleOf": 1234567890123456789}"#, "invalid-value", "/multipleOf"),
        (r#"{"multipleOf": 123456789012345678901}"#, "invalid-value", "/multipleOf"),
        (r#"{"minLength": -1}"#, "invalid-value", "/minLength"),
        (r#"{"maxItems": 1.5}"#, "invalid-value", "/maxItems"),
        (r#"{"minContains": "1"}"#, "invalid-value", "/minContains"),
        (r#"{"uniqueItems": 1}"#, "invalid-value", "/uniqueItems"),
        (r#"{"required": "a"}"#, "invalid-value", "/required"),
        (r#"{"required": ["a", "a"]}"#, "invalid-value", "/required"),
        (r#"{"required": [1]}"#, "invalid-value", "/required"),
        (r#"{"dependentRequired": {"a": "b"}}"#, "invalid-value", "/dependentRequired/a"),
        (r#"{"properties": []}"#, "invalid-value", "/properties"),
        (r#"{"allOf": []}"#, "invalid-value", "/allOf"),
        (r#"{"allOf": {}}"#, "invalid-value", "/allOf"),
        (r#"{"anyOf": [true, null]}"#, "invalid-value", "/anyOf/1"),
        (r#"{"then": 1}"#, "invalid-value", "/then"),
        (r#"{"$id": "a#b"}"#, "invalid-value", "/$id"),
        (r#"{"$id": 1}"#, "invalid-value", "/$id"),
        (r#"{"$anchor": "1a"}"#, "invalid-value", "/$anchor"),
        (r#"{"$ref": 1}"#, "invalid-value", "/$ref"),
        (r##"{"$ref": "#/a b"}"##, "invalid-value", "/$ref"),
        (r#"{"type": "null", "type": "array"}"#, "duplicate-name", ""),
        (r#"{"properties": {"a": true, "\u0061": false}}"#, "duplicate-name", "/properties"),
        (r#"{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}"#, "ambiguous", "/$defs/b/$anchor"),
        (r#"{"$defs": {"a": {"$id": "x"}, "b": {"$id": "x"}}}"#, "ambiguous", "/$defs/b/$id"),
        (r##"{"$dynamicRef": "#a"}"##, "unsupported-keyword", "/$dynamicRef"),
        (r#"{"items": {"$dynamicAnchor": "a"}}"#, "unsupported-keyword", "/items/$dynamicAnchor"),
        (r##"{"$recursiveRef": "#"}"##, "unsupported-keyword", "/$recursiveRef"),
        (r#"{"$recursiveAnchor": true}"#, "unsupported-keyword", "/$recursiveAnchor"),
        (r#"{"$vocabulary": {}}"#, "unsupported-keyword", "/$vocabulary"),
        (r#"{"dependencies": {}}"#, "unsupported-keyword", "/dependencies"),
        (r#"{"additionalItems": false}"#, "unsupported-keyword", "/additionalItems"),
        (r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, "unknown-dialect", "/$schema"),
        (r#"{"$schema": "https://example.com/mine"}"#, "unknown-dialect", "/$schema"),
        (r#"{"$ref": "https://example.com/other"}"#, "remote-reference", "/$ref"),
        (r#"{"$ref": "other.json"}"#, "remote-reference", "/$ref"),
        (r##"{"$ref": "#/$defs/a"}"##, "unresolved-reference", "/$ref"),
        (r##"{"$ref": "#a"}"##, "unresolved-reference", "/$ref"),
        (r##"{"allOf": [true], "$ref": "#/allOf/00"}"##, "unresolved-reference", "/$ref"),
        (r##"{"$ref": "#/%zz"}"##, "unresolved-reference", "/$ref"),
        (r#"{"pattern": "("}"#, "invalid-pattern", "/pattern"),
        (r#"{"pattern": "(?P<name>a)"}"#, "invalid-pattern", "/pattern"),
        (r#"{"patternProperties": {"[": true}}"#, "invalid-pattern", "/patternProperties/["),
        (r##"{"$ref": "#"}"##, "endless-reference", ""),
        (r##"{"items": {"anyOf": [{"type": "null"}, {"$ref": "#/items"}]}}"##, "endless-reference", "/items"),
        (
            r##"{"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}}"##,
            "endless-reference",
            "/$defs/a",
        ),
    ] {
        match compile(schema) {
            Ok(_) => panic!("{schema} is taken"),
            Err(error) => assert_eq!((error.kind.code(), &*error.pointer), (code, pointer), "{schema}: {error}"),
        }
    }
}

#[test]
fn annotations_and_what_nobody_knows_assert_nothing() {
    let schema = r#"{
        "$schema": "https://json-schema.org/draft/2020-12/schema#", "$comment": "c", "title": "t", "description": "d",
        "default": 1, "examples": [1], "deprecated": true, "readOnly": true, "writeOnly": false, "format": "date",
        "contentEncoding": "base64", "contentMediaType": "text/html", "contentSchema": false, "x-mine": {"type": "null"}
    }"#;
    assert!(compile(schema).unwrap().validate("\"no date\"", 1).is_ok());
}

#[test]
fn messages_say_what_was_expected_and_found_and_what_to_do() {
    for (schema, message) in [
        (
            r#"{"properties": {"a": {"type": "int"}}}"#,
            "the schema is refused at \"/properties/a/type\": expected null, boolean, integer, number, string, array or \
             object, or an array of these, each once as value of type, found \"int\"",
        ),
        (
            r#"{"$ref": "https://example.com/x"}"#,
            "the schema is refused at \"/$ref\": \"https://example.com/x\" is outside of this schema, and remote references \
             are not followed; put that schema under $defs",
        ),
        ("{", "the schema is refused: it is not JSON: expected the name of a member at byte 1"),
    ] {
        assert_eq!(compile(schema).unwrap_err().to_string(), message);
    }
}
