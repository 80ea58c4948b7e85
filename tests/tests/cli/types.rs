//! `lastgood types`: what is printed is compiled with TypeScript. Whatever may be published under a schema must have the type.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lastgood_tests::site::workspace;
use lastgood_tests::{Ran, TestFeed};
use serde_json::{Map, Value, json};

use crate::doctor::server::Server;

/// Publishes payloads under a schema, each as a generation: so each of them is valid by it.
fn publish(feed: &TestFeed, dataset: &str, schema: &Value, payloads: &[Value]) {
    feed.input("schema.json", schema.to_string());
    for payload in payloads {
        let arguments = ["publish", dataset, "--schema", "schema.json", "--schema-version", "1"];
        feed.run_with(&arguments, payload.to_string()).expect(0);
    }
}

fn types(feed: &TestFeed, arguments: &[&str]) -> String {
    feed.run(&[&["types"], arguments].concat()).expect(0).text()
}

/// What the compiler says of a program that uses the types.
fn compile(feed: &TestFeed, types: &str, program: &str) -> Ran {
    let compiler: PathBuf = workspace().join("reader-wasm/npm/node_modules/.bin/tsc");
    assert!(compiler.exists(), "npm ci in reader-wasm/npm/ installs {}", compiler.display());
    fs::write(feed.root().join("feed.d.ts"), types).unwrap();
    feed.input("use.ts", format!("import type {{ Feed }} from './feed';\n{program}"));
    let mut command = Command::new(compiler);
    command.args(["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--module", "esnext"]);
    command.args(["--moduleResolution", "bundler", "--types", "", "feed.d.ts", "use.ts"]).current_dir(feed.root());
    Ran::of(command, b"")
}

/// The types, if they and the program are right.
#[track_caller]
fn expect_right(feed: &TestFeed, program: &str) -> String {
    let types = types(feed, &[]);
    let ran = compile(feed, &types, program);
    assert_eq!(ran.code, Some(0), "{}\n{types}\n{program}", ran.text());
    types
}

/// A schema, what is valid by it, and what is not by its type alone.
struct Case {
    schema: Value,
    valid: Vec<Value>,
    wrong: Vec<Value>,
}

fn case(schema: Value, valid: &[Value], wrong: &[Value]) -> Case {
    Case { schema, valid: valid.to_vec(), wrong: wrong.to_vec() }
}

