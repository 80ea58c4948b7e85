//! Which crate may depend on which: `protocol ← writer`, `protocol ← reader-wasm`.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::{process, workspace};

/// Everything that the protocol crate may be made of: encoding, hashing, errors; nothing that knows a platform. To add a
/// crate here is to say that it does no I/O, reads no clock and builds for wasm32.
const PROTOCOL_MAY_USE: [&str; 19] = [
    "block-buffer",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "lastgood-protocol",
    "proc-macro2",
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "sha2",
    "syn",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
];

/// A dependency that must not be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArrowError {
    /// The protocol crate depends on something new.
    #[error(
        "lastgood-protocol depends on {crates:?}, which it may not use: it has no I/O, no clock and no platform; \
         if they have none either, add them to PROTOCOL_MAY_USE"
    )]
    NotAllowed {
        /// The crates that are not on the list.
        crates: Vec<String>,
    },
    /// Two crates that must not know each other do.
    #[error("{from} depends on {to}; both may depend on lastgood-protocol alone")]
    WrongWay {
        /// The crate that depends.
        from: &'static str,
        /// The crate that it must not depend on.
        to: &'static str,
    },
}

/// Checks every arrow.
pub(super) fn check() -> Result<()> {
    // Both platforms: dependencies can be limited to one of them.
    for target in [workspace::WASM_TARGET, "x86_64-unknown-linux-gnu"] {
        check_protocol(&tree("lastgood-protocol", target)?)?;
        for (from, to) in [("lastgood-reader", "lastgood"), ("lastgood", "lastgood-reader")] {
            check_absent(&tree(from, target)?, from, to)?;
        }
    }
    Ok(())
}

/// What `package` is made of, as `cargo tree` prints it: a line for each crate, which begins with its name.
fn tree(package: &str, target: &str) -> Result<String> {
    Ok(process::capture(workspace::cargo().args([
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--target",
        target,
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?)
}

fn check_protocol(tree: &str) -> Result<(), ArrowError> {
    let allowed = BTreeSet::from(PROTOCOL_MAY_USE);
    let crates: BTreeSet<&str> = names(tree).collect();
    let crates: Vec<String> = crates.difference(&allowed).map(|name| (*name).to_owned()).collect();
    if crates.is_empty() {
        return Ok(());
    }
    Err(ArrowError::NotAllowed { crates })
}

fn check_absent(tree: &str, from: &'static str, to: &'static str) -> Result<(), ArrowError> {
    if names(tree).any(|name| name == to) {
        return Err(ArrowError::WrongWay { from, to });
    }
    Ok(())
}

fn names(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter_map(|line| line.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::{ArrowError, PROTOCOL_MAY_USE, check_absent, check_protocol};

    const TREE: &str = "lastgood-protocol v0.1.0 (/somewhere)\nserde v1.0.229\nsha2 v0.11.1\ncfg-if v1.0.5 (*)\n";

    #[test]
    fn the_protocol_uses_what_is_on_the_list() {
        assert_eq!(check_protocol(TREE), Ok(()));
        for platform in ["libc", "web-sys", "js-sys", "tokio", "rustix", "getrandom", "lastgood"] {
            assert!(!PROTOCOL_MAY_USE.contains(&platform));
            assert_eq!(
                check_protocol(&format!("{TREE}{platform} v1.0.0\n")),
                Err(ArrowError::NotAllowed { crates: vec![platform.into()] })
            );
        }
    }

    #[test]
    fn names_are_compared_whole() {
        let (from, to) = ("lastgood-reader", "lastgood");
        assert_eq!(check_absent(TREE, from, to), Ok(()));
        assert_eq!(
            check_absent(&format!("{TREE}lastgood v0.1.0 (/there)\n"), from, to),
            Err(ArrowError::WrongWay { from, to })
        );
    }
}
