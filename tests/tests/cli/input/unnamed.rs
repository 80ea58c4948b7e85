//! Columns without a name.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{option_leads_out, payload, publish, published, refused};

#[test]
fn an_index_without_a_name_is_left_out_and_reported() {
    let rows = json!([{"a": "x"}, {"a": "y"}, {"a": "z"}]);
    for input in [
        ",a\n0,x\n1,y\n2,z\n",
        ",a\n1,x\n2,y\n3,z\n",
        "\"\",\"a\"\n\"1\",\"x\"\n\"2\",\"y\"\n\"3\",\"z\"\n",
        "\u{feff},a\r\n0,x\r\n\r\n1,y\r\n2,z\r\n",
    ] {
        let ran = published("r.csv", input, "", &rows);
        assert!(ran.text().contains("left out column 1, an index without a name"), "{}", ran.text());
        let feed = TestFeed::new();
        feed.input("r.csv", input);
        let report = publish(&feed, "r.csv", "--min-rows 3 --column a=text --json").expect(0).json();
        assert_eq!(report["datasets"][0]["left_out"], json!([{"column": 1, "counter": true}]));
        assert_eq!(report["datasets"][0]["rows"], 3);
        // Whoever gives it a name keeps it.
        publish(&feed, "r.csv", "--unnamed n --column n=text").expect(0);
        assert!(payload(&feed)[0]["n"].is_string());
    }
    published("r.csv", ",a\n", "", &json!([]));
    published("r.csv", "a\n1\n", "--unnamed drop", &json!([{"a": 1}]));
    let report =
        TestFeed::new().run_with(&["publish", "rows", "--format", "csv", "--json"], "a,b\n0,1\n").expect(0).json();
    assert_eq!(report["datasets"][0]["left_out"], json!([]));
    // Constant memory: the counter may break after more than is kept.
    let mut long = String::from(",a\n");
    (0..200_000).for_each(|row| long += &format!("{row},x\n"));
    let feed = TestFeed::new();
    feed.input("r.csv", &long);
    publish(&feed, "r.csv", "").expect(0);
    assert_eq!(payload(&feed)[199_999], json!({"a": "x"}));
    feed.input("r.csv", long + "200001,x\n");
    refused(&feed, "r.csv", "", &["line 200002 has `200001`"]);
}

#[test]
fn other_columns_without_a_name_are_refused() {
    let no_counter = ["no plain counter (0, 1, 2 … or 1, 2, 3 …)"];
    for (input, row) in [
        (",a\n2026-01-01,x\n2026-01-02,y\n", json!({"i": "2026-01-01", "a": "x"})),
        (",a\n0,x\n2,y\n", json!({"i": 0, "a": "x"})),
        (",a\n2,x\n3,y\n", json!({"i": 2, "a": "x"})),
        (",a\n0,x\n01,y\n", json!({"i": "0", "a": "x"})),
        (",a\n0,x\n,y\n", json!({"i": 0, "a": "x"})),
        (",a\n0.0,x\n1.0,y\n", json!({"i": 0.0, "a": "x"})),
        (",a\n-1,x\n0,y\n", json!({"i": -1, "a": "x"})),
        ("\"\",a\n\"Mazda RX4\",x\n\"Fiat 128\",y\n", json!({"i": "Mazda RX4", "a": "x"})),
    ] {
        option_leads_out("r.csv", input, &no_counter, "--unnamed drop", &json!([{"a": "x"}, {"a": "y"}]));
        let feed = TestFeed::new();
        feed.input("r.csv", input);
        refused(&feed, "r.csv", "", &["--unnamed NAME names it"]);
        publish(&feed, "r.csv", "--unnamed i").expect(0);
        assert_eq!(payload(&feed)[0], row);
    }
    let left = json!([{"a": 1, "b": 2}]);
    // Spreadsheets: in the rows, too, or in the header alone.
    for input in ["a,b,\n1,2,\n", "a,b,\n1,2\n", "a,b,\"\"\n1,2,3\n"] {
        option_leads_out(
            "r.csv",
            input,
            &["column 3 has no name, because the header ends with a delimiter"],
            "--unnamed drop",
            &left,
        );
    }
    for input in ["a,b,,\n1,2,,\n", "a,b,,\n1,2\n"] {
        option_leads_out("r.csv", input, &["columns 3, 4 have no names"], "--unnamed drop", &left);
    }
    option_leads_out("r.csv", "a,,b\n1,x,2\n", &["column 2 has no name in the header"], "--unnamed drop", &left);
    option_leads_out("r.csv", ",a,,b\n0,1,x,2\n", &["columns 1, 3 have no names"], "--unnamed drop", &left);
    let feed = TestFeed::new();
    feed.input("r.csv", ",a,,b\n0,1,\"x\ny\",2\n1,1,x,z\n");
    refused(&feed, "r.csv", "--unnamed i", &["--unnamed names only one"]);
    let report = publish(&feed, "r.csv", "--unnamed drop --json").expect(0).json();
    let left_out = json!([{"column": 1, "counter": false}, {"column": 3, "counter": false}]);
    assert_eq!(report["datasets"][0]["left_out"], left_out);
    // Lines are counted on in what is left out.
    refused(&feed, "r.csv", "--unnamed drop --column b=integer", &["line 4, column b"]);
    feed.input("r.csv", "\"\"\n1\n2\n");
    refused(&feed, "r.csv", "", &["the only column has no name", "--unnamed NAME names it"]);
    publish(&feed, "r.csv", "--unnamed n").expect(0);
    assert_eq!(payload(&feed), json!([{"n": 1}, {"n": 2}]));
    refused(&feed, "r.csv", "--unnamed drop", &["the only column has no name"]);
    feed.input("r.csv", ",\na,b\n1,2\n");
    refused(&feed, "r.csv", "", &["found a row of empty fields"]);
    feed.input("r.csv", ",a\nx,1\n");
    refused(&feed, "r.csv", "--unnamed a", &["two columns of this name"]);
    feed.input("r.csv", "\"a\",\"b\"\n\"1\",1,\"x\"\n\"2\",2,\"y\"\n");
    refused(&feed, "r.csv", "", &["line 2", "R's write.table", "col.names = NA"]);
}