fn cases() -> Vec<Case> {
    let node = json!({"type": "object", "required": ["children"], "properties": {
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}, "parent": {"$ref": "#"}}});
    vec![
        case(json!({"type": "string"}), &[json!("a")], &[json!(1), json!(null)]),
        case(json!({"type": "integer"}), &[json!(1)], &[json!("1")]),
        case(json!({"type": ["number", "null"]}), &[json!(1.5), json!(null)], &[json!("1")]),
        case(json!({"type": "boolean"}), &[json!(true)], &[json!(0)]),
        case(json!({"const": {"a": [1, "x", null]}}), &[json!({"a": [1, "x", null]})], &[json!({"a": [2, "x", null]})]),
        case(
            json!({"enum": ["up", "down", 3, null]}),
            &[json!("up"), json!(3), json!(null)],
            &[json!("left"), json!(4)],
        ),
        case(json!({"type": "string", "enum": ["up", 3]}), &[json!("up")], &[json!(3)]),
        case(
            json!({"type": "object", "required": ["day"], "properties": {"day": {"type": "string", "format": "date"},
                "orders": {"type": "integer", "description": "How many */ there were.\nOn that day."}, "not-a-name": true}}),
            &[json!({"day": "2026-01-01"}), json!({"day": "x", "orders": 1, "not-a-name": [{}]})],
            &[json!({}), json!({"day": 1}), json!({"day": "x", "orders": "1"})],
        ),
        case(
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}}),
            &[json!({"a": "x", "b": 1}), json!({})],
            &[json!({"b": true})],
        ),
        case(
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
            &[json!({"b": 1}), json!({})],
            &[json!({"b": "1"})],
        ),
        case(
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
            &[json!({"a": "x"}), json!({})],
            &[json!({"b": 1})],
        ),
        case(json!({"type": "object", "additionalProperties": false}), &[json!({})], &[json!({"b": 1})]),
        case(
            json!({"type": "object", "patternProperties": {"^n": {"type": "number"}}, "additionalProperties": false,
                "properties": {"a": {"type": "object", "properties": {"x": {"type": "null"}}}}}),
            &[json!({"a": {"x": null}, "n1": 1})],
            &[json!({"a": {"x": 1}})],
        ),
        case(
            json!({"type": "object", "required": ["id"], "additionalProperties": {"type": "string"}}),
            &[json!({"id": "x", "y": "z"})],
            &[json!({"y": "z"}), json!({"id": 1})],
        ),
        case(
            json!({"type": "array", "items": {"type": ["string", "null"]}}),
            &[json!(["a", null]), json!([])],
            &[json!([1])],
        ),
        case(
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "minItems": 1, "items": false}),
            &[json!(["a"]), json!(["a", 1])],
            &[json!([]), json!([1]), json!(["a", 1, 2])],
        ),
        case(
            json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
            &[json!([]), json!(["a", 1, 2])],
            &[json!(["a", "b"])],
        ),
        case(json!({"type": "array", "prefixItems": [{"type": "string"}]}), &[json!(["a", {}])], &[json!([1])]),
        case(
            json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}}]}),
            &[json!("a"), json!([1, null])],
            &[json!(1), json!(["a"])],
        ),
        case(
            json!({"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["a", "b"]}},
                "oneOf": [{"properties": {"kind": {"const": "a"}, "size": {"type": "number"}}, "required": ["size"]},
                    {"properties": {"kind": {"const": "b"}, "name": {"type": "string"}}, "required": ["name"]}]}),
            &[json!({"kind": "a", "size": 1}), json!({"kind": "b", "name": "x"})],
            &[json!({"kind": "a", "size": "1"}), json!({"kind": "c", "size": 1}), json!({"kind": "b"})],
        ),
        case(
            json!({"allOf": [{"$ref": "#/$defs/base"}, {"properties": {"b": {"type": "number"}}, "required": ["b"]}],
                "$defs": {"base": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}}),
            &[json!({"a": "x", "b": 1})],
            &[json!({"a": "x"}), json!({"b": 1}), json!({"a": "x", "b": "1"})],
        ),
        case(
            json!({"$ref": "#/$defs/node", "$defs": {"node": node}}),
            &[json!({"children": [{"children": []}], "parent": {"children": []}})],
            &[json!({"children": [{}]}), json!({"children": [], "parent": 1})],
        ),
        case(
            json!({"$id": "https://example.org/s.json", "type": "array", "items": {"$ref": "s.json#row"},
                "$defs": {"the row": {"$anchor": "row", "type": "object", "properties": {"next": {"$ref": "#/$defs/the%20row"},
                    "far": {"$ref": "other.json"}, "own": {"$ref": "https://example.org/other.json#/$defs/x"}}},
                    "other": {"$id": "other.json", "$ref": "#/$defs/x", "$defs": {"x": {"type": "number"}}}}}),
            &[json!([{"next": {"next": {}}, "far": 1, "own": 2}])],
            &[json!([{"next": 1}]), json!([{"far": "x"}]), json!([{"own": "x"}])],
        ),
        // Types say less than these schemas.
        case(json!({"type": "number", "minimum": 3, "not": {"const": 7}}), &[json!(4)], &[json!("4")]),
        case(
            json!({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}, "properties": {"a": true, "b": true}}),
            &[json!({}), json!({"a": 1, "b": 2})],
            &[json!([])],
        ),
        // They take any value of another kind than the one that they speak of.
        case(json!({"properties": {"a": {"type": "string"}}}), &[json!(1), json!({"a": "x"})], &[]),
        case(json!({"items": {"type": "string"}}), &[json!(["x"]), json!({})], &[]),
        case(json!(true), &[json!(1), json!({"a": []})], &[]),
    ]
}

