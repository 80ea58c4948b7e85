//! Checks what users would install.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Read,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::pages;

/// Every file of the package. A file that is missing breaks sites; one too many may be a secret.
const FILES: [&str; 25] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "errors.d.ts",
    "inline-reader.js",
    "inline-validator.js",
    "inline.d.ts",
    "inline.js",
    "lastgood.d.ts",
    "lastgood.js",
    "lastgood_reader_bg.wasm",
    "lastgood_validator_bg.wasm",
    "package.json",
    "react-status.d.ts",
    "react-status.js",
    "react.d.ts",
    "react.js",
    "tanstack.d.ts",
    "tanstack.js",
    "testing.d.ts",
    "testing.js",
    "types.d.ts",
    "validator.js",
    "vite.d.ts",
    "vite.js",
];

/// What entries have in common lies in files named after their content: `chunk-6NJKYBLX.js`.
fn is_chunk(name: &str) -> bool {
    name.strip_prefix("chunk-").is_some_and(|rest| rest.ends_with(".js"))
}

/// What the README links to.
fn is_page(name: &str) -> bool {
    Path::new(name).parent() == Some(Path::new(pages::PACKED)) && name.ends_with(".md")
}

/// What is wrong with a package.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TarballError {
    /// It does not have the files that it must have.
    #[error(
        "wrong list of files: missing {missing:?}, unexpected {unexpected:?}; see \"files\" in reader-wasm/npm/package.json"
    )]
    Files {
        /// Expected, not found.
        missing: Vec<String>,
        /// Found, not expected.
        unexpected: Vec<String>,
    },
    /// It has another content than what was measured and is tested.
    #[error("{name} differs from the file that was packed")]
    Content {
        /// The file.
        name: String,
    },
    /// An import of the package would fail.
    #[error("package.json points to {target:?}, which is not in the package")]
    DanglingExport {
        /// What `exports` says.
        target: String,
    },
    /// Nothing could be imported.
    #[error("package.json has no \"exports\"")]
    NoExports,
}

/// Checks a tarball made from the files in `directory`.
pub(super) fn check(tarball: &Path, directory: &Path) -> Result<()> {
    let packed = read(tarball).context("cannot read the tarball")?;
    check_files(packed.keys().map(String::as_str))?;
    for (name, content) in &packed {
        if fs::read(directory.join(name)).ok().as_ref() != Some(content) {
            return Err(TarballError::Content { name: name.clone() }.into());
        }
    }
    let manifest: Value = serde_json::from_slice(&packed["package.json"])?;
    check_exports(&manifest, packed.keys().map(String::as_str))?;
    // What wasm-bindgen generated beyond the package would be missing in it.
    let names = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    let names = names.iter().map(String::as_str).filter(|name| *name != pages::PACKED);
    check_files(names).context("in the directory that was packed")
}

/// The files of an npm tarball, which all lie in `package/`.
fn read(tarball: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(tarball)?));
    let mut files = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let path = path.strip_prefix("package").unwrap_or(&path);
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.insert(path.to_string_lossy().into_owned(), content);
    }
    Ok(files)
}

fn check_files<'a>(found: impl Iterator<Item = &'a str>) -> Result<(), TarballError> {
    let found: BTreeSet<&str> = found.filter(|name| !is_chunk(name) && !is_page(name)).collect();
    let expected = BTreeSet::from(FILES);
    if found == expected {
        return Ok(());
    }
    let owned = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
    Err(TarballError::Files {
        missing: owned(expected.difference(&found).collect()),
        unexpected: owned(found.difference(&expected).collect()),
    })
}

/// Every target in `exports`, whatever its conditions, and in the fields for tools that do not know `exports`, must be a file of
/// the package.
fn check_exports<'a>(manifest: &Value, files: impl Iterator<Item = &'a str>) -> Result<(), TarballError> {
    let files: BTreeSet<PathBuf> = files.map(PathBuf::from).collect();
    let exports = manifest.get("exports").ok_or(TarballError::NoExports)?;
    let fields = ["main", "module", "types"].iter().filter_map(|field| manifest.get(field)?.as_str());
    for target in targets(exports).into_iter().chain(fields) {
        let relative: PathBuf =
            Path::new(target).components().filter(|component| *component != Component::CurDir).collect();
        if !target.starts_with("./") || !files.contains(&relative) {
            return Err(TarballError::DanglingExport { target: target.to_owned() });
        }
    }
    Ok(())
}

fn targets(exports: &Value) -> Vec<&str> {
    match exports {
        Value::String(target) => vec![target],
        Value::Object(conditions) => conditions.values().flat_map(targets).collect(),
        Value::Array(fallbacks) => fallbacks.iter().flat_map(targets).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FILES, TarballError, check_exports, check_files};

    #[test]
    fn the_list_of_files_is_exact() {
        assert_eq!(check_files(FILES.into_iter()), Ok(()));
        assert_eq!(
            check_files(FILES.into_iter().skip(1).chain([".env"])),
            Err(TarballError::Files { missing: vec![FILES[0].into()], unexpected: vec![".env".into()] })
        );
    }

    #[test]
    fn exports_must_point_to_packed_files() {
        let check = |exports| check_exports(&json!({ "exports": exports }), FILES.into_iter());
        assert_eq!(
            check(json!({
                ".": { "types": "./lastgood.d.ts", "default": "./lastgood.js" },
                "./package.json": "./package.json",
            })),
            Ok(())
        );
        for target in ["./index.js", "lastgood.js", "../lastgood.js"] {
            assert_eq!(
                check(json!({ ".": { "import": [{ "default": target }] } })),
                Err(TarballError::DanglingExport { target: target.into() })
            );
        }
        let missing = json!({ "exports": "./lastgood.js", "main": "./index.js" });
        let dangling = TarballError::DanglingExport { target: "./index.js".into() };
        assert_eq!(check_exports(&missing, FILES.into_iter()), Err(dangling));
        assert_eq!(check_exports(&json!({}), FILES.into_iter()), Err(TarballError::NoExports));
    }
}
