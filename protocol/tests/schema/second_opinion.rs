//! The same answers as the `jsonschema` crate.

use lastgood_protocol::schema::Invalid;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::engine::compile;
use crate::generated::{instance, schema};

/// The place and the words of what is wrong.
fn findings(schema: &Value, instance: &Value, limit: usize) -> (Vec<(String, &'static str, String)>, u64) {
    match compile(&schema.to_string()).unwrap().validate(&instance.to_string(), limit) {
        Ok(()) => (Vec::new(), 0),
        Err(Invalid::Violations(found)) => {
            let list = found.list.into_iter().map(|it| (it.pointer, it.keyword, it.expected + &it.found));
            (list.collect(), found.more)
        }
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn both_say_the_same(schema in schema(), instances in prop::collection::vec(instance(), 4)) {
        match compile(&schema.to_string()) {
            Ok(compiled) => {
                let second = jsonschema::draft202012::new(&schema).unwrap();
                for instance in instances {
                    let valid = compiled.validate(&instance.to_string(), 5).is_ok();
                    prop_assert_eq!(valid, second.is_valid(&instance), "{} against {}", instance, schema);
                }
            }
            // The other one may never come back from these.
            Err(error) => prop_assert_eq!(error.kind.code(), "endless-reference", "{}", error),
        }
    }

    #[test]
    fn an_array_is_the_same_by_elements_and_as_a_whole(row in schema(), rows in prop::collection::vec(instance(), 0..5)) {
        // Only the first of the two lets the elements be looked at one by one.
        let by_elements = json!({"minItems": 2, "items": row, "$defs": row.get("$defs")});
        let whole = json!({"minItems": 2, "items": row, "$defs": row.get("$defs"), "allOf": [true]});
        if compile(&by_elements.to_string()).is_ok() {
            let rows = Value::Array(rows);
            let (mut by_elements, mut whole) = (findings(&by_elements, &rows, 100), findings(&whole, &rows, 100));
            by_elements.0.sort();
            whole.0.sort();
            prop_assert_eq!(by_elements, whole);
        }
    }

    #[test]
    fn the_limit_decides_what_is_listed_and_nothing_else(schema in schema(), instance in instance(), limit in 0..3_usize) {
        if compile(&schema.to_string()).is_ok() {
            let (all, none) = findings(&schema, &instance, usize::MAX);
            let (listed, more) = findings(&schema, &instance, limit);
            prop_assert_eq!(none, 0);
            prop_assert_eq!(&listed[..], &all[..all.len().min(limit)]);
            prop_assert_eq!(listed.len() as u64 + more, all.len() as u64);
        }
    }

    #[test]
    fn violations_point_to_what_is_there(schema in schema(), instance in instance()) {
        if let Ok(compiled) = compile(&schema.to_string())
            && let Err(Invalid::Violations(found)) = compiled.validate(&instance.to_string(), 100)
        {
            for violation in found.list {
                let shown = violation.found.trim_end_matches('…');
                let value = instance.pointer(&violation.pointer).map(ToString::to_string);
                // What breaks `propertyNames` is the name.
                let is_name = violation.pointer.ends_with(shown.trim_matches('"'));
                prop_assert!(value.is_some_and(|value| value.starts_with(shown) || is_name), "{}", violation);
                prop_assert!(schema.pointer(&violation.schema_pointer).is_some(), "{}", violation);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(schema in "[\\[\\]{}:,\"\\\\ $a-z0-9.eE+/#~%-]{0,40}", payload in "\\PC{0,40}") {
        let _ = compile(&schema);
        let _ = compile(&json!({"$ref": schema, "$id": payload}).to_string());
        let _ = compile("{\"items\": {\"minLength\": 2}}").unwrap().validate(&payload, 3);
        let _ = compile("{\"uniqueItems\": true}").unwrap().validate(&schema, 3);
    }
}
