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
            text.extend(fs::read_to_string(&path).unwrap().split_whitespace());
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
