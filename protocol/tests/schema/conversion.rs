//! Schemas of older drafts fit the same values when they have been converted.

use lastgood_protocol::schema::{Draft, SchemaError, convert};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::engine::{compile, fits};
use crate::generated::{assertion, instance, members, name};

const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";
const DRAFT_2019_09: &str = "https://json-schema.org/draft/2019-09/schema";
const CURRENT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema with the draft that it is of.
fn of(draft: &str, schema: Value) -> Value {
    let Value::Object(mut members) = schema else { panic!("{schema}") };
    members.insert("$schema".to_owned(), draft.into());
    Value::Object(members)
}

fn converted(schema: &Value) -> Value {
    let converted = convert(&schema.to_string()).unwrap_or_else(|error| panic!("{schema}: {error}"));
    serde_json::from_str(&converted.expect("it is of an older draft").text).unwrap()
}

fn refused(schema: &Value) -> SchemaError {
    convert(&schema.to_string()).expect_err(&schema.to_string())
}

#[test]
fn each_keyword_becomes_what_it_is_called_now() {
    for (before, after) in [
        (json!({"definitions": {"a": {"type": "null"}}}), json!({"$defs": {"a": {"type": "null"}}})),
        (json!({"definitions": {"a": true}, "$defs": {"b": false}}), json!({"$defs": {"a": true, "b": false}})),
        (json!({"items": [true, {"items": [false]}]}), json!({"prefixItems": [true, {"prefixItems": [false]}]})),
        (json!({"items": [true], "additionalItems": false}), json!({"prefixItems": [true], "items": false})),
        (json!({"items": [], "additionalItems": false}), json!({"items": false})),
        (json!({"items": {"type": "null"}, "additionalItems": false}), json!({"items": {"type": "null"}})),
        (json!({"additionalItems": false}), json!({})),
        (
            json!({"dependencies": {"a": ["b"], "c": {"items": [true]}, "d": false}}),
            json!({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"prefixItems": [true]}, "d": false}}),
        ),
        (json!({"dependencies": {}}), json!({})),
        (json!({"$id": "#x", "minimum": 1}), json!({"$anchor": "x", "minimum": 1})),
        (json!({"$id": "http://example.com/a#"}), json!({"$id": "http://example.com/a"})),
        (json!({"$id": "#"}), json!({})),
        // Names and data are none of the keywords that they look like.
        (
            json!({"properties": {"definitions": true, "$ref": {"items": [true]}}, "required": ["items"]}),
            json!({"properties": {"definitions": true, "$ref": {"prefixItems": [true]}}, "required": ["items"]}),
        ),
        (
            json!({"const": {"items": [1], "$ref": "#/definitions/a"}, "default": {"$id": "#x"}, "enum": [{"dependencies": 1}]}),
            json!({"const": {"items": [1], "$ref": "#/definitions/a"}, "default": {"$id": "#x"}, "enum": [{"dependencies": 1}]}),
        ),
        (
            json!({"x-mine": {"definitions": {"nullable": true}}}),
            json!({"x-mine": {"definitions": {"nullable": true}}}),
        ),
        (
            json!({"format": "date", "contentEncoding": "base64"}),
            json!({"format": "date", "contentEncoding": "base64"}),
        ),
    ] {
        assert_eq!(converted(&of(DRAFT_7, before)), of(CURRENT, after));
    }
    for (before, after) in [
        (json!({"$defs": {"a": {"items": [true]}}}), json!({"$defs": {"a": {"prefixItems": [true]}}})),
        (
            json!({"dependentSchemas": {"a": {"items": [true]}}}),
            json!({"dependentSchemas": {"a": {"prefixItems": [true]}}}),
        ),
        (json!({"$anchor": "x", "$ref": "#x"}), json!({"$anchor": "x", "$ref": "#x"})),
        (
            json!({"$recursiveAnchor": true, "properties": {"a": {"$recursiveRef": "#", "minProperties": 1}}}),
            json!({"properties": {"a": {"$ref": "#", "minProperties": 1}}}),
        ),
        (
            json!({"properties": {"a": {"$id": "a", "properties": {"b": {"$recursiveRef": "#"}}}}}),
            json!({"properties": {"a": {"$id": "a", "properties": {"b": {"$ref": "#"}}}}}),
        ),
    ] {
        assert_eq!(converted(&of(DRAFT_2019_09, before)), of(CURRENT, after));
    }
}

