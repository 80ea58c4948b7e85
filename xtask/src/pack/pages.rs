//! The README and the pages of `docs/reader/` in the package, where every link leads to something that the package has.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::workspace;

/// Where the pages are in the repository.
const PAGES: &str = "docs/reader";
/// Where they are in the package.
pub(super) const PACKED: &str = "docs";
const README: &str = "reader-wasm/npm/README.md";

/// Writes README.md and the pages into the directory of the package.
pub(super) fn write(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory.join(PACKED)).context("cannot make a directory for the pages")?;
    let pages = fs::read_dir(workspace::path(PAGES)).context(PAGES)?;
    let mut sources = vec![PathBuf::from(README)];
    for page in pages {
        sources.push(Path::new(PAGES).join(page?.file_name()));
    }
    for source in sources {
        let Some(target) = packed(&source) else { continue };
        let text = fs::read_to_string(workspace::root().join(&source)).with_context(|| source.display().to_string())?;
        fs::write(directory.join(&target), relinked(&text, &source))
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

/// The place in the package of a file of the repository, if it is a page.
fn packed(source: &Path) -> Option<PathBuf> {
    if source == Path::new(README) {
        return Some(PathBuf::from("README.md"));
    }
    let name = source.strip_prefix(PAGES).ok()?;
    (name.extension()? == "md").then(|| Path::new(PACKED).join(name))
}

/// The text of a page with the links that it has in the package. What the package does not have is named instead.
fn relinked(text: &str, source: &Path) -> String {
    // Every second piece is a block of code.
    let pieces = text.split("```").enumerate();
    let pieces = pieces.map(|(at, piece)| if at % 2 == 0 { relinked_prose(piece, source) } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("```")
}

fn relinked_prose(prose: &str, source: &Path) -> String {
    let mut done = String::new();
    let mut rest = prose;
    while let Some((before, after)) = rest.split_once("](") {
        let (Some((target, behind)), Some((lead, name))) = (after.split_once(')'), before.rsplit_once('[')) else {
            break;
        };
        done += lead;
        done += &link(name, target, source);
        rest = behind;
    }
    done + rest
}

fn link(name: &str, target: &str, source: &Path) -> String {
    let (path, anchor) = target.split_at(target.find('#').unwrap_or(target.len()));
    if path.is_empty() || path.contains("://") {
        return format!("[{name}]({target})");
    }
    let linked = resolve(source, path);
    match (packed(&linked), packed(source)) {
        (Some(to), Some(from)) => format!("[{name}]({}{anchor})", relative(&from, &to)),
        _ if name.trim_end_matches('/') == linked.to_string_lossy() => format!("`{}`", linked.display()),
        _ => format!("{name} (`{}` of the project)", linked.display()),
    }
}

/// What a relative link on a page leads to.
fn resolve(source: &Path, link: &str) -> PathBuf {
    let mut resolved = source.parent().map(Path::to_owned).unwrap_or_default();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            _ => {}
        }
    }
    resolved
}

/// The link from one file of the package, of which none lies deeper than one directory, to another.
fn relative(from: &Path, to: &Path) -> String {
    let to = to.to_string_lossy();
    if from.parent() != Some(Path::new(PACKED)) {
        return to.into_owned();
    }
    to.strip_prefix("docs/").map_or_else(|| format!("../{to}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::relinked;

    fn check(source: &str, text: &str, expected: &str) {
        assert_eq!(relinked(text, Path::new(source)), expected);
    }

    #[test]
    fn links_between_pages_are_those_of_the_package() {
        let readme = "reader-wasm/npm/README.md";
        check(readme, "| [`a`](../../docs/reader/a.md#b), [c](#c) |", "| [`a`](docs/a.md#b), [c](#c) |");
        let page = "docs/reader/a.md";
        check(page, "[B](b.md) and [x](https://x.example/)", "[B](b.md) and [x](https://x.example/)");
        check(page, "[the\npackage](../../reader-wasm/npm/README.md#size)", "[the\npackage](../README.md#size)");
    }

    #[test]
    fn what_the_package_does_not_have_is_named() {
        let page = "docs/reader/a.md";
        check(page, "see [d](../design.md#e).", "see d (`docs/design.md` of the project).");
        check(page, "in [tests/packaging](../../tests/packaging/)", "in `tests/packaging`");
    }

    #[test]
    fn code_is_left_alone() {
        let code = "```js\nf[0](../x.md)\n```\n";
        check("docs/reader/a.md", code, code);
    }
}
