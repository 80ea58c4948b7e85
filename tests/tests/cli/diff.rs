//! `lastgood diff`

use std::fs;

use lastgood_tests::TestFeed;
use serde_json::json;

fn site() -> TestFeed {
    let feed = TestFeed::new();
    feed.input("one.schema.json", r#"{"type": "array"}"#);
    feed.input("two.schema.json", r#"{"minItems": 1}"#);
    feed.publish("same", "[1]");
    feed.run_with(&["publish", "rows", "--schema", "one.schema.json"], r#"[{"id":1,"old":null},{"id":2,"n":1}]"#)
        .expect(0);
    feed.input("chart.png", [0; 10]);
    feed.run(&["publish", "--artifact", "chart=chart.png"]).expect(0);
    let schema = ["--schema", "two.schema.json", "--schema-version", "2"];
    feed.run_with(&[&["publish", "rows"], &schema[..]].concat(), r#"[{"id":"1","new":2},{"n":null},{"n":3}]"#)
        .expect(0);
    feed
}

#[test]
fn what_differs_between_two_generations_is_told() {
    let feed = site();
    let report = feed.run(&["diff", "2", "4", "--json"]).expect(0).json();
    assert_eq!((&report["from"], &report["to"]), (&json!(2), &json!(4)));
    let of = |name: &str| {
        let datasets = report["datasets"].as_array().unwrap();
        datasets.iter().find(|dataset| dataset["dataset"] == name).unwrap().clone()
    };
    let rows = of("rows");
    assert_eq!(rows["change"], "changed");
    assert_eq!((&rows["from"]["rows"], &rows["to"]["rows"]), (&json!(2), &json!(3)));
    assert_eq!((&rows["from"]["schema_version"], &rows["to"]["schema_version"]), (&json!(1), &json!(2)));
    assert_eq!((&rows["added_keys"], &rows["removed_keys"]), (&json!(["new"]), &json!(["old"])));
    assert_eq!(rows["changed_keys"], json!([{"key": "id", "from": "number", "to": "text"}]));
    assert_eq!(of("same")["change"], "same");
    assert_eq!((&of("chart")["change"], &of("chart")["from"]), (&json!("added"), &json!(null)));
    let back = feed.run(&["diff", "4", "2", "--dataset", "chart", "--json"]).expect(0).json();
    assert_eq!((back["datasets"].as_array().unwrap().len(), &back["datasets"][0]["change"]), (1, &json!("removed")));

    let text = feed.run(&["diff", "2"]).expect(0).text();
    for line in [
        "generation 2 -> 4",
        "chart  added",
        "same   unchanged",
        "rows   changed, 36 B -> 39 B, rows 2 -> 3, schema version 1 -> 2",
        "+ new",
        "- old",
        "~ id: number -> text",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_cannot_be_compared_is_said() {
    let feed = site();
    feed.run(&["diff", "9"]).expect(1).says(&["generation 9 is not retained"]);
    feed.run(&["diff", "1", "--dataset", "row"]).expect(2).says(&["did you mean \"rows\"?"]);
    feed.run(&["diff", "x"]).expect(2);
    let sha256 = feed.manifest()["datasets"]["rows"]["sha256"].as_str().unwrap().to_owned();
    fs::write(feed.path(&format!("objects/{sha256}.json")), "[]").unwrap();
    feed.run(&["diff", "2"]).expect(5).says(&[&sha256]);
    TestFeed::new().run(&["diff", "1"]).expect(1).says(&["no feed"]);
}
