//! What the documentation says that one has to write is what the projects have.

use std::fs;

use lastgood_tests::docs::blocks;
use lastgood_tests::site::workspace;

const PAGES: [&str; 2] = ["docs/reader/bundlers.md", "docs/reader/offline.md"];

#[test]
fn the_examples_are_from_the_projects() {
    for page in PAGES {
        let text = fs::read_to_string(workspace().join(page)).unwrap();
        let sources = text.lines().filter_map(|line| line.strip_prefix("<!-- example: ")?.strip_suffix(" -->"));
        let sources: Vec<&str> = sources.collect();
        let blocks = blocks(page);
        assert_eq!(sources.len(), blocks.len(), "each block in {page} says which file it is from");
        for (source, block) in sources.into_iter().zip(blocks) {
            let file = fs::read_to_string(workspace().join("tests/packaging").join(source)).unwrap();
            assert!(file.contains(block.text.trim_end()), "{} is not in {source}", block.place);
        }
    }
}
