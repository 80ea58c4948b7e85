//! What the tasks need on the machine: found, installed where that is the custom, or asked for.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
    /// Install it where that needs no question: a Rust target, Debian packages as root, a crate in the build directory.
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

/// Makes sure that static binaries for Linux can be built.
pub(crate) fn musl(install: Install) -> Result<()> {
    target(crate::dist::TARGET, install).context("the static binary is linked with musl")?;
    provide(&[MUSL], install)
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

/// The programs that the integration tests run, each with the environment variable that names it to them.
const PROGRAMS: [(&str, &str); 7] = [
    ("LASTGOOD_TEST_CHROMEDRIVER", "chromedriver"),
    ("LASTGOOD_TEST_GECKODRIVER", "geckodriver"),
    ("LASTGOOD_TEST_WEBKITDRIVER", "WebKitWebDriver"),
    ("LASTGOOD_TEST_XVFB", "Xvfb"),
    ("LASTGOOD_TEST_NGINX", "nginx"),
    ("LASTGOOD_TEST_CADDY", "caddy"),
    ("LASTGOOD_TEST_PROMTOOL", "promtool"),
];

/// Makes sure that what the integration tests run is there, and says where. What is missing is installed or told all at
/// once.
pub(crate) fn programs(install: Install) -> Result<Vec<(&'static str, PathBuf)>> {
    provide(&WANTED, install)?;
    let found = |(variable, name)| {
        let program = find(name).with_context(|| format!("{name} is not on the PATH: {}", search_path()))?;
        Ok((variable, program))
    };
    PROGRAMS.into_iter().map(found).collect()
}

/// Whether file systems can be mounted and system calls traced here, which some containers forbid even root.
pub(crate) fn conditions_are_allowed() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    works("unshare", &["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]) && works("strace", &["-f", "true"])
}

/// Makes sure that disks can be filled and system calls traced here.
pub(crate) fn conditions(install: Install) -> Result<()> {
    if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
        bail!(
            "the tests that mount file systems and fill disks need root on Linux: run this as root, or `cargo xtask test \
             --without-conditions`"
        );
    }
    provide(&FOR_CONDITIONS, install)
}

/// Makes sure that Python is there.
pub(crate) fn python(install: Install) -> Result<()> {
    provide(&[PYTHON], install)
}

/// Makes sure that the fuzzer can be compiled.
pub(crate) fn cpp_compiler(install: Install) -> Result<()> {
    provide(&[CPP_COMPILER], install)
}

fn provide(wanted: &[Wanted], install: Install) -> Result<()> {
    let missing = || wanted.iter().filter(|wanted| !(wanted.is_there)()).copied().collect::<Vec<_>>();
    if install == Install::Allowed {
        install_packages(&missing())?;
        install_crates(&missing())?;
    }
    match missing().as_slice() {
        [] => Ok(()),
        missing => {
            let missing: String = missing.iter().map(Wanted::advice).collect();
            bail!("programs that this task needs are missing (PATH: {}){missing}", search_path())
        }
    }
}

/// Makes sure that cargo-deny is there, and says where.
pub(crate) fn cargo_deny(install: Install) -> Result<PathBuf> {
    let (name, version) = ("cargo-deny", "0.20.2");
    if install == Install::Allowed && find(name).is_none() {
        // It runs for seconds: to have it optimised would take longer than it saves.
        install_crate(name, version, Some("0"))?;
    }
    find(name).with_context(|| format!("{name} is missing: cargo install {name}@{version} --locked"))
}

/// Something that the integration tests need.
#[derive(Clone, Copy)]
struct Wanted {
    what: &'static str,
    is_there: fn() -> bool,
    source: Source,
    /// How others get it, one way on each line.
    elsewhere: &'static str,
}

/// Where something comes from.
#[derive(Clone, Copy)]
enum Source {
    /// Debian packages.
    Debian {
        packages: &'static [&'static str],
        /// The service that they start by themselves.
        service: Option<&'static str>,
    },
    /// A program on crates.io, for which Debian has no package: its name and version.
    Crate(&'static str, &'static str),
}

