//! `cargo xtask pack`: the npm package, from the Rust source to the tarball.

mod api;
mod consumers;
mod names;
mod pages;
mod panics;
mod script;
mod sizes;
mod tarball;
mod wasm;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{npm, process, progress::step, setup, workspace};

/// Build the npm package: target/npm/lastgood-<version>.tgz
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fail when the API reference or the size table (by more than 2 %) is out of date, instead of rewriting them
    #[arg(long)]
    pub(crate) check: bool,
}

/// The built npm package.
pub(crate) struct Package {
    /// Its files, byte for byte as they are in the tarball.
    pub(crate) directory: PathBuf,
    /// What `npm publish` would upload.
    pub(crate) tarball: PathBuf,
    /// The module with its bindings, which are bundled in the package: for tests that talk to the module itself.
    pub(crate) core: PathBuf,
}

/// Builds, measures, packs and checks the npm package.
pub(crate) fn run(args: &Args) -> Result<Package> {
    setup::node()?;
    setup::wasm_target(setup::Install::Allowed)?;
    step("install the npm tools", npm::install_tools)?;

    // Complete and checked, or not there: tests must not run against half a package, or against an old one.
    let out = workspace::target("npm");
    let unfinished = workspace::target("npm.unfinished");
    remove(&out)?;
    remove(&unfinished)?;
    build(&unfinished, args.check)?;
    fs::rename(&unfinished, &out).with_context(|| format!("cannot rename {}", unfinished.display()))?;

    let tarball = out.join(tarball_name());
    println!("{}", workspace::shown(&tarball));
    Ok(Package { directory: out.join("package"), tarball, core: out.join("core") })
}

fn build(out: &Path, check: bool) -> Result<()> {
    let directory = out.join("package");
    modules(&directory)?;
    let core = out.join("core");
    fs::create_dir_all(&core).with_context(|| format!("cannot make {}", core.display()))?;
    for module in wasm::MODULES {
        module.check_paths(&directory)?;
        copy(&directory, &core, module.file)?;
        copy(&directory, &core, module.glue)?;
    }
    step("check the types", script::check)?;
    step("bundle", || script::bundle(&directory).and_then(|()| script::declare(&directory)))?;
    step("write the API reference", || api::write(&directory, check))?;
    assemble(&directory)?;
    step("measure", || measure(&directory, check))?;
    step("pack", || pack(&directory, out))?;
    step("check what consumers resolve", || consumers::check(&out.join(tarball_name())))
}

/// Puts the wasm modules and their glue into a directory: what the package's TypeScript drives.
pub(crate) fn modules(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    step("build the wasm modules", || wasm::MODULES.iter().try_for_each(|module| module.make(directory)))
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn tarball_name() -> String {
    format!("lastgood-{}.tgz", workspace::VERSION)
}

/// Puts what is written by hand beside the module, the pages excepted: the README waits for the sizes.
fn assemble(directory: &Path) -> Result<()> {
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(workspace::root(), directory, name)?;
    }
    copy(&workspace::path("reader-wasm/npm"), directory, "package.json")?;
    // The version is written down once, in the root Cargo.toml; users have no use for what only building needs.
    let mut set = npm::npm(directory);
    process::capture(set.args(["pkg", "set"]).arg(format!("version={}", workspace::VERSION)))?;
    process::capture(npm::npm(directory).args(["pkg", "delete", "devDependencies", "scripts"]))?;
    Ok(())
}

fn measure(directory: &Path, check: bool) -> Result<()> {
    let sizes = sizes::measure(directory)?;
    println!("{}", sizes.table());
    sizes.check_budget()?;
    let readme = workspace::path("reader-wasm/npm/README.md");
    let named = || format!("in {}", workspace::shown(&readme));
    let text = fs::read_to_string(&readme).with_context(named)?;
    if check {
        return sizes.check_against(&text).with_context(named);
    }
    let updated = sizes.write_into(&text).with_context(named)?;
    if updated != text {
        fs::write(&readme, updated).with_context(named)?;
        eprintln!("    updated the sizes in {}", workspace::shown(&readme));
    }
    Ok(())
}

fn pack(directory: &Path, out: &Path) -> Result<()> {
    pages::write(directory)?;
    let mut pack = npm::npm(directory);
    pack.args(["pack", "--loglevel=warn", "--pack-destination"]);
    process::capture(pack.arg(out))?;
    let tarball = out.join(tarball_name());
    tarball::check(&tarball, directory).with_context(|| workspace::shown(&tarball))
}

fn copy(from: &Path, to: &Path, name: &str) -> Result<()> {
    let source = from.join(name);
    fs::copy(&source, to.join(name)).map(drop).with_context(|| format!("cannot copy {}", workspace::shown(&source)))
}
