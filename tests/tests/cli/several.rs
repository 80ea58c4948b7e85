//! Several datasets in one call: options for one of them, and all that is wrong with any of them.

use lastgood_tests::{TestFeed, tree};
use serde_json::json;

/// Options with NAME= in front are for that dataset; without, for all.
#[test]
fn an_option_with_the_name_of_a_dataset_is_for_that_one_alone() {
    let feed = TestFeed::new();
    feed.input("sales.csv", "id,day\n007,1\n008,2\n");
    feed.input("items.csv", "id,day\n1,2\n2,1\n");
    let both = ["publish", "sales=sales.csv", "items=items.csv"];
    let publish = |options: &[&str]| feed.run(&[&both[..], options].concat());
    publish(&["--column", "sales=id=text", "--column", "day=text"]).expect(0);
    assert_eq!(
        feed.run(&["cat", "sales"]).text(),
        "[\n{\"id\":\"007\",\"day\":\"1\"},\n{\"id\":\"008\",\"day\":\"2\"}\n]"
    );
    assert_eq!(feed.run(&["cat", "items"]).text(), "[\n{\"id\":1,\"day\":\"2\"},\n{\"id\":2,\"day\":\"1\"}\n]");
    // What is given for one wins over what is given for all.
    publish(&["--column", "items=id=integer", "--column", "id=text"]).expect(0);
    assert!(feed.run(&["cat", "items"]).text().contains("{\"id\":1,"));

    publish(&["--time-column", "sales=day"]).expect(0);
    publish(&["--time-column", "day"]).expect(3).says(&["items: guard time_column"]);
    publish(&["--min-rows", "items=3"])
        .expect(3)
        .says(&["items: guard min_rows: expected an array of at least 3 rows"]);
    publish(&["--min-rows", "3", "--min-rows", "items=2"]).expect(3).says(&["sales: guard min_rows"]);
    publish(&["--max-shrink", "sales=0%"]).expect(0);
    publish(&["--require-meta", "sales=run"]).expect(3).says(&["sales: guard require_meta"]);
    publish(&["--require-meta", "sales=run", "--meta", "sales=run=7", "--meta", "model=x=y"]).expect(0);
    let datasets = feed.manifest()["datasets"].clone();
    assert_eq!(datasets["sales"]["meta"], json!({"model": "x=y", "run": "7"}));
    assert_eq!(datasets["items"]["meta"], json!({"model": "x=y"}));
    publish(&["--meta-json", "items=[1]"]).expect(0);
    let datasets = feed.manifest()["datasets"].clone();
    assert_eq!((&datasets["items"]["meta"], &datasets["sales"]["meta"]), (&json!([1]), &json!(null)));

    publish(&["--min-rows", "sale=1"])
        .expect(2)
        .says(&["sale is not a dataset of this publish", "did you mean sales=…?"]);
    publish(&["--min-rows", "1", "--min-rows", "2"]).expect(2).says(&["--min-rows is given more than once"]);
    publish(&["--column", "sales=id=text", "--column", "sales=id=float"]).expect(2).says(&["--column sales=id=…"]);
    publish(&["--meta", "sales=a=1", "--meta", "sales=a=2"]).expect(2).says(&["--meta sales=a=…"]);
    // A name that has an equals sign itself.
    feed.input("odd.csv", "a=b\n1\n");
    feed.run(&["publish", "a=odd.csv", "--column", "a=a=b=text"]).expect(0);
    assert_eq!(feed.run(&["cat", "a"]).text(), "[\n{\"a=b\":\"1\"}\n]");
}