/// Packages without a service.
const fn debian(packages: &'static [&'static str]) -> Source {
    Source::Debian { packages, service: None }
}

const WANTED: [Wanted; 11] = [
    Wanted {
        what: "chromedriver, and a Chromium or Chrome of the same version",
        is_there: || find("chromedriver").is_some(),
        source: debian(&["chromium", "chromium-driver"]),
        elsewhere: "Fedora: dnf install chromium chromedriver\nmacOS: brew install --cask chromium chromedriver\n\
                    others: https://googlechromelabs.github.io/chrome-for-testing/",
    },
    Wanted {
        what: "Firefox",
        is_there: || find("firefox").is_some(),
        source: debian(&["firefox-esr"]),
        elsewhere: "Fedora: dnf install firefox\nmacOS: brew install --cask firefox\nothers: https://www.mozilla.org/firefox/",
    },
    Wanted {
        what: "geckodriver",
        is_there: || find("geckodriver").is_some(),
        source: Source::Crate("geckodriver", "0.37.1"),
        elsewhere: "macOS: brew install geckodriver\nothers: https://github.com/mozilla/geckodriver/releases",
    },
    Wanted {
        what: "WebKitWebDriver, with WebKitGTK's MiniBrowser",
        is_there: || find("WebKitWebDriver").is_some(),
        source: debian(&["webkit2gtk-driver"]),
        elsewhere: "Fedora: dnf install webkitgtk6.0\nothers: https://webkitgtk.org",
    },
    Wanted {
        what: "Xvfb, a screen for it that nobody sees",
        is_there: || find("Xvfb").is_some(),
        source: debian(&["xvfb"]),
        elsewhere: "Fedora: dnf install xorg-x11-server-Xvfb\nothers: https://x.org",
    },
    Wanted {
        what: "nginx",
        is_there: || find("nginx").is_some(),
        source: Source::Debian { packages: &["nginx"], service: Some("nginx") },
        elsewhere: "Fedora: dnf install nginx\nmacOS: brew install nginx\nothers: https://nginx.org/en/docs/install.html",
    },
    Wanted {
        what: "nginx's module for Brotli",
        is_there: || find("nginx").is_some_and(|nginx| has_brotli(&nginx)),
        source: debian(&["libnginx-mod-http-brotli-static"]),
        elsewhere: "Fedora: dnf install nginx-mod-brotli\nothers: https://github.com/google/ngx_brotli",
    },
    Wanted {
        what: "Caddy",
        is_there: || find("caddy").is_some(),
        source: Source::Debian { packages: &["caddy"], service: Some("caddy") },
        elsewhere: "Fedora: dnf install caddy\nmacOS: brew install caddy\nothers: https://caddyserver.com/docs/install",
    },
    Wanted {
        what: "promtool, which comes with Prometheus",
        is_there: || find("promtool").is_some(),
        source: Source::Debian { packages: &["prometheus"], service: Some("prometheus") },
        elsewhere: "Fedora: dnf install golang-github-prometheus\nmacOS: brew install prometheus\n\
                    others: https://prometheus.io/download/",
    },
    PYTHON,
    Wanted {
        what: "jq, which messages recommend",
        is_there: || find("jq").is_some(),
        source: debian(&["jq"]),
        elsewhere: "Fedora: dnf install jq\nmacOS: brew install jq\nothers: https://jqlang.org/download/",
    },
];

const PYTHON: Wanted = Wanted {
    what: "Python 3",
    is_there: || find("python3").is_some(),
    source: debian(&["python3"]),
    elsewhere: "others: https://www.python.org/downloads/",
};

/// libFuzzer is compiled from its source.
const CPP_COMPILER: Wanted = Wanted {
    what: "a C++ compiler",
    is_there: || find("c++").is_some(),
    source: debian(&["g++"]),
    elsewhere: "Fedora: dnf install gcc-c++\nmacOS: xcode-select --install",
};

/// TLS has parts in C.
const MUSL: Wanted = Wanted {
    what: "musl-gcc",
    is_there: || find("musl-gcc").is_some(),
    source: debian(&["musl-tools"]),
    elsewhere: "Fedora: dnf install musl-gcc\nothers: https://musl.libc.org",
};

