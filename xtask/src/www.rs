//! The dashboard, built on the packed npm package as any site would.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{npm, pack::Package, process, workspace};

/// Installs the dashboard's dependencies and the packed package, checks its types, builds it, and returns where
/// the site is.
pub(crate) fn build(package: &Package) -> Result<PathBuf> {
    let directory = workspace::path("www");
    npm::install_site(&directory, &package.tarball)?;
    process::run(npm::npm(&directory).args(["run", "build"]))?;
    Ok(directory.join("dist"))
}

/// Runs the dashboard's own unit tests, where it has some. It must have been built.
pub(crate) fn unit_tests() -> Result<()> {
    let directory = workspace::path("www");
    process::run(npm::npm(&directory).args(["run", "test", "--if-present"])).context("the unit tests of www/ failed")
}
