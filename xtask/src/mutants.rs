//! `cargo xtask mutants`: the tests of crashes and faults are tested.
//!
//! Each of the deliberate faults in `xtask/mutants.toml` takes away a guard that a guarantee rests on: a sync, an order, a
//! look. In a copy of the repository the fault is made and the tests are run, which must fail.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::{process, workspace};

/// The tests that have to notice, each by its target and its name; the first that fails is enough. Those that fail soonest
/// come first.
const SUITE: [(&str, &str); 8] = [
    ("power", "cuts_by_chance"),
    ("publish", ""),
    ("power", "one_cut"),
    ("power", "every_call_fails"),
    ("storage_contract", ""),
    ("guards", ""),
    ("reader", ""),
    ("power", "two_cuts"),
];

/// After this long a test that hangs counts as one that fails.
const LIMIT_SECS: u32 = 1200;

/// Take away one guard after another and see whether the tests of crashes and faults notice
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only faults with this in their names
    only: Option<String>,
}

/// What `xtask/mutants.toml` says.
#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

/// A deliberate fault.
#[derive(Deserialize)]
struct Mutant {
    /// What is wrong then.
    name: String,
    edit: Vec<Edit>,
}

/// A piece of the sources that is replaced.
#[derive(Deserialize)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
}

/// Makes each fault, and prints how many were noticed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mutants = load()?;
    let copy = Copy::make()?;
    if args.only.is_none() {
        ensure!(copy.notices().is_none(), "the tests fail without any fault; run `cargo test --package lastgood`");
    }
    let wanted = |mutant: &&Mutant| args.only.as_ref().is_none_or(|only| mutant.name.contains(only.as_str()));
    let wanted: Vec<&Mutant> = mutants.iter().filter(wanted).collect();
    let mut survivors = Vec::new();
    for (number, mutant) in wanted.iter().enumerate() {
        let begin = Instant::now();
        let noticed = copy.with(mutant, Copy::notices)?;
        if process::interrupted() {
            bail!(process::ProcessError::Interrupted);
        }
        let outcome = noticed.as_ref().map_or("SURVIVED".to_owned(), |test| format!("noticed by {test}"));
        println!("{}/{} {}: {outcome}, {:.0} s", number + 1, wanted.len(), mutant.name, begin.elapsed().as_secs_f64());
        if noticed.is_none() {
            survivors.push(mutant.name.as_str());
        }
    }
    println!("{} of {} deliberate faults were noticed", wanted.len() - survivors.len(), wanted.len());
    ensure!(survivors.is_empty(), "not noticed: {}", survivors.join("; "));
    Ok(())
}

fn load() -> Result<Vec<Mutant>> {
    let path = workspace::path("xtask/mutants.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", workspace::shown(&path)))?;
    let mutants: Mutants = toml::from_str(&text).with_context(|| format!("in {}", workspace::shown(&path)))?;
    Ok(mutants.mutant)
}

impl Edit {
    /// The file with the edit. What is to be found must be there once, so that the fault is where it is meant to be.
    fn apply(&self, text: &str) -> Result<String> {
        let found = text.matches(&self.find).count();
        ensure!(found == 1, "{}: expected this once and found it {found} times:\n{}", self.file.display(), self.find);
        Ok(text.replacen(&self.find, &self.replace, 1))
    }
}

/// A copy of the repository, with a build directory of its own.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn make() -> Result<Self> {
        let root = workspace::target("mutants/source");
        let mut git = Command::new("git");
        let listed = process::capture(git.args(["ls-files", "-z"]).current_dir(workspace::root()))?;
        for file in listed.split_terminator('\0') {
            let (from, to) = (workspace::path(file), root.join(file));
            // What is the same keeps its time, and so is not compiled again.
            if from.is_file() && fs::read(&to).ok() != Some(fs::read(&from)?) {
                fs::create_dir_all(to.parent().expect("a file is in a directory"))?;
                fs::copy(&from, &to).with_context(|| format!("cannot copy {file}"))?;
            }
        }
        Ok(Self { root })
    }

    /// Makes the fault for as long as `action` takes.
    fn with<T>(&self, mutant: &Mutant, action: impl FnOnce(&Self) -> T) -> Result<T> {
        let mut originals: Vec<(PathBuf, String)> = Vec::new();
        let edited: Result<()> = mutant.edit.iter().try_for_each(|edit| {
            let path = self.root.join(&edit.file);
            let text = fs::read_to_string(&path)?;
            fs::write(&path, edit.apply(&text)?)?;
            originals.push((path, text));
            Ok(())
        });
        let result = edited.map(|()| action(self));
        for (path, text) in originals.into_iter().rev() {
            fs::write(path, text)?;
        }
        result.with_context(|| format!("cannot make the fault \"{}\"", mutant.name))
    }

    /// The first test that fails; a fault that does not compile is one in the list, not one that is noticed.
    fn notices(&self) -> Option<String> {
        let test = |target: &str, more: &[&str]| {
            let mut test = Command::new("timeout");
            test.args([&LIMIT_SECS.to_string(), "cargo", "test", "--quiet", "--package", "lastgood", "--test", target]);
            test.args(more).current_dir(&self.root).env("CARGO_TARGET_DIR", workspace::target("mutants"));
            process::run(test.stdout(Stdio::null()).stderr(Stdio::null()))
        };
        for (target, name) in SUITE {
            test(target, &["--no-run"]).unwrap_or_else(|error| panic!("a fault does not compile: {error}"));
            if test(target, &[name]).is_err() {
                return Some(format!("{target} {name}").trim_end().to_owned());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// So that a change of the sources cannot take a fault out of the list unnoticed.
    #[test]
    fn every_fault_can_be_made() {
        let mutants = load().unwrap();
        assert!(mutants.len() > 30, "{}", mutants.len());
        for mutant in mutants {
            assert!(!mutant.edit.is_empty(), "{}", mutant.name);
            let mut texts: Vec<(&Path, String)> = Vec::new();
            for edit in &mutant.edit {
                let known = texts.iter().position(|(file, _)| *file == edit.file).unwrap_or_else(|| {
                    texts.push((&edit.file, fs::read_to_string(workspace::path(edit.file.to_str().unwrap())).unwrap()));
                    texts.len() - 1
                });
                texts[known].1 = edit.apply(&texts[known].1).unwrap_or_else(|error| panic!("{}: {error}", mutant.name));
            }
        }
    }
}
