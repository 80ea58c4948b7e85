//! `unsafe`: that there is none of our own, and how much of it is in what we use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{process, workspace};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

fn metadata() -> Result<Metadata> {
    let metadata = process::capture(workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    serde_json::from_str(&metadata).context("what cargo metadata prints")
}

/// Checks that every crate of the workspace takes the lints of the workspace, for all its targets, and that they forbid it:
/// what is forbidden there, no attribute in a source file allows again.
pub(super) fn forbidden() -> Result<()> {
    let root = fs::read_to_string(workspace::path("Cargo.toml"))?;
    if !has_lines(&root, "[workspace.lints.rust]", "unsafe_code = \"forbid\"") {
        bail!("Cargo.toml must forbid unsafe_code in [workspace.lints.rust]");
    }
    let Metadata { packages, workspace_members } = metadata()?;
    for package in packages.into_iter().filter(|package| workspace_members.contains(&package.id)) {
        if !has_lines(&fs::read_to_string(&package.manifest_path)?, "[lints]", "workspace = true") {
            bail!("{} must have [lints] workspace = true", workspace::shown(&package.manifest_path));
        }
    }
    Ok(())
}

/// Whether `table` of a TOML file has `line`.
fn has_lines(toml: &str, table: &str, line: &str) -> bool {
    let mut lines = toml.lines().skip_while(|found| *found != table).skip(1);
    lines.by_ref().take_while(|found| !found.starts_with('[')).any(|found| found == line)
}

/// Prints the dependencies that contain the keyword, and how often: an upper bound of what is compiled, since it counts all
/// that a crate has for any platform and feature.
pub(super) fn list() -> Result<()> {
    let metadata = metadata()?;
    for (what, package, target) in [
        ("lastgood", "lastgood", "x86_64-unknown-linux-gnu"),
        ("the reader's module", "lastgood-reader", workspace::WASM_TARGET),
    ] {
        let used = used(package, target)?;
        let mut counts = BTreeMap::new();
        for package in &metadata.packages {
            let name = format!("{} v{}", package.name, package.version);
            let library = package.targets.iter().find(|target| target.kind.iter().any(|kind| kind.ends_with("lib")));
            let sources = library.and_then(|library| library.src_path.parent());
            if let Some(sources) = sources.filter(|_| used.contains(&name)) {
                counts.insert(name, count(sources)?);
            }
        }
        counts.retain(|_, count| *count > 0);
        println!("{what}: {} dependencies, of which {} contain unsafe", used.len() - 1, counts.len());
        for (name, count) in counts {
            println!("{count:>6}  {name}");
        }
    }
    Ok(())
}

/// What is linked into a package, itself included; procedural macros, which run in the compiler, are left out.
fn used(package: &str, target: &str) -> Result<BTreeSet<String>> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--package", package, "--target", target, "--edges", "normal,no-proc-macro"]);
    let tree = process::capture(tree.args(["--prefix", "none", "--format", "{p}"]))?;
    // `name v1.2.3`, then perhaps where it is and whether it has been listed before.
    Ok(tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect())
}

fn count(directory: &Path) -> Result<usize> {
    let mut sum = 0;
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            // Where the library is in the root of a package, what else is there is not part of it.
            let other = ["tests", "benches", "examples"].iter().any(|other| path.ends_with(other));
            sum += if other { 0 } else { count(&path)? };
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sum += occurrences(&fs::read_to_string(&path)?);
        }
    }
    Ok(sum)
}

/// How often the keyword opens a block, a function, a trait or an implementation.
fn occurrences(source: &str) -> usize {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let words = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.windows(2).filter(|pair| pair[0].ends_with("unsafe") && opens(&pair[1])).count()
    };
    code.map(words).sum()
}

fn opens(word: &str) -> bool {
    ["{", "fn", "impl", "trait", "extern"].iter().any(|opening| word.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::{has_lines, occurrences};

    #[test]
    fn the_keyword_is_counted_where_it_opens_something() {
        let source = "unsafe { a() }\nlet b = unsafe { b() }; // unsafe { c }\npub unsafe fn d() {}\nunsafe impl E for F {}\n\
                      #![forbid(unsafe_code)]\n/// is unsafe for others\n";
        assert_eq!(occurrences(source), 4);
    }

    #[test]
    fn a_line_counts_in_its_table_alone() {
        let toml = "[a]\nx = 1\n\n[lints]\nworkspace = true\n[b]\ny = 2\n";
        assert!(has_lines(toml, "[lints]", "workspace = true"));
        assert!(!has_lines(toml, "[a]", "workspace = true"));
        assert!(!has_lines(toml, "[lints]", "y = 2"));
    }
}
