//! `lastgood completions` and `lastgood man`

use std::fs;
use std::process::Command;

use lastgood_tests::{Ran, TestFeed};

#[test]
fn every_shell_has_a_script() {
    let feed = TestFeed::new();
    // Nothing of a project is needed.
    feed.input("lastgood.toml", "not even = [toml");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = feed.run(&["completions", shell]).expect(0);
        assert!(script.text().contains("publish") && script.text().contains("lock-wait"), "{shell}");
        let document = feed.run(&["completions", shell, "--json"]).expect(0).json();
        assert_eq!(document["script"], script.text());
    }
    feed.run(&["completions", "csh"]).expect(2).says(&["bash", "zsh"]);
}

#[test]
fn bash_takes_its_script_and_completes_with_it() {
    let feed = TestFeed::new();
    let script = feed.run(&["completions", "bash"]).expect(0).stdout;
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new("bash");
        command.args(arguments);
        Ran::of(command, input)
    };
    run(&["-n"], &script).expect(0);
    let asked =
        "\nCOMP_WORDS=(lastgood publ); COMP_CWORD=1; _lastgood lastgood publ lastgood; echo \"${COMPREPLY[@]}\"\n";
    assert_eq!(run(&["-s"], &[&script[..], asked.as_bytes()].concat()).expect(0).text(), "publish\n");
}

#[test]
fn every_command_has_a_page() {
    let feed = TestFeed::new();
    let page = feed.run(&["man"]).expect(0).text();
    assert!(page.contains(".TH lastgood 1") && page.contains("LASTGOOD_DIR"), "{page}");
    fs::create_dir(feed.root().join("man1")).unwrap();
    let pages = feed.run(&["man", "--into", "man1", "--json"]).expect(0).json()["pages"].clone();
    let help = feed.run(&["--help"]).expect(0).text();
    for page in pages.as_array().unwrap() {
        let text = fs::read_to_string(feed.root().join(page.as_str().unwrap())).unwrap();
        let name = page.as_str().unwrap().rsplit_once('/').unwrap().1.trim_end_matches(".1").to_owned();
        assert!(text.contains(&format!(".TH {name} 1")), "{name}: {text}");
        let command = name.trim_start_matches("lastgood").trim_start_matches('-');
        assert!(command.is_empty() || help.contains(&format!("\n  {command} ")), "{command} is no command");
    }
    let commands = help.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap().lines();
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count();
    assert_eq!(pages.as_array().unwrap().len(), commands, "one for each but `help`, and that of the whole");
    feed.run(&["man", "--into", "missing"]).expect(1).says(&["missing/lastgood.1"]);
}