#[test]
fn references_lead_where_they_led() {
    let schema = |target: &str| {
        of(
            DRAFT_7,
            json!({
                "$id": "http://example.com/root",
                "definitions": {
                    "a b%": {"items": [true, {"type": "null"}], "additionalItems": {"type": "string"}},
                    "c/d": {"dependencies": {"x": {"type": "null"}}},
                    "e": {"$id": "http://example.com/e", "definitions": {"f": {"type": "null"}}},
                    "g": {"$ref": target},
                    "h": {"$id": "#here"},
                },
            }),
        )
    };
    for (before, after) in [
        ("#", "#"),
        ("#/definitions/e", "#/$defs/e"),
        ("#/definitions/a%20b%25", "#/$defs/a%20b%25"),
        ("#/definitions/a%20b%25/items/1", "#/$defs/a%20b%25/prefixItems/1"),
        ("#/definitions/a%20b%25/additionalItems", "#/$defs/a%20b%25/items"),
        ("#/definitions/c~1d/dependencies/x", "#/$defs/c~1d/dependentSchemas/x"),
        ("#here", "#here"),
        ("http://example.com/root#/definitions/e", "http://example.com/root#/$defs/e"),
        ("root#/definitions/e", "root#/$defs/e"),
        ("e", "e"),
        ("e#/definitions/f", "e#/$defs/f"),
        // Whether there is anything is not for the conversion to say.
        ("#/definitions/missing", "#/definitions/missing"),
        ("http://example.com/other#/definitions/e", "http://example.com/other#/definitions/e"),
    ] {
        assert_eq!(converted(&schema(before))["$defs"]["g"]["$ref"], after, "{before}");
    }
    for astray in ["#/definitions", "#/definitions/a%20b%25/items", "#/$id", "#/definitions/c~1d/dependencies"] {
        assert_eq!(refused(&schema(astray)).kind.code(), "not-convertible", "{astray}");
    }
    // In a part with an `$id` a pointer begins there.
    let inner =
        json!({"items": {"$id": "part", "definitions": {"a": {"type": "null"}}, "items": {"$ref": "#/definitions/a"}}});
    assert_eq!(converted(&of(DRAFT_7, inner))["items"]["items"]["$ref"], "#/$defs/a");
}

#[test]
fn every_spelling_of_a_draft_is_known() {
    for (uri, draft) in [
        ("http://json-schema.org/draft-07/schema#", Draft::Draft7),
        ("http://json-schema.org/draft-07/schema", Draft::Draft7),
        ("https://json-schema.org/draft-07/schema#", Draft::Draft7),
        ("https://json-schema.org/draft/2019-09/schema", Draft::Draft201909),
        ("https://json-schema.org/draft/2019-09/schema#", Draft::Draft201909),
        ("http://json-schema.org/draft/2019-09/schema#", Draft::Draft201909),
    ] {
        assert_eq!(convert(&json!({"$schema": uri}).to_string()).unwrap().unwrap().draft, draft, "{uri}");
    }
    for uri in [CURRENT, "https://json-schema.org/draft/2020-12/schema#", "https://example.com/mine"] {
        assert_eq!(convert(&json!({"$schema": uri, "definitions": {}}).to_string()), Ok(None), "{uri}");
    }
    assert_eq!(convert("{\"definitions\": {}}"), Ok(None));
    assert_eq!(convert("true"), Ok(None));
    assert_eq!(convert("{"), Ok(None));
}

