//! Every check is listed, explained and triggered by a test.

use std::fs;
use std::path::{Path, PathBuf};

use lastgood_tests::TestFeed;
use lastgood_tests::site::workspace;

fn ids() -> Vec<String> {
    let list = TestFeed::new().run(&["doctor", "--list", "--json"]).expect(0).json();
    let checks = list["checks"].as_array().unwrap();
    checks.iter().map(|check| check["check"].as_str().unwrap().to_owned()).collect()
}

/// All sources below a directory, without white space, so that it does not matter how they are wrapped.
fn sources(dir: &Path) -> String {
    let mut text = String::new();
    let mut waiting: Vec<PathBuf> = vec![dir.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            // Not every file is a source.
            text.extend(fs::read_to_string(&path).unwrap_or_default().split_whitespace());
        }
    }
    text
}

#[test]
fn every_check_is_triggered_by_a_test() {
    let real = sources(&workspace().join("tests/tests/cli/doctor"));
    let alone = sources(&workspace().join("writer/src/bin/lastgood/doctor"));
    for id in ids() {
        let is_found = real.contains(&format!(".finds(\"{id}\","));
        let is_triggered = alone.split("triggers(").skip(1).any(|call| {
            let call = call.split(");").next().unwrap_or_default();
            call.contains(&format!("\"{id}\",Severity::"))
        });
        assert!(is_found || is_triggered, "no test triggers {id}");
    }
}

#[test]
fn every_check_is_explained() {
    let page = fs::read_to_string(workspace().join("docs/doctor.md")).unwrap();
    let explained: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(explained, ids(), "docs/doctor.md has one row for each check, in the order of --list");
}

#[test]
fn the_list_says_which_question_each_check_answers() {
    let text = TestFeed::new().run(&["doctor", "--list"]).expect(0).text();
    assert_eq!(text.lines().count(), ids().len());
    assert!(text.lines().all(|line| line.ends_with('?')), "{text}");
}

/// Where a remedy is made, for what, and how it begins; without white space, so that it does not matter how it is wrapped.
type Remedy = (String, String, String);

/// The calls of a function in a source, without its unit tests: what stands before each, and its arguments.
fn calls<'a>(source: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let ends = |start: usize| {
        let (mut depth, mut text, mut escaped) = (1, false, false);
        for (at, byte) in source.bytes().enumerate().skip(start) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if text => escaped = true,
                b'"' => text = !text,
                b'(' if !text => depth += 1,
                b')' if !text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        panic!("a call without an end");
    };
    source.match_indices(name).map(|(at, _)| (&source[..at], &source[at + name.len()..ends(at + name.len())])).collect()
}

fn dense(text: &str) -> String {
    text.split_whitespace().collect::<String>().chars().take(40).collect()
}

fn remedies() -> Vec<Remedy> {
    let base = workspace().join("writer/src/bin/lastgood");
    let mut found = Vec::new();
    let mut waiting = vec![base.join("doctor")];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for (before, argument) in calls(&source, ".remedy(") {
            // The setting of a server, on its way into a finding.
            if before.ends_with("served") || before.ends_with("server") {
                continue;
            }
            let finding =
                ["Check::", "check\n", "check."].iter().filter_map(|start| before.rfind(start)).max().unwrap();
            let file = path.strip_prefix(&base).unwrap().display().to_string();
            found.push((file, dense(&before[finding..]), dense(argument)));
        }
    }
    let verify = fs::read_to_string(base.join("verify.rs")).unwrap();
    found.extend(
        calls(&verify, "ways.push(").into_iter().map(|(_, way)| ("verify.rs".into(), "ways".into(), dense(way))),
    );
    for file in ["feed.rs", "recover.rs"] {
        let source = fs::read_to_string(workspace().join("writer/src").join(file)).unwrap();
        let ways = source.split("let way_out =").skip(1);
        found.extend(ways.map(|way| (format!("../../{file}"), "way_out".into(), dense(way))));
    }
    found.sort_unstable();
    found
}

/// Whoever adds a remedy adds what tries it, or says why nothing can.
#[test]
fn every_remedy_is_tried() {
    let mut listed = Vec::new();
    let tests = format!("{}{}", sources(&workspace().join("tests/tests")), sources(&workspace().join("writer/tests")));
    for line in include_str!("remedies.tsv").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [file, finding, remedy, trial] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        match trial.split_once(": ").unwrap() {
            ("tried", test) => assert!(tests.contains(&format!("fn{test}()")), "no test is called {test}"),
            ("advice", reason) => assert!(reason.len() > 20, "{line}: why can no test try it?"),
            _ => panic!("{line}"),
        }
        listed.push((file.to_owned(), finding.to_owned(), remedy.to_owned()));
    }
    listed.sort_unstable();
    let made = remedies();
    assert!(made.len() > 80, "{}", made.len());
    let missing: Vec<&Remedy> = made.iter().filter(|remedy| !listed.contains(remedy)).collect();
    let gone: Vec<&Remedy> = listed.iter().filter(|remedy| !made.contains(remedy)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in remedies.tsv: {missing:#?}\nno more in the sources: {gone:#?}"
    );
    assert_eq!(listed.len(), made.len(), "each is listed as often as it is made");
}
