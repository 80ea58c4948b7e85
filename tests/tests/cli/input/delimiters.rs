//! What stands between fields, and what ends lines.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{command_leads_out, option_leads_out, payload, publish, published, refused};

#[test]
fn another_delimiter_is_named() {
    let rows = json!([{"id": 1, "note": "a, b"}, {"id": 2, "note": null}]);
    for (delimiter, option, name) in [
        (";", "--delimiter ';'", "semicolons split the header and the rows into 2 columns, commas do not"),
        ("\t", "--delimiter tab", "tabs"),
        ("|", "--delimiter '|'", "vertical bars"),
    ] {
        for note in ["\"a, b\"", "a, b"] {
            for end in ["\n", "\r\n"] {
                for mark in ["", "\u{feff}"] {
                    let lines = ["id,note", &format!("1,{}", note.replace(',', "\0")), "2,"].join(end);
                    let input = lines.replace(',', delimiter).replace('\0', ",");
                    let input = format!("{mark}{input}{end}");
                    option_leads_out("r.csv", &input, &[name, "line 1:"], option, &rows);
                    published("r.csv", &input, "--delimiter auto", &rows);
                }
            }
        }
    }
    // A name with a comma, a row at fault, a comma in every row, commas in the header.
    option_leads_out(
        "r.csv",
        "id;\"price, net\"\n1;2\n",
        &["semicolons"],
        "--delimiter ';'",
        &json!([{"id": 1, "price, net": 2}]),
    );
    option_leads_out("r.csv", "id;price, net\n1;2\n", &[], "--delimiter ';'", &json!([{"id": 1, "price, net": 2}]));
    option_leads_out(
        "r.tsv",
        "id,note\n1,x\n",
        &["commas", "tabs do not"],
        "--delimiter ,",
        &json!([{"id": 1, "note": "x"}]),
    );
    let feed = TestFeed::new();
    feed.input("r.csv", "a;b\n1;2\n3\n4;5\n");
    refused(&feed, "r.csv", "", &["--delimiter ';'"]);
    refused(&feed, "r.csv", "--delimiter ';'", &["line 3, column b", "expected 2 fields"]);
    // The other way out is for a column that is meant so.
    refused(&feed, "r.csv", "", &["--delimiter , insists"]);
    publish(&feed, "r.csv", "--delimiter ,").expect(0);
    assert_eq!(payload(&feed), json!([{"a;b": "1;2"}, {"a;b": "3"}, {"a;b": "4;5"}]));
}

#[test]
fn what_is_plainly_right_is_published() {
    for input in
        ["note\nfoo; bar\nbaz; qux\n", "note\n\"a;b\"\n\"c;d\"\n", "\"a;b\"\n\"c;d\"\n", "note\nx|y\nz\n", "note\nx\n"]
    {
        let ran = published("r.csv", input, "", &{
            let lines: Vec<&str> = input.lines().map(|line| line.trim_matches('"')).collect();
            lines[1..].iter().map(|line| json!({lines[0]: line})).collect()
        });
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    published("r.csv", "a,b\n1;2,3;4\n", "", &json!([{"a": "1;2", "b": "3;4"}]));
    published("r.csv", "a,b;c\n1,2;3\n", "--delimiter ,", &json!([{"a": 1, "b;c": "2;3"}]));
    // A header alone is the empty array, whatever stands in it.
    published("r.csv", "a;b\n", "", &json!([]));
    published("r.csv", "x\n1\n", "--delimiter auto", &json!([{"x": 1}]));
    published("r.csv", "a,b\n\"1;2\",3\n", "--delimiter auto", &json!([{"a": "1;2", "b": 3}]));
    // What can be either is for the publisher to say.
    let feed = TestFeed::new();
    feed.input("r.csv", "day;net, EUR\n1;2,50\n");
    let says = "commas and semicolons split the header and the rows alike, so which of them is the delimiter cannot be told; \
                say it with --delimiter , or --delimiter ';'";
    refused(&feed, "r.csv", "--delimiter auto", &[says]);
    refused(&feed, "r.csv", "", &[says]);
    publish(&feed, "r.csv", "--delimiter ';'").expect(0);
    assert_eq!(payload(&feed), json!([{"day": 1, "net, EUR": "2,50"}]));
}

/// A setting that was right for the files of last year.
#[test]
fn a_delimiter_that_splits_nothing_is_doubted() {
    let feed = TestFeed::new();
    feed.input("r.csv", "id,city\n1,Bern\n2,Basel\n");
    feed.input("lastgood.toml", "[datasets.rows]\ndelimiter = ';'\n");
    let says = "published as one column: there are no semicolons in the header, and commas split it and the rows alike; if there \
                are to be more columns, --delimiter ,";
    publish(&feed, "r.csv", "").expect(0).says(&[says]);
    assert_eq!(payload(&feed), json!([{"id,city": "1,Bern"}, {"id,city": "2,Basel"}]));
    let ran = publish(&feed, "r.csv", "--delimiter ,").expect(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    assert_eq!(payload(&feed), json!([{"id": 1, "city": "Bern"}, {"id": 2, "city": "Basel"}]));
    // One column of text.
    feed.input("r.csv", "note\nsun, rain\nrain\n");
    let ran = publish(&feed, "r.csv", "").expect(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
}

#[test]
fn sep_is_a_delimiter() {
    let rows = json!([{"id": 1, "price": 2.5}]);
    for input in [
        "sep=,\nid,price\n1,2.5\n",
        "sep=;\r\nid;price\r\n1;2.5\r\n",
        "\u{feff}SEP=\t\nid\tprice\n1\t2.5\n",
        "sep=\\t\nid\tprice\n1\t2.5\n",
        "\"sep=,\"\nid,price\n1,2.5\n",
        "\"sep=;\";;\nid;price\n1;2.5\n",
        "sep=,,\nid,price\n1,2.5\n",
        "sep=|\nid|price\n1|2.5\n",
    ] {
        published("r.csv", input, "", &rows);
        published("r.csv", input, "--delimiter auto", &rows);
    }
    let feed = TestFeed::new();
    feed.input("r.csv", "sep=;\nid;price\n1;2.5\n");
    let error = refused(&feed, "r.csv", "--delimiter ,", &["`sep=;`", "contradicts --delimiter ,"]);
    publish(&feed, "r.csv", error["way_out"].as_str().unwrap()).expect(0);
    assert_eq!(payload(&feed), rows);
    feed.input("r.csv", "sep=;\nid;price\n1;2.5\n2;x\n");
    refused(&feed, "r.csv", "--column price=float", &["line 4, column price"]);
}

#[test]
fn ends_of_lines() {
    let rows = json!([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]);
    let command = r"tr '\r' '\n' < FILE > NEW";
    command_leads_out("r.csv", "a,b\r1,x\r2,y\r", command, &[], &rows);
    command_leads_out("r.csv", "\u{feff}a,b\r1,x\r2,y", command, &[], &rows);
    command_leads_out("r.csv", "a,b\r1,x\n2,y\r\n", r"tr '\r' '\n'", &[], &rows);
    command_leads_out("r.csv", "a,b\r\n1,x\r2,y\n", r"tr '\r' '\n'", &[], &rows);
    published("r.csv", "a,b\r\n1,x\n2,y", "", &rows);
    published("r.csv", "a,b\n1,\"x\ry\"\n", "", &json!([{"a": 1, "b": "x\ry"}]));
    let feed = TestFeed::new();
    feed.input("r.csv", "a,b\r1,x\r");
    refused(&feed, "r.csv", "", &["line 1", "carriage return alone"]);
}
