//! File systems of our own, mounted for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted file system. Dropping it unmounts it.
pub(crate) struct Mount {
    at: PathBuf,
    /// The image that is mounted, if it is one.
    _image: Option<TempDir>,
}

impl Mount {
    /// A file system in memory; `options` as in `size=1m,nr_inodes=50`.
    pub(crate) fn tmpfs(at: &Path, options: &str) -> Self {
        Self::mount(at, &["-t", "tmpfs", "-o", options, "tmpfs"], None)
    }

    /// An ext4 of `mib` MiB in a file, nothing of it reserved for root.
    pub(crate) fn ext4(at: &Path, mib: u32) -> Self {
        Self::image(at, mib, &["mkfs.ext4", "-q", "-m", "0"])
    }

    /// A btrfs of `mib` MiB in a file. It has quotas on every kernel that has it.
    pub(crate) fn btrfs(at: &Path, mib: u32) -> Self {
        Self::image(at, mib, &["mkfs.btrfs", "-q", "--mixed"])
    }

    fn image(at: &Path, mib: u32, make: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let image = dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(u64::from(mib) << 20).unwrap();
        run(Command::new(make[0]).args(&make[1..]).arg(&image));
        let path = image.to_str().unwrap().to_owned();
        Self::mount(at, &["-o", "loop", &path], Some(dir))
    }

    /// What is at `from`, at `at` as well.
    pub(crate) fn bind(from: &Path, at: &Path) -> Self {
        Self::mount(at, &["--bind", from.to_str().unwrap()], None)
    }

    /// What `lower` has, with the changes in `upper`; both, and `work`, are made below `layers`.
    pub(crate) fn overlay(at: &Path, layers: &Path) -> Self {
        for name in ["lower", "upper", "work"] {
            fs::create_dir(layers.join(name)).unwrap();
        }
        let of = |name: &str| layers.join(name).display().to_string();
        let options = format!("lowerdir={},upperdir={},workdir={}", of("lower"), of("upper"), of("work"));
        Self::mount(at, &["-t", "overlay", "-o", &options, "overlay"], None)
    }

    fn mount(at: &Path, arguments: &[&str], image: Option<TempDir>) -> Self {
        if !at.exists() {
            fs::create_dir(at).unwrap();
        }
        run(Command::new("mount").args(arguments).arg(at));
        Self { at: at.to_owned(), _image: image }
    }

    /// Changes its options, such as `ro`.
    pub(crate) fn remount(&self, options: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.at));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: whatever a failing test has left running does not keep it.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// Runs a command that makes a condition.
///
/// # Panics
/// When it fails: what it was to make has not been tested.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed; these tests need root on Linux: {stderr}");
}
