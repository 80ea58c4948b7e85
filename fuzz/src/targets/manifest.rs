//! The manifest: as it comes, and with a checksum that is right, which no search would find.

use lastgood::protocol::MAX_SAFE_INTEGER;
use lastgood::protocol::digest::Sha256;
use lastgood::protocol::layout;
use lastgood::protocol::manifest::{Manifest, ManifestError};

use crate::input::assert_fit_for_a_terminal;

pub(crate) fn run(input: &[u8]) {
    check(Manifest::verify(input));
    check(Manifest::verify(&sealed(input)));
}

/// A manifest around what is to be the value of `signed`.
pub(crate) fn sealed(signed: &[u8]) -> Vec<u8> {
    // The checksum covers the value without the space around it.
    let value = signed.trim_ascii();
    [b"{\"signed\":", signed, b",\"sha256\":\"", Sha256::of(value).to_string().as_bytes(), b"\",\"signatures\":[]}"]
        .concat()
}

fn check(result: Result<Manifest, ManifestError>) {
    let manifest = match result {
        Ok(manifest) => manifest,
        Err(error) => return assert_fit_for_a_terminal(&error.to_string()),
    };
    let encoded = manifest.encode();
    assert_eq!(Manifest::verify(&encoded).as_ref(), Ok(&manifest));
    assert_eq!(encoded.len() as u64 % 256, manifest.generation.get() % 256);
    let read: serde_json::Value = serde_json::from_slice(&encoded).expect("a manifest is JSON to everybody");
    assert_eq!(read["signed"]["generation"], manifest.generation.get());
    for (name, entry) in &manifest.datasets {
        assert!(entry.generation <= manifest.generation && entry.size <= MAX_SAFE_INTEGER);
        assert_eq!(layout::plain_copy(name, &entry.ext).as_str(), format!("{name}.{}", entry.ext));
        assert!(manifest.datasets.get(name).is_some_and(|found| found == entry));
    }
}
