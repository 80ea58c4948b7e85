//! Other encodings than UTF-8.

use lastgood_tests::TestFeed;
use serde_json::json;

use super::{payload, publish, refused, run};

#[test]
fn other_encodings() {
    let western = json!([{"id": 1, "city": "Köln"}, {"id": 2, "city": "München"}, {"id": 3, "city": "Besançon"}]);
    let central =
        json!([{"id": 1, "city": "Plzeň"}, {"id": 2, "city": "Košice"}, {"id": 3, "city": "Žďár nad Sázavou"}]);
    let polish = json!([{"id": 1, "city": "Łódź"}, {"id": 2, "city": "Gdańsk"}, {"id": 3, "city": "Kraków"}]);
    let cyrillic =
        json!([{"id": 1, "city": "Москва"}, {"id": 2, "city": "Санкт-Петербург"}, {"id": 3, "city": "Казань"}]);
    let japanese = json!([{"id": 1, "city": "東京"}, {"id": 2, "city": "大阪"}, {"id": 3, "city": "カタカナ"}]);
    for (rows, encoding, word) in [
        (&western, "WINDOWS-1252", "München"),
        (&western, "MACINTOSH", "München"),
        (&western, "CP850", "Köln"),
        (&central, "WINDOWS-1250", "Plzeň"),
        (&central, "ISO-8859-2", "Plzeň"),
        (&central, "CP852", "Plzeň"),
        (&polish, "WINDOWS-1250", "Łódź"),
        (&polish, "ISO-8859-2", "Łódź"),
        (&cyrillic, "WINDOWS-1251", "Москва"),
        (&cyrillic, "IBM866", "Москва"),
        (&japanese, "CP932", "東京"),
        (&japanese, "EUC-JP", "東京"),
    ] {
        let feed = TestFeed::new();
        let table: String =
            rows.as_array().unwrap().iter().map(|row| format!("{},{}\n", row["id"], row["city"])).collect();
        feed.input("utf8.csv", format!("id,city\n{table}"));
        let iconv = format!("iconv -f UTF-8 -t {encoding} utf8.csv > FILE; : NEW");
        run(&feed, &iconv, "r.csv", &[]);
        let command = format!("iconv -f {encoding} -t UTF-8");
        let error = refused(&feed, "r.csv", "", &["the likeliest first", &format!("{command} gives `")]);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("the likeliest first: {command}")), "{message}");
        assert!(rows.to_string().contains(word));
        assert_eq!(
            (&error["code"], &error["line"], &error["column_name"]),
            (&json!("invalid-utf8"), &json!(2), &json!("city"))
        );
        run(&feed, &command, "r.csv", &[]);
        publish(&feed, "new-r.csv", "").expect(0);
        assert_eq!(payload(&feed), *rows, "{encoding}");
    }
    // Wide ones, with and without a byte order mark; also JSON, as PowerShell writes it.
    let table = "id,city\n1,Köln\n2,München\n3,Besançon\n";
    for (encoding, mark) in
        [("UTF-16LE", true), ("UTF-16BE", true), ("UTF-16LE", false), ("UTF-16BE", false), ("UTF-32LE", true)]
    {
        let name = if mark { &encoding[..6] } else { encoding };
        let start = if mark { "\u{feff}" } else { "" };
        for (file, text, rows) in [("r.csv", table.to_owned(), &western), ("r.json", western.to_string(), &western)] {
            let feed = TestFeed::new();
            feed.input("utf8", format!("{start}{text}"));
            run(&feed, &format!("iconv -f UTF-8 -t {encoding} utf8 > FILE; : NEW"), file, &[]);
            let command = format!("iconv -f {name} -t UTF-8");
            refused(&feed, file, "", &[&format!("this looks like {name}"), &command]);
            run(&feed, &command, file, &[]);
            publish(&feed, &format!("new-{file}"), "").expect(0);
            assert_eq!(payload(&feed), *rows, "{encoding} {file}");
        }
    }
    // A line in another encoding does not make the others wrong.
    let feed = TestFeed::new();
    feed.input("r.csv", b"id,city\n1,K\xc3\xb6ln\n2,Gie\xc3\x9fen\n3,M\xfcnchen\n4,D\xc3\xbcren\n");
    let error = refused(&feed, "r.csv", "", &["line 4, column city", "the rest is UTF-8", "`München` in WINDOWS-1252"]);
    assert!(!error["message"].as_str().unwrap().contains("iconv"), "{error}");
}
