//! The examples in the documentation, so that tests run what users read.

use std::fs;

use crate::site::workspace;

/// A fenced block of a page.
#[derive(Debug, Clone)]
pub struct Block {
    /// The page and the line of its fence, such as `docs/operations.md:12`.
    pub place: String,
    /// What stands behind the opening fence, such as `sh`.
    pub language: String,
    /// Its text, each line with its end.
    pub text: String,
}

/// The block that follows `<!-- example: NAME -->` in a page, which is named by its path in the repository.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn example(page: &str, name: &str) -> String {
    let text = read(page);
    let mark = format!("<!-- example: {name} -->\n");
    let (before, rest) = text.split_once(&mark).unwrap_or_else(|| panic!("{page} has no example {name:?}"));
    let first = blocks_of(page, rest, before.lines().count() + 1).into_iter().next();
    first.expect("a block follows the mark").text
}

/// Every fenced block of a page.
///
/// # Panics
/// When there is no such page.
#[must_use]
pub fn blocks(page: &str) -> Vec<Block> {
    blocks_of(page, &read(page), 0)
}

/// The pages for users: README.md, that of the npm package, and what is in docs/, docs/operate/ and docs/reader/.
///
/// # Panics
/// When the directory cannot be listed.
#[must_use]
pub fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "reader-wasm/npm/README.md".to_owned()];
    for directory in ["docs", "docs/operate", "docs/reader"] {
        for entry in fs::read_dir(workspace().join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                pages.push(format!("{directory}/{name}"));
            }
        }
    }
    pages.sort_unstable();
    pages
}

fn read(page: &str) -> String {
    fs::read_to_string(workspace().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn blocks_of(page: &str, text: &str, lines_before: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (None, None) => {}
            (None, Some(language)) => {
                let place = format!("{page}:{}", lines_before + number + 1);
                open = Some(Block { place, language: language.to_owned(), text: String::new() });
            }
            (Some(block), Some(_)) => blocks.push(block),
            (Some(mut block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
    }
    blocks
}