fn assign(program: &mut String, dataset: &str, number: &str, value: &Value) {
    writeln!(program, "export const {number}: Feed[{dataset:?}] = {value};").unwrap();
}

#[test]
fn what_a_schema_accepts_has_its_type_and_what_is_of_another_type_has_not() {
    let feed = TestFeed::new();
    let mut program = String::new();
    for (number, Case { schema, valid, wrong }) in cases().iter().enumerate() {
        let dataset = format!("case-{number}");
        publish(&feed, &dataset, schema, valid);
        for (at, value) in valid.iter().enumerate() {
            assign(&mut program, &dataset, &format!("valid_{number}_{at}"), value);
        }
        for (at, value) in wrong.iter().enumerate() {
            // The writer refuses it, and the compiler does.
            let arguments = ["publish", &dataset, "--schema", "schema.json", "--schema-version", "1", "--dry-run"];
            feed.run_with(&arguments, value.to_string()).expect(3);
            program.push_str("// @ts-expect-error\n");
            assign(&mut program, &dataset, &format!("wrong_{number}_{at}"), value);
        }
    }
    let types = expect_right(&feed, &program);
    for text in
        ["How many *\\/ there were.", "Format: date.", "The schema says more than this type: not.", "\"not-a-name\"?:"]
    {
        assert!(types.contains(text), "{text}: {types}");
    }
    for kind in ["object", "array"] {
        let reason = format!("unknown /* the schema takes any value, because it does not say \"type\": \"{kind}\" */");
        assert!(types.contains(&reason), "{reason}: {types}");
    }
}

/// A schema drawn at random, and a value that is valid by it.
fn drawn(random: &mut fastrand::Rng, depth: usize) -> (Value, Value) {
    let kinds = if depth == 0 { 5 } else { 11 };
    match random.usize(..kinds) {
        0 => (json!({"type": "string", "format": "date"}), json!(format!("t{}", random.u8(..)))),
        1 => (json!({"type": "integer", "description": "A number."}), json!(random.i32(..))),
        2 => (json!({"type": ["boolean", "null"]}), if random.bool() { json!(true) } else { json!(null) }),
        3 => (json!({"enum": ["a", 1, null, [true]]}), json!([true])),
        4 => (json!(true), json!({"any": ["thing", 1]})),
        5 => {
            let (items, first) = drawn(random, depth - 1);
            (json!({"type": "array", "items": items}), if random.bool() { json!([first]) } else { json!([]) })
        }
        6 => {
            let (schemas, values): (Vec<Value>, Vec<Value>) = (0..3).map(|_| drawn(random, depth - 1)).unzip();
            let present = random.usize(..=3);
            let least = random.usize(..=present);
            let schema = json!({"type": "array", "prefixItems": schemas, "items": random.bool(), "minItems": least});
            (schema, json!(values[..present]))
        }
        7 => {
            let (mut properties, mut value, mut required) = (Map::new(), Map::new(), Vec::new());
            for name in ["a", "b-c", "constructor"] {
                let (schema, member) = drawn(random, depth - 1);
                properties.insert(name.to_owned(), schema);
                if random.bool() {
                    value.insert(name.to_owned(), member);
                    required.extend(random.bool().then_some(name));
                }
            }
            let mut schema = json!({"type": "object", "properties": properties, "required": required});
            if random.bool() {
                let (others, other) = drawn(random, depth - 1);
                schema["additionalProperties"] = others;
                value.insert("other".to_owned(), other);
            }
            (schema, Value::Object(value))
        }
        8 => {
            let (chosen, value) = drawn(random, depth - 1);
            (json!({"anyOf": [drawn(random, depth - 1).0, chosen]}), value)
        }
        9 => {
            let (schema, value) = drawn(random, depth - 1);
            (json!({"allOf": [schema, true]}), value)
        }
        _ => {
            let (schema, value) = drawn(random, depth - 1);
            (json!({"$id": format!("urn:{}", random.u64(..)), "$ref": "#/$defs/x", "$defs": {"x": schema}}), value)
        }
    }
}

