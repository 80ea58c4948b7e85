//! What references mean.

use serde_json::json;

use crate::engine::{compile, fits};

/// The examples of RFC 3986, section 5.4: what each means at `http://a/b/c/d;p?q`.
#[test]
fn relative_references_are_resolved_as_the_rfc_says() {
    for (reference, uri) in [
        ("g:h", "g:h"),
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("g;x?y", "http://a/b/c/g;x?y"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
    ] {
        let schema = json!({
            "$id": "http://a/b/c/d;p?q",
            "$defs": {"target": {"$id": uri, "type": "null"}},
            "properties": {"it": {"$ref": reference}},
        });
        assert!(!fits(&schema.to_string(), "{\"it\": 1}"), "{reference} is not {uri}");
    }
}

#[test]
fn a_place_that_no_keyword_looks_for_belongs_to_the_resource_around_it() {
    let schema = r##"{
        "$defs": {"r": {
            "$id": "http://a/r", "$defs": {"n": {"type": "null"}}, "examples": [{"$ref": "#/$defs/n"}, {"x~y/z": {"type": "string"}}]
        }},
        "prefixItems": [{"$ref": "#/$defs/r/examples/0"}, {"$ref": "http://a/r#/examples/1/x~0y~1z"}]
    }"##;
    assert!(fits(schema, "[null, \"\"]"));
    assert!(!fits(schema, "[1, \"\"]"));
    assert!(!fits(schema, "[null, 1]"));
}

#[test]
fn a_reference_to_the_same_place_in_many_ways_is_one() {
    let ways = [
        "#/$defs/a",
        "#a",
        "http://h/s#a",
        "s#a",
        "/s#/$defs/a",
        "#/%24defs/a",
        "#/%24defs/%61",
        "?",
        "//h/s#a",
        "s?#a",
    ];
    for way in ways {
        let schema =
            json!({"$id": "http://h/s", "$defs": {"a": {"$anchor": "a", "type": "null"}}, "items": {"$ref": way}});
        // A query, even an empty one, makes another URI.
        assert_eq!(compile(&schema.to_string()).is_ok(), !way.contains('?'), "{way}");
        if !way.contains('?') {
            assert_eq!((fits(&schema.to_string(), "[null]"), fits(&schema.to_string(), "[1]")), (true, false), "{way}");
        }
    }
}
