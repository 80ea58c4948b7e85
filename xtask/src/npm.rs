//! npm, and the tools that xtask/npm/ pins.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, workspace};

/// `npm` in a directory.
pub(crate) fn npm(directory: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(directory);
    command
}

/// A tool out of xtask/npm/node_modules/.
pub(crate) fn tool(name: &str) -> Command {
    Command::new(modules().join(".bin").join(name))
}

/// A file of a package out of xtask/npm/node_modules/.
pub(crate) fn module_file(relative: &str) -> PathBuf {
    modules().join(relative)
}

/// Installs what xtask/npm/package-lock.json pins.
pub(crate) fn install_tools() -> Result<()> {
    install(&workspace::path("xtask/npm"))
}

/// Installs what the package-lock.json of a directory pins, unless exactly that is installed.
pub(crate) fn install(directory: &Path) -> Result<()> {
    let lock = read(&directory.join("package-lock.json"))?;
    // npm ci begins with removing node_modules, and the stamp in it: a stamp
    // that is there stands for an installation that was completed.
    let stamp = directory.join("node_modules/.installed-package-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // No package of ours needs its install script: esbuild's only saves its
    // start script some milliseconds.
    process::run(npm(directory).args(["ci", "--ignore-scripts"]))?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", workspace::shown(&stamp)))
}

/// Installs what a project of this repository pins, and the packed package, as any site would.
pub(crate) fn install_site(directory: &Path, tarball: &Path) -> Result<()> {
    process::run(npm(directory).arg("ci"))?;
    // Not a dependency in package-lock.json: its checksum changes with every build.
    let mut install = npm(directory);
    Ok(process::run(install.args(["install", "--no-save", "--no-package-lock"]).arg(tarball))?)
}

/// The version of a package as xtask/npm/ pins it.
pub(crate) fn pinned_version(package: &str) -> Result<String> {
    let path = workspace::path("xtask/npm/package.json");
    let manifest: serde_json::Value = serde_json::from_slice(&read(&path)?)
        .with_context(|| format!("cannot understand {}", workspace::shown(&path)))?;
    let version = manifest["devDependencies"][package].as_str();
    version.map(str::to_owned).with_context(|| format!("{} does not pin {package}", workspace::shown(&path)))
}

fn modules() -> PathBuf {
    workspace::path("xtask/npm/node_modules")
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error: io::Error| anyhow::anyhow!("cannot read {}: {error}", workspace::shown(path)))
}
