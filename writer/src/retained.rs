//! The retained manifests: what the history knows of a generation.

use std::io;

use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Generation, MAX_MANIFEST_BYTES, Manifest};

use crate::storage::{Storage, is_something_else};
use crate::verify::ProblemKind;

/// The manifest of a generation; `None` when it is not retained.
pub(crate) fn load<S: Storage>(storage: &S, generation: Generation) -> Result<Option<Manifest>, ProblemKind> {
    match read(storage, generation) {
        Err(error) => Err(ProblemKind::Unreadable(error.to_string())),
        Ok(found) => found.transpose(),
    }
}

/// The same where a damaged one is as good as none.
pub(crate) fn intact<S: Storage>(storage: &S, generation: Generation) -> io::Result<Option<Manifest>> {
    Ok(read(storage, generation)?.and_then(Result::ok))
}

fn read<S: Storage>(storage: &S, generation: Generation) -> io::Result<Option<Result<Manifest, ProblemKind>>> {
    let bytes = match storage.read(&layout::history(generation), MAX_MANIFEST_BYTES) {
        Err(error) if is_something_else(&error) => return Ok(Some(Err(ProblemKind::NotAManifest(error.to_string())))),
        read => read?,
    };
    Ok(bytes.map(|bytes| match Manifest::verify(&bytes) {
        Ok(manifest) if manifest.generation == generation => Ok(manifest),
        Ok(manifest) => Err(ProblemKind::NotAManifest(format!("it is generation {}", manifest.generation))),
        Err(error) => Err(ProblemKind::NotAManifest(error.to_string())),
    }))
}

/// Generations in few words: `3 to 17, 20`.
pub(crate) fn ranges(generations: &[Generation]) -> String {
    let mut runs: Vec<(Generation, Generation)> = Vec::new();
    for &generation in generations {
        match runs.last_mut() {
            Some((_, last)) if last.next() == Some(generation) => *last = generation,
            _ => runs.push((generation, generation)),
        }
    }
    if runs.is_empty() {
        return "none".to_owned();
    }
    let run = |(first, last): &(Generation, Generation)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined() {
        let text = |numbers: &[u64]| {
            ranges(&numbers.iter().map(|&number| Generation::new(number).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(text(&[]), "none");
        assert_eq!(text(&[7]), "7");
        assert_eq!(text(&[1, 2, 3, 5, 7, 8]), "1 to 3, 5, 7 to 8");
    }
}
