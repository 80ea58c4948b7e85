//! Schemas and instances to try.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Every kind of value, from few names and few texts so that they meet those of the schemas.
pub(crate) fn instance() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            members(inner).prop_map(Value::Object),
        ]
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3..6_i64).prop_map(Value::from),
        (-6..12_i32).prop_map(|quarters| json!(f64::from(quarters) / 4.0)),
        text().prop_map(Value::from),
    ]
}

fn text() -> impl Strategy<Value = &'static str> {
    select(vec!["", "a", "b", "ab", "abc", "ä", "\u{1f600}x", "b\n"])
}

pub(crate) fn members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), inner), 0..4).prop_map(|members| members.into_iter().collect())
}

pub(crate) fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "ab", "ä"]).prop_map(str::to_owned)
}

/// Schemas with all keywords, and two definitions that any of their parts may refer to.
pub(crate) fn schema() -> impl Strategy<Value = Value> {
    (subschema(), subschema(), subschema()).prop_map(|(root, a, b)| match root {
        Value::Object(mut root) => {
            root.insert("$defs".to_owned(), json!({"a": a, "b": b}));
            Value::Object(root)
        }
        // A boolean schema has no definitions.
        other => json!({"allOf": [other], "$defs": {"a": a, "b": b}}),
    })
}

fn subschema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::Bool),
        6 => keywords(assertion()),
        2 => select(vec!["#/$defs/a", "#/$defs/b"]).prop_map(|target| json!({"$ref": target})),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| keywords(prop_oneof![assertion(), applicator(inner)].boxed()))
}

fn keywords(keyword: impl Strategy<Value = (&'static str, Value)>) -> impl Strategy<Value = Value> {
    prop::collection::vec(keyword, 0..4)
        .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

pub(crate) fn assertion() -> BoxedStrategy<(&'static str, Value)> {
    let types = || select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let number = || (-4..10_i32).prop_map(|halves| json!(f64::from(halves) / 2.0));
    let count = || (0..4_u32).prop_map(Value::from);
    prop_oneof![
        types().prop_map(|name| ("type", json!(name))),
        prop::collection::btree_set(types(), 1..4).prop_map(|names| ("type", json!(names))),
        prop::collection::vec(instance(), 0..4).prop_map(|values| ("enum", json!(values))),
        instance().prop_map(|value| ("const", value)),
        (select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]), number()),
        select(vec![0.25, 0.5, 1.0, 2.0, 3.0]).prop_map(|divisor| ("multipleOf", json!(divisor))),
        (select(vec!["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]), count()),
        (select(vec!["minContains", "maxContains"]), count()),
        select(vec!["^a", "b$", "^[a-c]*$", "a|ä", "^.$"]).prop_map(|pattern| ("pattern", json!(pattern))),
        any::<bool>().prop_map(|unique| ("uniqueItems", json!(unique))),
        prop::collection::btree_set(name(), 0..3).prop_map(|names| ("required", json!(names))),
        (name(), prop::collection::btree_set(name(), 0..3))
            .prop_map(|(name, needed)| ("dependentRequired", json!({name: needed}))),
    ]
    .boxed()
}

fn applicator(inner: impl Strategy<Value = Value> + Clone + 'static) -> BoxedStrategy<(&'static str, Value)> {
    const ONE: [&str; 11] = [
        "items",
        "contains",
        "additionalProperties",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
        "if",
    ];
    let list = || prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array);
    let patterns = select(vec!["^a", "b", "."]);
    prop_oneof![
        4 => (select(ONE.to_vec()), inner.clone()),
        3 => (select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]), list()),
        3 => (select(vec!["properties", "dependentSchemas"]), members(inner.clone()).prop_map(Value::Object)),
        1 => (patterns, inner.clone()).prop_map(|(pattern, schema)| ("patternProperties", json!({pattern: schema}))),
    ]
    .boxed()
}
