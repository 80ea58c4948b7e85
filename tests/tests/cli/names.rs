//! Names that the feed does not have, or has as something else: one answer from every command.

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

fn published() -> TestFeed {
    let feed = TestFeed::new();
    feed.input("chart.png", b"\x89PNG\0\xff");
    for round in 1..=2 {
        feed.input("p.json", format!("[{round}]"));
        feed.run(&["publish", "performance=p.json", "transactions=p.json", "--artifact", "chart=chart.png"]).expect(0);
    }
    feed
}

#[test]
fn an_unknown_dataset_is_a_mistake_in_usage_for_every_command() {
    let feed = published();
    let before = tree(&feed.dir());
    for arguments in [
        &["status", "performnace"][..],
        &["status", "performance", "performnace"],
        &["status", "performnace", "--max-age", "0s"],
        &["history", "performnace"],
        &["history", "performnace", "--limit", "1"],
        &["cat", "performnace"],
        &["cat", "performnace", "--generation", "1"],
        &["cat", "performnace", "--generation", "99"],
        &["rollback", "performnace"],
        &["rollback", "performance", "performnace"],
        &["rollback", "performnace", "--to", "1"],
        &["rollback", "performnace", "--to", "99"],
    ] {
        let ran = feed.run(&[arguments, &["--json"]].concat()).expect(2).says(&[
            "the feed has no dataset \"performnace\"; it has: chart, performance, transactions; did you mean \"performance\"?",
        ]);
        let error = &ran.json()["error"];
        assert_eq!((&error["code"], &error["exit"]), (&json!("not-found"), &json!(2)), "{arguments:?}");
        assert_eq!((&error["dataset"], &error["suggestion"]), (&json!("performnace"), &json!("performance")));
        feed.run(arguments).expect(2);
        // What is no name at all is, too.
        let arguments: Vec<&str> =
            arguments.iter().map(|it| if *it == "performnace" { "Performance" } else { it }).collect();
        feed.run(&arguments).expect(2).says(&["dataset name"]);
    }
    assert!(feed.run(&["cat", "zebra", "--json"]).expect(2).json()["error"]["suggestion"].is_null());
    assert_eq!(tree(&feed.dir()), before);
}

#[test]
fn a_generation_that_is_not_there_is_no_mistake_in_the_name() {
    let feed = published();
    feed.publish("late", "1");
    for (arguments, code) in [
        (&["cat", "performance", "--generation", "99"][..], "not-found"),
        (&["cat", "late", "--generation", "1"], "not-found"),
        (&["rollback", "performance", "--to", "99"], "not-retained"),
        (&["rollback", "late", "--to", "1"], "not-in-generation"),
    ] {
        let ran = feed.run(&[arguments, &["--json"]].concat()).expect(1);
        assert_eq!(ran.json()["error"]["code"], code, "{arguments:?}");
    }
}

#[test]
fn many_names_are_not_all_listed() {
    let feed = TestFeed::new();
    feed.input("p.json", "1");
    let inputs: Vec<String> = (0..30).map(|number| format!("d{number:02}=p.json")).collect();
    let arguments: Vec<&str> = ["publish"].into_iter().chain(inputs.iter().map(String::as_str)).collect();
    feed.run(&arguments).expect(0);
    feed.run(&["cat", "zebra"]).expect(2).says(&["d00, d01", "d19 and 10 more"]);
}

#[test]
fn an_artifact_is_a_dataset_as_others_are() {
    let feed = published();
    let bytes = b"\x89PNG\0\xff";
    assert_eq!(feed.run(&["cat", "chart"]).expect(0).stdout, bytes);
    for generation in [&[][..], &["--generation", "1"]] {
        let document = feed.run(&[&["cat", "chart", "--json"], generation].concat()).expect(0).json();
        assert_eq!(document["data_base64"], "iVBORwD/");
        assert_eq!((&document["ext"], &document["size"]), (&json!("png"), &json!(bytes.len())));
        assert_eq!(document["sha256"], feed.manifest()["datasets"]["chart"]["sha256"]);
        assert!(document.get("data").is_none());
    }
    let document = feed.run(&["cat", "performance", "--json"]).expect(0).json();
    assert_eq!(document["data"], json!([2]));
    assert!(document.get("data_base64").is_none());
    feed.run(&["status", "chart"]).expect(0);
    feed.run(&["history", "chart"]).expect(0);
    // What looks like JSON in it is none.
    feed.input("notes.txt", "[1]");
    feed.run(&["publish", "--artifact", "notes=notes.txt"]).expect(0);
    assert_eq!(feed.run(&["cat", "notes", "--json"]).expect(0).json()["data_base64"], "WzFd");
    // A schema is for JSON.
    feed.input("s.json", "{}");
    let schema = |name: &str| {
        let schema = format!("{name}=s.json");
        let arguments = ["publish", "performance=p.json", "--artifact", "chart=chart.png", "--schema", &schema];
        feed.run(&arguments)
    };
    schema("chart").expect(2).says(&["chart", "artifact", "leave it out"]);
    schema("performnace").expect(2).says(&["did you mean performance=…?"]);
    schema("performance").expect(0);
}