/// Whoever corrects the inputs of a call is told of all of them at once.
#[test]
fn everything_that_is_wrong_with_any_dataset_is_told() {
    let feed = TestFeed::new();
    feed.input("good.json", "[1]");
    feed.input("nan.json", "[NaN]");
    feed.input("rows.csv", "id,n\n1\n");
    feed.input("text.json", "[\"x\"]");
    feed.input("number.schema.json", r#"{"items": {"type": "number"}}"#);
    feed.run(&["publish", "good=good.json"]).expect(0);
    let before = tree(&feed.dir());
    let inputs = ["publish", "good=good.json", "a=nan.json", "b=rows.csv", "c=text.json", "d=good.json"];
    let options = ["--schema", "c=number.schema.json", "--min-rows", "d=2"];
    let ran = feed.run(&[&inputs[..], &options, &["--json"]].concat()).expect(3);
    let ran = ran.says(&[
        "4 of the datasets are refused; nothing was published",
        "a: line 1, column 2, at /0: NaN is not JSON",
        "b: line 2, column n: expected 2 fields as in the header, found 1",
        "c does not match its schema",
        "d: guard min_rows",
    ]);
    let error = ran.json()["error"].clone();
    assert_eq!((&error["code"], &error["exit"]), (&json!("nan"), &json!(3)));
    let refusals = error["refusals"].as_array().unwrap();
    let codes: Vec<(&str, &str)> =
        refusals.iter().map(|it| (it["dataset"].as_str().unwrap(), it["code"].as_str().unwrap())).collect();
    assert_eq!(codes, [("a", "nan"), ("b", "bad-row"), ("c", "schema-invalid"), ("d", "guard-min-rows")]);
    assert_eq!((&refusals[0]["pointer"], &refusals[2]["violations"][0]["pointer"]), (&json!("/0"), &json!("/0")));
    let after = tree(&feed.dir());
    let published = |tree: &std::collections::BTreeMap<String, _>| {
        tree.keys().filter(|name| !name.starts_with(".lastgood")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(published(&after), published(&before));
    feed.expect_clean();
    // Files that are not there are all told, too.
    let ran = feed.run(&["publish", "a=gone.json", "good=good.json", "b=lost.json", "--json"]).expect(3);
    let error = ran.says(&["a: cannot open gone.json", "b: cannot open lost.json"]).json()["error"].clone();
    assert_eq!((&error["code"], &error["refusals"][1]["dataset"]), (&json!("input-unreadable"), &json!("b")));
    // One alone is told as ever.
    let error = feed.run(&["publish", "good=good.json", "a=nan.json", "--json"]).expect(3).json()["error"].clone();
    assert_eq!((&error["dataset"], &error["refusals"]), (&json!("a"), &json!(null)));
}

/// A column of CSV whose type follows from its values changes with them; pages may rely on the type.
#[test]
fn an_inferred_type_that_differs_from_what_is_published_is_a_warning() {
    let feed = TestFeed::new();
    let publish = |csv: &str, options: &[&str]| {
        feed.input("s.csv", csv);
        feed.run(&[&["publish", "s=s.csv"], options].concat()).expect(0)
    };
    let fine = |csv: &str, options: &[&str]| {
        let ran = publish(csv, options);
        assert!(!ran.stderr.contains("in what is published"), "{}", ran.stderr);
    };
    fine("id,n,ok\nA1,1,true\n", &[]);
    let said = publish("id,n,ok\n17,x1,true\n", &[]).stderr;
    let line = |column: &str| {
        let start = format!("s: column {column}: ");
        said.lines().find(|line| line.contains(&start)).unwrap_or_else(|| panic!("{column}: {said}")).to_owned()
    };
    assert!(line("id").contains("text in what is published, numbers now"), "{said}");
    assert!(line("n").contains("numbers in what is published, text now"), "{said}");
    assert!(!said.contains("column ok"), "{said}");
    // The options that the warning names: one keeps the type, the other says that the change is meant.
    let options =
        line("id").split("--column ").skip(1).map(|it| it.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(options, ["s=id=text", "s=id=integer"]);
    publish("id,n,ok\nA1,1,true\n", &[]);
    fine("id,n,ok\n17,1,true\n", &["--column", "s=id=integer"]);
    publish("id,n,ok\nA1,1,true\n", &[]);
    fine("id,n,ok\n17,1.5,true\n", &["--column", "s=id=text"]);
    // Nothing to compare: null, another name, no rows, no CSV before.
    fine("id,n,new\n17,,x\n", &["--column", "s=id=text"]);
    feed.run_with(&["publish", "s"], "{\"id\": 1}").expect(0);
    fine("id,n\n,\n", &[]);
    let said = publish("id,n\nx,1\n", &[]);
    assert!(!said.stderr.contains("column n"), "{}", said.stderr);
    // With --json the warning is in the report, too.
    feed.input("s.csv", "id,n\n1,1\n");
    let report = feed.run(&["publish", "s=s.csv", "--json"]).expect(0).json();
    assert!(report["warnings"][0].as_str().unwrap().contains("--column s=id=text insists on it"), "{report}");
}
