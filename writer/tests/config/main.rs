//! `lastgood.toml`: what it says, and how it is told what it cannot say.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make files, and fail by panicking")]

mod docs;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use lastgood::Retention;
use lastgood::config::{Config, KEYS, Schema, template};
use lastgood::convert::Format;
use lastgood::convert::csv::{ColumnType, Delimiter, Options, Unnamed};
use lastgood::protocol::name::DatasetName;
use lastgood::protocol::payload::{Nan, Permit};

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("/project/lastgood.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn name(name: &str) -> DatasetName {
    DatasetName::parse(name).unwrap()
}

#[test]
fn an_empty_file_says_nothing() {
    let mut empty = parse("");
    empty.file = None;
    assert_eq!(format!("{empty:?}"), format!("{:?}", Config::default()));
}

#[test]
fn every_key_is_read() {
    let config = parse(
        r#"
        dir = "public/data"
        strict = true
        lock_wait = "5m"
        lease = "2m"
        stale_marker_after = "2h"
        expires_in = "26h"
        plain_copies = false
        file_mode = "640"
        dir_mode = 0o2750
        [compression]
        gzip = 9
        brotli = "off"
        min_size = 4096
        [retention]
        keep = 7
        grace = "1day"
        auto = true
        [defaults]
        format = "csv"
        columns = { id = "text", n = "float" }
        nan = "null"
        allow = ["unsafe-numbers", "unpaired-surrogates"]
        max_bytes = "1GiB"
        min_rows = 1
        meta.team = "data"
        meta.run = 1
        [datasets.performance]
        delimiter = "tab"
        columns.n = "integer"
        unnamed = "index"
        null = ["NA", "-"]
        schema = "schemas/performance.json"
        schema_version = 3
        allow = ["duplicate-names"]
        max_shrink = 0.25
        require_meta = ["model"]
        time_column = "day"
        meta = { run = 1.5, tags = ["a", true, 2026-11-20] }
        [datasets.plain]
        format = "auto"
        nan = "refuse"
        min_rows = 0
        "#,
    );
    assert_eq!(config.file.as_deref(), Some(Path::new("/project/lastgood.toml")));
    assert_eq!(config.dir.as_deref(), Some(Path::new("/project/public/data")));
    assert!(config.strict);
    let settings = &config.settings;
    assert_eq!((settings.lock_wait, settings.lease), (Duration::from_secs(300), Duration::from_secs(120)));
    assert_eq!(settings.foreign_marker_stale_after, Some(Duration::from_secs(7200)));
    assert_eq!(settings.expires_in, Some(Duration::from_secs(26 * 3600)));
    assert!(!settings.plain_copies);
    assert_eq!((config.modes.file, config.modes.dir), (0o640, 0o2750));
    let compression = &settings.compression;
    assert_eq!((compression.gzip, compression.brotli, compression.min_size), (Some(9), None, 4096));
    assert_eq!(config.retention, Retention { keep: 7, grace: Duration::from_secs(86400) });
    assert!(config.collect_after_publish);

    let performance = config.dataset(&name("performance"));
    let file = "/project/schemas/performance.json".into();
    assert_eq!(performance.schema, Some(Schema { file, version: 3 }));
    let (id, n) = (("id".to_owned(), ColumnType::Text), ("n".to_owned(), ColumnType::Integer));
    let columns = BTreeMap::from([id, n]);
    let (unnamed, null) = (Unnamed::Name("index".to_owned()), vec!["NA".to_owned(), "-".to_owned()]);
    let csv = Format::Csv(Options { delimiter: Delimiter::TAB.into(), columns, unnamed, null });
    assert_eq!(performance.input.format_of(None), csv);
    assert_eq!((performance.rules.nan, performance.rules.max_bytes), (Nan::Null, 1 << 30));
    assert_eq!(
        (performance.rules.unsafe_numbers, performance.rules.duplicate_names, performance.rules.unpaired_surrogates),
        (Permit::Refuse, Permit::Allow, Permit::Refuse)
    );
    assert_eq!(performance.guards.min_rows, Some(1));
    assert_eq!(performance.guards.max_shrink, Some("25%".parse().unwrap()));
    assert_eq!(performance.guards.require_meta, ["model"]);
    assert_eq!(performance.guards.time_column.as_deref(), Some("day"));
    let meta = serde_json::json!({"team": "data", "run": 1.5, "tags": ["a", true, "2026-11-20"]});
    assert_eq!(serde_json::Value::Object(performance.meta.clone()), meta);

    let plain = config.dataset(&name("plain"));
    assert_eq!((plain.rules.nan, plain.guards.min_rows), (Nan::Refuse, Some(0)));
    assert_eq!(plain.rules.unsafe_numbers, Permit::Allow);
    assert_eq!(plain.input.format_of(Some(Path::new("a.json"))), Format::Json);
    assert_eq!(config.dataset(&name("unlisted")).rules.max_bytes, 1 << 30);
    assert_eq!(config.given.len(), 9 + 3 + 3 + 7 + 11 + 3);
    assert!(config.given.contains(&"datasets.performance.max_shrink".to_owned()));
}

/// What `lastgood init` writes says nothing as it stands, and what holds anyway with its keys in force.
#[test]
fn the_template_has_every_key_with_its_default() {
    assert!(parse(&template(None)).given.is_empty());
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key.to_owned(),
        _ => line.to_owned(),
    };
    let text: Vec<String> = template(None).lines().map(uncommented).collect();
    let config = parse(&text.join("\n"));
    for key in KEYS {
        let given = config.given.iter().any(|path| path == key.name || path.ends_with(&format!(".{}", key.name)));
        assert!(given, "{} is missing", key.name);
        assert!(!key.about.is_empty() && key.about.ends_with('.'), "{}", key.name);
    }
    let (default, dataset) = (Config::default(), config.dataset(&name("any")));
    assert_eq!(format!("{:?}", config.settings), format!("{:?}", default.settings));
    assert_eq!((config.modes, config.retention), (default.modes, default.retention));
    assert!(!config.strict && !config.collect_after_publish);
    assert_eq!(dataset.rules, default.dataset(&name("any")).rules);
    assert_eq!(
        dataset.input.format_of(Some(Path::new("a.csv"))),
        Format::Csv(Options { delimiter: Delimiter::COMMA.into(), ..Options::default() })
    );
    assert!(dataset.meta.is_empty() && dataset.guards.require_meta.is_empty());
    assert_eq!(parse(&template(Some("a \"b\"\\c"))).dir.as_deref(), Some(Path::new("/project/a \"b\"\\c")));
}

#[test]
fn the_nearest_file_at_or_above_counts() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(root.path().join("lastgood.toml"), "dir = \"top\"").unwrap();
    assert_eq!(Config::find(&deep).unwrap().dir, Some(root.path().join("top")));
    std::fs::write(root.path().join("a/lastgood.toml"), "").unwrap();
    let found = Config::find(&deep).unwrap();
    assert_eq!((found.file, found.dir), (Some(root.path().join("a/lastgood.toml")), None));
}

#[test]
fn a_strict_file_refuses_what_it_does_not_list() {
    let strict = parse("strict = true\n[datasets.performance]\n[datasets.transactions]\n");
    strict.check_listed(&name("performance")).unwrap();
    let message = strict.check_listed(&name("performnace")).unwrap_err().to_string();
    for part in ["performnace is not listed in /project/lastgood.toml", "did you mean performance?", "[datasets."] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!strict.check_listed(&name("zebra")).unwrap_err().to_string().contains("did you mean"));
    parse("[datasets.performance]").check_listed(&name("performnace")).unwrap();
}
