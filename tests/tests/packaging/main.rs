//! The packed npm package in projects as its users have them: installed, built, started, and really read with.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make and remove files, and fail by panicking"
)]

mod docs;
mod pages;
mod project;
mod scripts;

use std::fs;
use std::path::PathBuf;

use lastgood_tests::site::Site;
use serde_json::Value;

/// What every project reads.
const PUBLISHED: &str = r#"[{"day":1,"value":3.5}]"#;

/// A site with a feed that serves `www`, which need not be there yet.
fn site(www: PathBuf) -> Site {
    fs::create_dir_all(&www).unwrap();
    let site = Site::of(&www);
    site.publish(&[("performance", PUBLISHED)]);
    site
}

/// Expects the text of a reading: the published value, and that a manifest has just confirmed it.
fn assert_read(text: &str, place: &str) {
    let reading: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}: {text}"));
    let expected: Value = serde_json::from_str(PUBLISHED).unwrap();
    assert_eq!(reading["data"], expected, "{place}: {reading}");
    assert_eq!(reading["fresh"], true, "{place}: {reading}");
}
