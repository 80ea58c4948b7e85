//! An option takes what its key in `lastgood.toml` takes, and refuses what that refuses.

use lastgood_tests::{Ran, TestFeed};

/// An option with the command that it belongs to, and its key with the heading that it stands under. `{}` is the value.
const PAIRS: &[(&str, &str, &str)] = &[
    ("publish p=p.json --lock-wait={}", "", "lock_wait"),
    ("publish p=p.json --stale-marker-after={}", "", "stale_marker_after"),
    ("publish p=p.json --expires-in={}", "", "expires_in"),
    ("rollback nope --expires-in={}", "", "expires_in"),
    ("rollback nope --lock-wait={}", "", "lock_wait"),
    ("gc --lock-wait={}", "", "lock_wait"),
    ("lock p --lease={} -- true", "", "lease"),
    ("publish p=p.json --gzip={}", "[compression]", "gzip"),
    ("publish p=p.json --brotli={}", "[compression]", "brotli"),
    ("gc --dry-run --keep={}", "[retention]", "keep"),
    ("gc --dry-run --grace={}", "[retention]", "grace"),
    ("publish p=p.json --format={}", "[defaults]", "format"),
    ("publish p=p.csv --delimiter={}", "[defaults]", "delimiter"),
    ("publish p=p.json --schema=s.json --schema-version={}", "[defaults]\nschema = 's.json'", "schema_version"),
    ("publish p=p.json --nan={}", "[defaults]", "nan"),
    ("publish p=p.json --max-bytes={}", "[defaults]", "max_bytes"),
    ("publish p=p.json --min-rows={}", "[defaults]", "min_rows"),
    ("publish p=p.json --max-shrink={}", "[defaults]", "max_shrink"),
];

const VALUES: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "9",
    "11",
    "12",
    "20",
    "-1",
    "+1",
    "1.5",
    "0.5",
    "100%",
    "101%",
    "50 %",
    "0s",
    "0ms",
    "1ns",
    "1ms",
    "30s",
    "30 s",
    " 30s",
    "-30s",
    "1h",
    "2h",
    "1day",
    "26h",
    "30",
    "never",
    "Never",
    "off",
    "null",
    "refuse",
    "auto",
    "json",
    "csv",
    "jsonl",
    "JSON",
    ",",
    "tab",
    ";;",
    "64MiB",
    "64 MiB",
    "64mb",
    "-1B",
    "1e3",
    "0x10",
    "1_000",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "584542046090y",
    "99999999999999999999y",
    "nan",
    "inf",
    "true",
];

/// Whether what was run is a mistake in usage.
fn is_refused(ran: &Ran) -> bool {
    ran.code == Some(2) && !ran.stderr.contains("no dataset")
}

#[test]
fn every_option_takes_the_values_of_its_key() {
    let feed = TestFeed::new();
    for (name, content) in [("p.json", "[1]"), ("p.csv", "a\n1\n"), ("s.json", "{}")] {
        feed.input(name, content);
    }
    feed.publish("p", "[1]");
    let mut wrong = Vec::new();
    for (option, heading, key) in PAIRS {
        let mut taken = 0;
        for value in VALUES {
            let arguments: Vec<String> = option.split(' ').map(|word| word.replace("{}", value)).collect();
            let as_option = !is_refused(&feed.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
            // As a text, and as a number where TOML has one; spaces around a number are none of it.
            let bare = if value.trim() == *value { *value } else { "" };
            let as_key = [format!("\"{value}\""), bare.to_owned()].iter().any(|value| {
                feed.input("key.toml", format!("{heading}\n{key} = {value}\n"));
                !is_refused(&feed.run(&["status", "--config", "key.toml"]))
            });
            taken += usize::from(as_option);
            // What TOML writes as a number in ways of its own.
            let of_toml = ["+1", "0x10", "1_000", "1e3"].contains(value);
            if as_option != as_key && !(of_toml && as_key) {
                wrong.push(format!("{option} with {value:?}: option {as_option}, {key} {as_key}"));
            }
        }
        assert!(taken > 0, "{option} takes nothing");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_nonsense_is_refused_and_what_means_never_can_be_said() {
    let feed = TestFeed::new();
    feed.input("p.json", "[1]");
    feed.input("s.json", "{}");
    for (option, value, said) in [
        ("--expires-in", "0s", "a time above zero such as \"26h\", or \"never\""),
        ("--expires-in", "26", "a time above zero"),
        ("--stale-marker-after", "2", "a time such as \"2h\", or \"never\""),
        ("--lock-wait", "never", "a time such as \"30s\", \"5m\" or \"1h\""),
        ("--gzip", "10", "a level from 1 to 9, or \"off\""),
        ("--max-bytes", "large", "a size such as"),
        ("--min-rows", "-1", ""),
    ] {
        let given = format!("{option}={value}");
        feed.run(&["publish", "p=p.json", &given]).expect(2).says(&[option, said]);
    }
    feed.run(&["publish", "p=p.json", "--schema", "s.json", "--schema-version", "0"])
        .expect(2)
        .says(&["a number from 1"]);
    feed.run(&["publish", "p=p.json", "--schema", ""]).expect(2);
    feed.run(&["gc", "--keep", "0"]).expect(2).says(&["a number of generations from 1"]);
    for option in ["--expires-in", "--stale-marker-after"] {
        feed.run(&["publish", "p=p.json", option, "never"]).expect(0);
    }
    // The option wins over the file.
    feed.input("lastgood.toml", "stale_marker_after = '1ms'\nlock_wait = '0s'\n");
    std::fs::write(feed.path(".lock"), "of a script").unwrap();
    feed.run(&["publish", "p=p.json", "--stale-marker-after", "never"]).expect(4);
    feed.run(&["publish", "p=p.json"]).expect(0);
}