/// The same for the tests that need root on Linux.
const FOR_CONDITIONS: [Wanted; 4] = [
    Wanted {
        what: "setfacl",
        is_there: || find("setfacl").is_some(),
        source: debian(&["acl"]),
        elsewhere: "Fedora: dnf install acl",
    },
    Wanted {
        what: "strace",
        is_there: || find("strace").is_some(),
        source: debian(&["strace"]),
        elsewhere: "Fedora: dnf install strace\nothers: https://strace.io",
    },
    Wanted {
        what: "mkfs.ext4",
        is_there: || find("mkfs.ext4").is_some(),
        source: debian(&["e2fsprogs"]),
        elsewhere: "Fedora: dnf install e2fsprogs",
    },
    Wanted {
        what: "mkfs.btrfs and btrfs, for quotas",
        is_there: || find("mkfs.btrfs").is_some() && find("btrfs").is_some(),
        source: debian(&["btrfs-progs"]),
        elsewhere: "Fedora: dnf install btrfs-progs",
    },
];

impl Wanted {
    fn advice(&self) -> String {
        let elsewhere = self.elsewhere.replace('\n', "\n    ");
        let here = match self.source {
            Source::Debian { packages, .. } => format!("Debian, Ubuntu: apt-get install {}", packages.join(" ")),
            Source::Crate(name, version) => format!("with Rust: cargo install {name}@{version} --locked"),
        };
        format!("\n  {}\n    {here}\n    {elsewhere}", self.what)
    }
}

/// Whether the module that sends `.br` files is where this nginx looks for modules.
fn has_brotli(nginx: &Path) -> bool {
    // `nginx -V` tells on stderr how it was built.
    let built = Command::new(nginx).arg("-V").output().map(|output| output.stderr).unwrap_or_default();
    let built = String::from_utf8_lossy(&built);
    let modules = built.split_whitespace().find_map(|option| option.strip_prefix("--modules-path="));
    modules.is_some_and(|modules| Path::new(modules).join("ngx_http_brotli_static_module.so").exists())
}

/// Installs Debian packages, where this is Debian and we may.
fn install_packages(missing: &[Wanted]) -> Result<()> {
    let (mut wanted, mut services) = (Vec::new(), Vec::new());
    for missing in missing {
        if let Source::Debian { packages, service } = missing.source {
            wanted.extend_from_slice(packages);
            services.extend(service);
        }
    }
    if wanted.is_empty() || !is_debian() || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        // A fresh machine often runs its own apt-get in its first minutes.
        command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::run(command.args(arguments))
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], wanted.as_slice()].concat())?;
    services.into_iter().try_for_each(stop_service)
}

/// Builds programs out of crates into the build directory, where [`find`] looks: that takes minutes, once.
fn install_crates(missing: &[Wanted]) -> Result<()> {
    for missing in missing {
        if let Source::Crate(name, version) = missing.source {
            install_crate(name, version, None)?;
        }
    }
    Ok(())
}

fn install_crate(name: &str, version: &str, opt_level: Option<&str>) -> Result<()> {
    let mut install = workspace::cargo();
    install.args(["install", name, "--version", version, "--locked", "--root"]).arg(workspace::target("tools"));
    Ok(process::run(install.envs(opt_level.map(|level| ("CARGO_PROFILE_RELEASE_OPT_LEVEL", level))))?)
}

/// Ends a server that its package has started: the tests run their own, and nobody asked for one at port 80.
fn stop_service(service: &str) -> Result<()> {
    let mut stop = if Path::new("/run/systemd/system").is_dir() {
        let mut systemctl = Command::new("systemctl");
        systemctl.args(["disable", "--now", service]);
        systemctl
    } else if Path::new("/etc/init.d").join(service).exists() {
        let mut init = Command::new("service");
        init.args([service, "stop"]);
        init
    } else {
        return Ok(());
    };
    Ok(process::run(&mut stop)?)
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && find("apt-get").is_some()
}

/// The first executable of this name on the PATH, where servers are on systems that keep them from the PATH of users, or
/// among our own.
fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .chain([PathBuf::from("/usr/sbin"), workspace::target("tools/bin")])
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
