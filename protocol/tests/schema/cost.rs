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

/// Definitions of which each refers to the next one twice, in a form of words.
fn doubling(levels: usize, twice: impl Fn(&str) -> String, last: &str) -> String {
    let level =
        |level: usize| format!(r##""{level}": {}"##, twice(&format!(r##"{{"$ref": "#/$defs/{}"}}"##, level + 1)));
    let levels_of: Vec<String> = (0..levels).map(level).collect();
    format!(r##""$ref": "#/$defs/0", "$defs": {{{}, "{levels}": {last}}}"##, levels_of.join(","))
}

#[test]
fn references_that_double_the_ways_are_refused_when_there_are_too_many() {
    let all = |next: &str| format!(r#"{{"allOf": [{next}, {next}]}}"#);
    let integer = |levels| format!("{{{}}}", doubling(levels, all, r#"{"type": "integer"}"#));
    assert!(fits(&integer(10), "1"));
    assert_eq!(violations(&integer(3), "null").len(), 8);
    for payload in ["1", "null"] {
        assert_eq!(compile(&integer(60)).unwrap().validate(payload, 10), Err(Invalid::TooComplex));
    }
    // On each level of the data, and where it is noted what has been evaluated.
    let child = |next: &str| format!(r#"{{"properties": {{"a": {next}}}, "patternProperties": {{"a": {next}}}}}"#);
    let deep = format!("{{{}}}", doubling(60, child, "{}"));
    let payload = ["{\"a\":".repeat(60), "1".to_owned(), "}".repeat(60)].concat();
    assert_eq!(compile(&deep).unwrap().validate(&payload, 10), Err(Invalid::TooComplex));
    let noted =
        format!(r#"{{"unevaluatedProperties": false, {}}}"#, doubling(60, all, r#"{"properties": {"a": true}}"#));
    assert_eq!(compile(&noted).unwrap().validate(r#"{"a": 1}"#, 10), Err(Invalid::TooComplex));
    // That it is not known must not be taken for "does not fit".
    let not =
        format!(r#"{{"not": {{{}}}}}"#, doubling(60, all, r#"{"type": "integer"}"#).replace("#/$defs", "#/not/$defs"));
    assert_eq!(compile(&not).unwrap().validate("1", 10), Err(Invalid::TooComplex));
}

#[test]
fn a_schema_of_many_names_and_references_is_compiled_or_refused_in_reasonable_time() {
    let all_of = |what: &dyn Fn(usize) -> String| (0..60_000).map(what).collect::<Vec<String>>().join(",");
    let defs = |inner: &str| format!(r#"{{"$defs": {{{inner}}}}}"#);
    let refused = |schema: &str| compile(schema).unwrap_err().kind.code();
    assert_eq!(refused(&defs(&all_of(&|i| format!(r#""{i}": {{"$anchor": "a{i}"}}"#)))), "too-complex");
    assert_eq!(
        refused(&defs(&all_of(&|i| format!(r##""{i}": {{"$ref": "#/$defs/{}"}}"##, 59_999 - i)))),
        "too-complex"
    );
    // Each name is resolved against a long one, of which there would be as many copies.
    let long = format!(
        r#"{{"$id": "http://a/{}/", {}"#,
        "a".repeat(1_000_000),
        &defs(&all_of(&|i| format!(r#""{i}": {{"$id": "a{i}"}}"#)))[1..]
    );
    assert_eq!(refused(&long), "too-complex");
    // More than any schema has that people use.
    let name =
        |i: usize| format!(r##""{i}": {{"$anchor": "a{i}", "items": {{"$ref": "#/$defs/{}"}}}}"##, (i + 1) % 4_000);
    let many = defs(&(0..4_000).map(name).collect::<Vec<String>>().join(","));
    assert!(fits(&format!(r##"{{"$ref": "#a0", {}"##, &many[1..]), "[[[]]]"));
}

#[test]
fn members_are_compared_with_each_other_in_reasonable_time() {
    let object = |order: &mut dyn Iterator<Item = u32>| {
        format!("{{{}}}", order.map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(","))
    };
    let (up, down) = (object(&mut (0..50_000)), object(&mut (0..50_000).rev()));
    assert!(fits(&format!("{{\"const\": {up}}}"), &down));
    assert_eq!(violations(r#"{"uniqueItems": true}"#, &format!("[{up},{down}]")).len(), 1);
    // Names that occur twice, on each level.
    let twice = |leaf: &str| (0..15).fold(leaf.to_owned(), |inner, _| format!(r#"{{"b":{inner},"a":{inner}}}"#));
    let other = |leaf: &str| (0..15).fold(leaf.to_owned(), |inner, _| format!(r#"{{"a":{inner},"b":{inner}}}"#));
    assert!(fits(&format!("{{\"const\": {}}}", twice("1")), &other("1")));
    let same = |leaf: &str| format!("{}{leaf}{}", r#"{"b":0,"a":{"a":0,"a":"#.repeat(60), "}}".repeat(60));
    assert!(!fits(&format!("{{\"const\": {}}}", same("1")), &same("2").replace(r#""b":0,"#, "")));
}

#[test]
fn many_elements_are_compared_with_each_other_in_reasonable_time() {
    let different: Vec<String> = (0..50_000).map(|number| format!("{{\"a\":[{number},{}]}}", number % 7)).collect();
    let payload = format!("[{}]", different.join(","));
    assert!(fits(r#"{"uniqueItems": true}"#, &payload));
    let payload = format!("[{},{{\"a\":[4.9999e4, 5.0]}}]", different.join(","));
    assert_eq!(violations(r#"{"uniqueItems": true}"#, &payload)[0].pointer, "/50000");
}
