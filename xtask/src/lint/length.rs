//! Files that one can read at a sitting.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// The most lines that a source file may have.
const LIMIT: usize = 600;
const SOURCES: [&str; 6] = ["*.rs", "*.ts", "*.js", "*.mjs", "*.css", "*.html"];

/// Checks every source file of the repository, committed or about to be.
pub(super) fn check() -> Result<()> {
    let mut git = std::process::Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]);
    let listed = process::capture(git.args(SOURCES).current_dir(workspace::root()))
        .context("the list of source files comes from git")?;
    let mut long = Vec::new();
    for name in listed.split_terminator('\0') {
        // A file that is gone from the work tree is still in the index.
        let Ok(text) = fs::read_to_string(workspace::path(name)) else {
            continue;
        };
        let lines = text.lines().count();
        if lines > LIMIT {
            long.push(format!("{name} ({lines} lines)"));
        }
    }
    if long.is_empty() {
        return Ok(());
    }
    bail!("longer than {LIMIT} lines, split them by what they do: {}", long.join(", "))
}