#[test]
fn what_cannot_be_converted_is_refused_with_its_place_and_a_way_out() {
    let ref_with = |sibling: Value| {
        let Value::Object(mut members) = sibling else { panic!() };
        members.insert("$ref".to_owned(), "#/definitions/a".into());
        json!({"definitions": {"a": true}, "items": members})
    };
    for (draft, schema, code, pointer, way_out) in [
        (DRAFT_7, ref_with(json!({"minLength": 1})), "not-convertible", "/items/minLength", "move $ref into allOf"),
        (DRAFT_7, ref_with(json!({"$id": "x"})), "not-convertible", "/items/$id", "remove it"),
        (DRAFT_7, json!({"prefixItems": [true]}), "unsupported-keyword", "/prefixItems", CURRENT),
        (
            DRAFT_7,
            json!({"items": {"unevaluatedProperties": false}}),
            "unsupported-keyword",
            "/items/unevaluatedProperties",
            CURRENT,
        ),
        (DRAFT_7, json!({"contains": true, "maxContains": 1}), "unsupported-keyword", "/maxContains", "remove it"),
        (DRAFT_7, json!({"dependentRequired": {}}), "unsupported-keyword", "/dependentRequired", "remove it"),
        (
            DRAFT_7,
            json!({"definitions": {"a": true}, "$defs": {"a": true}}),
            "not-convertible",
            "/$defs/a",
            "rename one",
        ),
        (DRAFT_7, json!({"$id": "http://example.com/a#b"}), "not-convertible", "/$id", "remove the fragment"),
        (DRAFT_7, json!({"items": {"$id": ""}}), "not-convertible", "/items/$id", "remove it"),
        (
            DRAFT_7,
            json!({"x": {"a": true}, "items": {"$ref": "#/x/a"}}),
            "not-convertible",
            "/items/$ref",
            "under definitions",
        ),
        (DRAFT_7, json!({"items": {"$schema": DRAFT_2019_09}}), "unknown-dialect", "/items/$schema", "2020-12"),
        (
            DRAFT_7,
            json!({"type": "string", "nullable": true}),
            "unsupported-keyword",
            "/nullable",
            "[\"string\", \"null\"]",
        ),
        (
            DRAFT_7,
            json!({"dependencies": {"a": ["b"], "c": {"prefixItems": []}}}),
            "unsupported-keyword",
            "/dependencies/c/prefixItems",
            CURRENT,
        ),
        (DRAFT_7, json!({"dependencies": []}), "invalid-value", "/dependencies", "expected an object"),
        (DRAFT_2019_09, json!({"prefixItems": [true]}), "unsupported-keyword", "/prefixItems", CURRENT),
        (
            DRAFT_2019_09,
            json!({"contains": true, "unevaluatedItems": false}),
            "not-convertible",
            "/unevaluatedItems",
            "remove one",
        ),
        (
            DRAFT_2019_09,
            json!({"$recursiveAnchor": true, "items": {"$id": "a", "items": {"$recursiveRef": "#"}}}),
            "not-convertible",
            "/items/items/$recursiveRef",
            "write $ref",
        ),
        (DRAFT_2019_09, json!({"items": {"$recursiveRef": "#a"}}), "invalid-value", "/items/$recursiveRef", "\"#\""),
        ("http://json-schema.org/draft-04/schema#", json!({}), "unknown-dialect", "/$schema", DRAFT_7),
        ("http://json-schema.org/draft-06/schema#", json!({}), "unknown-dialect", "/$schema", DRAFT_7),
        ("http://json-schema.org/schema#", json!({}), "unknown-dialect", "/$schema", DRAFT_7),
        (
            CURRENT,
            json!({"items": {"type": "string", "nullable": true}}),
            "unsupported-keyword",
            "/items/nullable",
            "null",
        ),
    ] {
        let error = refused(&of(draft, schema.clone()));
        assert_eq!((error.kind.code(), &*error.pointer), (code, pointer), "{schema}: {error}");
        assert!(error.to_string().contains(way_out), "{way_out} in {error}");
    }
    // Without a draft: that it is of an older one shows.
    for (schema, pointer) in [
        (json!({"items": [true]}), "/items"),
        (json!({"not": {"additionalItems": false}}), "/not/additionalItems"),
        (json!({"dependencies": {}}), "/dependencies"),
    ] {
        let error = refused(&schema);
        assert_eq!((error.kind.code(), &*error.pointer), ("unsupported-keyword", pointer));
        assert!(error.to_string().contains(DRAFT_7), "{error}");
        assert!(convert(&of(DRAFT_7, schema).to_string()).is_ok(), "the way out");
    }
    // Where null is allowed, `nullable` says nothing more.
    for schema in [json!({"type": ["string", "null"], "nullable": true}), json!({"type": "string", "nullable": false})]
    {
        assert_eq!(convert(&schema.to_string()), Ok(None));
    }
}

#[test]
fn nothing_but_the_keywords_is_touched() {
    let schema = format!(
        r#"{{"$schema": "{DRAFT_7}", "const": [1.10, 1e2, 0.1000000000000000055, "\u00e4\ud800"], "x\ty": {{"b": 1, "a": 2}}}}"#
    );
    let text = convert(&schema).unwrap().unwrap().text;
    let expected = format!(
        r#"{{"$schema":"{CURRENT}","const":[1.10, 1e2, 0.1000000000000000055, "\u00e4\ud800"],"x\ty":{{"b": 1, "a": 2}}}}"#
    );
    assert_eq!(text, expected);
}

