//! `cargo xtask test`: everything that must hold, cheap first.

use std::process::Command;

use anyhow::Result;

use crate::{audit, conditions, demo, lint, npm, pack, packaging, process, progress::Steps, setup, workspace, www};

/// Built together, because they share their dependencies.
const UNITS: [&str; 6] = ["--package", "lastgood-protocol", "--package", "lastgood", "--package", "lastgood-fuzz"];

/// Install what is needed, then run every check and every test
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Install nothing; fail and say what is missing
    #[arg(long)]
    skip_install: bool,
    /// Leave out the tests that mount file systems, fill disks and trace system calls, which need root on Linux
    #[arg(long)]
    without_conditions: bool,
}

/// Runs every check and test; stops at the first that fails.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    let result = run_steps(&mut steps, args);
    println!("\n{}", steps.summary());
    result
}

fn run_steps(steps: &mut Steps, args: &Args) -> Result<()> {
    let skip_install = args.skip_install;
    let install = if skip_install { setup::Install::Never } else { setup::Install::Allowed };
    let programs = steps.step("setup", || {
        setup::wasm_target(install)?;
        setup::other_platforms(install)?;
        setup::node()?;
        if !args.without_conditions {
            setup::conditions(install)?;
        }
        setup::programs(install)
    })?;
    steps.step("lint", || lint::run(&lint::Args {}))?;
    steps.step("audit", || audit::run(&audit::Args::offline(skip_install)))?;
    steps.step("unit tests", || {
        process::run(workspace::cargo().arg("test").args(UNITS))?;
        // On its own: with other packages its dependencies would get other
        // features, and the minutes that they take to compile come twice.
        Ok(process::run(workspace::cargo().args(["test", "--package", "xtask"]))?)
    })?;
    // The sizes that are committed must be true; on a developer's machine pack
    // corrects them, and the difference shows in git.
    let check = std::env::var_os("CI").is_some();
    let package = steps.step("pack", || pack::run(&pack::Args { check }))?;
    steps.step("reader unit tests", || {
        Ok(process::run(npm::npm(&workspace::path("reader-wasm/npm")).args(["run", "test"]))?)
    })?;
    steps.step("reader tests", || {
        // From its directory: only there does Node find the tests by itself.
        Ok(process::run(
            Command::new("node")
                // Something that waits for ever is to be told by its name.
                .args(["--test", "--test-timeout=60000"])
                .current_dir(workspace::root().join("reader-wasm/npm/test"))
                .env("LASTGOOD_TEST_PACKAGE", &package.directory),
        )?)
    })?;
    steps.step("native code and package agree", || {
        let mut cargo = workspace::cargo();
        cargo.arg("test").args(UNITS).args(["--test", "agree"]);
        cargo.env("LASTGOOD_TEST_CORE", &package.core).env("LASTGOOD_TEST_PACKAGE", &package.directory);
        Ok(process::run(&mut cargo)?)
    })?;
    let site = steps.step("www", || {
        let site = www::build(&package)?;
        www::unit_tests()?;
        Ok(site)
    })?;
    steps.step("integration tests", || {
        let binary = demo::build_binary()?;
        if args.without_conditions {
            // Asked for: then it is not looked whether they could be run.
        } else if setup::conditions_are_allowed() {
            conditions::sample(&binary)?;
        } else {
            eprintln!(
                "NOT RUN: the tests of full disks, mounts and traced system calls (cargo xtask conditions); nothing may be \
                 mounted or traced on this machine"
            );
        }
        Ok(process::run(
            workspace::cargo()
                .args(["test", "--package", "lastgood-tests"])
                .env("LASTGOOD_TEST_BINARY", binary)
                .env("LASTGOOD_TEST_PACKAGE", &package.directory)
                .env("LASTGOOD_TEST_TARBALL", &package.tarball)
                .env("LASTGOOD_TEST_WWW", site)
                .envs(programs.clone()),
        )?)
    })?;
    steps.step("packaging tests", || packaging::share(&package, &programs))
}
