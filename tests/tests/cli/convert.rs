//! CSV and JSON Lines on the command line.

use lastgood_tests::{TestFeed, tree};
use serde_json::{Value, json};

/// What is published of `rows`.
fn payload(feed: &TestFeed) -> Value {
    serde_json::from_slice(&feed.read("rows.json")).unwrap()
}

#[test]
fn the_extension_tells_the_format() {
    let csv = "id,price,note\n1,1.50,\"a, b\"\n2,,\n";
    let rows = json!([{"id": 1, "price": 1.5, "note": "a, b"}, {"id": 2, "price": null, "note": null}]);
    for (name, input) in [
        ("r.csv", csv.to_owned()),
        ("R.CSV", format!("\u{feff}{}", csv.replace('\n', "\r\n"))),
        ("r.tsv", "id\tprice\tnote\n1\t1.50\ta, b\n2\t\t\n".to_owned()),
        (
            "r.jsonl",
            "{\"id\":1,\"price\":1.50,\"note\":\"a, b\"}\n{\"id\":2,\"price\":null,\"note\":null}\n".to_owned(),
        ),
        (
            "r.ndjson",
            "{\"id\":1,\"price\":1.50,\"note\":\"a, b\"}\r\n{\"id\":2,\"price\":null,\"note\":null}".to_owned(),
        ),
        ("r.data", rows.to_string()),
    ] {
        let feed = TestFeed::new();
        let report = feed.run(&["publish", &format!("rows={}", feed.input(name, &input)), "--json"]).expect(0).json();
        assert_eq!(report["datasets"][0]["rows"], 2, "{name}");
        assert_eq!(payload(&feed), rows, "{name}");
        feed.expect_clean();
    }
}

#[test]
fn an_option_tells_the_format() {
    let feed = TestFeed::new();
    feed.run_with(&["publish", "rows", "--format", "csv", "--delimiter", ";"], "a;b\n1;x,y\n").expect(0);
    assert_eq!(payload(&feed), json!([{"a": 1, "b": "x,y"}]));
    feed.run_with(&["publish", "rows", "--format", "jsonl"], "1\n2\n").expect(0);
    assert_eq!(payload(&feed), json!([1, 2]));
    let name = feed.input("really.csv", "[3]");
    feed.run(&["publish", &format!("rows={name}"), "--format", "json"]).expect(0);
    assert_eq!(payload(&feed), json!([3]));
    let name = feed.input("semicolons.tsv", "a;b\n1;2\n");
    feed.run(&["publish", &format!("rows={name}"), "--delimiter", ";"]).expect(0);
    assert_eq!(payload(&feed), json!([{"a": 1, "b": 2}]));
    feed.run_with(&["publish", "rows", "--format=csv", "--delimiter=tab"], "a\tb\n1\t2\n").expect(0);
    assert_eq!(payload(&feed), json!([{"a": 1, "b": 2}]));
    feed.expect_clean();
}

/// What is given for one wins over what is given for all, and whom it does not concern keeps his own.
#[test]
fn each_dataset_has_its_own_format() {
    let feed = TestFeed::new();
    feed.input("a.txt", ";n\n7;NA\n8;-\n");
    feed.input("b.tsv", "n\tm\nNA\t-\n");
    feed.input("c.json", "[1]");
    let publish = ["publish", "a=a.txt", "b=b.tsv", "c=c.json"];
    let given =
        "--format a=csv --delimiter a=; --unnamed a=id --null a=NA --null - --column b=n=text --column b=m=text";
    feed.run(&[&publish[..], &given.split(' ').collect::<Vec<_>>()].concat()).expect(0);
    let published = |name: &str| serde_json::from_slice::<Value>(&feed.read(name)).unwrap();
    assert_eq!(published("a.json"), json!([{"id": 7, "n": null}, {"id": 8, "n": null}]));
    assert_eq!(published("b.json"), json!([{"n": "NA", "m": null}]));
    feed.run(&[
        "publish",
        "a=a.txt",
        "b=c.json",
        "--format",
        "csv",
        "--format",
        "b=json",
        "--delimiter",
        "a=;",
        "--unnamed",
        "drop",
    ])
    .expect(0);
    assert_eq!(published("b.json"), json!([1]));
    for (given, says) in [
        ("--format a=csv --null c=NA", "--null c=…: for CSV alone, and c is not CSV"),
        ("--format a=csv --delimiter a=; --delimiter a=,", "--delimiter for a is given more than once"),
        ("--format csv --format json", "--format is given more than once"),
        ("--format d=csv", "d is not a dataset of this publish"),
        ("--format a=xls", "invalid value 'xls'"),
    ] {
        feed.run(&[&publish[..], &given.split(' ').collect::<Vec<_>>()].concat()).expect(2).says(&[says]);
    }
}