/// Schemas as generators write them (`fixtures/older_drafts.mjs`): the crate `jsonschema` finds the same under the old draft.
#[test]
fn what_generators_write_is_converted() {
    let schemas: Map<String, Value> = serde_json::from_str(include_str!("fixtures/older_drafts.json")).unwrap();
    let row = json!({
        "day": "2026-11-20", "price": 1.5, "count": 1, "kind": "a", "version": 2, "pair": ["a", 1, true], "extra": {"x": 1},
    });
    let row_of_valibot = json!({
        "day": "2026-11-20", "price": null, "kind": "b", "version": 2, "pair": ["a", 1], "rest": ["a", true], "extra": {},
    });
    let category = json!({"name": "a", "children": [{"name": "b", "children": []}]});
    let pair = json!(["a", {"x": 1}]);
    for (name, schema) in schemas {
        let good = match &*name {
            "zod4_rows" | "zod3_rows" => json!([row]),
            "valibot_rows" => json!([row_of_valibot]),
            "zod4_category" | "zod3_named" | "valibot_category" | "typebox_node" => category.clone(),
            "zod3_definitions" => json!([{"a": pair, "b": pair}]),
            "zod3_pointers" => json!({"pair": pair, "again": pair, "x": {"x": 2}}),
            "zod3_2019" => json!({"a": "a", "pair": pair}),
            "typebox_tuple" => json!([["a", 1]]),
            "zod3_openapi" => {
                assert_eq!(refused(&schema).pointer, "/properties/a/nullable");
                continue;
            }
            other => panic!("what fits {other}?"),
        };
        let (new, old) = (converted(&schema).to_string(), jsonschema::validator_for(&schema).unwrap());
        assert!(fits(&new, &good.to_string()) && old.is_valid(&good), "{name}: {new}");
        for bad in spoiled(&good) {
            assert_eq!(fits(&new, &bad.to_string()), old.is_valid(&bad), "{name}: {bad} against {new}");
        }
    }
}

/// The value with each of its parts replaced by something else, and without it.
fn spoiled(value: &Value) -> Vec<Value> {
    let mut all = vec![json!(null), json!(7.25), json!("2026-11-20"), json!([]), json!({})];
    match value {
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                let with = |new: &[Value]| [&elements[..at], new, &elements[at + 1..]].concat().into();
                all.extend(spoiled(element).into_iter().map(|new| with(&[new])));
                all.push(with(&[]));
                all.push(with(&[element.clone(), element.clone()]));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                for new in spoiled(member) {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), new);
                    all.push(Value::Object(changed));
                }
                let mut fewer = members.clone();
                fewer.remove(name);
                all.push(Value::Object(fewer));
            }
            let mut more = members.clone();
            more.insert("more".to_owned(), json!(1));
            all.push(Value::Object(more));
        }
        _ => {}
    }
    all
}

/// Schemas of an older draft with all of its keywords, and definitions that any of their parts may refer to.
fn older(draft: Draft) -> impl Strategy<Value = Value> {
    (subschema(draft), subschema(draft), subschema(draft), any::<bool>()).prop_map(move |(root, a, b, recursive)| {
        let (uri, definitions) = match draft {
            Draft::Draft7 => (DRAFT_7, "definitions"),
            Draft::Draft201909 => (DRAFT_2019_09, "$defs"),
        };
        let mut root = match root {
            // What stands beside a reference in draft 7 is not looked at.
            Value::Object(root) if !root.contains_key("$ref") => root,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        if draft == Draft::Draft201909 && recursive {
            root.insert("$recursiveAnchor".to_owned(), true.into());
        }
        root.insert("$schema".to_owned(), uri.into());
        root.insert(definitions.to_owned(), json!({"a": a, "b": b, "c": {"$ref": "#"}}));
        Value::Object(root)
    })
}

fn subschema(draft: Draft) -> impl Strategy<Value = Value> {
    let references = match draft {
        Draft::Draft7 => vec![
            "#",
            "#/definitions/a",
            "#/definitions/b",
            "#/definitions/a/items/0",
            "#/definitions/b/additionalItems",
            "#/definitions/a/dependencies/a",
            "#/items/0",
        ],
        Draft::Draft201909 => vec!["#", "#/$defs/a", "#/$defs/b", "#/$defs/a/items/0", "#/$defs/b/additionalItems"],
    };
    let reference = (select(references), any::<bool>()).prop_map(move |(target, recursive)| match draft {
        Draft::Draft201909 if recursive => json!({"$recursiveRef": "#"}),
        _ => json!({"$ref": target, "title": "kept"}),
    });
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::Bool),
        6 => keywords(old_assertion(draft)),
        2 => reference,
    ];
    leaf.prop_recursive(3, 24, 3, move |inner| {
        keywords(prop_oneof![old_assertion(draft), applicator(draft, inner)].boxed())
    })
}

