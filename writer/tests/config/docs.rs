//! `docs/configuration.md` has every key, with what the parser expects and what it is for.

use std::fs;
use std::path::Path;

use lastgood::config::{Config, KEYS, Section};

#[test]
fn every_key_is_documented_as_it_is() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap();
    let rows = |line: &&str| line.starts_with("| `");
    let documented: Vec<&str> = text.lines().filter(rows).collect();
    let row = |key: &lastgood::config::Key| {
        let default = key.default.map_or_else(|| format!("`{}`", key.example), str::to_owned);
        format!("| `{}` | {} | {default} | {} |", key.name, key.expected, key.about)
    };
    let expected: Vec<String> = KEYS.iter().map(row).collect();
    assert_eq!(documented, expected, "the tables should be:\n{}", expected.join("\n"));
    for section in [Section::Compression, Section::Retention] {
        assert!(text.contains(&format!("## `{}`", section.headings())), "{section:?}");
    }
}

#[test]
fn the_example_is_valid() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap();
    let (example, _) = text.split_once("```toml\n").unwrap().1.split_once("```").unwrap();
    let config = Config::parse(example, Path::new("/lastgood.toml")).unwrap();
    assert!(config.strict && config.given.len() > 5, "{:?}", config.given);
}
