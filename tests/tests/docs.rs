//! What the documentation shows is right: its commands exist, its scripts parse, its recipes run.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make and break files, and fail by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use lastgood_tests::docs::{Block, blocks, example, pages};
use lastgood_tests::site::workspace;
use lastgood_tests::{Ran, TestFeed, binary};

const OPERATIONS: &str = "docs/operations.md";

fn all_blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).collect()
}

/// The arguments of every `lastgood` command in a block.
fn commands(block: &Block) -> Vec<Vec<String>> {
    let text = block.text.replace("\\\n", " ");
    let lines: Vec<&str> = match block.language.as_str() {
        "sh" | "crontab" | "ini" => text.lines().collect(),
        "console" => text.lines().filter_map(|line| line.strip_prefix("$ ")).collect(),
        // Those that a program has as one string.
        "python" => text.split('"').filter(|text| text.starts_with("lastgood ")).collect(),
        _ => Vec::new(),
    };
    let mut commands = Vec::new();
    for line in lines.into_iter().filter(|line| line.contains("lastgood ")) {
        let words = shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", block.place));
        let is_lastgood = |word: &String| word == "lastgood" || word.ends_with("/lastgood");
        for (at, _) in words.iter().enumerate().filter(|(_, word)| is_lastgood(word)) {
            let ends = |word: &&String| !["|", "||", "&&", ";", ">", "2>", "&"].contains(&word.as_str());
            commands.push(words[at + 1..].iter().take_while(ends).cloned().collect());
        }
    }
    commands
}

#[test]
fn every_command_exists() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for block in all_blocks() {
        for mut arguments in commands(&block) {
            // With --help the arguments before it are parsed and nothing is done.
            let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
            arguments.insert(end, "--help".to_owned());
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ran = TestFeed::new().run(&arguments);
            if ran.code != Some(0) {
                let said = ran.stderr.lines().next().unwrap_or_default().to_owned();
                wrong.push(format!("{}: lastgood {}: {said}", block.place, arguments.join(" ")));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} commands were found");
}

#[test]
fn every_script_is_valid() {
    for block in all_blocks() {
        let (program, arguments): (&str, &[&str]) = match block.language.as_str() {
            "sh" => ("bash", &["-n"]),
            "python" => ("python3", &["-c", "import sys; compile(sys.stdin.read(), 'example', 'exec')"]),
            "json" => ("python3", &["-m", "json.tool"]),
            _ => continue,
        };
        let mut command = Command::new(program);
        command.args(arguments);
        let ran = Ran::of(command, block.text.as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", block.place);
    }
}

/// Links within the repository lead somewhere.
#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(workspace().join(&page)).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = match file {
                "" => page.clone(),
                file => Path::new(&page).parent().unwrap().join(file).display().to_string(),
            };
            assert!(workspace().join(&linked).exists(), "{page}: {target}");
            if !anchor.is_empty() {
                assert!(anchors(&linked).contains(&anchor.to_owned()), "{page}: {target}");
            }
        }
    }
}

/// The anchors that the headings of a page get.
fn anchors(page: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join(page)).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

/// Runs a Python program beside `feed.py`, the recipe, with a `lastgood` on the PATH.
fn python(feed: &TestFeed, lastgood: &Path, program: &str) -> Ran {
    feed.input("feed.py", example(OPERATIONS, "python"));
    let mut path = vec![lastgood.to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new("python3");
    command.args(["-c", program]).current_dir(feed.root()).env("PATH", std::env::join_paths(path).unwrap());
    Ran::of(command, b"")
}

#[test]
fn the_python_recipe_publishes() {
    let feed = TestFeed::new();
    let program = r#"
from feed import INPUT_REFUSED, PublishError, publish

report = publish({"performance": [{"revenue": 1.5}], "transactions": []}, "data", "--meta", "run=1")
assert report["generation"] == 1, report
try:
    publish({"performance": [float("nan")]}, "data")
    raise SystemExit("NaN was published")
except PublishError as refused:
    assert refused.exit == INPUT_REFUSED
    assert (refused.error["code"], refused.error["pointer"]) == ("nan", "/0"), refused.error
    assert "--nan null" in str(refused)
assert publish({"performance": [float("nan")]}, "data", "--nan", "null")["generation"] == 2
"#;
    python(&feed, binary().parent().unwrap(), program).expect(0);
    assert_eq!(feed.read("performance.json"), b"[null]");
    assert_eq!(feed.read("performance_backup.json"), br#"[{"revenue": 1.5}]"#);
    feed.expect_clean();
}

#[test]
fn the_python_recipe_does_not_guess_what_a_killed_publish_has_done() {
    let feed = TestFeed::new();
    let lastgood = feed.root().join("bin/lastgood");
    fs::create_dir(feed.root().join("bin")).unwrap();
    fs::write(&lastgood, "#!/bin/sh\nkill -9 $$\n").unwrap();
    fs::set_permissions(&lastgood, fs::Permissions::from_mode(0o755)).unwrap();
    let program = r#"
from feed import UNKNOWN, PublishError, publish

try:
    publish({"performance": []}, "data")
    raise SystemExit("nothing was published")
except PublishError as killed:
    assert (killed.exit, killed.error["code"]) == (UNKNOWN, "killed"), killed.error
"#;
    python(&feed, lastgood.parent().unwrap(), program).expect(0);
}

#[test]
fn the_systemd_units_are_valid() {
    // Only systemd can say; where it is not, there is nobody to use the units either.
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let feed = TestFeed::new();
    // What is not on this machine: the program where the documentation has it, and the user.
    let service = example(OPERATIONS, "systemd-service").replace("/usr/local/bin/lastgood", "/bin/true");
    feed.input("publish-performance.service", service.replace("User=feed\n", "User=root\n"));
    feed.input("publish-performance.timer", example(OPERATIONS, "systemd-timer"));
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "publish-performance.service", "publish-performance.timer"]);
    verify.current_dir(feed.root());
    let ran = Ran::of(verify, b"").expect(0);
    assert!(!ran.stderr.contains("publish-performance"), "{}", ran.stderr);
}
