//! Each refusal names the place, what was expected, what was found, and a way out.

use std::path::Path;

use lastgood::config::{Config, KEYS, Section};

#[track_caller]
fn refused(text: &str, expected: &str) {
    let message = Config::parse(text, Path::new("/project/lastgood.toml")).unwrap_err().to_string();
    assert_eq!(message, format!("/project/lastgood.toml: {expected}"), "{text}");
}

#[test]
fn unknown_keys_get_a_suggestion() {
    refused("lock_wiat = \"3s\"", "line 1, column 1: unknown key `lock_wiat`; did you mean `lock_wait`?");
    refused(
        "dir = \"data\"\n\n[datasets.a]\n  min_row = 3",
        "line 4, column 3: unknown key `min_row`; did you mean `min_rows`?",
    );
    refused("min_rows = 3", "line 1, column 1: unknown key `min_rows`; it belongs into [defaults] or [datasets.NAME]");
    refused("[defaults]\ndir = \"x\"", "line 2, column 1: unknown key `dir`; it belongs into the top of the file");
    refused("[dataset.a]", "line 1, column 2: unknown key `dataset`; did you mean `datasets`?");
    refused("[retention]\nzzz = 1", "line 2, column 1: unknown key `zzz`; expected one of: keep, grace, auto");
}

#[test]
fn values_that_do_not_fit_are_shown() {
    let time = "expected a time such as \"30s\", \"5m\" or \"1h\"";
    refused("lock_wait = 30", &format!("line 1, column 13: `lock_wait`: {time}, found 30"));
    refused(
        "\"a\\u001b[2J\" = 1",
        "line 1, column 1: unknown key `a [2J`; expected one of: dir, strict, lock_wait, lease, \
        stale_marker_after, expires_in, plain_copies, file_mode, dir_mode, compression, retention, defaults, datasets",
    );
    refused("lock_wait = '3\tparsecs'", &format!("line 1, column 13: `lock_wait`: {time}, found '3 parsecs'"));
    refused("lock_wait = \"3 parsecs\"", &format!("line 1, column 13: `lock_wait`: {time}, found \"3 parsecs\""));
    refused("dir = [\"ä\"]", "line 1, column 7: `dir`: expected the path of a directory, found a list");
    refused("[datasets]\na = 3", "line 2, column 5: `a`: expected a table, found 3");
    refused(
        "[datasets.Sales]",
        "line 1, column 11: \"Sales\" is not a dataset name: it starts with a character other than a-z and 0-9; a name is \
         1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit",
    );
    refused(
        "[defaults]\nschema_version = 2",
        "line 2, column 18: `schema_version`: expected `schema` beside it, found none",
    );
}

/// For each key a value of another type and, where there are any, values beyond its bounds.
#[test]
fn every_key_refuses_what_it_cannot_be() {
    let beyond: &[(&str, &[&str])] = &[
        ("lease", &["\"2h\"", "\"0s\""]),
        ("file_mode", &["644", "\"0999\"", "\"2644\"", "\"7777\""]),
        ("dir_mode", &["755", "\"0999\"", "\"1777\"", "\"4755\"", "\"7777\""]),
        ("gzip", &["0", "10"]),
        ("brotli", &["12", "-1"]),
        ("keep", &["0", "-1"]),
        ("format", &["\"xml\""]),
        ("delimiter", &["\"\"", "\"ab\"", "\"ä\"", "'\"'"]),
        ("columns", &["{ a = \"date\" }", "[\"a\"]"]),
        ("schema", &["\"\""]),
        ("schema_version", &["0", "4294967296"]),
        ("nan", &["\"zero\""]),
        ("allow", &["[\"everything\"]", "\"unsafe-numbers\""]),
        ("max_bytes", &["\"large\""]),
        ("max_shrink", &["\"101%\"", "2", "-0.5"]),
        ("min_rows", &["-1", "1.5"]),
        ("require_meta", &["[1]"]),
        ("meta", &["{ a = inf }"]),
    ];
    for key in KEYS {
        let more = beyond.iter().find(|(name, _)| *name == key.name).map_or(&[][..], |(_, values)| values);
        for value in ["1979-05-27"].iter().chain(more) {
            let heading = match key.section {
                Section::Top => "",
                Section::Compression => "[compression]\n",
                Section::Retention => "[retention]\n",
                Section::Dataset => "[datasets.a]\n",
            };
            let text = format!("{heading}{} = {value}", key.name);
            let error = Config::parse(&text, Path::new("/x")).expect_err(&text).to_string();
            assert!(error.contains(&format!("`{}`: expected {}", key.name, key.expected)), "{text}: {error}");
        }
    }
}

#[test]
fn what_is_no_toml_has_a_place() {
    let message = |text: &str| Config::parse(text, Path::new("/x")).unwrap_err().to_string();
    assert!(
        message("strict = true\ndir = \n").starts_with("/x: line 2, column"),
        "{}",
        message("strict = true\ndir = \n")
    );
    assert!(message("strict = true\nstrict = true").contains("line 2"));
    let meta = format!("[defaults]\nmeta.a = \"{}\"", "x".repeat(5000));
    assert!(message(&meta).contains("line 2") && message(&meta).contains("4096"), "{}", message(&meta));
    let missing = Config::load(Path::new("/nowhere/lastgood.toml")).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/lastgood.toml: cannot be read"), "{missing}");
}