#[test]
fn types_are_given_by_name() {
    let feed = TestFeed::new();
    let input = feed.input("r.csv", "id,a=b,n\n1,2,\"\"\n2,,3\n");
    let arguments = ["publish", &format!("rows={input}"), "--column", "id=text", "--column", "a=b=float"];
    feed.run(&arguments).expect(0);
    assert_eq!(payload(&feed), json!([{"id": "1", "a=b": 2, "n": null}, {"id": "2", "a=b": null, "n": 3}]));
}

/// Nothing of the feed changes, and the refusal says to people and to machines where and what.
#[test]
fn a_bad_row_is_refused_with_its_line_and_column() {
    let feed = TestFeed::new();
    feed.publish("rows", "[1]");
    feed.input("r.csv", "id,price\n1,2.5\n\n2,abc\n");
    feed.input("short.csv", "id,price\n1\n");
    feed.input("r.jsonl", "{\"a\":1}\n{\"a\":Infinity}\n");
    let before = tree(&feed.dir());
    let price = ["publish", "rows=r.csv", "--column", "price=float"];
    let message = "error: rows: line 4, column price: expected a number, found `abc`; correct it, or publish the column as \
                   text with --column price=text";
    feed.run(&price).expect(3).says(&[message]);
    let error = feed.run(&[&price[..], &["--json"]].concat()).expect(3).json();
    assert_eq!(error["error"]["code"], "bad-value");
    assert_eq!(error["error"]["dataset"], "rows");
    assert_eq!(error["error"]["line"], 4);
    assert_eq!(error["error"]["column_name"], "price");
    assert_eq!(error["error"]["value"], "abc");
    assert_eq!(error["error"]["way_out"], "--column price=text");
    let error = feed.run(&["publish", "rows=short.csv", "--json"]).expect(3).json();
    assert_eq!((&error["error"]["code"], &error["error"]["line"]), (&json!("bad-row"), &json!(2)));
    assert_eq!((&error["error"]["column_name"], &error["error"]["value"]), (&json!("price"), &json!(null)));
    let error = feed.run(&["publish", "rows=short.csv", "--column", "x=text", "--json"]).expect(3).json();
    assert_eq!((&error["error"]["code"], &error["error"]["column_name"]), (&json!("bad-header"), &json!("x")));
    let error = feed.run(&["publish", "rows=r.jsonl", "--json"]).expect(3).json();
    assert_eq!((&error["error"]["code"], &error["error"]["pointer"]), (&json!("nan"), &json!("/1/a")));
    assert_eq!((&error["error"]["line"], &error["error"]["column"]), (&json!(2), &json!(6)));
    assert_eq!(tree(&feed.dir()), before, "the feed has changed");
    // The ways out lead out.
    feed.run(&["publish", "rows=r.csv", "--column", "price=text"]).expect(0);
    feed.run(&["publish", "rows=r.jsonl", "--nan", "null"]).expect(0);
    feed.expect_clean();
}

#[test]
fn usage() {
    let feed = TestFeed::new();
    feed.input("r.csv", "a\n1\n");
    let cases: [(&[&str], &[&str]); 11] = [
        (&["publish", "rows", "--column", "a=text"], &["--column: for CSV alone", "--format csv"]),
        (&["publish", "rows=r.csv", "--format", "json", "--delimiter", ";"], &["--delimiter: for CSV alone"]),
        (&["publish", "rows", "--unnamed", "drop"], &["--unnamed: for CSV alone", "--format csv"]),
        (&["publish", "rows", "--null", "NA", "--column", "a=text"], &["--column, --null: for CSV alone"]),
        (&["publish", "rows=r.csv", "--unnamed", ""], &["`auto`, `drop` or a name"]),
        (&["publish", "rows=r.csv", "--column", "a=number"], &["integer, float, boolean or text", "number"]),
        (&["publish", "rows=r.csv", "--column", "a"], &["COLUMN=TYPE"]),
        (&["publish", "rows=r.csv", "--column", "=text"], &["COLUMN=TYPE"]),
        (&["publish", "rows=r.csv", "--column", "a=text", "--column", "a=float"], &["--column a=…", "more than once"]),
        (&["publish", "rows=r.csv", "--delimiter", "\""], &["one ASCII character"]),
        (&["publish", "rows=r.csv", "--delimiter", "ab"], &["one ASCII character"]),
    ];
    for (arguments, texts) in cases {
        feed.run_with(arguments, "[]").expect(2).says(texts);
    }
    assert!(!feed.dir().exists());
}

/// An artifact keeps its bytes, whatever its extension.
#[test]
fn an_artifact_is_not_converted() {
    let feed = TestFeed::new();
    feed.input("r.csv", b"a\n\xff\n");
    feed.run(&["publish", "--artifact", "report=r.csv"]).expect(0);
    assert_eq!(feed.read("report.csv"), b"a\n\xff\n");
}
