//! `cargo xtask audit`: what the dependencies are, where they come from, and what is known against them.

mod unsafe_code;

use anyhow::Result;

use crate::{
    npm, process,
    progress::step,
    setup::{self, Install},
    workspace,
};

/// Check licences and sources of all dependencies; with a network, also what is known against them
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Look the dependencies up in the databases of RustSec (from GitHub) and npm
    #[arg(long)]
    advisories: bool,
    /// Only list the dependencies of the program and of the reader's module that contain `unsafe`, counted
    #[arg(long = "unsafe", conflicts_with = "advisories")]
    unsafe_code: bool,
    /// Install nothing; fail and say what is missing
    #[arg(long)]
    skip_install: bool,
}

impl Args {
    /// What needs no network.
    pub(crate) fn offline(skip_install: bool) -> Self {
        Self { advisories: false, unsafe_code: false, skip_install }
    }
}

/// The lock files of npm.
const NPM: [&str; 3] = ["reader-wasm/npm", "www", "xtask/npm"];

/// Runs the checks; stops at the first that fails.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.unsafe_code {
        return unsafe_code::list();
    }
    step("no unsafe code of our own", unsafe_code::forbidden)?;
    let install = if args.skip_install { Install::Never } else { Install::Allowed };
    let deny = setup::cargo_deny(install)?;
    // cargo-deny reads the sources of every package in the lock file. Builds fetch only those that they compile: not the ones of
    // other platforms, nor of features that are off.
    step("fetch the sources", || Ok(process::run(workspace::cargo().args(["fetch", "--locked"]))?))?;
    // Nothing of these three is asked for from anywhere but the lock file and the sources that cargo has fetched.
    step("licences and sources", || {
        let mut check = std::process::Command::new(&deny);
        check.current_dir(workspace::root()).args(["--offline", "check", "licenses", "bans", "sources"]);
        Ok(process::run(&mut check)?)
    })?;
    if args.advisories {
        step("advisories: RustSec", || {
            let mut check = std::process::Command::new(&deny);
            Ok(process::run(check.current_dir(workspace::root()).args(["check", "advisories"]))?)
        })?;
        for directory in NPM {
            step(&format!("advisories: npm, {directory}"), || {
                Ok(process::run(npm::npm(&workspace::path(directory)).arg("audit"))?)
            })?;
        }
    }
    Ok(())
}
