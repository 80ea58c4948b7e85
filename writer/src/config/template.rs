//! The file that `lastgood init` writes.

use super::keys::{KEYS, Section};

const HEAD: &str = "\
# How this project publishes its data: https://toml.io, read by `lastgood` here and in every directory below.
# Options on the command line win over this file. Every key is listed with its default, or an example where there is none.
";

/// A commented file: every key with its default, commented out. `dir` is the feed directory, if it is known.
#[must_use]
pub fn template(dir: Option<&str>) -> String {
    let mut text = HEAD.to_owned();
    let mut section = Section::Top;
    for key in KEYS {
        if key.section != section {
            section = key.section;
            text.push_str(heading(section));
        }
        let default = key.default.map(|default| format!(" Default: {default}.")).unwrap_or_default();
        text.push_str(&format!("\n# {}{default}\n", key.about));
        match (key.name, dir) {
            ("dir", Some(dir)) => text.push_str(&format!("dir = {}\n", quoted(dir))),
            _ => text.push_str(&format!("#{} = {}\n", key.name, key.example)),
        }
    }
    text.push_str(DATASETS);
    text
}

const DATASETS: &str = "
# One dataset: the same keys as under [defaults], which they win over.
#[datasets.performance]
#min_rows = 100
#max_shrink = \"50%\"
";

fn heading(section: Section) -> &'static str {
    match section {
        Section::Top => "",
        Section::Compression => "\n# Compressed siblings of the objects.\n#[compression]\n",
        Section::Retention => "\n# What `lastgood gc` keeps.\n#[retention]\n",
        Section::Dataset => "\n# What holds for every dataset, unless it has a table of its own.\n#[defaults]\n",
    }
}

/// A TOML string: JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
