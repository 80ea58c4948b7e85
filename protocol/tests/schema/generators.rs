//! Schemas as pydantic and zod write them. How they were made stands in the files beside them.

use serde_json::{Value, json};

use crate::engine::{fits, violations};

fn schema(file: &str, name: &str) -> String {
    let schemas: Value = serde_json::from_str(file).unwrap();
    schemas[name].to_string()
}

fn pydantic(name: &str) -> String {
    schema(include_str!("fixtures/pydantic.json"), name)
}

fn zod(name: &str) -> String {
    schema(include_str!("fixtures/zod.json"), name)
}

/// The value with another value at a place; the place is made if its parent is there.
fn with(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(members) => _ = members.insert(name.to_owned(), new),
        elements => elements[name.parse::<usize>().unwrap()] = new,
    }
    value
}

/// Checks that a value fits, and that each change makes it break one rule at one place.
fn expect(schema: &str, good: &Value, changes: &[(&str, Value, &str, &str)]) {
    assert_eq!(violations(schema, &good.to_string()), [], "{good}");
    for (pointer, new, at, keyword) in changes {
        let changed = with(good, pointer, new.clone());
        let found = violations(schema, &changed.to_string());
        let found: Vec<_> = found.iter().map(|found| (&*found.pointer, found.keyword)).collect();
        assert_eq!(found, [(*at, *keyword)], "{pointer} = {new}");
    }
}

fn transaction() -> Value {
    json!([{
        "at": "2026-11-20T14:39:00Z", "day": "2026-11-20",
        "account": {"id": "6f1c0b1e-0000-4000-8000-000000000000", "owner": "Ada", "site": null, "labels": {"a": "b"}},
        "side": "buy", "amount": "12.50", "quantity": 3, "rate": 0.07, "isin": "DE0001102580",
        "tags": ["x", "y"], "span": [1, 2],
    }])
}

#[test]
fn rows_of_a_pydantic_model_with_nested_models_decimals_and_literals() {
    expect(
        &pydantic("transactions"),
        &transaction(),
        &[
            ("/0/account/owner", json!(""), "/0/account/owner", "minLength"),
            ("/0/account/site", json!(""), "/0/account/site", "minLength"),
            ("/0/account/site", json!(5), "/0/account/site", "anyOf"),
            ("/0/account/labels", json!({"a": 1}), "/0/account/labels/a", "type"),
            ("/0/account", json!({"id": "x"}), "/0/account", "required"),
            ("/0/side", json!("hold"), "/0/side", "enum"),
            ("/0/amount", json!(true), "/0/amount", "anyOf"),
            ("/0/quantity", json!(0), "/0/quantity", "exclusiveMinimum"),
            ("/0/quantity", json!(2.5), "/0/quantity", "type"),
            ("/0/rate", json!(0.075), "/0/rate", "multipleOf"),
            ("/0/status", json!("Open"), "/0/status", "enum"),
            ("/0/version", json!(3), "/0/version", "const"),
            ("/0/note", json!([]), "/0/note", "anyOf"),
            ("/0/isin", json!("de0001102580"), "/0/isin", "pattern"),
            ("/0/tags", json!(["x", "x"]), "/0/tags/1", "uniqueItems"),
            ("/0/span", json!([1]), "/0/span", "minItems"),
            ("/0/span", json!([1, "2"]), "/0/span/1", "type"),
            ("/0/more", json!(1), "/0/more", "additionalProperties"),
        ],
    );
    assert!(fits(&pydantic("transactions"), "[]"));
}

#[test]
fn what_a_pydantic_model_serialises_to() {
    let schema = pydantic("serialized");
    let good = with(&with(&transaction()[0], "/status", json!("closed")), "/version", json!(2));
    let good = with(&with(&good, "/note", json!(null)), "/amount", json!("-0.50"));
    assert_eq!(violations(&schema, &good.to_string()), []);
    let found = violations(&schema, &with(&good, "/amount", json!(-0.5)).to_string());
    assert_eq!(found.iter().map(|found| found.keyword).collect::<Vec<_>>(), ["type"]);
}

#[test]
fn a_discriminated_union_of_pydantic_says_what_is_wrong_with_the_kind_that_is_meant() {
    expect(
        &pydantic("owner"),
        &json!({"pet": {"kind": "cat"}, "pets": [{"kind": "dog", "tricks": []}]}),
        &[
            ("/pet/lives", json!("nine"), "/pet/lives", "type"),
            ("/pets/0/tricks", json!([1]), "/pets/0/tricks/0", "type"),
            ("/pets/0", json!({"kind": "dog"}), "/pets/0", "required"),
            ("/pet/kind", json!("fish"), "/pet", "oneOf"),
        ],
    );
}

#[test]
fn a_recursive_model_of_pydantic() {
    let leaf = |name: &str| json!({"name": name, "children": []});
    expect(
        &pydantic("node"),
        &json!({"name": "root", "children": [{"name": "a", "children": [leaf("b")]}]}),
        &[
            ("/children/0/children/0/name", json!(1), "/children/0/children/0/name", "type"),
            (
                "/children/0/children",
                json!([leaf("1"), leaf("2"), leaf("3"), leaf("4")]),
                "/children/0/children",
                "maxItems",
            ),
        ],
    );
}

#[test]
fn rows_of_a_zod_object() {
    expect(
        &zod("rows"),
        &json!([{
            "day": "2028-02-29", "at": "2026-11-20T14:39:00.123Z", "price": 39.55, "count": 1, "kind": "a", "version": 2,
            "pair": ["x", 1, true], "extra": {"a": 1, "b": "c"},
        }]),
        &[
            ("/0/day", json!("2027-02-29"), "/0/day", "pattern"),
            ("/0/at", json!("yesterday"), "/0/at", "pattern"),
            ("/0/email", json!("nobody"), "/0/email", "pattern"),
            ("/0/price", json!(39.555), "/0/price", "multipleOf"),
            ("/0/price", json!("39.55"), "/0/price", "anyOf"),
            ("/0/count", json!(9_007_199_254_740_992_u64), "/0/count", "maximum"),
            ("/0/kind", json!("c"), "/0/kind", "enum"),
            ("/0/pair", json!(["x"]), "/0/pair", "minItems"),
            ("/0/pair", json!(["x", 1, 1]), "/0/pair/2", "type"),
            ("/0/extra", json!({"a": null}), "/0/extra/a", "type"),
            ("/0/more", json!(1), "/0/more", "additionalProperties"),
        ],
    );
    let found = violations(&zod("rows"), "[]");
    assert_eq!(found.iter().map(|found| (&*found.pointer, found.keyword)).collect::<Vec<_>>(), [("", "minItems")]);
}

#[test]
fn a_discriminated_union_and_a_recursive_object_of_zod() {
    expect(
        &zod("events"),
        &json!([{"type": "click", "x": 1, "y": 2.5}, {"type": "key", "code": "Enter"}]),
        &[
            ("/0/x", json!(null), "/0/x", "type"),
            ("/1/code", json!(""), "/1/code", "minLength"),
            ("/1/type", json!("drag"), "/1", "oneOf"),
        ],
    );
    expect(
        &zod("category"),
        &json!({"name": "a", "children": [{"name": "b", "children": []}]}),
        &[("/children/0/children", json!(null), "/children/0/children", "type")],
    );
}
