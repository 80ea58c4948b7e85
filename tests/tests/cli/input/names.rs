//! JSON, JSON Lines and CSV under the name of another.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{option_leads_out, payload, publish, refused, run};

#[test]
fn json_under_another_name() {
    let rows = json!([{"a": 1}, {"a": 2}]);
    for input in [
        "{\"a\":1}\n{\"a\":2}\n",
        "{\"a\":1}\r\n{\"a\":2}\r\n",
        "\n{\"a\":1}\n\n \n{\"a\":2}",
        "{\"a\":1}\n  {\"a\":2}\n",
    ] {
        option_leads_out("r.json", input, &["this looks like JSON Lines"], "--format jsonl", &rows);
        option_leads_out("r.csv", input, &["this looks like JSON Lines"], "--format jsonl", &rows);
        let feed = TestFeed::new();
        feed.run_with(&["publish", "rows"], input).expect(3).says(&["--format jsonl"]);
        feed.run_with(&["publish", "rows", "--format", "jsonl"], input).expect(0);
        assert_eq!(payload(&feed), rows);
    }
    option_leads_out("r.json", "1\n2\n", &[], "--format jsonl", &json!([1, 2]));
    option_leads_out("r.json", "[1]\n[2]\n", &[], "--format jsonl", &json!([[1], [2]]));
    // Lines that are longer than what is looked at.
    let long = "x".repeat(100_000);
    let lines = format!("{{\"a\":\"{long}\"}}\n{{\"a\":2}}\n");
    option_leads_out("r.json", lines, &["JSON Lines"], "--format jsonl", &json!([{"a": long}, {"a": 2}]));
    option_leads_out("r.jsonl", "[\n{\"a\":1},\n{\"a\":2}\n]\n", &["looks like JSON:"], "--format json", &rows);
    option_leads_out("r.csv", "[\n{\"a\":1},\n{\"a\":2}\n]\n", &["looks like JSON:"], "--format json", &rows);
    // What is neither.
    for (file, new) in [("r.json", "r.json"), ("r.jsonl", "r.jsonl"), ("r.csv", "r.csv")] {
        let feed = TestFeed::new();
        feed.input(file, "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n");
        let command = "jq -s . FILE > NEW";
        refused(&feed, file, "", &["several JSON documents", "no JSON Lines", command]);
        run(&feed, command, file, &[]);
        publish(&feed, &format!("new-{new}"), "--format json").expect(0);
        assert_eq!(payload(&feed), rows);
    }
    let feed = TestFeed::new();
    feed.input("r.json", "{\"a\":1}\nDone.\n");
    let error = refused(&feed, "r.json", "", &[]);
    assert!(!error["message"].as_str().unwrap().contains("JSON Lines"), "{error}");
    // CSV.
    let table = json!([{"id": 1, "name": "a"}]);
    option_leads_out("r.json", "id,name\n1,a\n", &["looks like CSV"], "--format csv", &table);
    option_leads_out("r.json", "\"id\",\"name\"\n1,\"a\"\n", &["looks like CSV"], "--format csv", &table);
    option_leads_out("r.data", "id;name\n1;a\n", &["looks like CSV"], "--format csv --delimiter auto", &table);
}
