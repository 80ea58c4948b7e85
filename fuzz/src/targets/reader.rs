//! The texts between the module and the page: a plan, then for each step what came of it.

use crate::agree::Read;
use crate::input::parts;
use crate::targets::manifest::sealed;

/// Plan, then answers, manifest and lock marker for each step. A manifest that is but the value of `signed` gets its checksum.
pub(crate) fn run(input: &[u8]) {
    let _ = played(input);
}

pub(crate) fn played(input: &[u8]) -> Read {
    let mut parts = parts(input);
    let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).into_owned();
    let mut read = Read::begin(text(parts.next()));
    let mut parts = parts.peekable();
    while parts.peek().is_some() && read.is_going_on() {
        let answers = text(parts.next());
        let manifest = parts.next().unwrap_or_default();
        let manifest = if manifest.starts_with(b"{\"format\"") { sealed(manifest) } else { manifest.to_vec() };
        let lock = parts.next().unwrap_or_default().to_vec();
        read.answer(answers, manifest, lock, 1_800_000_000_000.0);
    }
    read
}
