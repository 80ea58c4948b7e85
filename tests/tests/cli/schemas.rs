//! Schemas through the command: what matches is published with its schema, what does not changes nothing.

use lastgood_protocol::digest::Sha256;
use lastgood_tests::{TestFeed, tree};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{"type": "array", "items": {
    "type": "object",
    "properties": {"day": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$"}, "price": {"type": "number", "minimum": 0}},
    "required": ["day", "price"],
    "additionalProperties": false
}}
"#;
const GOOD: &str = r#"[{"day": "2026-11-20", "price": 39.5}]"#;

fn feed() -> TestFeed {
    let feed = TestFeed::new();
    feed.input("s.json", SCHEMA);
    feed.input("good.json", GOOD);
    feed
}

#[test]
fn a_payload_that_matches_is_published_with_its_schema() {
    let feed = feed();
    let ran = feed.run(&["publish", "p=good.json", "--schema", "s.json", "--schema-version", "3", "--json"]).expect(0);
    let sha256 = Sha256::of(SCHEMA.as_bytes()).to_string();
    assert_eq!(ran.json()["datasets"][0]["schema"], json!({"version": 3, "sha256": sha256}));
    let entry = &feed.manifest()["datasets"]["p"];
    assert_eq!(entry["schema"], json!({"version": 3, "sha256": sha256, "size": SCHEMA.len()}));
    assert_eq!(feed.read(&format!("objects/{sha256}.json")), SCHEMA.as_bytes(), "published to the byte");
    feed.expect_clean();
    feed.run(&["verify"]).expect(0);
}

#[test]
fn a_damaged_schema_is_found() {
    let feed = feed();
    feed.run(&["publish", "p=good.json", "--schema", "s.json"]).expect(0);
    let sha256 = Sha256::of(SCHEMA.as_bytes()).to_string();
    std::fs::write(feed.path(&format!("objects/{sha256}.json")), "{}").unwrap();
    assert!(feed.run(&["verify"]).expect(5).text().contains(&sha256));
}

#[test]
fn every_violation_is_told_with_its_place_and_nothing_is_published() {
    let feed = feed();
    feed.run(&["publish", "p=good.json", "--schema", "s.json"]).expect(0);
    let bad = r#"[{"day": "yesterday", "price": -1}, {"price": 2, "more": true}, 7]"#;
    feed.input("bad.json", bad);
    let before = tree(&feed.dir());
    let ran = feed.run(&["publish", "p=bad.json", "--schema", "p=s.json", "--json"]).expect(3);
    assert_eq!(tree(&feed.dir()), before, "the feed has changed");
    let ran = ran.says(&[
        "p does not match its schema",
        r#"at /0/day: expected a text that matches "^\\d{4}-\\d\\d-\\d\\d$", found "yesterday""#,
        "at /0/price: expected a number of at least 0, found -1 (minimum at /items/properties/price/minimum)",
        "at /1/more: expected no member of this name, found true",
        r#"at /1: expected the member "day""#,
        "at /2: expected object, found 7 (type at /items/type)",
    ]);
    let error = &ran.json()["error"];
    assert_eq!((&error["code"], &error["exit"], &error["dataset"]), (&json!("schema-invalid"), &json!(3), &json!("p")));
    assert_eq!((error["violations"].as_array().map(Vec::len), &error["more"]), (Some(5), &json!(0)));
    let first = json!({
        "pointer": "/0/price", "keyword": "minimum", "schema_pointer": "/items/properties/price/minimum",
        "expected": "a number of at least 0", "found": "-1",
    });
    assert_eq!(error["violations"][1], first);
}

#[test]
fn more_violations_than_are_listed_are_counted() {
    let feed = feed();
    let rows: Vec<Value> = (0..60).map(|_| json!(7)).collect();
    feed.input("bad.json", Value::from(rows).to_string());
    let ran = feed.run(&["publish", "p=bad.json", "--schema", "s.json", "--json"]).expect(3);
    let ran = ran.says(&["and 10 more"]);
    let error = &ran.json()["error"];
    assert_eq!((error["violations"].as_array().map(Vec::len), &error["more"]), (Some(50), &json!(10)));
}

#[test]
fn what_is_validated_is_what_is_published() {
    let feed = feed();
    feed.input("nan.json", r#"[{"day": "2026-11-20", "price": NaN}]"#);
    feed.run(&["publish", "p=nan.json", "--nan", "null", "--schema", "s.json"])
        .expect(3)
        .says(&["at /0/price: expected number, found null"]);
    feed.input("rows.csv", "day,price\n2026-11-20,39.5\n2026-11-21,-1\n");
    feed.run(&["publish", "p=rows.csv", "--schema", "s.json"])
        .expect(3)
        .says(&["at /1/price: expected a number of at least 0, found -1"]);
}

#[test]
fn a_schema_that_cannot_be_used_is_a_matter_of_configuration() {
    let feed = feed();
    feed.input("other.json", "[]");
    for (schema, problem, pointer, text) in [
        (r#"{"type": "int"}"#, "invalid-value", "/type", "found \"int\""),
        (
            r#"{"items": {"$ref": "https://example.com/s"}}"#,
            "remote-reference",
            "/items/$ref",
            "put that schema under $defs",
        ),
        (r#"{"pattern": "(?P<a>b)"}"#, "invalid-pattern", "/pattern", "ECMAScript"),
        (r#"{"$schema": "http://json-schema.org/draft-04/schema#"}"#, "unknown-dialect", "/$schema", "draft-07"),
        (r#"{"$schema": "https://example.com/mine"}"#, "unknown-dialect", "/$schema", "2020-12"),
        (r#"{"type": "string", "nullable": true}"#, "unsupported-keyword", "/nullable", r#"["string", "null"]"#),
        ("{", "not-json", "", "line 1, column 2"),
    ] {
        feed.input("x.json", schema);
        // Before the input is read: it is never asked for.
        let ran = feed.run(&["publish", "p=good.json", "--schema", "x.json", "--json"]).expect(2);
        let ran = ran.says(&[text]);
        let error = &ran.json()["error"];
        assert_eq!(error["code"], "schema-refused", "{schema}");
        assert_eq!((&error["problem"], &error["schema_pointer"]), (&json!(problem), &json!(pointer)), "{schema}");
    }
    // What the engine cannot follow is refused, too, before it overflows the stack.
    for (pattern, text) in
        [("a|".repeat(10_000), "has 10001 alternatives"), ("a".repeat(300_000), "have more than 262144 bytes")]
    {
        feed.input("x.json", json!({ "pattern": pattern }).to_string());
        feed.run(&["publish", "p=good.json", "--schema", "x.json"]).expect(2).says(&[text]);
    }
    assert!(!feed.path("manifest.json").exists());
    for (arguments, text) in [
        (&["publish", "p=good.json", "--schema", "nope.json"][..], "nope.json: cannot read the schema"),
        (&["publish", "p=good.json", "--schema", "q=s.json"], "q is not a JSON dataset of this publish"),
        (&["publish", "p=good.json", "q=other.json", "--schema", "s.json"], "write --schema NAME=s.json"),
        (&["publish", "p=good.json", "--schema", "s.json", "--schema", "p=s.json"], "given more than once"),
        (&["publish", "p=good.json", "--schema-version", "2"], "--schema"),
        (&["publish", "--artifact", "c=c.png", "--schema", "c=s.json"], "c is not a JSON dataset of this publish"),
    ] {
        feed.run(arguments).expect(2).says(&[text]);
    }
}

#[test]
fn what_is_wrong_with_the_text_of_a_schema_is_told_as_of_a_payload() {
    let feed = feed();
    let utf_16 = |bom: &[u8]| [bom, &"{}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()[..]].concat();
    for (schema, problem, (line, column), text) in [
        (&b"{\n  \"type\": \"array\",\n}\n"[..], "not-json", (3, 1), "after the comma"),
        (b"{\n \"a\": 'b'}", "not-json", (2, 7), "double quotes"),
        (b"{\n // no\n}", "not-json", (2, 2), "JSON has no comments"),
        (b"{}\n{}", "not-json", (2, 1), "a schema is one JSON value"),
        (b"", "not-json", (1, 1), "the file is empty"),
        (b" \n", "not-json", (2, 1), "the file is empty"),
        (b"{\"a\": 1", "not-json", (1, 8), "the file ends here"),
        (b"\xef\xbb\xbf{}", "byte-order-mark", (1, 1), "byte order mark"),
        (&utf_16(b"\xff\xfe"), "invalid-utf8", (1, 1), "found UTF-16"),
        (&utf_16(b""), "invalid-utf8", (1, 1), "found UTF-16"),
        (b"{\"a\": \"\xe4\"}", "invalid-utf8", (1, 8), "expected UTF-8"),
        (b"{\"minimum\":\n NaN}", "nan", (2, 2), "NaN is not JSON; write a number"),
        (b"{\"type\": \"null\",\n\"type\": \"array\"}", "duplicate-name", (2, 1), "remove one"),
        (b"$schema: x\ntype: array\n", "not-json", (1, 1), "convert YAML"),
        (b"type: array\n", "not-json", (1, 1), "convert YAML"),
    ] {
        feed.input("x.json", schema);
        let ran = feed.run(&["publish", "p=good.json", "--schema", "x.json", "--json"]).expect(2);
        let ran = ran.says(&[text, &format!("line {line}, column {column}"), "the schema is x.json"]);
        for of_payloads in ["--nan", "--allow", "--max-bytes", "at byte"] {
            assert!(!ran.stderr.contains(of_payloads), "{}", ran.stderr);
        }
        let error = &ran.json()["error"];
        assert_eq!((&error["code"], &error["problem"]), (&json!("schema-refused"), &json!(problem)), "{error}");
        assert_eq!((&error["line"], &error["column"]), (&json!(line), &json!(column)), "{error}");
    }
    // Numbers that a browser cannot hold are only compared with.
    feed.input("x.json", r#"{"items": {"properties": {"price": {"maximum": 9007199254740993}}}}"#);
    feed.run(&["publish", "p=good.json", "--schema", "x.json"]).expect(0);
    std::fs::create_dir(feed.root().join("folder")).unwrap();
    feed.run(&["publish", "p=good.json", "--schema", "folder"])
        .expect(2)
        .says(&["folder", "expected a file with a JSON Schema"]);
    feed.input("lastgood.toml", "[datasets.p]\nschema = 'x.json'\n");
    feed.input("x.json", "{\n,}");
    feed.run(&["publish", "p=good.json"]).expect(2).says(&["line 2, column 1", "x.json"]);
}

#[test]
fn a_schema_of_an_older_draft_is_published_as_the_one_that_readers_know() {
    let feed = TestFeed::new();
    let old = r##"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": {"$ref": "#/definitions/pair"},
        "definitions": {"pair": {"type": "array", "items": [{"type": "string"}, {"type": "number"}], "additionalItems": false}}}"##;
    feed.input("old.json", old);
    feed.input("p.json", r#"[["a", 1.50]]"#);
    let publish = ["publish", "p=p.json", "--schema", "old.json"];
    let text = feed.run(&publish).expect(0).text();
    assert!(text.contains("matches its schema (version 1), schema converted from draft 7"), "{text}");
    let report = feed.run(&[&publish[..], &["--json"]].concat()).expect(0).json();
    let schema = &report["datasets"][0]["schema"];
    assert_eq!((&schema["converted_from"], &report["datasets"][0]["changed"]), (&json!("draft-07"), &json!(false)));
    let published = feed.read(&format!("objects/{}.json", schema["sha256"].as_str().unwrap()));
    let expected = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": {"$ref": "#/$defs/pair"},
        "$defs": {"pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": false}},
    });
    assert_eq!(serde_json::from_slice::<Value>(&published).unwrap(), expected);
    assert_eq!(feed.run(&["cat", "p"]).expect(0).text(), r#"[["a", 1.50]]"#);
    feed.run(&["verify"]).expect(0);
    for (bad, said) in [(r#"[["a", 1, 2]]"#, "at /0/2"), (r#"[[1]]"#, "at /0/0: expected string")] {
        feed.input("bad.json", bad);
        feed.run(&["publish", "p=bad.json", "--schema", "old.json"]).expect(3).says(&[said]);
    }
    // As it stands it is of no draft that has tuples so; naming the draft is the way out that is told.
    feed.input("no-draft.json", r#"{"items": {"items": [true]}}"#);
    let stderr = feed.run(&["publish", "p=p.json", "--schema", "no-draft.json"]).expect(2).stderr;
    let way_out = r#""$schema": "http://json-schema.org/draft-07/schema#""#;
    assert!(stderr.contains(way_out), "{stderr}");
    feed.input("no-draft.json", format!(r#"{{{way_out}, "items": {{"items": [true]}}}}"#));
    feed.run(&["publish", "p=p.json", "--schema", "no-draft.json"]).expect(0);
    // What is of the present draft is published to the byte, whatever it looks like.
    feed.input("s.json", "{ \"$schema\" : \"https://json-schema.org/draft/2020-12/schema\", \"definitions\": {} }\n");
    let report = feed.run(&["publish", "p=p.json", "--schema", "s.json", "--json"]).expect(0).json();
    let schema = &report["datasets"][0]["schema"];
    assert!(schema.get("converted_from").is_none());
    assert_eq!(
        feed.read(&format!("objects/{}.json", schema["sha256"].as_str().unwrap())),
        std::fs::read(feed.root().join("s.json")).unwrap()
    );
}

#[test]
fn several_datasets_have_their_own_schemas_or_none() {
    let feed = feed();
    feed.input("numbers.json", "[1, 2]");
    feed.input("n.json", r#"{"items": {"type": "integer"}}"#);
    feed.run(&[
        "publish",
        "p=good.json",
        "n=numbers.json",
        "x=numbers.json",
        "--schema",
        "p=s.json",
        "--schema",
        "n=n.json",
    ])
    .expect(0);
    let datasets = &feed.manifest()["datasets"];
    assert_ne!(datasets["p"]["schema"]["sha256"], datasets["n"]["schema"]["sha256"]);
    assert!(datasets["x"].get("schema").is_none());
}

#[test]
fn a_schema_that_is_left_out_is_noticed_once() {
    let feed = feed();
    feed.run(&["publish", "p=good.json", "--schema", "s.json", "--schema-version", "4"]).expect(0);
    let ran = feed.run(&["publish", "p=good.json", "--json"]).expect(0);
    let text = "p was published without a schema, and it had one until now (version 4)";
    let ran = ran.says(&[text]);
    assert!(ran.json()["warnings"][0].as_str().unwrap().contains(text));
    assert!(feed.manifest()["datasets"]["p"].get("schema").is_none());
    assert_eq!(feed.run(&["publish", "p=good.json", "--json"]).expect(0).json()["warnings"], json!([]));
}

/// It would take longer than the universe has been there, in pages too.
#[test]
fn a_regular_expression_that_does_not_end_is_given_up() {
    let feed = feed();
    feed.input("x.json", r#"{"items": {"pattern": "^(a+)+$"}}"#);
    feed.input("a.json", format!("[\"aaa\", \"{}!\"]", "a".repeat(100)));
    let ran = feed.run(&["publish", "p=a.json", "--schema", "x.json", "--json"]).expect(2);
    let ran = ran.says(&["the regular expression \"^(a+)+$\" takes more than 10 s for one text of the payload"]);
    assert_eq!(ran.json()["error"]["code"], "schema-refused");
    assert!(!feed.path("manifest.json").exists());
}

/// `format` is an annotation unless it is asked for.
#[test]
fn formats_are_asserted_on_request() {
    let feed = TestFeed::new();
    // As pydantic writes an optional date.
    let schema =
        r#"{"items": {"properties": {"day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}}}"#;
    feed.input("s.json", schema);
    let publish = |options: &[&str], payload: &str| {
        feed.run_with(&[&["publish", "p", "--schema", "s.json"], options].concat(), payload)
    };
    publish(&[], r#"[{"day": "yesterday"}]"#).expect(0);
    publish(&["--assert-formats"], r#"[{"day": "2026-11-20"}, {"day": null}, {}]"#).expect(0);
    let ran = publish(&["--assert-formats", "--json"], r#"[{"day": "2026-02-29"}]"#).expect(3);
    let violation = ran.json()["error"]["violations"][0].clone();
    assert_eq!((&violation["keyword"], &violation["pointer"]), (&"format".into(), &"/0/day".into()), "{violation}");
    assert_eq!(violation["expected"], "a text of the format \"date\"");
    // What is published is the same, and readers do not assert it.
    assert_eq!(feed.run(&["cat", "p"]).expect(0).text(), r#"[{"day": "2026-11-20"}, {"day": null}, {}]"#);
    // Also as the configuration has it.
    feed.input("lastgood.toml", "[datasets.p]\nschema = 's.json'\nassert_formats = true\n");
    feed.run_with(&["publish", "p"], r#"[{"day": "yesterday"}]"#).expect(3).says(&["format \"date\""]);
    std::fs::remove_file(feed.root().join("lastgood.toml")).unwrap();
    // A format that cannot be asserted is not passed over in silence.
    feed.input("s.json", r#"{"format": "password"}"#);
    publish(&[], "\"x\"").expect(0);
    let ran = publish(&["--assert-formats", "--json"], "\"x\"")
        .expect(2)
        .says(&["\"password\" cannot be asserted", "date-time"]);
    assert_eq!(ran.json()["error"]["problem"], "unknown-format");
}