fn keywords(keyword: impl Strategy<Value = (&'static str, Value)>) -> impl Strategy<Value = Value> {
    prop::collection::vec(keyword, 0..4)
        .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

fn old_assertion(draft: Draft) -> BoxedStrategy<(&'static str, Value)> {
    let newer = ["minContains", "maxContains", "dependentRequired"];
    assertion().prop_filter("newer", move |(name, _)| draft != Draft::Draft7 || !newer.contains(name)).boxed()
}

fn applicator(
    draft: Draft,
    inner: impl Strategy<Value = Value> + Clone + 'static,
) -> BoxedStrategy<(&'static str, Value)> {
    let mut one = vec![
        "items",
        "additionalItems",
        "additionalItems",
        "contains",
        "additionalProperties",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
    ];
    let mut maps = vec!["properties"];
    if draft == Draft::Draft201909 {
        one.extend(["unevaluatedItems", "unevaluatedProperties"]);
        maps.push("dependentSchemas");
    }
    let list = || prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array);
    let patterns = select(vec!["^a", "b", "."]);
    let names = prop::collection::btree_set(name(), 0..3).prop_map(|names| json!(names));
    let dependency = prop_oneof![names, inner.clone()];
    let dependencies = prop::collection::vec((name(), dependency), 0..3);
    let dependencies = dependencies.prop_map(|all| ("dependencies", Value::Object(all.into_iter().collect())));
    let many = prop_oneof![
        4 => (select(one), inner.clone()),
        3 => (select(vec!["allOf", "anyOf", "oneOf"]), list()),
        3 => list().prop_map(|list| ("items", list)),
        3 => (select(maps), members(inner.clone()).prop_map(Value::Object)),
        1 => (patterns, inner).prop_map(|(pattern, schema)| ("patternProperties", json!({pattern: schema}))),
    ];
    match draft {
        Draft::Draft7 => prop_oneof![5 => many, 1 => dependencies].boxed(),
        Draft::Draft201909 => many.boxed(),
    }
}

/// Whether both find the same of each value; what is refused is not compared.
fn agree(schema: &Value, instances: &[Value]) -> Result<(), TestCaseError> {
    let new = match convert(&schema.to_string()) {
        Ok(converted) => {
            let new = converted.expect("it is of an older draft").text;
            prop_assert_eq!(convert(&new), Ok(None), "once is enough: {}", new);
            new
        }
        Err(error) => {
            prop_assert_eq!(error.kind.code(), "not-convertible", "{}", error);
            return Ok(());
        }
    };
    match compile(&new) {
        Ok(compiled) => {
            let old = jsonschema::validator_for(schema).unwrap();
            for instance in instances {
                let valid = compiled.validate(&instance.to_string(), 5).is_ok();
                prop_assert_eq!(valid, old.is_valid(instance), "{} against {}, before {}", instance, new, schema);
            }
        }
        Err(error) if error.kind.code() == "unresolved-reference" => {
            // It led nowhere before.
            let after: Value = serde_json::from_str(&new).unwrap();
            let reference = after.pointer(&error.pointer).unwrap().as_str().unwrap();
            let before = reference.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
            prop_assert_eq!(before, None, "{}: {}", schema, error);
        }
        // The other one may never come back from these.
        Err(error) => prop_assert_eq!(error.kind.code(), "endless-reference", "{}: {}", new, error),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn draft_7_fits_the_same_values(schema in older(Draft::Draft7), instances in prop::collection::vec(instance(), 6)) {
        agree(&schema, &instances)?;
    }

    #[test]
    fn draft_2019_09_fits_the_same_values(
        schema in older(Draft::Draft201909),
        instances in prop::collection::vec(instance(), 6),
    ) {
        agree(&schema, &instances)?;
    }

    #[test]
    fn no_text_makes_it_panic(schema in "[\\[\\]{}:,\"\\\\ $a-z0-9.eE+/#~%-]{0,40}", pointer in "\\PC{0,20}") {
        let _ = convert(&schema);
        let _ = convert(&json!({"$schema": DRAFT_7, "$id": schema, "items": {"$ref": format!("#/{pointer}")}}).to_string());
        let _ = convert(&json!({"$schema": DRAFT_7, pointer.clone(): {"$ref": format!("#/{pointer}")}}).to_string());
    }
}
