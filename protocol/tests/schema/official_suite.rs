//! The JSON-Schema-Test-Suite, draft 2020-12 (`suite/`, with its licence): all required tests, and the optional ones that
//! are about what is supported.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::engine::compile;

/// What is not supported, and is refused by name: the file, the description of the case and the code of the refusal.
const REFUSED: &[(&str, &str, &str)] = &[
    ("defs.json", "validate definition against metaschema", "remote-reference"),
    ("dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor", "remote-reference"),
    ("ref.json", "remote ref, containing refs itself", "remote-reference"),
    ("refRemote.json", "remote ref", "remote-reference"),
    ("refRemote.json", "fragment within remote ref", "remote-reference"),
    ("refRemote.json", "anchor within remote ref", "remote-reference"),
    ("refRemote.json", "ref within remote ref", "remote-reference"),
    ("refRemote.json", "base URI change", "remote-reference"),
    ("refRemote.json", "base URI change - change folder", "remote-reference"),
    ("refRemote.json", "base URI change - change folder in subschema", "remote-reference"),
    ("refRemote.json", "root ref in remote ref", "remote-reference"),
    ("refRemote.json", "remote ref with ref to defs", "remote-reference"),
    ("refRemote.json", "Location-independent identifier in remote ref", "remote-reference"),
    ("refRemote.json", "retrieved nested refs resolve relative to their URI not $id", "remote-reference"),
    ("refRemote.json", "remote HTTP ref with different $id", "remote-reference"),
    ("refRemote.json", "remote HTTP ref with different URN $id", "remote-reference"),
    ("refRemote.json", "remote HTTP ref with nested absolute ref", "remote-reference"),
    ("refRemote.json", "$ref to $ref finds detached $anchor", "remote-reference"),
    ("vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary", "unknown-dialect"),
    ("vocabulary.json", "ignore unrecognized optional vocabulary", "unknown-dialect"),
    (
        "dynamicRef.json",
        "A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $ref to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
        "unsupported-keyword",
    ),
    ("dynamicRef.json", "A $dynamicRef without anchor in fragment behaves identical to $ref", "unsupported-keyword"),
    (
        "dynamicRef.json",
        "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
        "unsupported-keyword",
    ),
    (
        "dynamicRef.json",
        "A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
        "unsupported-keyword",
    ),
    ("dynamicRef.json", "multiple dynamic paths to the $dynamicRef keyword", "unsupported-keyword"),
    ("dynamicRef.json", "after leaving a dynamic scope, it is not used by a $dynamicRef", "unsupported-keyword"),
    ("dynamicRef.json", "strict-tree schema, guards against misspelled properties", "unsupported-keyword"),
    ("dynamicRef.json", "tests for implementation dynamic anchor and reference link", "unsupported-keyword"),
    ("dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", "unsupported-keyword"),
    ("dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", "unsupported-keyword"),
    ("dynamicRef.json", "$dynamicRef points to a boolean schema", "unsupported-keyword"),
    ("dynamicRef.json", "$dynamicRef skips over intermediate resources - direct reference", "unsupported-keyword"),
    ("unevaluatedItems.json", "unevaluatedItems with $dynamicRef", "unsupported-keyword"),
    ("unevaluatedProperties.json", "unevaluatedProperties with $dynamicRef", "unsupported-keyword"),
];

#[derive(Deserialize)]
struct Case {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    description: String,
    data: Box<RawValue>,
    valid: bool,
}

#[test]
fn every_test_passes_or_its_schema_is_refused_by_name() {
    let mut wrong = Vec::new();
    let mut refused = BTreeSet::new();
    let mut passed = 0;
    for (file, case) in cases() {
        let expected = REFUSED.iter().find(|entry| (entry.0, entry.1) == (&file, &case.description));
        match (compile(case.schema.get()), expected) {
            (Ok(schema), None) => {
                for test in &case.tests {
                    let outcome = schema.validate(test.data.get(), 10);
                    if outcome.is_ok() == test.valid {
                        passed += 1;
                    } else {
                        wrong.push(format!("{file}: {}: {}: {outcome:?}", case.description, test.description));
                    }
                }
            }
            (Err(error), Some((_, _, code))) if error.kind.code() == *code => {
                refused.insert((file, case.description));
            }
            (Ok(_), Some(_)) => wrong.push(format!("{file}: {}: is supported now", case.description)),
            (Err(error), _) => wrong.push(format!("{file}: {}: {}: {error}", case.description, error.kind.code())),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(refused.len(), REFUSED.len(), "the table names what the suite does not have");
    assert!(passed > 1200, "only {passed} tests were found");
}

fn cases() -> Vec<(String, Case)> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/suite");
    let mut cases = Vec::new();
    for folder in [suite.clone(), suite.join("optional")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.strip_prefix(&suite).unwrap().display().to_string();
                let read: Vec<Case> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
                cases.extend(read.into_iter().map(|case| (name.clone(), case)));
            }
        }
    }
    cases
}
