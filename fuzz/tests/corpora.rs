//! Every input of the committed corpora, as an ordinary test.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::path::{Path, PathBuf};
use std::{fs, panic};

use lastgood_fuzz::Target;

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// One test for all targets, because what memory an input takes is measured.
#[test]
fn no_input_makes_a_target_fail() {
    for target in Target::ALL {
        let corpus = directory("corpus").join(target.name);
        let mut inputs: Vec<PathBuf> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort_unstable();
        assert!(!inputs.is_empty(), "{} is empty", corpus.display());
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            if let Err(panicked) = panic::catch_unwind(|| target.run(&bytes)) {
                eprintln!("this was {}", input.display());
                panic::resume_unwind(panicked);
            }
        }
    }
}

/// A corpus that no target reads would look like a test.
#[test]
fn every_corpus_belongs_to_a_target() {
    for name in ["corpus", "dictionaries"] {
        for entry in fs::read_dir(directory(name)).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(Target::named(stem).is_some(), "{} belongs to no target", path.display());
        }
    }
}
