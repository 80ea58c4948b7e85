//! What the tasks need on the machine: found, installed where that is the custom, or asked for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    process,
    workspace::{self, OTHER_PLATFORMS, WASM_TARGET},
};

/// The oldest Node.js, major and minor version, that everything here works with: Vite asks for it.
const NODE: (u32, u32) = (20, 19);

/// Whether a task may install what is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Install {
    /// Install it where that needs no question: a Rust target, Debian packages as root.
    Allowed,
    /// Only say what is missing.
    Never,
}

/// Makes sure that the wasm32 target is there.
pub(crate) fn wasm_target(install: Install) -> Result<()> {
    target(WASM_TARGET, install)
        .context("the reader is built for wasm32; see https://rust-lang.github.io/rustup/cross-compilation.html")
}

/// Makes sure that the targets of the other platforms are there.
pub(crate) fn other_platforms(install: Install) -> Result<()> {
    OTHER_PLATFORMS.iter().try_for_each(|platform| {
        target(platform, install)
            .context("the writer is checked for other platforms, for which only a target is needed")
    })
}

/// A target is looked for in the sysroot, so a toolchain without rustup is fine.
fn target(target: &str, install: Install) -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = process::capture(Command::new(rustc).args(["--print", "sysroot"]).current_dir(workspace::root()))?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(target);
    if libraries.join("lib").is_dir() {
        return Ok(());
    }
    if install == Install::Never || find("rustup").is_none() {
        bail!("the Rust target {target} is missing (looked for {}): rustup target add {target}", libraries.display());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target]);
    Ok(process::run(rustup.current_dir(workspace::root()))?)
}

/// Makes sure that Node.js is there and not too old, and npm with it.
pub(crate) fn node() -> Result<()> {
    let wanted = format!("Node.js {}.{} or newer with npm is needed: https://nodejs.org/download", NODE.0, NODE.1);
    for program in ["node", "npm"] {
        if find(program).is_none() {
            bail!("{wanted} ({program} is not on the PATH: {})", search_path());
        }
    }
    let version = process::capture(Command::new("node").arg("--version"))?;
    match node_version(&version) {
        Some(found) if found >= NODE => Ok(()),
        _ => bail!("{wanted} (found {})", version.trim()),
    }
}

/// `chromedriver`, which the browser tests drive Chromium with.
pub(crate) fn chromedriver(install: Install) -> Result<PathBuf> {
    if let Some(found) = find("chromedriver") {
        return Ok(found);
    }
    if install == Install::Allowed && is_debian() && rustix::process::geteuid().is_root() {
        install_chromium()?;
    }
    find("chromedriver").with_context(|| {
        format!(
            "chromedriver is not on the PATH ({}); the browser tests need it and a Chromium or Chrome of the same \
             version.\n  Debian, Ubuntu: apt-get install chromium chromium-driver\n  Fedora: dnf install chromium chromedriver\n  \
             macOS: brew install --cask chromium chromedriver\n  others: https://googlechromelabs.github.io/chrome-for-testing/",
            search_path()
        )
    })
}

fn install_chromium() -> Result<()> {
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        // A fresh machine often runs its own apt-get in its first minutes.
        command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::run(command.args(arguments))
    };
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"])?;
    Ok(())
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

/// The first executable of this name on the PATH.
fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn search_path() -> String {
    env::var("PATH").unwrap_or_default()
}

/// The 20 and the 11 of `v20.11.1`.
fn node_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::node_version;

    #[test]
    fn node_versions_are_understood() {
        assert_eq!(node_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(node_version("v9.0.0-pre"), Some((9, 0)));
        for wrong in ["20.1.0", "v20", ""] {
            assert_eq!(node_version(wrong), None);
        }
    }
}
