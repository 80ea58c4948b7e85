//! Words for null, and columns that are text by accident.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{payload, publish, published, refused};

#[test]
fn words_for_null() {
    let input = "id,n,t\n1,NA,NA\n2,5,\"NA\"\n3,-,x\n4,,\"\"\n";
    let rows = json!([
        {"id": 1, "n": null, "t": null},
        {"id": 2, "n": 5, "t": "NA"},
        {"id": 3, "n": null, "t": "x"},
        {"id": 4, "n": null, "t": ""},
    ]);
    for options in [
        "--null NA --null -",
        "--null=NA --null=- --null ''",
        "--null NA --null=- --column n=integer",
        "--null NA --null - --column t=text",
    ] {
        let ran = published("r.csv", input, options, &rows);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    // In quotes it is text in a column of text, and null in any other; where there is nothing else, it is text.
    let quoted = "\"n\",\"t\",\"o\"\n\"1\",\"x\",\"NA\"\n\"NA\",\"NA\",\"NA\"\n";
    let rows = json!([{"n": 1, "t": "x", "o": "NA"}, {"n": null, "t": "NA", "o": "NA"}]);
    published("r.csv", quoted, "--null NA", &rows);
    published("r.csv", "q,r\n\"a\"\"b\",1\n", "--null 'a\"b'", &json!([{"q": "a\"b", "r": 1}]));
    // A word stands for itself alone.
    published("r.csv", "w\nna\n NA\nNAN\n", "--null NA", &json!([{"w": "na"}, {"w": " NA"}, {"w": "NAN"}]));
    // Each word is named where a number is expected, and published as null.
    for word in ["NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "-", "--", "\\N", "?", "#N/A"] {
        let feed = TestFeed::new();
        feed.input("r.csv", format!("id,n\n1,{word}\n2,5\n"));
        let error = refused(&feed, "r.csv", "--column n=integer", &["line 2, column n: expected an integer"]);
        let way_out = error["way_out"].as_str().unwrap();
        assert!(way_out.starts_with("--null") && error["message"].as_str().unwrap().contains(way_out), "{error}");
        publish(&feed, "r.csv", &format!("--column n=integer {way_out}")).expect(0);
        assert_eq!(payload(&feed), json!([{"id": 1, "n": null}, {"id": 2, "n": 5}]), "{word}");
    }
}

#[test]
fn a_column_that_is_text_by_accident_is_named() {
    let feed = TestFeed::new();
    feed.input("r.csv", "id,n\n1,NA\n2,5\n3,-\n4,NA\n");
    let warning = "column n is text because of `NA` on line 2; if that stands for null, --null NA --null=- makes it null and the \
                   column integer; if not, --column n=text says so";
    publish(&feed, "r.csv", "").expect(0).says(&[warning]);
    let report = publish(&feed, "r.csv", "--json").expect(0).json();
    assert_eq!(report["warnings"], json!([format!("rows: {warning}")]));
    let rows = json!([{"id": 1, "n": null}, {"id": 2, "n": 5}, {"id": 3, "n": null}, {"id": 4, "n": null}]);
    // It was published as text, and now is not: that is all that there is to say.
    let report = publish(&feed, "r.csv", "--null NA --null=- --json").expect(0).json();
    let changed = "rows: column n: text in what is published, numbers now";
    assert!(report["warnings"][0].as_str().unwrap().starts_with(changed) && report["warnings"][1] == json!(null));
    assert_eq!(publish(&feed, "r.csv", "--null NA --null=- --json").expect(0).json()["warnings"], json!([]));
    assert_eq!(payload(&feed), rows);
    assert_eq!(publish(&feed, "r.csv", "--column n=text --json").expect(0).json()["warnings"], json!([]));
    for (value, notation) in [
        ("1,5", "a number with a decimal comma"),
        ("1.234,5", "a number with separators of thousands"),
        ("1,234", "a number with a decimal comma or with a separator of thousands"),
        ("1 234", "a number with separators of thousands"),
    ] {
        let feed = TestFeed::new();
        feed.input("r.csv", format!("id;n\n1;{value}\n2;5\n3;\n"));
        let warning = format!("column n is text because of `{value}` on line 2, {notation}");
        publish(&feed, "r.csv", "--delimiter ';'").expect(0).says(&[&warning]);
        let error = refused(&feed, "r.csv", "--delimiter ';' --column n=float", &["expected a number", notation]);
        assert_eq!(error["way_out"], "--column n=text");
        let ran = publish(&feed, "r.csv", "--delimiter ';' --column n=text").expect(0);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    // Texts are no numbers.
    for column in ["1,5\nx", "NA\nNB", "NA\nNA", "1.2.3\n1.2", "2026-11-30\n-", "true\nx"] {
        let feed = TestFeed::new();
        feed.input(
            "r.csv",
            format!("id;n\n{}\n", column.lines().map(|n| format!("1;{n}")).collect::<Vec<_>>().join("\n")),
        );
        let report = publish(&feed, "r.csv", "--delimiter ';' --json").expect(0).json();
        assert_eq!(report["warnings"], json!([]), "{column}");
    }
}
