//! Byte order marks.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{command_leads_out, payload, publish, published, refused, run};

#[test]
fn byte_order_marks() {
    let rows = json!([{"id": 1, "name": "a"}]);
    for start in ["\u{feff}", "\u{feff}\u{feff}", "\u{feff}\u{feff}\u{feff}"] {
        published("r.csv", format!("{start}id,name\n1,a\n"), "", &rows);
        published("r.csv", format!("{start}\"\u{feff}id\",name\n1,a\n"), "", &rows);
        published("r.tsv", format!("{start}id\tname\n1\ta\n"), "", &rows);
        published("r.jsonl", format!("{start}{{\"id\":1,\"name\":\"a\"}}\n"), "", &rows);
    }
    // Where a text has one, it stays.
    published("r.csv", "id,name\n1,a\u{feff}b\n", "", &json!([{"id": 1, "name": "a\u{feff}b"}]));
    // Two files, the first with and without the end of its last line.
    let both = json!([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]);
    for (first, second, rows) in [
        ("\u{feff}id,name\n1,a\n", "\u{feff}id,name\n2,b\n", &both),
        ("id,name\r\n1,a\r\n", "\u{feff}\"id\",\"name\"\r\n2,b\r\n", &both),
        ("\u{feff}id,name\n1,a", "\u{feff}id,name\n2,b", &both),
        ("\u{feff}id\n1", "\u{feff}id\n2", &json!([{"id": 1}, {"id": 2}])),
        ("\u{feff}id\nx\n", "\u{feff}id\ny\n", &json!([{"id": "x"}, {"id": "y"}])),
    ] {
        let feed = TestFeed::new();
        feed.input("first.csv", first);
        feed.input("second.csv", second);
        feed.input("r.csv", format!("{first}{second}"));
        let command = "{ cat FIRST; echo; tail -n +2 SECOND; } > NEW";
        let error = refused(&feed, "r.csv", "", &["a byte order mark (U+FEFF)", command]);
        assert_eq!(error["code"], "byte-order-mark");
        run(&feed, command, "r.csv", &[("FIRST", "first.csv"), ("SECOND", "second.csv")]);
        publish(&feed, "new-r.csv", "").expect(0);
        assert_eq!(payload(&feed), *rows);
    }
    for input in ["id,\u{feff}name\n1,a\n", "id,name\n1,\u{feff}a\n", "id,name\n1,\"\u{feff}a\"\n"] {
        let command = r"sed 's/\xEF\xBB\xBF//g' FILE > NEW";
        command_leads_out("r.csv", input, command, &[], &rows);
    }
    // JSON Lines have no header, so each line starts anew.
    published("r.jsonl", "\u{feff}{\"id\":1}\n\u{feff}{\"id\":2}\n", "", &json!([{"id": 1}, {"id": 2}]));
    let feed = TestFeed::new();
    feed.input("first.jsonl", "\u{feff}{\"id\":1}");
    feed.input("second.jsonl", "\u{feff}{\"id\":2}\n");
    feed.input("r.jsonl", "\u{feff}{\"id\":1}\u{feff}{\"id\":2}\n");
    let command = "{ cat FIRST; echo; cat SECOND; } > NEW";
    refused(&feed, "r.jsonl", "", &["a byte order mark", command]);
    run(&feed, command, "r.jsonl", &[("FIRST", "first.jsonl"), ("SECOND", "second.jsonl")]);
    publish(&feed, "new-r.jsonl", "").expect(0);
    assert_eq!(payload(&feed), json!([{"id": 1}, {"id": 2}]));
}