#[test]
fn what_is_valid_by_schemas_drawn_at_random_has_their_types() {
    let seed = lastgood_tests::sample::seed();
    println!("LASTGOOD_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let feed = TestFeed::new();
    let mut program = String::new();
    for number in 0..60 {
        let (schema, value) = drawn(&mut random, 3);
        let dataset = format!("d{number}");
        publish(&feed, &dataset, &schema, std::slice::from_ref(&value));
        assign(&mut program, &dataset, &format!("d{number}"), &value);
    }
    expect_right(&feed, &program);
}

#[test]
fn every_dataset_has_a_member_and_every_name_a_place() {
    let feed = TestFeed::new();
    let text = json!({"type": "string"});
    for dataset in ["feed", "a-b", "a_b", "2026", "string", "array"] {
        publish(&feed, dataset, &text, &[json!("x")]);
    }
    feed.publish("bare", "[1]");
    feed.input("chart.png", [1, 2]);
    feed.run(&["publish", "--artifact", "chart=chart.png"]).expect(0);
    let mut program = String::new();
    for dataset in ["feed", "a-b", "a_b", "2026", "string", "array"] {
        let name = format!("n_{}", dataset.replace('-', "__"));
        assign(&mut program, dataset, &name, &json!("x"));
    }
    program.push_str("export const names: (keyof Feed)[] = ['bare', 'chart', 'feed'];\n");
    program.push_str("export const bare: unknown extends Feed['bare'] ? true : false = true;\n");
    let types = expect_right(&feed, &program);
    assert!(types.contains("without a schema") && types.contains("An artifact (.png)"), "{types}");
    // It changes when the schemas do, and not with each publish.
    feed.publish("bare", "[2]");
    assert_eq!(self::types(&feed, &[]), types);
    // Of some of them.
    let some = self::types(&feed, &["a-b"]);
    assert!(some.contains("\"a-b\": AB;") && !some.contains("bare"), "{some}");
    feed.run(&["types", "a-c"]).expect(2).says(&["did you mean \"a-b\"?"]);
    let document = feed.run(&["types", "--json", "a-b", "bare"]).expect(0).json();
    assert_eq!(document["datasets"][0], json!({"dataset": "a-b", "schema_version": 1}));
    assert_eq!(document["datasets"][1], json!({"dataset": "bare", "schema_version": null}));
    assert!(document["types"].as_str().unwrap().contains("export interface Feed"));
}

#[test]
fn what_is_served_has_the_types_of_the_directory() {
    let feed = TestFeed::new();
    publish(&feed, "series", &json!({"type": "array", "items": {"type": "number"}}), &[json!([1])]);
    let server = Server::right(&feed);
    let elsewhere = TestFeed::new();
    assert_eq!(elsewhere.run(&["types", "--url", &server.url]).expect(0).text(), types(&feed, &[]));
    assert!(!elsewhere.dir().exists());
    // What is not the schema that was published is not taken for it.
    let schema = feed.manifest()["datasets"]["series"]["schema"]["sha256"].as_str().unwrap().to_owned();
    let path = feed.path(&format!("objects/{schema}.json"));
    fs::write(&path, r#"{"type": "string"}"#).unwrap();
    feed.run(&["types"]).expect(5).says(&["is missing or damaged"]);
    fs::remove_file(&path).unwrap();
    feed.run(&["types"]).expect(5).says(&["is missing or damaged"]);
    elsewhere.run(&["types", "--url", &server.url, "--json"]).expect(1);
}
