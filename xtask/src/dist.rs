//! `cargo xtask dist`: the binary as it is handed out, static, for any Linux of its processor.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process;
use crate::setup::{self, Install};
use crate::workspace;

/// Linked with musl, statically: no library of the machine is needed, so no glibc is too old.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-musl";

/// Build the static binary for Linux (x86-64), and try it out
///
/// It goes to target/dist/lastgood, with its SHA-256 beside it. That it is static is looked at in the file itself; that it runs, by
/// publishing, reading and serving with an empty environment and an empty root directory where that is possible.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    setup::musl(Install::Allowed)?;
    let mut build = workspace::cargo();
    build.args([
        "build",
        "--package",
        "lastgood",
        "--bin",
        "lastgood",
        "--profile",
        "static",
        "--locked",
        "--target",
        TARGET,
    ]);
    process::run(&mut build)?;
    let built = workspace::target(TARGET).join("static/lastgood");
    let bytes = fs::read(&built).with_context(|| format!("no {}", workspace::shown(&built)))?;
    check_static(&bytes)?;
    let dir = workspace::target("dist");
    fs::create_dir_all(&dir)?;
    let binary = dir.join("lastgood");
    // Another file, not another content: a running one cannot be written to.
    let _ = fs::remove_file(&binary);
    fs::copy(&built, &binary)?;
    try_out(&binary)?;
    let digest = process::capture(Command::new("sha256sum").arg("lastgood").current_dir(&dir))?;
    fs::write(dir.join("lastgood.sha256"), digest)?;
    let size = bytes.len() as f64 / (1024.0 * 1024.0);
    println!("{}: {size:.1} MiB, static, tried out", workspace::shown(&binary));
    Ok(())
}

/// Whether an executable needs nothing of the machine: it names no interpreter, which would load libraries, and no library.
fn check_static(elf: &[u8]) -> Result<()> {
    const INTERPRETER: u32 = 3;
    let headers = program_headers(elf).context("expected an ELF file of 64 bits")?;
    ensure!(!headers.is_empty(), "expected an executable, found no program headers");
    if headers.contains(&INTERPRETER) {
        bail!("the binary is not static: it names an interpreter (readelf -l)");
    }
    Ok(())
}

/// The kinds of the program headers.
fn program_headers(elf: &[u8]) -> Option<Vec<u32>> {
    let little = |at: usize, size: usize| {
        let bytes = elf.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    // Class 64 bits, little-endian.
    (elf.get(..6)? == b"\x7fELF\x02\x01").then_some(())?;
    let (offset, size, count) = (little(0x20, 8)? as usize, little(0x36, 2)? as usize, little(0x38, 2)? as usize);
    (0..count).map(|index| Some(little(offset + index * size, 4)? as u32)).collect()
}

/// Publishes and reads with nothing of the machine around it. Root can do that as a container does: in a root directory where there
/// is nothing else, as a user who may write to the feed alone.
fn try_out(binary: &Path) -> Result<()> {
    const USER: u32 = 2000;
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
    fs::copy(binary, dir.path().join("lastgood"))?;
    fs::write(dir.path().join("p.json"), "[1, 2, 3]")?;
    fs::create_dir(dir.path().join("data"))?;
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        chown(dir.path().join("data"), Some(USER), Some(USER))?;
    }
    let run = |arguments: &[&str]| -> Result<String> {
        let mut command = match is_root {
            true => {
                let mut chroot = Command::new("/usr/sbin/chroot");
                chroot.arg(format!("--userspec={USER}:{USER}")).arg(dir.path()).arg("/lastgood");
                chroot
            }
            false => Command::new(dir.path().join("lastgood")),
        };
        command.args(arguments).current_dir(dir.path()).env_clear();
        Ok(process::capture(&mut command)?)
    };
    let at = |name: &str| if is_root { format!("/{name}") } else { dir.path().join(name).display().to_string() };
    run(&["publish", &format!("p={}", at("p.json")), "--dir", &at("data")])?;
    let read = run(&["cat", "p", "--dir", &at("data")])?;
    ensure!(read.trim_end() == "[1, 2, 3]", "published [1, 2, 3] and read {read}");
    run(&["verify", "--dir", &at("data")])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with these program headers and nothing else.
    fn elf(kinds: &[u32]) -> Vec<u8> {
        let mut elf = vec![0; 64];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[0x20] = 64;
        elf[0x36] = 56;
        elf[0x38] = kinds.len() as u8;
        for kind in kinds {
            elf.extend(kind.to_le_bytes());
            elf.extend([0; 52]);
        }
        elf
    }

    #[test]
    fn an_executable_with_an_interpreter_is_not_static() {
        assert!(check_static(&elf(&[1, 1, 6])).is_ok());
        assert!(check_static(&elf(&[1, 3, 1])).is_err());
        assert!(check_static(&elf(&[])).is_err());
        assert!(check_static(b"#!/bin/sh").is_err());
    }

    /// The tests themselves are linked with the libraries of the machine.
    #[test]
    #[cfg(target_os = "linux")]
    fn this_one_is_told() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(check_static(&own).is_err());
    }
}
