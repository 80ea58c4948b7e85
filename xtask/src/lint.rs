//! `cargo xtask lint`: formatting, clippy, and the boundaries between the crates.

mod arrows;
mod length;

use anyhow::Result;

use crate::{
    process,
    progress::step,
    setup::{self, Install},
    workspace::{self, OTHER_PLATFORMS, WASM_TARGET},
};

/// Check formatting, clippy and the boundaries between the crates
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs every static check, cheap first.
pub(crate) fn run(_args: &Args) -> Result<()> {
    step("rustfmt", || Ok(process::run(workspace::cargo().args(["fmt", "--all", "--check"]))?))?;
    step("file lengths", length::check)?;
    step("dependencies", arrows::check)?;
    setup::wasm_target(Install::Allowed)?;
    setup::other_platforms(Install::Allowed)?;
    step("clippy: protocol, no I/O", || {
        // Compiled for wasm32 and, in the library alone, held to a list of its
        // own: what asks for the platform compiles there too, and fails at run time.
        let mut clippy = clippy(&["--package", "lastgood-protocol", "--lib"]);
        clippy.args(["--target", WASM_TARGET]);
        clippy.env("CLIPPY_CONF_DIR", workspace::path("xtask/no-io"));
        Ok(process::run(clippy.args(["--", "-D", "warnings"]))?)
    })?;
    step("clippy: reader, wasm32", || {
        let mut clippy = clippy(&["--package", "lastgood-reader", "--no-deps", "--all-targets"]);
        clippy.args(["--target", WASM_TARGET]);
        Ok(process::run(clippy.args(["--", "-D", "warnings"]))?)
    })?;
    for platform in OTHER_PLATFORMS {
        // Library and command; the tests are those of this platform.
        step(&format!("clippy: writer, {platform}"), || {
            let mut clippy = clippy(&["--package", "lastgood-protocol", "--package", "lastgood", "--all-features"]);
            clippy.args(["--target", platform]);
            Ok(process::run(clippy.args(["--", "-D", "warnings"]))?)
        })?;
    }
    step("clippy: everything else", || {
        let mut clippy = clippy(&["--workspace", "--exclude", "lastgood-reader"]);
        Ok(process::run(clippy.args(["--all-targets", "--", "-D", "warnings"]))?)
    })?;
    step("clippy: packaging tests", || {
        // `cargo test` leaves them out, which have a step of their own, and so does --all-targets.
        let mut clippy = clippy(&["--workspace", "--exclude", "lastgood-reader"]);
        Ok(process::run(clippy.args(["--test", "packaging", "--", "-D", "warnings"]))?)
    })
}

fn clippy(arguments: &[&str]) -> std::process::Command {
    let mut cargo = workspace::cargo();
    cargo.arg("clippy").args(arguments);
    cargo
}
