//! The packed package in Node hands out what the native code hands out, over the corpora of the targets that it has a part in; and its
//! validator says, to the byte, what the native one says.
//!
//! `LASTGOOD_TEST_PACKAGE` is the directory of the package, `LASTGOOD_TEST_CORE` that of the modules with their bindings,
//! `LASTGOOD_FUZZ_INPUTS` one with other corpora than those that are committed.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lastgood_fuzz::agree::Transcript;
use serde_json::json;

#[test]
fn the_package_hands_out_what_the_native_code_hands_out() {
    let set = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by cargo xtask test"));
    let (package, core) = (set("LASTGOOD_TEST_PACKAGE"), set("LASTGOOD_TEST_CORE"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpora = std::env::var_os("LASTGOOD_FUZZ_INPUTS").map_or(here.join("corpus"), PathBuf::from);

    let mut lines = String::new();
    for target in Transcript::TARGETS {
        let before = lines.len();
        for entry in fs::read_dir(corpora.join(target)).unwrap() {
            let path = entry.unwrap().path();
            if let Some(transcript) = Transcript::of(target, &fs::read(&path).unwrap()) {
                lines += &json!({ "input": path, "transcript": transcript }).to_string();
                lines.push('\n');
            }
        }
        assert!(lines.len() > before, "there is nothing to compare for {target}");
    }

    let mut node = Command::new("node");
    node.arg(here.join("tests/agree.mjs")).args([package, core]).stdin(Stdio::piped());
    let mut node = node.spawn().unwrap();
    node.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(node.wait().unwrap().success(), "the package answers something else");
}
