//! Validating ends, whatever the schema and the payload, and its time does not multiply with the depth.

use lastgood_protocol::payload::MAX_DEPTH;
use lastgood_protocol::schema::Invalid;

use crate::engine::{compile, fits, violations};

/// `inner`, inside so many objects with it as their child.
fn nested(depth: usize, kind: &str, inner: &str) -> String {
    let open = "{\"child\":".repeat(depth);
    let close = format!(",\"kind\":\"{kind}\"}}").repeat(depth);
    [&open, inner, &close].concat()
}

/// Either kind has to look at the child before it sees the kind.
const UNION: &str = r##"{"oneOf": [
    {"type": "object", "properties": {"child": {"$ref": "#"}, "kind": {"const": "a"}}, "required": ["kind"]},
    {"type": "object", "properties": {"child": {"$ref": "#"}, "kind": {"const": "b"}}, "required": ["kind"]},
    {"type": "null"}
]}"##;

#[test]
fn branches_that_look_at_the_same_child_do_not_double_the_work_on_each_level() {
    assert!(fits(UNION, &nested(120, "b", "null")));
    let found = violations(UNION, &nested(120, "b", "{\"kind\":\"c\"}"));
    assert_eq!(found.len(), 1);
    let strict = format!(r#"{{"unevaluatedProperties": false,{}"#, &UNION[1..]);
    assert!(fits(&strict, &nested(120, "b", "null")));
    let twice = r##"{"allOf": [{"properties": {"child": {"$ref": "#"}}}, {"properties": {"child": {"$ref": "#"}}}],
        "required": ["kind"]}"##;
    assert!(fits(twice, &nested(120, "b", "{\"kind\":\"c\"}")));
    assert_eq!(violations(twice, &nested(120, "b", "{}")).len(), 1);
}

#[test]
fn what_is_known_about_a_row_is_forgotten_at_the_next() {
    let rows = format!(r#"{{"items": {{"$ref": "/union"}}, "$defs": {{"union": {{"$id": "/union",{}}}}}"#, &UNION[1..]);
    let (good, bad) = (nested(3, "b", "null"), nested(3, "b", "1"));
    assert!(fits(&rows, &format!("[{good},{good}]")));
    assert_eq!(violations(&rows, &format!("[{good},{bad},{bad}]")).len(), 2);
}

#[test]
fn nesting_up_to_the_limit_of_payloads_is_followed_and_beyond_it_refused() {
    let schema = r##"{"type": ["array", "null"], "items": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}"##;
    let whole = format!(r#"{{"allOf": [true],{}"#, &schema[1..]);
    let array = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(fits(schema, &array(MAX_DEPTH)));
    assert!(fits(&whole, &array(MAX_DEPTH)));
    let refused = compile(&whole).unwrap().validate(&array(MAX_DEPTH + 1), 1).unwrap_err();
    assert_eq!(refused.to_string(), "it is not JSON: expected at most 128 levels of arrays and objects at byte 128");
}

#[test]
fn a_long_chain_of_references_is_an_error_and_no_stack_overflow() {
    let link = |number: u32| format!(r##""{number}": {{"$ref": "#/$defs/{}"}}"##, number + 1);
    let chain = |length: u32| {
        let links: Vec<String> = (0..length).map(link).collect();
        format!(r##"{{"$ref": "#/$defs/0", "$defs": {{{}, "{length}": {{"type": "null"}}}}}}"##, links.join(","))
    };
    assert!(fits(&chain(1_000), "null"));
    assert_eq!(compile(&chain(3_000)).unwrap().validate("null", 1), Err(Invalid::TooNested));
    // Also where only the outcome counts, which must not be taken for "does not fit".
    let not = format!(r#"{{"not": {}}}"#, chain(3_000).replace("#/$defs", "#/not/$defs"));
    assert_eq!(compile(&not).unwrap().validate("null", 1), Err(Invalid::TooNested));
}

#[test]
fn many_elements_are_compared_with_each_other_in_reasonable_time() {
    let different: Vec<String> = (0..50_000).map(|number| format!("{{\"a\":[{number},{}]}}", number % 7)).collect();
    let payload = format!("[{}]", different.join(","));
    assert!(fits(r#"{"uniqueItems": true}"#, &payload));
    let payload = format!("[{},{{\"a\":[4.9999e4, 5.0]}}]", different.join(","));
    assert_eq!(violations(r#"{"uniqueItems": true}"#, &payload)[0].pointer, "/50000");
}
