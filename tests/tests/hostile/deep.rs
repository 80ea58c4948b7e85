//! Nesting without end, wherever something is parsed: refused, never a stack that overflows.

use std::fs;

use crate::support::{COMMANDS, copy, each_in_parallel, ends, feed, try_to_end};

const DEPTH: usize = 500_000;

fn arrays() -> String {
    "[".repeat(DEPTH)
}

fn closed(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn input_is_refused() {
    let feed = feed();
    let (lists, objects) = (closed("[", "", "]", DEPTH), closed("{\"a\":", "1", "}", DEPTH));
    for text in [&arrays(), &lists, &objects] {
        feed.run_with(&["publish", "performance"], text).expect(3).says(&["128 levels"]);
        feed.run_with(&["publish", "performance", "--format", "jsonl"], text).expect(3);
        feed.input("meta.json", text);
        feed.input("schema.json", text);
        let ran = feed.run_with(&["publish", "performance", "--schema", "schema.json"], "[1]");
        assert!(matches!(ran.code, Some(2 | 3)), "{ran:?}");
        let ran = feed.run_with(&["publish", "performance", "--meta", &format!("x={}", &text[..2000])], "[1]");
        assert!(matches!(ran.code, Some(0 | 2)), "{ran:?}");
    }
    for keyword in ["not", "items", "additionalProperties", "if", "contains", "$defs", "default", "const"] {
        let schema = closed(&format!("{{\"{keyword}\":"), "true", "}", 150_000);
        feed.input("schema.json", &schema);
        let ran = feed.run_with(&["publish", "performance", "--schema", "schema.json"], "[1]");
        assert!(matches!(ran.code, Some(2 | 3)), "{keyword}: {ran:.2000?}");
    }
}

#[test]
fn a_configuration_is_refused() {
    let feed = feed();
    let tables = format!("[{}]\n", vec!["a"; DEPTH].join("."));
    let keys = format!("{} = 1\n", vec!["a"; DEPTH].join("."));
    let inline = format!("a = {}\n", closed("{ a = ", "1", " }", DEPTH));
    for text in
        [&format!("a = {}\n", arrays()), &format!("a = {}\n", closed("[", "", "]", DEPTH)), &inline, &tables, &keys]
    {
        feed.input("lastgood.toml", text);
        let ran = ends(&feed, &["status"]).expect(2);
        assert!(ran.stderr.len() < 100_000, "{} bytes are told", ran.stderr.len());
    }
}

/// Files of the feed, as somebody else has written them.
#[test]
fn files_of_the_feed_are_survived() {
    let template = feed();
    let manifest = String::from_utf8(template.read("manifest.json")).unwrap();
    let unknown = manifest.replacen('{', &format!("{{\"unknown\":{},", closed("[", "", "]", DEPTH)), 1);
    let current = template.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    let object = format!("objects/{current}.json");
    let record = format!("{{\"operation\":{}}}\n", closed("[", "", "]", DEPTH));
    let files: Vec<(&str, String)> = vec![
        ("manifest.json", arrays()),
        ("manifest.json", closed("{\"signed\":", "1", "}", DEPTH)),
        ("manifest.json", unknown),
        ("history/2.json", arrays()),
        (".lock", arrays()),
        (".lock", closed("{\"holder\":", "1", "}", 40_000)),
        (&object, closed("[", "", "]", DEPTH)),
        ("performance.json", closed("[", "", "]", DEPTH)),
        (".lastgood/operations.jsonl", record),
        (".lastgood/holder", arrays()),
    ];
    each_in_parallel(&files, |(name, text)| {
        for arguments in COMMANDS {
            let feed = copy(&template);
            feed.input("in.json", "[4]");
            let _ = fs::remove_file(feed.path(name));
            fs::write(feed.path(name), text).unwrap();
            try_to_end(&feed, arguments).map_err(|problem| format!("{name}: {problem:.2000}"))?;
        }
        Ok(())
    });
}

#[test]
fn files_to_be_adopted_are_refused() {
    let feed = lastgood_tests::TestFeed::in_memory();
    fs::create_dir(feed.dir()).unwrap();
    fs::write(feed.path("deep.json"), closed("[", "", "]", DEPTH)).unwrap();
    fs::write(feed.path("wrapped.json"), closed("{\"data\":", "1", "}", DEPTH)).unwrap();
    ends(&feed, &["adopt"]).expect(3);
    ends(&feed, &["adopt", "--unwrap", "data"]);
}
